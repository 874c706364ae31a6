//! The table of column names (`names.toml`) and how a name is compared with it. It must not look at values.

use std::sync::LazyLock;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::money;
use crate::error::{Error, Result};

/// What a column can mean. Most are columns of a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Meaning {
    CreatedAt,
    /// The time of day, where the date stands in a column of its own.
    Clock,
    OrderId,
    OrderLineId,
    Sku,
    ProductName,
    Category,
    Brand,
    Quantity,
    UnitPrice,
    /// Price × quantity, where there is no price.
    LineTotal,
    LineDiscountAmount,
    TaxRate,
    Currency,
    ChannelId,
    LocationId,
    LocationName,
    RegionId,
    CustomerKey,
    UnitCost,
    /// Only warned of: what its words mean is the author's to say.
    OrderStatus,
    IsTest,
    /// Of an article or of a person: the values tell.
    BareName,
}

/// One entry of `names.toml`, its words as [`plain`] makes them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    pub means: Meaning,
    pub names: Vec<String>,
    #[serde(default)]
    pub never: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tax {
    included: Vec<String>,
    excluded: Vec<String>,
}

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Names {
    tax: Tax,
    #[serde(rename = "column")]
    pub columns: Vec<Known>,
}

static NAMES: LazyLock<std::result::Result<Names, String>> = LazyLock::new(|| {
    let mut names: Names = toml::from_str(include_str!("names.toml")).map_err(|e| e.to_string())?;
    let words = names.columns.iter_mut().flat_map(|k| k.names.iter_mut().chain(&mut k.never));
    words.chain(&mut names.tax.included).chain(&mut names.tax.excluded).for_each(|w| *w = plain(w));
    Ok(names)
});

impl Names {
    pub(super) fn table() -> Result<&'static Names> {
        NAMES.as_ref().map_err(|e| Error::internal(format!("src/ingest/draft/names.toml: {e}")))
    }

    /// What the name of a price says about tax: `Some(true)` = included; `None` = nothing.
    pub(super) fn tax_included(&self, name: &str) -> Option<bool> {
        let name = plain(name);
        let says = |words: &[String]| words.iter().any(|w| name.contains(w.as_str()));
        // The other way round, "不含税" would say "含税".
        if says(&self.tax.excluded) { Some(false) } else { says(&self.tax.included).then_some(true) }
    }

    /// Whether `forms` of a name are among the names of `meaning`.
    pub(super) fn calls(&self, meaning: Meaning, forms: &[String]) -> bool {
        self.columns.iter().any(|k| k.means == meaning && forms.iter().any(|f| k.names.contains(f)))
    }
}

/// The forms in which a column's name is compared: whole, and without brackets and a currency at its end.
pub(super) fn forms(name: &str) -> Vec<String> {
    let mut depth = 0_u32;
    let mut bare = String::new();
    for c in name.chars() {
        match c {
            '(' | '[' | '（' | '【' => depth += 1,
            ')' | ']' | '）' | '】' => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    let bare = bare.trim();
    let cut = match bare.rsplit_once([' ', '_', '-', '/']) {
        Some((head, tail)) if money::of_word(tail).is_some() => head,
        _ => bare,
    };
    let mut forms = vec![plain(name), plain(cut)];
    forms.retain(|f| !f.is_empty());
    forms.dedup();
    forms
}

/// Letters and digits only: no case, accents, widths, blanks or signs.
pub(super) fn plain(name: &str) -> String {
    let letters = name.nfkd().filter(|c| c.is_alphanumeric() && !is_combining_mark(*c));
    letters.flat_map(char::to_lowercase).flat_map(|c| if c == 'ß' { vec!['s', 's'] } else { vec![c] }).collect()
}

/// `name` ends like `known`, which is long enough for that to mean something: four letters, or two Chinese characters.
pub(super) fn ends_alike(name: &str, known: &str) -> bool {
    let long = if known.is_ascii() { 4 } else { 2 };
    name.len() > known.len() && known.chars().count() >= long && name.ends_with(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_well_formed() {
        let names = Names::table().expect("names.toml");
        for known in &names.columns {
            assert!(known.names.iter().chain(&known.never).all(|n| !n.is_empty()), "{:?}", known.means);
        }
        assert!(names.calls(Meaning::Quantity, &forms("Stück")));
        assert!(names.calls(Meaning::Quantity, &forms("STUCK")));
        assert!(names.calls(Meaning::UnitPrice, &forms("单价（元）")));
        assert!(names.calls(Meaning::UnitPrice, &forms("Unit price [GBP]")));
        assert!(names.calls(Meaning::UnitPrice, &forms("price_eur")));
        assert!(names.calls(Meaning::OrderId, &forms("Nº pedido")));
        assert!(names.calls(Meaning::OrderId, &forms("N° de commande")));
        assert!(!names.calls(Meaning::UnitPrice, &forms("price list")));
    }

    #[test]
    fn names_say_whether_tax_is_in_the_price() {
        let names = Names::table().expect("names.toml");
        for (name, says) in [
            ("Preis brutto", Some(true)),
            ("Price (incl. VAT)", Some(true)),
            ("含税单价", Some(true)),
            ("不含税单价", Some(false)),
            ("Prix unitaire HT", Some(false)),
            ("Price excl. tax", Some(false)),
            ("Price", None),
            ("单价", None),
        ] {
            assert_eq!(names.tax_included(name), says, "{name}");
        }
    }

    #[test]
    fn ends_need_some_length() {
        assert!(ends_alike("soldprice", "price"));
        assert!(ends_alike("商品数量", "数量"));
        assert!(!ends_alike("price", "price"), "equal names are told apart before");
        assert!(!ends_alike("discountday", "day"));
    }
}
