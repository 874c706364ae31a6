//! The names that may be written: relations, their columns, reports and what they take, functions. Read by SQL, so that
//! every backend has them; it must not decide which of them fit where.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use futures::TryStreamExt;

use super::backend::{Backend, Params};
use crate::error::{Error, Result, did_you_mean};

const COLUMNS: &str = "SELECT table_schema, table_name, column_name FROM information_schema.columns \
    ORDER BY table_schema, table_name, ordinal_position";
const REPORTS: &str = "SELECT r.id, p.name, p.allowed_values FROM system.reports r \
    LEFT JOIN system.report_params p ON p.report = r.id ORDER BY 1, 2";
const FUNCTIONS: &str = "SELECT DISTINCT routine_name FROM information_schema.routines ORDER BY 1";

/// Names of this schema need no prefix.
const MAIN: &str = "main";
/// What every report may be given, where it applies.
const COMMON: [(&str, &str); 6] = [
    ("compare", "previous_period,previous_year,previous_year_aligned"),
    ("known_at", ""),
    ("limit", ""),
    ("order_by", ""),
    ("top_n", ""),
    ("totals", "true,false"),
];

/// All names, as of the last look.
#[derive(Debug, Default)]
pub struct Names {
    pub relations: Vec<RelationNames>,
    pub reports: Vec<ReportNames>,
    pub functions: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelationNames {
    pub schema: String,
    pub name: String,
    pub columns: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportNames {
    pub id: String,
    /// What it may be given, with the values that work where the list is closed.
    pub values: Vec<(String, Vec<String>)>,
}

impl RelationNames {
    /// As SQL may write it.
    pub fn shown(&self) -> String {
        if self.schema == MAIN { self.name.clone() } else { format!("{}.{}", self.schema, self.name) }
    }
}

impl Names {
    /// Asks `backend` for all names.
    pub async fn read(backend: &dyn Backend) -> Result<Names> {
        let (columns, reports) = futures::try_join!(texts(backend, COLUMNS), texts(backend, REPORTS))?;
        // A server of another kind may not tell its functions.
        let functions = texts::<1>(backend, FUNCTIONS).await.unwrap_or_default();
        Ok(Names {
            relations: relations(columns),
            reports: self::reports(reports),
            functions: functions.into_iter().map(|[name]| name).collect(),
        })
    }

    /// The relation called `name`, with or without its schema.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn relation(&self, name: &str) -> Result<&RelationNames> {
        let is = |r: &&RelationNames| {
            name.eq_ignore_ascii_case(&r.shown()) || name.eq_ignore_ascii_case(&format!("{}.{}", r.schema, r.name))
        };
        let bare = || self.relations.iter().find(|r| name.eq_ignore_ascii_case(&r.name));
        self.relations.iter().find(is).or_else(bare).ok_or_else(|| {
            let shown: Vec<String> = self.relations.iter().map(RelationNames::shown).collect();
            Error::not_found(format!("there is no table or view {name}"))
                .hint(did_you_mean(name, shown.iter().map(String::as_str)))
        })
    }

    /// The report `id`.
    ///
    /// # Errors
    /// `NotFound` with near names.
    pub fn report(&self, id: &str) -> Result<&ReportNames> {
        self.reports.iter().find(|r| r.id == id).ok_or_else(|| {
            Error::not_found(format!("there is no report {id}"))
                .hint(did_you_mean(id, self.reports.iter().map(|r| r.id.as_str())))
        })
    }
}

fn relations(rows: Vec<[String; 3]>) -> Vec<RelationNames> {
    let mut all: Vec<RelationNames> = Vec::new();
    for [schema, name, column] in rows {
        match all.last_mut().filter(|last| last.schema == schema && last.name == name) {
            Some(last) => last.columns.push(column),
            None => all.push(RelationNames { schema, name, columns: vec![column] }),
        }
    }
    all
}

fn reports(rows: Vec<[String; 3]>) -> Vec<ReportNames> {
    let list = |values: &str| values.split(',').filter(|v| !v.is_empty()).map(String::from).collect::<Vec<_>>();
    let mut all: Vec<ReportNames> = Vec::new();
    for [id, name, allowed] in rows {
        if all.last().is_none_or(|last| last.id != id) {
            all.push(ReportNames { id, values: COMMON.map(|(n, allowed)| (n.to_string(), list(allowed))).to_vec() });
        }
        if let Some(last) = all.last_mut()
            && !name.is_empty()
        {
            last.values.push((name, list(&allowed)));
        }
    }
    all
}

/// The rows of `sql`, its first columns as texts; NULL and missing columns are empty.
async fn texts<const N: usize>(backend: &dyn Backend, sql: &str) -> Result<Vec<[String; N]>> {
    let batches: Vec<RecordBatch> = backend.query(sql, &Params::new()).await?.batches.try_collect().await?;
    let mut rows = Vec::new();
    for batch in batches {
        let columns = batch.columns().iter().map(|c| cast(c, &DataType::Utf8)).collect::<Result<Vec<_>, _>>()?;
        let text = |column: usize, row: usize| match columns.get(column).map(|c| c.as_string::<i32>()) {
            Some(column) if column.is_valid(row) => column.value(row).to_string(),
            _ => String::new(),
        };
        rows.extend((0..batch.num_rows()).map(|row| std::array::from_fn(|column| text(column, row))));
    }
    Ok(rows)
}
