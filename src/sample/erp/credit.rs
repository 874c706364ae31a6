//! What comes after a sale: credit notes, and the copies of marketplace orders.

use super::super::days::{DAY, Day, LAST, Zone};
use super::super::order::Order;
use super::super::out::{Ledger, Why};
use super::super::words::REGIONS;
use super::Erp;
use super::row::Row;
use crate::error::Result;

impl Erp<'_> {
    /// Now and then some of a line comes back: a credit note, in stock units.
    pub(super) fn credit(&mut self, ledger: &mut Ledger, sold: &Row, date: Day) {
        let (Some(base), Some(net), Some(rate)) = (sold.base_quantity, sold.net_amount, sold.tax_rate) else { return };
        if base % 1000 != 0 || !self.dice.chance(250) {
            return;
        }
        let quantity = 1000 * self.dice.between(1, base / 1000);
        let day = date + 3 + self.dice.skewed(40) as i64;
        let at = day * DAY + self.dice.between(9 * 3600, 15 * 3600);
        let refund = net * quantity / base;
        let restock = *self.dice.pick(&["STOCK", "STOCK", "DAMAGED", "NONE"]);
        let note = Row {
            record_type: "R",
            doc_no: format!("N{:06}", self.next_note),
            line_no: 1,
            ref_doc_no: Some(sold.doc_no.clone()),
            ref_line_no: Some(sold.line_no),
            quantity: Some(quantity),
            refund_net: Some(refund),
            refund_tax: Some((refund * rate + 5000) / 10_000),
            tax_rate: sold.tax_rate,
            requested_at: Some(at - 2 * DAY),
            refunded_at: Some(at),
            reason: Some(*self.dice.pick(&["damaged", "overdelivered", "wrong_item", "unknown"])),
            restock: Some(restock),
            stock_cost: Some(if restock == "STOCK" { sold.unit_cost.unwrap_or(0) * quantity / 1000 } else { 0 }),
            channel: sold.channel,
            company: sold.company,
            flow: sold.flow,
            currency: sold.currency,
            sku: sold.sku.clone(),
            customer_no: sold.customer_no.clone(),
            is_test: sold.is_test,
            is_staff: sold.is_staff,
            fulfil_place: sold.fulfil_place,
            doc_version: 1,
            ..Row::default()
        };
        self.next_note += 1;
        if day <= LAST {
            ledger.counts.return_lines += 1;
            self.keep(day, note, Why::First);
        }
    }

    /// The copy of a marketplace order, at net prices; it does not count, the marketplace's own report does.
    pub(super) fn mirror(&mut self, ledger: &mut Ledger, order: &Order, date: Day) -> Result<()> {
        let created = Zone::Berlin.utc(order.made);
        let mut head = Row {
            record_type: "L",
            doc_no: format!("E{:07}", self.next),
            doc_version: 1,
            order_type: Some("TA"),
            channel: Some("MKT"),
            status: Some(60),
            company: Some("DE01"),
            created_at: Some(created),
            confirmed_at: Some(created),
            paid_at: order.paid.map(|at| Zone::Berlin.utc(at)),
            ship_region: Some(REGIONS[order.ship].id),
            bill_region: Some(REGIONS[order.bill].id),
            currency: Some("EUR"),
            is_test: Some(false),
            is_staff: Some(order.staff),
            origin_order: Some(format!("market_eu:M{:07}", order.no)),
            fulfil_place: Some("W02"),
            ..Row::default()
        };
        head.status = Some(if head.paid_at.is_some() { 60 } else { 20 });
        self.next += 1;
        ledger.counts.orders += 1;
        let mut rows = Vec::new();
        for line in &order.lines {
            let without = |cents: i64| (cents * 1_000_000 + (10_000 + line.tax) / 2) / (10_000 + line.tax);
            let price = without(line.price);
            let discount = without(line.discount + line.share);
            let gross = (price * line.quantity + 500) / 1000;
            let row = Row {
                line_no: line.no as i32,
                sku: Some(self.retailer.catalogue.items[line.item].sku.clone()),
                uom: Some(if line.quantity % 1000 == 0 { "EA" } else { "KGM" }),
                quantity: Some(line.quantity),
                base_quantity: Some(line.quantity),
                unit_price: Some(price),
                line_discount: Some(discount),
                order_discount: Some(0),
                net_amount: Some(gross - discount),
                tax_rate: Some(line.tax),
                unit_cost: Some(line.cost),
                line_status: Some("A"),
                ..head.clone()
            };
            ledger.counts.order_lines += 1;
            rows.push(row.clone());
            self.put(ledger, row, Why::First)?;
        }
        if let Some(job) = super::order::job(&rows, date, false) {
            self.desk.copy(ledger, &job);
        }
        Ok(())
    }
}
