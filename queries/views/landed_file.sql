-- ---
-- title = { en = "Files and pushes that were read", zh = "已读取的文件" }
-- about = """One row per file or push and batch that read it, or that corrected its account later (records that were tried again, a file that
-- was mapped anew): the counts of a file are the sums of its rows. read = landed + duplicate + late_ignored + skipped + quarantined."""
-- [columns]
-- batch_id = "the batch"
-- source_file_id = "the file or push"
-- source = "the source definition"
-- source_system = "its system"
-- landed_at = "when it had landed"
-- read_records = "records read"
-- landed_records = "records with a new or replacing row"
-- duplicate_records = "records of which the lake had every row"
-- late_records = "records older than what the lake has"
-- skipped_records = "records left out by a declared predicate"
-- quarantined_records = "records that a rule stopped; below 0 on a correction: so many have left"
-- ---
SELECT
    f.batch_id,
    f.source_file_id,
    min(f.source) AS source,
    min(f.source_system) AS source_system,
    max(f.finished_at) AS landed_at,
    sum(f."read") AS read_records,
    sum(f.landed) AS landed_records,
    sum(f.duplicate) AS duplicate_records,
    sum(f.late_ignored) AS late_records,
    sum(f.skipped) AS skipped_records,
    sum(f.quarantined) AS quarantined_records
FROM base.ingest_file f
GROUP BY f.batch_id, f.source_file_id
