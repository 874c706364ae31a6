//! location: a dimension, SCD type 2, key (location_id, valid_from) (domain 3.8).

use super::contract::{Column, Kind::*, Table};
use super::dimension::dimension;

pub const TABLE: Table = dimension(
    "location",
    "Shops, warehouses and other places.",
    &["location_id", "valid_from"],
    &["location_id"],
    COLUMNS,
    &[],
);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("location_id", Code, "the place"),
    Column::new("location_name", Text, "name").or("location_id"),
    Column::new("location_type", Code, "what kind of place").or("'store'").one_of(&[
        "store",
        "warehouse",
        "dc",
        "outlet",
        "vending",
        "virtual",
    ]),
    Column::new("gln", Code, "GS1 location number").nullable(),
    Column::new("party_type", Code, "whose place").or("'own'").one_of(&["own", "franchise", "distributor", "retailer"]),
    Column::new("region_id", Code, "the region it lies in"),
    Column::new("country", UpperCode, "ISO 3166-1 alpha-2"),
    Column::new("city", Text, "city").nullable(),
    Column::new("postcode", Text, "postcode").nullable(),
    Column::new("lat", Float, "degrees").nullable(),
    Column::new("lon", Float, "degrees").nullable(),
    Column::new("tz", Text, "IANA zone"),
    Column::new("currency", UpperCode, "ISO 4217 currency"),
    Column::new("day_cutoff_minutes", Int, "minutes after midnight that still belong to the day before").or("0"),
    Column::new("opened_on", Date, "opened").nullable(),
    Column::new("closed_on", Date, "closed").nullable(),
    Column::new("remodel_from", Date, "rebuilding began").nullable(),
    Column::new("remodel_to", Date, "rebuilding ended").nullable(),
    Column::new("comp_open_date", Date, "comparable since").nullable(),
    Column::new("selling_area_sqm", Rate, "m²").nullable(),
    Column::new("manager_rep_id", Code, "manager").nullable(),
];
