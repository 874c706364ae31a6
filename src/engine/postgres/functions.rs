//! The functions of `pg_catalog` that clients call, beside those of `datafusion-pg-catalog`: what they tell is about the
//! lake. All of them take any arguments as text, because clients pass ids as numbers, texts and columns alike.

use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field};
use datafusion::common::Result as DfResult;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::PG_CATALOG;
use super::listing::{Constraint, Listing};
use super::settings::{FIXED, VERSION, setting};
use crate::engine::session::{CATALOG, MAIN, OWNER};
use crate::error::Error;

/// What a function makes of the texts of its arguments in one row.
type Body = Arc<dyn Fn(&[Option<&str>]) -> DfResult<Option<String>> + Send + Sync>;

struct Function {
    name: &'static str,
    returns: DataType,
    signature: Signature,
    body: Body,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && Arc::ptr_eq(&self.body, &other.body)
    }
}
impl Eq for Function {}
impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }
    fn signature(&self) -> &Signature {
        &self.signature
    }
    fn return_type(&self, _: &[DataType]) -> DfResult<DataType> {
        Ok(self.returns.clone())
    }
    fn coerce_types(&self, types: &[DataType]) -> DfResult<Vec<DataType>> {
        Ok(types.to_vec())
    }
    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> DfResult<ColumnarValue> {
        let texts = args.args.iter().map(|arg| Ok(cast(&arg.to_array(args.number_rows)?, &DataType::Utf8)?));
        let texts: Vec<ArrayRef> = texts.collect::<DfResult<_>>()?;
        let texts: Vec<&StringArray> = texts.iter().map(|array| array.as_string()).collect();
        let row = |at: usize| {
            let cells: Vec<Option<&str>> = texts.iter().map(|t| t.is_valid(at).then(|| t.value(at))).collect();
            (self.body)(&cells)
        };
        let answers: Vec<Option<String>> = (0..args.number_rows).map(row).collect::<DfResult<_>>()?;
        Ok(ColumnarValue::Array(typed(answers, &self.returns)?))
    }
}

fn typed(answers: Vec<Option<String>>, returns: &DataType) -> DfResult<ArrayRef> {
    if let DataType::List(_) = returns {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for answer in &answers {
            match answer {
                Some(words) => lists.append_value(words.split(',').map(Some)),
                None => lists.append_null(),
            }
        }
        return Ok(Arc::new(lists.finish()));
    }
    Ok(cast(&StringArray::from(answers), returns)?)
}

fn function(
    name: &'static str,
    returns: DataType,
    body: impl Fn(&[Option<&str>]) -> Option<String> + Send + Sync + 'static,
) -> ScalarUDF {
    fallible(name, returns, move |args| Ok(body(args)))
}

fn fallible(
    name: &'static str,
    returns: DataType,
    body: impl Fn(&[Option<&str>]) -> DfResult<Option<String>> + Send + Sync + 'static,
) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Stable);
    ScalarUDF::new_from_impl(Function { name, returns, signature, body: Arc::new(body) })
}

/// The same answer to everything.
fn always(name: &'static str, returns: DataType, answer: &str) -> ScalarUDF {
    let answer = answer.to_string();
    function(name, returns, move |_| Some(answer.clone()))
}

fn number(cell: Option<&Option<&str>>) -> Option<i32> {
    cell.copied().flatten()?.trim().parse().ok()
}

/// All of them, over what `listing` tells.
pub fn functions(listing: &Arc<Listing>, views: &BTreeMap<String, String>) -> Vec<ScalarUDF> {
    let mut all = constants();
    all.extend(privileges());
    all.extend(of_settings());
    all.extend(of_relations(listing));
    all.extend(definitions(listing, views));
    all.push(function("format", DataType::Utf8, format));
    all
}

