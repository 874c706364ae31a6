//! ETags and `If-None-Match` (RFC 9110, 8.8.3 and 13.1.2). Tags are weak: the rows are the same, the bytes need not be
//! (gzip, the seconds in a receipt).

use axum::http::{HeaderMap, HeaderValue, header};

use crate::encode::Format;

/// The tag of the answer that `key` stands for, in `format`.
pub fn of(key: &str, format: Format) -> String {
    let text = format!("{}\n{key}", format.name());
    format!("W/\"{:032x}\"", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
}

/// Whether the client already has the answer tagged `tag`, by the weak comparison.
pub fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let ours = opaque(tag);
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .any(|list| list.trim() == "*" || tags(list).any(|theirs| Some(theirs) == ours))
}

/// Headers of a cacheable answer, for 200 and 304 alike.
pub fn headers(tag: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, value);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding, authorization"));
    headers
}

/// What is between the quotes.
fn opaque(tag: &str) -> Option<&str> {
    tag.trim().trim_start_matches("W/").strip_prefix('"')?.strip_suffix('"')
}

/// The opaque parts of a list of tags; commas may stand inside the quotes.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    list.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(values: &[&str]) -> HeaderMap {
        values.iter().map(|v| (header::IF_NONE_MATCH, HeaderValue::from_str(v).unwrap())).collect()
    }

    #[test]
    fn tags_differ_by_key_and_format() {
        assert_ne!(of("a", Format::Csv), of("a", Format::Json));
        assert_ne!(of("a", Format::Csv), of("b", Format::Csv));
        assert_eq!(of("a", Format::Csv), of("a", Format::Csv));
    }

    #[test]
    fn lists_weak_tags_stars_and_commas_in_tags_are_understood() {
        let tag = "W/\"ab,c\"";
        for hit in ["W/\"ab,c\"", "\"ab,c\"", "*", "\"x\", W/\"ab,c\"", "W/\"x\",\"ab,c\""] {
            assert!(matches(&asks(&[hit]), tag), "{hit}");
        }
        for miss in ["\"ab\"", "ab,c", "", "W/\"c\", \"ab\"", "\", \""] {
            assert!(!matches(&asks(&[miss]), tag), "{miss}");
        }
        assert!(matches(&asks(&["\"x\"", "\"ab,c\""]), tag), "several header lines are one list");
        assert!(!matches(&asks(&[]), tag));
    }
}
