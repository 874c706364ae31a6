//! How a column writes numbers, and SQL that turns them into what a decimal is. What is not written like that is left for
//! the quarantine rather than misread.

use super::expressions::literal;
use super::money;
use crate::ingest::numeral::{Numeral, around, is_sign};

/// How a column writes numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    numeral: Numeral,
    /// 1.234,5 or 1234,5
    pub decimal_comma: bool,
    /// The sign or word of the currency beside the digits.
    pub money: Option<String>,
    pub percent: bool,
    /// A number such as 1,234 could be read with the other decimal sign as well.
    pub doubt: Option<String>,
    /// There are digits only: how decimals would be written is known from other columns, if at all.
    pub digits_only: bool,
    /// The currency stands before the digits.
    before: bool,
}

/// Signs of thousands and of decimals, the likeliest first. A blank stands for every kind of blank.
const STYLES: &[(Option<char>, char)] =
    &[(None, '.'), (Some(','), '.'), (Some('.'), ','), (Some(' '), '.'), (Some(' '), ','), (Some('\''), '.')];

/// One value, taken apart.
struct Parts<'v> {
    digits: &'v str,
    money: Option<&'v str>,
    percent: Option<char>,
    /// The money stands before the digits.
    before: bool,
}

/// The way of writing numbers that fits the values (at least four of five). `decimal`: the sign that other columns of the
/// file have, which decides where both would do.
pub(super) fn number(values: &[&str], decimal: Option<char>) -> Option<Number> {
    let parts: Vec<Parts<'_>> = values.iter().filter_map(|v| take_apart(v)).collect();
    let money = common(parts.iter().filter_map(|p| p.money));
    let alike: Vec<&Parts<'_>> = parts.iter().filter(|p| p.money.is_none() || p.money == money).collect();
    let count = |style: &(Option<char>, char)| alike.iter().filter(|p| fits(p.digits, style)).count();
    let enough = |n: usize| n > 0 && n * 5 >= values.len() * 4;
    // A group never begins with 0: in "0,750" the comma is of decimals, whatever other columns have.
    let zero = |p: &&Parts<'_>, group| p.digits.strip_prefix('0').is_some_and(|d| d.starts_with(|c| is_sign(c, group)));
    let refuted = |s: &&(Option<char>, char)| s.0.is_some_and(|group| alike.iter().any(|p| zero(p, group)));
    let told: Vec<_> = STYLES.iter().filter(|s| decimal == Some(s.1) && enough(count(s)) && !refuted(s)).collect();
    let (told, styles) = if told.is_empty() { (false, STYLES.iter().collect()) } else { (true, told) };
    // The first of the best: `max_by_key` gives the last of equals.
    let best = styles.into_iter().rev().max_by_key(|s| count(s))?;
    if !enough(count(best)) {
        return None;
    }
    let marked = |p: &&&Parts<'_>| p.digits.contains(['.', ',']);
    let rival = STYLES.iter().any(|s| s.1 != best.1 && count(s) == count(best));
    let doubt = if told || !rival { None } else { alike.iter().find(marked).map(|p| p.digits.to_string()) };
    // The others are not taken as examples of how numbers are written.
    let fitting: Vec<&Parts<'_>> = alike.into_iter().filter(|p| fits(p.digits, best)).collect();
    // Only the groups that were seen are read.
    let group = best.0.filter(|g| fitting.iter().any(|p| p.digits.contains(|c| is_sign(c, *g))));
    let percents = fitting.iter().filter(|p| p.percent.is_some()).count();
    let percent = fitting.iter().find_map(|p| p.percent).filter(|_| money.is_none());
    Some(Number {
        numeral: Numeral { group, decimal: best.1, mark: money.map(str::to_string).or(percent.map(String::from)) },
        decimal_comma: best.1 == ',' && fitting.iter().any(|p| p.digits.contains(',')),
        money: money.map(str::to_string),
        percent: percents * 2 >= fitting.len() && percents > 0,
        doubt,
        digits_only: money.is_none() && percent.is_none() && fitting.iter().all(|p| !p.digits.contains(not_digit)),
        before: fitting.iter().find(|p| p.money.is_some()).is_some_and(|p| p.before),
    })
}

