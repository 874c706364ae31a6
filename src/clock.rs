//! The only door to time: everything that needs "now" or "today" asks a [`Clock`], so tests can fix it.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// A source of the current instant: the system's, or a fixed one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    fixed: Option<DateTime<Utc>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Clock { fixed: None }
    }
    /// A clock that stands still, for tests and reproducible runs.
    pub fn fixed(at: DateTime<Utc>) -> Self {
        Clock { fixed: Some(at) }
    }
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system clock")]
    pub fn now(&self) -> DateTime<Utc> {
        self.fixed.unwrap_or_else(Utc::now)
    }
    /// Today's date in `zone`.
    pub fn today(&self, zone: Tz) -> NaiveDate {
        self.now().with_timezone(&zone).date_naive()
    }
    /// Now in microseconds since 1970, as the tables store instants.
    pub fn now_micros(&self) -> i64 {
        self.now().timestamp_micros()
    }
}
