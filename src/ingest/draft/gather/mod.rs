//! Finds what is to be said about a draft. It must not write SQL.

mod people;
mod values;

use super::guesses::Guesses;
use super::moments::Misread;
use super::names::Meaning;
use super::notes::NoteKind::{Assumed, Beware, Missing, NotUsed, Taken};
use super::notes::{Note, Place};
use super::sniff::{Format, Sample};
use super::{expressions, title};

/// Everything that the author should know, in the order of [`super::notes::NoteKind`].
pub(super) fn notes(guesses: &Guesses<'_>) -> Vec<Note> {
    let mut notes = Vec::new();
    taken(guesses, &mut notes);
    layout(guesses, &mut notes);
    values::times(guesses, &mut notes);
    values::amounts(guesses, &mut notes);
    values::numbers(guesses, &mut notes);
    rows(guesses, &mut notes);
    people::people_and_places(guesses, &mut notes);
    left_out(guesses, &mut notes);
    missing(guesses, &mut notes);
    // Stable: within a kind as they were found.
    notes.sort_by_key(|n| n.kind);
    notes
}

/// What a column is called, for people.
fn called(column: &Sample) -> String {
    format!("\"{}\"", column.name)
}

fn taken(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let mut given = expressions::order_line(guesses);
    given.extend(expressions::product(guesses).into_iter().flatten());
    given.extend(expressions::location(guesses).into_iter().flatten());
    // Said once: the same column gives both of these.
    given.retain(|(_, column)| !["source_version", "category_l1_name", "bill_region_id"].contains(column));
    let pairs = guesses.file.columns.iter().filter_map(|c| {
        let mut names: Vec<&str> = Vec::new();
        for (sql, column) in &given {
            if mentions(sql, &c.sql) && !names.contains(column) {
                names.push(column);
            }
        }
        (!names.is_empty()).then(|| format!("{} as {}", called(c), names.join(" and ")))
    });
    let pairs: Vec<String> = pairs.collect();
    if !pairs.is_empty() {
        notes.push(Note::new(Taken, Place::Nowhere, "", pairs.join(", ")));
    }
}

/// `sql` reads the column: as a word of its own.
fn mentions(sql: &str, column: &str) -> bool {
    sql.match_indices(column).any(|(at, _)| {
        let word = |c: char| c.is_alphanumeric() || c == '_' || matches!(c, '"' | '\'' | '[');
        !sql[..at].ends_with(word) && !sql[at + column.len()..].starts_with(word)
    })
}

fn layout(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    if let Format::Csv { header: false, .. } = guesses.file.format {
        let text = "the first line does not look like names, so the columns are called by their place: give them names here, \
                    and use those below";
        notes.push(Note::new(Beware, Place::Read, "columns", text));
    }
    if let Some(encoding) = guesses.file.encoding.filter(|e| !e.marked) {
        let text = format!(
            "the file is not UTF-8; by the look of its bytes it is {}: see whether names with accents or Chinese characters are right",
            encoding.label
        );
        notes.push(Note::new(Assumed, Place::Read, "encoding", text));
    }
    if let Format::Json { records: Some(key), .. } = &guesses.file.format {
        let text = format!("each element of {key:?} is a record; what stands beside it is not read");
        notes.push(Note::new(Assumed, Place::Read, "records", text));
    }
    if guesses.file.format == Format::Excel {
        let text = "the first sheet is read, and its first row with a value names the columns: say sheet = \"…\" and header_row = … \
                    for others";
        notes.push(Note::new(Assumed, Place::Read, "sheet", text));
    }
}

