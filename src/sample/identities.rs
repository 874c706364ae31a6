//! By which identifiers customers are known, as CSV: two dozen people who buy in two channels under two keys, and what looks like
//! it and is none. It must not draw from any dice: the other files do not change because of it.

use std::path::Path;

use super::days::{DAY, LAST, Zone, push_rfc3339};
use super::dice::hash;
use super::list::{List, text};
use super::out::{Dirt, Ledger, Why};
use super::push_consumer;
use super::retailer::Retailer;
use crate::error::Result;

/// People with two keys.
const PEOPLE: usize = 24;
/// Customers that the tills know by the shop's own address.
const SHARING: usize = 12;

/// Writes the list.
pub fn write(retailer: &Retailer, landing: &Path) -> Result<Ledger> {
    let header = "customer,type,value,hash,channel,first_seen,last_seen,confidence,rule";
    let mut list = List::new(landing, "dimensions/customer_ids", header, true)?;
    let seed = retailer.seed;
    for (person, (first, second)) in people(retailer).enumerate() {
        let address = format!("{}{person:02}@example.com", ["ada", "bo", "cy", "dee"][person % 4]);
        // The tills write addresses as customers spell them.
        let spelt = if person % 3 == 0 { address.to_uppercase() } else { format!("{address} ") };
        let card = format!("{:016x}{:016x}", hash(&[seed, 0x1d, person as u64]), hash(&[seed, 0x1e, person as u64]));
        if person % 4 < 3 {
            put(&mut list, retailer, first, ["email_hash", &address, "", "web", "1", ""], Why::First)?;
            put(&mut list, retailer, second, ["email_hash", &spelt, "", "pos", "1", ""], Why::First)?;
        }
        if person % 4 == 3 || person % 6 == 0 {
            put(&mut list, retailer, first, ["loyalty_no", "", &card, "", "1", "same_card"], Why::First)?;
            put(&mut list, retailer, second, ["loyalty_no", "", &card, "", "1", "same_card"], Why::First)?;
        }
        if person == 1 {
            // Told again, word for word.
            put(&mut list, retailer, first, ["email_hash", &address, "", "web", "1", ""], Why::Repeat)?;
        }
    }
    let known = |customer: &usize| *customer < retailer.consumers;
    for customer in (700..700 + SHARING).filter(known) {
        let till = ["email_hash", "till@example.com", "", "pos", "1", ""];
        put(&mut list, retailer, customer, till, Why::First)?;
    }
    // A family's phone, and a guess.
    for customer in [640, 641].into_iter().filter(known) {
        put(&mut list, retailer, customer, ["device_id", "d-640", "", "app", "1", ""], Why::First)?;
    }
    for (customer, confidence) in [(650, "1"), (651, "0.8")].into_iter().filter(|(customer, _)| known(customer)) {
        let guess = ["phone_hash", "+44 20 7946 0650", "", "tel", confidence, "same_household"];
        put(&mut list, retailer, customer, guess, Why::First)?;
    }
    // One account of each of two platforms.
    for (customer, channel) in [(660, "market_eu"), (679, "market_cn")].into_iter().filter(|(c, _)| known(c)) {
        put(&mut list, retailer, customer, ["platform_uid", "4711", "", channel, "1", ""], Why::First)?;
    }
    put(&mut list, retailer, 0, ["email_hash", "zoe@example.com", "", "web", "1.5", ""], Why::Dirty(&CONFIDENCE))?;
    put(&mut list, retailer, 1, ["phone_hash", "020 7946 0001", "", "tel", "1", ""], Why::Dirty(&PHONE))?;
    put(&mut list, retailer, 2, ["phone_hash", "", "02079460002", "tel", "1", ""], Why::Dirty(&CLEAR))?;
    list.done()
}

static CONFIDENCE: Dirt = Dirt::new("V03", "reject", "confidence", "more than certain");
static PHONE: Dirt = Dirt::new("V01", "reject", "id_value_hash", "a phone number without its country");
static CLEAR: Dirt = Dirt::new("V20", "quarantine", "id_value_hash", "a phone number where its hash belongs");

/// The two keys of each of the people, among those who buy most.
fn people(retailer: &Retailer) -> impl Iterator<Item = (usize, usize)> + use<> {
    let consumers = retailer.consumers;
    (0..PEOPLE).map(|person| (25 * person + 2, 25 * person + 9)).filter(move |(_, second)| *second < consumers)
}

/// Type, value, hash, channel, confidence and rule of a customer's identifier, seen since the customer is known.
fn put(list: &mut List, retailer: &Retailer, customer: usize, of: [&str; 6], why: Why) -> Result<()> {
    let [id_type, value, hashed, channel, confidence, rule] = of;
    let key = text(|o| push_consumer(o, customer as u32));
    let seen = |day: i64| text(|o| push_rfc3339(o, day * DAY + 9 * 3600, Zone::London));
    let (first, last) = (seen(retailer.joined(customer as u32)), seen(LAST));
    list.ledger.counts.dimension_rows += u64::from(why == Why::First);
    list.why(&[&key, id_type, value, hashed, channel, &first, &last, confidence, rule], why)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_is_two_people() {
        let keys: Vec<usize> = people(&Retailer::new(1, 200_000)).flat_map(|(first, second)| [first, second]).collect();
        assert_eq!(keys.len(), 2 * PEOPLE);
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
        assert!(keys.iter().all(|key| *key < 640), "apart from those that are no proof");
    }
}
