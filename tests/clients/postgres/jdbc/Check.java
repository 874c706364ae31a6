import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;

/**
 * What DBeaver, Metabase and Tableau do through PostgreSQL's JDBC driver: java Check.java URL USER PASSWORD SLOW LARGE ROWS.
 * One line per check, as run.py's other clients; ends with 1 if one fails.
 */
public class Check {
    interface Body { void run(Connection connection) throws Exception; }

    static String url;
    static final Properties LOGIN = new Properties();
    static int failed = 0;

    public static void main(String[] args) {
        url = args[0];
        LOGIN.setProperty("user", args[1]);
        if (!args[2].isEmpty()) LOGIN.setProperty("password", args[2]);
        String slow = args[3], large = args[4];
        int rows = Integer.parseInt(args[5]);
        check("catalogs and schemas", Check::schemas);
        check("tables, views and columns", Check::tables);
        check("keys", Check::keys);
        check("the rest of the metadata", Check::rest);
        check("types", Check::types);
        check("prepared statements, text then binary", Check::prepared);
        check("parameters whose type the server tells", Check::untyped);
        check("a fetch size makes a cursor", c -> fetchSize(c, large, rows));
        check("cancel", c -> cancel(c, slow));
        check("a query timeout", c -> timeout(c, slow));
        check("transactions, read only, schema", Check::sessions);
        check("errors and autosave", Check::errors);
        check("a report", Check::report);
        System.exit(failed == 0 ? 0 : 1);
    }

    static void check(String name, Body body, String... settings) {
        long start = System.nanoTime();
        try (Connection connection = connect(settings)) {
            body.run(connection);
            System.out.printf("ok      jdbc: %s (%.2f s)%n", name, (System.nanoTime() - start) / 1e9);
        } catch (Throwable error) {
            failed++;
            String where = Arrays.stream(error.getStackTrace()).filter(f -> f.getClassName().equals("Check")).findFirst()
                .map(f -> " at line " + f.getLineNumber()).orElse("");
            System.out.println("FAILED  jdbc: " + name + ": " + error + where);
        }
    }

    static Connection connect(String... settings) throws SQLException {
        Properties all = new Properties();
        all.putAll(LOGIN);
        for (String setting : settings) all.setProperty(setting.split("=", 2)[0], setting.split("=", 2)[1]);
        return DriverManager.getConnection(url, all);
    }

    static void equal(Object found, Object expected) {
        if (!java.util.Objects.equals(found, expected)) throw new AssertionError("found " + found + ", expected " + expected);
    }

    static void holds(boolean condition, String says) {
        if (!condition) throw new AssertionError(says);
    }

    /** The columns of all rows, joined. */
    static List<String> rows(ResultSet result, String... columns) throws SQLException {
        List<String> rows = new ArrayList<>();
        while (result.next()) {
            List<String> cells = new ArrayList<>();
            for (String column : columns) cells.add(String.valueOf(result.getObject(column)));
            rows.add(String.join("|", cells));
        }
        return rows;
    }

    static void schemas(Connection c) throws Exception {
        DatabaseMetaData meta = c.getMetaData();
        equal(meta.getDatabaseProductName(), "PostgreSQL");
        holds(meta.getDatabaseMajorVersion() >= 12, "version " + meta.getDatabaseProductVersion());
        String database = c.getCatalog();
        holds(rows(meta.getCatalogs(), "TABLE_CAT").contains(database), "the catalogs lack " + database);
        List<String> schemas = rows(meta.getSchemas(), "TABLE_SCHEM", "TABLE_CATALOG");
        holds(schemas.contains("main|" + database) && schemas.contains("base|" + database), "schemas " + schemas);
        equal(c.getSchema(), "main");
    }

