//! Query strings: every parameter once, in UTF-8. It must not know which parameters a report has.

use crate::error::{Error, Result, did_you_mean};

/// The pairs of a query string, decoded. A name that comes twice is an error: taking either would ignore the other.
pub fn pairs(query: Option<&str>) -> Result<Vec<(String, String)>> {
    pairs_and_lists(query, |_| false)
}

/// The same, but the values of a name that `is_list` are joined by commas: many clients write `a=1&a=2` for `a=1,2`.
pub fn pairs_and_lists(query: Option<&str>, is_list: impl Fn(&str) -> bool) -> Result<Vec<(String, String)>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name.contains(char::REPLACEMENT_CHARACTER) || value.contains(char::REPLACEMENT_CHARACTER) {
            return Err(
                Error::invalid(format!("parameter '{name}' is not UTF-8 text")).hint("percent-encode it as UTF-8")
            );
        }
        if name.is_empty() {
            return Err(
                Error::invalid(format!("a parameter without a name (value '{value}')")).hint("write name=value")
            );
        }
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            None => pairs.push((name.into_owned(), value.into_owned())),
            Some((_, values)) if is_list(&name) => {
                values.push(',');
                values.push_str(&value);
            }
            Some(_) => {
                return Err(Error::invalid(format!("parameter '{name}' is given twice"))
                    .hint(format!("give it once; lists are separated by commas: {name}=a,b")));
            }
        }
    }
    Ok(pairs)
}

/// Takes the parameter called `name` out of `pairs`.
pub fn take(pairs: &mut Vec<(String, String)>, name: &str) -> Option<String> {
    let at = pairs.iter().position(|(known, _)| known == name)?;
    Some(pairs.remove(at).1)
}

/// For routes whose parameters are all in `known`: any other is an error that names it.
pub fn nothing_but(pairs: &[(String, String)], known: &[&str]) -> Result<()> {
    match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) if known.is_empty() => {
            Err(Error::invalid(format!("unknown parameter '{name}'")).hint("this route has no parameters"))
        }
        Some((name, _)) => {
            Err(Error::invalid(format!("unknown parameter '{name}'")).hint(did_you_mean(name, known.iter().copied())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded_in_order() {
        let pairs = pairs(Some("from=2026-01-01&where.channel=web%2Capp&q=%E5%8D%8E%E4%B8%9C+x")).unwrap();
        let expected = [("from", "2026-01-01"), ("where.channel", "web,app"), ("q", "华东 x")];
        assert_eq!(pairs, expected.map(|(a, b)| (a.to_string(), b.to_string())));
        assert_eq!(super::pairs(None).unwrap(), []);
    }

    #[test]
    fn lists_come_between_commas_or_repeated() {
        let pairs =
            pairs_and_lists(Some("where.channel=web&limit=1&where.channel=app,pos"), |n| n.starts_with("where."));
        let expected = [("where.channel", "web,app,pos"), ("limit", "1")];
        assert_eq!(pairs.unwrap(), expected.map(|(a, b)| (a.to_string(), b.to_string())));
        assert!(pairs_and_lists(Some("limit=1&limit=2"), |n| n.starts_with("where.")).is_err());
    }

    #[test]
    fn duplicates_and_bad_encodings_are_named() {
        assert!(pairs(Some("a=1&b=2&a=1")).unwrap_err().to_string().contains("'a'"));
        assert!(pairs(Some("a=%ff")).unwrap_err().to_string().contains("'a'"));
        assert!(pairs(Some("=x")).is_err());
        let unknown = nothing_but(&[("fromat".into(), String::new())], &["format"]).unwrap_err();
        assert!(unknown.to_string().contains("fromat") && unknown.hint_text().unwrap().contains("format"));
    }
}
