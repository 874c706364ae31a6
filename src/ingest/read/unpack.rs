//! Bytes as they were before packing: gzip and zstd are recognised by their first bytes, of one member or several. It must
//! not know what the bytes mean; a stream that is cut off or damaged is an error that says where.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Error, ErrorKind, Read, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::Input;

/// What is read at once of what can only be read whole (a batch of Arrow's), bytes.
const AT_ONCE: u64 = 1 << 30;

/// Bytes that packed data may unpack to. Clones count together.
#[derive(Debug, Clone)]
pub(crate) struct Limit {
    most: u64,
    at_once: u64,
    unpacked: Arc<AtomicU64>,
}

impl Limit {
    pub(crate) fn new(most: u64) -> Limit {
        Limit { most, at_once: most.min(AT_ONCE), unpacked: Arc::default() }
    }
    /// Lowers what is read at once of what can only be read whole.
    #[must_use]
    pub(crate) fn at_once(mut self, bytes: u64) -> Limit {
        self.at_once = self.at_once.min(bytes);
        self
    }
    pub(crate) fn none() -> Limit {
        Limit::new(u64::MAX)
    }
    /// What may be read at once of what can only be read whole.
    pub(super) fn whole(&self) -> u64 {
        self.at_once
    }
    /// Bytes that have been unpacked, of which at most one is beyond the limit.
    pub(crate) fn unpacked(&self) -> u64 {
        self.unpacked.load(Ordering::Relaxed)
    }
    /// Reading was stopped by it.
    pub(crate) fn passed(&self) -> bool {
        self.unpacked() > self.most
    }
}

/// The input's bytes, unpacked if they begin like gzip or zstd.
pub(crate) fn unpack(input: Input) -> crate::error::Result<Box<dyn Read + Send>> {
    unpack_within(input, &Limit::none())
}

/// As [`unpack`]; reading fails once packed data has unpacked to more than `limit`.
pub(super) fn unpack_within(input: Input, limit: &Limit) -> crate::error::Result<Box<dyn Read + Send>> {
    Ok(match input {
        Input::Path(path) => unpacked(BufReader::with_capacity(1 << 20, File::open(path)?), limit)?,
        Input::Bytes(bytes) => unpacked(Cursor::new(bytes), limit)?,
    })
}

#[derive(Clone, Copy)]
enum Packer {
    Gzip,
    Zstd,
}

/// By what packed data begins with.
fn packed(magic: &[u8]) -> Option<Packer> {
    match magic {
        [0x1f, 0x8b, ..] => Some(Packer::Gzip),
        // The second is a frame that holds nothing, with which packers that work in parallel begin.
        [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(Packer::Zstd),
        _ => None,
    }
}

/// Whether a file that begins like this is packed.
pub(super) fn is_packed(magic: &[u8]) -> bool {
    packed(magic).is_some()
}

fn unpacked(mut bytes: impl BufRead + Send + 'static, limit: &Limit) -> Result<Box<dyn Read + Send>> {
    let magic = peek::<4>(&mut bytes)?;
    let taken = Arc::new(AtomicU64::new(0));
    let whole = Counted { taken: Arc::clone(&taken), inner: Cursor::new(magic.clone()).chain(bytes) };
    Ok(match packed(&magic) {
        Some(Packer::Gzip) => {
            Box::new(Packed { inner: MultiGzDecoder::new(whole), kind: "gzip", taken, limit: limit.clone() })
        }
        Some(Packer::Zstd) => {
            let inner = zstd::stream::read::Decoder::with_buffer(whole)?;
            Box::new(Packed { inner, kind: "zstd", taken, limit: limit.clone() })
        }
        None => Box::new(whole),
    })
}

/// Up to `N` bytes from the beginning; fewer when there are no more.
pub(super) fn peek<const N: usize>(bytes: &mut impl Read) -> Result<Vec<u8>> {
    let mut first = Vec::with_capacity(N);
    bytes.by_ref().take(N as u64).read_to_end(&mut first)?;
    Ok(first)
}

/// Counts the bytes that are really taken, so that an error can say where in the file it is.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        let n = self.inner.read(to)?;
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, n: usize) {
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        self.inner.consume(n);
    }
}

/// Unpacks; an error names the byte of the packed file.
struct Packed<D> {
    inner: D,
    kind: &'static str,
    taken: Arc<AtomicU64>,
    limit: Limit,
}

