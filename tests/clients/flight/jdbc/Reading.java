import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.Statement;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.List;
import java.util.TimeZone;

/** Types, parameters, reports, errors. */
final class Reading {
    private static final String TYPES = """
        SELECT CAST('tea 茶' AS VARCHAR) AS text_value, DATE '2026-01-31' AS date_value,
            arrow_cast('2026-01-31T12:34:56.789012Z', 'Timestamp(Microsecond, Some("UTC"))') AS instant_value,
            CAST('12345.6789' AS DECIMAL(18,4)) AS decimal_value, true AS bool_value, CAST(7 AS INT) AS int_value,
            CAST(9000000000 AS BIGINT) AS bigint_value, CAST(0.25 AS DOUBLE) AS double_value, make_array(1, 2, 3) AS list_value,
            X'00ff' AS binary_value, CAST(NULL AS VARCHAR) AS null_value, arrow_cast('view', 'Utf8View') AS view_value,
            arrow_cast('dictionary', 'Dictionary(Int32, Utf8)') AS dictionary_value""";
    private static final int[] KINDS = {
        Types.VARCHAR, Types.DATE, Types.TIMESTAMP_WITH_TIMEZONE, Types.DECIMAL, Types.BOOLEAN, Types.INTEGER, Types.BIGINT, Types.DOUBLE,
        Types.ARRAY, Types.VARBINARY, Types.VARCHAR, Types.VARCHAR, Types.VARCHAR
    };
    private static final String FILTERED = """
        SELECT count(*) AS n FROM base.order_line WHERE line_no >= ? AND channel_id = ? AND business_date >= ?
            AND net_amount > ? AND confirmed_at < ? AND is_test = ?""";
    private static final String WRITTEN = """
        SELECT count(*) AS n FROM base.order_line WHERE line_no >= 1 AND channel_id = 'web' AND business_date >= DATE '%s'
            AND net_amount > CAST('20.5' AS DECIMAL(18,4)) AND confirmed_at < arrow_cast('2026-06-01T00:00:00Z', 'Timestamp(Microsecond, Some("UTC"))')
            AND is_test = false""";
    private static final String LATE_ERROR = """
        SELECT CAST(CASE WHEN value = 900000 THEN 'tea' ELSE '1' END AS BIGINT) AS n
            FROM generate_series(1, 1000000) AS t(value)""";
    private static final Calendar UTC = Calendar.getInstance(TimeZone.getTimeZone("UTC"));

    private final Connection lake;

    Reading(Connection lake) {
        this.lake = lake;
    }

    void run() throws Exception {
        Check.step("types");
        types();
        Check.step("parameters");
        parameters();
        Check.step("a report");
        report();
        Check.step("errors");
        errors();
    }

    private void types() throws Exception {
        try (Statement statement = lake.createStatement(); ResultSet row = statement.executeQuery(TYPES)) {
            ResultSetMetaData about = row.getMetaData();
            Check.equal("columns", about.getColumnCount(), KINDS.length);
            for (int i = 1; i <= KINDS.length; i++) {
                String name = about.getColumnName(i);
                Check.equal("type of " + name, about.getColumnType(i), KINDS[i - 1]);
                Check.equal("label of " + name, about.getColumnLabel(i), name);
            }
            Check.holds("a row", row.next());
            Check.equal("text", row.getString("text_value"), "tea 茶");
            Check.equal("date", row.getDate("date_value", UTC).toString(), "2026-01-31");
            Check.equal("instant", row.getTimestamp("instant_value", UTC).toInstant(), Instant.parse("2026-01-31T12:34:56.789012Z"));
            Check.equal("decimal", row.getBigDecimal("decimal_value"), new BigDecimal("12345.6789"));
            Check.equal("bool", row.getBoolean("bool_value"), true);
            Check.equal("int", row.getInt("int_value"), 7);
            Check.equal("bigint", row.getLong("bigint_value"), 9_000_000_000L);
            Check.equal("double", row.getDouble("double_value"), 0.25);
            Array list = row.getArray("list_value");
            Check.equal("list", Arrays.toString((Object[]) list.getArray()), "[1, 2, 3]");
            Check.holds("binary", Arrays.equals(row.getBytes("binary_value"), new byte[] {0, (byte) 0xff}));
            Check.equal("NULL", row.getString("null_value"), null);
            Check.holds("it was NULL", row.wasNull());
            Check.equal("view", row.getString("view_value"), "view");
            Check.equal("dictionary", row.getString("dictionary_value"), "dictionary");
            for (int i = 1; i <= KINDS.length; i++) {
                row.getString(i);
                if (KINDS[i - 1] != Types.TIMESTAMP_WITH_TIMEZONE) { // "not implemented" in 18.3.0; later versions do it
                    row.getObject(i);
                }
            }
            Check.holds("one row", !row.next());
        }
        String labels = "SELECT order_id, net_amount AS \"Umsatz €\" FROM base.order_line LIMIT 1";
        try (Statement statement = lake.createStatement(); ResultSet row = statement.executeQuery(labels)) {
            ResultSetMetaData about = row.getMetaData();
            Check.equal("a label is the column's name, not its description", about.getColumnLabel(1), "order_id");
            Check.equal("an alias", about.getColumnLabel(2), "Umsatz €");
            Check.holds("a row", row.next() && row.getBigDecimal("Umsatz €") != null);
        }
    }

