//! The document against the router, its own references, and what `encode` writes.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, ListArray,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int64Type;
use futures::stream;

use super::super::router;
use super::*;
use crate::encode::{self, Options};
use crate::engine::type_name;
use crate::reports::{ColumnInfo, ParamInfo, PolicyInfo, Title};

fn report(id: &str) -> ReportInfo {
    let params = [
        param("from", "date", Some("start of month - 12 months")),
        param("to", "date", Some("2026-07-01")),
        ParamInfo { min: Some("1".into()), max: Some("9".into()), ..param("n", "int", Some("3")) },
        ParamInfo { max: Some("1".into()), ..param("tolerance", "decimal", Some("0")) },
        param("zero", "bool", Some("true")),
        ParamInfo { values: Some(vec!["day".into(), "all".into()]), ..param("grain", "text", Some("all")) },
        param("tags", "list<text>", Some("a,b")),
        ParamInfo { optional: true, values_from_data: true, ..param("device", "text", None) },
    ];
    let policy = PolicyInfo {
        name: "basis".into(),
        values: vec!["sale".into(), "return".into()],
        default: "sale".into(),
        about: String::new(),
    };
    let column = |name: &str, kind: &str| ColumnInfo { name: name.into(), kind: kind.into(), about: "about it".into() };
    ReportInfo {
        id: id.into(),
        folder: "time".into(),
        title: Title { en: "A report".into(), zh: "报表".into() },
        about: "What it answers.".into(),
        params: params.into(),
        policies: vec![policy],
        slicers: vec!["channel".into(), "region".into()],
        columns: vec![column("day", "DATE"), column("net_sales", "DECIMAL(38,4)")],
        key: vec!["day".into()],
        chart: None,
        compares: vec!["net_sales".into()],
        totals: true,
        hash: "h".into(),
        reads: Vec::new(),
        needs: Vec::new(),
    }
}

fn param(name: &str, kind: &'static str, default: Option<&str>) -> ParamInfo {
    ParamInfo {
        name: name.into(),
        kind,
        default: default.map(Into::into),
        optional: false,
        values: None,
        values_from_data: false,
        min: None,
        max: None,
        about: "About it.".into(),
    }
}

fn sample() -> Value {
    document(&[&report("sales-by-day"), &report("2026"), &report("report"), &report("sales_by.day"), &report("sql")])
        .unwrap()
}

/// Every operation with its path.
fn operations(document: &Value) -> Vec<(&str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| item.as_object().unwrap().values().map(|op| (path.as_str(), op))).collect()
}

fn parameter<'a>(operation: &'a Value, name: &str) -> &'a Value {
    operation["parameters"].as_array().unwrap().iter().find(|p| p["name"] == name).unwrap_or(&Value::Null)
}

#[test]
fn every_route_and_every_report_is_told() {
    let document = sample();
    for (route, _) in router::routes() {
        assert!(document["paths"][route].is_object(), "{route}");
    }
    for (id, operation, row) in [
        ("sales-by-day", "run_sales_by_day", "SalesByDayRow"),
        ("2026", "run_report_2026", "Report2026Row"),
        ("report", "run_report_2", "Report2Row"),
        ("sales_by.day", "run_sales_by_day_2", "SalesByDay2Row"),
        ("sql", "run_sql_2", "Sql2Row"),
    ] {
        let run = &document["paths"][format!("/api/v1/reports/{id}/run")]["get"];
        assert_eq!(run["operationId"], operation);
        assert!(document["components"]["schemas"][row]["properties"]["net_sales"].is_object(), "{row}");
    }
}

