//! The integration tests, one binary so that the engine is linked once.

mod architecture;
mod cli;
mod common;
mod control_totals;
mod draft;
mod exactly_once;
mod formats;
mod golden;
mod http;
mod kills;
mod maintenance;
mod online_retail;
mod openapi;
mod order_alias;
mod push;
mod readers;
mod stores;
