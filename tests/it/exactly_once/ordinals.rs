//! Sentence 3 where lines have no ids: keys are made from a line's content and its count among equal lines of its receipt in
//! its file (`[key] ordinal_within`). Files may be split between receipts, not inside one. Some lines wait for a rate, and
//! keep their counts meanwhile.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::world::{Delivery, Layouts, World, cases, run};

pub const TILL: (&str, &str, &str) = (
    "till",
    "receipt,sold,sku,qty,currency",
    r#"-- ---
-- title = { en = "Till", zh = "收银" }
-- about = "Lines of receipts without line numbers; C… receipts are returns."
-- order = 20
-- [read]
-- path = "till/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- tz = "Europe/London"
-- [key]
-- ordinal_within = ["receipt"]
-- ---
-- into = "order_line"
SELECT receipt AS order_id, local_time(sold, '%Y-%m-%d') AS created_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(qty AS DECIMAL(18,4)) AS unit_price, currency
FROM raw WHERE receipt NOT LIKE 'C%';
-- into = "return_line"
SELECT receipt AS return_id, local_time(sold, '%Y-%m-%d') AS refunded_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(qty AS DECIMAL(18,4)) AS refund_net_amount, currency
FROM raw WHERE receipt LIKE 'C%';
"#,
);

pub const RATES: (&str, &str, &str) = (
    "rates",
    "day,base,quote,rate",
    r#"-- ---
-- title = { en = "Rates", zh = "汇率" }
-- about = "Exchange rates."
-- order = 1
-- [read]
-- path = "rates/*.csv"
-- format = "csv"
-- optional = ["v"]
-- ---
-- into = "fx_rate"
SELECT date_of(day, '%Y-%m-%d') AS rate_date, base AS base_currency, quote AS quote_currency, CAST(rate AS DECIMAL(18,8)) AS rate,
       coalesce(CAST(v AS BIGINT), 0) AS source_version
FROM raw;
"#,
);

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::new(&[TILL, RATES]));
const TABLES: &[&str] = &["order_line", "return_line"];

/// Each day has a rate of its own: a later one could change what an earlier one gave (D33), and so could arrival.
const RATED: [(&str, &str); 2] = [("2026-01-30", "0.85"), ("2026-02-02", "0.95")];

/// A receipt whose lines are often equal, and how it arrives.
#[derive(Debug, Clone)]
pub struct Receipt {
    is_return: bool,
    day: usize,
    /// sku, quantity and currency.
    lines: Vec<(&'static str, &'static str, &'static str)>,
    /// The file that it is in, and how far its lines are turned round there.
    file: usize,
    turn: usize,
    /// It is in the next file, too, its lines backwards.
    again: bool,
}

fn receipt() -> impl Strategy<Value = Receipt> {
    let line = (
        prop::sample::select(vec!["a", "b"]),
        prop::sample::select(vec!["1", "1", "1", "2", "x"]),
        prop::sample::select(vec!["GBP", "GBP", "EUR"]),
    );
    (any::<bool>(), 0..RATED.len(), prop::collection::vec(line, 1..7), 0..3usize, 0..6usize, any::<bool>())
        .prop_map(|(is_return, day, lines, file, turn, again)| Receipt { is_return, day, lines, file, turn, again })
}

impl Receipt {
    /// Its lines as they stand in a file.
    fn lines(&self, number: usize) -> Vec<String> {
        let kind = if self.is_return { "C" } else { "T" };
        let day = RATED[self.day].0;
        self.lines.iter().map(|(sku, qty, currency)| format!("{kind}{number},{day},{sku},{qty},{currency}")).collect()
    }
    /// Its lines that land: all whose quantity is a number.
    fn landing(&self) -> usize {
        self.lines.iter().filter(|(_, qty, _)| *qty != "x").count()
    }
}

fn rates() -> Vec<Delivery> {
    let one = |(day, rate): (&str, &str)| Delivery { source: "rates", lines: vec![format!("{day},EUR,GBP,{rate}")] };
    RATED.map(one).to_vec()
}

/// All receipts in one file.
fn whole(receipts: &[Receipt]) -> Delivery {
    Delivery { source: "till", lines: receipts.iter().enumerate().flat_map(|(i, r)| r.lines(i)).collect() }
}

/// The same receipts over three files, split between receipts, lines of a receipt in another order.
fn split(receipts: &[Receipt]) -> Vec<Delivery> {
    let mut files = vec![Delivery { source: "till", lines: Vec::new() }; 3];
    for (i, receipt) in receipts.iter().enumerate().rev() {
        let mut lines = receipt.lines(i);
        let turn = receipt.turn % lines.len();
        lines.rotate_left(turn);
        files[receipt.file].lines.extend(lines.clone());
        if receipt.again {
            lines.reverse();
            files[(receipt.file + 1) % 3].lines.extend(lines);
        }
    }
    files
}

pub fn arrivals() -> impl Strategy<Value = (Vec<Receipt>, Vec<Delivery>)> {
    prop::collection::vec(receipt(), 1..6).prop_flat_map(|receipts| {
        let deliveries: Vec<Delivery> = split(&receipts).into_iter().chain(rates()).collect();
        (Just(receipts), Just(deliveries).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn equal_lines_keep_their_keys_in_any_split_between_receipts((receipts, shuffled) in arrivals()) {
        run(async {
            let (one, two) = (World::open(&LAYOUTS).await, World::open(&LAYOUTS).await);
            one.land_together(&rates()).await;
            one.land_together(&[whole(&receipts)]).await;
            two.land_each(&shuffled).await;
            let first = one.state(TABLES).await;
            assert_eq!(first, two.state(TABLES).await, "the split or the order of arrival changed the tables");
            for (table, is_return) in [(&first[0], false), (&first[1], true)] {
                let landing: usize = receipts.iter().filter(|r| r.is_return == is_return).map(Receipt::landing).sum();
                assert_eq!(table.rows.len(), landing, "lines that are equal are lines all the same: {table:?}");
            }
            for world in [&one, &two] {
                world.rows_are_accounted_for(TABLES).await;
            }
            one.land_together(&split(&receipts)).await;
            assert_eq!(first, one.state(TABLES).await, "landing the same receipts again changed the tables");
        });
    }
}
