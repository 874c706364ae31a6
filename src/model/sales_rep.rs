//! sales_rep: a dimension, SCD type 2, key (sales_rep_id, valid_from) (domain 3.8).

use super::contract::{Column, Kind::*, Table};
use super::dimension::dimension;

pub const TABLE: Table = dimension(
    "sales_rep",
    "Who sells: representatives and the staff of tills, with their team; names masked.",
    &["sales_rep_id", "valid_from"],
    &["sales_rep_id"],
    COLUMNS,
    &[],
);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("sales_rep_id", Code, "the representative"),
    Column::new("name_masked", Text, "name, masked").or("sales_rep_id"),
    Column::new("team_id", Code, "the team").nullable(),
    Column::new("manager_rep_id", Code, "who leads").nullable(),
    Column::new("region_id", Code, "the region that is looked after").nullable(),
    Column::new("hired_on", Date, "first day").nullable(),
    Column::new("left_on", Date, "last day").nullable(),
];
