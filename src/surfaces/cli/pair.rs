//! NAME=VALUE, as several commands take it. It must not know what names there are.

use crate::error::{Error, Result};

/// `given`, an argument of `option` (`--where`, or nothing for a plain argument), cut at its first `=`.
///
/// # Errors
/// `Invalid`: no `=`, or no name before it; `hint` says what works.
pub fn pair(option: &str, given: &str, hint: &str) -> Result<(String, String)> {
    let shown = format!("{option} {}", given.trim());
    let wrong = |what: &str| Err(Error::invalid(format!("{}: {what}", shown.trim())).hint(hint));
    match given.split_once('=') {
        None => wrong("no ="),
        Some((name, _)) if name.trim().is_empty() => wrong("no name before the ="),
        Some((name, value)) => Ok((name.trim().to_string(), value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_a_name_and_a_value_may_have_an_equals_sign() {
        assert_eq!(pair("--where", "channel=web,a=b", "").unwrap(), ("channel".into(), "web,a=b".into()));
        assert_eq!(pair("", "channel =", "").unwrap(), ("channel".into(), String::new()));
    }

    #[test]
    fn what_is_no_pair_is_told_with_what_works() {
        for (option, given, expected) in [
            ("--where", "=x", "--where =x: no name before the ="),
            ("--where", " =x", "--where =x: no name before the ="),
            ("--where", "channel", "--where channel: no ="),
            ("", "month", "month: no ="),
        ] {
            let error = pair(option, given, "write a=b").unwrap_err();
            assert_eq!((error.message(), error.hint_text()), (expected, Some("write a=b")));
        }
    }
}
