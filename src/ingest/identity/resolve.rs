//! Which customers are one: those that share an identifier, and those that share one with these, and so on. A pure function
//! over the rows of customer_identity: their order cannot matter. It must not do I/O.
//!
//! An identifier makes its customers one when it is certain (confidence 1) and of a kind that is one person's: devices are
//! shared in families. One of a platform is one within its channel only. One that more than [`MOST_SHARING`] customers have
//! is a placeholder, such as the shop's own address, and makes nobody one; nor does a customer with more than [`MOST_HELD`]
//! identifiers, such as the account that a till uses for guests. The customer first seen stands for all of its group.

use std::collections::{BTreeMap, HashMap};

use xxhash_rust::xxh3::Xxh3Default;

/// Customers that may share an identifier: more have a placeholder.
pub(super) const MOST_SHARING: usize = 10;
/// Certain identifiers that one person may have: more are those of many.
pub(super) const MOST_HELD: usize = 30;
/// Confidence 1, as a decimal of six digits behind the point.
pub(super) const CERTAIN: i128 = 1_000_000;
const DEVICE: &str = "device_id";
/// Kinds of identifiers that mean another customer in another channel.
const OF_A_CHANNEL: [&str; 2] = ["platform_uid", "wechat_openid"];

/// A row of customer_identity that is no tombstone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    pub customer: &'a str,
    pub id_type: &'a str,
    pub id_hash: &'a str,
    pub channel: &'a str,
    /// µs since 1970.
    pub first_seen: i64,
    /// See [`CERTAIN`].
    pub confidence: i128,
    pub rule: &'a str,
}

/// The key that stands for another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canonical {
    pub key: String,
    pub rule: String,
}

/// A row, as far as it is needed: many fit into memory.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    identifier: u128,
    customer: u32,
    /// `None`: it makes nobody one.
    rule: Option<u32>,
}

/// Rows that are being gathered.
#[derive(Debug, Default)]
pub(super) struct Identities {
    customers: HashMap<String, usize>,
    /// By customer.
    first_seen: Vec<i64>,
    rules: Vec<String>,
    links: Vec<Link>,
}

impl Identities {
    pub fn take(&mut self, row: Seen<'_>) {
        let customer = match self.customers.get(row.customer) {
            Some(known) => *known,
            None => {
                self.first_seen.push(row.first_seen);
                self.customers.insert(row.customer.to_string(), self.first_seen.len() - 1);
                self.first_seen.len() - 1
            }
        };
        self.first_seen[customer] = self.first_seen[customer].min(row.first_seen);
        let connects = row.confidence == CERTAIN && row.id_type != DEVICE;
        let rule = connects.then(|| self.rule(row.rule));
        self.links.push(Link { identifier: identifier(&row), customer: customer as u32, rule });
    }

    fn rule(&mut self, rule: &str) -> u32 {
        let known = self.rules.iter().position(|known| known == rule).unwrap_or_else(|| {
            self.rules.push(rule.to_string());
            self.rules.len() - 1
        });
        known as u32
    }

    /// How many certain identifiers each customer has; the links are in order.
    fn held(&self) -> Vec<usize> {
        let mut held = vec![0; self.first_seen.len()];
        for links in self.links.chunk_by(|a, b| (a.identifier, a.customer) == (b.identifier, b.customer)) {
            if let Some(link) = links.iter().find(|link| link.rule.is_some()) {
                held[link.customer as usize] += 1;
            }
        }
        held
    }

    /// Every key for which another one stands.
    pub fn resolve(mut self) -> BTreeMap<String, Canonical> {
        self.links.sort_unstable();
        let held = self.held();
        let mut groups = Groups::new(self.first_seen.len());
        let mut found_by: Vec<Option<&str>> = vec![None; self.first_seen.len()];
        for links in self.links.chunk_by(|a, b| a.identifier == b.identifier) {
            if links.chunk_by(|a, b| a.customer == b.customer).count() > MOST_SHARING {
                continue;
            }
            let certain = links.iter().filter_map(|link| Some((link.customer as usize, link.rule? as usize)));
            let certain = certain.filter(|(customer, _)| held[*customer] <= MOST_HELD);
            let Some((first, _)) = certain.clone().next() else { continue };
            if certain.clone().all(|(customer, _)| customer == first) {
                continue;
            }
            for (customer, rule) in certain {
                groups.join(first, customer);
                let rule = self.rules[rule].as_str();
                found_by[customer] = Some(found_by[customer].map_or(rule, |found| found.min(rule)));
            }
        }
        let mut names = vec![""; self.first_seen.len()];
        self.customers.iter().for_each(|(name, customer)| names[*customer] = name.as_str());
        let mut canonical: HashMap<usize, usize> = HashMap::new();
        let joined = (0..names.len()).filter(|customer| found_by[*customer].is_some());
        for customer in joined.clone() {
            let rank = |customer: usize| (self.first_seen[customer], names[customer]);
            let best = canonical.entry(groups.of(customer)).or_insert(customer);
            if rank(customer) < rank(*best) {
                *best = customer;
            }
        }
        let mut resolved = BTreeMap::new();
        for customer in joined {
            let stands = canonical.get(&groups.of(customer)).copied().unwrap_or(customer);
            if stands != customer {
                let rule = found_by[customer].unwrap_or_default().to_string();
                resolved.insert(names[customer].to_string(), Canonical { key: names[stands].to_string(), rule });
            }
        }
        resolved
    }
}

