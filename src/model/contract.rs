//! The words in which a table contract is written: [`Table`], [`Column`], [`Check`], [`Sum`]. Plain data, no I/O, no SQL engine.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// What a column holds (domain type codes in brackets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Free text or an opaque identifier [S]; surrounding blanks are cut.
    Text,
    /// An identifier or code [S]: NFKC-normalised and trimmed.
    Code,
    /// A code that also ignores case [S]: NFKC-normalised, trimmed, upper case (SKUs, currencies, countries).
    UpperCode,
    /// Counter [I32].
    Int,
    /// Version, hash, running number [I64].
    Long,
    /// Flag [B].
    Bool,
    /// Business-local date [D].
    Date,
    /// Instant in UTC, microseconds [TS].
    Instant,
    /// Money, `Decimal128(18,4)` [MON].
    Money,
    /// Quantity, `Decimal128(18,3)` [QTY].
    Quantity,
    /// Exchange rate, tax rate, area, `Decimal128(18,8)` [RATE].
    Rate,
    /// Share of 1, `Decimal128(9,6)` [PCT].
    Share,
    /// Degrees of latitude or longitude.
    Float,
    /// 128-bit hash [H128], stored as 16 bytes of Delta `binary`.
    Hash128,
}

impl Kind {
    /// The Arrow type in which rows of this kind are ingested and stored.
    pub fn arrow(self) -> DataType {
        match self {
            Kind::Text | Kind::Code | Kind::UpperCode => DataType::Utf8,
            Kind::Int => DataType::Int32,
            Kind::Long => DataType::Int64,
            Kind::Bool => DataType::Boolean,
            Kind::Date => DataType::Date32,
            Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            Kind::Money => DataType::Decimal128(18, 4),
            Kind::Quantity => DataType::Decimal128(18, 3),
            Kind::Rate => DataType::Decimal128(18, 8),
            Kind::Share => DataType::Decimal128(9, 6),
            Kind::Float => DataType::Float64,
            Kind::Hash128 => DataType::Binary,
        }
    }
    pub fn is_text(self) -> bool {
        matches!(self, Kind::Text | Kind::Code | Kind::UpperCode)
    }
    /// Delta statistics of this kind are exact enough to prune files: not of decimals, which pass through floats.
    pub fn prunes(self) -> bool {
        matches!(self, Kind::Text | Kind::Code | Kind::UpperCode | Kind::Int | Kind::Long | Kind::Date | Kind::Instant)
    }
}

/// Who sets a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// The source's SELECT, else its header's `[defaults]`, else the contract's default.
    Given,
    /// As [`Role::Given`], used by ingest to complete other columns, not stored.
    Input,
    /// Only ingest: keys, hashes, dates derived from instants, reporting-currency amounts, bookkeeping.
    Engine,
    /// The source, else the pass at the end of a batch that joins returns to their sales.
    Filled,
}

/// One column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
    pub role: Role,
    /// SQL over columns declared earlier in the same table; taken where the source gives no value (NULL).
    pub default: Option<&'static str>,
    /// The closed list of legal values; empty = open.
    pub values: &'static [&'static str],
    /// Takes personal data in clear, to make something else of it: an [`Role::Input`] of which nothing is kept anywhere.
    pub personal: bool,
    /// Meaning and unit, in a line.
    pub about: &'static str,
}

impl Column {
    /// A required column that the source gives.
    pub const fn new(name: &'static str, kind: Kind, about: &'static str) -> Column {
        Column { name, kind, nullable: false, role: Role::Given, default: None, values: &[], personal: false, about }
    }
    pub const fn nullable(mut self) -> Column {
        self.nullable = true;
        self
    }
    pub const fn or(mut self, default: &'static str) -> Column {
        self.default = Some(default);
        self
    }
    pub const fn one_of(mut self, values: &'static [&'static str]) -> Column {
        self.values = values;
        self
    }
    pub const fn engine(mut self) -> Column {
        self.role = Role::Engine;
        self
    }
    pub const fn input(mut self) -> Column {
        self.role = Role::Input;
        self
    }
    pub const fn personal(mut self) -> Column {
        self.personal = true;
        self
    }
    pub const fn filled(mut self) -> Column {
        self.role = Role::Filled;
        self
    }
    pub fn stored(&self) -> bool {
        self.role != Role::Input
    }
    pub fn field(&self) -> Field {
        Field::new(self.name, self.kind.arrow(), self.nullable)
    }
}

/// How bad a broken rule is (domain 3.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The record cannot land unchanged.
    Reject,
    /// The record waits for a correction or for other data.
    Quarantine,
    /// The row lands; the account counts it.
    Warn,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Reject => "reject",
            Severity::Quarantine => "quarantine",
            Severity::Warn => "warn",
        }
    }
}

