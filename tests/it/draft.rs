//! `saleslake source new` as people use it: a file of their own lands by its draft unedited, and reports name its articles,
//! its channel and its shops. Expected numbers are worked out by hand beside each file.

use std::path::Path;
use std::process::{Command, Output};

/// A folder with one file, and a lake with its settings.
struct Desk {
    dir: tempfile::TempDir,
    settings: Vec<String>,
}

impl Desk {
    fn new(file: &str, content: &str, currency: &str, zone: &str) -> Desk {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join(file), content).expect("written");
        let settings = [format!("lake.currency={currency}"), format!("lake.zone={zone}")];
        Desk { dir, settings: settings.into_iter().flat_map(|s| ["--set".into(), s]).collect() }
    }

    fn run(&self, args: &[&str]) -> Output {
        let program = env!("CARGO_BIN_EXE_saleslake");
        let mut command = Command::new(program);
        command.current_dir(self.dir.path()).args(&self.settings);
        // The folder is there once something is drafted.
        if self.dir.path().join("queries").is_dir() {
            command.args(["--set", "queries_dir=queries"]);
        }
        command.args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"))
    }

    fn succeeded(&self, args: &[&str]) -> String {
        let out = self.run(args);
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("UTF-8")
    }

    /// Drafts; returns what it says on stderr.
    fn drafted(&self, args: &[&str]) -> String {
        let out = self.run(&[&["source", "new"], args].concat());
        let said = String::from_utf8(out.stderr).expect("UTF-8");
        assert!(out.status.success(), "{args:?}: {said}");
        let path = String::from_utf8(out.stdout).expect("UTF-8");
        assert!(self.dir.path().join(path.trim()).is_file(), "{path} was not written");
        said
    }

    /// These columns of a report over the year 2025.
    fn report(&self, id: &str, more: &[&str], columns: &[&str]) -> Vec<Vec<String>> {
        let year = ["report", "run", id, "--from", "2025-01-01", "--to", "2026-01-01", "--format", "csv"];
        cells(&self.succeeded(&[&year, more].concat()), columns)
    }
}

/// These columns of a CSV text.
fn cells(text: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let place =
        |name: &&str| header.iter().position(|h| h == *name).unwrap_or_else(|| panic!("no {name} in {header:?}"));
    let places: Vec<usize> = columns.iter().map(place).collect();
    let rows = reader.records().map(|r| r.expect("a row"));
    rows.map(|r| places.iter().map(|i| r[*i].to_string()).collect()).collect()
}

fn has(text: &str, parts: &[&str]) {
    parts.iter().for_each(|part| assert!(text.contains(part), "{part} is not in\n{text}"));
}

#[test]
fn date_sku_quantity_and_price() {
    let content = "date,sku,quantity,price\n2025-01-05,A-1,2,9.99\n2025-01-06,b-2,1,20.00\n2025-01-06,A-1,1,9.99\n";
    let desk = Desk::new("my-shop.csv", content, "USD", "UTC");
    let said = desk.drafted(&["my-shop.csv"]);
    has(
        &said,
        &["currency: USD, the lake's currency", "tz: UTC, the lake's zone", "every record is an order of its own"],
    );
    has(&said, &["saleslake ingest my_shop my-shop.csv"]);
    has(&desk.succeeded(&["ingest", "my_shop", "my-shop.csv"]), &["3 read = 3 landed"]);

    // 2 × 9.99 + 1 × 9.99 = 29.97; b-2: 20.00. Codes are in upper case.
    let products = desk.report("sales-by-product", &[], &["sku", "product_name", "net_sales", "net_units"]);
    assert_eq!(products, [["A-1", "A-1", "29.9700", "3.000"], ["B-2", "B-2", "20.0000", "1.000"]]);
    // 29.97 + 20.00, three records.
    let columns = ["channel_id", "channel_name", "channel_type", "net_sales", "orders"];
    assert_eq!(desk.report("sales-by-channel", &[], &columns), [["my_shop", "My shop", "other", "49.9700", "3"]]);
}

