//! From a slicer's words to the keys meant: ids or names are looked up in the dimension's current rows (domain 4.1).
//! It must not touch plans: it gives a predicate for a column.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::Result as DfResult;
use datafusion::logical_expr::{Expr, lit};
use datafusion::scalar::ScalarValue;

use crate::engine::functions::{NOT_APPLICABLE, UNKNOWN};
use crate::engine::options::{Policies, Slice};
use crate::error::{Error, Result, did_you_mean, near_names};
use crate::model::slicer::{AS_WAS, ATTRIBUTE_BASIS, SLICERS, Slicer, slicer};

/// The dimension whose keys may stand for others, and the view that tells which.
const CUSTOMER: &str = "customer";
const MERGED_CUSTOMERS: &str = "customer_key_now";

/// One slicer of a query with its values resolved to keys.
#[derive(Debug, Clone)]
pub struct Members {
    slicer: &'static Slicer,
    test: Test,
    /// The test of the column that tells a version, where attributes count as they were.
    of_version: Option<Test>,
}

#[derive(Debug, Clone)]
enum Test {
    /// A boolean column is one of these.
    Flag { yes: bool, no: bool },
    /// A key is one of `keys`, or has no dimension row (`unknown` holds all keys of the dimension), or is NULL.
    Keys { keys: BTreeSet<String>, unknown: Option<Arc<BTreeSet<String>>>, absent: bool },
}

/// The dimension tables whose current rows [`resolve`] will read.
///
/// # Errors
/// A slicer that is not in the closed table, with near names.
pub fn dimensions(slices: &[Slice]) -> Result<BTreeSet<&'static str>> {
    slices.iter().filter_map(|s| find(s).map(|s| s.dimension).transpose()).collect()
}

/// The views that are looked into, too: which customers are one, and, where attributes count as they were, the versions.
pub fn views(slices: &[Slice], policies: &Policies) -> Result<BTreeSet<&'static str>> {
    let as_was = policies.get(ATTRIBUTE_BASIS).is_some_and(|basis| basis == AS_WAS);
    let mut views = BTreeSet::new();
    for slicer in slices.iter().map(find) {
        let slicer = slicer?;
        views.extend(slicer.version.filter(|_| as_was));
        views.extend((slicer.dimension == Some(CUSTOMER)).then_some(MERGED_CUSTOMERS));
    }
    Ok(views)
}

/// The members that `slices` mean; the same slicer twice means both must hold. `rows` gives a dimension's current rows and the
/// rows of [`views`]; of a view that it does not have, nothing is asked.
///
/// # Errors
/// `NotFound`: unknown slicers and values, with near names. `Invalid`: no values, levels that are not.
pub fn resolve(slices: &[Slice], rows: &dyn Fn(&str) -> Option<Vec<RecordBatch>>) -> Result<Vec<Members>> {
    slices
        .iter()
        .map(|slice| {
            let slicer = find(slice)?;
            if slice.values.is_empty() {
                return Err(
                    Error::invalid(format!("slicer {} has no values", slicer.name)).hint("an id, a name, UNK or N/A")
                );
            }
            let Some(dimension) = slicer.dimension else {
                return Ok(Members { slicer, test: flag(slice)?, of_version: None });
            };
            let now = rows(dimension).ok_or_else(|| Error::internal(format!("dimension {dimension} was not read")))?;
            let mut now = Lookup::over(slicer, slicer.dimension_key, slice.level, &now)?;
            if dimension == CUSTOMER {
                now.stand_in(&rows(MERGED_CUSTOMERS).unwrap_or_default())?;
            }
            let versions = slicer.version.and_then(|view| Some((view, rows(view)?)));
            let versions = versions.map(|(key, rows)| Lookup::over(slicer, key, slice.level, &rows)).transpose()?;
            let test = now.test(slice, versions.as_ref())?;
            let of_version = versions.as_ref().map(|versions| versions.test(slice, Some(&now))).transpose()?;
            Ok(Members { slicer, test, of_version })
        })
        .collect()
}

fn find(slice: &Slice) -> Result<&'static Slicer> {
    slicer(&slice.slicer).ok_or_else(|| {
        Error::not_found(format!("there is no slicer '{}'", slice.slicer))
            .hint(did_you_mean(&slice.slicer, SLICERS.iter().map(|s| s.name)))
    })
}

