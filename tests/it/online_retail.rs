//! Real data: Online Retail lands whole, its money adds up to the last tenth of a penny, and its figures equal DuckDB's.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::reports::Request;

use crate::common::{self, golden, land, report, sql, units};

const LINES: u64 = 525_461;
const ALL: &[(&str, &str)] = &[("from", "2009-12-01"), ("to", "2010-12-10")];

fn file() -> PathBuf {
    common::repo("tests/data/online-retail/online_retail_2009_2010.csv.gz")
}

#[tokio::test(flavor = "multi_thread")]
async fn online_retail_lands_whole_and_agrees_with_duckdb() {
    let app = common::empty_app().await;
    let account = land(&app, "online_retail", &[file()]).await;
    println!("{account}");
    let f = &account.files[0];
    assert_eq!(f.read, LINES);
    assert_eq!(f.read, f.landed + f.duplicate + f.late_ignored + f.skipped + f.quarantined);
    assert!(f.quarantined * 100 <= LINES, "{} quarantined", f.quarantined);

    money_adds_up(&app).await;
    months_agree(&app).await;
    countries_agree(&app).await;
    products_agree(&app).await;
    every_report_answers_or_says_what_it_lacks(&app).await;
    a_second_run_lands_nothing(&app).await;
}

/// Everything that the file is worth is somewhere, by name.
async fn money_adds_up(app: &App) {
    let one = |answer: common::Answer| units(&answer.rows[0][0]);
    let events = one(sql(app, "SELECT coalesce(sum(net_rc), 0) FROM sales_event").await);
    let bad_debt = one(sql(
        app,
        "SELECT sum(amount) FROM base.order_charge WHERE charge_type = 'adjustment' AND ext LIKE '%\"B\"%'",
    )
    .await);
    let mut parts: BTreeMap<String, i128> = BTreeMap::new();
    parts.insert("sales_event net_rc".into(), events);
    let charges =
        sql(app, "SELECT charge_type, sum(amount) FROM base.order_charge WHERE charge_type <> 'adjustment' GROUP BY 1")
            .await;
    for row in charges.rows {
        parts.insert(format!("order_charge {}", row[0]), units(&row[1]));
    }
    parts.insert("left out by the view: gift vouchers".into(),
        one(sql(app, "SELECT sum(net_amount) FROM base.order_line WHERE line_type = 'gift_card' AND NOT is_test").await));
    parts.insert(
        "left out by the view: tests, sold".into(),
        one(sql(app, "SELECT sum(net_amount) FROM base.order_line WHERE is_test").await),
    );
    parts.insert(
        "left out by the view: tests, returned".into(),
        -one(sql(app, "SELECT coalesce(sum(refund_net_amount), 0) FROM base.return_line WHERE is_test").await),
    );
    let (all, skipped) = raw_money();
    parts.extend(skipped.into_iter().map(|(reason, amount)| (format!("skipped: {reason}"), amount)));
    for (what, amount) in &parts {
        println!("{:>16.4}  {what}", *amount as f64 / 1e4);
    }
    println!("{:>16.4}  of which bad debt", bad_debt as f64 / 1e4);
    println!("{:>16.4}  all lines of the file", all as f64 / 1e4);
    assert_eq!(all, units("9539484.634"));
    assert_eq!(parts.values().sum::<i128>(), all);
    assert_eq!(bad_debt, units("-136552.02"));
    // The same statement by DuckDB.
    let duck: BTreeMap<String, i128> =
        golden("online_retail/money.csv").rows.iter().map(|r| (r[0].clone(), units(&r[2]))).collect();
    assert_eq!(events, duck["sale"] + duck["return"] + duck["adjustment"]);
    assert_eq!(parts["order_charge shipping"], duck["shipping"]);
    assert_eq!(parts["order_charge payment_fee"], duck["payment_fee"]);
    assert_eq!(parts["order_charge platform_commission"], duck["platform_commission"]);
    assert_eq!(parts["left out by the view: gift vouchers"], duck["gift voucher"]);
}

