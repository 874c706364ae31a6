//! What `value_hashes` gathers: the hashes of distinct texts. It must not keep the texts.

use datafusion::common::{Result, exec_err};
use xxhash_rust::xxh3::xxh3_64;

use super::distinct::Distinct;
use super::groups::Gathered;

/// The hashes (xxh3-64 of each text) that `value_hashes` made, ascending and distinct. Bytes behind the last whole hash are
/// left out.
pub fn hashes(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.as_chunks::<8>().0.iter().map(|hash| u64::from_le_bytes(*hash))
}

/// The hashes of the texts of a group.
#[derive(Debug, Default)]
pub(super) struct Hashes(Distinct<u64>);

impl Gathered for Hashes {
    fn add_value(&mut self, text: &[u8]) -> Result<()> {
        self.0.insert(xxh3_64(text));
        Ok(())
    }

    fn add_state(&mut self, state: &[u8]) -> Result<()> {
        if !state.len().is_multiple_of(8) {
            return exec_err!("{} bytes are no hashes of 8 bytes", state.len());
        }
        hashes(state).for_each(|hash| self.0.insert(hash));
        Ok(())
    }

    fn state_of<'a>(text: &'a [u8], room: &'a mut [u8; 8]) -> &'a [u8] {
        *room = xxh3_64(text).to_le_bytes();
        room
    }

    fn write(&mut self, into: &mut Vec<u8>) -> Result<bool> {
        let hashes = self.0.sorted();
        hashes.iter().for_each(|hash| into.extend_from_slice(&hash.to_le_bytes()));
        Ok(!hashes.is_empty())
    }

    fn count(&mut self) -> u64 {
        self.0.sorted().len() as u64
    }

    fn heap(&self) -> usize {
        self.0.heap()
    }
}
