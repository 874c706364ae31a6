//! Primary and foreign keys, from the model's contracts: which columns name a row, and of which table. Nothing is
//! enforced between tables, so their rules are "no action".

use std::sync::Arc;

use arrow::array::{ArrayRef, Int32Array, RecordBatch, StringArray, UInt8Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_flight::sql::{CommandGetPrimaryKeys, UpdateDeleteRules};

use super::catalog::is_ours;
use crate::engine::{CATALOG, ForeignKey, Relation};
use crate::error::Result;

/// A table as a client names it; a part that is not given does not narrow the search.
#[derive(Debug, Clone, Default)]
pub struct Named {
    pub catalog: Option<String>,
    pub schema: Option<String>,
    /// "" = any.
    pub table: String,
}

impl Named {
    fn is(&self, schema: &str, table: &str) -> bool {
        is_ours(self.catalog.as_deref())
            && self.schema.as_deref().is_none_or(|s| s == schema)
            && (self.table.is_empty() || self.table == table)
    }
}

/// By whose names the rows of a list of foreign keys are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Primary,
    Foreign,
}

pub fn primary_schema() -> SchemaRef {
    schema(&[
        ("catalog_name", DataType::Utf8, true),
        ("db_schema_name", DataType::Utf8, true),
        ("table_name", DataType::Utf8, false),
        ("column_name", DataType::Utf8, false),
        ("key_name", DataType::Utf8, true),
        ("key_sequence", DataType::Int32, false),
    ])
}

pub fn foreign_schema() -> SchemaRef {
    schema(&[
        ("pk_catalog_name", DataType::Utf8, true),
        ("pk_db_schema_name", DataType::Utf8, true),
        ("pk_table_name", DataType::Utf8, false),
        ("pk_column_name", DataType::Utf8, false),
        ("fk_catalog_name", DataType::Utf8, true),
        ("fk_db_schema_name", DataType::Utf8, true),
        ("fk_table_name", DataType::Utf8, false),
        ("fk_column_name", DataType::Utf8, false),
        ("key_sequence", DataType::Int32, false),
        ("fk_key_name", DataType::Utf8, true),
        ("pk_key_name", DataType::Utf8, true),
        ("update_rule", DataType::UInt8, false),
        ("delete_rule", DataType::UInt8, false),
    ])
}

fn schema(columns: &[(&str, DataType, bool)]) -> SchemaRef {
    Arc::new(Schema::new(
        columns.iter().map(|(n, t, nullable)| Field::new(*n, t.clone(), *nullable)).collect::<Vec<_>>(),
    ))
}

/// `GetPrimaryKeys`.
pub fn primary(relations: &[Relation], asked: CommandGetPrimaryKeys) -> Result<RecordBatch> {
    let asked = Named { catalog: asked.catalog, schema: asked.db_schema, table: asked.table };
    let mut found: Vec<&Relation> = relations.iter().filter(|r| asked.is(&r.schema, &r.name)).collect();
    found.sort_by_key(|r| (&r.schema, &r.name));
    let rows: Vec<(&Relation, usize)> =
        found.iter().flat_map(|r| (0..r.primary_key.len()).map(move |i| (*r, i))).collect();
    let texts = |of: fn(&(&Relation, usize)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let columns = vec![
        texts(|_| CATALOG.into()),
        texts(|(r, _)| r.schema.clone()),
        texts(|(r, _)| r.name.clone()),
        texts(|(r, i)| r.primary_key[*i].clone()),
        texts(|(r, _)| primary_name(&r.name)),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|(_, i)| *i as i32 + 1))),
    ];
    Ok(RecordBatch::try_new(primary_schema(), columns)?)
}