    static void tables(Connection c) throws Exception {
        DatabaseMetaData meta = c.getMetaData();
        List<String> tables = rows(meta.getTables(null, "%", "%", new String[] {"TABLE", "VIEW"}), "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE");
        holds(tables.contains("main|sales_event|VIEW") && tables.contains("base|order_line|TABLE"), "tables " + tables);
        holds(tables.stream().noneMatch(t -> t.startsWith("pg_catalog")), "the catalogue's own tables are listed as the user's");
        List<String> about = rows(meta.getTables(null, "main", "sales\\_event", null), "TABLE_NAME", "REMARKS");
        holds(about.size() == 1 && about.get(0).contains("event of sales") || about.get(0).contains("business event"), "remarks " + about);
        ResultSet columns = meta.getColumns(null, "main", "sales_event", "%");
        boolean seen = false;
        int last = 0;
        while (columns.next()) {
            equal(columns.getInt("ORDINAL_POSITION"), ++last);
            if (!columns.getString("COLUMN_NAME").equals("net_rc")) continue;
            seen = true;
            equal(columns.getInt("DATA_TYPE"), Types.NUMERIC);
            equal(columns.getString("TYPE_NAME"), "numeric");
            equal(columns.getInt("COLUMN_SIZE"), 18);
            equal(columns.getInt("DECIMAL_DIGITS"), 4);
            holds(String.valueOf(columns.getString("REMARKS")).contains("reporting currency"), "remarks " + columns.getString("REMARKS"));
        }
        holds(seen, "no column net_rc among " + last);
        List<String> order = rows(meta.getColumns(null, "base", "order_line", "%"), "COLUMN_NAME", "TYPE_NAME", "IS_NULLABLE");
        holds(order.contains("order_id|text|NO") && order.contains("created_at|timestamptz|YES") || order.contains("created_at|timestamptz|NO"), "columns " + order);
        holds(order.contains("business_date|date|YES") || order.contains("business_date|date|NO"), "columns " + order);
    }

    static void keys(Connection c) throws Exception {
        DatabaseMetaData meta = c.getMetaData();
        equal(rows(meta.getPrimaryKeys(null, "base", "order_line"), "COLUMN_NAME", "KEY_SEQ"), List.of("source_system|1", "order_id|2", "order_line_id|3"));
        List<String> imported = rows(meta.getImportedKeys(null, "base", "order_line"), "FKCOLUMN_NAME", "PKTABLE_SCHEM", "PKTABLE_NAME", "PKCOLUMN_NAME");
        holds(imported.contains("product_id|main|product|product_id"), "imported keys " + imported);
        List<String> exported = rows(meta.getExportedKeys(null, "main", "product"), "FKTABLE_NAME", "FKCOLUMN_NAME");
        holds(exported.contains("order_line|product_id"), "exported keys " + exported);
        rows(meta.getCrossReference(null, "main", "product", null, "base", "order_line"), "FKTABLE_NAME");
        equal(rows(meta.getPrimaryKeys(null, "main", "sales_event"), "COLUMN_NAME"), List.of());
    }

    static void rest(Connection c) throws Exception {
        DatabaseMetaData meta = c.getMetaData();
        Set<String> types = new TreeSet<>(rows(meta.getTypeInfo(), "TYPE_NAME"));
        holds(types.containsAll(Set.of("bool", "int2", "int4", "int8", "float4", "float8", "numeric", "text", "date", "timestamp", "timestamptz")), "types " + types);
        holds(rows(meta.getTableTypes(), "TABLE_TYPE").contains("VIEW"), "no table type VIEW");
        rows(meta.getIndexInfo(null, "base", "order_line", false, true), "INDEX_NAME");
        rows(meta.getBestRowIdentifier(null, "base", "order_line", 1, true), "COLUMN_NAME");
        rows(meta.getTablePrivileges(null, "main", "%"), "PRIVILEGE");
        rows(meta.getFunctions(null, "main", "%"), "FUNCTION_NAME");
        rows(meta.getProcedures(null, "main", "%"), "PROCEDURE_NAME");
        rows(meta.getClientInfoProperties(), "NAME");
        holds(meta.getMaxColumnNameLength() > 0 && meta.getSQLKeywords() != null, "limits");
        rows(meta.getUDTs(null, null, "%", null), "TYPE_NAME");
    }

