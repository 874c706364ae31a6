//! Which versions of all tables may be shown together: as new as possible, and no batch in part. A pure function.

use std::collections::{BTreeMap, HashSet};

/// The commits of one table after the last head, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Since {
    /// The version that the last head shows; -1 = none.
    pub shown: i64,
    /// The batch of each version after `shown`; `None` = made by another program, which belongs to no batch of ours.
    pub batches: Vec<Option<String>>,
}

/// The versions to show: of every table the commits before the first one that belongs to a batch that is still `open`, or
/// that has to wait because another table's commit of it has to.
pub fn cut(tables: &BTreeMap<&'static str, Since>, open: &HashSet<String>) -> BTreeMap<String, i64> {
    let mut waiting = open.clone();
    loop {
        let before = waiting.len();
        for since in tables.values() {
            let shown = shown(since, &waiting);
            waiting.extend(since.batches[shown..].iter().flatten().cloned());
        }
        if waiting.len() == before {
            break;
        }
    }
    let version = |since: &Since| since.shown + i64::try_from(shown(since, &waiting)).unwrap_or(0);
    tables.iter().map(|(table, since)| (table.to_string(), version(since))).filter(|(_, v)| *v >= 0).collect()
}

/// How many of the commits come before the first one that waits.
fn shown(since: &Since, waiting: &HashSet<String>) -> usize {
    let waits = |batch: &Option<String>| batch.as_ref().is_some_and(|b| waiting.contains(b));
    since.batches.iter().position(waits).unwrap_or(since.batches.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(tables: &[(&'static str, i64, &[&str])], open: &[&str]) -> Vec<i64> {
        let batch = |b: &&str| (!b.is_empty()).then(|| b.to_string());
        let since = |shown: i64, batches: &[&str]| Since { shown, batches: batches.iter().map(batch).collect() };
        let tables: BTreeMap<_, _> = tables.iter().map(|(t, shown, batches)| (*t, since(*shown, batches))).collect();
        let cut = cut(&tables, &open.iter().map(|b| b.to_string()).collect());
        tables.keys().map(|t| cut.get(*t).copied().unwrap_or(-1)).collect()
    }

    #[test]
    fn everything_is_shown_when_nobody_is_at_work() {
        assert_eq!(versions(&[("a", 3, &["x", "y", ""]), ("b", -1, &["y"]), ("c", -1, &[])], &[]), [6, 0, -1]);
        assert_eq!(versions(&[("a", 3, &[])], &["x"]), [3]);
    }

    #[test]
    fn a_batch_at_work_is_not_shown_in_part() {
        // x has committed to a and not yet to b.
        assert_eq!(versions(&[("a", 3, &["x"]), ("b", 5, &[])], &["x"]), [3, 5]);
        // y is whole, but stands on x in a: its part in b waits too, and so does z there.
        assert_eq!(versions(&[("a", 3, &["x", "y"]), ("b", 5, &["y", "z"]), ("c", 0, &["z", "w"])], &["x"]), [3, 5, 0]);
        // z came before: it is shown.
        assert_eq!(versions(&[("a", 3, &["z", "x", "y"]), ("b", 5, &["z", "y"])], &["x"]), [4, 6]);
        // Another program's commit waits only for what it stands on.
        assert_eq!(versions(&[("a", 3, &["", "x", ""]), ("b", 5, &[""])], &["x"]), [4, 6]);
    }
}
