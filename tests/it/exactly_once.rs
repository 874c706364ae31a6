//! The four ingest sentences as properties, over sources of the tests' own (D19, D20, D22):
//!
//! 1. per file, in records, read = landed + duplicate + late-ignored + skipped + quarantined, and per table, in rows, new,
//!    replaced, duplicate and late-ignored are what keys and versions say (`world`, `accounts`);
//! 2. landing the same bytes twice changes nothing (`arrival`);
//! 3. the order in which files arrive does not change the tables (`arrival`, and where keys are made from content `ordinals`,
//!    where dimensions come late `dimensions`);
//! 4. a quarantined record is there with its file, line, field, value, rule and raw content (`records`).
//!
//! And what may be done about a definition that was wrong: replay, retry, discard (`replay`).

mod accounts;
mod arrival;
mod dimensions;
mod ordinals;
mod records;
mod replay;
pub mod world;