    static void types(Connection c) throws Exception {
        String sql = "SELECT CAST(7 AS SMALLINT) AS a, CAST(-70000 AS INTEGER) AS b, CAST(9007199254740993 AS BIGINT) AS c, "
            + "CAST(0.1 AS DOUBLE PRECISION) AS d, CAST('-12.3400' AS NUMERIC(18,4)) AS e, CAST('x' AS TEXT) AS f, (1 = 1) AS g, "
            + "CAST('2026-02-28' AS DATE) AS h, CAST('2026-02-28T13:14:15Z' AS TIMESTAMP WITH TIME ZONE) AS i, CAST(NULL AS TEXT) AS j, ARRAY['a','b'] AS k";
        try (PreparedStatement statement = c.prepareStatement(sql)) {
            for (int run = 0; run < 8; run++) {  // from the sixth on its own statement and binary values
                ResultSet r = statement.executeQuery();
                r.next();
                equal(r.getShort(1), (short) 7);
                equal(r.getInt(2), -70000);
                equal(r.getLong(3), 9007199254740993L);
                equal(r.getDouble(4), 0.1);
                equal(r.getBigDecimal(5), new BigDecimal("-12.3400"));
                equal(r.getString(6), "x");
                equal(r.getBoolean(7), true);
                equal(r.getObject(8, LocalDate.class), LocalDate.of(2026, 2, 28));
                equal(r.getObject(9, OffsetDateTime.class).toInstant().toString(), "2026-02-28T13:14:15Z");
                equal(r.getString(10), null);
                equal(Arrays.asList((Object[]) r.getArray(11).getArray()), List.of("a", "b"));
            }
            ResultSetMetaData meta = statement.executeQuery().getMetaData();
            equal(meta.getColumnTypeName(5), "numeric");
            equal(List.of(meta.getPrecision(5), meta.getScale(5)), List.of(18, 4));
            equal(meta.getColumnType(9), Types.TIMESTAMP);
            equal(meta.isNullable(6) != 0, true);
        }
    }

    static void prepared(Connection c) throws Exception {
        String sql = "SELECT count(*), sum(net_rc) FROM sales_event WHERE channel_id = ? AND net_rc > ? AND sale_lines >= ?";
        Set<String> answers = new TreeSet<>();
        try (PreparedStatement statement = c.prepareStatement(sql)) {
            equal(statement.getParameterMetaData().getParameterCount(), 3);
            equal(statement.getMetaData().getColumnTypeName(1), "int8");
            for (int run = 0; run < 10; run++) {
                statement.setString(1, "web");
                statement.setBigDecimal(2, new BigDecimal("0.5"));
                statement.setLong(3, 0);
                ResultSet r = statement.executeQuery();
                r.next();
                holds(r.getLong(1) > 0, "no rows");
                answers.add(r.getLong(1) + " " + r.getBigDecimal(2));
            }
        }
        equal(answers.size(), 1);
    }

    static void untyped(Connection c) throws Exception {
        List<Long> counts = new ArrayList<>();
        try (PreparedStatement statement = c.prepareStatement("SELECT count(*) FROM sales_event WHERE business_date >= ? AND business_date < ? LIMIT ?")) {
            for (int run = 0; run < 7; run++) {
                if (run % 2 == 0) statement.setDate(1, Date.valueOf("2026-01-01"));
                else statement.setObject(1, LocalDate.of(2026, 1, 1));
                statement.setObject(2, LocalDate.of(2027, 1, 1));
                statement.setInt(3, 5);
                ResultSet r = statement.executeQuery();
                r.next();
                counts.add(r.getLong(1));
            }
        }
        holds(counts.get(0) > 0 && new TreeSet<>(counts).size() == 1, "counts " + counts);
        try (Connection unspecified = connect("stringtype=unspecified");
            PreparedStatement statement = unspecified.prepareStatement("SELECT count(*) FROM sales_event WHERE business_date >= ? AND business_date < ?")) {
            statement.setString(1, "2026-01-01");
            statement.setString(2, "2027-01-01");
            ResultSet r = statement.executeQuery();
            r.next();
            equal(r.getLong(1), counts.get(0));
        }
        try (Connection simple = connect("preferQueryMode=simple");
            PreparedStatement statement = simple.prepareStatement("SELECT count(*) FROM sales_event WHERE channel_id = ? AND sale_lines > ?")) {
            statement.setString(1, "web");
            statement.setInt(2, -1);
            ResultSet r = statement.executeQuery();
            r.next();
            holds(r.getLong(1) > 0, "no rows in the simple protocol");
        }
    }

