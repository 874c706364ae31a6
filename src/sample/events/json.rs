//! How tracking writes an event: JSON on one line.

use super::super::days::{DAY, Seconds, Zone, push_rfc3339};
use super::super::offers::campaign;
use super::super::push_consumer;
use super::super::text::{push_cents, push_digits, push_int, push_short};
use super::super::web::CHANNELS;
use super::super::web::json::text;
use super::super::words::REGIONS;
use super::{About, Events, Visit};

impl Events<'_> {
    pub(super) fn record(&mut self, visit: &mut Visit, name: &str, about: &About<'_>) {
        visit.events += 1;
        let delay = self.dice.between(0, 2);
        let out = &mut self.scratch;
        out.clear();
        out.extend_from_slice(b"{\"id\":\"");
        push_session(out, visit.session);
        out.push(b'.');
        push_int(out, visit.events);
        out.push(b'"');
        text(out, "name", name);
        // The app tells when it happened and when it sent that, by the device's clock; the others only arrive.
        if visit.channel == 1 {
            for (field, at) in [("at", visit.now + visit.skew), ("sent", visit.now + visit.skew + 1)] {
                time(out, field, at);
            }
        }
        time(out, "received", visit.now + delay);
        if let Some((sku, price)) = about.item {
            text(out, "sku", sku);
            out.extend_from_slice(b",\"price\":\"");
            push_cents(out, price);
            out.push(b'"');
        }
        if !about.currency.is_empty() {
            text(out, "currency", about.currency);
        }
        if let Some(quantity) = about.quantity {
            out.extend_from_slice(b",\"qty\":\"");
            push_short(out, quantity, 3);
            out.push(b'"');
        }
        if let Some(order) = about.order {
            out.extend_from_slice(b",\"order\":\"W");
            push_digits(out, order, 7);
            out.push(b'"');
        }
        if !about.term.is_empty() {
            text(out, "term", about.term);
        }
        out.extend_from_slice(b",\"session\":\"");
        push_session(out, visit.session);
        out.extend_from_slice(b"\",\"visitor\":\"v");
        push_digits(out, visit.visitor, 7);
        out.push(b'"');
        if let Some(customer) = visit.customer {
            out.extend_from_slice(b",\"customer\":\"");
            push_consumer(out, customer);
            out.push(b'"');
        }
        text(out, "channel", CHANNELS[visit.channel]);
        text(out, "device", visit.device);
        text(out, "country", REGIONS[visit.region].country);
        text(out, "region", REGIONS[visit.region].id);
        text(out, "source", visit.source.0);
        text(out, "medium", visit.source.1);
        // Visits from searches that are paid for, social media and mails tell the campaign that ran then.
        if let Some(means) = ["cpc", "social", "email"].iter().position(|medium| *medium == visit.source.1) {
            text(out, "campaign", &campaign(visit.now.div_euclid(DAY), means));
        }
        out.extend_from_slice(if visit.bot { b",\"bot\":true" } else { b",\"bot\":false" });
        out.extend_from_slice(if visit.consent { b",\"consent\":true}\n" } else { b",\"consent\":false}\n" });
    }
}

/// "s0000123".
pub fn push_session(out: &mut Vec<u8>, session: u64) {
    out.push(b's');
    push_digits(out, session, 7);
}

fn time(out: &mut Vec<u8>, name: &str, at: Seconds) {
    for part in [",\"", name, "\":\""] {
        out.extend_from_slice(part.as_bytes());
    }
    push_rfc3339(out, at, Zone::London);
    out.push(b'"');
}
