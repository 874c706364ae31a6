//! Holds the sources to the module table: which module may use which, and which may name which crate.

use std::fs;
use std::path::{Path, PathBuf};

/// A module (the first path below `src/` that matches), the own modules that it may use, the guarded crates that it may name.
struct Rule {
    module: &'static str,
    uses: &'static [&'static str],
    names: &'static [&'static str],
}

const RULES: &[Rule] = &[
    // Arrow's and Parquet's errors are classified once, where the error type is.
    Rule { module: "error", uses: &[], names: &["parquet"] },
    Rule { module: "clock", uses: &[], names: &[] },
    Rule { module: "config", uses: &["error"], names: &[] },
    Rule { module: "telemetry", uses: &["config", "error"], names: &[] },
    Rule { module: "queryfile", uses: &["error"], names: &[] },
    Rule { module: "model", uses: &["error"], names: &[] },
    Rule { module: "access", uses: &["config", "error"], names: &[] },
    Rule {
        module: "lake",
        uses: &["model", "config", "error", "clock"],
        names: &["deltalake_core", "object_store", "parquet"],
    },
    Rule {
        module: "ingest",
        uses: &["model", "queryfile", "lake", "clock", "config", "error"],
        names: &["datafusion", "parquet", "csv", "object_store", "utoipa"],
    },
    Rule {
        module: "engine",
        uses: &["lake", "model", "queryfile", "access", "clock", "config", "error"],
        names: &["datafusion", "datafusion_pg_catalog", "arrow_pg", "object_store", "parquet"],
    },
    Rule {
        module: "reports",
        uses: &["engine", "queryfile", "access", "model", "clock", "config", "error"],
        // The schema of what is serialised is derived where the type is.
        names: &["utoipa"],
    },
    Rule { module: "sample", uses: &["model", "clock", "error"], names: &["parquet", "csv"] },
    Rule { module: "encode", uses: &["error", "engine"], names: &["parquet", "csv", "comfy_table"] },
    Rule { module: "surfaces/status", uses: &["error"], names: &[] },
    Rule {
        module: "surfaces/cli",
        uses: SURFACE,
        names: &["clap", "clap_complete", "comfy_table", "rustyline", "arrow_flight", "tonic"],
    },
    Rule { module: "surfaces/http", uses: SURFACE, names: &["axum", "utoipa"] },
    Rule { module: "surfaces/flight", uses: SURFACE, names: &["tonic", "arrow_flight"] },
    Rule { module: "surfaces/postgres", uses: SURFACE, names: &["pgwire", "arrow_pg"] },
    Rule { module: "surfaces", uses: &[], names: &[] },
    Rule { module: "app", uses: ANY, names: &[] },
    Rule { module: "main", uses: ANY, names: &["clap"] },
    Rule { module: "lib", uses: ANY, names: &[] },
];

const ANY: &[&str] = &["*"];
const SURFACE: &[&str] = &[
    "engine",
    "reports",
    "encode",
    "ingest",
    "lake",
    "sample",
    "access",
    "clock",
    "config",
    "error",
    "model",
    "surfaces/status",
];
/// Crates that only the modules with leave may name; all others are free.
const GUARDED: &[&str] = &[
    "deltalake_core",
    "datafusion",
    "object_store",
    "parquet",
    "axum",
    "tonic",
    "arrow_flight",
    "pgwire",
    "arrow_pg",
    "clap",
    "clap_complete",
    "rustyline",
    "csv",
    "comfy_table",
    "utoipa",
];

