//! The closed table of slicers (domain 4.1): which words filter which fact column through which dimension columns.

/// One slicer.
#[derive(Debug)]
pub struct Slicer {
    /// The word after `where.` or `--where`.
    pub name: &'static str,
    /// The dimension whose rows are searched; `None` for flags.
    pub dimension: Option<&'static str>,
    /// The dimension's key, equal to the fact's column in meaning.
    pub dimension_key: &'static str,
    /// Columns in which a value may be found: ids first, then names.
    pub columns: &'static [&'static str],
    /// The column that a fact or view must expose.
    pub fact_key: &'static str,
    /// Facts that keep the key under another name: (table, column). An empty column = cannot be sliced.
    pub renamed: &'static [(&'static str, &'static str)],
    /// This slicer's level parameter, such as `region_level`, limits the columns searched.
    pub level: Option<&'static str>,
    /// Where rows may be judged by what the dimension's attributes were ([`AS_WAS`]): the column that tells the version, which is
    /// also the name and key of the view that lists the versions.
    pub version: Option<&'static str>,
}

/// The policy that tells whether attributes count as they are or as they were.
pub const ATTRIBUTE_BASIS: &str = "attribute_basis";
pub const AS_WAS: &str = "as_was";

const CATEGORY: &[&str] = &[
    "category_l1_id",
    "category_l2_id",
    "category_l3_id",
    "category_l4_id",
    "category_l5_id",
    "category_l1_name",
    "category_l2_name",
    "category_l3_name",
    "category_l4_name",
    "category_l5_name",
];
const REGION: &[&str] = &[
    "region_id",
    "region_name",
    "level1_id",
    "level1_name",
    "level2_id",
    "level2_name",
    "level3_id",
    "level3_name",
    "level4_id",
    "level4_name",
    "level5_id",
    "level5_name",
];

const fn by(
    name: &'static str,
    dimension: &'static str,
    key: &'static str,
    columns: &'static [&'static str],
) -> Slicer {
    Slicer {
        name,
        dimension: Some(dimension),
        dimension_key: key,
        columns,
        fact_key: key,
        renamed: &[],
        level: None,
        version: None,
    }
}

pub const SLICERS: &[Slicer] = &[
    Slicer {
        renamed: &[("return_line", "sale_channel_id")],
        ..by("channel", "channel", "channel_id", &["channel_id", "channel_name"])
    },
    Slicer {
        fact_key: "return_channel_id",
        renamed: &[("return_line", "channel_id")],
        ..by("return_channel", "channel", "channel_id", &["channel_id", "channel_name"])
    },
    Slicer {
        renamed: &[("return_line", "sale_location_id")],
        ..by("location", "location", "location_id", &["location_id", "location_name"])
    },
    Slicer { level: Some("region_level"), ..by("region", "region", "region_id", REGION) },
    Slicer {
        level: Some("category_level"),
        version: Some("product_version"),
        ..by("category", "product", "product_id", CATEGORY)
    },
    Slicer { version: Some("product_version"), ..by("brand", "product", "product_id", &["brand"]) },
    by("product", "product", "product_id", &["product_id", "sku", "product_name"]),
    by("segment", "customer", "customer_key", &["customer_group", "membership_tier"]),
    Slicer {
        renamed: &[("opportunity", "owner_rep_id")],
        ..by("sales_rep", "sales_rep", "sales_rep_id", &["sales_rep_id", "name_masked"])
    },
    Slicer {
        name: "staff",
        dimension: None,
        dimension_key: "",
        columns: &[],
        fact_key: "is_staff_order",
        renamed: &[],
        level: None,
        version: None,
    },
];

/// The slicer called `name`.
pub fn slicer(name: &str) -> Option<&'static Slicer> {
    SLICERS.iter().find(|s| s.name == name)
}

impl Slicer {
    /// The column to filter on `relation` (a fact's or a view's name) that has `columns`; `None` = it cannot be sliced there.
    pub fn column_of<'a>(&self, relation: &str, mut columns: impl Iterator<Item = &'a str>) -> Option<&'static str> {
        let name = self.renamed.iter().find(|(t, _)| *t == relation).map_or(self.fact_key, |(_, c)| *c);
        columns.any(|c| c == name).then_some(name)
    }
}
