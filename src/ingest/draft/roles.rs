//! Which column means what, by its name and its values. Only guesses: a draft is read before it is trusted.

use std::collections::BTreeSet;

use super::moments::{clock, moment};
use super::names::{Meaning, Names, ends_alike, forms, plain};
use super::numbers::number;
use super::sniff::Sample;
use crate::model::currency::is_currency;

/// Distinct values that a column of tax rates has at most, and the highest rate in percent.
const TAX_RATES: usize = 8;
const HIGHEST_TAX: f64 = 50.0;

/// For each meaning that a column has: which of `columns`. A column has one meaning.
pub(super) fn roles(columns: &[Sample], names: &Names) -> Vec<(Meaning, usize)> {
    let nested = columns.iter().any(|c| c.in_lines);
    let forms: Vec<Vec<String>> = columns.iter().map(|c| forms_of(c, nested)).collect();
    let mut taken = vec![false; columns.len()];
    let mut roles: Vec<(Meaning, usize)> = Vec::new();
    // Names that are equal come before names that only end alike, so that those cannot take their place.
    for exact in [true, false] {
        for known in &names.columns {
            if roles.iter().any(|(meaning, _)| *meaning == known.means) {
                continue;
            }
            let fits = |i: usize, name: &String| {
                let alike = |f: &String| ends_alike(f, name) && !holds(&columns[i].name, f, &known.never);
                let fit = |f: &String| if exact { f == name } else { alike(f) };
                !taken[i] && forms[i].iter().any(fit) && plausible(known.means, &columns[i])
            };
            let found = known.names.iter().find_map(|name| (0..columns.len()).find(|i| fits(*i, name)));
            if let Some(i) = found {
                taken[i] = true;
                roles.push((known.means, i));
            }
        }
    }
    roles
}

/// A name with one of `never` in it: anywhere, but short words stand alone ("old" is not in "sold").
fn holds(name: &str, form: &str, never: &[String]) -> bool {
    let mut spaced = String::new();
    for c in name.chars() {
        // "TaxAmount" is two words.
        if c.is_uppercase() && spaced.ends_with(char::is_lowercase) {
            spaced.push(' ');
        }
        spaced.push(c);
    }
    let words: Vec<String> = spaced.split(|c: char| !c.is_alphanumeric()).map(plain).collect();
    let short = |n: &String| n.is_ascii() && n.len() <= 3;
    never.iter().any(|n| if short(n) { words.contains(n) } else { form.contains(n.as_str()) })
}

/// The forms of a column's name. `nested`: the file's records hold lists of lines.
fn forms_of(column: &Sample, nested: bool) -> Vec<String> {
    let mut forms = forms(&column.name);
    let is = |name: &str| forms.iter().any(|f| f == name);
    // On a line of an order a name is the article's; elsewhere it may be a person's. Beside lines, an id is the order's.
    let more = match (column.in_lines, nested) {
        (true, _) if is("name") => Some("productname"),
        (false, true) if is("id") => Some("orderid"),
        _ => None,
    };
    forms.extend(more.map(str::to_string));
    forms
}

/// A column that is called like `meaning`, whatever its values are.
pub(super) fn called(columns: &[Sample], names: &Names, meaning: Meaning) -> Option<usize> {
    columns.iter().position(|c| names.calls(meaning, &forms(&c.name)))
}

