//! Which currency amounts are in: by the signs beside them and the words in their columns' names. It must not convert.

use super::sniff::Sample;
use crate::model::currency::is_currency;

/// Signs and words beside amounts, and the currencies that use them, the likeliest first.
const SIGNS: &[(&str, &[&str])] = &[
    ("€", &["EUR"]),
    ("£", &["GBP"]),
    ("$", &["USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN"]),
    ("US$", &["USD"]),
    ("R$", &["BRL"]),
    ("¥", &["CNY", "JPY"]),
    ("￥", &["CNY", "JPY"]),
    ("元", &["CNY", "TWD"]),
    ("円", &["JPY"]),
    ("RMB", &["CNY"]),
    ("₹", &["INR"]),
    ("₩", &["KRW"]),
    ("₽", &["RUB"]),
    ("₺", &["TRY"]),
    ("₫", &["VND"]),
    ("฿", &["THB"]),
    ("₪", &["ILS"]),
    ("₴", &["UAH"]),
    ("zł", &["PLN"]),
    ("Kč", &["CZK"]),
    ("kr", &["SEK", "NOK", "DKK", "ISK"]),
    ("Fr.", &["CHF"]),
];

/// Codes that a column's name may end with; others are words as well (`ALL`, `TOP`, `TRY`).
const CODES: &[&str] = &[
    "EUR", "USD", "GBP", "CNY", "JPY", "CHF", "CAD", "AUD", "NZD", "INR", "SEK", "NOK", "DKK", "PLN", "CZK", "HKD",
    "SGD", "KRW", "BRL", "MXN", "TWD",
];

/// The currencies that a sign or code beside an amount can be.
pub(super) fn of_sign(sign: &str) -> Option<Vec<&str>> {
    match SIGNS.iter().find(|(s, _)| *s == sign) {
        Some((_, codes)) => Some(codes.to_vec()),
        None => (sign.len() == 3 && is_currency(sign)).then(|| vec![sign]),
    }
}

/// The currency that a word of a column's name is.
pub(super) fn of_word(word: &str) -> Option<Vec<&'static str>> {
    let upper = word.to_uppercase();
    let code = CODES.iter().find(|c| **c == upper).map(|c| vec![*c]);
    code.or_else(|| SIGNS.iter().find(|(s, _)| *s == word || s.to_uppercase() == upper).map(|(_, c)| c.to_vec()))
}

/// A currency and where it is from, for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub code: String,
    pub from: String,
    /// Others that the same sign can mean.
    pub rivals: Vec<String>,
}

/// The currency of the amounts in `columns`, as far as they show it. Where a sign is shared, the lake's own comes first.
pub(super) fn currency(columns: &[(&Sample, Option<&str>)], lake: &str) -> Option<Found> {
    let by_sign = columns.iter().find_map(|(column, sign)| {
        let sign = (*sign)?;
        found(&of_sign(sign)?, lake, format!("the {sign} in \"{}\"", column.name))
    });
    by_sign.or_else(|| {
        columns.iter().find_map(|(column, _)| {
            let mut words = column.name.split(|c: char| !(c.is_alphanumeric() || "$€£¥￥".contains(c)));
            let word = words.rfind(|w| of_word(w).is_some())?;
            found(&of_word(word)?, lake, format!("the name \"{}\"", column.name))
        })
    })
}

fn found(codes: &[&str], lake: &str, from: String) -> Option<Found> {
    let code = if codes.contains(&lake) { lake } else { codes.first().copied()? };
    let rivals = codes.iter().filter(|c| **c != code && code != lake).map(|c| c.to_string()).collect();
    Some(Found { code: code.to_string(), from, rivals })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str, sign: Option<&str>, lake: &str) -> Option<String> {
        let column = Sample { name: name.into(), sql: String::new(), cells: Vec::new(), in_lines: false };
        currency(&[(&column, sign)], lake).map(|f| f.code)
    }

    #[test]
    fn signs_and_names_tell_the_currency() {
        assert_eq!(code("Price", Some("€"), "GBP").as_deref(), Some("EUR"));
        assert_eq!(code("Price", Some("$"), "CAD").as_deref(), Some("CAD"));
        assert_eq!(code("Price", Some("$"), "EUR").as_deref(), Some("USD"));
        assert_eq!(code("Price", Some("SEK"), "EUR").as_deref(), Some("SEK"));
        assert_eq!(code("Price (GBP)", None, "EUR").as_deref(), Some("GBP"));
        assert_eq!(code("单价(元)", None, "EUR").as_deref(), Some("CNY"));
        assert_eq!(code("price_usd", None, "EUR").as_deref(), Some("USD"));
        assert_eq!(code("Price all", None, "EUR"), None);
        assert_eq!(code("Price", None, "EUR"), None);
    }
}
