//! Drafts a source definition from a file: what `saleslake source new FILE` writes. A file with date, sku, quantity and
//! price lands by its draft unedited; everything guessed is there to be read and changed. It must not land anything.

mod guess;
mod sniff;

use std::fmt::Write;
use std::path::Path;

use guess::{Moment, Number};
use sniff::{Format, Sample, Sniffed, identifier, sniff};

use crate::error::{Error, Result};
use crate::lake::Properties;

/// The text of a source definition called `name` for files like the one at `path`. What the file does not say about
/// currency and zone is taken from the lake.
///
/// # Errors
/// `Invalid`: the name cannot be that of a source, or the file is of no format that can be read.
pub fn draft(path: &Path, name: &str, lake: &Properties) -> Result<String> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Err(Error::invalid(format!("`{name}` cannot be the name of a source"))
            .hint("use a-z, 0-9 and _, such as shop_web_orders"));
    }
    let sniffed = sniff(path)?;
    let mut roles = guess::roles(&sniffed.columns);
    if !roles.iter().any(|(role, _)| *role == "order_id") {
        // A line's number means nothing without its order.
        roles.retain(|(role, _)| *role != "order_line_id");
    }
    let of = |role: &str| roles.iter().find(|(r, _)| *r == role).map(|(_, i)| &sniffed.columns[*i]);
    let mut text = header(path, name, lake, &sniffed, &of);
    text.push_str(&select(&sniffed, &of));
    Ok(text)
}

/// A name for the source of a file: its own up to the first dot, in a-z, 0-9 and _.
pub fn name_of(path: &Path) -> String {
    let stem = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let name: String =
        stem.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' }).collect();
    let name = name.trim_matches('_');
    if name.is_empty() { "my_source".into() } else { name.into() }
}

fn header<'a>(
    path: &Path,
    name: &str,
    lake: &Properties,
    file: &Sniffed,
    of: &impl Fn(&str) -> Option<&'a Sample>,
) -> String {
    let mut toml = String::new();
    let shown = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let _ = writeln!(toml, "title = {}", quoted(name));
    let _ = writeln!(
        toml,
        "about = {}",
        quoted(&format!("Drafted from {shown}: every line below is a guess, read it once."))
    );
    toml.push_str("[read]\n");
    let ending = match &file.format {
        Format::Csv { .. } => "csv",
        Format::Ndjson { .. } => "ndjson",
        Format::Parquet => "parquet",
    };
    let own = shown.trim_end_matches(".gz").rsplit_once('.').map_or(ending, |(_, e)| e);
    let _ = writeln!(toml, "path = {}", quoted(&format!("{name}/*.{own}")));
    let _ = writeln!(toml, "format = {}", quoted(ending));
    match &file.format {
        Format::Csv { delimiter, header } => {
            if *delimiter != ',' {
                let _ = writeln!(toml, "delimiter = {}", quoted(&delimiter.to_string()));
            }
            if !header {
                let names: Vec<String> = file.columns.iter().map(|c| quoted(&c.name)).collect();
                let _ = writeln!(toml, "columns = [{}]", names.join(", "));
            }
        }
        Format::Ndjson { shape } => {
            let _ = writeln!(toml, "shape = {}", quoted(&shape.to_string()));
        }
        Format::Parquet => {}
    }
    toml.push_str("[defaults]\n");
    let mut default = |column: &str, value: String| {
        if of(column).is_none() {
            let _ = writeln!(toml, "{column} = {value}");
        }
    };
    default("channel_id", quoted(name));
    default("currency", quoted(&lake.currency));
    let _ = writeln!(toml, "tz = {}", quoted(lake.zone.name()));
    toml.push_str("price_includes_tax = false\n");
    // Lines without ids are told apart by content and count within their order; without an order's id, every record is
    // an order of its own and needs no key.
    if let Some(order) = of("order_id").filter(|_| of("order_line_id").is_none()) {
        let _ = writeln!(toml, "[key]\nordinal_within = [{}]", quoted(root(&order.sql)));
    }
    let comments: String = toml.lines().flat_map(|l| ["-- ", l, "\n"]).collect();
    format!("-- ---\n{comments}-- ---\n")
}

/// The raw column that an expression of [`sniff`] begins with.
fn root(sql: &str) -> &str {
    let end = sql.find('[').unwrap_or(sql.len());
    sql[..end].trim_matches('"')
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.into()).to_string()
}

/// The columns that a sale needs, and what to do when nothing looks like them.
const NEEDED: &[(&str, &str)] = &[
    ("created_at", "when it was sold: instant(…), or local_time(…, '%d.%m.%Y %H:%M')"),
    ("sku", "the article's number"),
    ("unit_price", "the price of one piece: CAST(… AS DECIMAL(18,4))"),
];