/// An identifier as one number; of a platform, with its channel.
fn identifier(row: &Seen<'_>) -> u128 {
    let channel = if OF_A_CHANNEL.contains(&row.id_type) { row.channel } else { "" };
    let mut hash = Xxh3Default::new();
    for part in [row.id_type, channel, row.id_hash] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.digest128()
}

/// Disjoint groups of numbers.
struct Groups(Vec<usize>);

impl Groups {
    fn new(members: usize) -> Groups {
        Groups((0..members).collect())
    }

    /// The number that stands for the group of `member`.
    fn of(&mut self, mut member: usize) -> usize {
        while self.0[member] != member {
            // Halves the way for those who come next.
            self.0[member] = self.0[self.0[member]];
            member = self.0[member];
        }
        member
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen<'a>(customer: &'a str, id_type: &'a str, id_hash: &'a str, first_seen: i64) -> Seen<'a> {
        Seen { customer, id_type, id_hash, channel: "", first_seen, confidence: CERTAIN, rule: "same_identifier" }
    }

    /// "key > key that stands for it", separated by blanks.
    fn resolved(rows: &[Seen<'_>]) -> String {
        let mut identities = Identities::default();
        rows.iter().for_each(|row| identities.take(*row));
        let pairs = identities.resolve().into_iter().map(|(given, canonical)| format!("{given}>{}", canonical.key));
        pairs.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn who_shares_an_identifier_is_one_also_by_way_of_others() {
        let rows = [
            seen("b", "email_hash", "1", 20),
            seen("c", "email_hash", "1", 30),
            seen("c", "phone_hash", "2", 30),
            seen("d", "phone_hash", "2", 20),
            seen("e", "phone_hash", "1", 1),
        ];
        assert_eq!(resolved(&rows), "c>b d>b", "the first seen stands for all, of equal ones the smallest");
        let earlier = [&rows[..], &[seen("d", "loyalty_no", "9", 10)]].concat();
        assert_eq!(resolved(&earlier), "b>d c>d", "whichever identifier shows it");
    }

    #[test]
    fn an_account_for_guests_makes_nobody_one() {
        let hashes: Vec<String> = (0..=MOST_HELD).map(|n| n.to_string()).collect();
        let mut rows: Vec<Seen<'_>> = hashes.iter().map(|hash| seen("guest", "phone_hash", hash, 1)).collect();
        rows.extend([seen("a", "phone_hash", "0", 2), seen("b", "phone_hash", "1", 3)]);
        assert_eq!(resolved(&rows), "");
        // One identifier less is a person's.
        assert_eq!(resolved(&rows[1..]), "b>guest");
    }

    #[test]
    fn the_order_of_rows_cannot_matter() {
        let mut rows = [
            seen("b", "email_hash", "1", 20),
            Seen { rule: "a_better_rule", ..seen("b", "phone_hash", "2", 20) },
            seen("a", "email_hash", "1", 20),
            seen("c", "phone_hash", "2", 20),
            seen("d", "email_hash", "3", 20),
        ];
        let whole = |rows: &[Seen<'_>]| {
            let mut identities = Identities::default();
            rows.iter().for_each(|row| identities.take(*row));
            identities.resolve()
        };
        let expected = whole(&rows);
        assert_eq!(expected["b"], Canonical { key: "a".into(), rule: "a_better_rule".into() });
        for turn in 0..rows.len() {
            rows.rotate_left(1);
            assert_eq!(whole(&rows), expected, "{turn}");
            let backwards: Vec<_> = rows.iter().rev().copied().collect();
            assert_eq!(whole(&backwards), expected, "{turn} backwards");
        }
    }

    #[test]
    fn what_is_no_proof_makes_nobody_one() {
        let doubtful = Seen { confidence: CERTAIN - 1, ..seen("b", "email_hash", "1", 20) };
        assert_eq!(resolved(&[seen("a", "email_hash", "1", 10), doubtful]), "");
        assert_eq!(resolved(&[seen("a", "device_id", "1", 10), seen("b", "device_id", "1", 20)]), "");
        assert_eq!(resolved(&[seen("a", "email_hash", "1", 10), seen("b", "phone_hash", "1", 20)]), "");
        let again = [seen("a", "email_hash", "1", 10), Seen { channel: "web", ..seen("a", "email_hash", "1", 10) }];
        assert_eq!(resolved(&again), "", "a customer is one with itself");
    }

    #[test]
    fn identifiers_of_platforms_count_within_a_channel() {
        for (id_type, expected) in [("wechat_openid", "b>a"), ("platform_uid", "b>a"), ("loyalty_no", "b>a c>a")] {
            let at = |customer, channel| Seen { channel, ..seen(customer, id_type, "1", 10) };
            assert_eq!(resolved(&[at("a", "shop"), at("b", "shop"), at("c", "other")]), expected, "{id_type}");
        }
    }

    #[test]
    fn a_placeholder_makes_nobody_one() {
        let names: Vec<String> = (0..=MOST_SHARING).map(|n| format!("c{n:02}")).collect();
        let rows: Vec<Seen<'_>> = names.iter().map(|name| seen(name, "email_hash", "1", 10)).collect();
        assert_eq!(resolved(&rows), "", "{} customers", rows.len());
        assert_eq!(resolved(&rows[1..]).split(' ').count(), MOST_SHARING - 1, "one fewer are one");
        let mut doubtful = rows.clone();
        doubtful[0].confidence = 0;
        assert_eq!(resolved(&doubtful), "", "doubtful ones count as sharing");
        let twice = [&rows[1..], &rows[1..]].concat();
        assert_eq!(resolved(&twice).split(' ').count(), MOST_SHARING - 1, "customers are counted, not rows");
    }
}
