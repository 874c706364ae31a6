//! How people and programs reach the engine: thin translations, none of which imports another.
//! None may name the query engine's or the table format's crates.

pub mod cli;
pub mod flight;
pub mod http;
pub mod postgres;
pub mod status;
