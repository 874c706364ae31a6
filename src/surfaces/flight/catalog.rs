//! Catalogs, schemas, tables and table types, from the list that the engine keeps: nothing is read for them. The columns
//! are exactly the protocol's, with its NOT NULLs: ADBC compares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::kernels::comparison::like;
use arrow_flight::sql::{CommandGetCatalogs, CommandGetDbSchemas, CommandGetTableTypes, CommandGetTables};
use bytes::Bytes;

use super::fields::of_relation;
use super::ipc;
use crate::engine::{CATALOG, Relation, RelationKind};
use crate::error::Result;

const TYPES: [RelationKind; 2] = [RelationKind::Table, RelationKind::View];

/// The relations of the newest state, with the messages that tell their columns. Those are made once for each state, and
/// anew only for what is not as it was in the state before.
#[derive(Default)]
pub struct Catalog(Mutex<Option<Arc<Listed>>>);

struct Listed {
    /// What this is made of; a new state has another list.
    of: Arc<Vec<Relation>>,
    /// By schema and name.
    sorted: Vec<usize>,
    /// IPC messages of the columns, as `sorted`.
    schemas: OnceLock<Vec<Bytes>>,
    /// The last list whose messages were made, until those of this one are.
    before: Mutex<Option<Arc<Listed>>>,
}

impl Catalog {
    fn listed(&self, relations: Arc<Vec<Relation>>) -> Arc<Listed> {
        let mut last = lock(&self.0);
        if let Some(known) = last.as_ref().filter(|known| Arc::ptr_eq(&known.of, &relations)) {
            return Arc::clone(known);
        }
        let mut sorted: Vec<usize> = (0..relations.len()).collect();
        sorted.sort_by_key(|i| (&relations[*i].schema, &relations[*i].name));
        let before = Mutex::new(last.take().and_then(Listed::told));
        let listed = Arc::new(Listed { of: relations, sorted, schemas: OnceLock::new(), before });
        *last = Some(Arc::clone(&listed));
        listed
    }

    /// `GetTables`: patterns with `%`, `_` and `\` before either.
    pub fn tables(&self, relations: Arc<Vec<Relation>>, asked: CommandGetTables) -> Result<RecordBatch> {
        let listed = self.listed(relations);
        let all: Vec<&Relation> = listed.sorted.iter().map(|i| &listed.of[*i]).collect();
        let schemas = matching(all.iter().map(|r| r.schema.as_str()), asked.db_schema_filter_pattern.as_deref())?;
        let names = matching(all.iter().map(|r| r.name.as_str()), asked.table_name_filter_pattern.as_deref())?;
        let wanted = |r: &Relation| asked.table_types.is_empty() || asked.table_types.iter().any(|t| t == kind(r.kind));
        let here = is_ours(asked.catalog.as_deref());
        let chosen: Vec<usize> =
            (0..all.len()).filter(|i| here && schemas.value(*i) && names.value(*i) && wanted(all[*i])).collect();
        let texts = |of: fn(&Relation) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(chosen.iter().map(|i| of(all[*i]))))
        };
        let mut columns = vec![texts(|_| CATALOG), texts(|r| &r.schema), texts(|r| &r.name), texts(|r| kind(r.kind))];
        if asked.include_schema {
            let told = listed.schemas()?;
            columns.push(Arc::new(BinaryArray::from_iter_values(chosen.iter().map(|i| &told[*i]))));
        }
        Ok(RecordBatch::try_new(asked.into_builder().schema(), columns)?)
    }
}

impl Listed {
    /// This list or the last before it whose messages were made.
    fn told(self: Arc<Listed>) -> Option<Arc<Listed>> {
        if self.schemas.get().is_some() { Some(self) } else { lock(&self.before).take() }
    }

    fn schemas(&self) -> Result<&Vec<Bytes>> {
        // Held, so that of several who ask at once only one does the work.
        let mut before = lock(&self.before);
        if let Some(told) = self.schemas.get() {
            return Ok(told);
        }
        let told = self.messages(before.as_deref())?;
        *before = None;
        Ok(self.schemas.get_or_init(|| told))
    }

