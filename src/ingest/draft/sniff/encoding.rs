//! The encoding of a text, guessed from its beginning: UTF-8 where it can be, else by a byte order mark, else GB18030 or
//! Windows-1252 by the look of its bytes. A guess is told, never silent.

use encoding_rs::{Encoding, GB18030, WINDOWS_1252};

use crate::error::{Error, Result};

/// An encoding that is not UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest::draft) struct Guess {
    /// As `[read] encoding` takes it.
    pub label: &'static str,
    /// A byte order mark says so: nothing is assumed.
    pub marked: bool,
}

/// The text up to the last line's end (or all of it when it is `whole`), and its encoding unless that is UTF-8.
pub(super) fn text(bytes: Vec<u8>, whole: bool) -> Result<(String, Option<Guess>)> {
    if let Some((encoding, mark)) = Encoding::for_bom(&bytes).filter(|(e, _)| e.name().starts_with("UTF-16")) {
        let text = encoding.decode_without_bom_handling(&bytes[mark..]).0;
        let label = if encoding.name() == "UTF-16BE" { "utf-16be" } else { "utf-16" };
        return Ok((lines(text.into_owned(), whole), Some(Guess { label, marked: true })));
    }
    let end = if whole { bytes.len() } else { bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1) };
    let bytes = &bytes[..end];
    if let Ok(text) = std::str::from_utf8(bytes) {
        if text.contains('\0') {
            return Err(Error::invalid("it has NUL bytes: no text, or UTF-16 without a byte order mark")
                .hint("save it as UTF-8 for the draft; [read] encoding = \"utf-16\" lands it"));
        }
        return Ok((text.to_string(), None));
    }
    let (encoding, label) = if chinese(bytes) { (GB18030, "gb18030") } else { (WINDOWS_1252, "windows-1252") };
    Ok((encoding.decode_without_bom_handling(bytes).0.into_owned(), Some(Guess { label, marked: false })))
}

fn lines(mut text: String, whole: bool) -> String {
    if !whole {
        let end = text.rfind('\n').map_or(0, |n| n + 1);
        text.truncate(end);
    }
    text
}

/// Bytes above ASCII stand in pairs, as Chinese characters do (rarer ones in fours, with digits between); accented letters
/// stand alone.
fn chinese(bytes: &[u8]) -> bool {
    if GB18030.decode_without_bom_handling(bytes).1 {
        return false;
    }
    let (mut together, mut alone, mut i) = (0, 0, 0);
    while i < bytes.len() {
        i += match &bytes[i..] {
            [0..=0x7f, ..] => 1,
            [_, b'0'..=b'9', 0x80..=0xff, b'0'..=b'9', ..] => {
                together += 1;
                4
            }
            [_, 0x80..=0xff, ..] => {
                together += 1;
                2
            }
            _ => {
                alone += 1;
                1
            }
        };
    }
    together > 4 * alone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses() {
        let guess = |bytes: &[u8]| text(bytes.to_vec(), true).expect("a text");
        assert_eq!(guess("sku,Größe\n".as_bytes()), ("sku,Größe\n".into(), None));
        let (text, found) = guess(b"\xc3\xfb\xb3\xc6,sku\n\xb3\xc4\xc9\xc0,1\n");
        assert_eq!((text.as_str(), found), ("名称,sku\n衬衫,1\n", Some(Guess { label: "gb18030", marked: false })));
        let (text, found) = guess(b"sku,Gr\xf6\xdfe,M\xfcller,caf\xe9\n");
        assert_eq!((text.as_str(), found.map(|g| g.label)), ("sku,Größe,Müller,café\n", Some("windows-1252")));
        let (text, found) = guess(b"\xff\xfea\0,\0b\0\n\0");
        assert_eq!((text.as_str(), found), ("a,b\n", Some(Guess { label: "utf-16", marked: true })));
        assert!(super::text(b"a\0b\0".to_vec(), true).is_err());
    }
}