#[test]
fn modules_keep_to_the_table() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for file in rust_files(&src) {
        let below = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        // Unit tests may reach further: they build what they test.
        if below.ends_with("tests.rs") || below.contains("/tests/") || below.ends_with("testing.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let rule = rule_of(&below);
        let code = text.split("#[cfg(test)]").next().unwrap_or("");
        for (i, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or("");
            for used in own_modules(line) {
                let same = rule.module == used || rule.module.starts_with(&format!("{used}/"));
                if !same && rule.uses != ANY && !rule.uses.contains(&used.as_str()) {
                    broken.push(format!("src/{below}:{}: {} may not use {used}", i + 1, rule.module));
                }
            }
            for name in GUARDED.iter().filter(|n| mentions(line, n)) {
                if !rule.names.contains(name) {
                    broken.push(format!("src/{below}:{}: {} may not name {name}", i + 1, rule.module));
                }
            }
        }
    }
    assert!(broken.is_empty(), "the module table is broken:\n{}", broken.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let silent: Vec<_> =
        rust_files(&src).into_iter().filter(|f| !fs::read_to_string(f).unwrap().starts_with("//!")).collect();
    assert!(silent.is_empty(), "these files do not open with `//!`: {silent:?}");
}

fn rust_files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    out.sort();
    out
}

fn rule_of(below: &str) -> &'static Rule {
    RULES
        .iter()
        .find(|r| below == format!("{}.rs", r.module) || below.starts_with(&format!("{}/", r.module)))
        .unwrap_or_else(|| panic!("src/{below} is in no module of the table: add it"))
}

/// The own modules that a line names by `crate::…` (`crate::{a, b}` too).
fn own_modules(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    for part in line.split("crate::").skip(1) {
        let names: Vec<&str> = match part.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap_or("").split(',').collect(),
            None => vec![part],
        };
        for name in names {
            let path: Vec<&str> = name
                .trim()
                .split("::")
                .map(|s| s.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(""))
                .collect();
            match path.as_slice() {
                ["surfaces", second, ..] => out.push(format!("surfaces/{second}")),
                [first, ..] if !first.is_empty() && first.chars().all(|c| c.is_lowercase() || c == '_') => {
                    out.push(first.to_string())
                }
                _ => {}
            }
        }
    }
    out
}

/// Whether `line` names the crate: `name::`, not as part of a longer word or path.
fn mentions(line: &str, name: &str) -> bool {
    line.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

#[test]
fn the_table_catches_what_it_forbids() {
    assert_eq!(own_modules("use crate::engine::Rows;"), ["engine"]);
    assert_eq!(own_modules("use crate::{lake::Lake, error::Result};"), ["lake", "error"]);
    assert_eq!(own_modules("use crate::surfaces::http::Server;"), ["surfaces/http"]);
    assert!(mentions("let x = datafusion::prelude::col;", "datafusion"));
    assert!(!mentions("crate::datafusion_like::x", "datafusion"));
    assert!(!mentions("arrow_csv::reader", "csv"));
}

/// docs/traps.md names no test, golden answer or file that is not there.
#[test]
fn the_list_of_traps_names_what_there_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/traps.md")).expect("the list of traps");
    let (mut rows, mut wrong) = (0, Vec::new());
    for row in text.lines().filter(|line| line.starts_with("| D")) {
        rows += 1;
        let covers = row.trim_end_matches(" |").rsplit(" | ").next().unwrap_or_default();
        for part in covers.split("; ") {
            if let Some(cases) = part.strip_prefix("golden ") {
                let missing =
                    cases.split(", ").filter(|case| !root.join(format!("tests/golden/sample/{case}.csv")).is_file());
                wrong.extend(missing.map(|case| format!("golden {case}")));
            } else if let Some((file, names)) = part.strip_prefix('`').and_then(|part| part.split_once("` ")) {
                let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
                let is_there = |name: &str| match name.strip_prefix('“') {
                    Some(test) => source.contains(&format!("name = \"{}\"", test.trim_end_matches('”'))),
                    None => source.contains(&format!("fn {name}(")),
                };
                let names = names.split(if names.starts_with('“') { "”, " } else { ", " });
                wrong.extend(names.filter(|name| !is_there(name)).map(|name| format!("{file}: {name}")));
            }
        }
    }
    assert_eq!(rows, 80);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
