//! Exact decimal arithmetic on `i128` with a scale: reading, rescaling, multiplying, rounding half away from zero.
//! It must never pass through a float.

/// 10 to the power `n`; `None` beyond what an `i128` holds.
pub(crate) fn pow10(n: u32) -> Option<i128> {
    10_i128.checked_pow(n)
}

/// The value of a decimal text times 10^`scale`, if it is one, has at most `precision` digits and loses none.
/// Accepted: surrounding blanks, a sign, digits with at most one point, an exponent (`1.5e3`). Nothing is rounded.
pub(crate) fn parse_exact(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let bytes = text.trim().as_bytes();
    let (negative, digits) = match bytes.first()? {
        b'-' => (true, &bytes[1..]),
        b'+' => (false, &bytes[1..]),
        _ => (false, bytes),
    };
    let mut value: i128 = 0;
    let (mut seen, mut point, mut decimals, mut exponent) = (false, false, 0_i32, 0_i32);
    for (i, b) in digits.iter().enumerate() {
        match b {
            b'0'..=b'9' => {
                seen = true;
                decimals += i32::from(point);
                value = value.checked_mul(10)?.checked_add(i128::from(b - b'0'))?;
            }
            b'.' if !point => point = true,
            b'e' | b'E' if seen => {
                exponent = std::str::from_utf8(&digits[i + 1..]).ok()?.parse().ok()?;
                break;
            }
            _ => return None,
        }
    }
    if !seen {
        return None;
    }
    let shift = i32::from(scale).checked_sub(decimals)?.checked_add(exponent)?;
    let value = shift_exact(value, shift)?;
    fits(value, precision).then_some(if negative { -value } else { value })
}

/// `value` × 10^`shift`, if that is whole.
fn shift_exact(value: i128, shift: i32) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    let factor = pow10(shift.unsigned_abs())?;
    if shift >= 0 { value.checked_mul(factor) } else { (value % factor == 0).then(|| value / factor) }
}

/// At most `precision` digits.
pub(crate) fn fits(value: i128, precision: u8) -> bool {
    pow10(u32::from(precision)).is_none_or(|limit| value.unsigned_abs() < limit.unsigned_abs())
}

/// `value` / `divisor`, rounded half away from zero. `divisor` is above 0.
pub(crate) fn div_round(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    // `rest` and `divisor - |rest|` instead of 2 × rest: no overflow.
    if rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs() {
        quotient + value.signum()
    } else {
        quotient
    }
}

/// `a` × `b`, cut by `drop` decimals with rounding half away from zero; `None` on overflow.
pub(crate) fn mul_round(a: i128, b: i128, drop: u32) -> Option<i128> {
    Some(div_round(a.checked_mul(b)?, pow10(drop)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        assert_eq!(parse_exact("12.5", 18, 4), Some(125_000));
        assert_eq!(parse_exact(" -0.00010 ", 18, 4), Some(-1));
        assert_eq!(parse_exact("+7.", 18, 3), Some(7_000));
        assert_eq!(parse_exact(".5", 18, 3), Some(500));
        assert_eq!(parse_exact("1.5e3", 18, 0), Some(1_500));
        assert_eq!(parse_exact("1.50000000", 18, 1), Some(15));
        assert_eq!(parse_exact("0e99", 18, 2), Some(0));
        for bad in ["", " ", ".", "-", "1.23456", "1,5", "0x1", "1e", "1e-9", "NaN", "1 000", "1.2.3", "--1"] {
            assert_eq!(parse_exact(bad, 18, 4), None, "{bad:?}");
        }
        assert_eq!(parse_exact("100000000000000", 18, 4), None, "15 + 4 digits do not fit 18");
        assert_eq!(parse_exact("99999999999999.9999", 18, 4), Some(999_999_999_999_999_999));
    }

    #[test]
    fn halves_round_away_from_zero() {
        assert_eq!(div_round(25, 10), 3);
        assert_eq!(div_round(-25, 10), -3);
        assert_eq!(div_round(24, 10), 2);
        assert_eq!(div_round(-26, 10), -3);
        assert_eq!(div_round(1, 3), 0);
        assert_eq!(mul_round(12_345, 10_500, 4), Some(12_962));
        assert_eq!(mul_round(i128::MAX, 10, 4), None);
    }
}
