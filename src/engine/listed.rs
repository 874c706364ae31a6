//! Lists for clients that know SQL only: `system.reports`, `system.report_params`, `system.relations` and `system.columns`.
//! It must not run reports nor read tables.

use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::calls::ReportSource;
use super::relations::Relation;
use super::scan::scan_made;

/// A report, for its rows in the lists.
#[derive(Debug, Clone, Default)]
pub struct ReportRow {
    pub id: String,
    pub folder: String,
    pub title: String,
    pub title_zh: String,
    pub about: String,
    pub params: Vec<ReportParam>,
}

/// A parameter, policy or slicer of a report.
#[derive(Debug, Clone, Default)]
pub struct ReportParam {
    pub name: String,
    /// `date`, `text` …, `policy` or `slicer`.
    pub kind: String,
    pub default: Option<String>,
    /// The closed list of values, with commas.
    pub values: Option<String>,
    pub about: String,
}

/// Where the lists take reports from; nobody may have said yet.
#[derive(Clone, Default)]
pub struct Known(Arc<ArcSwapOption<Weak<dyn ReportSource>>>);

impl std::fmt::Debug for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Known")
    }
}

impl Known {
    /// Held weakly: reports hold the engine.
    pub fn set(&self, source: Weak<dyn ReportSource>) {
        self.0.store(Some(Arc::new(source)));
    }
    pub fn get(&self) -> Option<Arc<dyn ReportSource>> {
        self.0.load().as_ref().and_then(|source| source.upgrade())
    }
    fn rows(&self) -> Vec<ReportRow> {
        self.get().map(|source| source.rows()).unwrap_or_default()
    }
}

/// A list's column and its meaning.
type Columns = &'static [(&'static str, DataType, bool, &'static str)];
const TEXT: DataType = DataType::Utf8View;

const REPORTS: Columns = &[
    ("id", TEXT, false, "the report's id"),
    ("folder", TEXT, false, "what it is about: time, product, region …"),
    ("title", TEXT, false, "title in English"),
    ("title_zh", TEXT, false, "title in Chinese"),
    ("about", TEXT, false, "formula and choices"),
];
const REPORT_PARAMS: Columns = &[
    ("report", TEXT, false, "the report's id"),
    ("name", TEXT, false, "as in report('id', 'name=value')"),
    ("type", TEXT, false, "date, text …; policy; slicer"),
    ("default_value", TEXT, true, "what holds when it is not given"),
    ("allowed_values", TEXT, true, "the closed list, with commas; NULL = any of its type"),
    ("about", TEXT, false, "meaning"),
];
const RELATIONS: Columns = &[
    ("schema_name", TEXT, false, "main needs no prefix"),
    ("name", TEXT, false, "of the table or view"),
    ("kind", TEXT, false, "table or view"),
    ("about", TEXT, false, "what a row is"),
];
const COLUMNS: Columns = &[
    ("schema_name", TEXT, false, "main needs no prefix"),
    ("relation", TEXT, false, "name of the table or view"),
    ("name", TEXT, false, "of the column"),
    ("type", TEXT, false, "SQL type"),
    ("nullable", DataType::Boolean, false, "whether it may be NULL"),
    ("about", TEXT, false, "meaning and unit"),
];

/// The tables of the lists for a snapshot whose tables and views are `all`, by name.
pub fn lists(known: &Known, all: &Arc<Vec<Relation>>) -> Vec<(&'static str, Arc<dyn TableProvider>)> {
    let of = |name: &str| match name {
        "reports" => Of::Reports(known.clone()),
        "report_params" => Of::Params(known.clone()),
        "relations" => Of::Relations(Arc::clone(all)),
        _ => Of::Columns(Arc::clone(all)),
    };
    let table = |(name, _, columns): &(&'static str, &str, Columns)| -> (&'static str, Arc<dyn TableProvider>) {
        (*name, Arc::new(List { schema: schema(columns), of: of(name) }))
    };
    LISTS.iter().map(table).collect()
}

/// A list by its name below `system`, what it holds, and its columns.
pub const LISTS: [(&str, &str, Columns); 4] = [
    ("reports", "The reports: SELECT * FROM report('id', 'name=value').", REPORTS),
    ("report_params", "What may be asked of each report.", REPORT_PARAMS),
    ("relations", "Tables and views with their meaning.", RELATIONS),
    ("columns", "Their columns with type and meaning.", COLUMNS),
];

pub fn schema(columns: Columns) -> SchemaRef {
    let fields = columns.iter().map(|(name, kind, nullable, _)| Field::new(*name, kind.clone(), *nullable));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// What a list lists.
#[derive(Debug)]
pub enum Of {
    Reports(Known),
    Params(Known),
    Relations(Arc<Vec<Relation>>),
    Columns(Arc<Vec<Relation>>),
}

/// One list as a table; its rows are made when it is read.
#[derive(Debug)]
pub struct List {
    schema: SchemaRef,
    of: Of,
}

impl List {
    fn batch(&self) -> DfResult<RecordBatch> {
        let columns = match &self.of {
            Of::Reports(known) => reports(&known.rows()),
            Of::Params(known) => params(&known.rows()),
            Of::Relations(all) => relations(all),
            Of::Columns(all) => columns(all),
        };
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

fn texts<'a, T: 'a>(rows: impl IntoIterator<Item = &'a T>, pick: impl Fn(&'a T) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rows.into_iter().map(pick).collect::<StringViewArray>())
}

fn reports(rows: &[ReportRow]) -> Vec<ArrayRef> {
    vec![
        texts(rows, |r| Some(&r.id)),
        texts(rows, |r| Some(&r.folder)),
        texts(rows, |r| Some(&r.title)),
        texts(rows, |r| Some(&r.title_zh)),
        texts(rows, |r| Some(&r.about)),
    ]
}

fn params(rows: &[ReportRow]) -> Vec<ArrayRef> {
    let all: Vec<(&str, &ReportParam)> = rows.iter().flat_map(|r| r.params.iter().map(|p| (&*r.id, p))).collect();
    vec![
        texts(&all, |(report, _)| Some(report)),
        texts(&all, |(_, p)| Some(&p.name)),
        texts(&all, |(_, p)| Some(&p.kind)),
        texts(&all, |(_, p)| p.default.as_deref()),
        texts(&all, |(_, p)| p.values.as_deref()),
        texts(&all, |(_, p)| Some(&p.about)),
    ]
}

fn relations(all: &[Relation]) -> Vec<ArrayRef> {
    vec![
        texts(all, |r| Some(&r.schema)),
        texts(all, |r| Some(&r.name)),
        texts(all, |r| Some(r.kind.name())),
        texts(all, |r| Some(&r.about)),
    ]
}

fn columns(all: &[Relation]) -> Vec<ArrayRef> {
    let all: Vec<_> = all.iter().flat_map(|r| r.columns.iter().map(move |c| (r, c))).collect();
    vec![
        texts(&all, |(r, _)| Some(&r.schema)),
        texts(&all, |(r, _)| Some(&r.name)),
        texts(&all, |(_, c)| Some(&c.name)),
        texts(&all, |(_, c)| Some(&c.kind)),
        Arc::new(all.iter().map(|(_, c)| Some(c.nullable)).collect::<BooleanArray>()),
        texts(&all, |(_, c)| Some(&c.about)),
    ]
}

#[async_trait]
impl TableProvider for List {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
    fn table_type(&self) -> TableType {
        TableType::Temporary
    }
    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        scan_made(|| self.batch(), session, projection, filters, limit).await
    }
}
