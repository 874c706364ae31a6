//! The lake is kept by commands: fewer files, no leftovers, and the same rows for us and for other readers.

use std::path::Path;

use crate::common::{clone, saleslake, succeeded};
use crate::readers;

fn data_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("_delta_log") {
            found.extend(data_files(&path));
        } else if path.extension().is_some_and(|e| e == "parquet") {
            found.push(path);
        }
    }
    found.sort();
    found
}

const SUMS: &str = "SELECT 'inventory_snapshot' AS t, count(*) AS n, sum(CAST(on_hand AS DECIMAL(18,4))) AS s \
        FROM base.inventory_snapshot UNION ALL \
    SELECT 'order_charge', count(*), sum(amount_rc) FROM base.order_charge UNION ALL \
    SELECT 'order_line', count(*), sum(net_amount_rc) FROM base.order_line UNION ALL \
    SELECT 'return_line', count(*), sum(refund_net_amount_rc) FROM base.return_line ORDER BY 1";

#[test]
fn a_kept_lake_has_the_same_rows_in_fewer_files() {
    let dir = clone();
    succeeded(dir.path(), &["quickstart"]);
    let lake = dir.path().join("lake");
    let before = succeeded(dir.path(), &["sql", SUMS, "--format", "csv"]);
    let files = data_files(&lake);

    let planned = succeeded(dir.path(), &["lake", "optimize", "--dry-run", "--format", "csv"]);
    assert!(planned.starts_with("table,month,files,rows,bytes,new_files,new_bytes,result\n"), "{planned}");
    assert!(planned.contains("would be rewritten"), "the sample's landing makes small files:\n{planned}");
    assert_eq!(data_files(&lake), files);
    succeeded(dir.path(), &["lake", "optimize"]);

    // Files that were needed just now stay, until somebody insists.
    succeeded(dir.path(), &["lake", "vacuum"]);
    assert!(files.iter().all(|f| f.exists()));
    let refused = saleslake(dir.path(), &["lake", "vacuum", "--hours", "0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--force"));
    succeeded(dir.path(), &["lake", "vacuum", "--hours", "0", "--force"]);
    let kept = data_files(&lake);
    assert!(kept.len() < files.len(), "{} of {}", kept.len(), files.len());

    assert_eq!(succeeded(dir.path(), &["sql", SUMS, "--format", "csv"]), before);
    let json = succeeded(dir.path(), &["lake", "doctor", "--deep", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let rows = json["rows"].as_array().expect("rows");
    assert!(rows.iter().any(|r| r["table"] == "order_line" && r["check"] == "table"), "{json}");
    assert!(rows.iter().all(|r| r["status"] == "ok"), "{json}");
    let test = "a_kept_lake_has_the_same_rows_in_fewer_files";
    readers::agrees(test, "deltalake", &lake, SUMS, &readers::answers(dir.path(), SUMS));

    let lost = kept.iter().find(|f| f.to_string_lossy().contains("order_line")).expect("a file of order_line");
    std::fs::remove_file(lost).expect("removed");
    let out = saleslake(dir.path(), &["lake", "doctor", "--format", "csv"]);
    assert_eq!(out.status.code(), Some(8), "{}", String::from_utf8_lossy(&out.stderr));
    let name = lost.file_name().expect("a name").to_string_lossy().into_owned();
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(told.lines().any(|l| l.starts_with("order_line,,broken,file,") && l.contains(&name)), "{told}");
}