    static void fetchSize(Connection c, String large, int rows) throws Exception {
        c.setAutoCommit(false);
        try (Statement statement = c.createStatement()) {
            statement.setFetchSize(1000);
            ResultSet r = statement.executeQuery(large);
            int n = 0;
            while (r.next()) n++;
            equal(n, rows);
            ResultSet left = statement.executeQuery(large);  // left after a few rows
            for (int i = 0; i < 5; i++) holds(left.next(), "rows");
            left.close();
            statement.setMaxRows(7);
            ResultSet few = statement.executeQuery(large);
            n = 0;
            while (few.next()) n++;
            equal(n, 7);
        }
        c.commit();
    }

    static void cancel(Connection c, String slow) throws Exception {
        try (Statement statement = c.createStatement()) {
            Thread thread = new Thread(() -> {
                try {
                    Thread.sleep(500);
                    statement.cancel();
                } catch (Exception e) {
                    System.out.println("cancel: " + e);
                }
            });
            thread.start();
            long start = System.nanoTime();
            try {
                statement.executeQuery(slow);
                throw new AssertionError("it ended by itself");
            } catch (SQLException error) {
                equal(error.getSQLState(), "57014");
            }
            holds(System.nanoTime() - start < 5_500_000_000L, "the cancel took too long");
            thread.join();
            holds(statement.executeQuery("SELECT 1").next(), "the connection afterwards");
        }
    }

    static void timeout(Connection c, String slow) throws Exception {
        try (Statement statement = c.createStatement()) {
            statement.setQueryTimeout(1);
            try {
                statement.executeQuery(slow);
                throw new AssertionError("it ended by itself");
            } catch (SQLException error) {
                equal(error.getSQLState(), "57014");
            }
        }
    }

    static void sessions(Connection c) throws Exception {
        c.setReadOnly(true);
        c.setAutoCommit(false);
        c.setTransactionIsolation(Connection.TRANSACTION_READ_UNCOMMITTED);
        c.getTransactionIsolation();
        holds(c.createStatement().executeQuery("SELECT 1").next(), "rows");
        c.commit();
        c.rollback();
        c.setAutoCommit(true);
        holds(c.isValid(3), "not valid");
        c.setSchema("base");
        equal(c.getSchema(), "base");
        holds(c.createStatement().executeQuery("SELECT count(*) FROM order_line").next(), "rows");
        c.setClientInfo("ApplicationName", "check");
        try (Connection schema = connect("currentSchema=base", "ApplicationName=check", "options=-c statement_timeout=60000")) {
            equal(schema.getSchema(), "base");
        }
    }

    static void errors(Connection c) throws Exception {
        for (String[] pair : new String[][] {{"SELECT * FROM nothing_here", "42P01"}, {"SELECT nothing FROM sales_event", "42703"}}) {
            try {
                c.createStatement().executeQuery(pair[0]);
                throw new AssertionError("no error: " + pair[0]);
            } catch (SQLException error) {
                equal(error.getSQLState(), pair[1]);
            }
        }
        try (Connection saving = connect("autosave=always")) {  // a savepoint before every statement
            saving.setAutoCommit(false);
            holds(saving.createStatement().executeQuery("SELECT 1").next(), "rows");
            try {
                saving.createStatement().executeQuery("SELECT * FROM nothing_here");
                throw new AssertionError("no error");
            } catch (SQLException error) {
                equal(error.getSQLState(), "42P01");
            }
            holds(saving.createStatement().executeQuery("SELECT 2").next(), "the transaction went on");
            saving.commit();
        }
    }

    static void report(Connection c) throws Exception {
        try (PreparedStatement statement = c.prepareStatement("SELECT * FROM report('sales-by-region', 'from=2025-01-01')")) {
            ResultSetMetaData meta = statement.getMetaData();
            holds(meta.getColumnCount() > 1, "columns");
            for (int run = 0; run < 6; run++) holds(!rows(statement.executeQuery(), "region_id", "net_sales").isEmpty(), "no rows");
        }
    }
}
