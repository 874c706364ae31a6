//! The integration tests, one binary so that the engine is linked once.

mod architecture;
mod cli;
mod common;
mod draft;
mod exactly_once;
mod golden;
mod http;
mod online_retail;
