//! Drafts of whole files, as text. That they land is tested in `tests/it/draft.rs`.

use std::path::Path;

use super::{Drafted, NoteKind, draft, name_of, title};
use crate::ingest::Source;
use crate::lake::{Properties, Today};
use crate::queryfile::QueryFile;

fn drafted(file: &str, content: &str) -> Drafted {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(file);
    std::fs::write(&path, content).expect("written");
    let lake = Properties { currency: "GBP".into(), zone: chrono_tz::Europe::London, today: Today::Clock };
    draft(&path, &name_of(&path), &lake).expect("drafted")
}

fn has(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "{part} is not in\n{text}"));
}

/// The draft as `check` sees it.
fn checked(drafted: &Drafted) -> crate::error::Result<Source> {
    Source::parse(&QueryFile::parse("sources/drafted.sql", &drafted.text)?)
}

fn said(drafted: &Drafted) -> String {
    drafted.notes.iter().map(|n| format!("{n}\n")).collect()
}

#[test]
fn a_plain_file_of_sales() {
    let drafted = drafted(
        "My Shop.csv",
        "Date;SKU;Quantity;Unit Price;Colour\n31.01.2026;0012;2;1.250,50;red\n01.02.2026;0013;1;3,00;\n",
    );
    has(
        &drafted.text,
        &[
            "-- path = \"my_shop/*.csv\"",
            "-- delimiter = \";\"",
            "-- currency = \"GBP\"",
            "-- tz = \"Europe/London\"",
            "-- channel_id = \"my_shop\"",
            "SELECT local_time(\"Date\", '%d.%m.%Y') AS created_at,",
            "\"SKU\" AS sku,",
            "CAST(number_of(\"Quantity\", '1234,50') AS DECIMAL(18,3)) AS quantity",
            "CAST(number_of(\"Unit Price\", '1.234,50') AS DECIMAL(18,4)) AS unit_price\n",
            "FROM   raw;\n",
            "-- not used: Colour\n",
            "-- into = \"product\", reference = true\n",
            "SELECT \"SKU\" AS sku,\n       -1 AS source_version\nFROM   raw\nWHERE  \"SKU\" IS NOT NULL;\n",
            "SELECT 'my_shop' AS channel_id,\n       'My shop' AS channel_name,\n       'other' AS channel_type\n",
        ],
    );
    let source = checked(&drafted).expect("a source that check accepts");
    let tables: Vec<&str> = source.selects.iter().map(|s| s.table.name).collect();
    assert_eq!(tables, ["order_line", "product", "channel"]);
    has(
        &said(&drafted),
        &[
            "assumed: currency: GBP, the lake's currency",
            "assumed: tz: Europe/London, the lake's zone",
            "assumed: price_includes_tax: false",
            "assumed: created_at: \"Date\" is read as %d.%m.%Y, which no other order of day and month would fit",
            "not used: Colour",
        ],
    );
    assert!(drafted.is_whole());
}

#[test]
fn orders_with_nested_lines() {
    let drafted = drafted(
        "orders.ndjson",
        r#"{"order_id":"A1","created_at":"2026-01-31T10:00:00+01:00","customer":{"id":"7"},"lines":[{"line_no":1,"sku":"X","name":"Lamp","qty":"2","price":"3.5"}]}"#,
    );
    has(
        &drafted.text,
        &[
            r#"-- shape = '{"order_id":"","created_at":"","customer":{"id":""},"lines":[{"line_no":"","sku":"","name":"","qty":"","price":""}]}'"#,
            "SELECT order_id AS order_id,\n",
            "l['line_no'] AS order_line_id,\n",
            "instant(created_at) AS created_at,\n",
            "CAST(l['qty'] AS DECIMAL(18,3)) AS quantity,\n",
            "customer['id'] AS customer_key\n",
            "l['name'] AS product_name,\n",
            "FROM   (SELECT *, unnest(lines) AS l FROM raw);\n",
            "FROM   (SELECT *, unnest(lines) AS l FROM raw)\nWHERE  l['sku'] IS NOT NULL;\n",
            "SELECT customer['id'] AS customer_key\nFROM   raw\nWHERE  customer['id'] IS NOT NULL;\n",
        ],
    );
    assert!(!drafted.text.contains("ordinal_within"));
    checked(&drafted).expect("a source that check accepts");
}

