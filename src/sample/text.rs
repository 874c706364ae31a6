//! Numbers and fields as text, without floats. It must not know any layout.

/// `n` in digits.
pub fn push_int(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    push_digits(out, n.unsigned_abs(), 1);
}

/// `n` in at least `width` digits, zeros in front.
pub fn push_digits(out: &mut Vec<u8>, mut n: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    while n > 0 {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
    }
    out.extend_from_slice(&digits[at.min(digits.len() - width)..]);
}

/// `n` units of 10^-`scale`, all decimals shown, `point` between.
pub fn push_decimal(out: &mut Vec<u8>, n: i64, scale: u32, point: u8) {
    if n < 0 {
        out.push(b'-');
    }
    let unit = 10_u64.pow(scale);
    let n = n.unsigned_abs();
    push_digits(out, n / unit, 1);
    if scale > 0 {
        out.push(point);
        push_digits(out, n % unit, scale as usize);
    }
}

/// As [`push_decimal`] with a point, without zeros at the end: "1", "0.25".
pub fn push_short(out: &mut Vec<u8>, n: i64, scale: u32) {
    push_decimal(out, n, scale, b'.');
    if scale > 0 {
        while out.last() == Some(&b'0') {
            out.pop();
        }
        if out.last() == Some(&b'.') {
            out.pop();
        }
    }
}

/// Cents as "12.99".
pub fn push_cents(out: &mut Vec<u8>, cents: i64) {
    push_decimal(out, cents, 2, b'.');
}

/// The record of a delimited line (no quoting, ending in a newline) with field `at` replaced.
pub fn with_field(record: &[u8], delimiter: u8, at: usize, value: &str) -> Vec<u8> {
    let body = record.strip_suffix(b"\n").unwrap_or(record);
    let mut out = Vec::with_capacity(record.len() + value.len());
    for (i, field) in body.split(|b| *b == delimiter).enumerate() {
        if i > 0 {
            out.push(delimiter);
        }
        out.extend_from_slice(if i == at { value.as_bytes() } else { field });
    }
    out.push(b'\n');
    out
}

/// The record with the first `old` replaced by `new`; unchanged where it has none.
pub fn with_text(record: &[u8], old: &str, new: &str) -> Vec<u8> {
    let found = record.windows(old.len()).position(|w| w == old.as_bytes());
    let Some(at) = found else { return record.to_vec() };
    [&record[..at], new.as_bytes(), &record[at + old.len()..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn numbers_are_written_in_full() {
        assert_eq!(text(|o| push_int(o, -120)), "-120");
        assert_eq!(text(|o| push_int(o, 0)), "0");
        assert_eq!(text(|o| push_digits(o, 42, 7)), "0000042");
        assert_eq!(text(|o| push_cents(o, 1299)), "12.99");
        assert_eq!(text(|o| push_cents(o, -5)), "-0.05");
        assert_eq!(text(|o| push_decimal(o, 1299, 2, b',')), "12,99");
        assert_eq!(text(|o| push_short(o, 2500, 3)), "2.5");
        assert_eq!(text(|o| push_short(o, 2000, 3)), "2");
    }

    #[test]
    fn a_field_is_replaced() {
        assert_eq!(with_field(b"a;b;c\n", b';', 1, "x"), b"a;x;c\n");
        assert_eq!(with_text(b"{\"q\":1}\n", "1", "null"), b"{\"q\":null}\n");
    }
}
