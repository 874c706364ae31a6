//! The interactive SQL shell and scripts from standard input, over a lake that is open here or a server's.
//!
//! ```text
//! keyboard (editor · complete) ─┐
//!                               ├─ split ─ session ─┬─ backend: local · remote ─ screen (pager)
//! script, \i FILE ──────────────┘                   └─ meta ─ commands
//! ```
//!
//! It translates; it must not decide what an answer is.

pub mod backend;
mod commands;
mod complete;
mod editor;
mod lex;
pub mod local;
mod meta;
mod names;
mod pager;
pub mod remote;
mod screen;
mod session;
mod split;

use std::future::Future;

use super::output::OutputArgs;
use super::{is_broken_pipe, print_error};
use crate::error::{Error, ErrorKind, Result};
use backend::{Backend, Params};
use editor::{BARE, Keyboard, Typed};
pub use meta::typed;
use session::{Next, Session};

/// Talks with a person until they leave.
pub async fn interactive(backend: &dyn Backend, params: Params, output: &OutputArgs) -> Result<()> {
    // From here on Ctrl-C ends what it meets, never the shell.
    tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let mut session = Session::new(backend, params, true);
    direct(&mut session, output).await?;
    session.read_names().await?;
    eprintln!("saleslake {} · {} · \\? for help", env!("CARGO_PKG_VERSION"), backend.place());
    let mut keyboard = Keyboard::new(session.names.clone())?;
    loop {
        let text = match tokio::task::block_in_place(|| keyboard.read())? {
            Typed::Text(text) => text,
            Typed::Nothing => continue,
            Typed::End => return Ok(()),
        };
        if one_by_one(&mut session, &text).await == Next::Quit {
            return Ok(());
        }
    }
}

/// Runs what was typed; what fails is told, and the rest of the line is left.
async fn one_by_one(session: &mut Session<'_>, text: &str) -> Next {
    let bare = BARE.iter().find(|(word, _)| text.trim().eq_ignore_ascii_case(word));
    for item in split::split(bare.map_or(text, |(_, command)| command)) {
        match session.run(&item).await {
            Ok(Next::Go) => {}
            Ok(Next::Quit) => return Next::Quit,
            Err(error) => {
                // Whoever left the pager knows.
                if !is_broken_pipe(&error) {
                    print_error(&error);
                }
                return Next::Go;
            }
        }
    }
    Next::Go
}

/// Runs the statements of standard input up to the first error.
pub async fn script(backend: &dyn Backend, params: Params, output: &OutputArgs) -> Result<()> {
    let mut session = Session::new(backend, params, false);
    direct(&mut session, output).await?;
    session.script("standard input", std::io::BufReader::new(std::io::stdin())).await.map(|_| ())
}

async fn direct(session: &mut Session<'_>, output: &OutputArgs) -> Result<()> {
    session.screen.format = output.named_format()?;
    session.screen.direct_to(output.path()).await
}

/// `work`, unless Ctrl-C comes first. Where nobody types, Ctrl-C ends the program as it does others.
async fn until_interrupted<T>(people: bool, work: impl Future<Output = Result<T>>) -> Result<T> {
    if !people {
        return work.await;
    }
    tokio::select! {
        done = work => done,
        _ = tokio::signal::ctrl_c() => Err(Error::new(ErrorKind::Cancelled, "cancelled")),
    }
}
