//! Everything that is guessed about a file, settled before a line is written: what each column is taken as, how its
//! values are read, and what is assumed where the file is silent. `notes` says it, `selects` and `header` write it.

use std::collections::{BTreeMap, BTreeSet};

use super::moments::{Misread, Moment, clock, has_clock, misread, moment};
use super::money::{self, Found};
use super::names::{Meaning, Names, forms};
use super::numbers::{Number, decimal_sign, number};
use super::roles::{called, roles};
use super::sniff::{Sample, Sniffed};
use crate::error::Result;
use crate::lake::Properties;

/// The columns that hold money.
const AMOUNTS: &[Meaning] = &[Meaning::UnitPrice, Meaning::LineTotal, Meaning::LineDiscountAmount, Meaning::UnitCost];

/// What is guessed about one file.
pub(super) struct Guesses<'a> {
    pub file: &'a Sniffed,
    /// The source's name.
    pub name: &'a str,
    pub lake: &'a Properties,
    names: &'static Names,
    taken: Vec<(Meaning, usize)>,
    /// The decimal sign of the file, where its columns agree.
    decimal: Option<char>,
    /// The currency of amounts that do not stand beside their own code, if the file shows it.
    pub currency: Option<Found>,
    /// What the price's name says about tax.
    pub tax_named: Option<bool>,
    /// The customers are known by their names, which are not landed.
    pub customer_names: Option<&'a Sample>,
}

/// How the customers' ids are landed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Customers {
    AsTheyAre,
    /// They are e-mail addresses.
    Hashed,
}

/// Where the places' regions come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceRegion {
    /// Each place has one region in the file.
    Column,
    Unknown,
    /// Places sell to several regions: the column is the buyer's.
    Buyers,
}

impl<'a> Guesses<'a> {
    pub(super) fn new(file: &'a Sniffed, name: &'a str, lake: &'a Properties) -> Result<Guesses<'a>> {
        let names = Names::table()?;
        let taken = roles(&file.columns, names);
        let decimal = decimal_sign(file.columns.iter().map(Sample::values));
        let mut guesses =
            Guesses { file, name, lake, names, taken, decimal, currency: None, tax_named: None, customer_names: None };
        guesses.settle();
        let price = guesses.of(Meaning::UnitPrice).or(guesses.of(Meaning::LineTotal));
        guesses.tax_named = price.and_then(|p| names.tax_included(&p.name));
        let amounts: Vec<(&Sample, Option<Number>)> =
            AMOUNTS.iter().filter_map(|m| Some((guesses.of(*m)?, guesses.number(*m)))).collect();
        let signs: Vec<(&Sample, Option<&str>)> =
            amounts.iter().map(|(c, n)| (*c, n.as_ref().and_then(|n| n.money.as_deref()))).collect();
        guesses.currency = money::currency(&signs, &lake.currency);
        Ok(guesses)
    }

    /// What one column means for the others.
    fn settle(&mut self) {
        // A line's number means nothing without its order, and no id is there twice.
        if self.of(Meaning::OrderId).is_none() || self.lines_are_doubled() {
            self.drop(Meaning::OrderLineId);
        }
        // A price says more than a total, and a total comes after its discount.
        if self.of(Meaning::UnitPrice).is_some() {
            self.drop(Meaning::LineTotal);
        } else if self.of(Meaning::LineTotal).is_some() {
            self.drop(Meaning::LineDiscountAmount);
        }
        self.settle_product();
        if self.of(Meaning::LocationId).is_none() {
            self.drop(Meaning::LocationName);
        }
        let wall_clock = matches!(self.moment(), Some(Moment::Local { format, .. }) if !has_clock(&format));
        if !wall_clock {
            self.drop(Meaning::Clock);
        }
        if let Some(column) = self.of(Meaning::CustomerKey).filter(|c| are_names(&c.values())) {
            self.customer_names = Some(column);
            self.drop(Meaning::CustomerKey);
        }
    }

    /// Without an id, the product's name is one; a column called "Product" is both.
    fn settle_product(&mut self) {
        let place = |g: &Self, m| g.taken.iter().find(|(t, _)| *t == m).map(|(_, i)| *i);
        match (place(self, Meaning::Sku), place(self, Meaning::ProductName)) {
            (None, Some(name)) => self.taken.push((Meaning::Sku, name)),
            (Some(_), None) if self.name_is_the_articles() => {
                let name = place(self, Meaning::BareName);
                self.taken.extend(name.map(|i| (Meaning::ProductName, i)));
            }
            (Some(sku), None) if self.names.calls(Meaning::ProductName, &forms(&self.file.columns[sku].name)) => {
                self.taken.push((Meaning::ProductName, sku));
            }
            _ => {}
        }
        self.drop(Meaning::BareName);
    }

    /// A column called "Name" holds the articles' where articles come again, each time with the same one. A person's
    /// name must not land.
    fn name_is_the_articles(&self) -> bool {
        let (Some(sku), Some(name)) = (self.of(Meaning::Sku), self.of(Meaning::BareName)) else { return false };
        let skus: BTreeSet<&str> = sku.values().into_iter().collect();
        skus.len() < sku.values().len() && depends(name, sku)
    }

    fn drop(&mut self, meaning: Meaning) {
        self.taken.retain(|(m, _)| *m != meaning);
    }

    fn lines_are_doubled(&self) -> bool {
        let (Some(order), Some(line)) = (self.of(Meaning::OrderId), self.of(Meaning::OrderLineId)) else {
            return false;
        };
        let mut seen = BTreeSet::new();
        order.in_lines == line.in_lines && order.cells.iter().zip(&line.cells).any(|pair| !seen.insert(pair))
    }

    /// The column taken as `meaning`.
    pub(super) fn of(&self, meaning: Meaning) -> Option<&'a Sample> {
        self.taken.iter().find(|(m, _)| *m == meaning).map(|(_, i)| &self.file.columns[*i])
    }

