//! What surfaces tell about a report: plain, serialisable data. It must not hold SQL to be run.

use serde::Serialize;
use utoipa::ToSchema;

use super::header::{Allowed, Chart, Header, ParamHeader, ParamKind, Title, text_of};
use crate::engine::{Described, Policy, type_name};
use crate::queryfile::QueryFile;

/// A report, described.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReportInfo {
    pub id: String,
    /// The folder below `reports/`: time, product, region …
    pub folder: String,
    pub title: Title,
    /// Formula and choices.
    pub about: String,
    pub params: Vec<ParamInfo>,
    /// Policies that a caller may choose.
    pub policies: Vec<PolicyInfo>,
    /// Slicers that apply.
    pub slicers: Vec<String>,
    pub columns: Vec<ColumnInfo>,
    /// Columns that identify a row.
    pub key: Vec<String>,
    pub chart: Option<Chart>,
    /// Whether `compare` can be asked for, and which columns it compares.
    pub compares: Vec<String>,
    /// Whether `totals` can be asked for.
    pub totals: bool,
    /// Changes whenever the report's text or a view that it reads does.
    pub hash: String,
    /// Tables and views that it reads, through views too.
    pub reads: Vec<String>,
    /// Tables and columns without which it has nothing to tell: `inventory_snapshot`, `order_line.cost_amount`.
    pub needs: Vec<String>,
}

impl ReportInfo {
    /// The columns that the report is about: what its chart shows.
    pub fn main(&self) -> &[String] {
        self.chart.as_ref().map_or(&[], |chart| &chart.y)
    }

    /// Whether the request's value `name` is a list: texts between commas.
    pub fn is_list(&self, name: &str) -> bool {
        let slicer = name.strip_prefix("where.").is_some_and(|word| self.slicers.iter().any(|s| s == word));
        slicer
            || name == "order_by"
            || self.params.iter().any(|p| p.name == name && p.kind == ParamKind::TextList.name())
    }
}

/// A parameter: defaults and bounds as text, dates relative as written.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParamInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub default: Option<String>,
    pub optional: bool,
    /// The closed list of values.
    pub values: Option<Vec<String>>,
    /// The values come from the data: ask for them.
    pub values_from_data: bool,
    pub min: Option<String>,
    pub max: Option<String>,
    pub about: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PolicyInfo {
    pub name: String,
    pub values: Vec<String>,
    pub default: String,
    pub about: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ColumnInfo {
    pub name: String,
    /// The SQL type's name.
    #[serde(rename = "type")]
    pub kind: String,
    pub about: String,
}

/// A report file that cannot be served, and why.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Broken {
    pub id: String,
    /// The file below `queries/`.
    pub path: String,
    pub reason: String,
    pub hint: Option<String>,
}

impl ReportInfo {
    pub(super) fn new(file: &QueryFile, header: &Header, described: &Described, hash: String) -> ReportInfo {
        let columns = described.schema.fields().iter().map(|field| ColumnInfo {
            name: field.name().clone(),
            kind: type_name(field.data_type()),
            about: header.columns.get(field.name()).cloned().unwrap_or_default(),
        });
        let policies = described.policies.iter().filter(|(name, _)| !header.fixed.contains_key(*name));
        ReportInfo {
            id: file.name.clone(),
            folder: folder(&file.path),
            title: header.title.clone(),
            about: one_line(&header.about),
            params: header.params.0.iter().map(|(name, param)| ParamInfo::new(name, param)).collect(),
            policies: policies.map(|(name, policy)| PolicyInfo::new(name, policy)).collect(),
            slicers: described.slicers.iter().map(|s| s.to_string()).collect(),
            columns: columns.collect(),
            key: header.key.clone(),
            chart: header.chart.clone(),
            compares: header.period.as_ref().map(|p| p.measures.clone()).unwrap_or_default(),
            totals: header.totals.unwrap_or(described.can_total),
            hash,
            reads: described.relations.iter().cloned().collect(),
            needs: header.needs.clone().unwrap_or_else(|| described.needs.iter().cloned().collect()),
        }
    }
}

impl ParamInfo {
    fn new(name: &str, header: &ParamHeader) -> ParamInfo {
        let values = match &header.values {
            Some(Allowed::List(values)) => Some(values.clone()),
            _ => None,
        };
        ParamInfo {
            name: name.into(),
            kind: header.kind.name(),
            default: header.default.as_ref().map(text_of),
            optional: header.optional,
            values,
            values_from_data: matches!(header.values, Some(Allowed::Query(_))),
            min: header.min.as_ref().map(text_of),
            max: header.max.as_ref().map(text_of),
            about: header.about.clone(),
        }
    }
}

impl PolicyInfo {
    fn new(name: &str, policy: &Policy) -> PolicyInfo {
        PolicyInfo {
            name: name.into(),
            values: policy.values.clone(),
            default: policy.default.clone(),
            about: policy.about.clone(),
        }
    }
}

/// `reports/time/sales-summary.sql` → `time`.
fn folder(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', '\\']).collect();
    let end = parts.len().saturating_sub(1);
    parts.get(1..end).unwrap_or_default().join("/")
}

/// Line breaks of the header's text are only layout.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_from_paths() {
        assert_eq!(folder("reports/time/sales-summary.sql"), "time");
        assert_eq!(folder("reports/loose.sql"), "");
        assert_eq!(folder("reports/a/b/c.sql"), "a/b");
    }
}
