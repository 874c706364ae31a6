//! The SQL shell as people use it: scripts through a pipe, errors that end them, and a session at a terminal.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::{self, saleslake, succeeded};

/// A folder with a lake without rows.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("lake")).expect("an empty lake");
    dir
}

/// Runs the program in `dir` with `script` piped into it.
fn piped(dir: &Path, args: &[&str], script: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_saleslake"));
    command.current_dir(dir).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("the program starts");
    // One that ends early leaves the rest unread.
    let _ = running.stdin.take().expect("piped").write_all(script.as_bytes());
    running.wait_with_output().expect("it ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_script_runs_up_to_its_first_error() {
    let dir = folder();
    let script = "\
        -- two statements; and a note\n\
        SELECT 1 AS a; SELECT ';' AS\n\
        b;\n\
        SELECT nothing\n\
        FROM sales_event;\n\
        SELECT 2 AS never;\n";
    for args in [&["sql", "--format", "csv"][..], &["sql", "-", "--format", "csv"]] {
        let out = piped(dir.path(), args, script);
        assert_eq!(text(&out.stdout), "a\n1\nb\n;\n", "{args:?}");
        let told = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{told}");
        assert!(told.contains("standard input, line 4: ") && told.contains("nothing"), "{told}");
    }
}

#[test]
fn a_script_may_set_parameters_choose_formats_and_write_files() {
    let dir = folder();
    std::fs::write(dir.path().join("more.sql"), "SELECT 3 AS included;\n\\i nowhere.sql\n").expect("written");
    let script = "\
        \\format ndjson\n\
        \\set n:int 41\n\
        \\set unused x\n\
        SELECT $n + 1 AS n;\n\
        \\o out.csv\n\
        \\format csv\n\
        SELECT 'in a file' AS text;\n\
        SELECT 'too' AS text;\n\
        \\o\n\
        \\x on\n\
        \\format table\n\
        SELECT 1 AS one, NULL AS none;\n\
        \\d base.order_line\n\
        SELECT $m AS m";
    let out = piped(dir.path(), &["sql", "--param", "m=last"], script);
    let (shown, told) = (text(&out.stdout), text(&out.stderr));
    assert!(out.status.success(), "{told}");
    assert!(shown.starts_with("{\"n\":42}\n── row 1 ──\none   1\nnone  –\n"), "{shown}");
    assert!(shown.contains("column    order_id\n") && shown.contains("key       primary\n"), "{shown}");
    assert!(shown.ends_with("m  last\n"), "the last statement needs no semicolon: {shown}");
    let file = std::fs::read_to_string(dir.path().join("out.csv")).expect("written");
    assert_eq!(file, "text\nin a file\ntext\ntoo\n");

    let out = piped(dir.path(), &["sql", "--format", "csv"], "\\i more.sql\nSELECT 4 AS never;\n");
    assert_eq!((text(&out.stdout).as_str(), out.status.code()), ("included\n3\n", Some(3)));
    let told = text(&out.stderr);
    assert!(told.contains("standard input, line 1: more.sql, line 2: nowhere.sql"), "{told}");
}

#[test]
fn meta_commands_list_what_there_is() {
    let dir = folder();
    let csv = |script: &str| {
        let out = piped(dir.path(), &["sql", "--format", "csv"], script);
        assert!(out.status.success(), "{script}: {}", text(&out.stderr));
        text(&out.stdout)
    };
    let listed = csv("\\d\n");
    assert!(listed.starts_with("schema,name,kind,about\n") && listed.contains("\nbase,order_line,table,"), "{listed}");
    assert!(listed.contains("\nmain,sales_event,view,") && listed.contains("\nsystem,reports,table,"), "{listed}");
    assert!(csv("\\dt *.order_*\n").lines().skip(1).all(|line| line.starts_with("base,order_")));
    assert!(csv("\\dn\n").contains("\nmain,"));
    let columns = csv("\\d sales_event\n");
    assert!(columns.starts_with("column,type,nullable,key,about\n"), "{columns}");
    assert!(columns.contains("\nnet_rc,\"DECIMAL("), "{columns}");
    assert!(columns.contains(",→ product,"), "{columns}");
    assert!(csv("\\report\n").contains("\nsales-summary,time,"));
    assert!(csv("\\reports sales-over-time\n").contains("\ngrain,text,"));
    let run = csv("\\report sales-by-channel from=2026-01-01 to=2026-02-01 limit=3\n");
    let same = ["report", "run", "sales-by-channel", "from=2026-01-01", "to=2026-02-01", "limit=3", "--format", "csv"];
    assert_eq!(run, succeeded(dir.path(), &same));
    for (script, code, words) in [
        ("\\d sales_evnt\n", 3, ["sales_evnt", "sales_event"]),
        ("\\reprot\n", 2, ["\\reprot", "\\report"]),
        ("\\reports sales-sumary\n", 3, ["sales-sumary", "sales-summary"]),
        ("\\format parket\n", 2, ["parket", "parquet"]),
    ] {
        let out = piped(dir.path(), &["sql"], script);
        let told = text(&out.stderr);
        assert!(out.status.code() == Some(code) && words.iter().all(|w| told.contains(w)), "{script}: {told}");
    }
}

#[test]
fn servers_that_cannot_be_asked_are_told() {
    // No lake is opened: there is none here.
    let dir = tempfile::tempdir().expect("a folder");
    for (server, code, words) in [
        ("localhost:8815", 2, "grpc://host:8815"),
        ("http://localhost", 2, "grpc://host:8815"),
        // Nobody listens on port 1.
        ("grpc://127.0.0.1:1", 8, "cannot be reached"),
    ] {
        let out = saleslake(dir.path(), &["sql", "--server", server, "SELECT 1"]);
        let told = text(&out.stderr);
        assert!(out.status.code() == Some(code) && told.contains(words), "{server}: {told}");
    }
}

#[test]
fn completions_are_printed_for_every_shell() {
    let dir = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = succeeded(dir.path(), &["completions", shell]);
        assert!(script.contains("saleslake") && script.contains("quarantine"), "{shell}: {script}");
    }
}

/// Editing, history, completion and Ctrl-C, at a pseudo-terminal that Python provides.
#[test]
fn a_session_at_a_terminal() {
    let Some(python) = common::python("a_session_at_a_terminal") else { return };
    let dir = folder();
    let mut typing = Command::new(python);
    typing.current_dir(dir.path()).arg(common::repo("tests/clients/shell.py"));
    typing.arg(env!("CARGO_BIN_EXE_saleslake")).arg(dir.path().join("state"));
    let out = typing.stdin(Stdio::null()).output().expect("Python starts");
    assert!(out.status.success(), "{}{}", text(&out.stdout), text(&out.stderr));
}
