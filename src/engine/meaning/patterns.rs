//! SQL's patterns for dates, `YYYY-MM-DD`, as those that DataFusion takes, `%Y-%m-%d`. A pattern that is neither would be copied into
//! the answer as it is, for every row.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Statement, Value, VisitMut, VisitorMut,
};

use crate::engine::options::Dialect;
use crate::error::{Error, Result};

/// Functions whose second argument is a pattern: whether it is for writing.
const WITH_PATTERN: [(&str, bool); 3] = [("to_char", true), ("to_date", false), ("to_timestamp", false)];

/// Longer patterns before those that they begin with; the last is without zeros in front (`FM`), where there may be some. No
/// pattern: DataFusion has none.
const PATTERNS: [(&str, Option<&str>, Option<&str>); 27] = [
    ("SSSS", None, None),
    ("HH24", Some("%H"), Some("%-H")),
    ("HH12", Some("%I"), Some("%-I")),
    ("IYYY", Some("%G"), None),
    ("YYYY", Some("%Y"), None),
    ("yyyy", Some("%Y"), None),
    ("hh24", Some("%H"), Some("%-H")),
    ("Month", Some("%B"), Some("%B")),
    ("DDD", Some("%j"), Some("%-j")),
    ("Day", Some("%A"), Some("%A")),
    ("Mon", Some("%b"), Some("%b")),
    ("YY", Some("%y"), None),
    ("MM", Some("%m"), Some("%-m")),
    ("mm", Some("%m"), Some("%-m")),
    ("DD", Some("%d"), Some("%-d")),
    ("dd", Some("%d"), Some("%-d")),
    ("Dy", Some("%a"), Some("%a")),
    ("HH", Some("%I"), Some("%-I")),
    ("MI", Some("%M"), Some("%-M")),
    ("mi", Some("%M"), Some("%-M")),
    ("SS", Some("%S"), Some("%-S")),
    ("ss", Some("%S"), Some("%-S")),
    ("MS", Some("%3f"), None),
    ("US", Some("%6f"), None),
    ("IW", Some("%V"), Some("%-V")),
    ("Q", Some("%q"), Some("%q")),
    ("AM", Some("%p"), None),
];
/// Other spellings; those of names only for reading, which looks at no case.
const SPELLINGS: [(&str, &str, bool); 12] = [
    ("MONTH", "Month", false),
    ("month", "Month", false),
    ("DAY", "Day", false),
    ("day", "Day", false),
    ("MON", "Mon", false),
    ("mon", "Mon", false),
    ("DY", "Dy", false),
    ("PM", "AM", true),
    ("am", "AM", false),
    ("pm", "AM", false),
    ("hh12", "HH12", true),
    ("iyyy", "IYYY", true),
];

/// Translates the patterns of `statement`.
///
/// # Errors
/// `Invalid`: a pattern that is not known; in PostgreSQL's dialect, one that is not written as a text.
pub fn translate(statement: &mut Statement, dialect: Dialect) -> Result<()> {
    VisitMut::visit(statement, &mut Patterns(dialect)).break_value().map_or(Ok(()), Err)
}

struct Patterns(Dialect);

impl VisitorMut for Patterns {
    type Break = Error;

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        match self.call(function) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

impl Patterns {
    fn call(&self, function: &mut Function) -> Result<()> {
        let name = function.name.0.last().and_then(|part| part.as_ident()).map(|i| i.value.to_ascii_lowercase());
        let known = WITH_PATTERN.iter().find(|(known, _)| name.as_deref() == Some(known));
        let (Some((name, writes)), FunctionArguments::List(list)) = (known, &mut function.args) else { return Ok(()) };
        let [_, FunctionArg::Unnamed(FunctionArgExpr::Expr(pattern))] = list.args.as_mut_slice() else { return Ok(()) };
        match pattern {
            Expr::Value(value)
                if matches!(value.value, Value::SingleQuotedString(_) | Value::DollarQuotedString(_)) =>
            {
                let text = match &value.value {
                    Value::SingleQuotedString(text) => text.clone(),
                    Value::DollarQuotedString(text) => text.value.clone(),
                    _ => return Ok(()),
                };
                let ours = format(&text, *writes).ok_or_else(|| unknown(name, &text))?;
                value.value = Value::SingleQuotedString(ours);
                Ok(())
            }
            // Whoever writes DataFusion's patterns may have them anywhere.
            _ if self.0 == Dialect::Own => Ok(()),
            other => Err(Error::invalid(format!("the pattern of {name} is {other}, and no text"))
                .hint(format!("write it as a text: {name}(…, 'YYYY-MM')"))),
        }
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
        } else if let Some((length, plain, without_zeros)) = known(rest, writes) {
            made.push_str(if std::mem::take(&mut bare) { without_zeros? } else { plain? });
            rest = &rest[length..];
        } else if first.is_alphanumeric() && !(first == 'T' && rest.len() > 1 && known(&rest[1..], writes).is_some()) {
            return None;
        } else {
            made.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Some(made)
}

/// The pattern that `text` begins with: its length, and what it is here.
fn known(text: &str, writes: bool) -> Option<(usize, Option<&'static str>, Option<&'static str>)> {
    let of = |name: &str| PATTERNS.iter().find(|(known, ..)| name.starts_with(known));
    if let Some((spelled, name, _)) = SPELLINGS.iter().find(|(s, _, both)| text.starts_with(s) && (*both || !writes)) {
        return of(name).map(|(_, plain, bare)| (spelled.len(), *plain, *bare));
    }
    // Names that would come out in other letters than those asked for.
    if SPELLINGS.iter().any(|(spelled, ..)| text.starts_with(spelled)) {
        return Some((0, None, None));
    }
    of(text).map(|(known, plain, bare)| (known.len(), *plain, *bare))
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
