//! The tables of `pg_catalog` that tell what is in the lake. The columns are those of PostgreSQL 16.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::OWNER_OID;
use super::absent::ABSENT;
use super::listing::{Entry, Listing};
use super::settings::SETTINGS;
use super::table::{Table, Value};
use crate::engine::session::{CATALOG, OWNER};
use crate::error::Result;

const PG_CLASS: &str = "oid oid, relname text, relnamespace oid, reltype oid=0, reloftype oid=0, relowner oid=10, \
    relam oid=0, relfilenode oid=0, reltablespace oid=0, relpages int4=0, reltuples float4=-1, relallvisible int4=0, \
    reltoastrelid oid=0, relhasindex bool=false, relisshared bool=false, relpersistence char=p, relkind char, \
    relnatts int2, relchecks int2=0, relhasrules bool=false, relhastriggers bool=false, relhassubclass bool=false, \
    relrowsecurity bool=false, relforcerowsecurity bool=false, relispopulated bool=true, relreplident char=n, \
    relispartition bool=false, relrewrite oid=0, relfrozenxid int4=0, relminmxid int4=0, relacl text[], \
    reloptions text[], relpartbound text";

const PG_ATTRIBUTE: &str = "attrelid oid, attname text, atttypid oid, attlen int2, attnum int2, attcacheoff int4=-1, \
    atttypmod int4, attndims int2=0, attbyval bool=false, attalign char=i, attstorage char=p, attcompression text=, \
    attnotnull bool, atthasdef bool=false, atthasmissing bool=false, attidentity text=, attgenerated text=, \
    attisdropped bool=false, attislocal bool=true, attinhcount int2=0, attstattarget int2=-1, attcollation oid=0, \
    attacl text[], attoptions text[], attfdwoptions text[], attmissingval text[]";

const PG_CONSTRAINT: &str = "oid oid, conname text, connamespace oid, contype char, condeferrable bool=false, \
    condeferred bool=false, convalidated bool=true, conrelid oid, contypid oid=0, conindid oid, conparentid oid=0, \
    confrelid oid=0, confupdtype text, confdeltype text, confmatchtype text, conislocal bool=true, \
    coninhcount int2=0, connoinherit bool=true, conkey int2[], confkey int2[], conpfeqop text[], conppeqop text[], \
    conffeqop text[], confdelsetcols int2[], conexclop text[], conbin text";

const PG_INDEX: &str = "indexrelid oid, indrelid oid, indnatts int2, indnkeyatts int2, indisunique bool=true, \
    indnullsnotdistinct bool=false, indisprimary bool=true, indisexclusion bool=false, indimmediate bool=true, \
    indisclustered bool=false, indisvalid bool=true, indcheckxmin bool=false, indisready bool=true, \
    indislive bool=true, indisreplident bool=false, indkey int2[], indcollation int2[], indclass int2[], \
    indoption int2[], indexprs text, indpred text";

/// Every such table by its name.
pub fn tables(
    listing: &Listing,
    views: &BTreeMap<String, String>,
) -> Result<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    let mut tables = vec![
        ("pg_class", classes(listing).build()?),
        ("pg_attribute", attributes(listing).build()?),
        ("pg_constraint", constraints(listing).build()?),
        ("pg_index", indexes(listing).build()?),
        ("pg_description", descriptions(listing).build()?),
        ("pg_namespace", namespaces(listing).build()?),
        ("pg_database", databases(listing).build()?),
        ("pg_tables", pg_tables(listing).build()?),
        ("pg_views", pg_views(listing, views).build()?),
        ("pg_indexes", pg_indexes(listing).build()?),
        ("pg_roles", roles("rol").build()?),
        ("pg_user", roles("use").build()?),
        ("pg_settings", settings().build()?),
    ];
    for (name, columns) in ABSENT {
        tables.push((name, Table::new(columns).build()?));
    }
    Ok(tables)
}

/// The columns of those tables, before there are any rows: they list themselves.
pub fn schemas() -> Result<Vec<(&'static str, Arc<dyn TableProvider>)>> {
    tables(&Listing::new(&[], &[]), &BTreeMap::new())
}