/// The decimal sign that columns of numbers have which leave no doubt, if they agree.
pub(super) fn decimal_sign<'a>(columns: impl Iterator<Item = Vec<&'a str>>) -> Option<char> {
    let signs: Vec<char> = columns
        .filter_map(|values| {
            let found = number(&values, None).filter(|n| n.doubt.is_none())?;
            let sign = if found.decimal_comma { ',' } else { '.' };
            values.iter().any(|v| v.contains(['.', ','])).then_some(sign)
        })
        .collect();
    let first = *signs.first()?;
    signs.iter().all(|s| *s == first).then_some(first)
}

impl Number {
    /// SQL that turns the text `sql` into digits with a point.
    pub(super) fn text(&self, sql: &str) -> String {
        if self.is_plain() { sql.to_string() } else { format!("number_of({sql}, {})", literal(&self.example())) }
    }

    /// A cast reads it as it is, and nothing else.
    fn is_plain(&self) -> bool {
        self.numeral == Numeral { group: None, decimal: '.', mark: None }
    }

    /// 1234.50, as the column would write it.
    pub(super) fn example(&self) -> String {
        let Numeral { group, decimal, mark } = &self.numeral;
        let group = group.map(String::from).unwrap_or_default();
        let digits = format!("1{group}234{decimal}50");
        match mark.as_deref() {
            None => digits,
            Some(sign) if self.money.is_none() => format!("{digits}{sign}"),
            Some(word) if self.before && word.chars().count() > 1 => format!("{word} {digits}"),
            Some(sign) if self.before => format!("{sign}{digits}"),
            Some(sign) => format!("{digits} {sign}"),
        }
    }

    /// How the numbers are read, for people; `None` = as they are.
    pub(super) fn says(&self) -> Option<String> {
        if self.is_plain() || self.digits_only {
            return None;
        }
        let comma = if self.decimal_comma { ", with a decimal comma" } else { "" };
        Some(format!("numbers are read as written like {}{comma}", self.example()))
    }

    /// About what number a text is: enough to guess by, never to count with.
    pub(super) fn value(&self, text: &str) -> Option<f64> {
        self.numeral.read(text)?.parse().ok()
    }
}

fn take_apart(value: &str) -> Option<Parts<'_>> {
    let value = value.trim();
    let (before, digits, after) = around(value)?;
    let start = if before.ends_with(['.', ',']) { before.len() - 1 } else { before.len() };
    let digits = &value[start..before.len() + digits.len()];
    let before = value[..start].trim();
    let before = before.strip_prefix('-').or_else(|| before.strip_suffix('-')).unwrap_or(before).trim();
    match (before, after.trim()) {
        ("", "") => Some(Parts { digits, money: None, percent: None, before: false }),
        ("", sign @ ("%" | "％")) => Some(Parts { digits, money: None, percent: sign.chars().next(), before: false }),
        (sign, "") | ("", sign) if money::of_sign(sign).is_some() => {
            Some(Parts { digits, money: Some(sign), percent: None, before: !before.is_empty() })
        }
        _ => None,
    }
}

fn common<'v>(signs: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    let signs: Vec<&str> = signs.collect();
    signs.iter().max_by_key(|s| signs.iter().filter(|t| t == s).count()).copied()
}

fn not_digit(c: char) -> bool {
    !c.is_ascii_digit()
}

