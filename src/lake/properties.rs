//! What is fixed when a lake is created: its currency, zone and meaning of "today". Kept in `_saleslake.json` at the
//! lake's root, written once (put-if-absent). Stored amounts and dates depend on it, so it must never change.

use std::fmt;
use std::str::FromStr;

use chrono::NaiveDate;
use chrono_tz::Tz;
use object_store::{ObjectStoreExt, PutMode, PutOptions};
use serde::{Deserialize, Serialize};

use super::errors;
use super::store::Root;
use crate::config::LakeConfig;
use crate::error::{Error, Result};
use crate::model::currency;

/// The file's name, below the lake's root.
const FILE: &str = "_saleslake.json";
/// The layout of the lake that this program reads and writes.
const FORMAT: u32 = 1;

/// What "today" means in relative dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Today {
    /// The clock's date in the lake's zone.
    Clock,
    /// The day after the newest business date in the data: for samples and archives.
    Data,
    /// This date.
    Date(NaiveDate),
}

impl FromStr for Today {
    type Err = Error;

    fn from_str(s: &str) -> Result<Today> {
        match s {
            "clock" => Ok(Today::Clock),
            "data" => Ok(Today::Data),
            _ => NaiveDate::parse_from_str(s, "%Y-%m-%d").map(Today::Date).map_err(|_| {
                Error::invalid(format!("lake.today: '{s}' is unknown"))
                    .hint("clock, data, or a date such as 2026-06-30")
            }),
        }
    }
}

impl fmt::Display for Today {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Today::Clock => f.write_str("clock"),
            Today::Data => f.write_str("data"),
            Today::Date(date) => write!(f, "{date}"),
        }
    }
}

/// A lake's properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    /// The reporting currency of all `*_rc` amounts, ISO 4217.
    pub currency: String,
    /// The zone of "today", and of places that name none.
    pub zone: Tz,
    pub today: Today,
}

impl fmt::Display for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "currency {}, zone {}, today = {}", self.currency, self.zone, self.today)
    }
}

impl Properties {
    /// The properties that `cfg` asks for, checked. An existing lake may have others; those hold.
    pub fn from_config(cfg: &LakeConfig) -> Result<Properties> {
        Properties::parse(&cfg.currency, &cfg.zone, &cfg.today)
    }

    fn parse(code: &str, zone: &str, today: &str) -> Result<Properties> {
        if currency::minor_units(code).is_none() {
            return Err(Error::invalid(format!("lake.currency: '{code}' is no currency"))
                .hint("an ISO 4217 code in capitals, such as EUR"));
        }
        let zone = zone.parse::<Tz>().map_err(|_| {
            Error::invalid(format!("lake.zone: '{zone}' is no time zone")).hint("an IANA name, such as Europe/Berlin")
        })?;
        Ok(Properties { currency: code.to_string(), zone, today: today.parse()? })
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u32,
    currency: String,
    zone: String,
    today: String,
}

/// Writes `meant` as the lake's properties, before its first commit: looking at a lake that is not there must not create
/// one. Where others are written already they must be the same, since amounts have been converted by them.
pub(super) async fn establish(root: &Root, meant: &Properties) -> Result<()> {
    let stored = Stored {
        format: FORMAT,
        currency: meant.currency.clone(),
        zone: meant.zone.name().to_string(),
        today: meant.today.to_string(),
    };
    let json = serde_json::to_vec_pretty(&stored).map_err(|e| Error::internal(format!("{FILE}: {e}")))?;
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match root.store.put_opts(&root.prefix.clone().join(FILE), json.into(), options).await {
        Ok(_) => Ok(()),
        Err(object_store::Error::AlreadyExists { .. }) => match load(root).await? {
            Some(stored) if stored == *meant => Ok(()),
            Some(stored) => {
                Err(Error::conflict(format!("the lake at {} was created meanwhile, with {stored}", root.lake))
                    .hint("run again: its properties hold"))
            }
            None => Err(Error::unavailable(format!("{}{FILE} is there and cannot be read", root.lake))),
        },
        Err(e) => Err(errors::store(e, format!("creating the lake at {}", root.lake))),
    }
}

pub(super) async fn load(root: &Root) -> Result<Option<Properties>> {
    let what = format!("{}{FILE}", root.lake);
    let bytes = match root.store.get(&root.prefix.clone().join(FILE)).await {
        Ok(found) => found.bytes().await.map_err(|e| errors::store(e, &what))?,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(e) => return Err(errors::store(e, &what)),
    };
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|e| Error::invalid(format!("{what}: {e}")))?;
    if stored.format != FORMAT {
        return Err(Error::invalid(format!("{what}: layout {} is unknown", stored.format))
            .hint(format!("this program knows layout {FORMAT}; a newer one made this lake")));
    }
    Properties::parse(&stored.currency, &stored.zone, &stored.today).map(Some).map_err(|e| e.context(what))
}
