//! How the till writes a line of a ticket.

use super::super::catalogue::ItemType;
use super::super::days::push_local;
use super::super::order::{Line, LineKind, Order};
use super::super::push_consumer;
use super::super::text::{push_cents, push_decimal, push_digits, push_int, push_short};
use super::Pos;

/// What belongs to the article stands together, which compresses well.
pub(super) const HEADER: &str = "ticket;line;rev;store;zone;day_close;sold_at;type;status;voided_at;training;staff;member;cashier;exchange_group;\
    kind;sku;uom;vat;currency;cost;price;qty;discount;ticket_discount";

impl Pos<'_> {
    /// The line with one more of it, as version 1.
    pub(super) fn corrected(&mut self, order: &Order, line: &Line) {
        let (mut order, mut line) = (order.clone(), line.clone());
        order.version = 1;
        line.quantity += 1000;
        self.row(&order, &line);
    }

    pub(super) fn row(&mut self, order: &Order, line: &Line) {
        let shop = &self.retailer.places[order.place];
        let item = &self.retailer.catalogue.items[line.item];
        let out = &mut self.scratch;
        out.clear();
        out.push(self.prefix);
        push_digits(out, order.no, 7);
        for n in [line.no, order.version] {
            out.push(b';');
            push_int(out, n);
        }
        for field in [shop.id.as_str(), shop.zone().name(), if shop.night { "04:00" } else { "00:00" }] {
            out.push(b';');
            out.extend_from_slice(field.as_bytes());
        }
        out.push(b';');
        push_local(out, order.made);
        out.extend_from_slice(if order.exchange.is_some() { b";X;" } else { b";S;" });
        out.extend_from_slice(if order.cancelled.is_some() { b"VOID;" } else { b"OK;" });
        if let Some(at) = order.cancelled {
            push_local(out, at);
        }
        out.extend_from_slice(if order.test { b";Y;" } else { b";N;" });
        out.extend_from_slice(if order.staff { b"Y;" } else { b"N;" });
        if let Some(customer) = order.customer {
            push_consumer(out, customer);
        }
        out.extend_from_slice(b";E");
        push_digits(out, (order.place * 5) as u64 + order.no % 4, 3);
        out.push(b';');
        if let Some(group) = order.exchange {
            out.extend_from_slice(&[b'X', self.prefix]);
            push_digits(out, group, 6);
        }
        out.extend_from_slice(match line.kind {
            LineKind::GiftCard => b";G;",
            LineKind::Fee => b";F;",
            LineKind::Deposit => b";D;",
            _ => b";P;",
        });
        out.extend_from_slice(item.sku.as_bytes());
        out.extend_from_slice(if item.kind == ItemType::Weighed { b";KGM;" } else { b";EA;" });
        push_short(out, line.tax, 4);
        out.push(b';');
        out.extend_from_slice(order.currency.code().as_bytes());
        out.push(b';');
        push_decimal(out, line.cost, 4, b'.');
        out.push(b';');
        push_cents(out, line.price);
        out.push(b';');
        push_short(out, line.quantity, 3);
        for cents in [line.discount, line.share] {
            out.push(b';');
            push_cents(out, cents);
        }
        out.push(b'\n');
    }
}