#[test]
fn dimensions_signs_and_taxes() {
    let drafted = drafted(
        "till.csv",
        "Date,Time,Receipt,Item code,Item name,Category,Qty,Price incl. VAT ($),VAT,Store,Region,Customer,Status\n\
         03/04/2025,10:05,1,a1,Lamp,Home,1,\"$1,234.50\",20%,1,North,mary@example.org,paid\n\
         05/04/2025,11:00,1,a2,,Home,2,$3.00,0,2,South,,void\n",
    );
    has(
        &drafted.text,
        &[
            "-- currency = \"USD\"",
            "-- price_includes_tax = true",
            "-- ordinal_within = [\"Receipt\"]",
            "local_time(\"Date\" || ' ' || \"Time\", '%d/%m/%Y %H:%M') AS created_at",
            "CAST(number_of(\"Price incl. VAT ($)\", '$1,234.50') AS DECIMAL(18,4)) AS unit_price",
            "CAST(number_of(\"VAT\", '1234.50%') AS DECIMAL(18,6)) / 100 AS tax_rate",
            "encode(sha256(lower(trim(\"Customer\"))), 'hex') AS customer_key",
            "\"Item name\" AS product_name,\n       \"Category\" AS category_l1_id,\n       \"Category\" AS category_l1_name,\n",
            "CASE WHEN \"Item name\" IS NULL THEN -1 ELSE 0 END AS source_version",
            "\"Store\" AS location_id,\n       \"Region\" AS region_id,\n       'ZZ' AS country\n",
            "\"Region\" AS region_id,\n       \"Region\" AS region_name\n",
        ],
    );
    has(
        &said(&drafted),
        &[
            "\"Date\" is AMBIGUOUS: 03/04/2025 is read as 2025-04-03 (%d/%m/%Y), but could be 2025-03-04 (%m/%d/%Y)",
            "currency: USD, from the $ in \"Price incl. VAT ($)\", which could be CAD",
            "wait until fx_rate has rates for USD",
            "order_status: \"Status\" (paid, void …) is not looked at",
            "customer_key: \"Customer\" holds e-mail addresses",
            "not used: Status",
        ],
    );
    let source = checked(&drafted).expect("a source that check accepts");
    assert_eq!(source.selects.len(), 6);
}

#[test]
fn what_is_missing_is_said_and_check_names_it() {
    let without_date = drafted("x.csv", "When,SKU,Count,Amount\nsoon,1,3,10.00\n");
    has(
        &without_date.text,
        &[
            "-- TODO created_at: no column looks like the time of the sale",
            "CAST(round(CAST(\"Amount\" AS DECIMAL(18,4)) / CAST(\"Count\" AS DECIMAL(18,3)), 4) AS DECIMAL(18,4)) AS unit_price",
            "CAST(\"Amount\" AS DECIMAL(18,4)) AS gross_amount\n",
        ],
    );
    assert!(!without_date.is_whole());
    let refused = checked(&without_date).expect_err("check names it");
    assert!(refused.message().contains("order_line needs created_at"), "{refused}");

    let odd = drafted("x.csv", "Datum,Article,Menge\n31. Januar 2025,1,two\n");
    has(
        &said(&odd),
        &[
            "missing: created_at: no column looks like the time of the sale (\"Datum\" is called so, but its values, such as \"31. Januar 2025\", cannot be read)",
            "missing: unit_price: no column looks like the price of one piece;",
            "assumed: quantity: no column looks like it (\"Menge\" is called so, but its values, such as \"two\", cannot be read): every line counts as one piece, unless",
        ],
    );
    assert_eq!(odd.notes.iter().filter(|n| n.kind == NoteKind::Missing).count(), 2);
    let nothing = drafted("x.csv", "a,b\n1,2\n");
    assert_eq!(nothing.notes.iter().filter(|n| n.kind == NoteKind::Missing).count(), 3);
    assert!(checked(&nothing).is_err());
}