/// What makes an order, a line, an article, a channel.
fn rows(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let mut note = |kind, place, about, text: String| notes.push(Note::new(kind, place, about, text));
    match (guesses.of(Meaning::OrderId), guesses.of(Meaning::OrderLineId)) {
        (None, _) => {
            let each = if guesses.file.lines.is_some() { "line" } else { "record" };
            let text = format!("no column looks like the id of an order: every {each} is an order of its own");
            note(Assumed, Place::OrderLine, "order_id", text);
            let text = "equal records of two files count once, for nothing tells them from one that was delivered twice (those \
                        of one file all count): a receipt's number, the till or the time of day would, if the file had it";
            note(Beware, Place::OrderLine, "order_id", text.into());
        }
        (Some(order), None) => {
            let text = format!("none in the file: equal lines of one {} are separate sales", called(order));
            note(Assumed, Place::OrderLine, "order_line_id", text);
            let text = format!(
                "where lines of one {} come in two files, equal ones count once: deliver each whole in one file, or give its \
                 lines numbers",
                called(order)
            );
            note(Beware, Place::OrderLine, "order_line_id", text);
        }
        _ => {}
    }
    if let Some(status) = guesses.of(Meaning::OrderStatus) {
        let mut words: Vec<&str> = status.values();
        words.sort_unstable();
        words.dedup();
        words.truncate(5);
        let text = format!(
            "{} ({} …) is not looked at: where a word of it means that nothing was sold, leave those records out with [[skip]], \
             or give order_status",
            called(status),
            words.join(", ")
        );
        note(Beware, Place::OrderLine, "order_status", text);
    }
    match (guesses.of(Meaning::Sku), guesses.of(Meaning::ProductName)) {
        (Some(sku), Some(name)) if sku.sql == name.sql => {
            let text = format!("{} is taken as the article's number and as its name", called(sku));
            note(Assumed, Place::Product, "product_name", text);
        }
        (Some(sku), Some(name)) if name.name.to_lowercase() == "name" && !name.in_lines => {
            let text = format!("{} is taken as the article's, as each {} has one", called(name), called(sku));
            note(Assumed, Place::Product, "product_name", text);
        }
        (Some(sku), None) => {
            let text = format!("no column looks like it: {} is shown", called(sku));
            note(Assumed, Place::Product, "product_name", text);
        }
        _ => {}
    }
    if guesses.of(Meaning::ChannelId).is_none() {
        let text = format!(
            "no column looks like it: all is sold by {}, called \"{}\", of type other; name and type are yours to change",
            guesses.name,
            title(guesses.name)
        );
        note(Assumed, Place::Channel, "channel_id", text);
    }
}

fn left_out(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let unused: Vec<&str> = guesses.unused().map(|c| c.name.as_str()).collect();
    if !unused.is_empty() {
        notes.push(Note::new(NotUsed, Place::OrderLine, "", unused.join(", ")));
    }
}

/// The columns that a sale cannot do without, and what to write.
fn missing(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let needed = [
        (
            Meaning::CreatedAt,
            guesses.moment().is_some(),
            "created_at",
            "the time of the sale",
            r#"local_time("Column", '%d.%m.%Y %H:%M') AS created_at"#,
        ),
        (Meaning::Sku, guesses.of(Meaning::Sku).is_some(), "sku", "the article", r#""Column" AS sku"#),
        (
            Meaning::UnitPrice,
            guesses.of(Meaning::UnitPrice).or(guesses.of(Meaning::LineTotal)).is_some(),
            "unit_price",
            "the price of one piece",
            r#"CAST("Column" AS DECIMAL(18,4)) AS unit_price"#,
        ),
    ];
    for (meaning, there, about, what, example) in needed {
        if !there {
            let misfit = guesses.misfit(meaning).map(|c| unreadable(guesses, meaning, c)).unwrap_or_default();
            let text =
                format!("no column looks like {what}{misfit}; write it into the SELECT below, such as {example}");
            notes.push(Note::new(Missing, Place::OrderLine, about, text));
        }
    }
}

/// Why a column that has the right name was not taken.
fn unreadable<'a>(guesses: &Guesses<'a>, meaning: Meaning, column: &'a Sample) -> String {
    let (name, values) = (called(column), column.values());
    match (values.first(), guesses.misread(meaning, column)) {
        (None, _) => format!(" ({name} is called so, but is empty)"),
        (_, Some(Misread { value, count, format })) => format!(
            " ({name} is called so, but {count} of its {} values, such as {value:?}, cannot be read as {format} like the others)",
            values.len()
        ),
        (Some(value), None) => format!(" ({name} is called so, but its values, such as {value:?}, cannot be read)"),
    }
}
