//! Values of parameters: from the text of a request or a header's default to a typed value, checked against the header.
//! It must not know the engine's session nor where the text came from.

use chrono::{DateTime, Months, NaiveDate, NaiveTime, Utc};

use super::dates;
use super::header::{Allowed, ParamHeader, ParamKind, text_of};
use crate::engine::Param;
use crate::error::{Error, Result, did_you_mean};

/// The longest period a report takes.
const MOST_YEARS: u32 = 5;
/// The most rows that `limit` may ask for.
pub const MOST_ROWS: u64 = 100_000;

/// The value of parameter `name`: what was given, else the default, else NULL if it may be left out.
///
/// # Errors
/// `Invalid`, naming the parameter, what was given and what works.
pub fn value(name: &str, header: &ParamHeader, given: Option<&str>, today: NaiveDate) -> Result<Param> {
    let default = header.default.as_ref().map(text_of);
    match given.map(str::trim).filter(|text| !text.is_empty()).or(default.as_deref()) {
        Some(text) => parse(header, text, today).map_err(|e| named(name, text, e)),
        None if header.optional => Ok(Param::Null(header.kind.engine())),
        None => {
            let what = if header.about.is_empty() { header.kind.name() } else { header.about.as_str() };
            Err(Error::invalid(format!("parameter {name} has no value")).hint(format!("give {name}: {what}")))
        }
    }
}

fn named(name: &str, text: &str, error: Error) -> Error {
    let hint = error.hint_text().map(String::from);
    let named = Error::invalid(format!("parameter {name} = {text:?}: {}", error.message()));
    match hint {
        Some(hint) => named.hint(hint),
        None => named,
    }
}

fn parse(header: &ParamHeader, text: &str, today: NaiveDate) -> Result<Param> {
    let value = match header.kind {
        ParamKind::Date => Param::Date(dates::resolve(text, today)?),
        ParamKind::Timestamp => Param::Timestamp(instant(text, today)?),
        ParamKind::Int => Param::Int(integer(text)?),
        ParamKind::Decimal => Param::Decimal(decimal(text)?),
        ParamKind::Bool => Param::Bool(boolean(text)?),
        ParamKind::Text => Param::Text(text.to_string()),
        ParamKind::TextList => Param::List(list(text)),
    };
    among(header, &value)?;
    within(header, &value, today)?;
    Ok(value)
}

/// An RFC 3339 instant, or a date: its first moment in UTC.
fn instant(text: &str, today: NaiveDate) -> Result<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(at.with_timezone(&Utc));
    }
    let day = dates::resolve(text, today)
        .map_err(|_| Error::invalid("not an instant").hint(format!("2026-01-31T08:00:00Z, or {}", dates::HINT)))?;
    Ok(day.and_time(NaiveTime::MIN).and_utc())
}

fn integer(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::invalid("not a whole number").hint("digits, such as 10"))
}

fn decimal(text: &str) -> Result<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if all_digits(whole) && all_digits(part) {
        Ok(text.to_string())
    } else {
        Err(Error::invalid("not a decimal number").hint("digits, such as 1234.50"))
    }
}

/// `true` or `false`, also as 1/0 and yes/no.
pub fn boolean(text: &str) -> Result<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(Error::invalid("neither true nor false").hint("true or false")),
    }
}

/// Values between commas, surrounding blanks cut; `\,` is a comma inside a value.
pub fn list(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&',') => {
                letters.next();
                push(&mut items, ',');
            }
            ',' => items.push(String::new()),
            other => push(&mut items, other),
        }
    }
    items.iter().map(|item| item.trim().to_string()).filter(|item| !item.is_empty()).collect()
}

fn push(items: &mut [String], letter: char) {
    if let Some(last) = items.last_mut() {
        last.push(letter);
    }
}

/// The value is one of the header's list. (Those of a query are checked when they have been read.)
fn among(header: &ParamHeader, value: &Param) -> Result<()> {
    match &header.values {
        Some(Allowed::List(allowed)) => one_of(value, allowed),
        _ => Ok(()),
    }
}

/// Every text of `value` is in `allowed`.
pub fn one_of(value: &Param, allowed: &[String]) -> Result<()> {
    let given = match value {
        Param::Null(_) => return Ok(()),
        Param::List(items) => items.clone(),
        other => vec![shown(other)],
    };
    match given.iter().find(|item| !allowed.contains(item)) {
        None => Ok(()),
        Some(item) => {
            let hint = if allowed.is_empty() {
                "it has no values yet".into()
            } else {
                did_you_mean(item, allowed.iter().map(String::as_str))
            };
            Err(Error::invalid(format!("{item:?} is not among its values")).hint(hint))
        }
    }
}

fn within(header: &ParamHeader, value: &Param, today: NaiveDate) -> Result<()> {
    let bounds = [(&header.min, true), (&header.max, false)];
    for (bound, least) in bounds {
        let Some(bound) = bound.as_ref().map(text_of) else { continue };
        let inside = match value {
            Param::Int(given) => integer(&bound).map(|b| if least { *given >= b } else { *given <= b })?,
            Param::Date(given) => {
                dates::resolve(&bound, today).map(|b| if least { *given >= b } else { *given <= b })?
            }
            Param::Timestamp(given) => instant(&bound, today).map(|b| if least { *given >= b } else { *given <= b })?,
            Param::Decimal(given) => match (given.parse::<f64>(), bound.parse::<f64>()) {
                (Ok(given), Ok(bound)) => {
                    if least {
                        given >= bound
                    } else {
                        given <= bound
                    }
                }
                _ => return Err(Error::invalid(format!("the bound {bound:?} is not a number"))),
            },
            _ => true,
        };
        if !inside {
            let side = if least { "at least" } else { "at most" };
            return Err(Error::invalid("out of range").hint(format!("{side} {bound}")));
        }
    }
    Ok(())
}

