//! region: a dimension, SCD type 2, key (region_id, valid_from) (domain 3.8).

use super::contract::{Column, Kind::*, Table};
use super::dimension::dimension;

pub const TABLE: Table = dimension(
    "region",
    "Regions and the levels above them.",
    &["region_id", "valid_from"],
    &["region_id"],
    COLUMNS,
    &[],
);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("region_id", Code, "the region"),
    Column::new("region_name", Text, "name").or("region_id"),
    Column::new("region_level", Int, "1 = top").or("1"),
    Column::new("parent_region_id", Code, "the region above").nullable(),
    Column::new("level1_id", Code, "top level").nullable().or("CASE WHEN parent_region_id IS NULL THEN region_id END"),
    Column::new("level1_name", Text, "top level")
        .nullable()
        .or("CASE WHEN parent_region_id IS NULL THEN region_name END"),
    Column::new("level2_id", Code, "second level").nullable(),
    Column::new("level2_name", Text, "second level").nullable(),
    Column::new("level3_id", Code, "third level").nullable(),
    Column::new("level3_name", Text, "third level").nullable(),
    Column::new("level4_id", Code, "fourth level").nullable(),
    Column::new("level4_name", Text, "fourth level").nullable(),
    Column::new("level5_id", Code, "fifth level").nullable(),
    Column::new("level5_name", Text, "fifth level").nullable(),
    Column::new("population", Long, "people").nullable(),
];