/// Σ Quantity × Price of the file, whose parts by the invoice's letter are known, and of the records that the source file
/// skips, by the same reasons in other words.
fn raw_money() -> (i128, BTreeMap<&'static str, i128>) {
    let (mut all, mut sales, mut cancellations) = (0, 0, 0);
    let mut skipped = BTreeMap::from([("free or stock adjustment", 0), ("cancelled gift voucher", 0)]);
    let mut reader = csv::Reader::from_reader(GzDecoder::new(std::fs::File::open(file()).expect("committed")));
    for record in reader.records() {
        let r = record.expect("a record");
        let amount = r[3].parse::<i128>().expect("a quantity") * units(&r[5]);
        all += amount;
        match r[0].chars().next() {
            Some('C') => cancellations += amount,
            // Bad debt.
            Some('A') => {}
            _ => sales += amount,
        }
        if units(&r[5]) == 0 {
            *skipped.get_mut("free or stock adjustment").expect("there") += amount;
        } else if r[0].starts_with('C') && r[1].to_uppercase().starts_with("GIFT") {
            *skipped.get_mut("cancelled gift voucher").expect("there") += amount;
        }
    }
    assert_eq!((sales, cancellations), (units("10305892.024"), units("-629855.370")));
    (all, skipped)
}

async fn months_agree(app: &App) {
    let expected = golden("online_retail/monthly.csv");
    let ours = sql(app, "SELECT CAST(date_trunc('month', business_date) AS DATE) AS month, sum(gross_sales) AS gross_sales, \
        sum(returns) AS returns, sum(net_rc) AS net_sales, count(DISTINCT sale_order_id) AS orders FROM sales_event GROUP BY 1 ORDER BY 1").await;
    assert_eq!(ours.rows, expected.rows);
    let by_report = report(app, "sales-over-time", &[ALL, &[("grain", "month")]].concat()).await;
    assert_eq!(
        by_report.select(&["period_start", "net_sales", "orders"]).rows,
        expected.select(&["month", "net_sales", "orders"]).rows
    );
}

async fn countries_agree(app: &App) {
    let expected = golden("online_retail/countries.csv");
    let mut ours =
        report(app, "sales-by-region", ALL).await.select(&["region_id", "net_sales", "orders", "customers"]).rows;
    ours.sort();
    let mut theirs = expected.select(&["region_id", "net_sales", "orders", "customers"]).rows;
    theirs.sort();
    assert_eq!(ours, theirs);
}

async fn products_agree(app: &App) {
    let expected = golden("online_retail/products.csv");
    let ours = report(app, "sales-by-product", &[ALL, &[("order_by", "-net_sales")]].concat()).await;
    let columns = ["product_id", "gross_sales", "returns", "net_sales", "units_sold", "units_returned"];
    // Adjustments have no product: the row N/A is theirs.
    let ours: Vec<_> =
        ours.select(&columns).rows.into_iter().filter(|r| r[0] != "N/A").take(expected.rows.len()).collect();
    assert_eq!(ours, expected.rows);
}

/// What the file's source gives of all that reports need.
const FED: &[&str] = &["order_line", "order_line.customer_key", "return_line", "customer", "product"];

/// Reports whose right answer is that there is nothing: no order waits for a parcel, nobody is told to have agreed to letters,
/// and no record was quarantined, came twice or names what is not known.
const NOTHING_TO_TELL: &[&str] =
    &["order-backlog", "customer-segment-export", "dq-duplicates", "dq-quarantine", "dq-unmapped-dimensions"];