    /// The messages, those of relations that are as they were taken from `before`.
    fn messages(&self, before: Option<&Listed>) -> Result<Vec<Bytes>> {
        let mut known = HashMap::new();
        if let Some((before, told)) = before.and_then(|before| Some((before, before.schemas.get()?))) {
            let relations = before.sorted.iter().map(|i| &before.of[*i]);
            known.extend(relations.zip(told).map(|(r, told)| ((&r.schema, &r.name), (r, told))));
        }
        let message = |relation: &Relation| -> Result<Bytes> {
            match known.get(&(&relation.schema, &relation.name)) {
                Some((same, told)) if *same == relation => Ok(Bytes::clone(told)),
                _ => Ok(ipc::message(&of_relation(relation))?.into()),
            }
        };
        self.sorted.iter().map(|i| message(&self.of[*i])).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `GetCatalogs`: the one there is.
pub fn catalogs(asked: CommandGetCatalogs) -> Result<RecordBatch> {
    let names: ArrayRef = Arc::new(StringArray::from(vec![CATALOG]));
    Ok(RecordBatch::try_new(asked.into_builder().schema(), vec![names])?)
}

/// `GetDbSchemas`: those with tables in them. `information_schema`, which says the same as these calls do, is not among
/// them; it can be queried.
pub fn schemas(relations: &[Relation], asked: CommandGetDbSchemas) -> Result<RecordBatch> {
    let mut all: Vec<&str> = relations.iter().map(|r| r.schema.as_str()).collect();
    all.sort_unstable();
    all.dedup();
    let chosen = matching(all.iter().copied(), asked.db_schema_filter_pattern.as_deref())?;
    let here = is_ours(asked.catalog.as_deref());
    let names: StringArray = (0..all.len()).filter(|i| here && chosen.value(*i)).map(|i| Some(all[i])).collect();
    let catalogs = StringArray::from_iter_values(std::iter::repeat_n(CATALOG, names.len()));
    Ok(RecordBatch::try_new(asked.into_builder().schema(), vec![Arc::new(catalogs), Arc::new(names)])?)
}

/// `GetTableTypes`.
pub fn table_types(asked: CommandGetTableTypes) -> Result<RecordBatch> {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(TYPES.map(kind)));
    Ok(RecordBatch::try_new(asked.into_builder().schema(), vec![names])?)
}

fn kind(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table => "TABLE",
        RelationKind::View => "VIEW",
    }
}

/// Whether a filter on catalogs lets ours through: "" asks for what is in none.
pub fn is_ours(catalog: Option<&str>) -> bool {
    catalog.is_none_or(|name| name == CATALOG)
}

