//! Which key stands for a customer, kept version by version in customer_key_history: facts follow what stands there. It must
//! not touch facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::{Decimal128Type, Int32Type};

use super::resolve::{Canonical, Identities, Seen};
use crate::error::{Error, Result};
use crate::ingest::columns::{flags, instant_column, instants, texts};
use crate::ingest::commit::{Attempts, Edit, Writer};
use crate::lake::{DataFile, Lake, Stat, TableState};
use crate::model::{CUSTOMER_IDENTITY, CUSTOMER_KEY_HISTORY};

/// The rule of a version by which a key stands for itself again.
const WITHDRAWN: &str = "withdrawn";

/// The newest version of a given key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub number: i32,
    pub canonical: String,
}

/// By the key as given.
pub(super) type Versions = BTreeMap<String, Version>;

/// The newest versions of all keys, or of those in `wanted`.
pub(super) async fn newest(lake: &Lake, state: &TableState, wanted: Option<&BTreeSet<String>>) -> Result<Versions> {
    const COLUMNS: [&str; 3] = ["customer_key", "version", "canonical_customer_key"];
    let mut found = Versions::new();
    for file in state.files.iter().filter(|file| wanted.is_none_or(|keys| may_have(file, keys))) {
        for batch in lake.read(state, file, Some(&COLUMNS)).await? {
            let (keys, canonicals) = (texts(&batch, COLUMNS[0])?, texts(&batch, COLUMNS[2])?);
            let numbers = batch.column_by_name(COLUMNS[1]).and_then(|c| c.as_primitive_opt::<Int32Type>());
            let numbers = numbers.ok_or_else(|| Error::internal("version is no integer"))?;
            for row in 0..batch.num_rows() {
                let (key, number) = (keys.value(row), numbers.value(row));
                let older = found.get(key).is_some_and(|version| version.number >= number);
                if older || wanted.is_some_and(|wanted| !wanted.contains(key)) {
                    continue;
                }
                found.insert(key.to_string(), Version { number, canonical: canonicals.value(row).to_string() });
            }
        }
    }
    Ok(found)
}

/// Whether the file may have rows of one of `keys`, by its statistics.
fn may_have(file: &DataFile, keys: &BTreeSet<String>) -> bool {
    let stats = file.stats.get("customer_key");
    match stats.map(|stats| (&stats.min, &stats.max)) {
        Some((Some(Stat::Text(min)), Some(Stat::Text(max)))) if min <= max => {
            keys.range::<String, _>(min..=max).next().is_some()
        }
        _ => true,
    }
}

/// Appends what customer_identity says now where that is not yet the newest version.
///
/// What others do meanwhile cannot be undone by an older answer: the identities are read after the history that they are
/// written on, and read again when they have changed before that was committed: whoever changed them may have looked at the
/// history before. Where nothing was committed here, that is theirs to do.
pub(super) async fn bring_up(writer: Writer<'_>) -> Result<()> {
    let lake = writer.lake;
    let mut attempts = Attempts::new(writer, &CUSTOMER_KEY_HISTORY);
    loop {
        let state = lake.state(&CUSTOMER_KEY_HISTORY).await?;
        let identities = lake.state(&CUSTOMER_IDENTITY).await?;
        let (before, now) = (newest(lake, &state, None).await?, resolved(lake, &identities).await?);
        let mut edit = Edit::default();
        edit.add.extend(rows(writer, &changes(&before, now))?);
        edit.info.insert("identified".into(), true.into());
        let Some(version) = attempts.commit(&state, edit).await? else { continue };
        if version == state.version || lake.state(&CUSTOMER_IDENTITY).await?.version == identities.version {
            return Ok(());
        }
    }
}