#[test]
fn operations_have_names_of_their_own_and_references_lead_somewhere() {
    let document = sample();
    assert_eq!(
        (&document["openapi"], &document["info"]["version"]),
        (&json!("3.1.0"), &json!(env!("CARGO_PKG_VERSION")))
    );
    let ids: Vec<&str> = operations(&document).iter().map(|(_, op)| op["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(!references.is_empty());
    for reference in references {
        let target = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(target.is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(String::from));
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

#[test]
fn an_account_is_told_as_it_is_written() {
    let account = sample()["components"]["schemas"]["FileAccount"].clone();
    let required = account["required"].as_array().unwrap();
    assert!(required.contains(&json!("landed")) && !required.contains(&json!("drift")), "{required:?}");
    assert!(required.iter().all(|name| account["properties"][name.as_str().unwrap()].is_object()), "{account}");
    assert!(!account.to_string().contains("\"default\""), "{account}");
}

#[test]
fn all_but_the_probes_need_a_token_and_say_so() {
    let document = sample();
    assert_eq!(document["security"], json!([{ "token": [] }]));
    for (path, operation) in operations(&document) {
        let open = [router::HEALTHZ, router::READYZ].contains(&path);
        assert_eq!(operation["security"] == json!([]), open, "{path}");
        assert_eq!(operation["responses"]["401"].is_null(), open, "{path}");
        assert!(operation["responses"]["500"].is_object(), "{path}");
    }
}

#[test]
fn parameters_have_the_types_of_the_header() {
    let document = sample();
    let run = &document["paths"]["/api/v1/reports/sales-by-day/run"]["get"];
    let from = parameter(run, "from");
    assert_eq!(from["schema"], json!({ "type": "string", "format": "date" }), "a relative default is no date");
    assert!(from["description"].as_str().unwrap().contains("start of month - 12 months"), "{from}");
    for (name, schema) in [
        ("to", json!({ "type": "string", "format": "date", "default": "2026-07-01" })),
        ("n", json!({ "type": "integer", "format": "int64", "default": 3, "minimum": 1, "maximum": 9 })),
        ("tolerance", json!({ "type": "string", "format": "decimal", "default": "0" })),
        ("zero", json!({ "type": "boolean", "default": true })),
        ("grain", json!({ "type": "string", "enum": ["day", "all"], "default": "all" })),
        ("tags", json!({ "type": "array", "items": { "type": "string" } })),
        ("device", json!({ "type": "string" })),
        ("basis", json!({ "type": "string", "enum": ["sale", "return"], "default": "sale" })),
        ("where.channel", json!({ "type": "array", "items": { "type": "string" } })),
        ("where.region_level", json!({ "type": "integer", "minimum": 1, "maximum": 5 })),
        ("totals", json!({ "type": "boolean" })),
    ] {
        assert_eq!(parameter(run, name)["schema"], schema, "{name}");
    }
    assert!(parameter(run, "where.category_level").is_null());
    let told = parameter(run, "tolerance")["description"].as_str().unwrap().to_string();
    assert!(told.contains("At most 1"), "{told}");
}

#[test]
fn a_parameter_without_default_that_is_not_optional_is_required() {
    let mut info = report("r");
    info.params = vec![param("given", "text", None), ParamInfo { optional: true, ..param("left", "text", None) }];
    let document = document(&[&info]).unwrap();
    let run = &document["paths"]["/api/v1/reports/r/run"]["get"];
    assert_eq!(parameter(run, "given")["required"], true);
    assert!(parameter(run, "left")["required"].is_null());
}

/// A column of every shape that results have, a value and a NULL in each.
fn columns() -> Vec<ArrayRef> {
    let zoned = TimestampMicrosecondArray::from(vec![Some(1_767_196_800_000_000), None]);
    vec![
        Arc::new(BooleanArray::from(vec![Some(true), None])),
        Arc::new(Int32Array::from(vec![Some(7), None])),
        Arc::new(Int64Array::from(vec![Some(7), None])),
        Arc::new(Float64Array::from(vec![Some(0.5), None])),
        Arc::new(Decimal128Array::from(vec![Some(105_000), None]).with_precision_and_scale(38, 4).unwrap()),
        Arc::new(StringArray::from(vec![Some("x"), None])),
        Arc::new(Date32Array::from(vec![Some(20_000), None])),
        Arc::new(zoned.clone()),
        Arc::new(zoned.with_timezone("UTC")),
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1)]), None])),
    ]
}

#[tokio::test]
async fn values_are_told_as_they_are_written() {
    for column in columns() {
        let sql = type_name(column.data_type());
        let batch = RecordBatch::try_from_iter([("c", column)]).unwrap();
        let (schema, mut out) = (batch.schema(), Vec::new());
        let batches = stream::iter([Ok(batch)]);
        encode::write_stream(schema, batches, Format::Json, &mut out, &Options::default()).await.unwrap();
        let written: Value = serde_json::from_slice(&out).unwrap();
        let told = schemas::value(&sql);
        assert!(written["rows"][1]["c"].is_null() && told["type"][1] == "null", "{sql}");
        let value = &written["rows"][0]["c"];
        let kind = match value {
            Value::Bool(_) => "boolean",
            Value::Number(n) if n.is_i64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            _ => "none",
        };
        assert_eq!(told["type"][0], kind, "{sql}: {value} and {told}");
        let dated = told["format"].as_str().is_none_or(|format| match format {
            "date" => value.as_str().is_some_and(|text| text.parse::<chrono::NaiveDate>().is_ok()),
            "date-time" => value.as_str().is_some_and(|t| chrono::DateTime::parse_from_rfc3339(t).is_ok()),
            _ => true,
        });
        assert!(dated, "{sql}: {value} and {told}");
    }
}
