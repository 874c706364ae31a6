//! What is to be said about customers, and about places and their regions.

use super::super::guesses::{Customers, Guesses, PlaceRegion};
use super::super::names::Meaning;
use super::super::notes::NoteKind::{Assumed, Beware};
use super::super::notes::{Note, Place};
use super::called;

pub(super) fn people_and_places(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let mut note = |kind, place, about, text: String| notes.push(Note::new(kind, place, about, text));
    if let Some((column, Customers::Hashed)) = guesses.of(Meaning::CustomerKey).zip(guesses.customers()) {
        let text = format!(
            "{} holds e-mail addresses, which do not land: their hash does; leave it out if you may not keep that either",
            called(column)
        );
        note(Assumed, Place::Customer, "customer_key", text);
    }
    if let Some(column) = guesses.customer_names {
        let text = format!(
            "{} looks like names of people, which do not land: give a number instead, if there is one",
            called(column)
        );
        note(Beware, Place::OrderLine, "customer_key", text);
    }
    let Some(place) = guesses.of(Meaning::LocationId) else { return };
    match guesses.place_region() {
        PlaceRegion::Unknown => {
            let text = format!(
                "no column looks like the region of {}: UNK and country ZZ (unknown), until you say where they are",
                called(place)
            );
            note(Assumed, Place::Location, "region_id", text);
        }
        PlaceRegion::Column => {
            let text = format!(
                "each {} has one region in the file, which is taken as the region that it lies in",
                called(place)
            );
            note(Assumed, Place::Location, "region_id", text);
        }
        PlaceRegion::Buyers => {
            let text = format!(
                "{} sells to several regions, so where it lies is not known: land the places themselves (region, country), \
                 until then they show as UNK",
                called(place)
            );
            note(Beware, Place::OrderLine, "location_id", text);
        }
    }
}
