//! What columns mean, by their names and values. Only guesses: a draft is to be read before it is trusted.

use chrono::format::{Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveDate};

use super::sniff::Sample;

/// A column of order_line and the names that sources give it, best first. Compared without case, blanks and signs.
const NAMES: &[(&str, &[&str])] = &[
    (
        "created_at",
        &[
            "createdat",
            "orderdate",
            "date",
            "datetime",
            "orderdatetime",
            "solddate",
            "soldat",
            "saledate",
            "invoicedate",
            "transactiondate",
            "timestamp",
            "time",
            "created",
            "day",
            "日期",
            "时间",
            "下单时间",
            "订单日期",
            "付款时间",
            "datum",
            "fecha",
        ],
    ),
    (
        "order_id",
        &[
            "orderid",
            "order",
            "ordernumber",
            "orderno",
            "invoice",
            "invoiceid",
            "invoiceno",
            "invoicenumber",
            "receipt",
            "receiptid",
            "receiptno",
            "transactionid",
            "transaction",
            "ticket",
            "订单号",
            "订单编号",
            "单号",
        ],
    ),
    (
        "order_line_id",
        &["orderlineid", "lineid", "line", "lineno", "linenumber", "position", "itemno", "orderitemid", "行号"],
    ),
    (
        "sku",
        &[
            "sku",
            "skucode",
            "stockcode",
            "productcode",
            "productid",
            "product",
            "itemid",
            "itemcode",
            "item",
            "article",
            "articleno",
            "articlenumber",
            "barcode",
            "ean",
            "gtin",
            "商品编码",
            "商品编号",
            "货号",
            "artikel",
        ],
    ),
    ("quantity", &["quantity", "qty", "units", "pieces", "count", "数量", "menge", "cantidad"]),
    ("unit_price", &["unitprice", "price", "itemprice", "salesprice", "单价", "价格", "preis", "precio"]),
    ("line_discount_amount", &["linediscountamount", "linediscount", "discountamount", "discount", "优惠金额", "折扣"]),
    ("tax_rate", &["taxrate", "vatrate", "税率"]),
    ("currency", &["currency", "currencycode", "币种", "货币"]),
    ("channel_id", &["channelid", "channel", "saleschannel", "渠道"]),
    ("location_id", &["locationid", "location", "storeid", "store", "shopid", "shop", "branch", "门店", "店铺"]),
    ("customer_key", &["customerkey", "customerid", "customer", "buyerid", "memberid", "会员号", "客户编号"]),
    ("unit_cost", &["unitcost", "cost", "cogs", "成本"]),
    ("is_test", &["istest", "test"]),
];

/// For each column of order_line: which of `samples` it is taken from.
pub(crate) fn roles(samples: &[Sample]) -> Vec<(&'static str, usize)> {
    let plain: Vec<String> = samples.iter().map(|s| plain(&s.name)).collect();
    let mut taken = vec![false; samples.len()];
    let mut roles = Vec::new();
    // Names that are equal come before names that only end alike (`sold_price`), so that those cannot take their place.
    for fits in [
        |name: &str, known: &str| name == known,
        |name: &str, known: &str| known.chars().count() > 3 && name.ends_with(known),
    ] {
        for (role, names) in NAMES {
            if roles.iter().any(|(r, _)| r == role) {
                continue;
            }
            let found = names.iter().find_map(|known| {
                (0..plain.len()).find(|i| !taken[*i] && fits(&plain[*i], known) && plausible(role, &samples[*i]))
            });
            if let Some(i) = found {
                taken[i] = true;
                roles.push((*role, i));
            }
        }
    }
    roles
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether the values can be what the role asks for.
fn plausible(role: &str, sample: &Sample) -> bool {
    match role {
        "created_at" => moment(&sample.values).is_some(),
        "quantity" | "unit_price" | "line_discount_amount" | "tax_rate" | "unit_cost" => {
            number(&sample.values).is_some()
        }
        "currency" => sample.values.iter().all(|v| v.len() == 3 && v.chars().all(|c| c.is_ascii_alphabetic())),
        "is_test" => sample.values.iter().all(|v| matches!(v.to_lowercase().as_str(), "true" | "false" | "0" | "1")),
        _ => true,
    }
}

/// How a column writes points in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Moment {
    /// RFC 3339 with a zone.
    Instant,
    /// Wall-clock times, or dates, in this strftime format; `true`: another order of day and month fits as well.
    Local(String, bool),
}

const DATES: &[&str] = &[
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y%m%d",
    "%d %b %Y",
    "%b %d, %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%Y年%m月%d日",
];
const CLOCKS: &[&str] = &["", " %H:%M:%S%.f", " %H:%M", "T%H:%M:%S%.f", "T%H:%M", " %I:%M %p", " %I:%M:%S %p"];

