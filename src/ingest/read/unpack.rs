//! Bytes as they were before packing: gzip and zstd are recognised by their first bytes, of one member or several. It must
//! not know what the bytes mean; a stream that is cut off or damaged is an error that says where.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Error, ErrorKind, Read, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::Input;

/// The input's bytes, unpacked if they begin like gzip or zstd.
pub(crate) fn unpack(input: Input) -> crate::error::Result<Box<dyn Read + Send>> {
    Ok(match input {
        Input::Path(path) => unpacked(BufReader::with_capacity(1 << 20, File::open(path)?))?,
        Input::Bytes(bytes) => unpacked(Cursor::new(bytes))?,
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

fn unpacked(mut bytes: impl BufRead + Send + 'static) -> Result<Box<dyn Read + Send>> {
    let magic = peek::<4>(&mut bytes)?;
    let taken = Arc::new(AtomicU64::new(0));
    let whole = Counted { taken: Arc::clone(&taken), inner: Cursor::new(magic.clone()).chain(bytes) };
    Ok(match packed(&magic) {
        Some(Packer::Gzip) => Box::new(Packed { inner: MultiGzDecoder::new(whole), kind: "gzip", taken }),
        Some(Packer::Zstd) => {
            Box::new(Packed { inner: zstd::stream::read::Decoder::with_buffer(whole)?, kind: "zstd", taken })
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
}

impl<D: Read> Read for Packed<D> {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        self.inner.read(to).map_err(|e| match e.kind() {
            ErrorKind::Interrupted => e,
            kind => {
                let what = if kind == ErrorKind::UnexpectedEof { "is cut off" } else { "is damaged" };
                let at = self.taken.load(Ordering::Relaxed);
                Error::new(kind, format!("the {} data {what} at byte {at} of the packed file ({e})", self.kind))
            }
        })
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
