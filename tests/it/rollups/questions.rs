//! Random aggregates over the views that have rollups. Most of them a rollup can answer, some it cannot; all have one right answer.
//! They must not be written for what the rollups do.

use chrono::{Days, NaiveDate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use saleslake::engine::{Engine, QueryOptions};

use super::ask;
use super::words::{ARTICLE, CHARGE, CLASSIFIED, DAY, Family, Joined, PLACED, SUBQUERIES, UNION};

/// How many of a hundred ask for what no rollup tells.
const OUTSIDE: u32 = 12;
const GRAINS: &[&str] = &["day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_year"];
const CALENDARS: &[&str] = &["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"];

/// Values that the columns have.
pub struct Values {
    channels: Vec<String>,
    locations: Vec<String>,
    regions: Vec<String>,
    products: Vec<String>,
}

impl Values {
    pub async fn of(engine: &Engine) -> Values {
        let some = async |column: &str| -> Vec<String> {
            let sql =
                format!("SELECT DISTINCT {column} FROM sales_event WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 40");
            let told = ask(engine, &sql, QueryOptions::default()).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
            assert!(told.answer.rows.len() > 1, "{column}: {:?}", told.answer.rows);
            told.answer.rows.into_iter().map(|mut row| row.remove(0)).collect()
        };
        Values {
            channels: some("channel_id").await,
            locations: some("location_id").await,
            regions: some("region_id").await,
            products: some("product_id").await,
        }
    }
}

/// The statement of a seed.
pub fn question(values: &Values, seed: u64) -> String {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let family = match dice.random_range(0..100_u32) {
        0..=35 => DAY,
        36..=55 => ARTICLE,
        56..=71 => CHARGE,
        72..=85 => UNION,
        86..=92 => PLACED,
        _ => CLASSIFIED,
    };
    Asker { dice, values, family }.statement()
}

struct Asker<'a> {
    dice: ChaCha8Rng,
    values: &'a Values,
    family: Family,
}

