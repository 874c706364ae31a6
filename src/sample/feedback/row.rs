//! How the feedback desk writes what was said.

use super::super::days::{Zone, push_rfc3339};
use super::super::push_consumer;
use super::super::text::{push_digits, push_int};
use super::super::web::CHANNELS;
use super::{Feedback, Said};

pub(super) const HEADER: &str = "id,rev,type,score,scale,topic,severity,sku,order,customer,channel,opened_at,first_reply_at,resolved_at,first_contact";

impl Feedback<'_> {
    pub(super) fn write(&mut self, said: &Said) {
        let out = &mut self.scratch;
        out.clear();
        out.push(b'F');
        push_digits(out, said.no, 7);
        out.push(b',');
        push_int(out, said.version);
        out.push(b',');
        out.extend_from_slice(said.kind.as_bytes());
        match said.score {
            Some((score, scale)) => {
                out.push(b',');
                push_int(out, score);
                out.push(b',');
                push_int(out, scale);
            }
            None => out.extend_from_slice(b",,"),
        }
        for field in [said.topic, said.severity] {
            out.push(b',');
            out.extend_from_slice(field.as_bytes());
        }
        out.push(b',');
        if let Some(item) = said.item {
            out.extend_from_slice(self.retailer.catalogue.items[item].sku.as_bytes());
        }
        out.extend_from_slice(b",W");
        push_digits(out, said.order, 7);
        out.push(b',');
        if let Some(customer) = said.customer {
            push_consumer(out, customer);
        }
        out.push(b',');
        out.extend_from_slice(CHANNELS[said.channel].as_bytes());
        for at in [Some(said.opened), said.replied, said.resolved] {
            out.push(b',');
            if let Some(at) = at {
                push_rfc3339(out, at, Zone::London);
            }
        }
        out.extend_from_slice(match said.first_contact {
            Some(true) => b",Y\n",
            Some(false) => b",N\n",
            None => b",\n",
        });
    }
}
