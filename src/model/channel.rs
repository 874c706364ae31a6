//! channel: a dimension, SCD type 2, key (channel_id, valid_from) (domain 3.8).

use super::contract::{Column, Kind::*, Table};
use super::dimension::dimension;

pub const TABLE: Table =
    dimension("channel", "Sales channels.", &["channel_id", "valid_from"], &["channel_id"], COLUMNS, &[]);

const COLUMNS: &[&[Column]] = &[super::envelope::DIMENSION, OWN];

const OWN: &[Column] = &[
    Column::new("channel_id", Code, "the channel"),
    Column::new("channel_name", Text, "name").or("channel_id"),
    Column::new("channel_type", Code, "what kind of channel").or("'other'").one_of(&[
        "own_web",
        "own_app",
        "marketplace",
        "social",
        "live_stream",
        "pos_store",
        "telesales",
        "b2b",
        "distributor",
        "mini_program",
        "voice_device",
        "other",
    ]),
    Column::new("is_online", Bool, "sold online")
        .or("channel_type NOT IN ('pos_store', 'b2b', 'distributor', 'telesales')"),
    Column::new("platform", Text, "whose platform").nullable(),
    Column::new("fee_rate", Share, "the platform's share").nullable(),
    Column::new("currency", UpperCode, "ISO 4217 currency").nullable(),
];