fn classes(listing: &Listing) -> Table {
    let mut table = Table::new(PG_CLASS);
    for entry in &listing.relations {
        table.row([
            ("oid", entry.oid.into()),
            ("relname", entry.name.as_str().into()),
            ("relnamespace", entry.schema_oid.into()),
            ("relfilenode", entry.oid.into()),
            ("relhasindex", entry.indexed.into()),
            ("relkind", if entry.view { "v" } else { "r" }.into()),
            ("relnatts", count(entry.columns.len())),
        ]);
    }
    for key in listing.primary_keys() {
        table.row([
            ("oid", key.index_oid.into()),
            ("relname", key.name.as_str().into()),
            ("relnamespace", key.schema_oid.into()),
            ("relkind", "i".into()),
            ("relnatts", count(key.columns.len())),
        ]);
    }
    table
}

fn attributes(listing: &Listing) -> Table {
    let mut table = Table::new(PG_ATTRIBUTE);
    for entry in &listing.relations {
        for (at, column) in entry.columns.iter().enumerate() {
            table.row([
                ("attrelid", entry.oid.into()),
                ("attname", column.name.as_str().into()),
                ("atttypid", column.kind.oid.into()),
                ("attlen", column.kind.len.into()),
                ("attnum", count(at + 1)),
                ("atttypmod", column.kind.modifier.into()),
                ("attbyval", (column.kind.len > 0 && column.kind.len <= 8).into()),
                ("attstorage", if column.kind.len > 0 { "p" } else { "x" }.into()),
                ("attnotnull", (!column.nullable).into()),
            ]);
        }
        keys_of(entry, listing, &mut table);
    }
    table
}

/// The columns of the index of `entry`'s primary key.
fn keys_of(entry: &Entry, listing: &Listing, table: &mut Table) {
    for key in listing.primary_keys().filter(|key| key.table_oid == entry.oid) {
        for (at, number) in key.columns.iter().enumerate() {
            let position = usize::try_from(number - 1).ok();
            let Some(column) = position.and_then(|at| entry.columns.get(at)) else { continue };
            table.row([
                ("attrelid", key.index_oid.into()),
                ("attname", column.name.as_str().into()),
                ("atttypid", column.kind.oid.into()),
                ("attlen", column.kind.len.into()),
                ("attnum", count(at + 1)),
                ("atttypmod", column.kind.modifier.into()),
                ("attnotnull", false.into()),
            ]);
        }
    }
}

fn constraints(listing: &Listing) -> Table {
    let mut table = Table::new(PG_CONSTRAINT);
    for key in &listing.constraints {
        let to = key.refers.as_ref();
        table.row([
            ("oid", key.oid.into()),
            ("conname", key.name.as_str().into()),
            ("connamespace", key.schema_oid.into()),
            ("contype", if to.is_some() { "f" } else { "p" }.into()),
            ("conrelid", key.table_oid.into()),
            ("conindid", key.index_oid.into()),
            ("conkey", key.columns.clone().into()),
            ("confrelid", to.map_or(0, |t| t.table_oid).into()),
            ("confkey", to.map(|t| t.columns.clone()).into()),
            ("confupdtype", if to.is_some() { "a" } else { " " }.into()),
            ("confdeltype", if to.is_some() { "a" } else { " " }.into()),
            ("confmatchtype", if to.is_some() { "s" } else { " " }.into()),
        ]);
    }
    table
}

fn indexes(listing: &Listing) -> Table {
    let mut table = Table::new(PG_INDEX);
    for key in listing.primary_keys() {
        table.row([
            ("indexrelid", key.index_oid.into()),
            ("indrelid", key.table_oid.into()),
            ("indnatts", count(key.columns.len())),
            ("indnkeyatts", count(key.columns.len())),
            ("indkey", key.columns.clone().into()),
            ("indcollation", vec![0; key.columns.len()].into()),
            ("indclass", vec![0; key.columns.len()].into()),
            ("indoption", vec![0; key.columns.len()].into()),
        ]);
    }
    table
}

