//! Every mistake of a header that can be told at once. Serde stops at the first one, so what it names is taken out of the text
//! and the rest is read again. It must not know what a header means.

use serde::de::DeserializeOwned;

/// The file's line with the header's first one: `-- ---` stands before it.
const FIRST_LINE: usize = 2;

/// The header as `T`, or what is wrong with it: `line 3: …; line 7: …`.
pub(super) fn read<T: DeserializeOwned>(header: &str) -> Result<T, String> {
    let mut lines: Vec<&str> = header.lines().collect();
    let (mut told, mut taken) = (Vec::new(), String::new());
    loop {
        let text = lines.join("\n");
        let error = match toml::from_str::<T>(&text) {
            Ok(header) if told.is_empty() => return Ok(header),
            Ok(_) => break,
            Err(error) => error,
        };
        let missing = error.message().strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        if missing.is_some_and(|name| taken.contains(name)) {
            // It was there until it was taken out.
            break;
        }
        // What the whole header lacks has no line.
        let start = error.span().map(|span| span.start).filter(|start| missing.is_none() || *start > 0);
        let Some(before) = start.and_then(|start| text.get(..start)) else {
            told.push(format!("in the header: {}", error.message()));
            break;
        };
        let line = before.matches('\n').count();
        told.push(format!("line {}: {}", line + FIRST_LINE, error.message()));
        match take_out(&mut lines, line).filter(|_| is_toml(&text)) {
            Some(part) => taken.push_str(&part),
            None => break,
        }
    }
    Err(told.join("; "))
}

/// Blanks what begins at `line`: a section as far as it goes, else an entry, which may be several lines long. `None` where what
/// is left is no TOML: then nothing more can be told.
fn take_out(lines: &mut [&str], line: usize) -> Option<String> {
    let mut end = line + 1;
    if let Some(name) = section(lines.get(line)?) {
        let below = format!("{name}.");
        let another = |text: &str| section(text).is_some_and(|name| !name.starts_with(&below));
        while lines.get(end).is_some_and(|text| !another(text)) {
            end += 1;
        }
    }
    let mut taken = String::new();
    let mut at = line;
    loop {
        for text in lines.get_mut(at..end)? {
            taken.push_str(text);
            *text = "";
        }
        if is_toml(&lines.join("\n")) {
            return Some(taken).filter(|taken| !taken.trim().is_empty());
        }
        (at, end) = (end, end + 1);
    }
}

/// The name in a line `[name]`.
fn section(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.split(']').next()
}

fn is_toml(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok()
}