#[test]
fn a_value_unlike_the_others_is_the_one_that_is_told() {
    let one = drafted("x.csv", "date,sku,qty,price\n2025-01-05,a,1,1\nsoon,b,1,1\n2025-01-07,c,1,1\n");
    let told = "beware: created_at: 1 of the 3 values of \"date\", such as \"soon\", cannot be read as %Y-%m-%d like the others";
    has(&said(&one), &[told]);
    has(&one.text, &["local_time(\"date\", '%Y-%m-%d') AS created_at"]);
    checked(&one).expect("a source that check accepts");

    let two =
        drafted("x.csv", "date,sku,qty,price\n2025-01-05,a,1,1\nsoon,b,two,1\nlater,c,three,1\n2025-01-07,d,1,1\n");
    let said = said(&two);
    has(
        &said,
        &[
            "missing: created_at: no column looks like the time of the sale (\"date\" is called so, but 2 of its 4 values, such as \
             \"soon\", cannot be read as %Y-%m-%d like the others)",
            "quantity: no column looks like it (\"qty\" is called so, but 2 of its 4 values, such as \"two\", cannot be read as a \
             number like the others)",
        ],
    );
    assert!(!said.contains("such as \"2025"), "{said}");
}

#[test]
fn ids_that_are_there_twice_are_no_ids() {
    let twice = drafted("x.csv", "date,order,line,sku,qty,price\n2025-01-01,1,1,a,1,1\n2025-01-01,1,1,b,1,1\n");
    assert!(twice.text.contains("ordinal_within = [\"order\"]") && !twice.text.contains("order_line_id,"));
    let once = drafted("x.csv", "date,order,line,sku,qty,price\n2025-01-01,1,1,a,1,1\n2025-01-01,1,2,b,1,1\n");
    assert!(once.text.contains("\"line\" AS order_line_id,") && !once.text.contains("ordinal_within"));
}

#[test]
fn names_of_sources() {
    assert_eq!(name_of(Path::new("/tmp/2026 Sales (1).csv.gz")), "2026_sales__1");
    assert_eq!(name_of(Path::new("订单.csv")), "my_source");
    assert_eq!(title("my_shop"), "My shop");
    assert_eq!(title("2026_sales__1"), "2026 sales 1");
}

#[test]
fn discounts_that_cannot_be_taken_are_said() {
    let percent = drafted("x.csv", "date,sku,qty,price,Discount\n2025-01-01,a,1,1,10%\n");
    has(&said(&percent), &["beware: line_discount_amount: \"Discount\" is not taken: its values, such as \"10%\""]);
    let total = drafted("x.csv", "date,sku,qty,amount,Discount\n2025-01-01,a,1,9,1\n");
    has(
        &said(&total),
        &["beware: line_discount_amount: \"Discount\" is not taken: \"amount\" is taken as what is left"],
    );
    assert!(!total.text.contains("AS line_discount_amount"));
}

#[test]
fn beside_lines_an_id_is_the_orders() {
    let nested = drafted(
        "x.ndjson",
        r#"{"id":"o1","date":"2026-01-31","items":[{"sku":"X","quantity":2,"price":"3.5"},{"sku":"Y","quantity":1,"price":"3.5"}]}"#,
    );
    has(&nested.text, &["SELECT id AS order_id,\n", "-- ordinal_within = [\"id\"]\n"]);
    checked(&nested).expect("a source that check accepts");
}

#[test]
fn a_bare_name_is_an_articles_only_where_the_values_say_so() {
    let articles = drafted("x.csv", "date,sku,name,qty,price\n2025-01-01,a,Lamp,1,1\n2025-01-02,a,Lamp,1,1\n");
    has(&articles.text, &["\"name\" AS product_name,\n"]);
    for people in ["a,Mary,1,1\n2025-01-02,a,Li,1,1", "a,Mary,1,1\n2025-01-02,b,Li,1,1"] {
        let drafted = drafted("x.csv", &format!("date,sku,name,qty,price\n2025-01-01,{people}\n"));
        assert!(!drafted.text.contains("product_name,") && said(&drafted).contains("not used: name"));
    }
}
