//! The tills' CSV of one country: `;` between fields, a row per line of a ticket, times as the shop's clock shows them.

use std::path::Path;

use super::again::Again;
use super::catalogue::Currency;
use super::control::{Layout, Totals};
use super::days::{DAY, Day, FIRST, LAST, month_name, settled};
use super::desk::{Bill, Money, consumer};
use super::dice::Dice;
use super::discounts::{Discounts, Reason, Sold, reductions};
use super::order::{Basket, Line, LineKind, Order, Status};
use super::out::{Ledger, Sheet, Why};
use super::retailer::{Retailer, Rhythm, spread};
use super::returns::{Return, Returns};
use crate::error::Result;
use dirt::DIRTY_DAY;
use row::HEADER;

mod dirt;
mod row;

pub struct Pos<'a> {
    retailer: &'a Retailer,
    dice: Dice,
    german: bool,
    prefix: u8,
    shops: Vec<usize>,
    sheet: Sheet,
    returns: Returns,
    discounts: Discounts,
    again: Again,
    totals: Totals,
    money: Money,
    next: u64,
    scratch: Vec<u8>,
}

/// Writes the tickets of the shops of one country, and what comes back of them.
pub fn write(
    retailer: &Retailer,
    landing: &Path,
    level: u32,
    german: bool,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Ledger> {
    let (label, prefix) = if german { ("pos_de", 'D') } else { ("pos_gb", 'P') };
    let shops: Vec<usize> = (0..retailer.shops).filter(|s| retailer.places[*s].german() == german).collect();
    let all: u64 = retailer.places.iter().map(|p| u64::from(p.weight)).sum();
    let ours: u64 = shops.iter().map(|s| u64::from(retailer.places[*s].weight)).sum();
    // 52 % of the lines are sold at tills, 2.3 on a ticket.
    let tickets = retailer.lines * 520 / 2600 * ours / all;
    let mut pos = Pos {
        retailer,
        german,
        prefix: prefix as u8,
        shops,
        next: 1,
        scratch: Vec::new(),
        dice: Dice::new(retailer.seed, label),
        sheet: Sheet::new(landing, "csv", HEADER, level),
        returns: Returns::new(landing, level, label, "pos", prefix, 320),
        discounts: Discounts::new(landing, level, label, "shop_pos", prefix),
        again: Again::new(),
        totals: Totals::default(),
        money: Money::new(retailer, landing, level, label, "pos"),
    };
    let mut ledger = Ledger::default();
    for (date, n) in (FIRST..=LAST).zip(spread(retailer.seed, Rhythm::Shops, tickets)) {
        pos.day(&mut ledger, date, n)?;
        progress(n * 26 / 10);
    }
    pos.sheet.close(&mut ledger)?;
    pos.returns.close(&mut ledger)?;
    pos.discounts.close(&mut ledger)?;
    pos.money.close(&mut ledger)?;
    let places: Vec<(usize, Currency)> =
        pos.shops.iter().map(|shop| (*shop, retailer.places[*shop].currency())).collect();
    let country = if german { "pos_DE" } else { "pos_GB" };
    pos.totals.write(retailer, landing, level, &Layout::tills(country, &places), &mut ledger)?;
    Ok(ledger)
}

impl<'a> Pos<'a> {
    fn day(&mut self, ledger: &mut Ledger, date: Day, tickets: u64) -> Result<()> {
        let country = if self.german { "DE" } else { "GB" };
        // The first month of the smaller country stays readable.
        self.sheet.open(
            ledger,
            &format!("pos/pos_{country}_{}", month_name(date)),
            self.german && date < FIRST + 31,
        )?;
        let weights: Vec<u32> = self
            .shops
            .iter()
            .map(|s| &self.retailer.places[*s])
            .map(|p| if p.open_on(date) { p.weight } else { 0 })
            .collect();
        for _ in 0..tickets {
            let place = self.shops[self.dice.weighted(&weights)];
            let order = self.ticket(date, place);
            if self.tell(ledger, &order, date)? {
                self.returns.plan(self.retailer, &mut self.dice, &order, date, "pos");
            }
        }
        if self.dice.chance(if self.german { 1500 } else { 4500 }) {
            self.returns.blind(self.retailer, &mut self.dice, date);
        }
        for ret in self.returns.day(ledger, self.retailer, &mut self.dice, date)? {
            self.money.refund(ledger, self.retailer, &ret, self.prefix.into());
            if ret.is_exchange() {
                let order = self.exchange(date, &ret);
                self.tell(ledger, &order, date)?;
            }
        }
        self.again.day(ledger, &mut self.sheet, date)?;
        self.money.day(ledger, date)?;
        self.discounts.day(ledger, self.retailer, date)?;
        if date == DIRTY_DAY {
            self.dirty(ledger, date)?;
        }
        self.clock_change(ledger, date)
    }

    /// When a ticket is made: shops are open from 8 to 21, those at night from 18 to 4.
    fn time(&mut self, date: Day, place: usize) -> i64 {
        let night = self.retailer.places[place].night;
        let second = match (night, date == LAST) {
            (true, true) => self.dice.between(18 * 3600, DAY - 1),
            (true, false) => self.dice.between(18 * 3600, 28 * 3600 - 1),
            (false, _) => (self.dice.between(8 * 3600, 21 * 3600 - 1) + self.dice.between(9 * 3600, 20 * 3600)) / 2,
        };
        let day = date + second / DAY;
        day * DAY + settled(day, second % DAY)
    }

    /// The day on which the ticket counts: the night belongs to the day before.
    fn business_day(&self, order: &Order) -> Day {
        let cut_off = if self.retailer.places[order.place].night { 4 * 3600 } else { 0 };
        (order.made - cut_off).div_euclid(DAY)
    }

    fn empty(&mut self, date: Day, place: usize) -> Order {
        let made = self.time(date, place);
        let mut order = Order::new(self.next, made, self.retailer.places[place].currency());
        self.next += 1;
        order.place = place;
        order
    }

    fn basket(&self, date: Day, place: usize) -> Basket<'a> {
        let shop = &self.retailer.places[place];
        Basket { retailer: self.retailer, currency: shop.currency(), tax: shop.tax(), place: Some(place), date }
    }

    fn ticket(&mut self, date: Day, place: usize) -> Order {
        let mut order = self.empty(date, place);
        let basket = self.basket(date, place);
        let dice = &mut self.dice;
        for _ in 0..[1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6][dice.index(12)] {
            basket.add(dice, &mut order);
        }
        let catalogue = &self.retailer.catalogue;
        if dice.chance(90) {
            basket.add_special(&mut order, catalogue.gift_card, LineKind::GiftCard, 1);
        }
        if !self.german && dice.chance(400) {
            basket.add_special(&mut order, catalogue.bag, LineKind::Fee, 1);
        }
        if self.german && dice.chance(500) {
            basket.add_special(&mut order, catalogue.deposit, LineKind::Deposit, 2);
        }
        order.customer = dice.chance(3400).then(|| self.retailer.consumer(dice, date));
        order.test = dice.chance(25);
        order.staff = dice.chance(150);
        let paid: i64 = order.lines.iter().map(Line::paid).sum();
        if order.staff {
            order.allocate(paid / 5);
        } else if dice.chance(500) {
            order.allocate([200, 300, 500][dice.index(3)].min(paid / 3));
        }
        order
    }

    /// The ticket that replaces what was brought back.
    fn exchange(&mut self, date: Day, ret: &Return) -> Order {
        let place = self.shops[self.dice.index(self.shops.len())];
        let mut order = self.empty(date, place);
        self.basket(date, place).add(&mut self.dice, &mut order);
        order.exchange = Some(ret.number());
        order
    }

    /// Writes a ticket, and keeps for later what is told again; false when it will be voided.
    fn tell(&mut self, ledger: &mut Ledger, order: &Order, date: Day) -> Result<bool> {
        ledger.counts.orders += 1;
        ledger.counts.order_lines += order.lines.len() as u64;
        // 0.4 % are voided, 0.3 % corrected, 0.3 % told again; of a few the correction comes before the ticket.
        let fate = self.dice.below(1000);
        let later = date + self.dice.skewed(20) as i64;
        let plain = order.lines.iter().all(|l| l.share == 0 && l.discount == 0);
        let backwards = fate == 10 && plain && later > date && later <= LAST;
        let corrected = |line: &Line| backwards || (4..=6).contains(&fate) && plain && line.no == 1 && later <= LAST;
        self.totals.add(self.business_day(order), order, corrected);
        self.pay(ledger, order, fate <= 3 && later <= LAST);
        self.tell_reductions(ledger, order, date)?;
        for line in &order.lines {
            self.row(order, line);
            let record = self.scratch.clone();
            if !backwards {
                self.sheet.put(ledger, &record, Why::First)?;
            }
            match fate {
                0..=3 => {
                    let mut void = order.clone();
                    (void.version, void.status, void.cancelled) = (1, Status::Cancelled, Some(order.made + 600));
                    self.row(&void, line);
                    self.again.keep(later, self.scratch.clone(), Why::Revision);
                }
                4..=6 if plain && line.no == 1 => {
                    self.corrected(order, line);
                    self.again.keep(later, self.scratch.clone(), Why::Revision);
                }
                7..=9 => self.again.keep(later, record, Why::Repeat),
                _ if backwards => {
                    self.corrected(order, line);
                    let newer = self.scratch.clone();
                    self.sheet.put(ledger, &newer, Why::First)?;
                    self.again.keep(later, record, Why::Revision);
                }
                _ => {}
            }
        }
        Ok(fate > 3)
    }

    /// What the till took, and what it gave back when the ticket was voided.
    fn pay(&mut self, ledger: &mut Ledger, order: &Order, voided: bool) {
        let place = &self.retailer.places[order.place];
        let customer = order.customer.map(consumer).unwrap_or_default();
        let bill = Bill {
            no: order.no,
            order: &format!("{}{:07}", char::from(self.prefix), order.no),
            channel: "pos",
            place: &place.id,
            region: "",
            customer: &customer,
            staff: order.staff,
            test: order.test,
            zone: place.zone().name(),
            day_close: if place.night { "04:00" } else { "00:00" },
            currency: order.currency.code(),
            cents: order.lines.iter().map(Line::paid).sum(),
        };
        let at = place.zone().utc(order.made);
        self.money.sale(ledger, &bill, None, at);
        if voided {
            self.money.undone(ledger, &bill, None, at + 600);
        }
    }

    /// Staff buy cheaper; otherwise a ticket's discount is for points, or by hand where no member is known.
    fn tell_reductions(&mut self, ledger: &mut Ledger, order: &Order, date: Day) -> Result<()> {
        let place = &self.retailer.places[order.place];
        let (zone, night, currency) = (place.zone().name(), place.night, order.currency.code());
        let sold = Sold { no: order.no, at: order.made, zone, night, currency };
        let share = match order.customer {
            _ if order.staff => Reason::Staff,
            Some(_) => Reason::Loyalty,
            None => Reason::ByHand,
        };
        let all = reductions(self.retailer, order, share);
        self.discounts.tell(ledger, self.retailer, date, &sold, &all)
    }
}
