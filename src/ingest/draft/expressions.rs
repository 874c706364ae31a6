//! The SQL that makes a contract's column from the columns of a file. It must not say what is doubtful: `notes` does.

use super::guesses::{Customers, Guesses, PlaceRegion};
use super::moments::Moment;
use super::names::Meaning;
use super::sniff::{Format, identifier};

const MONEY: &str = "DECIMAL(18,4)";
const QUANTITY: &str = "DECIMAL(18,3)";

/// A text in SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// What order_line is given: expressions and their columns, in the order in which they are written.
pub(super) fn order_line(guesses: &Guesses<'_>) -> Vec<(String, &'static str)> {
    let plain = |meaning| guesses.of(meaning).map(|c| c.sql.clone());
    let amount = |meaning| decimal(guesses, meaning, MONEY);
    let region = plain(Meaning::RegionId);
    let given = [
        (plain(Meaning::OrderId), "order_id"),
        (plain(Meaning::OrderLineId), "order_line_id"),
        (created_at(guesses), "created_at"),
        (plain(Meaning::Sku), "sku"),
        (Some(quantity(guesses)), "quantity"),
        (unit_price(guesses), "unit_price"),
        // The total itself, so that no cent is lost in the rounded price. The contract takes it as tax exclusive.
        (amount(Meaning::LineTotal).filter(|_| !guesses.tax_included()), "gross_amount"),
        (amount(Meaning::LineDiscountAmount), "line_discount_amount"),
        (tax_rate(guesses), "tax_rate"),
        (plain(Meaning::Currency), "currency"),
        (plain(Meaning::ChannelId), "channel_id"),
        (plain(Meaning::LocationId), "location_id"),
        (customer_key(guesses), "customer_key"),
        (region.clone(), "ship_region_id"),
        (region, "bill_region_id"),
        (amount(Meaning::UnitCost), "unit_cost"),
        (plain(Meaning::IsTest).map(|sql| format!("CAST({sql} AS BOOLEAN)")), "is_test"),
    ];
    given.into_iter().filter_map(|(sql, column)| Some((sql?, column))).collect()
}

/// What product is given. A name that the file has not got leaves room for one from elsewhere: version -1.
pub(super) fn product(guesses: &Guesses<'_>) -> Option<Vec<(String, &'static str)>> {
    let sku = guesses.of(Meaning::Sku)?;
    let mut given = vec![(sku.sql.clone(), "sku")];
    let name = guesses.of(Meaning::ProductName);
    given.extend(name.map(|c| (c.sql.clone(), "product_name")));
    if let Some(category) = guesses.of(Meaning::Category) {
        given.extend([(category.sql.clone(), "category_l1_id"), (category.sql.clone(), "category_l1_name")]);
    }
    given.extend(guesses.of(Meaning::Brand).map(|c| (c.sql.clone(), "brand")));
    match name {
        None => given.push(("-1".into(), "source_version")),
        Some(name) if name.sql == sku.sql => {}
        Some(name) => given.push((format!("CASE WHEN {} IS NULL THEN -1 ELSE 0 END", name.sql), "source_version")),
    }
    Some(given)
}

/// What location is given; its zone comes from `[defaults]`.
pub(super) fn location(guesses: &Guesses<'_>) -> Option<Vec<(String, &'static str)>> {
    let place = guesses.of(Meaning::LocationId)?;
    let region = guesses.of(Meaning::RegionId);
    let (region_id, country) = match guesses.place_region() {
        PlaceRegion::Buyers => return None,
        PlaceRegion::Unknown => ("'UNK'".to_string(), "'ZZ'".to_string()),
        PlaceRegion::Column => {
            let region = region?;
            let code = |v: &&str| v.len() == 2 && v.bytes().all(|b| b.is_ascii_uppercase());
            let country = if region.values().iter().all(code) { region.sql.clone() } else { "'ZZ'".into() };
            (region.sql.clone(), country)
        }
    };
    let mut given = vec![(place.sql.clone(), "location_id")];
    given.extend(guesses.of(Meaning::LocationName).map(|c| (c.sql.clone(), "location_name")));
    given.extend([(region_id, "region_id"), (country, "country")]);
    if guesses.of(Meaning::Currency).is_some() {
        // [defaults] has none then.
        given.push((literal(guesses.currency_code()), "currency"));
    }
    Some(given)
}

pub(super) fn customer_key(guesses: &Guesses<'_>) -> Option<String> {
    let sql = &guesses.of(Meaning::CustomerKey)?.sql;
    Some(match guesses.customers()? {
        Customers::AsTheyAre => sql.clone(),
        Customers::Hashed => format!("encode(sha256(lower(trim({sql}))), 'hex')"),
    })
}

/// Where the rows come from: the records, or the lines inside them.
pub(super) fn from(guesses: &Guesses<'_>, lines: bool) -> String {
    match &guesses.file.lines {
        Some(list) if lines => format!("(SELECT *, unnest({}) AS l FROM raw)", identifier(list)),
        _ => "raw".into(),
    }
}

fn created_at(guesses: &Guesses<'_>) -> Option<String> {
    let sql = &guesses.of(Meaning::CreatedAt)?.sql;
    Some(match guesses.moment()? {
        Moment::Instant => format!("instant({sql})"),
        Moment::Local { format, .. } => match guesses.of(Meaning::Clock).zip(guesses.clock()) {
            Some((time, clock)) => format!("local_time({sql} || ' ' || {}, '{format} {clock}')", time.sql),
            None => format!("local_time({sql}, '{format}')"),
        },
    })
}

fn quantity(guesses: &Guesses<'_>) -> String {
    decimal(guesses, Meaning::Quantity, QUANTITY).unwrap_or_else(|| format!("CAST(1 AS {QUANTITY})"))
}

fn unit_price(guesses: &Guesses<'_>) -> Option<String> {
    let total = || {
        let total = decimal(guesses, Meaning::LineTotal, MONEY)?;
        let Some(quantity) = decimal(guesses, Meaning::Quantity, QUANTITY) else { return Some(total) };
        Some(format!("CAST(round({total} / {quantity}, 4) AS {MONEY})"))
    };
    decimal(guesses, Meaning::UnitPrice, MONEY).or_else(total)
}

fn tax_rate(guesses: &Guesses<'_>) -> Option<String> {
    if guesses.tax_in_percent() {
        // Two decimals fewer, so that the hundredth part has eight.
        return Some(format!("{} / 100", decimal(guesses, Meaning::TaxRate, "DECIMAL(18,6)")?));
    }
    decimal(guesses, Meaning::TaxRate, "DECIMAL(18,8)")
}

fn decimal(guesses: &Guesses<'_>, meaning: Meaning, kind: &str) -> Option<String> {
    let column = guesses.of(meaning)?;
    // Of columns with a type of their own, and of JSON's numbers, digits alone tell nothing about later files.
    let texts = matches!(guesses.file.format, Format::Csv { .. });
    let number = guesses.number(meaning).filter(|n| texts || !n.digits_only);
    let text = number.map_or_else(|| column.sql.clone(), |n| n.text(&column.sql));
    Some(format!("CAST({text} AS {kind})"))
}