/// The format that reads all values (at least one).
pub(crate) fn moment(values: &[String]) -> Option<Moment> {
    if values.is_empty() {
        return None;
    }
    if most(values, |v| DateTime::parse_from_rfc3339(v).is_ok()) {
        return Some(Moment::Instant);
    }
    let formats = DATES.iter().flat_map(|d| CLOCKS.iter().map(move |c| format!("{d}{c}")));
    let mut fitting = formats.filter(|f| most(values, |v| reads(v, f)));
    let best = fitting.next()?;
    Some(Moment::Local(best, fitting.next().is_some()))
}

/// At least four of five: a few bad values do not change what a column is, they are what the quarantine is for.
fn most(values: &[String], fits: impl Fn(&str) -> bool) -> bool {
    !values.is_empty() && values.iter().filter(|v| fits(v)).count() * 5 >= values.len() * 4
}

fn reads(text: &str, format: &str) -> bool {
    let mut parsed = Parsed::new();
    let date: Option<NaiveDate> =
        parse(&mut parsed, text, StrftimeItems::new(format)).ok().and_then(|()| parsed.to_naive_date().ok());
    let clock = !format.contains("%H") && !format.contains("%I") || parsed.to_naive_time().is_ok();
    // "%Y" reads year 12 too: a year of a sale has four digits.
    clock && date.is_some_and(|d| (1970..=2100).contains(&chrono::Datelike::year(&d)))
}

/// How a column writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    /// 1234.5
    Plain,
    /// 1,234.5
    Commas,
    /// 1.234,5 or 1234,5
    DecimalComma,
}

/// The way of writing numbers that fits all values (at least one).
pub(crate) fn number(values: &[String]) -> Option<Number> {
    let all = |fits: fn(&str) -> bool| most(values, |v| fits(v.strip_prefix('-').unwrap_or(v)));
    fn digits(text: &str) -> bool {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
    }
    fn plain(text: &str) -> bool {
        text.split_once('.').map_or_else(|| digits(text), |(whole, part)| digits(whole) && digits(part))
    }
    fn thousands(text: &str, sign: char) -> bool {
        let mut groups = text.split(sign);
        groups.next().is_some_and(|g| digits(g) && g.len() <= 3) && groups.all(|g| digits(g) && g.len() == 3)
    }
    if all(plain) {
        Some(Number::Plain)
    } else if all(|v| {
        v.split_once('.')
            .map_or_else(|| plain(v) || thousands(v, ','), |(w, p)| (digits(w) || thousands(w, ',')) && digits(p))
    }) {
        Some(Number::Commas)
    } else if all(|v| {
        v.split_once(',')
            .map_or_else(|| digits(v) || thousands(v, '.'), |(w, p)| (digits(w) || thousands(w, '.')) && digits(p))
    }) {
        Some(Number::DecimalComma)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|v| v.to_string()).collect()
    }

    #[test]
    fn formats_of_moments_and_numbers() {
        let local = |f: &str, doubt| Some(Moment::Local(f.into(), doubt));
        assert_eq!(moment(&texts(&["2026-01-31", "2026-02-01"])), local("%Y-%m-%d", false));
        assert_eq!(moment(&texts(&["31/01/2026 10:05"])), local("%d/%m/%Y %H:%M", false));
        assert_eq!(moment(&texts(&["01/31/2026"])), local("%m/%d/%Y", false));
        assert_eq!(moment(&texts(&["01/02/2026"])), local("%d/%m/%Y", true));
        assert_eq!(moment(&texts(&["2026-01-31T10:00:00Z"])), Some(Moment::Instant));
        assert_eq!(moment(&texts(&["2026-01-31", "soon"])), None);
        assert_eq!(moment(&[]), None);
        assert_eq!(number(&texts(&["1", "-2.50"])), Some(Number::Plain));
        assert_eq!(number(&texts(&["1,250.00", "3"])), Some(Number::Commas));
        assert_eq!(number(&texts(&["2,50", "1.250,00"])), Some(Number::DecimalComma));
        assert_eq!(number(&texts(&["£3"])), None);
    }

    #[test]
    fn names_become_roles() {
        let sample = |name: &str, value: &str| Sample {
            name: name.into(),
            sql: name.into(),
            values: texts(&[value]),
            in_lines: false,
        };
        let samples = [
            sample("Invoice Date", "2026-01-01"),
            sample("StockCode", "00123"),
            sample("Qty", "3"),
            sample("Sold Price", "2.5"),
            sample("Date of birth", "1980-01-01"),
        ];
        let found: Vec<(&str, usize)> = roles(&samples);
        assert_eq!(found, [("created_at", 0), ("sku", 1), ("quantity", 2), ("unit_price", 3)]);
    }
}