/// `GetExportedKeys`, `GetImportedKeys` and `GetCrossReference`: the foreign keys from `foreign` to `primary`.
pub fn foreign(relations: &[Relation], primary: &Named, foreign: &Named, by: By) -> Result<RecordBatch> {
    let all = relations.iter().filter(|r| foreign.is(&r.schema, &r.name));
    let mut rows: Vec<(&Relation, &ForeignKey)> = all
        .flat_map(|r| r.foreign_keys.iter().map(move |key| (r, key)))
        .filter(|(_, key)| primary.is(&key.schema, &key.table))
        .collect();
    rows.sort_by_key(|(r, key)| match by {
        By::Primary => (key.schema.clone(), key.table.clone(), foreign_name(r, key)),
        By::Foreign => (r.schema.clone(), r.name.clone(), foreign_name(r, key)),
    });
    let texts = |of: fn(&(&Relation, &ForeignKey)) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let rule: ArrayRef = Arc::new(UInt8Array::from(vec![UpdateDeleteRules::NoAction as u8; rows.len()]));
    let columns = vec![
        texts(|_| CATALOG.into()),
        texts(|(_, key)| key.schema.clone()),
        texts(|(_, key)| key.table.clone()),
        texts(|(_, key)| key.key.clone()),
        texts(|_| CATALOG.into()),
        texts(|(r, _)| r.schema.clone()),
        texts(|(r, _)| r.name.clone()),
        texts(|(_, key)| key.column.clone()),
        // Every foreign key is of one column.
        Arc::new(Int32Array::from(vec![1; rows.len()])),
        texts(|(r, key)| foreign_name(r, key)),
        texts(|(_, key)| primary_name(&key.table)),
        Arc::clone(&rule),
        rule,
    ];
    Ok(RecordBatch::try_new(foreign_schema(), columns)?)
}

/// As `information_schema` calls them.
fn primary_name(table: &str) -> String {
    format!("{table}_pkey")
}

fn foreign_name(relation: &Relation, key: &ForeignKey) -> String {
    format!("{}_{}_fkey", relation.name, key.column)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;
    use crate::engine::RelationKind;

    fn relation(schema: &str, name: &str, primary: &[&str], foreign: &[(&str, &str)]) -> Relation {
        let key = |(column, table): &(&str, &str)| ForeignKey {
            column: column.to_string(),
            schema: "main".into(),
            table: table.to_string(),
            key: format!("{table}_id"),
        };
        Relation {
            schema: schema.into(),
            name: name.into(),
            kind: RelationKind::Table,
            columns: Vec::new(),
            about: String::new(),
            arrow: Arc::new(Schema::empty()),
            primary_key: primary.iter().map(ToString::to_string).collect(),
            foreign_keys: foreign.iter().map(key).collect(),
        }
    }

    fn all() -> Vec<Relation> {
        vec![
            relation("main", "product", &["product_id"], &[]),
            relation("main", "region", &["region_id"], &[]),
            relation(
                "base",
                "order_line",
                &["order_id", "line_id"],
                &[("region_id", "region"), ("product_id", "product")],
            ),
            relation("base", "budget", &[], &[("region_id", "region")]),
        ]
    }

    fn texts(batch: &RecordBatch, column: &str) -> Vec<String> {
        batch.column_by_name(column).unwrap().as_string::<i32>().iter().flatten().map(String::from).collect()
    }

    fn table(name: &str) -> Named {
        Named { table: name.into(), ..Named::default() }
    }

    #[test]
    fn a_primary_key_is_told_column_by_column() {
        let asked = CommandGetPrimaryKeys { catalog: None, db_schema: Some("base".into()), table: "order_line".into() };
        let keys = primary(&all(), asked).unwrap();
        assert_eq!(texts(&keys, "column_name"), ["order_id", "line_id"]);
        assert_eq!(keys.column(5).as_ref(), &Int32Array::from(vec![1, 2]));
        let elsewhere =
            CommandGetPrimaryKeys { catalog: Some(String::new()), db_schema: None, table: "product".into() };
        assert_eq!(primary(&all(), elsewhere).unwrap().num_rows(), 0);
    }

    #[test]
    fn foreign_keys_are_told_from_either_end() {
        let imported = foreign(&all(), &Named::default(), &table("order_line"), By::Primary).unwrap();
        assert_eq!(texts(&imported, "pk_table_name"), ["product", "region"]);
        assert_eq!(texts(&imported, "fk_key_name"), ["order_line_product_id_fkey", "order_line_region_id_fkey"]);
        let exported = foreign(&all(), &table("region"), &Named::default(), By::Foreign).unwrap();
        assert_eq!(texts(&exported, "fk_table_name"), ["budget", "order_line"]);
        let between = foreign(&all(), &table("product"), &table("budget"), By::Primary).unwrap();
        assert_eq!((between.num_rows(), between.schema()), (0, foreign_schema()));
    }
}
