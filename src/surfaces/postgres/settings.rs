//! What a client sets for its connection, and how that ends with a transaction. `statement_timeout` and `search_path` change
//! what the server does; the others are kept so that SHOW tells them back. A client must not keep any amount of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pgwire::error::PgWireResult;

use super::error::{INVALID_VALUE, TOO_MUCH, UNKNOWN_SAVEPOINT, UNKNOWN_SETTING, coded, hinted};
use crate::engine::{MAIN, POSTGRES_FIXED, POSTGRES_SETTINGS};

/// The longest name and the longest value that a client may send, bytes.
const LONGEST: usize = 1 << 10;
/// Settings that the server does not know, and keeps all the same.
const UNKNOWN: usize = 100;
/// Savepoints of one transaction, each with the settings of its time.
const SAVEPOINTS: usize = 100;

/// The settings of one connection.
#[derive(Default)]
pub struct Settings(Mutex<State>);

/// By name in lower case.
type Values = HashMap<String, Arc<str>>;

#[derive(Default)]
struct State {
    /// What holds.
    now: Values,
    /// What COMMIT leaves: without what was set for the transaction only. Outside one the same.
    kept: Values,
    /// What ROLLBACK leaves; `None`: there is no transaction.
    before: Option<Values>,
    savepoints: Vec<Savepoint>,
}

struct Savepoint {
    name: String,
    /// JDBC sets its own before every statement and releases none.
    times: usize,
    now: Values,
    kept: Values,
}

impl State {
    fn change(&mut self, local: bool, change: impl Fn(&mut Values)) {
        // For a transaction only: outside one that is nothing.
        if local && self.before.is_none() {
            return;
        }
        change(&mut self.now);
        if !local {
            change(&mut self.kept);
        }
    }

    /// Whether one more setting, `name`, would be too many.
    fn is_full(&self, name: &str) -> bool {
        let full = |values: &Values| {
            let unknown = values.keys().filter(|name| known(name).is_none()).count();
            unknown >= UNKNOWN && !values.contains_key(name)
        };
        known(name).is_none() && (full(&self.now) || full(&self.kept))
    }

    /// Where the newest savepoint `name` is.
    fn place(&self, name: &str) -> PgWireResult<usize> {
        let place = self.savepoints.iter().rposition(|savepoint| savepoint.name == name);
        place.ok_or_else(|| coded(UNKNOWN_SAVEPOINT, format!("savepoint \"{name}\" does not exist")))
    }
}

impl Settings {
    /// Sets one for the connection. Refused: an encoding other than UTF-8, a time that is none, more than is kept.
    pub fn set(&self, name: &str, value: &str) -> PgWireResult<()> {
        self.put(name, value, false)
    }

    /// Sets one until the transaction ends.
    pub fn set_local(&self, name: &str, value: &str) -> PgWireResult<()> {
        self.put(name, value, true)
    }