fn matching<'a>(names: impl Iterator<Item = &'a str>, pattern: Option<&str>) -> Result<BooleanArray> {
    let names = StringArray::from_iter_values(names);
    match pattern {
        None => Ok(BooleanArray::from(vec![true; names.len()])),
        Some(pattern) => Ok(like(&names, &StringArray::new_scalar(pattern))?),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Schema};
    use arrow_flight::sql::metadata::GetTablesBuilder;

    use super::*;
    use crate::engine::RelationColumn;

    fn relation(schema: &str, name: &str, kind: RelationKind) -> Relation {
        let fields = vec![Field::new("net", DataType::Decimal128(18, 4), false)];
        let column = RelationColumn {
            name: "net".into(),
            kind: "DECIMAL(18,4)".into(),
            nullable: false,
            about: "net sales".into(),
        };
        Relation {
            schema: schema.into(),
            name: name.into(),
            kind,
            columns: vec![column],
            about: String::new(),
            arrow: Arc::new(Schema::new(fields)),
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
        }
    }

    fn all() -> Arc<Vec<Relation>> {
        Arc::new(vec![
            relation("main", "sales_event", RelationKind::View),
            relation("main", "salesXevent", RelationKind::View),
            relation("base", "order_line", RelationKind::Table),
        ])
    }

    fn names(asked: CommandGetTables) -> Vec<String> {
        let batch = Catalog::default().tables(all(), asked).unwrap();
        batch.column(2).as_string::<i32>().iter().flatten().map(String::from).collect()
    }

    #[test]
    fn tables_are_found_by_patterns_and_types() {
        let everything = CommandGetTables::default();
        assert_eq!(names(everything.clone()), ["order_line", "salesXevent", "sales_event"]);
        let named = |p: &str| CommandGetTables { table_name_filter_pattern: Some(p.into()), ..everything.clone() };
        assert_eq!(names(named("sales_event")), ["salesXevent", "sales_event"]);
        assert_eq!(names(named("sales\\_event")), ["sales_event"]);
        assert_eq!(names(named("%line")), ["order_line"]);
        let typed = CommandGetTables { table_types: vec!["TABLE".into()], ..everything.clone() };
        assert_eq!(names(typed), ["order_line"]);
        let schema = CommandGetTables { db_schema_filter_pattern: Some("ba_e".into()), ..everything.clone() };
        assert_eq!(names(schema), ["order_line"]);
        for (catalog, found) in [("lake", 3), ("", 0), ("other", 0)] {
            assert_eq!(names(CommandGetTables { catalog: Some(catalog.into()), ..everything.clone() }).len(), found);
        }
    }

    #[test]
    fn what_is_as_it_was_is_told_as_it_was() {
        let catalog = Catalog::default();
        let first = catalog.listed(all());
        let before = first.schemas().unwrap().clone();
        assert!(Arc::ptr_eq(&first, &catalog.listed(Arc::clone(&first.of))));
        // Of this state nobody asks for schemas.
        catalog.listed(all());
        let mut changed = all().to_vec();
        changed[2].columns[0].about = "net sales in GBP".into();
        let second = catalog.listed(Arc::new(changed));
        let after = second.schemas().unwrap();
        for at in 1..3 {
            assert_eq!(after[at].as_ptr(), before[at].as_ptr(), "not made anew");
        }
        let told =
            |message: &[u8]| ipc::schema(message).unwrap().field(0).metadata()["ARROW:FLIGHT:SQL:REMARKS"].clone();
        assert_eq!(told(&before[0]), "net sales");
        assert_eq!(told(&after[0]), "net sales in GBP");
    }

    #[test]
    fn answers_are_those_of_the_protocols_own_builder() {
        let relations = all();
        let asked = CommandGetTables { include_schema: true, ..CommandGetTables::default() };
        let mut builder: GetTablesBuilder = asked.clone().into_builder();
        for r in relations.iter() {
            builder.append(CATALOG, &r.schema, &r.name, kind(r.kind), &of_relation(r)).unwrap();
        }
        let ours = Catalog::default().tables(Arc::clone(&relations), asked).unwrap();
        let theirs = builder.build().unwrap();
        assert_eq!(ours.project(&[0, 1, 2, 3]).unwrap(), theirs.project(&[0, 1, 2, 3]).unwrap());
        assert_eq!(ours.schema(), theirs.schema());
        let told = ipc::schema(ours.column(4).as_binary::<i32>().value(0)).unwrap();
        assert_eq!(told.field(0).metadata()["ARROW:FLIGHT:SQL:REMARKS"], "net sales");
        assert_eq!(told.field(0).metadata()["ARROW:FLIGHT:SQL:TABLE_NAME"], "order_line");
        let schemas = schemas(&relations, CommandGetDbSchemas::default()).unwrap();
        assert_eq!(schemas.column(1).as_string::<i32>(), &StringArray::from(vec!["base", "main"]));
        assert!(schemas.schema().field(0).is_nullable() && !schemas.schema().field(1).is_nullable());
        assert_eq!(catalogs(CommandGetCatalogs {}).unwrap().num_rows(), 1);
        assert_eq!(table_types(CommandGetTableTypes {}).unwrap().num_rows(), 2);
    }
}
