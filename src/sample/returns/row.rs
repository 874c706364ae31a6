//! How the returns desk writes a returned line.

use super::super::days::push_rfc3339;
use super::super::push_consumer;
use super::super::retailer::Retailer;
use super::super::text::{push_cents, push_decimal, push_digits, push_int, push_short};
use super::{Return, Returns};

pub(super) const HEADER: &str = "return_id,line,rev,status,type,requested_at,received_at,refunded_at,zone,channel,place,order_system,order_id,\
    order_line,sku,vat,currency,qty,refund,refund_shipping,stock_cost,reason,note,restock,member,staff,training,exchange_group";

impl Returns {
    pub(super) fn write(&mut self, retailer: &Retailer, ret: &Return) {
        let out = &mut self.scratch;
        out.clear();
        out.extend_from_slice(b"R");
        out.push(self.prefix as u8);
        push_digits(out, ret.no, 6);
        out.extend_from_slice(b",1,1,");
        out.extend_from_slice(ret.status.as_bytes());
        out.extend_from_slice(if ret.exchange { b",exchange," } else { b",refund," });
        push_rfc3339(out, ret.requested, ret.zone);
        for at in [ret.received, ret.refunded] {
            out.push(b',');
            if let Some(at) = at {
                push_rfc3339(out, at, ret.zone);
            }
        }
        for field in [ret.zone.name(), ret.channel, &retailer.places[ret.place].id] {
            out.push(b',');
            out.extend_from_slice(field.as_bytes());
        }
        out.push(b',');
        if let Some((order, line)) = ret.order {
            out.extend_from_slice(self.system.as_bytes());
            out.push(b',');
            out.push(self.prefix as u8);
            push_digits(out, order, 7);
            out.push(b',');
            push_int(out, line);
        } else {
            out.extend_from_slice(b",,");
        }
        out.push(b',');
        out.extend_from_slice(retailer.catalogue.items[ret.item].sku.as_bytes());
        out.push(b',');
        push_short(out, ret.tax, 4);
        out.push(b',');
        out.extend_from_slice(ret.currency.code().as_bytes());
        out.push(b',');
        push_short(out, ret.quantity, 3);
        for cents in [ret.refund, ret.shipping] {
            out.push(b',');
            push_cents(out, cents);
        }
        out.push(b',');
        push_decimal(out, ret.cost, 4, b'.');
        out.push(b',');
        out.extend_from_slice(ret.reason.as_bytes());
        out.extend_from_slice(b",,");
        out.extend_from_slice(ret.restock.as_bytes());
        out.push(b',');
        if let Some(customer) = ret.customer {
            push_consumer(out, customer);
        }
        out.extend_from_slice(if ret.staff { b",Y" } else { b",N" });
        out.extend_from_slice(if ret.test { b",Y," } else { b",N," });
        if ret.exchange {
            out.push(b'X');
            out.push(self.prefix as u8);
            push_digits(out, ret.no, 6);
        }
        out.push(b'\n');
    }
}