    private void parameters() throws Exception {
        Object all = Check.value(lake, WRITTEN.formatted("2026-01-01"));
        Object few = Check.value(lake, WRITTEN.formatted("2026-04-01"));
        Check.holds("the questions find something: " + all + ", " + few, (Long) all > (Long) few && (Long) few > 0);
        try (PreparedStatement statement = lake.prepareStatement(FILTERED)) {
            Check.equal("parameters told", statement.getParameterMetaData().getParameterCount(), 6);
            Check.equal("columns told before it runs", statement.getMetaData().getColumnName(1), "n");
            for (int again = 0; again < 2; again++) {
                Check.equal("from January", count(statement, "2026-01-01", "web"), all);
                Check.equal("from April", count(statement, "2026-04-01", "web"), few);
            }
            Check.equal("NULL equals nothing", count(statement, "2026-01-01", null), 0L);
            Check.equal("a value is never SQL", count(statement, "2026-01-01", "web' OR '1'='1"), 0L);
        }
        try (PreparedStatement statement = lake.prepareStatement("SELECT ? AS echo")) {
            statement.setString(1, "茶");
            try (ResultSet row = statement.executeQuery()) {
                Check.equal("a parameter of no known type is text", row.next() ? row.getString(1) : null, "茶");
            }
        }
        try (PreparedStatement statement = lake.prepareStatement("SELECT count(*) AS n FROM channel WHERE channel_id = $1")) {
            statement.setString(1, "web");
            try (ResultSet row = statement.executeQuery()) {
                Check.equal("$1", row.next() ? row.getLong(1) : null, 1L);
            }
        }
    }

    private static Object count(PreparedStatement statement, String since, String channel) throws Exception {
        statement.setInt(1, 1);
        if (channel == null) {
            statement.setNull(2, Types.VARCHAR);
        } else {
            statement.setString(2, channel);
        }
        statement.setDate(3, Date.valueOf(since));
        statement.setBigDecimal(4, new BigDecimal("20.5000")); // the driver takes no other scale than the column's
        statement.setTimestamp(5, Timestamp.from(Instant.parse("2026-06-01T00:00:00Z")));
        statement.setBoolean(6, false);
        try (ResultSet row = statement.executeQuery()) {
            Check.holds("a row", row.next());
            return row.getLong(1);
        }
    }

    private void report() throws Exception {
        List<String> regions = new ArrayList<>();
        try (Statement statement = lake.createStatement();
            ResultSet rows = statement.executeQuery("SELECT * FROM report('sales-by-region', 'from=2025-01-01')")) {
            while (rows.next()) {
                regions.add(rows.getString("region_id"));
                Check.holds("net sales are money", rows.getBigDecimal("net_sales") != null);
            }
        }
        Check.holds("regions: " + regions, regions.size() > 3);
    }

    private void errors() throws Exception {
        fails("a misspelt table", "SELECT * FROM sales_evnt", "sales_evnt", "sales_event");
        fails("bad syntax", "SELEC 1", "SELEC");
        fails("a deletion", "DELETE FROM base.order_line", "read");
        // The driver lets it through as Flight's own exception, which is none of SQL's.
        Check.failed("an error while the rows come", () -> count(LATE_ERROR), "tea");
        try (PreparedStatement statement = lake.prepareStatement("SELECT count(*) FROM channel WHERE channel_id = ?")) {
            Check.failed("no value for a parameter", statement::executeQuery);
        }
        Check.equal("the connection goes on", Check.value(lake, "SELECT CAST(42 AS INT) AS answer"), 42);
    }

    private void fails(String what, String sql, String... words) {
        Check.fails(what, () -> count(sql), words);
    }

    private int count(String sql) throws Exception {
        try (Statement statement = lake.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            int count = 0;
            while (rows.next()) {
                count++;
            }
            return count;
        }
    }
}
