//! What is wrong on purpose in the desk's files, all of it on one day of the web shop's.

use super::super::days::Day;
use super::super::out::Dirt;
use super::log::Dirty;

/// 2025-12-09.
pub const DIRTY_DAY: Day = 20_431;

pub static ORDERS: &[Dirty] = &[
    ("", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("status", "teleported", Dirt::new("V01", "reject", "order_status", "not a status")),
    ("total", "much", Dirt::new("V01", "reject", "order_total_amount", "not a number")),
    ("placed", "2025-13-01T10:00:00Z", Dirt::new("V01", "reject", "created_at", "no such month")),
    ("currency", "POUND", Dirt::new("V02", "reject", "currency", "not an ISO currency")),
    ("customer", "kim@example.org", Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer")),
];

pub static STEPS: &[Dirty] = &[
    ("", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("to", "vanished", Dirt::new("V01", "reject", "to_status", "not a status")),
    ("at", "noon", Dirt::new("V01", "reject", "changed_at", "not an instant")),
    ("at", "2099-12-09T12:00:00Z", Dirt::new("V09", "reject", "event_time", "changed long after the file was written")),
];

pub static PARCELS: &[Dirty] = &[
    ("", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("qty", "0", Dirt::new("V03", "quarantine", "quantity", "nothing is to be sent")),
    ("method", "teleport", Dirt::new("V01", "reject", "method", "not a way to the buyer")),
    ("order_id", "", Dirt::new("V01", "reject", "order_id", "a parcel without an order")),
    ("shipped", "2025-02-30T10:00:00Z", Dirt::new("V01", "reject", "shipped_at", "no such day")),
    ("place", "W99", Dirt::new("V12", "warn", "fulfil_location_id", "a place that the location list does not have")),
];

pub static PAYMENTS: &[Dirty] = &[
    ("", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("kind", "barter", Dirt::new("V01", "reject", "payment_kind", "not a kind of payment")),
    ("amount", "free", Dirt::new("V01", "reject", "amount", "not a number")),
    ("amount", "-19.99", Dirt::new("V03", "quarantine", "amount", "a negative amount")),
    ("at", "2099-12-09T12:00:00Z", Dirt::new("V09", "reject", "event_time", "paid long after the file was written")),
    ("currency", "SEK", Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
    ("customer", "kim@example.org", Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer")),
    ("channel", "kiosk", Dirt::new("V12", "warn", "channel_id", "a channel that the list does not have")),
];

#[cfg(test)]
mod tests {
    use super::super::{money, parcels, record};
    use super::*;

    #[test]
    fn dirty_fields_are_columns() {
        assert_eq!(DIRTY_DAY, super::super::super::days::day(2025, 12, 9));
        let layouts =
            [(ORDERS, record::ORDERS), (STEPS, record::STEPS), (PARCELS, parcels::HEADER), (PAYMENTS, money::HEADER)];
        for (dirty, header) in layouts {
            for (column, ..) in dirty {
                assert!(column.is_empty() || header.split(',').any(|c| c == *column), "{column}");
            }
        }
    }
}
