//! The integration tests, one binary so that the engine is linked once.

mod architecture;
mod cli;
mod common;
mod control_totals;
mod customer_identity;
mod doors;
mod draft;
mod exactly_once;
mod flight;
mod flight_clients;
mod formats;
mod golden;
mod http;
mod kills;
mod maintenance;
mod memory;
mod online_retail;
mod openapi;
mod order_alias;
mod postgres_clients;
mod postgres_reading;
mod push;
mod random;
mod readers;
mod rollups;
mod shell;
#[cfg(target_os = "linux")]
mod stops;
mod stores;
