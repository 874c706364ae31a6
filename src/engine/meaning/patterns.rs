//! SQL's patterns for dates, `YYYY-MM-DD`, as those that DataFusion takes, `%Y-%m-%d`. A pattern that is neither would be copied into
//! the answer as it is, for every row.

use datafusion::sql::sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, FunctionArguments, Value};

use crate::engine::options::Dialect;
use crate::error::{Error, Result};

/// Functions whose second argument is a pattern: whether it is for writing.
const WITH_PATTERN: [(&str, bool); 3] = [("to_char", true), ("to_date", false), ("to_timestamp", false)];

/// A part of a pattern.
struct Part {
    spelled: &'static [&'static str],
    /// Spellings for reading, which looks at no case; written, the name would come out in other letters than those asked for.
    read_only: &'static [&'static str],
    /// What DataFusion calls it, if it has it.
    plain: Option<&'static str>,
    /// Likewise without zeros in front (`FM`), where there may be some.
    bare: Option<&'static str>,
}

const fn part(
    spelled: &'static [&'static str],
    read_only: &'static [&'static str],
    plain: &'static str,
    bare: Option<&'static str>,
) -> Part {
    Part { spelled, read_only, plain: Some(plain), bare }
}

const PARTS: [Part; 20] = [
    part(&["YYYY", "yyyy"], &[], "%Y", None),
    part(&["YY"], &[], "%y", None),
    part(&["IYYY", "iyyy"], &[], "%G", None),
    part(&["IW"], &[], "%V", Some("%-V")),
    part(&["Q"], &[], "%q", Some("%q")),
    part(&["MM", "mm"], &[], "%m", Some("%-m")),
    part(&["Month"], &["MONTH", "month"], "%B", Some("%B")),
    part(&["Mon"], &["MON", "mon"], "%b", Some("%b")),
    part(&["DDD"], &[], "%j", Some("%-j")),
    part(&["DD", "dd"], &[], "%d", Some("%-d")),
    part(&["Day"], &["DAY", "day"], "%A", Some("%A")),
    part(&["Dy"], &["DY"], "%a", Some("%a")),
    part(&["HH24", "hh24"], &[], "%H", Some("%-H")),
    part(&["HH12", "hh12", "HH"], &[], "%I", Some("%-I")),
    part(&["MI", "mi"], &[], "%M", Some("%-M")),
    part(&["SS", "ss"], &[], "%S", Some("%-S")),
    part(&["MS"], &[], "%3f", None),
    part(&["US"], &[], "%6f", None),
    part(&["AM", "PM"], &["am", "pm"], "%p", None),
    Part { spelled: &["SSSS"], read_only: &[], plain: None, bare: None },
];

/// Translates the pattern of `expr`, where it is a call that has one.
///
/// # Errors
/// `Invalid`: a pattern that is not known; in PostgreSQL's dialect, one that is not written as a text.
pub fn translate(expr: &mut Expr, dialect: Dialect) -> Result<()> {
    let Expr::Function(function) = expr else { return Ok(()) };
    let name = function.name.0.last().and_then(|part| part.as_ident()).map(|i| i.value.to_ascii_lowercase());
    let known = WITH_PATTERN.iter().find(|(known, _)| name.as_deref() == Some(known));
    let (Some((name, writes)), FunctionArguments::List(list)) = (known, &mut function.args) else { return Ok(()) };
    let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern))] = list.args.as_mut_slice() else { return Ok(()) };
    let written = match pattern {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Some(text.clone()),
            Value::DollarQuotedString(text) => Some(text.value.clone()),
            _ => None,
        },
        _ => None,
    };
    match written {
        Some(text) => {
            let ours = format(&text, *writes).ok_or_else(|| unknown(name, &text))?;
            *pattern = Expr::Value(Value::SingleQuotedString(ours).into());
            Ok(())
        }
        // Whoever writes DataFusion's patterns may have them anywhere.
        None if dialect == Dialect::Own => Ok(()),
        None => Err(Error::invalid(format!("the pattern of {name} is {pattern}, and no text"))
            .hint(format!("write it as a text: {name}(…, 'YYYY-MM')"))),
    }
}

fn unknown(function: &str, pattern: &str) -> Error {
    Error::invalid(format!("the pattern '{pattern}' of {function} has parts that are not known here")).hint(
        "known are YYYY YY IYYY Q MM Mon Month DD DDD Dy Day IW HH24 HH12 MI SS MS US AM, FM before numbers, \
         and \"text\" in double quotes; or those with %, as in '%Y-%m-%d'; upper(…) makes capitals",
    )
}

/// `pattern` for DataFusion: to write with, or to read. What it has already, or what has no letters, stays.
fn format(pattern: &str, writes: bool) -> Option<String> {
    if pattern.contains('%') {
        return Some(pattern.into());
    }
    let (mut made, mut rest, mut bare) = (String::new(), pattern, false);
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("FM") {
            (rest, bare) = (after, true);
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = quoted.split_once('"')?;
            made.push_str(text);
            rest = after;
        } else if let Some((spelled, part)) = begins(rest) {
            let here = if std::mem::take(&mut bare) { part.bare } else { part.plain };
            made.push_str(here.filter(|_| !writes || part.spelled.contains(&spelled))?);
            rest = &rest[spelled.len()..];
        } else if first.is_alphanumeric() && !(first == 'T' && begins(&rest[1..]).is_some()) {
            return None;
        } else {
            made.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Some(made)
}

/// The longest part that `text` begins with, as it is spelled there.
fn begins(text: &str) -> Option<(&'static str, &'static Part)> {
    let spellings = PARTS.iter().flat_map(|part| part.spelled.iter().chain(part.read_only).map(move |s| (*s, part)));
    spellings.filter(|(spelled, _)| text.starts_with(spelled)).max_by_key(|(spelled, _)| spelled.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::planner::parse;

    #[test]
    fn patterns_of_dates() {
        let writes = |pattern: &str| format(pattern, true);
        for (pattern, ours) in [
            ("YYYY-MM-DD HH24:MI:SS", "%Y-%m-%d %H:%M:%S"),
            ("FMMonth \"of\" YYYY", "%B of %Y"),
            ("IYYY-\"W\"IW", "%G-W%V"),
            ("YYYY-\"Q\"Q", "%Y-Q%q"),
            ("FMDD.FMMM.YYYY", "%-d.%-m.%Y"),
            ("YYYY-MM-DDTHH24:MI", "%Y-%m-%dT%H:%M"),
            ("HH12:MI PM", "%I:%M %p"),
            ("%Y", "%Y"),
        ] {
            assert_eq!(writes(pattern).as_deref(), Some(ours), "{pattern}");
        }
        for left in ["W", "D", "999D99", "SSSS", "MONTH", "am", "DDth", "Y,YYY", "TZ", "HH24h", "FMYYYY"] {
            assert_eq!(writes(left), None, "{left}");
        }
        assert_eq!(format("DD-MON-YYYY", false).as_deref(), Some("%d-%b-%Y"), "case does not matter in reading");
    }

    #[test]
    fn patterns_mean_the_same_everywhere() {
        let sql = parse("SELECT to_char(d, 'YYYY-MM'), to_char(d, $1) FROM a").unwrap().statement.to_string();
        assert!(sql.contains("'%Y-%m'") && sql.contains("$1"), "{sql}");
        let error = parse("SELECT to_char(d, 'WW') FROM a").unwrap_err();
        assert!(error.message().contains("'WW' of to_char") && error.hint_text().unwrap().contains("IW"), "{error}");
    }
}