/// Every key for which another one stands, by the rows of customer_identity.
async fn resolved(lake: &Lake, state: &TableState) -> Result<BTreeMap<String, Canonical>> {
    const COLUMNS: [&str; 8] = [
        "customer_key",
        "id_type",
        "id_value_hash",
        "channel_id",
        "first_seen",
        "confidence",
        "match_rule",
        "is_deleted",
    ];
    let mut found = Identities::default();
    for file in &state.files {
        for batch in lake.read(state, file, Some(&COLUMNS)).await? {
            let (customers, types) = (texts(&batch, "customer_key")?, texts(&batch, "id_type")?);
            let (hashes, channels) = (texts(&batch, "id_value_hash")?, texts(&batch, "channel_id")?);
            let (first_seen, rules) = (instants(&batch, "first_seen")?, texts(&batch, "match_rule")?);
            let confidences = batch.column_by_name("confidence").and_then(|c| c.as_primitive_opt::<Decimal128Type>());
            let confidences = confidences.ok_or_else(|| Error::internal("confidence is no decimal"))?;
            let deleted = flags(&batch, "is_deleted")?;
            for row in (0..batch.num_rows()).filter(|row| !deleted.value(*row)) {
                found.take(Seen {
                    customer: customers.value(row),
                    id_type: types.value(row),
                    id_hash: hashes.value(row),
                    channel: channels.value(row),
                    first_seen: first_seen.value(row),
                    confidence: confidences.value(row),
                    rule: rules.value(row),
                });
            }
        }
    }
    Ok(found.resolve())
}

/// The next versions: key, number, the key that stands for it, rule. By key.
fn changes(before: &Versions, now: BTreeMap<String, Canonical>) -> Vec<(String, i32, Canonical)> {
    let mut next = Vec::new();
    for (key, version) in before.iter().filter(|(key, _)| !now.contains_key(*key)) {
        if version.canonical != *key {
            let itself = Canonical { key: key.clone(), rule: WITHDRAWN.into() };
            next.push((key.clone(), version.number + 1, itself));
        }
    }
    for (key, canonical) in now {
        let known = before.get(&key);
        if known.map_or(key.as_str(), |version| version.canonical.as_str()) != canonical.key {
            next.push((key, known.map_or(0, |version| version.number) + 1, canonical));
        }
    }
    next.sort_by(|a, b| a.0.cmp(&b.0));
    next
}

fn rows(writer: Writer<'_>, versions: &[(String, i32, Canonical)]) -> Result<Option<RecordBatch>> {
    if versions.is_empty() {
        return Ok(None);
    }
    let at = writer.clock.now_micros();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(versions.iter().map(|v| &v.0))),
        Arc::new(Int32Array::from_iter_values(versions.iter().map(|v| v.1))),
        Arc::new(StringArray::from_iter_values(versions.iter().map(|v| &v.2.key))),
        instant_column(versions.iter().map(|_| Some(at))),
        Arc::new(StringArray::from_iter_values(versions.iter().map(|v| &v.2.rule))),
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(writer.batch_id, versions.len()))),
    ];
    Ok(Some(RecordBatch::try_new(CUSTOMER_KEY_HISTORY.schema(), columns)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(of: &[(&str, i32, &str)]) -> Versions {
        let version = |(key, number, canonical): &(&str, i32, &str)| {
            (key.to_string(), Version { number: *number, canonical: canonical.to_string() })
        };
        of.iter().map(version).collect()
    }

    fn told(before: &[(&str, i32, &str)], now: &[(&str, &str)]) -> Vec<String> {
        let canonical = |key: &str| Canonical { key: key.into(), rule: "same_identifier".into() };
        let now = now.iter().map(|(key, stands)| (key.to_string(), canonical(stands))).collect();
        let each = changes(&versions(before), now).into_iter();
        each.map(|(key, number, canonical)| format!("{key} {number} {} {}", canonical.key, canonical.rule)).collect()
    }

    #[test]
    fn only_what_changes_gets_a_version() {
        assert_eq!(told(&[], &[("b", "a"), ("c", "a")]), ["b 1 a same_identifier", "c 1 a same_identifier"]);
        assert!(told(&[("b", 1, "a"), ("c", 1, "a")], &[("b", "a"), ("c", "a")]).is_empty(), "the same again");
        assert_eq!(told(&[("b", 1, "a"), ("c", 1, "a")], &[("c", "b")]), ["b 2 b withdrawn", "c 2 b same_identifier"]);
        assert!(told(&[("b", 2, "b")], &[]).is_empty(), "withdrawn is withdrawn");
        assert_eq!(told(&[("b", 2, "b")], &[("b", "a")]), ["b 3 a same_identifier"]);
    }
}
