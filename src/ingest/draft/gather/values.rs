//! What is doubtful about how values are read: times, currencies, taxes, numbers.

use super::super::guesses::Guesses;
use super::super::moments::Moment;
use super::super::names::Meaning;
use super::super::notes::NoteKind::{Assumed, Beware};
use super::super::notes::{Note, Place};
use super::{called, unreadable};

pub(super) fn times(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let Some((column, moment)) = guesses.of(Meaning::CreatedAt).zip(guesses.moment()) else { return };
    let zone = guesses.lake.zone.name();
    if let Some(odd) = guesses.misread(Meaning::CreatedAt, column) {
        let text = format!(
            "{} of the {} values of {}, such as {:?}, cannot be read as {} like the others: those records go to quarantine",
            odd.count,
            column.values().len(),
            called(column),
            odd.value,
            odd.format
        );
        notes.push(Note::new(Beware, Place::OrderLine, "created_at", text));
    }
    let column = called(column);
    match moment {
        Moment::Instant => {
            notes.push(Note::new(Assumed, Place::OrderLine, "created_at", format!("{column} has its own zone")));
            let text = format!("{zone}, the lake's zone: the days of sales are days there");
            notes.push(Note::new(Assumed, Place::Defaults, "tz", text));
        }
        Moment::Local { format, doubt } => {
            let text = match doubt {
                None => format!("{column} is read as {format}, which no other order of day and month would fit"),
                Some(doubt) => {
                    let (value, chosen, rival) = &doubt.example;
                    format!(
                        "{column} is AMBIGUOUS: {value} is read as {chosen} ({format}), but could be {rival} ({}); change the format if so",
                        doubt.format
                    )
                }
            };
            notes.push(Note::new(Assumed, Place::OrderLine, "created_at", text));
            let text = format!("{zone}, the lake's zone: {column} has none of its own");
            notes.push(Note::new(Assumed, Place::Defaults, "tz", text));
        }
    }
}

/// Currency and tax.
pub(super) fn amounts(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let (code, lake) = (guesses.currency_code(), &guesses.lake.currency);
    if guesses.of(Meaning::Currency).is_none() {
        let mut text = match &guesses.currency {
            None => format!("{code}, the lake's currency: nothing in the file tells one"),
            Some(found) if found.rivals.is_empty() => format!("{code}, from {}", found.from),
            Some(found) => format!("{code}, from {}, which could be {} too", found.from, found.rivals.join(", ")),
        };
        if code != lake {
            text.push_str(&format!(
                "; the lake counts in {lake}, so these sales wait until fx_rate has rates for {code}"
            ));
        }
        notes.push(Note::new(Assumed, Place::Defaults, "currency", text));
    }
    let Some(price) = guesses.of(Meaning::UnitPrice).or(guesses.of(Meaning::LineTotal)) else { return };
    let price = called(price);
    let text = match (guesses.tax_named, guesses.tax_included()) {
        (Some(true), true) => format!("true, from the name {price}"),
        (Some(true), false) => format!(
            "false, although {price} is named as including tax: no column has the rate, so tax counts as sales; where one rate \
             holds, set true and add it, such as tax_rate = 0.20"
        ),
        (Some(false), _) => format!("false, from the name {price}"),
        (None, _) => {
            format!("false: {price} is taken as a price without tax; if it includes tax, set true and give tax_rate")
        }
    };
    notes.push(Note::new(Assumed, Place::Defaults, "price_includes_tax", text));
}

/// How numbers are written, and signs that cannot land.
pub(super) fn numbers(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let total = if guesses.tax_included() { "unit_price" } else { "gross_amount" };
    for (meaning, about) in [
        (Meaning::Quantity, "quantity"),
        (Meaning::UnitPrice, "unit_price"),
        (Meaning::LineTotal, total),
        (Meaning::LineDiscountAmount, "line_discount_amount"),
        (Meaning::UnitCost, "unit_cost"),
        (Meaning::TaxRate, "tax_rate"),
    ] {
        let Some((column, number)) = guesses.of(meaning).zip(guesses.number(meaning)) else { continue };
        let name = called(column);
        let mut note = |kind, text| notes.push(Note::new(kind, Place::OrderLine, about, text));
        if let Some(says) = number.says() {
            note(Assumed, format!("{name}: {says}"));
        }
        let values = column.values();
        let odd: Vec<&str> = values.iter().copied().filter(|v| number.value(v).is_none()).collect();
        if let Some(first) = odd.first() {
            let text = format!(
                "{} of the {} values of {name}, such as {first:?}, cannot be read as numbers written like {}: those records \
                 go to quarantine",
                odd.len(),
                values.len(),
                number.example()
            );
            note(Beware, text);
        }
        if let Some(value) = &number.doubt {
            let sign = if value.contains('.') { "." } else { "," };
            let read = if sign == "." { "decimals" } else { "thousands" };
            note(Assumed, format!("{name} is AMBIGUOUS: the \"{sign}\" of {value} is taken as the sign of {read}"));
        }
        if meaning == Meaning::TaxRate && guesses.tax_in_percent() {
            note(Assumed, format!("{name} is in percent"));
        }
        let negative = values.iter().any(|v| v.contains('-'));
        if negative && matches!(meaning, Meaning::Quantity | Meaning::UnitPrice | Meaning::LineTotal) {
            let text = "has negative values: those records go to quarantine (V03). If they are returns, add WHERE to this \
                        SELECT, and a second one into return_line for them";
            note(Beware, format!("{name} {text}"));
        }
    }
    discount_left_out(guesses, notes);
    if let Some(total) = guesses.of(Meaning::LineTotal) {
        let text = format!(
            "no column looks like the price of one piece: {} is taken as the amount of the line",
            called(total)
        );
        notes.push(Note::new(Assumed, Place::OrderLine, "unit_price", text));
    }
    if guesses.of(Meaning::Quantity).is_none() {
        let misfit = guesses.misfit(Meaning::Quantity).map(|c| unreadable(guesses, Meaning::Quantity, c));
        let misfit = misfit.unwrap_or_default();
        let text = format!(
            "no column looks like it{misfit}: every line counts as one piece, unless you give it in the SELECT"
        );
        notes.push(Note::new(Assumed, Place::OrderLine, "quantity", text));
    }
}

/// A discount that is not taken makes sales too large.
fn discount_left_out(guesses: &Guesses<'_>, notes: &mut Vec<Note>) {
    let Some(column) = guesses.misfit(Meaning::LineDiscountAmount) else { return };
    let (name, values) = (called(column), column.values());
    if guesses.of(Meaning::LineDiscountAmount).is_some() || values.is_empty() {
        return;
    }
    let text = match guesses.of(Meaning::LineTotal) {
        Some(total) => format!("{name} is not taken: {} is taken as what is left after it", called(total)),
        None => format!(
            "{name} is not taken: its values, such as {:?}, are no amounts of money; give the amount if it lowers the price",
            values[0]
        ),
    };
    notes.push(Note::new(Beware, Place::OrderLine, "line_discount_amount", text));
}
