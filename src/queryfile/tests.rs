//! Headers with mistakes, and folders with files that are no query files.

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Small {
    title: String,
    key: Vec<String>,
    rows: Option<u32>,
    #[serde(default)]
    params: BTreeMap<String, Param>,
    chart: Option<Chart>,
}
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Param {
    r#type: String,
}
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read")]
struct Chart {
    kind: String,
}

/// What is told of a header, in the parts between semicolons, without what serde expects.
fn told(header: &[&str]) -> Vec<String> {
    let text: String = header.iter().map(|line| format!("-- {line}\n")).collect();
    let file = QueryFile::parse("views/v.sql", &format!("-- ---\n{text}-- ---\nSELECT 1\n")).unwrap();
    let error = file.header::<Small>().unwrap_err().to_string();
    let told = error.strip_prefix("views/v.sql, ").unwrap_or_else(|| panic!("no path: {error}"));
    told.split("; ").map(|part| part.split(", expected").next().unwrap_or_default().to_string()).collect()
}

#[test]
fn every_mistake_of_a_header_is_told_with_its_line() {
    let wrong = [
        "titel = \"a\"",
        "title = 3",
        "key = [",
        "  \"a\",",
        "  4,",
        "]",
        "rows = \"many\"",
        "[params]",
        "from = { type = \"date\" }",
        "to = { typ = \"date\" }",
        "[chrat]",
        "kind = \"bar\"",
        "[chrat.more]",
        "x = 1",
        "[chart]",
        "kind = \"bar\"",
        "why = \"\"\"",
        "two lines\"\"\"",
    ];
    assert_eq!(
        told(&wrong),
        [
            "line 2: unknown field `titel`",
            "line 3: invalid type: integer `3`",
            "line 6: invalid type: integer `4`",
            "line 8: invalid type: string \"many\"",
            "line 11: unknown field `typ`",
            "line 12: unknown field `chrat`",
            "line 18: unknown field `why`",
        ]
    );
}

/// What follows from taking something out is not told; what is missing is.
#[test]
fn what_is_missing_is_told_once() {
    assert_eq!(
        told(&["titel = \"a\"", "key = []"]),
        ["line 2: unknown field `titel`", "in the header: missing field `title`"]
    );
    assert_eq!(told(&["title = 3", "key = []"]), ["line 2: invalid type: integer `3`"]);
    assert_eq!(told(&["key = []"]), ["in the header: missing field `title`"]);
    let nested = told(&["title = \"a\"", "key = 1", "[params]", "to = {}", "[chart]", "kind = \"bar\"", "rows = 1"]);
    assert_eq!(nested.len(), 3, "{nested:?}");
    assert!(nested[1].starts_with("line 5: missing field `type`") && nested[2].starts_with("line 8:"), "{nested:?}");
}

/// Where the text is no TOML, nothing behind the first mistake is sure.
#[test]
fn a_mistake_of_the_language_is_told_alone() {
    let told = told(&["titel = \"a\"", "title = = 3"]);
    assert!(told.len() == 1 && told[0].starts_with("line 3: "), "{told:?}");
}

#[test]
fn a_file_that_is_no_query_file_keeps_no_other_from_being_used() {
    let dir = tempfile::tempdir().unwrap();
    let views = dir.path().join("views");
    std::fs::create_dir_all(&views).unwrap();
    for (name, text) in [
        ("fine.sql", &b"-- ---\n-- title = \"t\"\n-- key = []\n-- ---\nSELECT 1\n"[..]),
        ("headless.sql", b"SELECT 1\n"),
        ("open.sql", b"-- ---\n-- title = \"t\"\n"),
        ("latin.sql", b"-- ---\n-- title = \"caf\xe9\"\n-- ---\nSELECT 1\n"),
        ("sales_event.sql", b"SELECT 1\n"),
    ] {
        std::fs::write(views.join(name), text).unwrap();
    }
    std::fs::create_dir(views.join("below")).unwrap();
    std::os::unix::fs::symlink("nowhere.sql", views.join("below").join("dangling.sql")).unwrap();
    let files = load_folder("views", Some(dir.path())).unwrap();
    assert!(files["fine"].header::<Small>().is_ok());
    assert!(files["stock"].header::<toml::Table>().is_ok(), "an embedded one");
    for (name, says) in [
        ("headless", "views/headless.sql, line 1: a query file begins with a header"),
        ("open", "views/open.sql: the header is not closed"),
        ("latin", "views/latin.sql, line 2: not UTF-8"),
        ("dangling", "views/below/dangling.sql: "),
        // It takes the place of the embedded one: answers from a definition that somebody replaced would be wrong.
        ("sales_event", "views/sales_event.sql, line 1"),
    ] {
        let error = files[name].header::<toml::Table>().unwrap_err();
        assert!(error.message().starts_with(says), "{name}: {error}");
    }
    assert!(files["latin"].header::<toml::Table>().unwrap_err().hint_text().unwrap().contains("UTF-8"));
}