#[test]
fn a_german_till_with_decimal_commas_and_euros() {
    let content = "Belegdatum;Uhrzeit;Bon-Nr.;Artikel-Nr.;Artikelbezeichnung;Warengruppe;Menge;Einzelpreis;Rabatt;MwSt;Filiale;Kassierer\n\
        31.01.2025;10:05;1001;0012;Schreibtisch;Möbel;1;1.234,50 €;34,50 €;19 %;Nord;AB\n\
        31.01.2025;10:05;1001;0013;Lampe;Licht;3;9,95 €;0,00 €;19 %;Nord;AB\n\
        01.02.2025;16:40;1002;0013;Lampe;Licht;1;9,95 €;;19 %;Süd;CD\n\
        01.02.2025;16:40;1002;0013;Lampe;Licht;1;9,95 €;;19 %;Süd;CD\n";
    let desk = Desk::new("kasse.csv", content, "EUR", "Europe/Berlin");
    let said = desk.drafted(&["kasse.csv"]);
    has(&said, &["currency: EUR, from the €", "a decimal comma", "is in percent", "not used: Kassierer"]);
    has(&said, &["region_id: no column looks like the region of \"Filiale\""]);
    has(&desk.succeeded(&["ingest", "kasse", "kasse.csv"]), &["4 read = 4 landed"]);

    // 0012: 1 × 1,234.50 − 34.50 = 1,200.00. 0013: 3 × 9.95 + 9.95 + 9.95 = 49.75, for equal lines are two sales.
    let columns = ["sku", "product_name", "discounts", "net_sales", "net_units"];
    assert_eq!(
        desk.report("sales-by-product", &[], &columns),
        [["0012", "Schreibtisch", "34.5000", "1200.0000", "1.000"], ["0013", "Lampe", "0.0000", "49.7500", "5.000"]]
    );
    let lamps = desk.report("sales-by-product", &["--where", "category=Licht"], &["sku", "net_sales"]);
    assert_eq!(lamps, [["0013", "49.7500"]]);
    // Nord: 1,200.00 + 29.85; Süd: 2 × 9.95. Tax of the lines at 19 %: 228.00 + 5.6715, and 2 × 1.8905.
    let columns = ["channel_id", "channel_name", "location_id", "location_name", "net_sales", "tax", "orders"];
    assert_eq!(
        desk.report("sales-by-channel", &["level=outlet"], &columns),
        [
            ["kasse", "Kasse", "Nord", "Nord", "1229.8500", "233.6715", "1"],
            ["kasse", "Kasse", "Süd", "Süd", "19.9000", "3.7810", "1"]
        ]
    );
    // 10:05 and 16:40 in Berlin.
    let sql = "SELECT DISTINCT local_minute AS minute FROM base.order_line ORDER BY 1";
    assert_eq!(cells(&desk.succeeded(&["sql", sql, "--format", "csv"]), &["minute"]), [["605"], ["1000"]]);
}

#[test]
fn chinese_headers() {
    let content = "日期,订单号,商品编码,商品名称,数量,单价(元),优惠金额,门店,省份,会员号,备注\n\
        2025年3月5日,D001,S-01,绿茶,2,¥88.00,¥6.00,一号店,北京,M1,\n\
        2025年3月5日,D001,S-02,茶杯,1,\"¥1,280.00\",,一号店,北京,M1,礼盒\n\
        2025年3月6日,D002,S-01,绿茶,3,¥88.00,,二号店,上海,M2,\n";
    let desk = Desk::new("订单.csv", content, "CNY", "Asia/Shanghai");
    let said = desk.drafted(&["订单.csv", "--name", "tea_shop"]);
    has(&said, &["\"日期\" is read as %Y年%m月%d日", "currency: CNY, from the ¥", "not used: 备注"]);
    has(&desk.succeeded(&["ingest", "tea_shop", "订单.csv"]), &["3 read = 3 landed"]);

    // S-02: 1,280.00; S-01: 2 × 88.00 − 6.00 + 3 × 88.00 = 434.00.
    let products = desk.report("sales-by-product", &[], &["sku", "product_name", "net_sales", "net_units"]);
    assert_eq!(products, [["S-02", "茶杯", "1280.0000", "1.000"], ["S-01", "绿茶", "434.0000", "5.000"]]);
    let channels = desk.report("sales-by-channel", &[], &["channel_id", "channel_name", "net_sales", "orders"]);
    assert_eq!(channels, [["tea_shop", "Tea shop", "1714.0000", "2"]]);
    // 北京: 170.00 + 1,280.00 of one customer; 上海: 264.00 of another.
    let regions = desk.report("sales-by-region", &[], &["region_id", "region_name", "net_sales", "customers"]);
    assert_eq!(regions, [["北京", "北京", "1450.0000", "1"], ["上海", "上海", "264.0000", "1"]]);
    let shops = desk.report("sales-by-channel", &["level=outlet"], &["location_name", "net_sales"]);
    assert_eq!(shops, [["一号店", "1450.0000"], ["二号店", "264.0000"]]);
}