/// A period is not empty, not turned round and not longer than five years, so that a day grain stays below 5 000 buckets.
pub fn period(from: (&str, &Param), to: (&str, &Param)) -> Result<()> {
    let (Param::Date(first), Param::Date(end)) = (from.1, to.1) else { return Ok(()) };
    let shown = format!("{} = {first}, {} = {end}", from.0, to.0);
    if first >= end {
        let hint = format!("{} is the first day, {} the first day that is not included", from.0, to.0);
        return Err(Error::invalid(format!("{shown}: the period holds no day")).hint(hint));
    }
    let longest = first.checked_add_months(Months::new(12 * MOST_YEARS));
    if longest.is_some_and(|longest| *end > longest) {
        return Err(Error::invalid(format!("{shown}: longer than {MOST_YEARS} years")).hint("ask for several periods"));
    }
    Ok(())
}

/// A value as text: what a request would say, dates resolved.
pub fn shown(value: &Param) -> String {
    match value {
        Param::Null(_) => String::new(),
        Param::Date(date) => date.to_string(),
        Param::Timestamp(at) => at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        Param::Int(number) => number.to_string(),
        Param::Decimal(text) | Param::Text(text) => text.clone(),
        Param::Bool(flag) => flag.to_string(),
        Param::List(items) => items.iter().map(|i| i.replace(',', "\\,")).collect::<Vec<_>>().join(","),
        // Requests are texts: no report is asked with one.
        Param::Value(value) => format!("{value:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ParamType;

    fn header(toml: &str) -> ParamHeader {
        toml::from_str(toml).unwrap()
    }
    fn d(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }
    fn get(toml: &str, given: Option<&str>) -> Result<Param> {
        value("p", &header(toml), given, d("2026-03-31"))
    }
    fn hint(toml: &str, given: Option<&str>) -> String {
        let error = get(toml, given).unwrap_err();
        assert!(error.message().starts_with("parameter p"), "{error}");
        error.hint_text().unwrap().to_string()
    }

    #[test]
    fn every_type_parses() {
        assert_eq!(get("type='date'", Some("2026-01")).unwrap(), Param::Date(d("2026-01-01")));
        assert_eq!(get("type='date'\ndefault='yesterday'", None).unwrap(), Param::Date(d("2026-03-30")));
        assert_eq!(get("type='date'\ndefault='yesterday'", Some(" ")).unwrap(), Param::Date(d("2026-03-30")));
        assert_eq!(shown(&get("type='timestamp'", Some("2026-01-01T01:00:00+02:00")).unwrap()), "2025-12-31T23:00:00Z");
        assert_eq!(shown(&get("type='timestamp'", Some("today")).unwrap()), "2026-03-31T00:00:00Z");
        assert_eq!(get("type='int'\ndefault=7", None).unwrap(), Param::Int(7));
        assert_eq!(get("type='decimal'", Some("-1.50")).unwrap(), Param::Decimal("-1.50".into()));
        assert_eq!(get("type='bool'", Some("Yes")).unwrap(), Param::Bool(true));
        assert_eq!(get("type='text'", Some("a, b")).unwrap(), Param::Text("a, b".into()));
        assert_eq!(get("type='list<text>'", Some("a, b\\,c,")).unwrap(), Param::List(vec!["a".into(), "b,c".into()]));
        assert_eq!(get("type='text'\noptional=true", None).unwrap(), Param::Null(ParamType::Text));
    }

    #[test]
    fn errors_name_the_parameter_the_value_and_what_works() {
        assert_eq!(hint("type='date'", Some("tody")), dates::HINT);
        assert_eq!(hint("type='int'", Some("1.5")), "digits, such as 10");
        assert_eq!(hint("type='int'\nmin=1\nmax=9", Some("10")), "at most 9");
        assert_eq!(hint("type='date'\nmin='2000-01-01'", Some("1999-12-31")), "at least 2000-01-01");
        assert_eq!(hint("type='decimal'\nmax=1", Some("1.01")), "at most 1");
        assert_eq!(hint("type='decimal'", Some("1e3")), "digits, such as 1234.50");
        assert_eq!(hint("type='bool'", Some("maybe")), "true or false");
        assert_eq!(hint("type='text'\nvalues=['month','week']", Some("moth")), "did you mean month?");
        assert_eq!(hint("type='list<text>'\nvalues=['a','b']", Some("a,c")), "known: a, b");
        assert_eq!(hint("type='text'\nabout='Whose.'", None), "give p: Whose.");
        let error = get("type='text'\nvalues=['month']", Some("x")).unwrap_err();
        assert_eq!(error.message(), "parameter p = \"x\": \"x\" is not among its values");
    }

    #[test]
    fn periods_hold_days_and_end() {
        let at = |text: &str| Param::Date(d(text));
        assert!(period(("from", &at("2026-01-01")), ("to", &at("2026-01-02"))).is_ok());
        assert!(
            period(("from", &at("2026-01-01")), ("to", &at("2026-01-01"))).unwrap_err().message().contains("no day")
        );
        assert!(period(("from", &at("2021-01-01")), ("to", &at("2026-01-01"))).is_ok());
        assert!(
            period(("from", &at("2021-01-01")), ("to", &at("2026-01-02"))).unwrap_err().message().contains("5 years")
        );
        assert!(period(("from", &Param::Null(ParamType::Date)), ("to", &at("2026-01-02"))).is_ok());
    }
}
