//! What a report's SQL must not say, read from its text alone: traps that no plan shows any more.
//! Comments and quoted texts do not count. It must not judge names, types or results.

use std::collections::BTreeSet;

use crate::error::{Error, Result};

/// Words that read the clock (trap D47): a report says `$as_of` or a relative default instead.
const CLOCKS: &[&str] =
    &["now", "current_date", "current_timestamp", "current_time", "localtime", "localtimestamp", "today"];

/// Functions that answer anew at every call: no answer could be asked for again.
const DICE: &[&str] = &["random", "rand", "uuid", "gen_random_uuid"];

/// Refuses clocks, dice, bare UNION (trap D08: identical lines are different sales) and descending order without NULLS (trap D26).
///
/// # Errors
/// `Invalid`, with what to write instead.
pub fn check(sql: &str) -> Result<()> {
    let words = words(sql);
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", String::as_str);
        let after_dot = at > 0 && words[at - 1] == ".";
        if CLOCKS.contains(&word.as_str()) && !after_dot {
            return Err(Error::invalid(format!(
                "{word} reads the clock: the same question would get another answer tomorrow"
            ))
            .hint("declare a date parameter such as as_of with the default \"today\""));
        }
        if DICE.contains(&word.as_str()) && next == "(" && !after_dot {
            return Err(Error::invalid(format!(
                "{word}() is different at every call: the same question would get another answer"
            ))
            .hint("take a column of the data, such as the key, instead"));
        }
        if word == "union" && next != "all" {
            return Err(Error::invalid("UNION drops identical rows, which are different sales").hint("write UNION ALL"));
        }
        if word == "desc" && next != "nulls" {
            return Err(Error::invalid("DESC puts NULLs first").hint("write DESC NULLS LAST"));
        }
    }
    Ok(())
}

/// The names of the `$name` parameters that the statement uses, without the `$`.
pub fn parameters(sql: &str) -> BTreeSet<String> {
    words(sql).iter().filter_map(|word| word.strip_prefix('$')).map(String::from).collect()
}

/// The statement's words and signs in lower case, without comments, quoted texts and quoted names.
fn words(sql: &str) -> Vec<String> {
    let letters: Vec<char> = sql.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        let next = letters.get(at + 1).copied();
        at = match letter {
            '-' if next == Some('-') => until(&letters, at, |l| l[0] == '\n', 1),
            '/' if next == Some('*') => until(&letters, at + 2, |l| l.starts_with(&['*', '/']), 2),
            '\'' | '"' => quoted(&letters, at),
            _ if letter.is_alphanumeric() || letter == '_' || letter == '$' => {
                let end = until(&letters, at, |l| !(l[0].is_alphanumeric() || l[0] == '_' || l[0] == '$'), 0);
                words.push(letters[at..end].iter().collect::<String>().to_lowercase());
                end
            }
            _ => {
                if !letter.is_whitespace() {
                    words.push(letter.to_string());
                }
                at + 1
            }
        };
    }
    words
}

/// The place where `stop` holds, `skip` further; the end if nowhere.
fn until(letters: &[char], from: usize, stop: impl Fn(&[char]) -> bool, skip: usize) -> usize {
    (from..letters.len()).find(|at| stop(&letters[*at..])).map_or(letters.len(), |at| at + skip)
}

/// Behind the closing quote; a doubled quote is part of the text.
fn quoted(letters: &[char], open: usize) -> usize {
    let quote = letters[open];
    let mut at = open + 1;
    while at < letters.len() {
        if letters[at] == quote {
            if letters.get(at + 1) != Some(&quote) {
                return at + 1;
            }
            at += 1;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d08_bare_union_is_refused() {
        assert!(check("SELECT 1 UNION SELECT 1").unwrap_err().message().contains("UNION"));
        assert!(check("SELECT 1 union /* all */ SELECT 1").is_err());
        assert!(check("SELECT 1\nUNION\n  ALL SELECT 'a union b' -- union of\n").is_ok());
    }

    #[test]
    fn parameters_are_found_outside_texts_and_comments() {
        let used = parameters("SELECT $from, x>=$to AND '$no' -- $none\n OR $from IS NULL");
        assert_eq!(used.into_iter().collect::<Vec<_>>(), ["from", "to"]);
    }

    #[test]
    fn d47_no_clock() {
        for clock in ["now()", "CURRENT_DATE", "current_timestamp", "today()"] {
            assert!(check(&format!("SELECT {clock}")).unwrap_err().hint_text().unwrap().contains("as_of"), "{clock}");
        }
        assert!(check("SELECT 'now()', \"now\", t.now, nowhere -- now()\n FROM t").is_ok());
    }

    #[test]
    fn no_dice() {
        for dice in ["random()", "UUID ()", "sum(random() * x)"] {
            assert!(check(&format!("SELECT {dice}")).unwrap_err().message().contains("every call"), "{dice}");
        }
        assert!(check("SELECT uuid, random, 'random()', t.uuid -- random()\n FROM t").is_ok());
    }

    #[test]
    fn d26_descending_order_says_where_nulls_go() {
        assert!(check("SELECT a FROM t ORDER BY a DESC, b").is_err());
        assert!(check("SELECT a FROM t ORDER BY a DESC NULLS LAST, b").is_ok());
        assert!(check("SELECT a AS description FROM t").is_ok());
    }
}
