//! The receipt of a run: enough to ask the same question again and to see whether the answer is the same.
//! It must not hold rows.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::info::ReportInfo;
use super::params::shown;
use super::request::Asked;
use crate::access::Caller;
use crate::engine::CompareMode;
use crate::queryfile::QueryFile;

/// What is known of a run before its first row.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReceiptHead {
    pub report: String,
    /// Hash of the report's text and of the views that it reads.
    pub hash: String,
    /// Every parameter, relative dates resolved; NULL where it was left out.
    pub parameters: BTreeMap<String, Option<String>>,
    /// Every policy with the value that held.
    pub policies: BTreeMap<String, String>,
    pub slicers: BTreeMap<String, String>,
    pub compare: Option<&'static str>,
    pub order_by: Vec<String>,
    pub limit: Option<u64>,
    pub top_n: Option<u64>,
    pub totals: bool,
    /// The instant as of which the lake's state was asked for; NULL = now.
    pub known_at: Option<String>,
    /// The engine's snapshot.
    pub snapshot: String,
    /// Delta versions of the tables read; −1 = never written.
    pub versions: BTreeMap<String, i64>,
    /// What rollups answered of it, or why they did not.
    pub rollups: Vec<String>,
    /// The rows were there already: the same had been asked of the same versions.
    pub cached: bool,
    /// What a reader should know: which days the data covers when the period reaches beyond.
    pub notes: Vec<String>,
}

/// A finished run.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Receipt {
    #[serde(flatten)]
    pub head: ReceiptHead,
    pub rows: u64,
    /// Of the encoded rows, in their order.
    pub checksum: String,
    pub seconds: f64,
}

impl ReceiptHead {
    pub(super) fn new(
        info: &ReportInfo,
        asked: &Asked,
        snapshot: String,
        versions: BTreeMap<String, i64>,
    ) -> ReceiptHead {
        let options = &asked.options;
        let parameters = options.params.iter().map(|(name, value)| {
            let text = Some(shown(value)).filter(|text| !text.is_empty());
            (name.clone(), text)
        });
        let slicers = options.slices.iter().map(|slice| {
            let level = slice.level.map(|l| format!(" (level {l})")).unwrap_or_default();
            (slice.slicer.clone(), format!("{}{level}", slice.values.join(",")))
        });
        let order = options.order_by.iter().map(|o| format!("{}{}", if o.descending { "-" } else { "" }, o.column));
        ReceiptHead {
            report: info.id.clone(),
            hash: info.hash.clone(),
            parameters: parameters.collect(),
            policies: asked.policies.clone(),
            slicers: slicers.collect(),
            compare: options.compare.as_ref().map(|c| mode(c.mode)),
            order_by: order.collect(),
            limit: options.limit,
            top_n: options.top_n,
            totals: options.totals,
            known_at: None,
            snapshot,
            versions,
            rollups: Vec::new(),
            cached: false,
            notes: Vec::new(),
        }
    }

    /// Adds what is known after the last row.
    pub fn finish(self, rows: u64, checksum: impl Into<String>, seconds: f64) -> Receipt {
        Receipt { head: self, rows, checksum: checksum.into(), seconds }
    }

    /// Differs whenever the answer may: the question, the report's text, who asks, and the versions of the tables read.
    /// Surfaces add the format. The snapshot's id is not part of it: other tables may move.
    pub fn etag_key(&self, caller: &Caller) -> String {
        let mut lines =
            vec![format!("saleslake {}", env!("CARGO_PKG_VERSION")), caller.scope.fingerprint().to_string()];
        lines.push(format!("{} {}", self.report, self.hash));
        lines.extend(self.parameters.iter().map(|(name, value)| format!("{name}={value:?}")));
        lines.extend(self.policies.iter().map(|(name, value)| format!("{name}={value}")));
        lines.extend(self.slicers.iter().map(|(name, value)| format!("where.{name}={value:?}")));
        lines.push(format!("{:?} {:?} {:?} {}", self.compare, self.order_by, self.limit, self.totals));
        lines.push(format!("{:?}", self.top_n));
        lines.extend(self.versions.iter().map(|(table, version)| format!("{table}@{version}")));
        hash_of(lines.iter().map(String::as_str))
    }
}

fn mode(mode: CompareMode) -> &'static str {
    match mode {
        CompareMode::PreviousPeriod => "previous_period",
        CompareMode::PreviousYear => "previous_year",
        CompareMode::PreviousYearAligned => "previous_year_aligned",
    }
}

/// The hash of a report: of its text and of the names and texts of `views`.
pub(super) fn report_hash<'a>(file: &'a QueryFile, views: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let texts = views.flat_map(|(name, text)| [name.as_str(), text.as_str()]);
    hash_of([file.text.as_str()].into_iter().chain(texts))
}

/// 128 bits of SHA-256, in hex; texts are told apart by their lengths.
fn hash_of<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> ReceiptHead {
        ReceiptHead {
            report: "sales".into(),
            hash: "h".into(),
            parameters: [("from".to_string(), Some("2026-01-01".to_string()))].into(),
            policies: BTreeMap::new(),
            slicers: BTreeMap::new(),
            compare: None,
            order_by: vec![],
            limit: None,
            top_n: None,
            totals: false,
            known_at: None,
            snapshot: "s".into(),
            versions: [("order_line".to_string(), 3)].into(),
            rollups: vec![],
            cached: false,
            notes: vec![],
        }
    }

    #[test]
    fn the_etag_key_changes_with_the_answer_and_only_then() {
        let caller = Caller::local();
        let key = head().etag_key(&caller);
        assert_eq!(key.len(), 32);
        let same = ReceiptHead { snapshot: "other".into(), cached: true, notes: vec!["n".into()], ..head() };
        assert_eq!(same.etag_key(&caller), key);
        let changed = [
            ReceiptHead { versions: [("order_line".to_string(), 4)].into(), ..head() },
            ReceiptHead { hash: "i".into(), ..head() },
            ReceiptHead { parameters: [("from".to_string(), None)].into(), ..head() },
            ReceiptHead { slicers: [("channel".to_string(), "web".to_string())].into(), ..head() },
            ReceiptHead { totals: true, ..head() },
            ReceiptHead { limit: Some(1), ..head() },
            ReceiptHead { top_n: Some(1), ..head() },
        ];
        assert!(changed.iter().all(|c| c.etag_key(&caller) != key));
    }

    #[test]
    fn hashes_tell_texts_apart_by_their_borders() {
        assert_ne!(hash_of(["ab", "c"].into_iter()), hash_of(["a", "bc"].into_iter()));
    }

    #[test]
    fn a_receipt_is_flat_json() {
        let json = serde_json::to_value(head().finish(2, "abc", 0.5)).unwrap();
        assert_eq!((&json["report"], &json["rows"], &json["checksum"]), (&"sales".into(), &2.into(), &"abc".into()));
    }
}