fn constants() -> Vec<ScalarUDF> {
    let texts = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    let mut all = vec![
        always("version", DataType::Utf8, VERSION),
        always("current_schema", DataType::Utf8, MAIN),
        always("current_database", DataType::Utf8, CATALOG),
        function("current_schemas", texts, |args| {
            let implicit = args.first().copied().flatten() == Some("true");
            Some(if implicit { format!("{PG_CATALOG},{MAIN}") } else { MAIN.into() })
        }),
        always("pg_is_in_recovery", DataType::Boolean, "false"),
        always("pg_is_other_temp_schema", DataType::Boolean, "false"),
        always("pg_my_temp_schema", DataType::Int32, "0"),
        always("pg_type_is_visible", DataType::Boolean, "true"),
        always("pg_function_is_visible", DataType::Boolean, "true"),
        always("pg_collation_is_visible", DataType::Boolean, "true"),
        function("pg_size_pretty", DataType::Utf8, |args| Some(format!("{} bytes", args.first().copied().flatten()?))),
        always("pg_advisory_unlock_all", DataType::Utf8, ""),
    ];
    // What there is none of: comments on databases and roles, sequences, partitions, functions, triggers, rules.
    let none = [
        "shobj_description",
        "pg_get_serial_sequence",
        "pg_get_partkeydef",
        "pg_get_partition_constraintdef",
        "pg_get_function_result",
        "pg_get_function_arguments",
        "pg_get_function_identity_arguments",
        "pg_get_triggerdef",
        "pg_get_ruledef",
    ];
    all.extend(none.map(|name| function(name, DataType::Utf8, |_| None)));
    // One name owns everything: who is connected is for the wire to know.
    all.extend(["session_user", "user", "pg_get_userbyid"].map(|name| always(name, DataType::Utf8, OWNER)));
    // Relations have no files of their own here.
    let sizes = ["pg_relation_size", "pg_total_relation_size", "pg_table_size", "pg_indexes_size", "pg_database_size"];
    all.extend(sizes.map(|name| always(name, DataType::Int64, "0")));
    all
}

/// Everything may be read and nothing else.
fn privileges() -> impl Iterator<Item = ScalarUDF> {
    let names = [
        "has_table_privilege",
        "has_any_column_privilege",
        "has_column_privilege",
        "has_schema_privilege",
        "has_database_privilege",
        "has_function_privilege",
    ];
    names.into_iter().map(|name| {
        function(name, DataType::Boolean, |args| {
            let asked = args.last().copied().flatten()?.to_ascii_uppercase();
            let granted = ["SELECT", "USAGE", "CONNECT", "EXECUTE"];
            Some(asked.split(',').any(|privilege| granted.contains(&privilege.trim())).to_string())
        })
    })
}

fn of_settings() -> [ScalarUDF; 2] {
    [
        function("current_setting", DataType::Utf8, |args| setting(args.first().copied().flatten()?).map(Into::into)),
        fallible("set_config", DataType::Utf8, set_config),
    ]
}

/// `set_config(name, value, is_local)` answers what holds anyway, and refuses to change it: a query sets nothing. A fourth
/// argument is the search path, where that is not the server's.
fn set_config(args: &[Option<&str>]) -> DfResult<Option<String>> {
    let [Some(name), value, ..] = *args else { return Ok(None) };
    let name_is = |known: &&str| name.eq_ignore_ascii_case(known);
    let always = setting(name).filter(|_| FIXED.iter().any(name_is));
    let holds = match name_is(&"search_path") {
        true => Some(args.get(3).copied().flatten().unwrap_or(MAIN)),
        false => always,
    };
    if let Some(value) = value.filter(|value| holds.is_some_and(|holds| holds.eq_ignore_ascii_case(value))) {
        return Ok(Some(value.into()));
    }
    let refused = Error::invalid(format!("set_config('{name}', …): a query changes no setting"));
    let refused = match always {
        Some(value) => refused.hint(format!("{name} is always {value}")),
        None => refused.hint(format!("use SET {name} = …")),
    };
    Err(DataFusionError::External(Box::new(refused)))
}

fn of_relations(listing: &Arc<Listing>) -> Vec<ScalarUDF> {
    let mut abouts: HashMap<(i32, i32), String> = HashMap::new();
    let mut oids: HashMap<String, i32> = HashMap::new();
    let mut hidden = Vec::new();
    for entry in &listing.relations {
        abouts.insert((entry.oid, 0), entry.about.clone());
        let columns = (1..).zip(&entry.columns).map(|(number, c)| ((entry.oid, number), c.about.clone()));
        abouts.extend(columns);
        oids.insert(format!("{}.{}", entry.schema, entry.name), entry.oid);
        if [MAIN, PG_CATALOG].contains(&entry.schema.as_str()) {
            oids.insert(entry.name.clone(), entry.oid);
        } else {
            hidden.push(entry.oid);
        }
    }
    abouts.retain(|_, about| !about.is_empty());
    let abouts = Arc::new(abouts);
    let of_columns = Arc::clone(&abouts);
    vec![
        function("obj_description", DataType::Utf8, move |args| abouts.get(&(number(args.first())?, 0)).cloned()),
        function("col_description", DataType::Utf8, move |args| {
            of_columns.get(&(number(args.first())?, number(args.get(1))?)).cloned()
        }),
        function("to_regclass", DataType::Int32, move |args| {
            // A number is the id itself.
            let name = args.first().copied().flatten()?.replace('"', "");
            name.parse().ok().or_else(|| oids.get(&name).copied()).map(|oid| oid.to_string())
        }),
        function("pg_table_is_visible", DataType::Boolean, move |args| {
            number(args.first()).map(|oid| (!hidden.contains(&oid)).to_string())
        }),
    ]
}

