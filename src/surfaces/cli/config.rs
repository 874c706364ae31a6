//! `saleslake config`: each setting, its value and where it came from.

use comfy_table::{Table, presets};

use super::output;
use crate::config::Setting;
use crate::error::Result;

pub fn run(settings: &[Setting]) -> Result<()> {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(["key", "value", "origin"]);
    for s in settings {
        table.add_row([&s.key, &s.value, &s.origin]);
    }
    output::line(&table)
}