impl Asker<'_> {
    fn one(&mut self, below: usize) -> usize {
        self.dice.random_range(0..below)
    }
    fn chance(&mut self, of_hundred: u32) -> bool {
        self.dice.random_range(0..100) < of_hundred
    }
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.one(of.len())]
    }

    fn statement(&mut self) -> String {
        let from = if self.family.view.is_empty() { self.union() } else { self.family.view.to_string() };
        let outside = self.chance(OUTSIDE);
        if outside && self.chance(20) {
            return self.not_grouped_plainly(&from);
        }
        let joins: Vec<Joined> = match self.one(100) {
            0..=27 => vec![self.pick(self.family.joins)],
            28..=35 => self.two_joins(),
            _ => vec![],
        };
        let doubles = joins.iter().any(|join| join.doubles);
        let mut keys: Vec<String> = (0..self.pick(&[0, 1, 1, 2, 2, 3])).map(|_| self.key()).collect();
        let mut conditions: Vec<String> = (0..self.pick(&[0, 1, 1, 2])).map(|_| self.condition()).collect();
        for join in &joins {
            if self.chance(60) {
                keys.push(self.pick(join.keys).into());
            }
            if self.chance(25) {
                conditions.push(self.pick(join.conditions).into());
            }
        }
        if self.chance(8) {
            conditions.push(self.pick(SUBQUERIES).into());
        }
        let mut calls: Vec<String> = (0..self.pick(&[1, 2, 2, 3, 4])).map(|_| self.call(doubles)).collect();
        if outside {
            let words = self.family.outside;
            match self.one(3) {
                0 => keys.push(self.pick(words.keys).into()),
                1 => calls.push(self.pick(words.calls).into()),
                _ => conditions.push(self.pick(words.conditions).into()),
            }
        }
        for list in [&mut keys, &mut calls] {
            list.sort();
            list.dedup();
        }
        let joins: Vec<&str> = joins.iter().map(|join| join.sql).collect();
        self.assemble(&from, &joins, &conditions, &keys, &calls)
    }

    fn assemble(
        &mut self,
        from: &str,
        joins: &[&str],
        conditions: &[String],
        keys: &[String],
        calls: &[String],
    ) -> String {
        let named = |list: &[String], name: &str| -> Vec<String> {
            list.iter().enumerate().map(|(n, expr)| format!("{expr} AS {name}{n}")).collect()
        };
        let columns = [named(keys, "k"), named(calls, "a")].concat();
        let mut sql = format!("SELECT {} FROM {from} e", columns.join(", "));
        joins.iter().for_each(|join| sql.push_str(&format!(" {join}")));
        if !conditions.is_empty() {
            sql.push_str(&format!(" WHERE ({})", conditions.join(") AND (")));
        }
        let places = |count: usize| (1..=count).map(|n| n.to_string()).collect::<Vec<_>>();
        if !keys.is_empty() {
            sql.push_str(&format!(" GROUP BY {}", places(keys.len()).join(", ")));
            if self.chance(15) {
                let sum = self.pick(self.family.sums);
                let having = ["count(*) > 2".to_string(), format!("sum(e.{sum}) >= 0"), format!("sum(e.{sum}) < 100")];
                sql.push_str(&format!(" HAVING {}", having[self.one(3)]));
            }
        }
        if self.chance(8) {
            return format!("SELECT count(*) AS n, max(t.a0) AS m FROM ({sql}) t");
        }
        if self.chance(20) {
            // By all columns: rows that tie are the same.
            let order: Vec<String> = places(columns.len()).into_iter().map(|n| format!("{n} NULLS LAST")).collect();
            sql.push_str(&format!(" ORDER BY {} LIMIT {}", order.join(", "), 1 + self.one(30)));
        }
        sql
    }

    /// Two relations that bear different names.
    fn two_joins(&mut self) -> Vec<Joined> {
        let (one, other) = (self.pick(self.family.joins), self.pick(self.family.joins));
        if one.sql == other.sql { vec![one] } else { vec![one, other] }
    }

    /// Grouping sets, and DISTINCT below the aggregate.
    fn not_grouped_plainly(&mut self, from: &str) -> String {
        let (sum, condition) = (self.pick(self.family.sums), self.condition());
        match self.chance(50) {
            true => format!(
                "SELECT e.channel_id AS k0, e.flow AS k1, count(*) AS a0, sum(e.{sum}) AS a1 FROM {from} e \
                 WHERE ({condition}) GROUP BY ROLLUP (e.channel_id, e.flow)"
            ),
            false => format!(
                "SELECT e.channel_id AS k0, count(*) AS a0 FROM \
                 (SELECT DISTINCT e.business_date, e.channel_id FROM {from} e WHERE ({condition})) e GROUP BY 1"
            ),
        }
    }

    /// Sales; charges; sales of other days; days without any.
    fn union(&mut self) -> String {
        const KEYS: &str = "e.business_date, e.flow, e.channel_id, e.location_id, e.region_id, e.is_staff_order";
        let sales = |days: String| {
            format!(
                "SELECT {KEYS}, e.buyer_key, e.net_rc, e.gross_sales, e.units_sold, CAST(0 AS DECIMAL(18,4)) AS charge_rc \
                 FROM sales_event e WHERE {days}"
            )
        };
        let mut branches = vec![sales(self.days())];
        if self.chance(60) {
            let days = self.days();
            branches.push(format!(
                "SELECT {KEYS}, CAST(NULL AS VARCHAR) AS buyer_key, CAST(0 AS DECIMAL(18,4)) AS net_rc, \
                 CAST(0 AS DECIMAL(18,4)) AS gross_sales, CAST(0 AS DECIMAL(18,3)) AS units_sold, e.charge_rc \
                 FROM charge_event e WHERE {days}"
            ));
        }
        if self.chance(40) {
            branches.push(sales(self.days()));
        }
        if branches.len() == 1 || self.chance(30) {
            branches.push(
                "SELECT d.date_key AS business_date, 'own' AS flow, CAST(NULL AS VARCHAR) AS channel_id, \
                 CAST(NULL AS VARCHAR) AS location_id, CAST(NULL AS VARCHAR) AS region_id, false AS is_staff_order, \
                 CAST(NULL AS VARCHAR) AS buyer_key, CAST(0 AS DECIMAL(18,4)) AS net_rc, \
                 CAST(0 AS DECIMAL(18,4)) AS gross_sales, CAST(0 AS DECIMAL(18,3)) AS units_sold, \
                 CAST(0 AS DECIMAL(18,4)) AS charge_rc FROM calendar d \
                 WHERE d.date_key >= DATE '2025-01-01' AND d.date_key < DATE '2025-05-01'"
                    .into(),
            );
        }
        format!("({})", branches.join(" UNION ALL "))
    }

    fn day(&mut self) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(2024, 6, 10).expect("a day");
        first + Days::new(self.dice.random_range(0..780_u64))
    }

    /// A condition on the days.
    fn days(&mut self) -> String {
        let (one, other) = (self.day(), self.day());
        let (from, to) = (one.min(other), one.max(other));
        let month = |day: NaiveDate| day.format("%Y-%m-01").to_string();
        match self.one(7) {
            0 => format!("e.business_date >= DATE '{from}'"),
            1 => format!("e.business_date < DATE '{to}'"),
            2 => format!("e.business_date BETWEEN DATE '{from}' AND DATE '{to}'"),
            3 => format!("DATE '{from}' <= e.business_date AND DATE '{to}' > e.business_date"),
            4 => format!("e.business_date IN (DATE '{from}', DATE '{to}', DATE '2026-05-10')"),
            _ => format!("e.business_date >= DATE '{}' AND e.business_date < DATE '{}'", month(from), month(to)),
        }
    }

    fn value(&mut self, column: &str) -> String {
        let values = self.values;
        let known: &[String] = match column {
            "channel_id" | "return_channel_id" => &values.channels,
            "location_id" => &values.locations,
            "region_id" => &values.regions,
            "product_id" => &values.products,
            _ => &[],
        };
        let fixed: &[&str] = match column {
            "event_kind" => &["sale", "return", "exchange_out", "exchange_in", "adjustment"],
            "charge_type" => &["shipping", "shipping_discount", "tax", "duty", "fee"],
            "flow" => &["own", "sell_in", "sell_out"],
            _ => &["UNK"],
        };
        let at = self.one(known.len() + fixed.len());
        let text = known.get(at).map_or_else(|| fixed[at - known.len()], String::as_str);
        format!("'{}'", text.replace('\'', "''"))
    }

    fn list(&mut self, column: &str) -> String {
        let count = 1 + self.one(5);
        (0..count).map(|_| self.value(column)).collect::<Vec<_>>().join(", ")
    }

    /// A condition that keys decide.
    fn condition(&mut self) -> String {
        let (text, flag) = (self.pick(self.family.texts), self.pick(self.family.bools));
        match self.one(13) {
            0..=3 => self.days(),
            4 | 5 => format!("e.{text} IN ({})", self.list(text)),
            6 => format!("e.{text} NOT IN ({})", self.list(text)),
            7 => format!("e.{text} IS {}NULL", self.pick(&["", "NOT "])),
            8 => format!("{}e.{flag}", self.pick(&["", "NOT "])),
            9 => format!("(({}) OR ({}))", self.condition(), self.condition()),
            10 => format!("extract(MONTH FROM e.business_date) IN ({}, 6)", 1 + self.one(12)),
            11 => format!("coalesce(e.{text}, 'none') <> {}", self.value(text)),
            _ => "e.flow <> 'sell_out'".into(),
        }
    }

    /// A key, or what keys decide.
    fn key(&mut self) -> String {
        let (text, other) = (self.pick(self.family.texts), self.pick(self.family.texts));
        match self.one(12) {
            0..=3 => format!("e.{text}"),
            4 => format!("e.{}", self.pick(self.family.bools)),
            5 | 6 => {
                format!("period_start(e.business_date, '{}', '{}')", self.pick(GRAINS), self.pick(CALENDARS))
            }
            7 => format!(
                "CASE WHEN {} THEN 'one' WHEN e.{text} IS NULL THEN 'none' ELSE e.{other} END",
                self.condition()
            ),
            8 => format!("coalesce(e.{text}, e.{other}, 'none')"),
            9 => "extract(YEAR FROM e.business_date)".into(),
            10 => format!("concat(e.{text}, '/', e.{other})"),
            _ => self.pick(self.family.keys).into(),
        }
    }

    /// A call over what the rollup keeps.
    fn call(&mut self, doubles: bool) -> String {
        let (sum, text) = (self.pick(self.family.sums), self.pick(self.family.texts));
        match self.one(22) {
            0..=6 => format!("sum(e.{sum})"),
            7 | 8 => self.pick(self.family.calls).into(),
            9 => format!("sum(CASE WHEN {} THEN e.{sum} ELSE 0 END)", self.condition()),
            10 => format!("sum(CASE WHEN {} THEN e.{sum} END)", self.condition()),
            11 => format!("sum(e.{sum}) FILTER (WHERE {})", self.condition()),
            12 | 13 => "count(*)".into(),
            14 => format!("count(CASE WHEN {} THEN 1 END)", self.condition()),
            15 => format!("count(e.{text})"),
            16 => format!("{}(e.business_date)", self.pick(&["min", "max"])),
            17 => format!("max(CASE WHEN {} THEN e.business_date END)", self.condition()),
            18 => format!("count(DISTINCT e.{text})"),
            19 => "sum(1)".into(),
            _ => self.distinct(doubles),
        }
    }

    fn distinct(&mut self, doubles: bool) -> String {
        let known = self.family.distinct;
        let known: Vec<&str> = known.iter().copied().filter(|name| !doubles || *name != "sale_order_id").collect();
        if known.is_empty() {
            return "count(DISTINCT e.business_date)".into();
        }
        let name = self.pick(&known);
        match self.one(3) {
            0 => format!("count(DISTINCT CASE WHEN {} THEN e.{name} END)", self.condition()),
            1 => format!("count(DISTINCT e.{name}) FILTER (WHERE {})", self.condition()),
            _ => format!("count(DISTINCT e.{name})"),
        }
    }
}