fn definitions(listing: &Arc<Listing>, views: &BTreeMap<String, String>) -> [ScalarUDF; 3] {
    let entries = listing.relations.iter().filter(|e| e.view);
    let views: HashMap<i32, String> = entries.filter_map(|e| Some((e.oid, views.get(&e.name)?.clone()))).collect();
    let indexes: HashMap<i32, String> = listing.primary_keys().map(|k| (k.index_oid, index_definition(k))).collect();
    let keys: HashMap<i32, String> = listing.constraints.iter().map(|c| (c.oid, c.definition())).collect();
    [
        function("pg_get_viewdef", DataType::Utf8, move |args| views.get(&number(args.first())?).cloned()),
        function("pg_get_indexdef", DataType::Utf8, move |args| indexes.get(&number(args.first())?).cloned()),
        function("pg_get_constraintdef", DataType::Utf8, move |args| keys.get(&number(args.first())?).cloned()),
    ]
}

/// How the index of a primary key would be declared.
pub fn index_definition(key: &Constraint) -> String {
    let columns = key.column_names.join(", ");
    format!("CREATE UNIQUE INDEX {} ON {}.{} USING btree ({columns})", key.name, key.schema, key.table)
}

/// `format('%I.%I', schema, name)`: %s as it is, %I as a name, %L as a text.
fn format(args: &[Option<&str>]) -> Option<String> {
    let mut rest = args.first().copied().flatten()?;
    let mut values = args.iter().skip(1).copied();
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let mut letters = after.chars();
        match letters.next() {
            Some('s') => out.push_str(values.next().flatten().unwrap_or_default()),
            Some('I') => out.push_str(&name(values.next().flatten().unwrap_or_default())),
            Some('L') => match values.next().flatten() {
                Some(text) => out.push_str(&format!("'{}'", text.replace('\'', "''"))),
                None => out.push_str("NULL"),
            },
            Some(other) => out.push(other),
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    Some(out)
}

/// A name as SQL takes it: quoted if it must be.
fn name(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain { text.into() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::classify::classify;

    #[test]
    fn format_quotes_names_and_texts() {
        let made = |args: &[&str]| format(&args.iter().map(|a| Some(*a)).collect::<Vec<_>>()).unwrap();
        assert_eq!(made(&["%I.%I", "main", "Order Line"]), "main.\"Order Line\"");
        assert_eq!(made(&["%s = %L, 100%%", "x", "it's"]), "x = 'it''s', 100%");
    }

    #[test]
    fn set_config_changes_nothing_and_says_so() {
        let set = |args: &[&str]| set_config(&args.iter().map(|a| Some(*a)).collect::<Vec<_>>());
        for (name, value) in [("search_path", "main"), ("TimeZone", "utc"), ("bytea_output", "hex"), ("jit", "off")] {
            assert_eq!(set(&[name, value, "false"]).unwrap().as_deref(), Some(value), "{name}");
        }
        assert_eq!(set(&["search_path", "base", "false", "base"]).unwrap().as_deref(), Some("base"));
        for (args, hint) in [
            (&["search_path", "base", "false"][..], "use SET search_path"),
            (&["search_path", "main", "false", "base"][..], "use SET search_path"),
            (&["statement_timeout", "0", "true"][..], "use SET statement_timeout"),
            (&["no.such", "x", "false"][..], "use SET no.such"),
            (&["TimeZone", "Asia/Tokyo", "false"][..], "TimeZone is always UTC"),
        ] {
            let error = classify(set(args).unwrap_err());
            assert!(error.hint_text().is_some_and(|told| told.contains(hint)), "{args:?}: {error}");
        }
        assert_eq!(set_config(&[None, Some("x"), Some("false")]).unwrap(), None);
        assert!(set_config(&[Some("search_path"), None, Some("false")]).is_err());
    }
}
