//! The generator of a consistent retailer: landing files of any size from a seed, the same bytes every time, dirt on purpose.
//! It must not read a lake nor a clock: the sample always ends on 2026-06-30.

mod again;
mod catalogue;
mod control;
mod days;
mod desk;
mod dice;
mod dims;
mod discounts;
mod erp;
mod events;
mod feedback;
mod identities;
mod list;
mod market;
mod market_cn;
mod market_eu;
mod marketing;
mod offers;
mod order;
mod out;
mod people;
mod pos;
mod prices;
mod retailer;
mod returns;
mod stock;
mod summary;
mod supply;
mod text;
mod web;
mod words;

use std::path::{Path, PathBuf};

pub use out::Written;
pub use summary::{Counts, Summary};

use crate::error::{Error, Result};
use out::Ledger;
use retailer::Retailer;

/// Order lines of the small retailer.
pub const DEFAULT_LINES: u64 = 200_000;
/// What the sample's amounts are meant to be reported in: the currency and zone of a lake made for it.
pub const CURRENCY: &str = "GBP";
pub const ZONE: &str = "Europe/London";

/// How people are told what the files mean, written beside them.
const README: &str = include_str!("readme.md");

/// What to generate.
#[derive(Debug, Clone)]
pub struct Options {
    pub seed: u64,
    /// Order lines, about; the rest follows. At least 2,000.
    pub lines: u64,
    /// Where to write `landing/`, `dirt.csv` and `README.md`.
    pub dir: PathBuf,
}

/// Writes the sample. `dir/landing` must not exist or be empty, so that no file of another sample stays among its own.
pub fn generate(options: &Options) -> Result<Summary> {
    generate_with(options, &|_| ())
}

/// As [`generate`]; `progress` is told how many more order lines are about to be written, from several threads.
pub fn generate_with(options: &Options, progress: &(dyn Fn(u64) + Sync)) -> Result<Summary> {
    let landing = options.dir.join("landing");
    check(options, &landing)?;
    let retailer = Retailer::new(options.seed, options.lines);
    // Small samples are kept and copied; big ones are made to be read once.
    let level = if options.lines <= 1_000_000 { 9 } else { 1 };
    let mut parts = parts(&retailer, &landing, level, progress)?;
    parts.extend(dims::write(&retailer, &landing)?);
    parts.extend(prices::write(&retailer, &landing)?);
    parts.push(identities::write(&retailer, &landing)?);
    let summary = Summary::new(parts);
    std::fs::write(options.dir.join("dirt.csv"), summary.dirt_csv())?;
    std::fs::write(options.dir.join("README.md"), README)?;
    Ok(summary)
}

fn check(options: &Options, landing: &Path) -> Result<()> {
    if !(2_000..=1_000_000_000).contains(&options.lines) {
        return Err(Error::invalid(format!(
            "lines = {}: a sample has 2,000 to 1,000,000,000 order lines",
            options.lines
        )));
    }
    if landing.is_dir() && std::fs::read_dir(landing)?.next().is_some() {
        return Err(Error::conflict(format!("{} holds files already", landing.display()))
            .hint("remove the folder, or give another one: a sample is never mixed with other files"));
    }
    Ok(())
}

/// The parts do not depend on each other, apart from the marketplace orders that the ERP repeats, so they are made at once.
fn parts(retailer: &Retailer, landing: &Path, level: u32, progress: &(dyn Fn(u64) + Sync)) -> Result<Vec<Ledger>> {
    type Part = Result<Vec<Ledger>>;
    std::thread::scope(|scope| {
        let shops = scope.spawn(|| -> Part {
            Ok(vec![
                pos::write(retailer, landing, level, false, progress)?,
                pos::write(retailer, landing, level, true, progress)?,
            ])
        });
        let web = scope.spawn(|| -> Part { Ok(vec![web::write(retailer, landing, level, progress)?]) });
        let rest = scope.spawn(|| -> Part {
            let (eu, mirrored) = market::write(retailer, landing, level, &market_eu::PLATFORM, progress)?;
            let erp = erp::write(retailer, landing, level, &mirrored, progress)?;
            let (cn, _) = market::write(retailer, landing, level, &market_cn::PLATFORM, progress)?;
            let movements = supply::write_movements(retailer, landing, level)?;
            let purchases = supply::write_purchases(retailer, landing, level)?;
            Ok(vec![eu, erp, cn, stock::write(retailer, landing)?, movements, purchases])
        });
        let plans = scope.spawn(|| -> Part {
            let mut plans = people::write(retailer, landing)?;
            plans.extend(marketing::write(retailer, landing, level)?);
            Ok(plans)
        });
        let mut all = Vec::new();
        for part in [shops, web, rest, plans] {
            all.extend(part.join().map_err(|_| Error::internal("sample: a part of the generator panicked"))??);
        }
        Ok(all)
    })
}

/// "C0000123": a consumer's pseudonym.
fn push_consumer(out: &mut Vec<u8>, consumer: u32) {
    out.push(b'C');
    text::push_digits(out, u64::from(consumer), 7);
}

#[cfg(test)]
mod tests;
