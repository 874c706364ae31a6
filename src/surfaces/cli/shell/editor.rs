//! The keyboard: editing over several lines, history, completion. It must not know what statements mean.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustyline::completion::{Completer, FilenameCompleter};
use rustyline::config::{Behavior, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};

use super::complete::complete;
use super::names::Names;
use super::split::is_complete;
use crate::error::{Error, Result};

const PROMPT: &str = "lake=> ";
/// Entries that the history keeps.
const MOST_ENTRIES: usize = 5000;
/// Words that leave or help without a `\`, as newcomers type them.
pub const BARE: [(&str, &str); 3] = [("exit", "\\q"), ("quit", "\\q"), ("help", "\\?")];

/// A line editor.
pub struct Keyboard {
    editor: Editor<Hand, FileHistory>,
    history: Option<PathBuf>,
}

/// What somebody typed.
pub enum Typed {
    Text(String),
    /// Ctrl-C: the line is forgotten.
    Nothing,
    /// Ctrl-D.
    End,
}

impl Keyboard {
    /// A keyboard that completes `names`. A history that cannot be read is an empty one.
    pub fn new(names: Arc<ArcSwap<Names>>) -> Result<Keyboard> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .history_ignore_space(true)
            .max_history_size(MOST_ENTRIES)
            .map_err(broken)?;
        // The prompt must not end up in a file that takes the results.
        let behavior = if std::io::stdout().is_terminal() { Behavior::Stdio } else { Behavior::PreferTerm };
        let mut editor = Editor::with_config(config.behavior(behavior).build()).map_err(broken)?;
        editor.set_helper(Some(Hand { names, files: FilenameCompleter::new() }));
        let history = history_file();
        if let Some(path) = &history {
            let _ = editor.load_history(path);
        }
        Ok(Keyboard { editor, history })
    }

    /// One meta-command, or lines up to a `;` at their end.
    pub fn read(&mut self) -> Result<Typed> {
        match self.editor.readline(PROMPT) {
            Ok(text) => {
                self.keep(&text);
                Ok(Typed::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Nothing),
            Err(ReadlineError::Eof) => Ok(Typed::End),
            Err(error) => Err(broken(error)),
        }
    }

    /// Where the history cannot be written there is none tomorrow, which is no reason to stop.
    fn keep(&mut self, text: &str) {
        let added = self.editor.add_history_entry(text.trim_end()).unwrap_or(false);
        if let Some(path) = self.history.as_ref().filter(|_| added) {
            let _ = path.parent().map(std::fs::create_dir_all);
            let _ = self.editor.append_history(path);
        }
    }
}

/// `saleslake/history` below `$XDG_STATE_HOME` or `~/.local/state`.
fn history_file() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = given.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("saleslake/history"))
}

fn broken(error: ReadlineError) -> Error {
    Error::unavailable("the terminal cannot be read").caused_by(error)
}

/// What the line editor asks while somebody types.
struct Hand {
    names: Arc<ArcSwap<Names>>,
    files: FilenameCompleter,
}

impl Helper for Hand {}
impl Highlighter for Hand {}
impl Hinter for Hand {
    type Hint = String;
}

impl Validator for Hand {
    fn validate(&self, typed: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        let text = typed.input();
        let complete = is_complete(text) || BARE.iter().any(|(word, _)| text.trim().eq_ignore_ascii_case(word));
        Ok(if complete { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Completer for Hand {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, context: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        if ["\\i ", "\\o "].iter().any(|command| line.trim_start().starts_with(command)) {
            let (from, files) = self.files.complete(line, at, context)?;
            return Ok((from, files.into_iter().map(|file| file.replacement).collect()));
        }
        Ok(complete(line, at, &self.names.load()))
    }
}
