//! Orders before they are written: lines with prices and discounts, drawn from dice. It must not know any layout.

use super::catalogue::{Currency, ItemType, Tax};
use super::days::{Day, Seconds};
use super::dice::Dice;
use super::retailer::Retailer;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    Product,
    BundleParent,
    BundleComponent,
    GiftCard,
    Service,
    Deposit,
    Fee,
}

#[derive(Debug, Clone)]
pub struct Line {
    pub no: i64,
    pub item: usize,
    pub kind: LineKind,
    /// Thousandths of the unit.
    pub quantity: i64,
    /// Price per unit in cents, as the layout has it (tax in or out).
    pub price: i64,
    /// Reduction of the line and its share of the order's, in cents, as the price.
    pub discount: i64,
    pub share: i64,
    /// Ten-thousandths.
    pub tax: i64,
    /// Per stock unit, ten-thousandths of the currency.
    pub cost: i64,
    /// The bundle's line.
    pub parent: Option<i64>,
    pub removed: bool,
}

impl Line {
    /// Price × quantity in cents, halves up.
    pub fn gross(&self) -> i64 {
        (self.price * self.quantity + 500) / 1000
    }
    /// What is paid for the line, in cents.
    pub fn paid(&self) -> i64 {
        self.gross() - self.discount - self.share
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Created,
    Confirmed,
    Paid,
    Fulfilled,
    Completed,
    Cancelled,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeKind {
    Shipping,
    ShippingDiscount,
    Tax,
    Adjustment,
    Commission,
}

#[derive(Debug, Clone)]
pub struct Order {
    pub no: u64,
    pub version: i64,
    pub made: Seconds,
    pub confirmed: Option<Seconds>,
    pub paid: Option<Seconds>,
    pub cancelled: Option<Seconds>,
    pub status: Status,
    pub currency: Currency,
    pub place: usize,
    pub customer: Option<u32>,
    /// Indexes into `words::REGIONS`.
    pub ship: usize,
    pub bill: usize,
    pub test: bool,
    pub staff: bool,
    /// The return that this order replaces.
    pub exchange: Option<u64>,
    pub lines: Vec<Line>,
    /// Cents, signed, tax out.
    pub charges: Vec<(ChargeKind, i64)>,
}

impl Order {
    pub fn new(no: u64, made: Seconds, currency: Currency) -> Order {
        Order {
            no,
            version: 0,
            made,
            confirmed: Some(made),
            paid: Some(made),
            cancelled: None,
            status: Status::Completed,
            currency,
            place: 0,
            customer: None,
            ship: 0,
            bill: 0,
            test: false,
            staff: false,
            exchange: None,
            lines: Vec::new(),
            charges: Vec::new(),
        }
    }

    /// Spreads `amount` cents over the lines that may carry it, by what they cost, by largest remainder, ties by line number.
    pub fn allocate(&mut self, amount: i64) {
        let carries = |l: &Line| {
            !matches!(l.kind, LineKind::GiftCard | LineKind::Deposit | LineKind::Fee | LineKind::BundleParent)
        };
        let base: i64 = self.lines.iter().filter(|l| carries(l)).map(|l| l.gross() - l.discount).sum();
        let amount = amount.min(base);
        if amount <= 0 {
            return;
        }
        let mut left = amount;
        let mut rests: Vec<(i64, i64, usize)> = Vec::new();
        for (i, line) in self.lines.iter_mut().enumerate() {
            if carries(line) {
                let exact = amount * (line.gross() - line.discount);
                line.share = exact / base;
                left -= line.share;
                rests.push((-(exact % base), line.no, i));
            }
        }
        rests.sort_unstable();
        for (_, _, i) in rests.into_iter().take(left as usize) {
            self.lines[i].share += 1;
        }
    }
}

/// The part of an amount (cents × thousandths) that is not tax, in ten-thousandths, halves up; `rate` in ten-thousandths.
pub fn without_tax(full: i64, rate: i64) -> i64 {
    let whole = 10 * (10_000 + rate);
    (2 * full * 10_000 + whole) / (2 * whole)
}

/// How a basket is filled.
pub struct Basket<'a> {
    pub retailer: &'a Retailer,
    pub currency: Currency,
    pub tax: Tax,
    /// The shop whose range is sold; `None` = everything.
    pub place: Option<usize>,
    pub date: Day,
}

impl Basket<'_> {
    fn item(&self, dice: &mut Dice) -> usize {
        let catalogue = &self.retailer.catalogue;
        match self.place {
            Some(place) => {
                let at = dice.skewed(self.retailer.range);
                catalogue.ranged(place, at, self.retailer.range)
            }
            None => {
                let rank = dice.skewed(catalogue.usual);
                catalogue.ranked(rank)
            }
        }
    }

