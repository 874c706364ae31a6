//! Any encoding to UTF-8, while it is read. What a byte order mark says counts, then what the source declares, else UTF-8.
//! Bytes that are no text of the encoding become one byte 0xFF, which UTF-8 never has: the record that holds it fails its
//! check, alone, and [`Encoded::fault`] knows where it was. It must not replace or leave out anything in silence.

use std::collections::VecDeque;
use std::io::{Cursor, Read, Result};
use std::sync::{Arc, Mutex, PoisonError};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

use super::unpack::peek;

/// Bytes that are decoded at a time.
const BLOCK: usize = 1 << 16;

/// Where bytes were no text: in the decoded text and in the encoded one, both from 0.
type Faults = Arc<Mutex<VecDeque<(u64, u64)>>>;

/// How a text was encoded.
pub(super) struct Encoded {
    encoding: &'static Encoding,
    /// Length of the byte order mark.
    mark: u64,
    faults: Faults,
}

impl Encoded {
    /// What is wrong at `at` of the decoded text, byte `within` of its record (both from 0).
    pub(super) fn fault(&self, at: u64, within: usize) -> String {
        if self.encoding == UTF_8 {
            return format!(
                "not UTF-8, from byte {} (byte {} of the file's text); if it is in another encoding, say so in [read] encoding",
                within + 1,
                at + self.mark + 1
            );
        }
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let byte = faults.iter().find(|(text, _)| *text == at).map_or(at, |(_, byte)| *byte);
        format!("not {}, at byte {} of the file's text", self.encoding.name(), byte + 1)
    }

    /// Nobody will ask about what is before `at`.
    pub(super) fn forget(&self, at: u64) {
        if self.encoding == UTF_8 {
            return;
        }
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        while faults.front().is_some_and(|(text, _)| *text < at) {
            faults.pop_front();
        }
    }
}

/// `bytes` as UTF-8, without a byte order mark.
pub(super) fn decode(
    mut bytes: Box<dyn Read + Send>,
    declared: Option<&'static Encoding>,
) -> Result<(Box<dyn Read + Send>, Encoded)> {
    let first = peek::<3>(&mut bytes)?;
    let (encoding, mark) = Encoding::for_bom(&first).unwrap_or((declared.unwrap_or(UTF_8), 0));
    let encoded = Encoded { encoding, mark: mark as u64, faults: Faults::default() };
    let input = Cursor::new(first[mark..].to_vec()).chain(bytes);
    if encoding == UTF_8 {
        return Ok((Box::new(input), encoded));
    }
    let decoder = encoding.new_decoder_without_bom_handling();
    let faults = Arc::clone(&encoded.faults);
    let block = vec![0; BLOCK];
    let decoding = Decoding {
        input,
        decoder,
        block,
        from: 0,
        to: 0,
        last: false,
        done: false,
        ready: Vec::new(),
        given: 0,
        read: mark as u64,
        text: 0,
        faults,
    };
    Ok((Box::new(decoding), encoded))
}

struct Decoding<R> {
    input: R,
    decoder: Decoder,
    /// Encoded bytes; those of `from..to` wait.
    block: Vec<u8>,
    from: usize,
    to: usize,
    /// The input has ended.
    last: bool,
    /// All of it is decoded.
    done: bool,
    /// Decoded bytes; those from `given` wait.
    ready: Vec<u8>,
    given: usize,
    /// Encoded bytes that have been decoded.
    read: u64,
    /// Bytes of text before `ready`.
    text: u64,
    faults: Faults,
}

impl<R: Read> Decoding<R> {
    fn fill(&mut self) -> Result<()> {
        if self.from == self.to && !self.last {
            let n = self.input.read(&mut self.block)?;
            (self.from, self.to, self.last) = (0, n, n == 0);
        }
        self.text += self.ready.len() as u64;
        self.given = 0;
        // Room for what any encoding makes of a block.
        self.ready.resize(3 * BLOCK + 16, 0);
        let input = &self.block[self.from..self.to];
        let (result, read, written) =
            self.decoder.decode_to_utf8_without_replacement(input, &mut self.ready, self.last);
        self.from += read;
        self.read += read as u64;
        self.ready.truncate(written);
        match result {
            DecoderResult::InputEmpty => self.done = self.last,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(length, after) => {
                let byte = self.read.saturating_sub(u64::from(length) + u64::from(after));
                let at = self.text + written as u64;
                self.faults.lock().unwrap_or_else(PoisonError::into_inner).push_back((at, byte));
                self.ready.push(0xff);
            }
        }
        Ok(())
    }
}

impl<R: Read> Read for Decoding<R> {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        while self.given == self.ready.len() && !self.done {
            self.fill()?;
        }
        let n = to.len().min(self.ready.len() - self.given);
        to[..n].copy_from_slice(&self.ready[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], label: Option<&str>) -> (Vec<u8>, Encoded) {
        let declared = label.map(|l| Encoding::for_label(l.as_bytes()).expect("an encoding"));
        let (mut text, encoded) = decode(Box::new(Cursor::new(bytes.to_vec())), declared).expect("opens");
        let mut all = Vec::new();
        text.read_to_end(&mut all).expect("reads");
        (all, encoded)
    }

    #[test]
    fn labels_and_marks() {
        // 衬衫 and é, by hand from the encodings' tables.
        assert_eq!(decoded(b"\xb3\xc4\xc9\xc0,1", Some("gb18030")).0, "衬衫,1".as_bytes());
        assert_eq!(decoded(b"caf\xe9", Some("windows-1252")).0, "café".as_bytes());
        assert_eq!(decoded(b"a\0,\0", Some("utf-16")).0, b"a,");
        assert_eq!(decoded(b"\xff\xfe\x6c\x88\x6b\x88", None).0, "衬衫".as_bytes());
        // The mark knows better than what is declared.
        assert_eq!(decoded(b"\xfe\xff\x88\x6c\x88\x6b", Some("gb18030")).0, "衬衫".as_bytes());
        assert_eq!(decoded(b"\xef\xbb\xbfcaf\xc3\xa9", Some("windows-1252")).0, "café".as_bytes());
        assert_eq!(decoded(b"", Some("utf-16")).0, b"");
    }

    #[test]
    fn v00_what_is_no_text_is_told_by_its_byte() {
        let (text, encoded) = decoded(b"ab,\xb3\xc4\n\x81\n\xb3\xc4", Some("gb18030"));
        assert_eq!(text, [b"ab,", "衬".as_bytes(), b"\n\xff\n", "衬".as_bytes()].concat());
        assert_eq!(encoded.fault(7, 0), "not gb18030, at byte 7 of the file's text");
        // Half a surrogate, with a mark before it; and a byte alone at the end.
        let (text, encoded) = decoded(b"\xff\xfea\0\x00\xd8b\0\x41", None);
        assert_eq!(text, b"a\xffb\xff");
        assert_eq!(encoded.fault(1, 1), "not UTF-16LE, at byte 5 of the file's text");
        encoded.forget(2);
        assert_eq!(encoded.faults.lock().expect("free").len(), 1);
    }
}