/// A report that needs nothing else has rows; of every other one what it lacks is named, with how it comes.
async fn every_report_answers_or_says_what_it_lacks(app: &App) {
    let (mut answered, mut wrong) = (Vec::new(), Vec::new());
    for info in app.reports.list() {
        let days = info.params.iter().filter_map(|p| match p.name.as_str() {
            "from" => Some((p.name.clone(), "2009-12-01".to_string())),
            "to" | "as_of" => Some((p.name.clone(), "2010-12-10".to_string())),
            "customer_key" => Some((p.name.clone(), "13085".to_string())),
            _ => None,
        });
        // Pairs of articles are more than an answer may have.
        let request = Request { values: days.collect() }.with("limit", "1000");
        let run = app.reports.run(&info.id, request, &Caller::local()).await;
        let run = run.unwrap_or_else(|e| panic!("{}: {e}", info.id));
        let notes = run.receipt.notes.join("; ");
        let batches = run.rows.collect().await.unwrap_or_else(|e| panic!("{}: {e}", info.id));
        let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        let lacking: Vec<&String> = info.needs.iter().filter(|need| !FED.contains(&need.as_str())).collect();
        for need in &lacking {
            let says = match need.split_once('.') {
                Some((table, column)) => format!("no row of {table} has {column} "),
                None => format!("nothing has landed in {need},"),
            };
            if !notes.contains(&says) || !notes.contains("source") {
                wrong.push(format!("{} lacks {need}: {notes}", info.id));
            }
        }
        if lacking.is_empty() {
            if (rows == 0) != NOTHING_TO_TELL.contains(&info.id.as_str())
                || notes.contains("which this report is about")
            {
                wrong.push(format!("{}: {rows} rows; {notes}", info.id));
            }
            answered.push(info.id.as_str());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (report, answers) in [
        ("sales-summary", true),
        ("rfm-segments", true),
        ("cohort-retention", true),
        ("returns-summary", true),
        ("basket-affinity", true),
        ("product-margin", false),
        ("stock-on-hand", false),
        ("roas-cac", false),
        ("target-attainment", false),
    ] {
        assert_eq!(answered.contains(&report), answers, "{report}: {answered:?}");
    }
}

/// The same file, and the same lines in other files (split between invoices): nothing lands twice (D20).
async fn a_second_run_lands_nothing(app: &App) {
    let before = sql(app, "SELECT count(*), sum(net_rc) FROM sales_event").await;
    let again = land(app, "online_retail", &[file()]).await;
    assert!(again.files.iter().all(|f| f.already), "{again}");
    let dir = tempfile::tempdir().expect("a folder");
    let halves = split_between_invoices(dir.path());
    let split = land(app, "online_retail", &halves).await;
    println!("{split}");
    assert_eq!(split.files.iter().map(|f| f.landed).sum::<u64>(), 0, "{split}");
    assert_eq!(split.files.iter().map(|f| f.read).sum::<u64>(), LINES);
    assert_eq!(sql(app, "SELECT count(*), sum(net_rc) FROM sales_event").await, before);
}

fn split_between_invoices(dir: &std::path::Path) -> Vec<PathBuf> {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(file()).expect("committed")).read_to_string(&mut text).expect("UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    let invoice = |line: &str| line.split(',').next().unwrap_or("").to_string();
    let mut at = lines.len() / 2;
    // Lines of one invoice stand together but for a few; a cut is fair where no invoice is on both sides.
    loop {
        let left: std::collections::HashSet<String> =
            lines[1..at].iter().rev().take(20_000).map(|l| invoice(l)).collect();
        if lines[at..].iter().take(20_000).all(|l| !left.contains(&invoice(l))) {
            break;
        }
        at += 1;
    }
    [(1, at), (at, lines.len())]
        .into_iter()
        .enumerate()
        .map(|(i, (from, to))| {
            let path = dir.join(format!("part{i}.csv"));
            let mut out = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
            for line in std::iter::once(&lines[0]).chain(&lines[from..to]) {
                writeln!(out, "{line}").expect("written");
            }
            path
        })
        .collect()
}
