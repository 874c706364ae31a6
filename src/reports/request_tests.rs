//! What requests mean, and how wrong ones are refused.

use super::super::header::Chart;
use super::super::info::{ColumnInfo, ParamInfo, PolicyInfo};
use super::*;

fn header() -> Header {
    toml::from_str(
        r#"
        title = { en = "A", zh = "甲" }
        about = "a"
        key = ["period_start", "channel_id"]
        spine = ["channel"]
        [fixed]
        return_basis = "return_date"
        [params]
        from = { type = "date", default = "start of month" }
        to = { type = "date", default = "today" }
        grain = { type = "text", default = "day", values = ["all", "day", "month"] }
        [period]
        bucket = "period_start"
        grain = "grain"
        measures = ["net_sales"]
        "#,
    )
    .unwrap()
}

fn info(header: &Header) -> ReportInfo {
    let column = |name: &str| ColumnInfo { name: name.into(), kind: "Date32".into(), about: String::new() };
    ReportInfo {
        id: "sales".into(),
        folder: "time".into(),
        title: header.title.clone(),
        about: String::new(),
        params: Vec::<ParamInfo>::new(),
        policies: vec![PolicyInfo {
            name: "cancel_policy".into(),
            values: vec!["exclude".into(), "include_gross".into()],
            default: "exclude".into(),
            about: String::new(),
        }],
        slicers: vec!["channel".into(), "region".into()],
        columns: ["period_start", "channel_id", "net_sales"].map(column).into(),
        key: header.key.clone(),
        chart: None::<Chart>,
        compares: vec!["net_sales".into()],
        totals: true,
        hash: String::new(),
        reads: Vec::new(),
        needs: Vec::new(),
    }
}

fn ask(values: &[(&str, &str)]) -> Result<Asked> {
    let header = header();
    let request = values.iter().fold(Request::new(), |r, (name, value)| r.with(*name, *value));
    understand(&request, &info(&header), &header, "2026-03-31".parse().unwrap())
}

fn refused(values: &[(&str, &str)]) -> (String, String) {
    let error = ask(values).unwrap_err();
    (error.message().to_string(), error.hint_text().unwrap_or_default().to_string())
}

#[test]
fn nothing_asked_is_the_defaults() {
    let asked = ask(&[]).unwrap();
    assert_eq!(asked.options.params["from"], Param::Date("2026-03-01".parse().unwrap()));
    assert_eq!(asked.options.params["grain"], Param::Text("day".into()));
    assert_eq!(asked.options.key, ["period_start", "channel_id"]);
    assert_eq!(asked.options.spine, ["channel"]);
    assert_eq!(asked.policies["cancel_policy"], "exclude");
    assert_eq!(asked.policies["return_basis"], "return_date");
    assert!(asked.options.compare.is_none() && !asked.options.totals && asked.options.limit.is_none());
}

#[test]
fn everything_asked() {
    let asked = ask(&[
        ("from", "2026-01"),
        ("where.channel", "web, pos"),
        ("where.channel", "N/A"),
        ("where.region", "East"),
        ("where.region_level", "1"),
        ("cancel_policy", "include_gross"),
        ("compare", "previous_year"),
        ("order_by", "-net_sales_growth, channel_id asc"),
        ("limit", "10"),
        ("totals", "true"),
    ])
    .unwrap();
    let channel =
        Slice { slicer: "channel".into(), values: vec!["web".into(), "pos".into(), "N/A".into()], level: None };
    let region = Slice { slicer: "region".into(), values: vec!["East".into()], level: Some(1) };
    assert_eq!(asked.options.slices, [channel, region]);
    assert_eq!(asked.options.policies["cancel_policy"], "include_gross");
    let compare = asked.options.compare.unwrap();
    assert_eq!((compare.mode, compare.bucket.as_deref()), (CompareMode::PreviousYear, Some("period_start")));
    let growth = OrderBy { column: "net_sales_growth".into(), descending: true };
    assert_eq!(asked.options.order_by, [growth, OrderBy { column: "channel_id".into(), descending: false }]);
    assert_eq!(asked.options.limit, Some(10));
    assert!(asked.options.totals);
}

