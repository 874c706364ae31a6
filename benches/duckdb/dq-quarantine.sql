SELECT rule, source, table_name, max(severity) AS severity, min(message) AS message, count(*) AS records,
       count_if(resolved_at IS NULL) AS open_records, count(DISTINCT source_file_id) AS files,
       strftime(make_timestamp(epoch_us(min(detected_at))), '%Y-%m-%dT%H:%M:%S.%fZ') AS oldest,
       strftime(make_timestamp(epoch_us(max(detected_at))), '%Y-%m-%dT%H:%M:%S.%fZ') AS newest,
       array_to_string(list_slice(list(file || ':' || line ORDER BY file, line), 1, 3), ', ') AS sample_keys
FROM quarantine_file
WHERE resolved_at IS NULL
GROUP BY 1, 2, 3
ORDER BY records DESC, rule, source, table_name;