fn select<'a>(file: &Sniffed, of: &impl Fn(&str) -> Option<&'a Sample>) -> String {
    let mut sql = String::from("-- into = \"order_line\"\n");
    let mut lines = Vec::new();
    for role in [
        "order_id",
        "order_line_id",
        "created_at",
        "sku",
        "quantity",
        "unit_price",
        "line_discount_amount",
        "tax_rate",
        "currency",
        "channel_id",
        "location_id",
        "customer_key",
        "unit_cost",
        "is_test",
    ] {
        if let Some(column) = of(role) {
            let (expression, doubt) = expression(role, column);
            lines.push((format!("{expression} AS {role}"), doubt));
        } else if let Some((_, hint)) = NEEDED.iter().find(|(r, _)| *r == role) {
            lines.push((format!("NULL AS {role}"), format!("no column looks like it; {hint}")));
        }
    }
    let width = lines.len();
    for (i, (line, doubt)) in lines.into_iter().enumerate() {
        let (start, comma) = (if i == 0 { "SELECT " } else { "       " }, if i + 1 < width { "," } else { "" });
        let doubt = if doubt.is_empty() { doubt } else { format!("  -- {doubt}") };
        let _ = writeln!(sql, "{start}{line}{comma}{doubt}");
    }
    match &file.lines {
        Some(list) if file.columns.iter().any(|c| c.in_lines) => {
            let _ = writeln!(sql, "FROM   (SELECT *, unnest({}) AS l FROM raw)", identifier(list));
        }
        _ => sql.push_str("FROM   raw\n"),
    }
    let unused: Vec<&str> = file.columns.iter().filter(|c| !sql.contains(&c.sql)).map(|c| c.name.as_str()).collect();
    if !unused.is_empty() {
        let _ = writeln!(sql, "-- Not taken: {}", unused.join(", ").replace('\n', " "));
    }
    if of("quantity").is_some_and(|c| c.values.iter().any(|v| v.starts_with('-'))) {
        sql.push_str("-- Negative quantities are returns: add WHERE to this SELECT, and a second one into return_line for them.\n");
    }
    sql
}

/// SQL that makes the role's value of a column, and what is doubtful about it.
fn expression(role: &str, column: &Sample) -> (String, String) {
    let sql = &column.sql;
    let decimal = |kind: &str| {
        let text = match guess::number(&column.values) {
            Some(Number::Commas) => format!("replace({sql}, ',', '')"),
            Some(Number::DecimalComma) => format!("replace(replace({sql}, '.', ''), ',', '.')"),
            _ => sql.clone(),
        };
        (format!("CAST({text} AS {kind})"), String::new())
    };
    match role {
        "created_at" => match guess::moment(&column.values) {
            Some(Moment::Local(format, doubt)) => {
                let doubt = if doubt { "which is the day and which the month?" } else { "" };
                (format!("local_time({sql}, '{format}')"), doubt.into())
            }
            _ => (format!("instant({sql})"), String::new()),
        },
        "quantity" => decimal("DECIMAL(18,3)"),
        "unit_price" | "line_discount_amount" | "unit_cost" => decimal("DECIMAL(18,4)"),
        "tax_rate" => decimal("DECIMAL(18,8)"),
        "is_test" => (format!("CAST({sql} AS BOOLEAN)"), String::new()),
        _ => (sql.clone(), String::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lake::Today;

    fn drafted(file: &str, content: &str) -> String {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join(file);
        std::fs::write(&path, content).expect("written");
        let lake = Properties { currency: "GBP".into(), zone: chrono_tz::Europe::London, today: Today::Clock };
        draft(&path, &name_of(&path), &lake).expect("drafted")
    }

    #[test]
    fn a_plain_file_of_sales() {
        let text = drafted(
            "My Shop.csv",
            "Date;SKU;Quantity;Unit Price;Colour\n31.01.2026;0012;2;1.250,50;red\n01.02.2026;0013;1;3,00;\n",
        );
        for part in [
            "-- path = \"my_shop/*.csv\"",
            "-- delimiter = \";\"",
            "-- currency = \"GBP\"",
            "-- tz = \"Europe/London\"",
            "-- channel_id = \"my_shop\"",
            "SELECT local_time(\"Date\", '%d.%m.%Y') AS created_at,",
            "\"SKU\" AS sku,",
            "CAST(replace(replace(\"Unit Price\", '.', ''), ',', '.') AS DECIMAL(18,4)) AS unit_price\n",
            "FROM   raw\n",
            "-- Not taken: Colour\n",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }

    #[test]
    fn orders_with_nested_lines() {
        let text = drafted(
            "orders.ndjson",
            r#"{"order_id":"A1","created_at":"2026-01-31T10:00:00+01:00","customer":{"id":"7"},"lines":[{"line_no":1,"sku":"X","qty":"2","price":"3.5"}]}"#,
        );
        for part in [
            r#"-- shape = '{"order_id":"","created_at":"","customer":{"id":""},"lines":[{"line_no":"","sku":"","qty":"","price":""}]}'"#,
            "SELECT order_id AS order_id,\n",
            "l['line_no'] AS order_line_id,\n",
            "instant(created_at) AS created_at,\n",
            "CAST(l['qty'] AS DECIMAL(18,3)) AS quantity,\n",
            "customer['id'] AS customer_key",
            "FROM   (SELECT *, unnest(lines) AS l FROM raw)\n",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains("ordinal_within"));
    }

    #[test]
    fn what_is_missing_is_said() {
        let text = drafted("x.csv", "a,b\n1,2\n");
        assert!(text.contains("NULL AS created_at,  -- no column looks like it; when it was sold"), "{text}");
        assert_eq!(name_of(Path::new("/tmp/2026 Sales (1).csv.gz")), "2026_sales__1");
        assert_eq!(name_of(Path::new("订单.csv")), "my_source");
    }
}