/// Whether the values can be what the meaning asks for.
fn plausible(meaning: Meaning, column: &Sample) -> bool {
    let values = column.values();
    let amount = || number(&values, None).is_some_and(|n| !n.percent);
    let distinct = || values.iter().collect::<BTreeSet<_>>();
    if values.is_empty() {
        return false;
    }
    match meaning {
        Meaning::CreatedAt => moment(&values, false).is_some(),
        Meaning::Clock => clock(&values).is_some(),
        Meaning::UnitPrice | Meaning::LineTotal | Meaning::LineDiscountAmount | Meaning::UnitCost => amount(),
        Meaning::Quantity => amount() && number(&values, None).is_some_and(|n| n.money.is_none()),
        // "VAT" may be the rate or the tax itself.
        Meaning::TaxRate => number(&values, None).is_some_and(|n| {
            let rate = |v: &&str| n.value(v).is_none_or(|x| (0.0..=HIGHEST_TAX).contains(&x));
            n.money.is_none() && (n.percent || (distinct().len() <= TAX_RATES && values.iter().all(rate)))
        }),
        Meaning::Currency => values.iter().all(|v| is_currency(&v.to_uppercase())),
        Meaning::IsTest => values.iter().all(|v| matches!(v.to_lowercase().as_str(), "true" | "false" | "0" | "1")),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(columns: &[(&str, &str)]) -> Vec<(Meaning, usize)> {
        let sample = |(name, value): &(&str, &str)| Sample {
            name: name.to_string(),
            sql: name.to_string(),
            cells: vec![value.to_string()],
            in_lines: false,
        };
        let columns: Vec<Sample> = columns.iter().map(sample).collect();
        let mut found = roles(&columns, Names::table().expect("names.toml"));
        found.sort_by_key(|(_, i)| *i);
        found
    }

    #[test]
    fn names_become_roles() {
        use Meaning::*;
        let english = found(&[
            ("Invoice Date", "2026-01-01"),
            ("StockCode", "00123"),
            ("Qty", "3"),
            ("Sold Price", "2.5"),
            ("Date of birth", "1980-01-01"),
            ("Total price", "7.5"),
        ]);
        assert_eq!(english, [(CreatedAt, 0), (Sku, 1), (Quantity, 2), (UnitPrice, 3), (LineTotal, 5)]);
        let german = found(&[
            ("Belegdatum", "31.01.2026"),
            ("Bon-Nr.", "7"),
            ("Artikelnummer", "A1"),
            ("Artikelbezeichnung", "Hemd"),
            ("Menge", "2"),
            ("Einzelpreis", "9,99 €"),
            ("Einkaufspreis", "4,00 €"),
            ("Filiale", "Nord"),
            ("MwSt", "19%"),
        ]);
        let all = [CreatedAt, OrderId, Sku, ProductName, Quantity, UnitPrice, UnitCost, LocationId, TaxRate];
        assert_eq!(german, all.iter().copied().zip(0..).collect::<Vec<_>>());
        let french = found(&[
            ("Date de commande", "31/01/2026"),
            ("N° de commande", "7"),
            ("Réf. article", "A1"),
            ("Désignation", "Chemise"),
            ("Qté", "2"),
            ("Prix unitaire HT", "9,99"),
            ("Magasin", "Lyon"),
        ]);
        let all = [CreatedAt, OrderId, Sku, ProductName, Quantity, UnitPrice, LocationId];
        assert_eq!(french, all.iter().copied().zip(0..).collect::<Vec<_>>());
        let spanish = found(&[
            ("Fecha", "31/01/2026"),
            ("Nº pedido", "7"),
            ("Código", "A1"),
            ("Descripción", "Camisa"),
            ("Cantidad", "2"),
            ("Precio unitario", "9,99"),
            ("Tienda", "Sur"),
        ]);
        assert_eq!(spanish, all.iter().copied().zip(0..).collect::<Vec<_>>());
        let chinese = found(&[
            ("日期", "2026-01-31"),
            ("订单号", "7"),
            ("商品编码", "A1"),
            ("商品名称", "衬衫"),
            ("数量", "2"),
            ("单价(元)", "9.99"),
            ("门店", "北京"),
        ]);
        assert_eq!(chinese, all.iter().copied().zip(0..).collect::<Vec<_>>());
    }

    #[test]
    fn values_and_words_keep_wrong_columns_out() {
        use Meaning::*;
        assert_eq!(found(&[("Date", "soon"), ("Quantity", "£3"), ("Discount", "10%")]), []);
        assert_eq!(found(&[("Discount count", "1"), ("Last update", "2026-01-01"), ("Is online", "1")]), []);
        assert_eq!(found(&[("TaxAmount", "1"), ("Paid amount", "1")]), []);
        assert_eq!(found(&[("Old price", "1"), ("sold_price", "2")]), [(UnitPrice, 1)]);
        assert_eq!(found(&[("TVA", "4,20 €")]), []);
        assert_eq!(found(&[("Date", "2026-01-31"), ("Time", "10:05")]), [(CreatedAt, 0), (Clock, 1)]);
        assert_eq!(found(&[("退货数量", "1"), ("商品数量", "2")]), [(Quantity, 1)]);
    }
}
