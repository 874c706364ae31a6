//! How many row groups a Parquet footer announces: the library makes room for as many before it reads the first, and a
//! failed allocation ends the process. It must not know what else a footer says, and relies on the kinds that it names.

/// As many row groups as the library can number.
const MOST: u64 = i16::MAX as u64;
/// The field of `FileMetaData` that lists them.
const ROW_GROUPS: i16 = 4;
/// How deep structures may lie in each other.
const DEPTH: u8 = 64;

/// Thrift's compact protocol: <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>.
struct Footer<'a>(&'a [u8]);

/// Whether the library can read as many row groups as the footer has. One that breaks off is left to the library to tell.
pub(super) fn can_be_read(footer: &[u8]) -> bool {
    let mut footer = Footer(footer);
    let mut last = 0;
    while let Some(Some((kind, id))) = footer.field(last) {
        let mut list = Footer(footer.0);
        if id == ROW_GROUPS && kind == 9 && list.list().is_some_and(|(_, count)| count > MOST) {
            return false;
        }
        if footer.skip(kind, DEPTH).is_none() {
            break;
        }
        last = id;
    }
    true
}

impl Footer<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, count: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(count).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            shift = shift.wrapping_add(7);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
    }

    /// Kind and number of the next field; `Some(None)`: the structure ends.
    fn field(&mut self, last: i16) -> Option<Option<(u8, i16)>> {
        let byte = self.byte()?;
        let id = match byte >> 4 {
            _ if byte & 0x0f == 0 => return Some(None),
            0 => {
                let zigzag = self.varint()?;
                ((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64)) as i16
            }
            more => last.wrapping_add(i16::from(more)),
        };
        Some(Some((byte & 0x0f, id)))
    }

    /// Kind and number of what a list holds.
    fn list(&mut self) -> Option<(u8, u64)> {
        let byte = self.byte()?;
        let count = match byte >> 4 {
            15 => self.varint()?,
            few => u64::from(few),
        };
        Some((byte & 0x0f, count))
    }

    fn skip(&mut self, kind: u8, depth: u8) -> Option<()> {
        let below = depth.checked_sub(1)?;
        match kind {
            // In a field the kind is the value.
            1 | 2 => Some(()),
            3 => self.bytes(1),
            4..=6 => self.varint().map(|_| ()),
            7 => self.bytes(8),
            8 => {
                let length = self.varint()?;
                self.bytes(length)
            }
            9 | 10 => {
                let (kind, count) = self.list()?;
                // Of what takes no bytes no number is too large.
                match kind {
                    1 | 2 => Some(()),
                    _ => (0..count).try_for_each(|_| self.skip(kind, below)),
                }
            }
            12 => {
                while let Some((kind, _)) = self.field(0)? {
                    self.skip(kind, below)?;
                }
                Some(())
            }
            11 => {
                let count = self.varint()?;
                let kinds = if count > 0 { self.byte()? } else { 0 };
                match (kinds >> 4, kinds & 0x0f) {
                    (1 | 2, 1 | 2) => Some(()),
                    (key, value) => (0..count).try_for_each(|_| {
                        self.skip(key, below)?;
                        self.skip(value, below)
                    }),
                }
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 2, no schema, no rows, and a list of structures of which there are so many.
    fn footer(list: &[u8]) -> Vec<u8> {
        [&[0x15, 4, 0x19, 0x0c, 0x16, 0, 0x19][..], list].concat()
    }

    #[test]
    fn no_more_row_groups_than_can_be_numbered() {
        let lists: [(&[u8], bool); 5] = [
            (&[0x1c, 0, 0], true),
            (&[0xfc, 0xff, 0xff, 1], true),
            (&[0xfc, 0x80, 0x80, 2], false),
            (&[0xfc, 0xff, 0xff, 0xff, 0xff, 7], false),
            (&[0xfc, 0xff], true),
        ];
        for (list, fine) in lists {
            assert_eq!(can_be_read(&footer(list)), fine, "{list:x?}");
        }
        // The number of the field in full.
        assert!(!can_be_read(&[0x09, 8, 0xfc, 0xff, 0xff, 0xff, 0xff, 7]));
        // What breaks off is not gone through for ever.
        let broken: [&[u8]; 3] = [&[], &[0x0c; 100], &[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]];
        for broken in broken {
            assert!(can_be_read(broken));
        }
    }
}
