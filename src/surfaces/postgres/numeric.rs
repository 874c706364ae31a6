//! Numbers of any size as PostgreSQL's `numeric`, digit by digit: arrow-pg's own encoder ends at 96 bits. It must not
//! know columns.

/// Decimal digits in one digit of `numeric`.
const WIDTH: usize = 4;
const NEGATIVE: i16 = 0x4000;

/// A number in decimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numeric {
    negative: bool,
    /// At least one digit.
    whole: String,
    /// What stands behind the point.
    part: String,
}

/// Whether arrow-pg can tell `unscaled` / 10^`scale` by itself.
pub fn is_small(unscaled: i128, scale: i8) -> bool {
    (0..=28).contains(&scale) && unscaled.unsigned_abs() < 1 << 96
}

impl Numeric {
    /// `unscaled` / 10^`scale`, as Arrow has decimals.
    pub fn new(unscaled: &str, scale: i8) -> Numeric {
        let (negative, digits) = unscaled.strip_prefix('-').map_or((false, unscaled), |digits| (true, digits));
        let places = usize::try_from(scale).unwrap_or(0);
        let zeros = if scale < 0 && digits != "0" { usize::from(scale.unsigned_abs()) } else { 0 };
        let digits = format!("{digits:0>width$}{}", "0".repeat(zeros), width = places + 1);
        let (whole, part) = digits.split_at(digits.len() - places);
        Numeric { negative, whole: whole.into(), part: part.into() }
    }

    pub fn text(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let point = if self.part.is_empty() { "" } else { "." };
        format!("{sign}{}{point}{}", self.whole, self.part)
    }

    /// The digits to base 10,000 behind their number, the first one's weight, the sign and the places to show.
    pub fn binary(&self) -> Vec<u8> {
        let padded = |text: &str| text.len().next_multiple_of(WIDTH);
        let (left, right) = (padded(&self.whole), padded(&self.part));
        let digits = format!("{:0>left$}{:0<right$}", self.whole, self.part);
        let digit = |four: &[u8]| four.iter().fold(0, |sum: i16, d| sum * 10 + i16::from(d - b'0'));
        let digits: Vec<i16> = digits.as_bytes().chunks(WIDTH).map(digit).collect();
        let from = digits.iter().take_while(|d| **d == 0).count();
        let to = digits.iter().rposition(|d| *d != 0).map_or(0, |last| last + 1);
        let digits = digits.get(from..to).unwrap_or_default();
        let short = |number: usize| i16::try_from(number).unwrap_or(i16::MAX);
        let weight = if digits.is_empty() { 0 } else { short(left / WIDTH) - 1 - short(from) };
        let sign = if self.negative { NEGATIVE } else { 0 };
        let head = [short(digits.len()), weight, sign, short(self.part.len())];
        head.iter().chain(digits).flat_map(|number| number.to_be_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of a value in binary.
    fn numbers(unscaled: &str, scale: i8) -> Vec<i16> {
        let bytes = Numeric::new(unscaled, scale).binary();
        bytes.chunks(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn texts_have_all_digits() {
        for (unscaled, scale, text) in [
            ("0", 0, "0"),
            ("0", 2, "0.00"),
            ("5", 4, "0.0005"),
            ("-12345", 4, "-1.2345"),
            ("12", -3, "12000"),
            ("0", -3, "0"),
            (
                "123456789012345678901234567890123456789012345678901",
                1,
                "12345678901234567890123456789012345678901234567890.1",
            ),
        ] {
            assert_eq!(Numeric::new(unscaled, scale).text(), text);
        }
    }

    /// As PostgreSQL's `numeric_send` writes them: number of digits, weight, sign, places, digits.
    #[test]
    fn binary_is_as_postgresql_writes_it() {
        for (unscaled, scale, expected) in [
            ("0", 0, &[0, 0, 0, 0][..]),
            ("0", 2, &[0, 0, 0, 2]),
            ("1", 0, &[1, 0, 0, 0, 1]),
            ("-12345", 4, &[2, 0, NEGATIVE, 4, 1, 2345]),
            ("5", 4, &[1, -1, 0, 4, 5]),
            ("5", 5, &[1, -2, 0, 5, 5000]),
            ("100000000", 0, &[1, 2, 0, 0, 1]),
            ("123456789", 2, &[3, 1, 0, 2, 123, 4567, 8900]),
            ("12", -3, &[2, 1, 0, 0, 1, 2000]),
        ] {
            assert_eq!(numbers(unscaled, scale), expected, "{unscaled} / 10^{scale}");
        }
    }

    #[test]
    fn arrow_pg_is_left_what_it_can() {
        assert!(is_small((1 << 96) - 1, 28) && is_small(-(1 << 96) + 1, 0));
        assert!(!is_small(1 << 96, 0) && !is_small(i128::MIN, 0) && !is_small(1, 29) && !is_small(1, -1));
    }
}
