//! Who is asking and what they may see. It must not know surfaces.

mod bind;
mod entrance;
mod tokens;

use std::time::Duration;

pub use bind::{listen, may_bind};
#[cfg(test)]
pub use entrance::STARTING;
pub use entrance::{Entrance, START_UP};
pub use tokens::Tokens;

/// Which rows and columns a caller may see. Only "all" exists so far; every engine call carries one all the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Scope {
    #[default]
    All,
}

impl Scope {
    /// A text that differs whenever the visible data may differ: part of every cache key and ETag.
    pub fn fingerprint(&self) -> &'static str {
        match self {
            Scope::All => "all",
        }
    }
}

/// How a call is admitted: interactive before BI before batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Class {
    #[default]
    Interactive,
    Bi,
    Batch,
}

/// Who asks, what they may see, how they are queued and how long they wait.
#[derive(Debug, Clone)]
pub struct Caller {
    /// A name for the query log: a token's name, or "local".
    pub principal: String,
    pub scope: Scope,
    pub class: Class,
    /// Longest time a query may take; `None` leaves the engine's own limit.
    pub timeout: Option<Duration>,
}

impl Caller {
    /// The person at this machine's terminal.
    pub fn local() -> Self {
        Caller { principal: "local".into(), scope: Scope::All, class: Class::Interactive, timeout: None }
    }
    /// Someone known by `principal` who may see everything.
    pub fn named(principal: impl Into<String>) -> Self {
        Caller { principal: principal.into(), ..Caller::local() }
    }
    /// A BI tool of `principal`'s: answered after people.
    pub fn bi(principal: impl Into<String>) -> Self {
        Caller { class: Class::Bi, ..Caller::named(principal) }
    }
}