#[test]
fn equal_records_of_two_files_count_once_and_the_draft_says_so() {
    let sale = "2025-01-05,a,2,10.00\n";
    let desk = Desk::new("shop.csv", &format!("date,sku,quantity,price\n{sale}{sale}"), "USD", "UTC");
    has(&desk.drafted(&["shop.csv"]), &["beware: order_id: equal records of two files count once"]);
    let text = std::fs::read_to_string(desk.dir.path().join("queries/sources/shop.sql")).expect("drafted");
    has(&text, &["-- order_id: equal records of two files count once"]);
    has(&desk.succeeded(&["ingest", "shop", "shop.csv"]), &["2 read = 2 landed"]);
    let more = format!("date,sku,quantity,price\n{sale}2025-01-06,a,2,10.00\n");
    std::fs::write(desk.dir.path().join("more.csv"), more).expect("written");
    has(&desk.succeeded(&["ingest", "shop", "more.csv"]), &["2 read = 1 landed + 1 duplicate"]);
    // Two sales in the first file, one of the second: 3 × 2 × 10.00, not 4.
    assert_eq!(desk.report("sales-by-product", &[], &["sku", "net_sales"]), [["A", "60.0000"]]);

    // With an order's id it is lines of one order that may be taken for one.
    std::fs::write(desk.dir.path().join("till.csv"), "receipt,date,sku,quantity,price\n7,2025-01-05,a,2,10.00\n")
        .expect("written");
    has(&desk.drafted(&["till.csv"]), &["beware: order_line_id: where lines of one \"receipt\" come in two files"]);
}

#[test]
fn what_cannot_be_known_is_said() {
    let content = "Order Date,SKU,Qty,Price\n03/04/2025,a,1,$10.00\n05/04/2025,b,-1,\"$1,000.00\"\n";
    let desk = Desk::new("orders.csv", content, "EUR", "UTC");
    let said = desk.drafted(&["orders.csv"]);
    has(
        &said,
        &[
            "\"Order Date\" is AMBIGUOUS: 03/04/2025 is read as 2025-04-03 (%d/%m/%Y), but could be 2025-03-04 (%m/%d/%Y)",
            "currency: USD, from the $",
            "wait until fx_rate has rates for USD",
            "\"Qty\" has negative values",
        ],
    );
    // The same stands in the file, and a second draft does not overwrite it.
    let text = std::fs::read_to_string(desk.dir.path().join("queries/sources/orders.sql")).expect("drafted");
    has(&text, &["-- created_at: \"Order Date\" is AMBIGUOUS", "-- # currency: USD, from the $"]);
    let again = desk.run(&["source", "new", "orders.csv"]);
    has(&String::from_utf8_lossy(&again.stderr), &["orders.sql exists already"]);
    assert!(!again.status.success());
}

/// Rule, field and value of what waits, by value.
fn quarantined(desk: &Desk) -> Vec<Vec<String>> {
    let shown = desk.succeeded(&["quarantine", "show", "--format", "csv"]);
    let mut held = cells(&shown, &["rule", "field", "value"]);
    held.sort_by(|a, b| a[2].cmp(&b[2]));
    held
}

#[test]
fn v01_numbers_with_the_comma_elsewhere_are_told_and_not_read_a_hundredfold() {
    let content = "date,sku,quantity,price\n2025-01-05,a,\"1,200.5\",\"1,234.50\"\n2025-01-05,b,2,2.50\n\
        2025-01-05,c,3,3.50\n2025-01-05,d,\"4,5\",4.50\n2025-01-05,e,5,\"9,99\"\n";
    let desk = Desk::new("us.csv", content, "USD", "UTC");
    let said = desk.drafted(&["us.csv"]);
    has(
        &said,
        &[
            "beware: quantity: 1 of the 5 values of \"quantity\", such as \"4,5\", cannot be read as numbers written like 1,234.50",
            "beware: unit_price: 1 of the 5 values of \"price\", such as \"9,99\", cannot be read as numbers written like 1,234.50",
        ],
    );
    has(&desk.succeeded(&["ingest", "us", "us.csv"]), &["5 read = 3 landed", "2 quarantined"]);
    let held = [["V01", "quantity", "4,5"], ["V01", "unit_price", "9,99"]];
    assert_eq!(quarantined(&desk), held);

    // The next file, of which the draft saw nothing: 12,50 is not 1250.
    std::fs::write(desk.dir.path().join("feb.csv"), "date,sku,quantity,price\n2025-02-05,f,1,\"12,50\"\n")
        .expect("written");
    has(&desk.succeeded(&["ingest", "us", "feb.csv"]), &["1 read = 0 landed", "1 quarantined"]);
    assert_eq!(quarantined(&desk)[0], ["V01", "unit_price", "12,50"]);
    // a: 1,200.5 × 1,234.50; b: 2 × 2.50; c: 3 × 3.50.
    let products = desk.report("sales-by-product", &[], &["sku", "net_sales"]);
    assert_eq!(products, [["A", "1482017.2500"], ["C", "10.5000"], ["B", "5.0000"]]);
}