/// A landing rule over one row. `holds` is SQL over the table's columns (inputs too); NULL counts as held.
/// V00 (unparsable), V01 (required, enum, type), V09, V10, V18, V19 and V20 are general and live in ingest.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    pub rule: &'static str,
    pub severity: Severity,
    /// The column that the quarantine names, with its value.
    pub column: &'static str,
    pub holds: &'static str,
    /// What the rule asks for, for people.
    pub says: &'static str,
}

/// A landing rule over the rows of a file that make up a whole: their shares add up to 1, or none of them lands (V17).
/// It is asked of the rows that stand otherwise, each key in its newest version, without tombstones.
#[derive(Debug, Clone, Copy)]
pub struct Sum {
    pub table: &'static str,
    pub rule: &'static str,
    /// The columns that the rows of one whole have in common.
    pub of: &'static [&'static str],
    /// The column that is added up, of kind [`Kind::Share`]. Each share may be rounded in its last place.
    pub share: &'static str,
    /// What the rule asks for, for people.
    pub says: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// Events in time; partitioned by business_month.
    Fact,
    /// SCD type 2: key (id, valid_from), plain name = current rows, `*_history` = ranges.
    Dimension,
    /// Keyed reference rows without validity (fx_rate).
    Reference,
    /// As [`TableKind::Reference`], of figures that reports set beside facts (target): a slicer that these rows do not show is
    /// refused, or sliced facts would stand beside a whole plan.
    Plan,
    /// Written by the engine itself: audit and quarantine. No key, append only.
    Control,
    /// Kept by the engine from other tables; can be dropped and made anew. Not among [`super::TABLES`]: the engine makes the
    /// contract. No key; readers take the newest version, no head names one. Its name begins with `rollup_` and says by
    /// itself which schema the table has, since a contract that does not fit its folder could not be opened.
    Derived,
}

/// How ingest finds the instant of a fact's event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventTime {
    /// Not an event.
    None,
    /// SQL over the table's columns, giving an instant; business_date and local_minute follow from tz and day cut-off.
    At(&'static str),
    /// The close of the day in this date column: business_date is that date.
    EndOf(&'static str),
}

/// A table contract.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub about: &'static str,
    pub kind: TableKind,
    /// The natural key, unique over the whole table; empty for control and derived tables.
    pub key: &'static [&'static str],
    /// Column groups in order (envelope first), so that contracts share them.
    pub parts: &'static [&'static [Column]],
    /// Where `event_time`, `business_date` and `local_minute` come from.
    pub event: EventTime,
    /// The date whose month is the partition `business_month` ('YYYY-MM'); `None` = unpartitioned.
    pub month_of: Option<&'static str>,
    /// Sort order inside a file.
    pub sort: &'static [&'static str],
    /// Columns with file statistics, for pruning.
    pub stats: &'static [&'static str],
    pub checks: &'static [Check],
}

struct Schemas {
    file: SchemaRef,
    table: SchemaRef,
}

/// Made once: every push asks for them. Those of derived tables are made as they are asked for.
static SCHEMAS: LazyLock<HashMap<&'static str, Schemas>> = LazyLock::new(|| {
    let schemas = |t: &&'static Table| Schemas {
        file: Arc::new(Schema::new(t.fields(false))),
        table: Arc::new(Schema::new(t.fields(true))),
    };
    super::TABLES.iter().map(|t| (t.name, schemas(t))).collect()
});

/// The partition column's name in every partitioned table; it is the last column.
pub const MONTH: &str = "business_month";

impl Table {
    /// All columns, inputs too, in declaration order, the partition column not among them.
    pub fn columns(&self) -> impl Iterator<Item = &'static Column> + Clone {
        self.parts.iter().flat_map(|p| p.iter())
    }
    pub fn stored_columns(&self) -> impl Iterator<Item = &'static Column> + Clone {
        self.columns().filter(|c| c.stored())
    }
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns().find(|c| c.name == name)
    }
    pub fn partitioned(&self) -> bool {
        self.month_of.is_some()
    }
    /// The schema of a data file: stored columns without the partition column.
    pub fn file_schema(&self) -> SchemaRef {
        SCHEMAS.get(self.name).map_or_else(|| Arc::new(Schema::new(self.fields(false))), |s| s.file.clone())
    }
    /// The table's schema: the file's, then `business_month` (Utf8, not null) where partitioned.
    pub fn schema(&self) -> SchemaRef {
        SCHEMAS.get(self.name).map_or_else(|| Arc::new(Schema::new(self.fields(true))), |s| s.table.clone())
    }
    fn fields(&self, month: bool) -> Vec<Field> {
        let month = (month && self.partitioned()).then(|| Field::new(MONTH, DataType::Utf8, false));
        self.stored_columns().map(Column::field).chain(month).collect()
    }
    /// The rule over rows that make up a whole, if it has one.
    pub fn sum(&self) -> Option<&'static Sum> {
        super::SUMS.iter().copied().find(|s| s.table == self.name)
    }
    /// For a dimension, its id column: the key's part that is not `valid_from`.
    pub fn id_column(&self) -> Option<&'static str> {
        (self.kind == TableKind::Dimension).then(|| self.key[0])
    }
}
