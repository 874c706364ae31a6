//! What a client sets for its connection. `statement_timeout` and `search_path` change what the server does; the others are
//! kept so that SHOW tells them back.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pgwire::error::PgWireResult;

use super::error::{INVALID_VALUE, UNKNOWN_SETTING, coded, hinted};
use crate::engine::{MAIN, POSTGRES_SETTINGS};

/// The settings of one connection, by name in lower case.
#[derive(Default)]
pub struct Settings(Mutex<HashMap<String, String>>);

/// How results are written cannot be changed: clients are told what they get at the start.
const FIXED: [&str; 5] = ["timezone", "datestyle", "intervalstyle", "bytea_output", "server_version"];

impl Settings {
    /// Sets one. Refused: an encoding other than UTF-8, a time that is none.
    pub fn set(&self, name: &str, value: &str) -> PgWireResult<()> {
        let name = name.to_ascii_lowercase();
        if value.eq_ignore_ascii_case("default") {
            self.reset(Some(&name));
            return Ok(());
        }
        match name.as_str() {
            "client_encoding" if !is_utf8(value) => {
                return Err(hinted(
                    INVALID_VALUE,
                    format!("client_encoding = {value}"),
                    "this server speaks UTF8 only",
                ));
            }
            "statement_timeout" => {
                timeout(value).ok_or_else(|| {
                    hinted(INVALID_VALUE, format!("statement_timeout = {value}"), "milliseconds, or 5s, 1min; 0 = none")
                })?;
            }
            _ => {}
        }
        if !FIXED.contains(&name.as_str()) {
            // Of UTF-8's many names one is told back.
            let value = if name == "client_encoding" { "UTF8" } else { value };
            self.lock().insert(name, value.into());
        }
        Ok(())
    }

    /// Back to the default; `None` = all.
    pub fn reset(&self, name: Option<&str>) {
        match name {
            Some(name) => drop(self.lock().remove(&name.to_ascii_lowercase())),
            None => self.lock().clear(),
        }
    }

    /// The value of one, under its usual name.
    pub fn show(&self, name: &str) -> PgWireResult<(String, String)> {
        let set = self.lock().get(&name.to_ascii_lowercase()).cloned();
        let known = POSTGRES_SETTINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        match (known, set) {
            (Some((known, value)), set) => Ok(((*known).into(), set.unwrap_or_else(|| (*value).into()))),
            (None, Some(value)) => Ok((name.into(), value)),
            (None, None) => Err(coded(UNKNOWN_SETTING, format!("unrecognized configuration parameter \"{name}\""))),
        }
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<(String, String)> {
        let mut names: Vec<String> = POSTGRES_SETTINGS.iter().map(|(name, _)| name.to_string()).collect();
        let more: Vec<String> = self.lock().keys().cloned().collect();
        names.extend(more.into_iter().filter(|m| !POSTGRES_SETTINGS.iter().any(|(n, _)| n.eq_ignore_ascii_case(m))));
        names.sort_by_key(|name| name.to_ascii_lowercase());
        names.iter().filter_map(|name| self.show(name).ok()).collect()
    }

    /// How long a statement may take, if the client has said so.
    pub fn timeout(&self) -> Option<Duration> {
        self.lock().get("statement_timeout").and_then(|value| timeout(value).flatten())
    }

    /// The schema in which bare names are looked for, if it is not `main`: the first of the search path.
    pub fn schema(&self) -> Option<String> {
        let path = self.lock().get("search_path").cloned()?;
        let mut names = path.split(',').map(|name| name.trim().trim_matches('"'));
        let first = names.find(|name| !["", "$user", "pg_catalog"].contains(name))?;
        (![MAIN, "public"].contains(&first)).then(|| first.to_string())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As PostgreSQL compares encodings: by letters and digits only. asyncpg and pg8000 send quotes, too.
pub fn is_utf8(value: &str) -> bool {
    let letters: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
    ["utf8", "unicode"].iter().any(|known| letters.eq_ignore_ascii_case(known))
}

/// `Some(None)`: no limit; `None`: not a time.
fn timeout(value: &str) -> Option<Option<Duration>> {
    let value = value.trim();
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    let (number, unit) = value.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = number.checked_mul(millis)?;
    Some((millis > 0).then(|| Duration::from_millis(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeout_has_units() {
        let settings = Settings::default();
        for (text, millis) in [("1500", 1500), ("5s", 5_000), ("2 min", 120_000), ("100ms", 100)] {
            settings.set("Statement_Timeout", text).unwrap();
            assert_eq!(settings.timeout(), Some(Duration::from_millis(millis)), "{text}");
        }
        settings.set("statement_timeout", "0").unwrap();
        assert_eq!(settings.timeout(), None);
        settings.set("statement_timeout", "DEFAULT").unwrap();
        assert_eq!(settings.show("statement_timeout").unwrap().1, "0");
        assert!(settings.set("statement_timeout", "soon").is_err());
        assert!(settings.set("statement_timeout", "99999999999999999999d").is_err());
    }

    #[test]
    fn what_is_set_is_shown_and_what_is_fixed_stays() {
        let settings = Settings::default();
        settings.set("application_name", "psql").unwrap();
        settings.set("TimeZone", "Asia/Tokyo").unwrap();
        assert_eq!(settings.show("APPLICATION_NAME").unwrap().1, "psql");
        assert_eq!(settings.show("timezone").unwrap(), ("TimeZone".into(), "UTC".into()));
        assert!(settings.show("no_such").is_err());
        assert!(settings.set("client_encoding", "LATIN1").is_err());
        for name in ["utf8", "'utf-8'", "UTF8", "Unicode"] {
            settings.set("client_encoding", name).unwrap();
            assert_eq!(settings.show("client_encoding").unwrap().1, "UTF8");
        }
        assert_eq!(settings.schema(), None);
        for (path, schema) in [("main, base", None), ("\"$user\", base", Some("base")), ("", None)] {
            settings.set("search_path", path).unwrap();
            assert_eq!(settings.schema().as_deref(), schema, "{path}");
        }
        settings.reset(None);
        assert_eq!(settings.show("application_name").unwrap().1, "");
        assert!(settings.all().len() >= POSTGRES_SETTINGS.len());
    }
}