#[test]
fn v01_points_among_decimal_commas_are_told_and_not_misread() {
    let content = "Datum;Artikel-Nr.;Menge;Einzelpreis\n31.01.2025;a;1;2,50\n31.01.2025;b;2;3,50\n31.01.2025;c;3;1250,00\n\
        31.01.2025;d;4;4,50\n31.01.2025;e;5;9.99\n";
    let desk = Desk::new("kasse.csv", content, "EUR", "Europe/Berlin");
    let said = desk.drafted(&["kasse.csv"]);
    has(
        &said,
        &["1 of the 5 values of \"Einzelpreis\", such as \"9.99\", cannot be read as numbers written like 1234,50"],
    );
    has(&desk.succeeded(&["ingest", "kasse", "kasse.csv"]), &["5 read = 4 landed", "1 quarantined"]);
    assert_eq!(quarantined(&desk), [["V01", "unit_price", "9.99"]]);

    // 1.500 pieces and 1.250 euros are thousands here, or mistakes: neither 1.5 nor 1.25.
    let later = "Datum;Artikel-Nr.;Menge;Einzelpreis\n01.02.2025;f;1.500;1,00\n01.02.2025;g;1;1.250\n";
    std::fs::write(desk.dir.path().join("feb.csv"), later).expect("written");
    has(&desk.succeeded(&["ingest", "kasse", "feb.csv"]), &["2 read = 0 landed", "2 quarantined"]);
    let held = [["V01", "unit_price", "1.250"], ["V01", "quantity", "1.500"], ["V01", "unit_price", "9.99"]];
    assert_eq!(quarantined(&desk), held);
    // c: 3 × 1250.00; d: 4 × 4.50; b: 2 × 3.50; a: 1 × 2.50.
    let products = desk.report("sales-by-product", &[], &["sku", "net_sales"]);
    assert_eq!(products, [["C", "3750.0000"], ["D", "18.0000"], ["B", "7.0000"], ["A", "2.5000"]]);
}

#[test]
fn a_source_of_our_own_is_not_replaced_and_commands_can_be_copied() {
    let content = "date,sku,quantity,price\n2025-01-05,a,2,10.00\n";
    let desk = Desk::new("stock.csv", content, "USD", "UTC");
    let refused = desk.run(&["source", "new", "stock.csv"]);
    assert!(!refused.status.success());
    has(&String::from_utf8_lossy(&refused.stderr), &["stock is a source of saleslake's own", "--name my_stock"]);
    assert!(!desk.dir.path().join("queries").exists(), "nothing is written");
    desk.drafted(&["stock.csv", "--name", "my_stock"]);

    let odd = "My Sales (final) 2026.csv";
    std::fs::write(desk.dir.path().join(odd), content).expect("written");
    has(&desk.drafted(&[odd]), &["saleslake ingest my_sales__final__2026 'My Sales (final) 2026.csv'"]);
}

#[test]
fn without_a_date_check_says_what_is_to_be_done() {
    let desk = Desk::new("list.csv", "When,SKU,Quantity,Price\n05 01 2025,a,2,10.00\n", "USD", "UTC");
    let said = desk.drafted(&["list.csv"]);
    has(&said, &["missing: created_at: no column looks like the time of the sale", "saleslake check"]);
    let checked = desk.run(&["check"]);
    assert!(!checked.status.success());
    has(&String::from_utf8_lossy(&checked.stderr), &["sources/list.sql", "order_line needs created_at"]);

    // Written where the draft says TODO, it lands: 2 × 10.00.
    let path = desk.dir.path().join("queries/sources/list.sql");
    mend(&path, "SELECT \"", "SELECT local_time(\"When\", '%d %m %Y') AS created_at,\n       \"");
    desk.succeeded(&["check"]);
    has(&desk.succeeded(&["ingest", "list", "list.csv"]), &["1 read = 1 landed"]);
    assert_eq!(desk.report("sales-by-product", &[], &["sku", "net_sales"]), [["A", "20.0000"]]);
}

/// Replaces the first `from` in a file.
fn mend(path: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(path).expect("drafted");
    assert!(text.contains("-- TODO created_at") && text.contains(from), "{text}");
    std::fs::write(path, text.replacen(from, to, 1)).expect("written");
}
