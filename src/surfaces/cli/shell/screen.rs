//! Where the shell's results go: the terminal (through a pager where they are long), a pipe or a file. It must not know
//! what was asked.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::super::output::{counted, terminal_width};
use super::backend::Answer;
use super::{pager, until_interrupted};
use crate::encode::{self, Format, Options, Written};
use crate::error::{Error, Result};

/// How results are shown.
pub struct Screen {
    /// `None`: by the file's ending, else a table.
    pub format: Option<Format>,
    pub expanded: bool,
    pub pager: bool,
    /// Tells how long each result took.
    pub timing: bool,
    /// Whether a person reads along.
    people: bool,
    file: Option<File>,
}

/// A file that takes results one after the other.
struct File {
    path: PathBuf,
    file: tokio::fs::File,
    begun: bool,
}

impl Screen {
    pub fn new(people: bool) -> Screen {
        Screen { format: None, expanded: false, pager: people, timing: false, people, file: None }
    }

    /// Results go to `path` from now on, or back to standard output.
    pub async fn direct_to(&mut self, path: Option<&Path>) -> Result<()> {
        self.file = None;
        let Some(path) = path else { return Ok(()) };
        if self.format.is_none() {
            Format::of_path(path)?;
        }
        let file = tokio::fs::File::create(path).await.map_err(|e| Error::from(e).context(path.display()))?;
        self.file = Some(File { path: path.into(), file, begun: false });
        Ok(())
    }

    fn format(&self) -> Result<Format> {
        match (self.format, &self.file) {
            (Some(format), _) => Ok(format),
            (None, Some(file)) => Format::of_path(&file.path),
            (None, None) => Ok(Format::Table),
        }
    }

    /// Shows all of `answer`, asked for at `started`, and tells what is not shown.
    pub async fn show(&mut self, answer: Answer, started: Instant) -> Result<()> {
        let format = self.format()?;
        answer.notes.iter().for_each(|note| eprintln!("note: {note}"));
        let terminal = self.file.is_none() && std::io::stdout().is_terminal();
        let options = Options {
            width: if terminal { terminal_width() } else { None },
            main: answer.main.clone(),
            expanded: self.expanded,
            notes_apart: true,
            file: self.file.is_some(),
            ..Options::default()
        };
        let written = match &mut self.file {
            Some(file) => file.take(answer, format, &options, self.people).await?,
            None if terminal && format.is_binary() => {
                return Err(Error::invalid(format!("{format} is for programs")).hint("\\o FILE first"));
            }
            None if terminal => self.to_terminal(answer, format, &options).await?,
            None => write(answer, format, &mut tokio::io::stdout(), &options, self.people).await?,
        };
        self.tell(&written, started);
        Ok(())
    }

    async fn to_terminal(&self, answer: Answer, format: Format, options: &Options) -> Result<Written> {
        if !self.pager {
            return write(answer, format, &mut tokio::io::stdout(), options, self.people).await;
        }
        let (mut into, from) = tokio::io::duplex(1 << 16);
        let writing = async {
            let written = write(answer, format, &mut into, options, self.people).await;
            drop(into);
            written
        };
        let (written, passed) = tokio::join!(writing, pager::pass(from));
        passed.map_err(|e| Error::unavailable("standard output cannot be written").caused_by(e))?;
        written
    }

    fn tell(&self, written: &Written, started: Instant) {
        for note in &written.notes {
            eprintln!("{note}; all with \\format csv");
        }
        if written.rows == 0 {
            eprintln!("no rows");
        } else if self.people {
            eprintln!("({})", counted(written.rows, "row"));
        }
        if self.timing {
            eprintln!("time: {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
        }
    }
}

impl File {
    async fn take(&mut self, answer: Answer, format: Format, options: &Options, people: bool) -> Result<Written> {
        if format.is_binary() && self.begun {
            return Err(Error::invalid(format!("{} has a result already", self.path.display()))
                .hint(format!("{format} holds one: \\o FILE names another for the next")));
        }
        self.begun = true;
        write(answer, format, &mut self.file, options, people).await.map_err(|e| e.context(self.path.display()))
    }
}

/// Writes until Ctrl-C, where a person is there to press it.
async fn write<W>(answer: Answer, format: Format, out: &mut W, options: &Options, people: bool) -> Result<Written>
where
    W: tokio::io::AsyncWrite + Unpin + Send,
{
    let Answer { schema, batches, .. } = answer;
    until_interrupted(people, encode::write_stream(schema, batches, format, out, options)).await
}
