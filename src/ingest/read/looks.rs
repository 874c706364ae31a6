//! What bytes look like by their first few: for errors that say what a file really is. It must not read it.

/// A kind of file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    /// With its article.
    pub(crate) name: &'static str,
    /// What would work.
    pub(crate) hint: &'static str,
}

const KINDS: &[(&[u8], &str, &str)] = &[
    (b"PAR1", "a Parquet file", "say format = \"parquet\" in [read]"),
    (b"ARROW1", "an Arrow file", "say format = \"arrow\" in [read]"),
    (b"\xff\xff\xff\xff", "an Arrow stream", "say format = \"arrow\" in [read]"),
    (
        b"PK\x03\x04",
        "a zip archive or a workbook (.xlsx)",
        "unpack the archive; a workbook needs format = \"excel\" in [read]",
    ),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a workbook (.xls) or another Office file",
        "a workbook needs format = \"excel\" in [read]",
    ),
    (b"\x1f\x8b", "gzip", "unpack it first: only texts and Arrow streams may be packed"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unpack it first: only texts and Arrow streams may be packed"),
    (b"BZh", "bzip2", "unpack it first, or pack it with gzip or zstd"),
    (b"\xfd7zXZ\0", "xz", "unpack it first, or pack it with gzip or zstd"),
    (b"\x04\x22\x4d\x18", "lz4", "unpack it first, or pack it with gzip or zstd"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"%PDF-", "a PDF", "export a table instead, such as CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export a table instead, such as CSV"),
];

/// The kind of a file that begins so, if it is known and no text.
pub(crate) fn binary(first: &[u8]) -> Option<Looks> {
    let bz_is_text = |magic: &[u8]| magic == b"BZh" && !first.get(3).is_some_and(|b| matches!(b, b'1'..=b'9'));
    let found = KINDS.iter().find(|(magic, ..)| first.starts_with(magic) && !bz_is_text(magic))?;
    Some(Looks { name: found.1, hint: found.2 })
}

/// What a file that begins so looks like, for a message.
pub(crate) fn like(first: &[u8]) -> String {
    if let Some(kind) = binary(first) {
        return format!("it looks like {}", kind.name);
    }
    let text = first.trim_ascii_start();
    match text.first() {
        None => "it is empty".into(),
        Some(b'{' | b'[') => "it looks like JSON".into(),
        Some(b'<') => "it looks like HTML or XML".into(),
        Some(_) if !first.contains(&0) && std::str::from_utf8(&first[..first.len().min(4)]).is_ok() => {
            "it looks like text".into()
        }
        Some(_) => {
            let hex: Vec<String> = first.iter().take(4).map(|b| format!("{b:02x}")).collect();
            format!("it begins with the bytes {}", hex.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_by_their_first_bytes() {
        assert_eq!(binary(b"PAR1\x15").map(|k| k.name), Some("a Parquet file"));
        assert!(binary(b"BZhang,1").is_none());
        assert!(binary(b"id,sku").is_none());
        assert_eq!(like(b"\x1f\x8b\x08\0"), "it looks like gzip");
        assert_eq!(like(b" [{"), "it looks like JSON");
        assert_eq!(like(b"id,sku"), "it looks like text");
        assert_eq!(like(b"\x01\x02\x00\x04\x05"), "it begins with the bytes 01 02 00 04");
        assert_eq!(like(b""), "it is empty");
    }
}
