//! The tables that the engine writes about itself: ingest_file, ingest_table and quarantine (domain 3.10).

use super::contract::{Column, EventTime, Kind::*, Table, TableKind};

macro_rules! control {
    ($const:ident, $name:literal, $columns:ident, $about:literal) => {
        pub const $const: Table = Table {
            name: $name,
            about: $about,
            kind: TableKind::Control,
            key: &[],
            parts: &[$columns],
            event: EventTime::None,
            month_of: None,
            sort: &[],
            stats: &[],
            checks: &[],
        };
    };
}

control!(
    INGEST_FILE,
    "ingest_file",
    FILE_COLUMNS,
    "One row per file read: read = landed + duplicate + late_ignored + skipped + quarantined, in records."
);
control!(INGEST_TABLE, "ingest_table", TABLE_COLUMNS, "One row per file and table: what became of its rows.");
control!(QUARANTINE, "quarantine", QUARANTINE_COLUMNS, "Records that did not land, with the rule that stopped them.");

const FILE_COLUMNS: &[Column] = &[
    Column::new("batch_id", Text, "the batch"),
    Column::new("source_file_id", Text, "the file: first 32 hex digits of its sha256 and source"),
    Column::new("source", Code, "the source definition"),
    Column::new("source_system", Code, "the system"),
    Column::new("file_uri", Text, "where it was read"),
    Column::new("content_sha256", Text, "of the bytes as they were"),
    Column::new("read", Long, "records"),
    Column::new("landed", Long, "records"),
    Column::new("duplicate", Long, "records"),
    Column::new("late_ignored", Long, "records"),
    Column::new("skipped", Long, "records"),
    Column::new("skipped_by", Text, "JSON: reason → records"),
    Column::new("quarantined", Long, "records; below 0 on a correction: so many have left"),
    Column::new("started_at", Instant, "when reading began"),
    Column::new("finished_at", Instant, "when it had landed"),
    Column::new(
        "status",
        Code,
        "landed, unpacked (an archive, whose members have rows of their own), seen (bytes that had landed by another name); or a correction that adds to the counts: retried (records that had waited), replayed (mapped anew)",
    ),
    Column::new("definition_hash", Text, "of the source definition by which the whole file was mapped").nullable(),
    Column::new(
        "version_tag",
        Text,
        "of a file on an object store: the store's tag and the size, by which it is known",
    )
    .nullable(),
    Column::new("columns", Text, "JSON: the file's own columns → type, where they are known").nullable(),
];

const TABLE_COLUMNS: &[Column] = &[
    Column::new("batch_id", Text, "the batch"),
    Column::new("source_file_id", Text, "the file"),
    Column::new("table_name", Code, "the table"),
    Column::new("new", Long, "rows; less those that a replay took out of the table, so it may be below 0"),
    Column::new("replaced", Long, "rows"),
    Column::new("duplicate", Long, "rows"),
    Column::new("late_ignored", Long, "rows"),
    Column::new("beyond_sla", Long, "rows later than two days, part of new + replaced"),
    Column::new("warned", Long, "rows with a warning, part of new + replaced"),
    Column::new("min_event_time", Instant, "earliest").nullable(),
    Column::new("max_event_time", Instant, "latest").nullable(),
    Column::new("delta_version", Long, "the table's version after the commit"),
];

const QUARANTINE_COLUMNS: &[Column] = &[
    Column::new("batch_id", Text, "the batch"),
    Column::new("source_file_id", Text, "the file"),
    Column::new("source", Code, "the source definition"),
    Column::new("table_name", Code, "the table that refused it; '' before any").or("''"),
    Column::new("file", Text, "where it was read"),
    Column::new("line", Long, "line of a text file, row of a Parquet file, from 1"),
    Column::new("field", Text, "the column").nullable(),
    Column::new("value", Text, "its value").nullable(),
    Column::new("raw", Text, "the record as it was; masked where the rule found personal data"),
    Column::new("record", Text, "JSON of the record's fields, to land it again").nullable(),
    Column::new("rule", Code, "V00 …"),
    Column::new("severity", Code, "reject or quarantine"),
    Column::new("message", Text, "what the rule asks for"),
    Column::new("detected_at", Instant, "when"),
    Column::new("resolved_at", Instant, "when it was settled; NULL = waits").nullable(),
    Column::new(
        "resolution",
        Code,
        "landed (after all), discarded (by someone), superseded (a newer version, a new mapping or another rule)",
    )
    .nullable()
    .one_of(&["landed", "discarded", "superseded"]),
    Column::new("resolution_note", Text, "who discarded it, and why").nullable(),
];
