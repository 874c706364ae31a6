//! The returns that are wrong on purpose.

use super::super::catalogue::Currency;
use super::super::days::{Day, FIRST};
use super::super::dice::Dice;
use super::super::out::{Dirt, Ledger, Why};
use super::super::retailer::Retailer;
use super::super::text::with_field;
use super::Returns;
use super::row::HEADER;
use crate::error::Result;

impl Returns {
    pub(super) fn dirty(&mut self, ledger: &mut Ledger, retailer: &Retailer, dice: &mut Dice, date: Day) -> Result<()> {
        for (at, value, dirt) in DIRT {
            let day = date - 1;
            self.blind(retailer, dice, day);
            let Some(mut ret) = self.later[(day - FIRST) as usize].pop() else { continue };
            ret.currency = Currency::Gbp; // needs no rate, so that nothing else can be wrong with the record
            self.write(retailer, &ret);
            let record = if dirt.rule == "V00" {
                let mut cut = self.scratch[..60].to_vec();
                cut.push(b'\n');
                cut
            } else {
                let at = HEADER.split(',').position(|name| name == *at).unwrap_or(0);
                with_field(&self.scratch, b',', at, value)
            };
            if dirt.lands() {
                ledger.counts.return_lines += 1;
            }
            self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// 2025-05-20.
pub(super) const DIRTY_DAY: Day = 20_228;

/// Column, value, what is wrong with it.
const DIRT: &[(&str, &str, Dirt)] = &[
    ("", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    (
        "note",
        "wants a call: anna.kern@example.com",
        Dirt::new("V20", "quarantine", "reason_note", "an e-mail address in a note"),
    ),
    ("note", "ring +44 20 7946 0958 first", Dirt::new("V20", "quarantine", "reason_note", "a phone number in a note")),
    ("note", "paid with 4111 1111 1111 1111", Dirt::new("V20", "quarantine", "reason_note", "a card number in a note")),
    ("qty", "0", Dirt::new("V03", "quarantine", "quantity", "nothing was returned")),
    ("refund", "-12.99", Dirt::new("V03", "quarantine", "refund_net_amount", "a refund is given as a positive amount")),
    ("status", "lost", Dirt::new("V01", "reject", "return_status", "not a status of a return")),
    ("restock", "attic", Dirt::new("V01", "reject", "restock_type", "not a way to restock")),
    (
        "refunded_at",
        "2099-01-05T11:00:00Z",
        Dirt::new("V09", "reject", "event_time", "refunded long after the file was written"),
    ),
    ("qty", "one", Dirt::new("V01", "reject", "quantity", "not a number")),
    ("place", "S999", Dirt::new("V12", "warn", "return_location_id", "a shop that the location list does not have")),
];
