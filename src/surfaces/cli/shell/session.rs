//! What a shell keeps between statements, and how one statement or file is run. It must not read from the keyboard.

use std::future::Future;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::backend::{Answer, Backend, Params};
use super::lex::{Kind, tokens};
use super::names::Names;
use super::screen::Screen;
use super::split::{Item, Splitter};
use super::{commands, meta, until_interrupted};
use crate::error::{Error, Result};

/// Files that may include each other.
const MOST_FILES: usize = 16;

pub struct Session<'a> {
    pub backend: &'a dyn Backend,
    /// What `\set` gave; a statement gets those that it names.
    pub params: Params,
    pub screen: Screen,
    /// For completion and for telling what there is; empty until they are read.
    pub names: Arc<ArcSwap<Names>>,
    /// Whether a person types.
    pub people: bool,
    /// Files that are being run, one within the other.
    pub files: usize,
}

/// What comes after an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Go,
    Quit,
}

impl<'a> Session<'a> {
    pub fn new(backend: &'a dyn Backend, params: Params, people: bool) -> Session<'a> {
        let names = Arc::new(ArcSwap::from_pointee(Names::default()));
        Session { backend, params, screen: Screen::new(people), names, people, files: 0 }
    }

    /// Does one thing.
    pub fn run<'b>(&'b mut self, item: &'b Item) -> BoxFuture<'b, Result<Next>> {
        async move {
            if item.is_meta() {
                return commands::run(self, meta::parse(&item.text)?).await;
            }
            self.statement(&item.text).await.map(|()| Next::Go)
        }
        .boxed()
    }

    /// Runs a statement with the parameters that it names.
    pub async fn statement(&mut self, sql: &str) -> Result<()> {
        let named: Vec<&str> = tokens(sql).filter(|t| t.kind == Kind::Parameter).map(|t| &t.text[1..]).collect();
        let given = self.params.iter().filter(|(name, _)| named.contains(&name.as_str()));
        let params: Params = given.map(|(name, value)| (name.clone(), value.clone())).collect();
        let backend = self.backend;
        let asked = async {
            backend.refresh().await?;
            backend.query(sql, &params).await
        };
        self.show(asked).await
    }

    /// Waits for an answer and shows it. Ctrl-C ends both, not the shell.
    pub async fn show(&mut self, asked: impl Future<Output = Result<Answer>> + Send) -> Result<()> {
        let started = Instant::now();
        let answer = until_interrupted(self.people, asked).await?;
        self.screen.show(answer, started).await
    }

    /// Reads the names anew and gives them.
    pub async fn read_names(&self) -> Result<Arc<Names>> {
        let backend = self.backend;
        let read = async {
            backend.refresh().await?;
            Names::read(backend).await
        };
        let names = Arc::new(until_interrupted(self.people, read).await?);
        self.names.store(Arc::clone(&names));
        Ok(names)
    }

    /// Runs a script up to its first error, which says where it is.
    pub async fn script(&mut self, what: &str, mut lines: impl BufRead + Send) -> Result<Next> {
        let (mut splitter, mut line, mut ended) = (Splitter::default(), String::new(), false);
        while !ended {
            line.clear();
            let read = tokio::task::block_in_place(|| lines.read_line(&mut line));
            ended = read.map_err(|e| Error::from(e).context(what))? == 0;
            let items = match ended {
                true => std::mem::take(&mut splitter).rest().into_iter().collect(),
                false => splitter.line(line.trim_end_matches(['\r', '\n']).trim_start_matches('\u{feff}')),
            };
            for item in items {
                let done = self.run(&item).await.map_err(|e| e.context(format!("{what}, line {}", item.line)))?;
                if done == Next::Quit {
                    return Ok(Next::Quit);
                }
            }
        }
        Ok(Next::Go)
    }

    /// Runs the statements of a file.
    pub async fn include(&mut self, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        if self.files == MOST_FILES {
            return Err(Error::invalid(format!("{name}: more than {MOST_FILES} files run each other")));
        }
        let file = std::fs::File::open(path).map_err(|e| Error::from(e).context(&name))?;
        self.files += 1;
        let done = self.script(&name, std::io::BufReader::new(file)).await;
        self.files -= 1;
        done.map(|_| ())
    }
}
