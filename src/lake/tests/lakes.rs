//! Opening lakes, their properties, and what is refused.

use object_store::ObjectStoreExt;

use super::super::{Lake, Properties, Today};
use super::rows::{append, config, ids, memory};
use crate::error::ErrorKind;
use crate::model::{ORDER_LINE, REGION, TABLES};

#[tokio::test(flavor = "multi_thread")]
async fn a_new_lake_is_empty_and_makes_no_tables() {
    let lake = memory().await;
    let states = lake.states().await.unwrap();
    assert_eq!(states.len(), TABLES.len());
    assert!(
        states
            .iter()
            .all(|s| s.version == -1 && !s.exists() && s.files.is_empty() && s.range("business_date").is_none())
    );
    assert!(lake.history(&ORDER_LINE, 10).await.unwrap().is_empty());
    assert_ne!(lake.store_url(), memory().await.store_url());
    assert_eq!(lake.clone().store_url(), lake.store_url());
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_properties_win() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a lake/änderung");
    let first = Lake::open(&config(path.to_str().unwrap())).await.unwrap();
    assert_eq!(first.properties().today, Today::Data);
    // Looking creates nothing: until the first commit another configuration may still have the lake.
    let mut other = config(path.to_str().unwrap());
    other.currency = "USD".into();
    assert_eq!(Lake::open(&other).await.unwrap().properties().currency, "USD");
    // A folder with blanks and umlauts works throughout.
    let version = append(&first, &first.state(&REGION).await.unwrap(), "b1", 0..5).await;
    assert_eq!(version, 0);
    let mut other = config(path.to_str().unwrap());
    (other.currency, other.zone, other.today) = ("USD".into(), "UTC".into(), "2026-06-30".into());
    let second = Lake::open(&other).await.unwrap();
    assert_eq!(second.properties(), first.properties());
    assert_ne!(second.properties(), &Properties::from_config(&other).unwrap());
    // The same folder by its URL.
    let url = first.url().to_string();
    assert!(url.starts_with("file:///"), "{url}");
    assert_eq!(Lake::open(&config(&url)).await.unwrap().url(), url);
    assert_eq!(ids(&second, &second.state(&REGION).await.unwrap()).await, [0, 1, 2, 3, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_named() {
    for (field, value) in [
        ("url", "ftp://x/y"),
        ("url", "file://lake"),
        ("url", ""),
        ("currency", "EURO"),
        ("zone", "Mars"),
        ("today", "soon"),
    ] {
        let mut cfg = config("memory://");
        match field {
            "url" => cfg.url = value.into(),
            "currency" => cfg.currency = value.into(),
            "zone" => cfg.zone = value.into(),
            _ => cfg.today = value.into(),
        }
        let error = Lake::open(&cfg).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{field}={value}");
        assert!(error.message().contains(&format!("lake.{field}")), "{error}");
        assert!(error.hint_text().is_some(), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_handles_see_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let cfg = config(dir.path().to_str().unwrap());
    let (one, two) = (Lake::open(&cfg).await.unwrap(), Lake::open(&cfg).await.unwrap());
    assert_eq!(two.state(&ORDER_LINE).await.unwrap().version, -1);
    append(&one, &one.state(&ORDER_LINE).await.unwrap(), "b1", 0..10).await;
    let seen = two.state(&ORDER_LINE).await.unwrap();
    assert_eq!((seen.version, seen.rows()), (0, 10));
    append(&two, &seen, "b2", 10..30).await;
    append(&one, &one.state(&ORDER_LINE).await.unwrap(), "b3", 30..40).await;
    let seen = two.state(&ORDER_LINE).await.unwrap();
    assert_eq!(seen.version, 2);
    assert_eq!(ids(&two, &seen).await, (0..40).collect::<Vec<i64>>());
    // Nothing new: the very same state; and so for many at once.
    assert!(std::sync::Arc::ptr_eq(&seen, &two.state(&ORDER_LINE).await.unwrap()));
    let same = futures::future::try_join_all((0..50).map(|_| two.state(&ORDER_LINE))).await.unwrap();
    assert!(same.iter().all(|s| std::sync::Arc::ptr_eq(s, &seen)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_needs_more_than_a_plain_scan_is_refused() {
    for (metadata, protocol, word) in [
        (
            "",
            r#"{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}"#,
            "deletionVectors",
        ),
        (r#""delta.columnMapping.mode":"name""#, r#"{"minReaderVersion":2,"minWriterVersion":5}"#, "column"),
        ("", r#"{"minReaderVersion":1,"minWriterVersion":2}"#, "column"),
    ] {
        let lake = memory().await;
        let commit = format!(
            "{{\"protocol\":{protocol}}}\n{{\"metaData\":{{\"id\":\"x\",\"format\":{{\"provider\":\"parquet\",\"options\":{{}}}},\"schemaString\":\"{{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{{\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{{}}}}]}}\",\"partitionColumns\":[],\"configuration\":{{{metadata}}},\"createdTime\":1}}}}\n"
        );
        let path = object_store::path::Path::from("region/_delta_log/00000000000000000000.json");
        lake.object_store().put(&path, commit.into_bytes().into()).await.unwrap();
        let error = lake.state(&REGION).await.unwrap_err();
        assert!(error.message().contains(word) && error.message().contains("region"), "{error}");
    }
}