    /// An article that was on sale by then.
    fn sellable(&self, dice: &mut Dice) -> usize {
        let mut item = self.item(dice);
        while self.retailer.catalogue.items[item].launched > self.date {
            item = self.item(dice);
        }
        item
    }

    /// A line of `quantity` thousandths of `item`.
    pub fn line(&self, no: i64, item: usize, kind: LineKind, quantity: i64) -> Line {
        let catalogue = &self.retailer.catalogue;
        Line {
            no,
            item,
            kind,
            quantity,
            price: catalogue.price(item, self.currency, self.date),
            discount: 0,
            share: 0,
            tax: catalogue.tax(item, self.tax),
            cost: catalogue.cost(item, self.currency),
            parent: None,
            removed: false,
        }
    }

    /// Adds a usual article in a usual quantity.
    pub fn add(&self, dice: &mut Dice, order: &mut Order) {
        let item = self.sellable(dice);
        let no = order.lines.len() as i64 + 1;
        let quantity = if self.retailer.catalogue.items[item].kind == ItemType::Weighed {
            50 * dice.between(2, 20)
        } else {
            1000 * [1, 1, 1, 1, 1, 1, 2, 2, 3, 4][dice.index(10)]
        };
        let mut line = self.line(no, item, LineKind::Product, quantity);
        if dice.chance(self.sale_chance()) {
            let percent = *dice.pick(&[10, 20, 20, 30]);
            line.discount = line.gross() * percent / 100;
        }
        order.lines.push(line);
    }

    /// Adds one of an article, at its price.
    pub fn add_special(&self, order: &mut Order, item: usize, kind: LineKind, quantity: i64) {
        let no = order.lines.len() as i64 + 1;
        let mut line = self.line(no, item, kind, 1000 * quantity);
        if kind == LineKind::GiftCard && self.currency == Currency::Eur {
            line.price = 2500;
        }
        order.lines.push(line);
    }

    /// Adds a gift set: the set's line without an amount, and its components at nine tenths of their prices.
    pub fn add_bundle(&self, dice: &mut Dice, order: &mut Order) {
        let catalogue = &self.retailer.catalogue;
        let which = dice.index(catalogue.bundles.len());
        let parent = order.lines.len() as i64 + 1;
        let mut head = self.line(parent, catalogue.bundles.start + which, LineKind::BundleParent, 1000);
        head.price = 0;
        order.lines.push(head);
        for (k, item) in catalogue.components(which).into_iter().enumerate() {
            let mut line = self.line(parent + 1 + k as i64, item, LineKind::BundleComponent, 1000);
            line.price = line.price * 9 / 10;
            line.parent = Some(parent);
            order.lines.push(line);
        }
    }

    /// Lines are reduced more often in the sales: the end of November, January and July.
    fn sale_chance(&self) -> u64 {
        match super::days::civil(self.date) {
            (_, 11, 22..=30) => 4500,
            (_, 1, 2..=20) | (_, 7, 5..=25) => 3000,
            _ => 700,
        }
    }
}
