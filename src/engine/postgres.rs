//! PostgreSQL's way of writing statements, and its catalogue to look things up in.

use datafusion::execution::SessionState;

use super::planner::Parsed;
use super::snapshot::Snapshot;
use crate::access::Scope;
use crate::error::Result;

pub fn parse(sql: &str) -> Result<Parsed> {
    super::planner::parse(sql)
}

impl Snapshot {
    pub(super) fn postgres_session(&self, scope: &Scope) -> Result<SessionState> {
        Ok(self.session(scope))
    }
}
