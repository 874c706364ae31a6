//! Which files are worth a rewrite together. Pure functions over what the log says of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Compaction;
use crate::lake::state::{DataFile, TableState};

/// A file below this part of the size asked for is small: three quarters.
const SMALL: (u64, u64) = (3, 4);
/// Files below this part of the size asked for join any group.
const TINY: u64 = 32;

pub(super) type Files = Vec<Arc<DataFile>>;

/// Whether a file of `bytes` is small where files should have `file_bytes`.
pub(in crate::lake) fn is_small(bytes: u64, file_bytes: u64) -> bool {
    bytes.saturating_mul(SMALL.1) < file_bytes.saturating_mul(SMALL.0)
}

/// The groups of small files that are worth a rewrite, month by month.
pub(super) fn planned(state: &TableState, how: &Compaction) -> Vec<Files> {
    let mut months: BTreeMap<Option<&str>, Files> = BTreeMap::new();
    for file in &state.files {
        // Rows without a month cannot be written by us.
        let ours = file.month.is_some() == state.table.partitioned();
        let asked = how.month.is_none() || how.month == file.month;
        if ours && asked && is_small(file.size, how.file_bytes) {
            months.entry(file.month.as_deref()).or_default().push(file.clone());
        }
    }
    months.into_values().filter(|files| files.len() >= how.least.max(2)).flat_map(|files| groups(files, how)).collect()
}

/// `files` of one month in groups that make about one file each; what stays alone is left out.
fn groups(mut files: Files, how: &Compaction) -> Vec<Files> {
    files.sort_by(|a, b| (a.size, &a.path).cmp(&(b.size, &b.path)));
    let (mut groups, mut group, mut bytes) = (Vec::new(), Files::new(), 0u64);
    for file in files {
        let joins = how.thorough || file.size <= 2 * bytes.max(how.file_bytes / TINY);
        let fits = bytes + file.size <= how.file_bytes + how.file_bytes / 2;
        let takes_it = joins && fits && bytes < how.file_bytes;
        if !group.is_empty() && !takes_it {
            groups.push(std::mem::take(&mut group));
            bytes = 0;
        }
        bytes += file.size;
        group.push(file);
    }
    groups.push(group);
    groups.retain(|group| group.len() > 1);
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn sizes(files: &[u64], file_bytes: u64, thorough: bool) -> Vec<Vec<u64>> {
        let file = |(i, size): (usize, &u64)| {
            Arc::new(DataFile {
                path: format!("part-{i}"),
                location: format!("t/part-{i}").into(),
                size: *size,
                modified_ms: 0,
                month: None,
                rows: 1,
                stats: BTreeMap::new(),
            })
        };
        let how = Compaction { file_bytes, memory_bytes: u64::MAX, month: None, least: 2, thorough, dry_run: false };
        let groups = groups(files.iter().enumerate().map(file).collect(), &how);
        groups.iter().map(|g| g.iter().map(|f| f.size).collect()).collect()
    }

    #[test]
    fn groups_make_about_one_file() {
        assert_eq!(sizes(&[40, 30, 40, 30, 40, 30], 100, true), [[30, 30, 30, 40].as_slice(), &[40, 40]]);
        assert_eq!(sizes(&[70, 70, 70], 100, true), [[70, 70].as_slice()]);
        assert_eq!(sizes(&[70], 100, true), Vec::<Vec<u64>>::new());
        assert_eq!(sizes(&[], 100, true), Vec::<Vec<u64>>::new());
    }

    #[test]
    fn a_large_file_waits_for_half_as_much_as_itself() {
        // 3 and less are tiny where files should have 96; 60 waits until there are 30 others, 9 does not.
        assert_eq!(sizes(&[60, 3, 3, 3, 9], 96, false), [[3, 3, 3, 9].as_slice()]);
        assert_eq!(sizes(&[60, 3, 3, 3, 9], 96, true), [[3, 3, 3, 9, 60].as_slice()]);
        assert_eq!(sizes(&[4, 9, 27], 96, false), Vec::<Vec<u64>>::new());
        assert_eq!(sizes(&[60, 61, 3, 1], 96, false), [[1, 3].as_slice(), &[60, 61]]);
        assert_eq!(sizes(&[3, 3, 20, 21], 96, false), [[3, 3].as_slice(), &[20, 21]]);
    }

    #[test]
    fn small_is_below_three_quarters() {
        assert!(is_small(74, 100) && !is_small(75, 100) && !is_small(u64::MAX, 100));
    }
}