    /// A column that is called like `meaning`, but holds something else.
    pub(super) fn misfit(&self, meaning: Meaning) -> Option<&'a Sample> {
        called(&self.file.columns, self.names, meaning)
            .filter(|i| self.taken.iter().all(|(_, taken)| taken != i))
            .map(|i| &self.file.columns[i])
    }

    /// The columns that nothing is taken from.
    pub(super) fn unused(&self) -> impl Iterator<Item = &'a Sample> {
        let used = |i: &usize| self.taken.iter().any(|(m, taken)| taken == i && *m != Meaning::OrderStatus);
        let unused: Vec<usize> = (0..self.file.columns.len()).filter(|i| !used(i)).collect();
        let columns = &self.file.columns;
        unused.into_iter().map(|i| &columns[i])
    }

    /// How the numbers of a column are written.
    pub(super) fn number(&self, meaning: Meaning) -> Option<Number> {
        number(&self.of(meaning)?.values(), self.decimal)
    }

    pub(super) fn moment(&self) -> Option<Moment> {
        moment(&self.of(Meaning::CreatedAt)?.values(), self.american())
    }

    fn american(&self) -> bool {
        let zone = self.lake.zone.name();
        // Of the countries that write the month first, only this one is large.
        self.lake.currency == "USD" && (zone.starts_with("America/") || zone.starts_with("US/"))
    }

    /// The values that cannot be read as `meaning`, where the others of the column can.
    pub(super) fn misread(&self, meaning: Meaning, column: &'a Sample) -> Option<Misread<'a>> {
        let values = column.values();
        match meaning {
            Meaning::CreatedAt => misread(&values, self.american()),
            Meaning::Quantity | Meaning::UnitPrice => {
                let odd = |v: &&str| number(&[*v], self.decimal).is_none();
                let count = values.iter().copied().filter(odd).count();
                let value = values.iter().copied().find(odd).filter(|_| count < values.len())?;
                Some(Misread { value, count, format: "a number".into() })
            }
            _ => None,
        }
    }

    /// The format of the column that holds the time of day.
    pub(super) fn clock(&self) -> Option<&'static str> {
        clock(&self.of(Meaning::Clock)?.values())
    }

    /// The code that amounts without one of their own are in.
    pub(super) fn currency_code(&self) -> &str {
        self.currency.as_ref().map_or(&self.lake.currency, |f| &f.code)
    }

    /// Prices include tax, and the rate is there to take it out.
    pub(super) fn tax_included(&self) -> bool {
        self.tax_named == Some(true) && self.of(Meaning::TaxRate).is_some()
    }

    /// Tax rates are written as 19 for 19 %.
    pub(super) fn tax_in_percent(&self) -> bool {
        let (Some(column), Some(number)) = (self.of(Meaning::TaxRate), self.number(Meaning::TaxRate)) else {
            return false;
        };
        number.percent || column.values().iter().any(|v| number.value(v).is_some_and(|rate| rate > 1.0))
    }

    pub(super) fn customers(&self) -> Option<Customers> {
        let column = self.of(Meaning::CustomerKey)?;
        let mail = column.values().iter().any(|v| v.contains('@'));
        Some(if mail { Customers::Hashed } else { Customers::AsTheyAre })
    }

    pub(super) fn place_region(&self) -> PlaceRegion {
        let (Some(place), Some(region)) = (self.of(Meaning::LocationId), self.of(Meaning::RegionId)) else {
            return PlaceRegion::Unknown;
        };
        let alike = depends(region, place);
        if alike { PlaceRegion::Column } else { PlaceRegion::Buyers }
    }
}

/// Each value of `key` stands beside one value of `column` only.
fn depends(column: &Sample, key: &Sample) -> bool {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut pairs = key.cells.iter().zip(&column.cells).filter(|(k, c)| !k.is_empty() && !c.is_empty());
    key.in_lines == column.in_lines && pairs.all(|(k, c)| *seen.entry(k).or_insert(c) == c.as_str())
}

/// Names of people: two words of letters in most values.
fn are_names(values: &[&str]) -> bool {
    let is_name = |v: &&&str| {
        let mut words = v.split_whitespace();
        let letters = |w: &str| w.chars().all(|c| c.is_alphabetic() || "-'’.,".contains(c));
        words.clone().count() >= 2 && words.all(letters)
    };
    values.iter().filter(is_name).count() * 2 > values.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_from_ids() {
        assert!(are_names(&["Mary Jones", "Li Wei", "C-12"]));
        assert!(!are_names(&["C 12", "C-13", "Mary"]));
        assert!(!are_names(&[]));
    }
}