fn fits(digits: &str, style: &(Option<char>, char)) -> bool {
    Numeral { group: style.0, decimal: style.1, mark: None }.read(digits).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(values: &[&str]) -> Option<String> {
        number(values, None).map(|n| n.text("x"))
    }

    #[test]
    fn only_what_was_seen_is_read() {
        for (values, sql) in [
            (&["1", "-2.50"][..], "x"),
            (&["1,250.00", "3"], "number_of(x, '1,234.50')"),
            (&["2,50", "1250,00"], "number_of(x, '1234,50')"),
            (&["2,50", "1.250,00"], "number_of(x, '1.234,50')"),
            (&["£3", "-£1,234.50"], "number_of(x, '£1,234.50')"),
            (&["3,00 €", "1.234,50 €"], "number_of(x, '1.234,50 €')"),
            (&["3,00\u{a0}€"], "number_of(x, '1234,50 €')"),
            (&["1 234,50", "1\u{202f}234,50"], "number_of(x, '1 234,50')"),
            (&["1'234.50"], "number_of(x, '1''234.50')"),
            (&["1’234.50"], "number_of(x, '1''234.50')"),
            (&["12,34,567.00"], "number_of(x, '1,234.50')"),
            (&["EUR 3.50"], "number_of(x, 'EUR 1234.50')"),
            (&["￥3.50"], "number_of(x, '￥1234.50')"),
            // One that does not fit shows nothing about the others.
            (&["1", "2.50", "3.50", "4", "1,5"], "x"),
            (&["1,234.50", "2.50", "3.50", "4.50", "9,99"], "number_of(x, '1,234.50')"),
            (&["2,50", "3,50", "4,50", "5,50", "9.99"], "number_of(x, '1234,50')"),
            (&[".5"], "x"),
            // Thousands of them, were the comma or the point of groups.
            (&["0,750", "1,250", "2,500"], "number_of(x, '1234,50')"),
            (&["-0,750", "1,250"], "number_of(x, '1234,50')"),
            (&["0.750", "1.250", "2.500"], "x"),
            (&["0,750 €", "1,250 €"], "number_of(x, '1234,50 €')"),
        ] {
            assert_eq!(text(values).as_deref(), Some(sql), "{values:?}");
        }
        for odd in ["", "x", "3 apples", "2026-01-31", "1,2,3", "10:05", "12.-", "A3", "0 750", "0'750"] {
            assert_eq!(text(&[odd]), None, "{odd}");
        }
    }

    #[test]
    fn percents_and_mixed_signs() {
        let vat = number(&["19%", "7 %", "0"], None).expect("numbers");
        assert_eq!((vat.percent, vat.text("x")), (true, "number_of(x, '1234.50%')".into()));
        let mixed = number(&["€1", "€2", "€3", "€4", "£5"], None).expect("four of five are alike");
        assert_eq!((mixed.money.as_deref(), mixed.text("x")), (Some("€"), "number_of(x, '€1234.50')".into()));
        assert_eq!(number(&["€1", "£5"], None), None);
    }

    #[test]
    fn other_columns_settle_what_one_leaves_open() {
        let open = number(&["1.234", "2.500"], None).expect("numbers");
        assert_eq!((open.decimal_comma, open.doubt.as_deref(), open.text("x")), (false, Some("1.234"), "x".into()));
        let german = number(&["1.234", "2.500"], Some(',')).expect("numbers");
        assert_eq!((german.doubt.as_deref(), german.text("x")), (None, "number_of(x, '1.234,50')".into()));
        assert_eq!(
            decimal_sign([vec!["1.234"], vec!["2", "3"], vec!["0,5", "x1"], vec!["9,99 €"]].into_iter()),
            Some(',')
        );
        assert_eq!(decimal_sign([vec!["9,99"], vec!["9.99"]].into_iter()), None);
        assert_eq!(decimal_sign([vec!["1,234"], vec!["5"]].into_iter()), None);
        assert_eq!(decimal_sign([vec!["0,750", "1,250"], vec!["5"]].into_iter()), Some(','));
    }

    #[test]
    fn v01_a_leading_zero_shows_decimals_whatever_other_columns_have() {
        let weights = ["0,750", "1,250", "2,500", "3,125", "4,000"];
        let read = number(&weights, Some('.')).expect("numbers");
        assert_eq!((read.decimal_comma, read.doubt.as_deref()), (true, None));
        assert_eq!((read.value("0,750"), read.value("1,250")), (Some(0.75), Some(1.25)));
        let points = weights.map(|w| w.replace(',', "."));
        let read = number(&points.each_ref().map(String::as_str), Some(',')).expect("numbers");
        assert_eq!((read.text("x"), read.value("1.250")), ("x".into(), Some(1.25)));
        // One slip of the finger changes nothing where the others leave no doubt.
        let slip = number(&["1.234,50", "2,50", "3,50", "4,50", "0.750"], Some(',')).expect("four of five");
        assert_eq!((slip.text("x"), slip.value("0.750")), ("number_of(x, '1.234,50')".into(), None));
    }
}
