//! PostgreSQL's patterns for dates as those that DataFusion takes: `YYYY-MM-DD` is `%Y-%m-%d`.

/// Longer patterns before those that they begin with.
const PATTERNS: [(&str, &str); 33] = [
    ("HH24", "%H"),
    ("HH12", "%I"),
    ("MONTH", "%B"),
    ("Month", "%B"),
    ("month", "%B"),
    ("YYYY", "%Y"),
    ("yyyy", "%Y"),
    ("IYYY", "%G"),
    ("DDD", "%j"),
    ("DAY", "%A"),
    ("Day", "%A"),
    ("day", "%A"),
    ("MON", "%b"),
    ("Mon", "%b"),
    ("mon", "%b"),
    ("YY", "%y"),
    ("MM", "%m"),
    ("mm", "%m"),
    ("DD", "%d"),
    ("dd", "%d"),
    ("Dy", "%a"),
    ("DY", "%a"),
    ("hh24", "%H"),
    ("HH", "%I"),
    ("MI", "%M"),
    ("mi", "%M"),
    ("SS", "%S"),
    ("ss", "%S"),
    ("MS", "%3f"),
    ("US", "%6f"),
    ("IW", "%V"),
    ("AM", "%p"),
    ("PM", "%p"),
];

/// `pattern` for DataFusion; `None` if it is one already, or has what DataFusion does not know.
pub fn format(pattern: &str) -> Option<String> {
    if pattern.contains('%') {
        return None;
    }
    let (mut made, mut rest) = (String::new(), pattern);
    while let Some(first) = rest.chars().next() {
        // FM: without blanks and zeros in front, which there are none of in names.
        if let Some(after) = rest.strip_prefix("FM") {
            rest = after;
        } else if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = quoted.split_once('"')?;
            made.push_str(text);
            rest = after;
        } else if let Some((known, ours)) = PATTERNS.iter().find(|(known, _)| rest.starts_with(known)) {
            made.push_str(ours);
            rest = &rest[known.len()..];
        } else if first.is_alphanumeric() && first != 'T' {
            return None;
        } else {
            made.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_dates() {
        assert_eq!(format("YYYY-MM-DD HH24:MI:SS").unwrap(), "%Y-%m-%d %H:%M:%S");
        assert_eq!(format("FMMonth \"of\" YYYY").unwrap(), "%B of %Y");
        assert_eq!(format("IYYY-\"W\"IW").unwrap(), "%G-W%V");
        for left in ["%Y", "Q", "999D99"] {
            assert_eq!(format(left), None, "{left}");
        }
    }
}