    fn put(&self, name: &str, value: &str, local: bool) -> PgWireResult<()> {
        bounded("the name of a setting", name)?;
        let name = name.to_ascii_lowercase();
        bounded(&name, value)?;
        if value.eq_ignore_ascii_case("default") {
            self.lock().change(local, |values| drop(values.remove(&name)));
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
        if POSTGRES_FIXED.contains(&name.as_str()) {
            return Ok(());
        }
        let mut state = self.lock();
        if state.is_full(&name) {
            let message = format!("{name}: {UNKNOWN} settings that this server does not know are set already");
            return Err(hinted(TOO_MUCH, message, "RESET ALL lets go of them"));
        }
        let value: Arc<str> = value.into();
        state.change(local, |values| drop(values.insert(name.clone(), Arc::clone(&value))));
        Ok(())
    }

    /// Back to the default; `None` = all.
    pub fn reset(&self, name: Option<&str>) {
        let name = name.map(str::to_ascii_lowercase);
        self.lock().change(false, |values| match &name {
            Some(name) => drop(values.remove(name)),
            None => values.clear(),
        });
    }

    /// A transaction begins, unless one has.
    pub fn begin(&self) {
        let mut state = self.lock();
        if state.before.is_none() {
            state.before = Some(state.kept.clone());
        }
    }

    /// The transaction ends, and with it what was set for it only.
    pub fn commit(&self) {
        let mut state = self.lock();
        state.now = state.kept.clone();
        state.before = None;
        state.savepoints.clear();
    }

    /// The transaction ends, and with it whatever was set in it.
    pub fn roll_back(&self) {
        let mut state = self.lock();
        if let Some(before) = state.before.take() {
            state.now = before.clone();
            state.kept = before;
        }
        state.savepoints.clear();
    }

    /// Refused: too many of them.
    pub fn savepoint(&self, name: &str) -> PgWireResult<()> {
        bounded("the name of a savepoint", name)?;
        let mut state = self.lock();
        let (now, kept) = (state.now.clone(), state.kept.clone());
        if let Some(last) = state.savepoints.last_mut()
            && last.name == name
            && last.now == now
            && last.kept == kept
        {
            last.times += 1;
            return Ok(());
        }
        if state.savepoints.len() >= SAVEPOINTS {
            return Err(hinted(TOO_MUCH, format!("there are {SAVEPOINTS} savepoints already"), "RELEASE some"));
        }
        state.savepoints.push(Savepoint { name: name.into(), times: 1, now, kept });
        Ok(())
    }

    /// Lets go of the savepoint and those behind it; what was set stays.
    pub fn release(&self, name: &str) -> PgWireResult<()> {
        let mut state = self.lock();
        let place = state.place(name)?;
        state.savepoints.truncate(place + 1);
        state.savepoints[place].times -= 1;
        if state.savepoints[place].times == 0 {
            state.savepoints.truncate(place);
        }
        Ok(())
    }

    /// Back to what held at the savepoint, which stays.
    pub fn roll_back_to(&self, name: &str) -> PgWireResult<()> {
        let mut state = self.lock();
        let place = state.place(name)?;
        state.savepoints.truncate(place + 1);
        let (now, kept) = (state.savepoints[place].now.clone(), state.savepoints[place].kept.clone());
        (state.now, state.kept) = (now, kept);
        Ok(())
    }

    /// The value of one, under its usual name.
    pub fn show(&self, name: &str) -> PgWireResult<(String, String)> {
        let set = self.value(&name.to_ascii_lowercase());
        match (known(name), set) {
            (Some((known, value)), set) => Ok(((*known).into(), set.as_deref().unwrap_or(value).into())),
            (None, Some(value)) => Ok((name.into(), value.to_string())),
            (None, None) => Err(coded(UNKNOWN_SETTING, format!("unrecognized configuration parameter \"{name}\""))),
        }
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<(String, String)> {
        let mut names: Vec<String> = POSTGRES_SETTINGS.iter().map(|(name, _)| name.to_string()).collect();
        names.extend(self.lock().now.keys().filter(|name| known(name).is_none()).cloned());
        names.sort_by_key(|name| name.to_ascii_lowercase());
        names.iter().filter_map(|name| self.show(name).ok()).collect()
    }

    /// How long a statement may take, if the client has said so.
    pub fn timeout(&self) -> Option<Duration> {
        self.value("statement_timeout").and_then(|value| timeout(&value).flatten())
    }

    /// The schema in which bare names are looked for, if it is not `main`: the first of the search path.
    pub fn schema(&self) -> Option<String> {
        let path = self.value("search_path")?;
        let mut names = path.split(',').map(|name| name.trim().trim_matches('"'));
        let first = names.find(|name| !["", "$user", "pg_catalog"].contains(name))?;
        (![MAIN, "public"].contains(&first)).then(|| first.to_string())
    }

    /// What `name`, in lower case, was set to.
    fn value(&self, name: &str) -> Option<Arc<str>> {
        self.lock().now.get(name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server's own setting.
fn known(name: &str) -> Option<&'static (&'static str, &'static str)> {
    POSTGRES_SETTINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn bounded(what: &str, text: &str) -> PgWireResult<()> {
    if text.len() > LONGEST {
        let message = format!("{what} may have {LONGEST} bytes, here are {}", text.len());
        return Err(coded(TOO_MUCH, message));
    }
    Ok(())
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

    /// What `search_path` is.
    fn path(settings: &Settings) -> String {
        settings.show("search_path").unwrap().1
    }

    #[test]
    fn what_is_set_ends_as_its_transaction_does() {
        let settings = Settings::default();
        settings.set_local("search_path", "nowhere").unwrap();
        assert_eq!(path(&settings), "main", "there is no transaction");
        settings.set("search_path", "one").unwrap();
        settings.begin();
        settings.set_local("search_path", "two").unwrap();
        assert_eq!(path(&settings), "two");
        settings.begin();
        settings.commit();
        assert_eq!(path(&settings), "one");
        settings.begin();
        settings.set("search_path", "two").unwrap();
        settings.set_local("search_path", "three").unwrap();
        settings.commit();
        assert_eq!(path(&settings), "two", "what was set for the connection stays");
        settings.begin();
        settings.set("search_path", "three").unwrap();
        settings.roll_back();
        assert_eq!(path(&settings), "two");
        settings.begin();
        settings.reset(None);
        assert_eq!(path(&settings), "main");
        settings.roll_back();
        assert_eq!(path(&settings), "two");
        settings.roll_back();
        assert_eq!(path(&settings), "two", "there is nothing to undo");
    }

    #[test]
    fn savepoints_know_what_was_set() {
        let settings = Settings::default();
        settings.begin();
        settings.savepoint("a").unwrap();
        settings.set("search_path", "one").unwrap();
        settings.savepoint("b").unwrap();
        settings.savepoint("b").unwrap();
        settings.set_local("search_path", "two").unwrap();
        settings.roll_back_to("b").unwrap();
        assert_eq!(path(&settings), "one");
        settings.release("b").unwrap();
        settings.release("b").unwrap();
        assert!(settings.release("b").is_err(), "there were two");
        settings.roll_back_to("a").unwrap();
        assert_eq!(path(&settings), "main");
        settings.release("a").unwrap();
        for n in 0..SAVEPOINTS {
            settings.savepoint(&n.to_string()).unwrap();
        }
        settings.savepoint(&(SAVEPOINTS - 1).to_string()).unwrap();
        assert!(settings.savepoint("more").is_err());
        settings.commit();
        assert!(settings.roll_back_to("0").is_err(), "they ended");
    }

    #[test]
    fn so_much_is_kept_and_no_more() {
        let settings = Settings::default();
        settings.set("x.0", &"x".repeat(LONGEST)).unwrap();
        let long = "x".repeat(LONGEST + 1);
        for (name, value) in [("x.1", long.as_str()), (long.as_str(), "1")] {
            let error = settings.set(name, value).unwrap_err().to_string();
            assert!(error.contains("may have 1024 bytes, here are 1025"), "{error}");
        }
        for n in 0..UNKNOWN {
            settings.set(&format!("x.{n}"), "1").unwrap();
        }
        settings.set("X.0", "2").unwrap();
        settings.set("application_name", "psql").unwrap();
        let error = settings.set("x.more", "1").unwrap_err().to_string();
        assert!(error.contains("x.more: 100 settings"), "{error}");
        settings.reset(Some("x.0"));
        settings.set("x.more", "1").unwrap();
    }
}
