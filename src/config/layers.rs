//! The layers of a configuration below figment: a file whose paths start at its folder, and single values given as text.
//! It must not know what a setting means beyond whether it is a path, a text or a secret.

use std::path::Path;

use figment::providers::Serialized;
use figment::value::{Dict, Map, Value};
use figment::{Error as Wrong, Figment, Metadata, Profile, Provider};

use super::Config;

/// Settings that are paths; some may be URLs.
const PATHS: [&str; 9] = [
    "lake.url",
    "landing.path",
    "landing.temp_dir",
    "queries_dir",
    "engine.spill_dir",
    "flight.tls.certificate",
    "flight.tls.key",
    "postgres.tls.certificate",
    "postgres.tls.key",
];
/// Names in storage sections whose values nobody else may see.
const SECRETS: [&str; 4] = ["secret", "key", "token", "sas"];
/// The only setting without a value that is no text.
const UNSET_NUMBER: &str = "landing.archive_mb";

/// A file's settings; its relative paths start where the file is, not where the program was called.
pub(super) struct Beside<'a, P> {
    pub file: P,
    pub folder: &'a Path,
}

impl<P: Provider> Provider for Beside<'_, P> {
    fn metadata(&self) -> Metadata {
        self.file.metadata()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Wrong> {
        let mut data = self.file.data()?;
        for dict in data.values_mut() {
            for key in PATHS {
                if let Some(Value::String(_, path)) = at(dict, key) {
                    *path = moved(self.folder, path);
                }
            }
        }
        Ok(data)
    }
}

fn at<'a>(dict: &'a mut Dict, key: &str) -> Option<&'a mut Value> {
    match key.split_once('.') {
        None => dict.get_mut(key),
        Some((section, rest)) => match dict.get_mut(section)? {
            Value::Dict(_, inner) => at(inner, rest),
            _ => None,
        },
    }
}

/// URLs and absolute paths stay, and so does what is no path at all.
fn moved(folder: &Path, path: &str) -> String {
    if path.trim().is_empty() || path.contains("://") || Path::new(path).is_absolute() {
        return path.into();
    }
    let whole: std::path::PathBuf = folder.join(path).components().collect();
    whole.to_string_lossy().into_owned()
}

/// One setting as text: from the environment or `--set`.
pub(super) struct Given<'a> {
    pub key: &'a str,
    pub text: &'a str,
    pub origin: Metadata,
}

impl Provider for Given<'_> {
    fn metadata(&self) -> Metadata {
        self.origin.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Wrong> {
        Serialized::default(self.key, value(self.key, self.text)).data()
    }
}

/// A token of digits is a text too, with its leading zeros.
fn value(key: &str, text: &str) -> Value {
    let read: Value = text.parse().unwrap_or_else(|_| Value::from(text));
    match read {
        Value::String(..) | Value::Empty(..) => read,
        _ if is_text(key) => Value::from(text),
        _ => read,
    }
}

fn is_text(key: &str) -> bool {
    if key.starts_with("access.tokens.") || key.contains(".storage.options.") {
        return true;
    }
    match Figment::from(Serialized::defaults(Config::default())).find_value(key) {
        Ok(Value::String(..)) => true,
        Ok(Value::Empty(..)) => key != UNSET_NUMBER,
        _ => false,
    }
}

/// Whether the value of `key` may be in no message.
pub(super) fn is_secret(key: &str) -> bool {
    key.starts_with("access.tokens.") || key.contains(".storage.") && SECRETS.iter().any(|word| key.contains(word))
}

/// Whether `key` is a section in which every value may be a secret.
pub(super) fn holds_secrets(key: &str) -> bool {
    key == "access.tokens" || key.ends_with(".storage.options")
}

/// What figment says of a file that is no TOML, without the line that it shows: a secret may stand there.
pub(super) fn without_source(message: &str) -> String {
    let shown = |line: &&str| line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ').starts_with('|');
    let told: Vec<&str> = message.lines().map(str::trim_end).filter(|line| !shown(line)).collect();
    told.join(": ").trim_end_matches(": ").to_string()
}
