//! What tells one definition of a source from another: a hash of what decides how records become rows. Titles, comments
//! and where files are found do not. It must not change between versions of the program: it is stored.

use sha2::{Digest, Sha256};

use super::source::Source;
use crate::queryfile::QueryFile;

/// Keys of the header that say nothing about rows.
const WORDS: [&str; 3] = ["title", "about", "order"];

/// The first 32 hex digits of a sha256 over the header without its words, keys in order, and every SELECT without
/// comment lines.
pub(crate) fn hash(source: &Source) -> String {
    let mut digest = Sha256::new();
    digest.update(header(source));
    for select in &source.selects {
        digest.update(format!("\0into {} {}\0", select.table.name, select.reference));
        let lines = select.sql.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("--"));
        lines.for_each(|line| digest.update(format!("{line}\n")));
    }
    digest.finalize()[..16].iter().map(|b| format!("{b:02x}")).collect()
}

fn header(source: &Source) -> String {
    let parsed = QueryFile::parse(&source.path, &source.text).ok().and_then(|f| f.header::<toml::Table>().ok());
    // A source has been parsed before, so it parses; its whole text would do as well.
    let Some(mut header) = parsed else { return source.text.clone() };
    WORDS.iter().for_each(|word| drop(header.remove(*word)));
    if let Some(read) = header.get_mut("read").and_then(toml::Value::as_table_mut) {
        // Which files are read, and what is said about columns that nobody looks at, decides nothing.
        ["path", "members", "drift", "ignored"].iter().for_each(|word| drop(read.remove(*word)));
    }
    let mut text = String::new();
    write(&toml::Value::Table(header), &mut text);
    text
}

/// Keys in order, whatever the order of the header.
fn write(value: &toml::Value, out: &mut String) {
    match value {
        toml::Value::Table(table) => {
            let mut keys: Vec<&String> = table.keys().collect();
            keys.sort();
            out.push('{');
            for key in keys {
                out.push_str(&format!("{key:?}:"));
                write(&table[key], out);
            }
            out.push('}');
        }
        toml::Value::Array(values) => {
            out.push('[');
            values.iter().for_each(|v| write(v, out));
            out.push(']');
        }
        toml::Value::String(text) => out.push_str(&format!("{text:?},")),
        other => out.push_str(&format!("{other},")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        hash(&Source::parse(&QueryFile::parse("sources/till.sql", text).expect("a query file")).expect("a source"))
    }

    #[test]
    fn words_and_comments_do_not_count_and_mappings_do() {
        let till = "-- ---\n-- about = \"A till.\"\n-- [read]\n-- path = \"till/*.csv\"\n-- format = \"csv\"\n-- [defaults]\n-- \
            channel_id = \"shop\"\n-- currency = \"GBP\"\n-- tz = \"UTC\"\n-- ---\n-- into = \"order_line\"\n-- a comment\nSELECT \
            r AS order_id, l AS order_line_id, instant(t) AS created_at, sku, CAST(p AS DECIMAL(18,4)) AS unit_price FROM raw\n";
        let first = of(till);
        assert_eq!(first.len(), 32);
        for same in [("A till.", "The till."), ("-- a comment\n", ""), ("till/*.csv", "tills/**/*.csv")] {
            assert_eq!(of(&till.replace(same.0, same.1)), first, "{same:?}");
        }
        for other in [
            ("\"shop\"", "\"web\""),
            ("p AS DECIMAL", "q AS DECIMAL"),
            ("format = \"csv\"", "format = \"csv\"\n-- delimiter = \";\""),
        ] {
            assert_ne!(of(&till.replace(other.0, other.1)), first, "{other:?}");
        }
    }
}