fn flag(slice: &Slice) -> Result<Test> {
    let (mut yes, mut no) = (false, false);
    for value in &slice.values {
        match value.to_ascii_lowercase().as_str() {
            "true" => yes = true,
            "false" => no = true,
            _ => {
                let message = format!("slicer {}: '{value}' is neither true nor false", slice.slicer);
                return Err(Error::invalid(message).hint("true or false"));
            }
        }
    }
    Ok(Test::Flag { yes, no })
}

/// One searched column of a dimension.
struct Searched {
    /// Ids are compared before names: a value that is an id does not also mean namesakes.
    is_id: bool,
    /// Of no level itself: with a level asked for, it counts only on rows of that level.
    own: bool,
    /// A text per dimension row, batch by batch.
    texts: Vec<StringArray>,
}

/// A dimension's rows as one slicer searches them.
struct Lookup {
    keys: Vec<StringArray>,
    columns: Vec<Searched>,
    /// Whether a row itself is of the level asked for, batch by batch.
    of_level: Vec<Vec<bool>>,
    all: Arc<BTreeSet<String>>,
    /// A key in the rows → the key that stands for it and is in none.
    stand_ins: BTreeMap<String, String>,
    /// Keys for which another one stands: no row has them but the dimension's.
    merged: BTreeSet<String>,
}

/// Whether a text is the one that is looked for.
type Fits<'a> = &'a dyn Fn(&str) -> bool;

impl Lookup {
    /// `key` is the column that tells the rows apart.
    fn over(slicer: &Slicer, key: &str, level: Option<u32>, rows: &[RecordBatch]) -> Result<Lookup> {
        let column = |name: &str| -> Result<Vec<StringArray>> { rows.iter().map(|b| texts(b, name)).collect() };
        let keys = column(key)?;
        let searched = |name: &str| {
            let is_id = name.ends_with("_id") || name.ends_with("_key") || name == "sku";
            Ok(Searched { is_id, own: level_of(name).is_none(), texts: column(name)? })
        };
        let columns = searched_columns(slicer, level)?.into_iter().map(searched).collect::<Result<_>>()?;
        let all = keys.iter().flat_map(|k| k.iter().flatten().map(str::to_string)).collect();
        Ok(Lookup {
            keys,
            columns,
            of_level: rows.iter().map(|b| rows_of(b, level)).collect(),
            all: Arc::new(all),
            stand_ins: BTreeMap::new(),
            merged: BTreeSet::new(),
        })
    }

    /// Facts have the keys that stand for others: a customer whose own key is in no row is told by the first of the other ones
    /// that is (view customer_now). `merged` has the columns of [`MERGED_CUSTOMERS`].
    fn stand_in(&mut self, merged: &[RecordBatch]) -> Result<()> {
        let mut stands: BTreeMap<String, String> = BTreeMap::new();
        for batch in merged {
            let (keys, canonicals) = (texts(batch, "customer_key")?, texts(batch, "canonical_customer_key")?);
            for (key, canonical) in keys.iter().zip(canonicals.iter()) {
                let (Some(key), Some(canonical)) = (key, canonical) else { continue };
                self.merged.insert(key.to_string());
                if !self.all.contains(key) || self.all.contains(canonical) {
                    continue;
                }
                let first = stands.entry(canonical.to_string()).or_insert_with(|| key.to_string());
                if key < first.as_str() {
                    *first = key.to_string();
                }
            }
        }
        if !stands.is_empty() {
            self.all = Arc::new(self.all.iter().chain(stands.keys()).cloned().collect());
        }
        self.stand_ins = stands.into_iter().map(|(canonical, key)| (key, canonical)).collect();
        Ok(())
    }

    /// `other`: the same words may be known there instead, and are then nobody here.
    fn test(&self, slice: &Slice, other: Option<&Lookup>) -> Result<Test> {
        let (mut keys, mut unknown, mut absent) = (BTreeSet::new(), None, false);
        for value in &slice.values {
            match value.to_uppercase().as_str() {
                UNKNOWN => unknown = Some(Arc::clone(&self.all)),
                NOT_APPLICABLE => absent = true,
                _ => match self.keys_of(value) {
                    Some(found) => {
                        keys.extend(found.iter().filter_map(|key| self.stand_ins.get(key).cloned()));
                        let tells = |key: &String| !self.merged.contains(key) || self.stand_ins.contains_key(key);
                        keys.extend(found.into_iter().filter(tells));
                    }
                    None if other.is_some_and(|other| other.keys_of(value).is_some()) => {}
                    None => return Err(self.not_found(slice, value)),
                },
            }
        }
        Ok(Test::Keys { keys, unknown, absent })
    }

