//! The German marketplace's report: `;` between fields, decimal commas, dates as 09.03.2025, prices with tax, euros.

use super::catalogue::{Currency, ItemType, Tax};
use super::days::{Day, Seconds, push_german, push_local};
use super::market::{Platform, amount};
use super::order::{ChargeKind, Line, Order, Status};
use super::out::Dirt;
use super::retailer::{Retailer, Rhythm};
use super::text::{push_decimal, push_digits, push_int};
use super::words::REGIONS;

pub static PLATFORM: Platform = Platform {
    name: "market_eu",
    prefix: 'M',
    header: "Bestellnummer;Position;Bestellt;Bezahlt;Storniert;Geändert;Status;Test;Mitarbeiter;Käufer;Lieferregion;Versand netto;\
        Versand USt;Provision;SKU;Einheit;USt-Satz;Währung;Stückkosten;Einzelpreis;Menge;Rabatt;Gutscheinanteil",
    delimiter: b';',
    currency: Currency::Eur,
    tax: Tax::Germany,
    rhythm: Rhythm::Online,
    share: 70,
    commission: 1200,
    totals: true,
    dirty_day: DIRTY_DAY,
    dirt: DIRT,
    row,
};

fn row(retailer: &Retailer, out: &mut Vec<u8>, order: &Order, line: &Line, updated: Seconds) {
    let item = &retailer.catalogue.items[line.item];
    out.push(b'M');
    push_digits(out, order.no, 7);
    out.push(b';');
    push_int(out, line.no);
    for at in [Some(order.made), order.paid, order.cancelled] {
        out.push(b';');
        if let Some(at) = at {
            push_german(out, at);
        }
    }
    out.push(b';');
    push_local(out, updated);
    out.push(b';');
    out.extend_from_slice(match order.status {
        Status::Created => b"Offen".as_slice(),
        Status::Confirmed => b"Angenommen",
        Status::Paid => b"Bezahlt",
        Status::Fulfilled => b"Versendet",
        Status::Completed => b"Abgeschlossen",
        Status::Cancelled => b"Storniert",
    });
    out.extend_from_slice(if order.test { b";ja" } else { b";nein" });
    out.extend_from_slice(if order.staff { b";ja;" } else { b";nein;" });
    if let Some(customer) = order.customer {
        super::push_consumer(out, customer);
    }
    out.push(b';');
    out.extend_from_slice(REGIONS[order.ship].id.as_bytes());
    let first = line.no == 1;
    let shipping = amount(order, ChargeKind::Shipping).filter(|_| first);
    // Shipping is taxed at 19 %.
    let tax = shipping.map(|net| (net * 19 + 50) / 100);
    for cents in [shipping, tax, amount(order, ChargeKind::Commission).filter(|_| first)] {
        out.push(b';');
        if let Some(cents) = cents {
            push_decimal(out, cents, 2, b',');
        }
    }
    out.push(b';');
    out.extend_from_slice(item.sku.as_bytes());
    out.extend_from_slice(if item.kind == ItemType::Weighed { b";KGM;" } else { b";EA;" });
    push_decimal(out, line.tax, 4, b',');
    out.push(b';');
    out.extend_from_slice(order.currency.code().as_bytes());
    for (n, scale) in [(line.cost, 4), (line.price, 2), (line.quantity, 3), (line.discount, 2), (line.share, 2)] {
        out.push(b';');
        push_decimal(out, n, scale, b',');
    }
}

/// 2025-06-17.
const DIRTY_DAY: Day = 20_256;

const DIRT: &[(&str, &str, Dirt)] = &[
    ("", "", Dirt::new("V00", "quarantine", "", "the line ends in the middle")),
    ("Status", "Verschollen", Dirt::new("V01", "reject", "order_status", "not a status of the platform")),
    ("Einzelpreis", "12,9,9", Dirt::new("V01", "reject", "unit_price", "not a number")),
    ("USt-Satz", "neunzehn", Dirt::new("V01", "reject", "tax_rate", "not a number")),
    ("Bestellt", "31.06.2025 10:00:00", Dirt::new("V01", "reject", "created_at", "no such day")),
    ("Menge", "-1,000", Dirt::new("V03", "quarantine", "quantity", "a negative quantity")),
    ("Währung", "SEK", Dirt::new("V18", "quarantine", "currency", "no rate of that currency")),
    ("Käufer", "petra@example.de", Dirt::new("V20", "quarantine", "customer_key", "an e-mail address as customer")),
    ("SKU", "999002", Dirt::new("V12", "warn", "product_id", "an article that the product master does not have")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dirty_day_is_in_june() {
        assert_eq!(DIRTY_DAY, super::super::days::day(2025, 6, 17));
    }
}