fn descriptions(listing: &Listing) -> Table {
    let mut table = Table::new("objoid oid, classoid oid=1259, objsubid int4=0, description text");
    for entry in &listing.relations {
        let columns = entry.columns.iter().enumerate().map(|(at, c)| (at + 1, &c.about));
        for (number, about) in std::iter::once((0, &entry.about)).chain(columns).filter(|(_, about)| !about.is_empty())
        {
            table.row([
                ("objoid", entry.oid.into()),
                ("objsubid", count(number)),
                ("description", about.as_str().into()),
            ]);
        }
    }
    table
}

fn namespaces(listing: &Listing) -> Table {
    let mut table = Table::new("oid oid, nspname text, nspowner oid=10, nspacl text[]");
    for (name, oid) in &listing.schemas {
        table.row([("oid", (*oid).into()), ("nspname", (*name).into())]);
    }
    table
}

fn databases(listing: &Listing) -> Table {
    let mut table = Table::new(
        "oid oid, datname text, datdba oid=10, encoding int4=6, datlocprovider char=c, datistemplate bool=false, \
        datallowconn bool=true, datconnlimit int4=-1, datfrozenxid int4=0, datminmxid int4=1, dattablespace oid=1663, \
        datcollate text=C, datctype text=C, daticulocale text, daticurules text, datcollversion text, datacl text[]",
    );
    table.row([("oid", listing.database.into()), ("datname", CATALOG.into())]);
    table
}

fn pg_tables(listing: &Listing) -> Table {
    let mut table = Table::new(
        "schemaname text, tablename text, tableowner text=saleslake, tablespace text, hasindexes bool, \
        hasrules bool=false, hastriggers bool=false, rowsecurity bool=false",
    );
    for entry in listing.relations.iter().filter(|e| !e.view) {
        table.row([
            ("schemaname", entry.schema.as_str().into()),
            ("tablename", entry.name.as_str().into()),
            ("hasindexes", entry.indexed.into()),
        ]);
    }
    table
}

fn pg_views(listing: &Listing, views: &BTreeMap<String, String>) -> Table {
    let mut table = Table::new("schemaname text, viewname text, viewowner text=saleslake, definition text");
    for entry in listing.relations.iter().filter(|e| e.view) {
        table.row([
            ("schemaname", entry.schema.as_str().into()),
            ("viewname", entry.name.as_str().into()),
            ("definition", views.get(&entry.name).cloned().into()),
        ]);
    }
    table
}

fn pg_indexes(listing: &Listing) -> Table {
    let mut table = Table::new("schemaname text, tablename text, indexname text, tablespace text, indexdef text");
    for key in listing.primary_keys() {
        table.row([
            ("schemaname", key.schema.as_str().into()),
            ("tablename", key.table.as_str().into()),
            ("indexname", key.name.as_str().into()),
            ("indexdef", super::functions::index_definition(key).into()),
        ]);
    }
    table
}

/// `pg_roles` and `pg_user`, which differ in their columns' prefix.
fn roles(prefix: &str) -> Table {
    let user = prefix == "use";
    let (name, oid) = if user { ("usename", "usesysid") } else { ("rolname", "oid") };
    let mut table = Table::new(if user {
        "usename text, usesysid oid, usecreatedb bool=false, usesuper bool=false, userepl bool=false, \
        usebypassrls bool=false, passwd text, valuntil text, useconfig text[]"
    } else {
        "rolname text, rolsuper bool=false, rolinherit bool=true, rolcreaterole bool=false, rolcreatedb bool=false, \
        rolcanlogin bool=true, rolreplication bool=false, rolconnlimit int4=-1, rolpassword text, rolvaliduntil text, \
        rolbypassrls bool=false, rolconfig text[], oid oid"
    });
    table.row([(name, OWNER.into()), (oid, OWNER_OID.into())]);
    table
}

fn settings() -> Table {
    let mut table = Table::new(
        "name text, setting text, unit text, category text, short_desc text, extra_desc text, context text=user, \
        vartype text=string, source text=default, min_val text, max_val text, enumvals text[], boot_val text, \
        reset_val text, sourcefile text, sourceline int4, pending_restart bool=false",
    );
    for (name, value) in SETTINGS {
        let value = Value::from(*value);
        table.row([
            ("name", (*name).into()),
            ("setting", value.clone()),
            ("boot_val", value.clone()),
            ("reset_val", value),
        ]);
    }
    table
}

/// A number of columns, of which there are few.
fn count(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}