    /// The keys of the rows that `value` names: by id, else by id in any case, else by name in any case.
    fn keys_of(&self, value: &str) -> Option<BTreeSet<String>> {
        let value = value.trim();
        let lower = value.to_lowercase();
        let exact = |text: &str| text == value;
        let any_case = |text: &str| text.to_lowercase() == lower;
        let tries: [(bool, Fits<'_>); 3] = [(true, &exact), (true, &any_case), (false, &any_case)];
        tries.into_iter().map(|(ids, fits)| self.search(ids, fits)).find(|found| !found.is_empty())
    }

    fn search(&self, ids: bool, fits: Fits<'_>) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for column in self.columns.iter().filter(|c| c.is_id == ids) {
            for ((keys, texts), of_level) in self.keys.iter().zip(&column.texts).zip(&self.of_level) {
                let rows = keys.iter().zip(texts.iter()).zip(of_level);
                let hits = rows.filter(|((_, text), level)| (!column.own || **level) && text.is_some_and(fits));
                found.extend(hits.filter_map(|((key, _), _)| key.map(str::to_string)));
            }
        }
        found
    }

    fn not_found(&self, slice: &Slice, value: &str) -> Error {
        let known: BTreeSet<&str> =
            self.columns.iter().flat_map(|c| c.texts.iter().flat_map(|t| t.iter().flatten())).collect();
        let level = slice.level.map(|l| format!(" at level {l}")).unwrap_or_default();
        let near = near_names(value, known.iter().copied());
        let hint = match (near.is_empty(), known.is_empty()) {
            (false, _) => format!("did you mean {}?", near.join(", ")),
            (true, true) => "its dimension has no rows yet".to_string(),
            (true, false) => format!("ids and names work, and {UNKNOWN} and {NOT_APPLICABLE}"),
        };
        Error::not_found(format!("slicer {}: there is no '{value}'{level}", slice.slicer)).hint(hint)
    }
}

/// The columns in which values are looked up: all of the slicer's, or one level's and the row's own.
fn searched_columns(slicer: &Slicer, level: Option<u32>) -> Result<Vec<&'static str>> {
    let Some(level) = level else { return Ok(slicer.columns.to_vec()) };
    let Some(parameter) = slicer.level else {
        return Err(Error::invalid(format!("slicer {} has no levels", slicer.name)).hint("leave the level out"));
    };
    let fits = |column: &&str| level_of(column).is_none_or(|l| l == level);
    let columns: Vec<&'static str> = slicer.columns.iter().copied().filter(|c| fits(c)).collect();
    if columns.iter().all(|c| level_of(c).is_none()) {
        return Err(Error::invalid(format!("{parameter} = {level}: there is no such level")).hint("levels are 1 to 5"));
    }
    Ok(columns)
}

/// The level in a column's name: `level2_name`, `category_l2_id` → 2.
fn level_of(column: &str) -> Option<u32> {
    let rest = column.strip_prefix("level").or_else(|| column.strip_prefix("category_l"))?;
    rest.split('_').next()?.parse().ok()
}

/// Which rows are of `level` themselves (regions say so); all, where no level is asked for.
fn rows_of(batch: &RecordBatch, level: Option<u32>) -> Vec<bool> {
    let Some(level) = level else { return vec![true; batch.num_rows()] };
    match batch.column_by_name("region_level").and_then(|c| c.as_any().downcast_ref::<Int32Array>()) {
        Some(levels) => levels.iter().map(|l| l.is_some_and(|l| u32::try_from(l) == Ok(level))).collect(),
        None => vec![false; batch.num_rows()],
    }
}

fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray> {
    let column =
        batch.column_by_name(name).ok_or_else(|| Error::internal(format!("a dimension lacks its column {name}")))?;
    Ok(cast(column, &DataType::Utf8)?.as_string::<i32>().clone())
}

