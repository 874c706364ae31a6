//! `saleslake config`: each setting, its value and where it came from.

use super::listing::Listing;
use super::output::OutputArgs;
use crate::config::Setting;
use crate::error::Result;

pub async fn run(output: &OutputArgs, settings: &[Setting]) -> Result<()> {
    Listing::of(settings)
        .text("key", |s| s.key.clone())
        .text("value", |s| s.value.clone())
        .text("origin", |s| s.origin.clone())
        .write(output, "no settings")
        .await
}