impl<D: Read> Read for Packed<D> {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        // One byte more than may be: whether there is one is what tells.
        let room = self.limit.most.saturating_sub(self.limit.unpacked()).saturating_add(1);
        let room = usize::try_from(room).map_or(to.len(), |room| to.len().min(room));
        let read = self.inner.read(&mut to[..room]).map_err(|e| match e.kind() {
            ErrorKind::Interrupted => e,
            kind => {
                let what = if kind == ErrorKind::UnexpectedEof { "is cut off" } else { "is damaged" };
                let at = self.taken.load(Ordering::Relaxed);
                Error::new(kind, format!("the {} data {what} at byte {at} of the packed file ({e})", self.kind))
            }
        })?;
        self.limit.unpacked.fetch_add(read as u64, Ordering::Relaxed);
        if self.limit.passed() {
            let most = self.limit.most;
            return Err(Error::new(ErrorKind::FileTooLarge, format!("it unpacks to more than {most} bytes")));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text).expect("packed");
        gz.finish().expect("packed")
    }

    fn read(bytes: &[u8]) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        unpack(Input::Bytes(bytes.to_vec().into())).expect("opens").read_to_end(&mut text).map(|_| text)
    }

    #[test]
    fn several_members_and_frames_are_one_text() {
        assert_eq!(read(&[gzip(b"one,"), gzip(b"two")].concat()).expect("gzip"), b"one,two");
        let frame = |text: &[u8]| zstd::stream::encode_all(text, 1).expect("packed");
        let empty = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        assert_eq!(read(&[frame(b"one,"), frame(b"two")].concat()).expect("zstd"), b"one,two");
        assert_eq!(read(&[&empty, frame(b"three").as_slice()].concat()).expect("zstd"), b"three");
        assert_eq!(read(b"plain").expect("plain"), b"plain");
        assert_eq!(read(b"\x1f").expect("one byte"), b"\x1f");
        assert_eq!(read(b"").expect("none"), b"");
    }

    #[test]
    fn a_limit_stops_before_more_is_unpacked() {
        let text = vec![b'x'; 3 << 20];
        for packed in [gzip(&text), zstd::stream::encode_all(&text[..], 1).expect("packed")] {
            let within = |most: u64| {
                let limit = Limit::new(most);
                let mut read = unpack_within(Input::Bytes(packed.clone().into()), &limit).expect("opens");
                // As large a buffer as there is: what is asked for must not decide how much is unpacked.
                let mut buffer = vec![0; 4 << 20];
                let end = loop {
                    match read.read(&mut buffer) {
                        Ok(0) => break None,
                        Ok(_) => {}
                        Err(e) => break Some(e.kind()),
                    }
                };
                (end, limit.unpacked(), limit.passed())
            };
            assert_eq!(within(3 << 20), (None, 3 << 20, false));
            assert_eq!(within((3 << 20) - 1), (Some(ErrorKind::FileTooLarge), 3 << 20, true));
            assert_eq!(within(1000), (Some(ErrorKind::FileTooLarge), 1001, true));
        }
        // What is not packed is as long as it is.
        let limit = Limit::new(2);
        let mut plain = Vec::new();
        unpack_within(Input::Bytes((&b"plain"[..]).into()), &limit)
            .expect("opens")
            .read_to_end(&mut plain)
            .expect("read");
        assert_eq!((plain.as_slice(), limit.unpacked(), limit.passed()), (&b"plain"[..], 0, false));
    }

    #[test]
    fn what_is_cut_off_or_damaged_says_where() {
        // Bytes that do not pack, so that positions in the packed and in the plain stream are close.
        let text: Vec<u8> =
            (0..40_000_u32).flat_map(|i| xxhash_rust::xxh3::xxh3_64(&i.to_be_bytes()).to_be_bytes()).collect();
        for (kind, packed) in [("gzip", gzip(&text)), ("zstd", zstd::stream::encode_all(&text[..], 1).expect("packed"))]
        {
            let cut = packed.len() / 2;
            let said = read(&packed[..cut]).expect_err("cut off").to_string();
            assert!(
                said.starts_with(&format!("the {kind} data is cut off at byte {cut} of the packed file")),
                "{said}"
            );
            let mut damaged = packed.clone();
            let last = damaged.len() - 6;
            damaged[last] ^= 0x55;
            if kind == "gzip" {
                let said = read(&damaged).expect_err("its checksum is wrong").to_string();
                assert!(said.contains("the gzip data is damaged at byte"), "{said}");
            }
        }
    }
}
