//! The rows that are wrong on purpose.

use super::super::days::Day;
use super::super::out::{Dirt, Ledger, Why};
use super::Erp;
use super::row::Row;
use crate::error::Result;

impl Erp<'_> {
    pub(super) fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        for (spoil, dirt) in DIRT {
            let mut head = self.head(date, true);
            head = Row {
                status: Some(60),
                confirmed_at: head.created_at,
                paid_at: head.created_at,
                cancelled_at: None,
                is_test: Some(false),
                currency: Some("GBP"),
                company: Some("UK01"),
                ..head
            };
            let mut row = self.line(&head, 1, date, true, false);
            row.tax_rate = Some(2000);
            if dirt.field.starts_with("refund") {
                row = Row {
                    record_type: "R",
                    ref_doc_no: Some("E0000001".into()),
                    ref_line_no: Some(1),
                    refund_net: Some(100_000),
                    refund_tax: Some(20_000),
                    refunded_at: row.created_at,
                    doc_no: format!("N9{:05}", self.next),
                    ..row
                };
            }
            if !dirt.pair.is_empty() {
                self.put(ledger, row.clone(), Why::Dirty(dirt))?;
            }
            spoil(&mut row);
            if dirt.lands() || !dirt.pair.is_empty() {
                ledger.counts.orders += 1;
                ledger.counts.order_lines += 1;
            }
            self.put(ledger, row, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// 2025-09-16.
pub(super) const DIRTY_DAY: Day = 20_347;

type Spoil = fn(&mut Row);

const DIRT: &[(Spoil, Dirt)] = &[
    (|r| r.record_type = "X", Dirt::new("V00", "quarantine", "", "a type of record that nothing takes")),
    (|r| r.sku = None, Dirt::new("V01", "reject", "sku", "no article")),
    (|r| r.created_at = None, Dirt::new("V01", "reject", "created_at", "no instant")),
    (|r| r.flow = Some("SIDEWAYS"), Dirt::new("V01", "reject", "flow", "not a flow")),
    (|r| r.quantity = Some(0), Dirt::new("V03", "quarantine", "quantity", "nothing was sold")),
    (
        |r| r.net_amount = r.net_amount.map(|n| n + 123_400),
        Dirt::new("V04", "quarantine", "net_amount", "net is not gross less discounts"),
    ),
    (
        |r| r.net_amount = r.net_amount.map(|n| n - 200),
        Dirt::new("V04", "quarantine", "net_amount", "net is two cents off"),
    ),
    (|r| r.currency = Some("USD"), Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
    (|r| r.currency = Some("CHF"), Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
    (
        |r| r.uom = Some("H87"),
        Dirt::new("V19", "quarantine", "row_key", "same document line and version, other unit").of("erp-same-file"),
    ),
    (
        |r| r.customer_no = Some("lee@example.com".into()),
        Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer"),
    ),
    (|r| r.unit_cost = Some(999_990_000), Dirt::new("V13", "warn", "unit_cost", "a cost of more than five prices")),
    (
        |r| r.customer_no = Some("B99999".into()),
        Dirt::new("V12", "warn", "customer_key", "a customer that the customer list does not have"),
    ),
    (
        |r| r.refund_net = Some(-100_000),
        Dirt::new("V03", "quarantine", "refund_net_amount", "a refund is given as a positive amount"),
    ),
    (|r| r.refunded_at = None, Dirt::new("V01", "reject", "refunded_at", "a return without any instant")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dirty_day_is_in_september() {
        assert_eq!(DIRTY_DAY, super::super::super::days::day(2025, 9, 16));
    }
}
