//! How the shop writes an order: JSON on one line.

use super::super::catalogue::{Currency, ItemType};
use super::super::days::{Seconds, Zone, push_rfc3339};
use super::super::events::push_session;
use super::super::order::{ChargeKind, Line, LineKind, Order, Status};
use super::super::push_consumer;
use super::super::retailer::Retailer;
use super::super::text::{push_cents, push_decimal, push_digits, push_int, push_short};
use super::super::words::REGIONS;

/// An order as the shop shows it.
pub(super) struct Seen<'a> {
    pub(super) retailer: &'a Retailer,
    pub(super) channel: &'a str,
    pub(super) session: Option<u64>,
    pub(super) note: Option<&'a str>,
}

impl Seen<'_> {
    pub(super) fn push(&self, out: &mut Vec<u8>, order: &Order) {
        out.extend_from_slice(b"{\"id\":\"W");
        push_digits(out, order.no, 7);
        out.extend_from_slice(b"\",\"rev\":");
        push_int(out, order.version);
        text(out, "channel", self.channel);
        text(out, "type", "sale");
        text(
            out,
            "status",
            match order.status {
                Status::Created => "created",
                Status::Confirmed => "confirmed",
                Status::Paid => "paid",
                Status::Fulfilled => "fulfilled",
                Status::Completed => "completed",
                Status::Cancelled => "cancelled",
            },
        );
        // Germans see their own clock: the same instant, another offset.
        let zone = if order.currency == Currency::Eur { Zone::Berlin } else { Zone::London };
        instant(out, "placed", Some(order.made), zone);
        instant(out, "confirmed", order.confirmed, zone);
        instant(out, "paid", order.paid, zone);
        instant(out, "cancelled", order.cancelled, zone);
        text(out, "currency", order.currency.code());
        out.extend_from_slice(b",\"customer\":{\"key\":");
        match order.customer {
            Some(customer) => {
                out.push(b'"');
                push_consumer(out, customer);
                out.extend_from_slice(b"\"}");
            }
            None => out.extend_from_slice(b"null}"),
        }
        if let Some(session) = self.session {
            out.extend_from_slice(b",\"session\":\"");
            push_session(out, session);
            out.push(b'"');
        }
        out.extend_from_slice(b",\"ship\":{\"region\":\"");
        out.extend_from_slice(REGIONS[order.ship].id.as_bytes());
        out.extend_from_slice(b"\"},\"bill\":{\"region\":\"");
        out.extend_from_slice(REGIONS[order.bill].id.as_bytes());
        out.extend_from_slice(b"\"}");
        out.extend_from_slice(if order.test { b",\"test\":true" } else { b",\"test\":false" });
        out.extend_from_slice(if order.staff { b",\"staff\":true" } else { b",\"staff\":false" });
        if let Some(note) = self.note {
            text(out, "note", note);
        }
        out.extend_from_slice(b",\"lines\":[");
        for (i, line) in order.lines.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            self.line(out, line);
        }
        out.extend_from_slice(b"],\"charges\":[");
        for (i, (kind, cents)) in order.charges.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"seq\":");
            push_int(out, i as i64 + 1);
            text(out, "type", charge(*kind));
            out.extend_from_slice(b",\"net\":\"");
            push_cents(out, *cents);
            out.extend_from_slice(b"\"}");
        }
        out.extend_from_slice(b"]}\n");
    }

    fn line(&self, out: &mut Vec<u8>, line: &Line) {
        let item = &self.retailer.catalogue.items[line.item];
        out.extend_from_slice(b"{\"no\":");
        push_int(out, line.no);
        text(
            out,
            "type",
            match line.kind {
                LineKind::Product => "product",
                LineKind::BundleParent => "bundle_parent",
                LineKind::BundleComponent => "bundle_component",
                LineKind::GiftCard => "gift_card",
                LineKind::Service => "service",
                LineKind::Deposit => "deposit",
                LineKind::Fee => "fee",
            },
        );
        text(out, "sku", &item.sku);
        text(out, "uom", if item.kind == ItemType::Weighed { "KGM" } else { "EA" });
        out.extend_from_slice(b",\"vat\":\"");
        push_short(out, line.tax, 4);
        out.extend_from_slice(b"\",\"cost\":\"");
        push_decimal(out, line.cost, 4, b'.');
        out.extend_from_slice(b"\",\"price\":\"");
        push_cents(out, line.price);
        out.extend_from_slice(b"\",\"qty\":\"");
        push_short(out, line.quantity, 3);
        out.extend_from_slice(b"\",\"discount\":\"");
        push_cents(out, line.discount);
        out.extend_from_slice(b"\",\"order_discount\":\"");
        push_cents(out, line.share);
        out.push(b'"');
        if let Some(parent) = line.parent {
            out.extend_from_slice(b",\"parent\":");
            push_int(out, parent);
        }
        if line.removed {
            text(out, "state", "removed");
        }
        out.push(b'}');
    }
}

fn charge(kind: ChargeKind) -> &'static str {
    match kind {
        ChargeKind::Shipping => "shipping",
        ChargeKind::ShippingDiscount => "shipping_discount",
        ChargeKind::Tax => "tax",
        ChargeKind::Adjustment => "adjustment",
        ChargeKind::Commission => "platform_commission",
    }
}

/// `,"name":"value"`; the value needs no escapes.
pub fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    for part in [",\"", name, "\":\"", value, "\""] {
        out.extend_from_slice(part.as_bytes());
    }
}

/// `,"name":"2025-07-09T14:05:22+01:00"`, or null.
fn instant(out: &mut Vec<u8>, name: &str, at: Option<Seconds>, zone: Zone) {
    for part in [",\"", name, "\":"] {
        out.extend_from_slice(part.as_bytes());
    }
    match at {
        None => out.extend_from_slice(b"null"),
        Some(at) => {
            out.push(b'"');
            push_rfc3339(out, at, zone);
            out.push(b'"');
        }
    }
}
