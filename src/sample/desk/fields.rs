//! A record of the desk's files: fields with commas between, instants in UTC. No field holds a comma.

use super::super::days::{Seconds, push_utc};
use super::super::text::{push_cents, push_int, push_short};

/// A record that is being written.
pub struct Fields(Vec<u8>);

impl Fields {
    pub fn new() -> Fields {
        Fields(Vec::with_capacity(160))
    }
    fn next(&mut self) -> &mut Vec<u8> {
        if !self.0.is_empty() {
            self.0.push(b',');
        }
        &mut self.0
    }
    /// The first field of a record is a text that is not empty.
    pub fn text(mut self, text: &str) -> Fields {
        self.next().extend_from_slice(text.as_bytes());
        self
    }
    pub fn int(mut self, n: i64) -> Fields {
        push_int(self.next(), n);
        self
    }
    pub fn cents(mut self, cents: i64) -> Fields {
        push_cents(self.next(), cents);
        self
    }
    pub fn thousandths(mut self, n: i64) -> Fields {
        push_short(self.next(), n, 3);
        self
    }
    pub fn flag(self, yes: bool) -> Fields {
        self.text(if yes { "Y" } else { "N" })
    }
    pub fn at(mut self, at: Option<Seconds>) -> Fields {
        let out = self.next();
        if let Some(at) = at {
            push_utc(out, at);
        }
        self
    }
    /// The record with its newline.
    pub fn record(mut self) -> Vec<u8> {
        self.0.push(b'\n');
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_their_order() {
        let record =
            Fields::new().text("web").int(2).cents(1299).thousandths(1500).flag(true).at(None).text("x").record();
        assert_eq!(record, b"web,2,12.99,1.5,Y,,x\n");
    }
}
