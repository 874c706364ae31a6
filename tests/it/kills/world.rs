//! What is sold, sent back and sent again, and what the tables must come to: a model of maps that knows nothing but keys and
//! versions. It must know neither processes nor the lake.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::rows::{Back, Sale, euro_day};
use super::sources::{ORDERS_HEAD, RATES_HEAD, RETURNS_HEAD};

/// Orders that everybody changes.
pub const SHARED: u64 = 10;
const PUSHES: u64 = 6;
/// Two lines with so long a note are more than what a server keeps of a body in memory, bytes.
const LONG: usize = 600_000;

/// A file to land, by its name below the landing folder.
pub struct File {
    pub name: String,
    pub text: String,
}

pub struct Push {
    pub key: String,
    pub body: String,
    pub lines: u64,
}

/// What arrives in one round.
pub struct Work {
    pub files: Vec<File>,
    pub pushes: Vec<Push>,
}

#[derive(Default)]
pub struct World {
    round: u64,
    orders: BTreeMap<String, u64>,
    returns: BTreeMap<u64, u64>,
    products: BTreeMap<String, u64>,
    /// Rule and line of what is in quarantine for ever.
    stopped: BTreeSet<Vec<String>>,
    /// What landed, as the audit calls it.
    audited: BTreeSet<String>,
    /// A file of the round before.
    last: Option<String>,
}

impl World {
    /// The next files and pushes: a few versions of orders that all of them change, orders of their own, lines that no rule
    /// lets in, returns, a euro order and the rate for that of the round before; and a file that has landed already.
    pub fn next(&mut self, dice: &mut ChaCha8Rng) -> Work {
        self.round += 1;
        let round = self.round;
        let mut files = Vec::new();
        for part in ["a", "b"] {
            let mut lines = self.sales(&format!("{round}{part}"), 4, dice);
            if part == "b" {
                lines.push(Sale { order: format!("E{round}"), version: 1 }.line("2", ""));
            }
            files.push(self.file(format!("sold/{round}-{part}.csv"), ORDERS_HEAD, &lines));
        }
        let lines: Vec<String> = (0..3).map(|_| self.back(dice)).collect();
        files.push(self.file(format!("back/{round}.csv"), RETURNS_HEAD, &lines));
        if round > 1 {
            let lines = [format!("{},EUR,GBP,1.25", euro_day(round - 1))];
            files.push(self.file(format!("rates/{round}.csv"), RATES_HEAD, &lines));
            self.sold(Sale { order: format!("E{}", round - 1), version: 1 });
        }
        let text = self.last.replace(files[0].text.clone());
        files.extend(text.map(|text| File { name: format!("sold/{round}-again.csv"), text }));
        let pushes = (0..PUSHES).map(|n| self.push(&format!("{round}-{n}"), dice)).collect();
        Work { files, pushes }
    }

    fn file(&mut self, name: String, head: &str, lines: &[String]) -> File {
        self.audited.insert(name.clone());
        File { text: format!("{head}\n{}\n", lines.join("\n")), name }
    }

    fn push(&mut self, name: &str, dice: &mut ChaCha8Rng) -> Push {
        let mut lines = self.sales(&format!("{name}p"), 1, dice);
        if dice.random_bool(0.05) {
            for part in ["x", "y"] {
                let long = Sale { order: format!("O{name}{part}"), version: 1 };
                lines.push(long.line(&long.quantity().to_string(), &part.repeat(LONG)));
                self.sold(long);
            }
        }
        self.audited.insert(format!("push/orders/{name}"));
        let body = format!("{ORDERS_HEAD}\n{}\n", lines.join("\n"));
        Push { key: name.into(), body, lines: lines.len() as u64 }
    }

    /// So many versions of shared orders, and one of an order that nobody else has; at times a line that cannot land.
    fn sales(&mut self, name: &str, shared: usize, dice: &mut ChaCha8Rng) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..shared {
            // Above those of earlier rounds or not.
            let version = self.round * 20 + dice.random_range(0..60);
            let sale = Sale { order: format!("S{}", dice.random_range(0..SHARED)), version };
            lines.push(sale.line(&sale.quantity().to_string(), ""));
            self.sold(sale);
        }
        let own = Sale { order: format!("O{name}"), version: 1 + self.round % 3 };
        lines.push(own.line(&own.quantity().to_string(), ""));
        self.sold(own);
        if dice.random_bool(0.4) {
            let line = Sale { order: format!("B{name}"), version: 1 }.line("many", "");
            self.stopped.insert(vec!["V01".into(), line.clone()]);
            lines.push(line);
        }
        lines
    }

    fn sold(&mut self, sale: Sale) {
        let product = self.products.entry(sale.sku()).or_default();
        *product = sale.version.max(*product);
        let order = self.orders.entry(sale.order).or_default();
        *order = sale.version.max(*order);
    }

    fn back(&mut self, dice: &mut ChaCha8Rng) -> String {
        let back = Back { number: dice.random_range(0..self.round + 12), version: dice.random_range(1..9) };
        let held = self.returns.entry(back.number).or_default();
        *held = back.version.max(*held);
        back.line()
    }

    /// The rows of order_line, by id.
    pub fn orders(&self) -> Vec<Vec<String>> {
        self.orders.iter().map(|(order, version)| Sale { order: order.clone(), version: *version }.row()).collect()
    }

    /// The rows of return_line, by id.
    pub fn returns(&self) -> Vec<Vec<String>> {
        let row = |(number, version): (&u64, &u64)| {
            let back = Back { number: *number, version: *version };
            let order = back.order();
            let sale = self.orders.get(&order).map(|version| Sale { order, version: *version });
            back.row(sale.as_ref())
        };
        let mut rows: Vec<_> = self.returns.iter().map(row).collect();
        rows.sort();
        rows
    }

    /// Id and version of every product, by id.
    pub fn products(&self) -> Vec<Vec<String>> {
        self.products.iter().map(|(sku, version)| vec![sku.clone(), version.to_string()]).collect()
    }

    /// The days that have a rate.
    pub fn rates(&self) -> Vec<Vec<String>> {
        (1..self.round).map(|round| vec![euro_day(round)]).collect()
    }

    /// Rule and line of every record that waits in quarantine.
    pub fn waiting(&self) -> Vec<Vec<String>> {
        let mut waiting = self.stopped.clone();
        let line = Sale { order: format!("E{}", self.round), version: 1 }.line("2", "");
        waiting.insert(vec!["V18".into(), line]);
        waiting.into_iter().collect()
    }

    /// Every file and push, as the audit calls it.
    pub fn audited(&self) -> Vec<Vec<String>> {
        self.audited.iter().map(|name| vec![name.clone()]).collect()
    }
}
