//! How single values look in a table: thousands separated, decimals of one column aligned, nothing that could steer a
//! terminal. It must not round decimals; only floats (ratios) are shortened.

use arrow::datatypes::DataType;

/// NULL.
pub(super) const NONE: &str = "–";
/// Longer texts are cut in a table, with … at the end.
const LONGEST: usize = 200;
/// Decimals that a quantity's type has.
const QUANTITY_SCALE: usize = 3;
/// Decimals of a float.
const FLOAT_DIGITS: usize = 4;

/// What a column holds, as far as a reader sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    /// Integers, thousands separated.
    Count,
    /// Integers that are names: years, ids, numbers of something.
    Label,
    Decimal,
    Float,
}

impl Shape {
    pub fn of(name: &str, data_type: &DataType) -> Shape {
        match data_type {
            DataType::Dictionary(_, value) => Shape::of(name, value),
            t if t.is_integer() && is_label(name) => Shape::Label,
            t if t.is_integer() => Shape::Count,
            t if t.is_decimal() => Shape::Decimal,
            t if t.is_floating() => Shape::Float,
            _ => Shape::Text,
        }
    }

    pub fn is_number(self) -> bool {
        self != Shape::Text
    }

    /// The cells of one column.
    pub fn format(self, values: &[Option<&str>]) -> Vec<String> {
        let places = if self == Shape::Decimal { decimal_places(values) } else { 0 };
        let cell = |value: &Option<&str>| match value {
            None => NONE.to_string(),
            Some(text) => match self {
                Shape::Text => printable(text),
                Shape::Label => (*text).to_string(),
                Shape::Count => grouped(text),
                Shape::Decimal => decimal(text, places),
                Shape::Float => float(text),
            },
        };
        values.iter().map(cell).collect()
    }
}

/// Integers that nobody adds up.
fn is_label(name: &str) -> bool {
    let ends = |what: &str| name == what || name.ends_with(&format!("_{what}"));
    ["year", "id", "no", "number", "line", "version", "key"].into_iter().any(ends)
}

/// The fewest decimals that show every value of the column in full. Money has at least two; a scale of three is that of
/// quantities, which are mostly whole.
fn decimal_places(values: &[Option<&str>]) -> usize {
    let places = |text: &str| {
        let part = text.split_once('.').map_or("", |(_, part)| part);
        let least = if part.len() == QUANTITY_SCALE { 0 } else { part.len().min(2) };
        part.trim_end_matches('0').len().max(least)
    };
    values.iter().flatten().map(|text| places(text)).max().unwrap_or(0)
}

fn decimal(text: &str, places: usize) -> String {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if places == 0 {
        return grouped(whole);
    }
    // `places` covers every digit that is not a trailing zero, so this cuts or adds zeros only.
    format!("{}.{part:0<places$.places$}", grouped(whole))
}

fn float(text: &str) -> String {
    let Ok(value) = text.parse::<f64>() else { return text.to_string() };
    if !value.is_finite() {
        return text.to_string();
    }
    if value != 0.0 && value.abs() < 0.5 * 10f64.powi(-(FLOAT_DIGITS as i32)) {
        return format!("{value:.2e}");
    }
    if value.abs() >= 1e15 {
        return format!("{value:.4e}");
    }
    let fixed = format!("{value:.FLOAT_DIGITS$}");
    decimal(&fixed, FLOAT_DIGITS)
}

/// `-1234567` → `-1,234,567`.
pub(super) fn grouped(integer: &str) -> String {
    let (sign, digits) = integer.strip_prefix('-').map_or(("", integer), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A text that fits a cell: safe, and cut visibly where it is long.
fn printable(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => safe(&text[..end]) + "…",
        None => safe(text),
    }
}

/// Control characters as escapes: a value must not move the cursor or start a line.
pub(super) fn safe(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        // Bidirectional overrides reorder what follows them, so they count as control characters here.
        if c.is_control() || matches!(c, '\u{200E}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_signs_and_zeros() {
        for (given, expected) in
            [("0", "0"), ("999", "999"), ("1000", "1,000"), ("-123456", "-123,456"), ("-1234567", "-1,234,567")]
        {
            assert_eq!(grouped(given), expected);
        }
    }

    #[test]
    fn decimals_of_a_column_share_their_places_and_lose_no_digit() {
        let values = [Some("1234.5000"), None, Some("-0.0310"), Some("7.0000")];
        assert_eq!(Shape::Decimal.format(&values), ["1,234.500", "–", "-0.031", "7.000"]);
        assert_eq!(Shape::Decimal.format(&[Some("10.0000")]), ["10.00"]);
        assert_eq!(Shape::Decimal.format(&[Some("10.5")]), ["10.5"]);
        assert_eq!(Shape::Decimal.format(&[Some("12")]), ["12"]);
        assert_eq!(Shape::Decimal.format(&[Some("5.000"), Some("1200.000")]), ["5", "1,200"], "whole quantities");
        assert_eq!(Shape::Decimal.format(&[Some("5.250"), Some("1200.000")]), ["5.25", "1,200.00"]);
    }

    #[test]
    fn floats_are_short_and_never_a_false_zero() {
        assert_eq!(
            Shape::Float.format(&[Some("0.43124"), Some("1e-7"), Some("-12345.0"), Some("NaN")]),
            ["0.4312", "1.00e-7", "-12,345.0000", "NaN"]
        );
    }

    #[test]
    fn years_and_ids_are_not_quantities() {
        assert_eq!(Shape::of("fiscal_year", &DataType::Int32), Shape::Label);
        assert_eq!(Shape::of("orders", &DataType::Int64), Shape::Count);
    }

    #[test]
    fn values_cannot_steer_the_terminal() {
        assert_eq!(Shape::Text.format(&[Some("a\u{1b}[31m\nb\u{202E}c")]), ["a\\u{1b}[31m\\nb\\u{202e}c"]);
        let long = "x".repeat(300);
        assert_eq!(Shape::Text.format(&[Some(&long)])[0].chars().count(), LONGEST + 1);
    }
}
