//! Text on its way to the terminal: what fits goes there as it is, more goes through a pager. It must not know what the
//! text is.

use std::process::Stdio;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Lines below which the prompt stays in view.
const MARGIN: usize = 2;
/// Leaves what fits on the screen, and does not fold lines.
const DEFAULT: &str = "less -SFX";

/// Passes all of `from` on and waits until it was read.
pub async fn pass(mut from: impl AsyncRead + Unpin) -> std::io::Result<()> {
    let room = usize::from(console::Term::stdout().size().0).saturating_sub(MARGIN);
    let (mut held, mut lines) = (Vec::new(), 0);
    while lines <= room {
        let before = held.len();
        if from.read_buf(&mut held).await? == 0 {
            return to_stdout(&held).await;
        }
        lines += held[before..].iter().filter(|b| **b == b'\n').count();
    }
    let Some(mut pager) = start() else {
        to_stdout(&held).await?;
        let mut stdout = tokio::io::stdout();
        tokio::io::copy(&mut from, &mut stdout).await?;
        return stdout.flush().await;
    };
    if let Some(mut into) = pager.stdin.take() {
        // Whoever leaves the pager early has seen enough.
        let _ = async {
            into.write_all(&held).await?;
            tokio::io::copy(&mut from, &mut into).await
        }
        .await;
    }
    drop(from);
    pager.wait().await.map(|_| ())
}

async fn to_stdout(bytes: &[u8]) -> std::io::Result<()> {
    let mut stdout = tokio::io::stdout();
    stdout.write_all(bytes).await?;
    stdout.flush().await
}

/// The pager that the environment names, else `less`; `None` where there is none.
fn start() -> Option<Child> {
    let named = ["SALESLAKE_PAGER", "PAGER"].iter().find_map(|name| std::env::var(name).ok());
    let command = named.unwrap_or_else(|| DEFAULT.into());
    let mut words = command.split_whitespace();
    Command::new(words.next()?).args(words).stdin(Stdio::piped()).spawn().ok()
}