#[test]
fn a_grain_that_is_no_calendars_makes_no_buckets() {
    let compare = ask(&[("grain", "all"), ("compare", "previous_period")]).unwrap().options.compare.unwrap();
    assert_eq!((compare.bucket, compare.grain), (None, None));
    let compare = ask(&[("grain", "month"), ("compare", "previous_period")]).unwrap().options.compare.unwrap();
    assert_eq!((compare.bucket.as_deref(), compare.grain.as_deref()), (Some("period_start"), Some("grain")));
}

#[test]
fn the_first_rows_and_one_of_the_others() {
    assert_eq!(ask(&[("top_n", "3"), ("totals", "true")]).unwrap().options.top_n, Some(3));
    assert_eq!(ask(&[("top_n", "")]).unwrap().options.top_n, None);
    assert_eq!(refused(&[("top_n", "3"), ("limit", "3")]).0, "limit and top_n cannot be asked for together");
    let compared = refused(&[("top_n", "3"), ("compare", "previous_period")]).0;
    assert_eq!(compared, "compare and top_n cannot be asked for together");
    assert_eq!(refused(&[("top_n", "0")]).0, "top_n = \"0\": no number of rows that can be shown");
}

#[test]
fn wrong_names_are_refused_with_near_ones() {
    assert_eq!(refused(&[("form", "2026")]), ("sales has no parameter form".into(), "did you mean from?".into()));
    assert_eq!(refused(&[("channel", "web")]).1, "slicers are written where.channel");
    let first = "limit=3 gives the first rows in the order of order_by, top_n=3 one more of all the others";
    assert_eq!(refused(&[("top", "3")]).1, first);
    assert_eq!(refused(&[("where.chanel", "web")]).1, "did you mean channel?");
    assert_eq!(
        refused(&[("where.product", "x")]),
        ("sales cannot be sliced by product".into(), "it can be by channel, region".into())
    );
    assert_eq!(refused(&[("return_basis", "sale_date")]).0, "sales sets return_basis itself, to return_date");
    assert_eq!(refused(&[("cancel_policy", "exlude")]).1, "did you mean exclude?");
    assert_eq!(refused(&[("compare", "previous_yaer")]).1.split(',').next(), Some("did you mean previous_year"));
    assert_eq!(refused(&[("order_by", "-net_sale")]).1, "did you mean net_sales?");
    assert_eq!(refused(&[("order_by", "net_sales_prev")]).0, "order_by net_sales_prev: no such column");
    let modes = "known: none, previous_period, previous_year, previous_year_aligned";
    assert_eq!(refused(&[("compare", "yesteryear")]).1, modes);
    for limit in ["100001", "0", "-1", "ten"] {
        let (message, hint) = refused(&[("limit", limit)]);
        assert!(message.contains(limit) && message.contains("no number of rows"), "{message}");
        assert_eq!(hint, "1 to 100000");
    }
    assert_eq!(refused(&[("from", "2026"), ("from", "2025")]).0, "from is given twice");
    assert_eq!(refused(&[("where.region_level", "1")]).1, "add where.region");
    assert_eq!(refused(&[("grain", "moth")]).1, "did you mean month?");
    assert!(refused(&[("from", "2026-04-01")]).0.contains("no day"));
}

#[test]
fn what_a_report_has_not_is_refused() {
    let mut header = header();
    header.period = None;
    let mut info = info(&header);
    info.totals = false;
    let ask = |name: &str, value: &str| {
        let request = Request::new().with(name, value);
        understand(&request, &info, &header, "2026-03-31".parse().unwrap())
    };
    assert!(ask("compare", "previous_year").unwrap_err().message().contains("no period"));
    assert!(ask("totals", "true").unwrap_err().message().contains("no totals"));
    assert!(ask("compare", "none").is_ok() && ask("totals", "false").is_ok());
}
