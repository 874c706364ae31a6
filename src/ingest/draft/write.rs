//! The draft's text: a header and the SELECTs, each assumption beside what it is about. It must not guess.

use std::fmt::Write;
use std::path::Path;

use super::expressions::{self, literal};
use super::guesses::Guesses;
use super::names::Meaning;
use super::notes::{Note, NoteKind, Place};
use super::sniff::Format;
use super::title;

/// Records among which one is that lands the channel: a rejected record gives no row.
const CHANNEL_RECORDS: usize = 1000;

/// The whole file.
pub(super) fn text(path: &Path, guesses: &Guesses<'_>, notes: &[Note]) -> String {
    let mut text = header(path, guesses, notes);
    let lines = guesses.file.columns.iter().any(|c| c.in_lines);
    select(
        &mut text,
        "order_line",
        false,
        notes,
        &expressions::order_line(guesses),
        &expressions::from(guesses, lines),
        None,
    );
    for reference in references(guesses) {
        let Reference { table, given, from, condition } = reference;
        text.push('\n');
        select(&mut text, table, true, notes, &given, &from, condition.as_deref());
    }
    text
}

/// A SELECT that gleans rows of a dimension.
struct Reference {
    table: &'static str,
    given: Vec<(String, &'static str)>,
    from: String,
    condition: Option<String>,
}

fn references(guesses: &Guesses<'_>) -> Vec<Reference> {
    let mut all = Vec::new();
    // Rows of one column's values: from the lines if any column of them is inside.
    let mut add = |table, key: Meaning, given: Option<Vec<(String, &'static str)>>| {
        let (Some(given), Some(key)) = (given, guesses.of(key)) else { return };
        let in_lines =
            guesses.file.columns.iter().any(|c| c.in_lines && given.iter().any(|(sql, _)| sql.contains(&c.sql)));
        let condition = Some(format!("{} IS NOT NULL", key.sql));
        all.push(Reference { table, given, from: expressions::from(guesses, in_lines), condition });
    };
    let plain = |meaning| guesses.of(meaning).map(|c| c.sql.clone());
    add("product", Meaning::Sku, expressions::product(guesses));
    add("channel", Meaning::ChannelId, plain(Meaning::ChannelId).map(|c| vec![(c, "channel_id")]));
    add("customer", Meaning::CustomerKey, expressions::customer_key(guesses).map(|c| vec![(c, "customer_key")]));
    add("location", Meaning::LocationId, expressions::location(guesses));
    let region = plain(Meaning::RegionId).map(|r| vec![(r.clone(), "region_id"), (r, "region_name")]);
    add("region", Meaning::RegionId, region);
    if guesses.of(Meaning::ChannelId).is_none() {
        let given = [
            (literal(guesses.name), "channel_id"),
            (literal(&title(guesses.name)), "channel_name"),
            ("'other'".to_string(), "channel_type"),
        ];
        let condition = Some(format!("_line <= {CHANNEL_RECORDS}"));
        all.push(Reference { table: "channel", given: given.into(), from: "raw".into(), condition });
    }
    all
}

fn select(
    text: &mut String,
    table: &str,
    reference: bool,
    notes: &[Note],
    given: &[(String, &str)],
    from: &str,
    condition: Option<&str>,
) {
    let directive = if reference { ", reference = true" } else { "" };
    let _ = writeln!(text, "-- into = \"{table}\"{directive}");
    let place = match table {
        "product" => Place::Product,
        "channel" => Place::Channel,
        "customer" => Place::Customer,
        "location" => Place::Location,
        "order_line" => Place::OrderLine,
        _ => Place::Nowhere,
    };
    comments(text, notes, place, "-- ");
    for (i, (sql, column)) in given.iter().enumerate() {
        let (start, comma) = (if i == 0 { "SELECT " } else { "       " }, if i + 1 < given.len() { "," } else { "" });
        let _ = writeln!(text, "{start}{sql} AS {column}{comma}");
    }
    let _ = write!(text, "FROM   {from}");
    if let Some(condition) = condition {
        let _ = write!(text, "\nWHERE  {condition}");
    }
    text.push_str(";\n");
}

/// What is to be done comes first.
fn comments(text: &mut String, notes: &[Note], place: Place, start: &str) {
    let (todo, others): (Vec<&Note>, Vec<&Note>) =
        notes.iter().filter(|n| n.place == place).partition(|n| n.kind == NoteKind::Missing);
    for note in todo.into_iter().chain(others) {
        if place != Place::Nowhere {
            let _ = writeln!(text, "{start}{}", note.comment());
        }
    }
}

fn header(path: &Path, guesses: &Guesses<'_>, notes: &[Note]) -> String {
    let shown = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let mut toml = String::new();
    let _ = writeln!(toml, "title = {}", quoted(&title(guesses.name)));
    let about = format!("Drafted from {shown}: guessed from its names and values, so read it once.");
    let _ = writeln!(toml, "about = {}", quoted(&about));
    toml.push_str("[read]\n");
    let format = match &guesses.file.format {
        Format::Csv { .. } => "csv",
        Format::Ndjson { .. } => "ndjson",
        Format::Json { .. } => "json",
        Format::Parquet => "parquet",
        Format::Arrow => "arrow",
        Format::Excel => "excel",
    };
    let ending = shown.trim_end_matches(".gz").trim_end_matches(".zst").rsplit_once('.').map_or(format, |(_, e)| e);
    let _ = writeln!(toml, "path = {}", quoted(&format!("{}/*.{ending}", guesses.name)));
    let _ = writeln!(toml, "format = {}", quoted(format));
    if let Some(encoding) = &guesses.file.encoding {
        let _ = writeln!(toml, "encoding = {}", quoted(encoding.label));
    }
    match &guesses.file.format {
        Format::Csv { delimiter, header } => {
            if *delimiter != ',' {
                let _ = writeln!(toml, "delimiter = {}", quoted(&delimiter.to_string()));
            }
            comments(&mut toml, notes, Place::Read, "# ");
            if !header {
                let names: Vec<String> = guesses.file.columns.iter().map(|c| quoted(&c.name)).collect();
                let _ = writeln!(toml, "columns = [{}]", names.join(", "));
            }
        }
        Format::Ndjson { shape } | Format::Json { shape, records: None } => {
            let _ = writeln!(toml, "shape = {}", quoted(&shape.to_string()));
        }
        Format::Json { shape, records: Some(key) } => {
            let _ = writeln!(toml, "records = {}", quoted(key));
            let _ = writeln!(toml, "shape = {}", quoted(&shape.to_string()));
        }
        Format::Parquet | Format::Arrow | Format::Excel => {}
    }
    if !matches!(guesses.file.format, Format::Csv { .. }) {
        comments(&mut toml, notes, Place::Read, "# ");
    }
    toml.push_str("[defaults]\n");
    comments(&mut toml, notes, Place::Defaults, "# ");
    if guesses.of(Meaning::ChannelId).is_none() {
        let _ = writeln!(toml, "channel_id = {}", quoted(guesses.name));
    }
    if guesses.of(Meaning::Currency).is_none() {
        let _ = writeln!(toml, "currency = {}", quoted(guesses.currency_code()));
    }
    let _ = writeln!(toml, "tz = {}", quoted(guesses.lake.zone.name()));
    let _ = writeln!(toml, "price_includes_tax = {}", guesses.tax_included());
    // Lines without ids are told apart by content and count within their order; without an order's id, every record is
    // an order of its own and needs no key.
    if let Some(order) = guesses.of(Meaning::OrderId).filter(|_| guesses.of(Meaning::OrderLineId).is_none()) {
        let _ = writeln!(toml, "[key]\nordinal_within = [{}]", quoted(order.root()));
    }
    let lines: String = toml.lines().flat_map(|l| ["-- ", l, "\n"]).collect();
    format!("-- ---\n{lines}-- ---\n\n")
}

/// A TOML string, on one line.
fn quoted(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    toml::Value::String(text).to_string()
}