impl Members {
    pub fn slicer(&self) -> &'static Slicer {
        self.slicer
    }

    /// The column that tells a row's version, where rows are judged by that.
    pub fn version(&self) -> Option<&'static str> {
        self.of_version.as_ref().and(self.slicer.version)
    }

    /// True for rows whose column `name`, of type `kind`, is a chosen member. NULL is no member but N/A.
    pub fn predicate(&self, name: &str, column: &Expr, kind: &DataType) -> DfResult<Expr> {
        let of_version = self.of_version.as_ref().filter(|_| self.slicer.version == Some(name));
        let mut any: Vec<Expr> = Vec::new();
        match of_version.unwrap_or(&self.test) {
            Test::Flag { yes, no } => {
                let chosen = [(true, *yes), (false, *no)].into_iter().filter(|(_, chosen)| *chosen);
                any.extend(chosen.map(|(value, _)| column.clone().eq(lit(value))));
            }
            Test::Keys { keys, unknown, absent } => {
                if !keys.is_empty() {
                    any.push(column.clone().in_list(literals(keys, kind)?, false));
                }
                match unknown.as_deref() {
                    None => {}
                    // An empty list would be true of NULL too.
                    Some(all) if all.is_empty() => any.push(column.clone().is_not_null()),
                    Some(all) => any.push(column.clone().in_list(literals(all, kind)?, true)),
                }
                if *absent {
                    any.push(column.clone().is_null());
                }
            }
        }
        Ok(any.into_iter().reduce(Expr::or).unwrap_or_else(|| lit(false)))
    }
}

fn literals(keys: &BTreeSet<String>, kind: &DataType) -> DfResult<Vec<Expr>> {
    keys.iter().map(|k| Ok(lit(ScalarValue::Utf8(Some(k.clone())).cast_to(kind)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::ArrayRef;
    use arrow::datatypes::{Field, Schema};
    use datafusion::prelude::col;

    fn regions() -> RecordBatch {
        let text = |values: [Option<&str>; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("region_id", text([Some("r1"), Some("r2"), Some("r3")])),
            ("region_name", text([Some("Harbour"), Some("Hill"), Some("East")])),
            ("region_level", Arc::new(Int32Array::from(vec![2, 2, 3]))),
            ("level1_id", text([Some("e"), Some("e"), Some("w")])),
            ("level1_name", text([Some("East"), Some("East"), Some("West")])),
        ];
        for name in SLICERS.iter().find(|s| s.name == "region").unwrap().columns {
            if columns.iter().all(|(n, _)| n != name) {
                columns.push((name, text([None; 3])));
            }
        }
        let fields: Vec<Field> = columns.iter().map(|(n, c)| Field::new(*n, c.data_type().clone(), true)).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, c)| c).collect()).unwrap()
    }

    fn predicate(values: &[&str], level: Option<u32>) -> Result<String> {
        let slice = Slice { slicer: "region".into(), values: values.iter().map(|v| v.to_string()).collect(), level };
        let members = resolve(&[slice], &|_| Some(vec![regions()]))?;
        Ok(members[0].predicate("region_id", &col("region_id"), &DataType::Utf8View).unwrap().to_string())
    }

    #[test]
    fn ids_then_names_at_any_level() {
        assert_eq!(predicate(&["r1"], None).unwrap(), "region_id IN ([Utf8View(\"r1\")])");
        let east = "region_id IN ([Utf8View(\"r1\"), Utf8View(\"r2\"), Utf8View(\"r3\")])";
        assert_eq!(predicate(&["east"], None).unwrap(), east, "a region's own name and its level's");
        let level_one = "region_id IN ([Utf8View(\"r1\"), Utf8View(\"r2\")])";
        assert_eq!(predicate(&["East"], Some(1)).unwrap(), level_one);
        assert_eq!(predicate(&["E"], None).unwrap(), level_one, "an id in another case");
        assert_eq!(predicate(&["Hill"], Some(2)).unwrap(), "region_id IN ([Utf8View(\"r2\")])", "its own level");
    }

    #[test]
    fn unknown_and_absent() {
        let unknown = "region_id NOT IN ([Utf8View(\"r1\"), Utf8View(\"r2\"), Utf8View(\"r3\")])";
        assert_eq!(predicate(&["UNK"], None).unwrap(), unknown);
        assert_eq!(predicate(&["n/a"], None).unwrap(), "region_id IS NULL");
    }

    #[test]
    fn wrong_words_are_named() {
        let error = predicate(&["Harbor"], None).unwrap_err();
        assert!(error.message().contains("'Harbor'") && error.hint_text().unwrap().contains("Harbour"));
        assert!(predicate(&["East"], Some(7)).unwrap_err().message().contains("region_level = 7"));
        assert!(predicate(&[], None).is_err());
        let slice = Slice { slicer: "regoin".into(), values: vec![], level: None };
        assert!(dimensions(&[slice]).unwrap_err().hint_text().unwrap().contains("region"));
    }
}
