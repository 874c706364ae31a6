//! The orders that are wrong on purpose.

use super::super::catalogue::{Currency, Tax};
use super::super::days::{DAY, Day};
use super::super::order::{Basket, ChargeKind, LineKind, Order};
use super::super::out::{Dirt, Ledger, Why};
use super::super::text::with_text;
use super::Web;
use super::json::Seen;
use crate::error::Result;

impl Web<'_> {
    pub(super) fn dirty(&mut self, ledger: &mut Ledger, date: Day) -> Result<()> {
        for (old, new, dirt) in DIRT {
            let mut order = Order::new(self.next, date * DAY + 12 * 3600, Currency::Gbp);
            self.next += 1;
            order.version = 1;
            let basket =
                Basket { retailer: self.retailer, currency: Currency::Gbp, tax: Tax::Britain, place: None, date };
            order.lines.push(basket.line(
                1,
                self.retailer.catalogue.ranked(self.next as usize % 20),
                LineKind::Product,
                1000,
            ));
            order.charges.push((ChargeKind::Shipping, 329));
            let mut record = Vec::new();
            let seen = Seen { retailer: self.retailer, channel: "web", session: None, note: Some("Ring twice") };
            seen.push(&mut record, &order);
            let record = match *old {
                "cut" => [&record[..record.len() / 2], b"\n"].concat(),
                "page" => b"<html><body><h1>502 Bad Gateway</h1></body></html>\n".to_vec(),
                "sku" => with_text(
                    &record,
                    &format!("\"sku\":\"{}\"", self.retailer.catalogue.items[order.lines[0].item].sku),
                    new,
                ),
                "lines" => cut_lines(&record),
                old => with_text(&record, old, new),
            };
            if dirt.lands() {
                ledger.counts.orders += 1;
                ledger.counts.order_lines += 1;
                ledger.counts.order_charges += 1;
            }
            self.sheet.put(ledger, &record, Why::Dirty(dirt))?;
        }
        Ok(())
    }
}

/// The order without its lines and charges: no SELECT takes it.
fn cut_lines(record: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(record);
    let head = text.split("\"lines\":").next().unwrap_or_default();
    format!("{head}\"lines\":[],\"charges\":[]}}\n").into_bytes()
}

/// 2025-04-08.
pub(super) const DIRTY_DAY: Day = 20_186;

/// Text, what stands there instead, what is wrong with that.
const DIRT: &[(&str, &str, Dirt)] = &[
    ("cut", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("page", "", Dirt::new("V00", "quarantine", "", "an error page instead of an order")),
    ("lines", "", Dirt::new("V00", "quarantine", "", "an order without lines and charges: nothing takes it")),
    ("sku", "\"sku\":\"\"", Dirt::new("V11", "reject", "sku", "an empty article number")),
    ("sku", "\"sku\":null", Dirt::new("V01", "reject", "sku", "no article")),
    (
        "\"status\":\"completed\"",
        "\"status\":\"teleported\"",
        Dirt::new("V01", "reject", "order_status", "not a status"),
    ),
    (
        "\"placed\":\"2025-04-08T13:00:00+01:00\"",
        "\"placed\":null",
        Dirt::new("V01", "reject", "created_at", "no instant"),
    ),
    ("\"placed\":\"2025", "\"placed\":\"yesterday, 2025", Dirt::new("V01", "reject", "created_at", "not an instant")),
    ("\"qty\":\"1\"", "\"qty\":\"-2\"", Dirt::new("V03", "quarantine", "quantity", "a negative quantity")),
    ("\"qty\":\"1\"", "\"qty\":\"2000000\"", Dirt::new("V03", "quarantine", "quantity", "more than a million")),
    (
        "\"currency\":\"GBP\"",
        "\"currency\":\"SEK\"",
        Dirt::new("V18", "quarantine", "currency", "no rate of that currency"),
    ),
    (
        "\"type\":\"shipping\"",
        "\"type\":\"surprise\"",
        Dirt::new("V01", "reject", "charge_type", "not a kind of charge"),
    ),
    ("Ring twice", "mail me: sam@example.org", Dirt::new("V20", "quarantine", "ext", "an e-mail address in a note")),
    (
        "\"confirmed\":\"2025",
        "\"confirmed\":\"2098",
        Dirt::new("V09", "reject", "event_time", "confirmed long after the file was written"),
    ),
    (
        "\"region\":\"GB-LON\"",
        "\"region\":\"XX-42\"",
        Dirt::new("V12", "warn", "ship_region_id", "a region that the list does not have"),
    ),
    (
        "\"channel\":\"web\"",
        "\"channel\":\"kiosk\"",
        Dirt::new("V12", "warn", "channel_id", "a channel that the list does not have"),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dirty_day_is_what_the_texts_say() {
        assert_eq!(DIRTY_DAY, super::super::super::days::day(2025, 4, 8));
    }
}
