import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.Types;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What DBeaver, Tableau and the like ask about a database before they show it. */
final class Metadata {
    private final Connection lake;
    private final DatabaseMetaData about;

    Metadata(Connection lake) throws Exception {
        this.lake = lake;
        this.about = lake.getMetaData();
    }

    void run() throws Exception {
        Check.step("the server");
        server();
        Check.step("tables");
        tables();
        Check.step("columns");
        columns();
        Check.step("keys");
        keys();
        Check.step("every question about the server");
        everything();
    }

    private void server() throws Exception {
        Check.equal("its name", about.getDatabaseProductName(), "saleslake");
        Check.holds("its version " + about.getDatabaseProductVersion(), about.getDatabaseProductVersion().matches("\\d+\\..*"));
        Check.holds("it is read-only", about.isReadOnly());
        Check.equal("the quote of names", about.getIdentifierQuoteString(), "\"");
        Check.equal("the escape of patterns", about.getSearchStringEscape(), "\\");
        Check.holds("it has no transactions", !about.supportsTransactions());
        Check.holds("it groups and joins", about.supportsGroupBy() && about.supportsOuterJoins() && about.supportsFullOuterJoins());
        Check.holds("it unites", about.supportsUnion() && about.supportsUnionAll());
        Check.holds("it nests", about.supportsSubqueriesInExists() && about.supportsSubqueriesInIns() && about.supportsCorrelatedSubqueries());
        Check.holds("keywords " + about.getSQLKeywords(), !about.getSQLKeywords().isEmpty());
        for (String functions : List.of(about.getNumericFunctions(), about.getStringFunctions(), about.getTimeDateFunctions())) {
            Check.holds("functions", functions.split(",").length > 5);
        }
    }

    private void tables() throws Exception {
        Check.equal("catalogs", Check.column(about.getCatalogs(), "TABLE_CAT"), List.of("lake"));
        List<Object> schemas = Check.column(about.getSchemas(), "TABLE_SCHEM");
        Check.contains("schemas", schemas, "main", "base", "system");
        Check.equal("schemas by a pattern", Check.column(about.getSchemas("lake", "ba%"), "TABLE_SCHEM"), List.of("base"));
        Check.equal("schemas of no catalog", Check.column(about.getSchemas("", null), "TABLE_SCHEM"), List.of());
        Check.contains("types of tables", Check.column(about.getTableTypes(), "TABLE_TYPE"), "TABLE", "VIEW");

        Check.contains("all tables", names(null, null, null), "order_line", "sales_event", "channel");
        List<Object> orders = names("lake", "base", "order\\_%");
        Check.contains("tables by a pattern", orders, "order_line", "order_charge");
        Check.holds("only those: " + orders, orders.stream().allMatch(name -> name.toString().startsWith("order_")));
        Check.equal("one letter", names("lake", "base", "order_lin_"), List.of("order_line"));
        Check.equal("names are as they are written", names("lake", "base", "ORDER_LINE"), List.of());
        Check.equal("no such schema", names("lake", "nowhere", null), List.of());
        List<Object> views = names("lake", "main", "%", "VIEW");
        Check.contains("views", views, "sales_event");
        Check.holds("no tables among views: " + views, !views.contains("channel"));
        try (ResultSet one = about.getTables("lake", "main", "sales_event", null)) {
            Check.holds("a view", one.next());
            Check.equal("its type", one.getString("TABLE_TYPE"), "VIEW");
            Check.equal("where it is", one.getString("TABLE_CAT") + "." + one.getString("TABLE_SCHEM"), "lake.main");
        }
    }

    private List<Object> names(String catalog, String schema, String table, String... types) throws Exception {
        return Check.column(about.getTables(catalog, schema, table, types.length == 0 ? null : types), "TABLE_NAME");
    }

    private void columns() throws Exception {
        Set<String> asked = Set.of("order_id", "net_amount", "business_date", "confirmed_at", "is_test", "line_no");
        TreeMap<String, Integer> kinds = new TreeMap<>();
        int last = 0;
        try (ResultSet rows = about.getColumns("lake", "base", "order_line", null)) {
            while (rows.next()) {
                String name = rows.getString("COLUMN_NAME");
                Check.equal("its table", rows.getString("TABLE_NAME"), "order_line");
                Check.equal("position of " + name, rows.getInt("ORDINAL_POSITION"), ++last);
                Check.holds("type name of " + name, !rows.getString("TYPE_NAME").isEmpty());
                if (asked.contains(name)) {
                    kinds.put(name, rows.getInt("DATA_TYPE"));
                    String remarks = rows.getString("REMARKS");
                    Check.holds("what " + name + " means: " + remarks, remarks != null && remarks.length() > 2);
                }
                if (name.equals("net_amount")) {
                    Check.equal("precision", rows.getInt("COLUMN_SIZE"), 18);
                    Check.equal("scale", rows.getInt("DECIMAL_DIGITS"), 4);
                    Check.holds("type: " + rows.getString("TYPE_NAME"), rows.getString("TYPE_NAME").toUpperCase().startsWith("DECIMAL"));
                    Check.equal("may be NULL", rows.getString("IS_NULLABLE"), "YES");
                }
                if (name.equals("order_id")) {
                    Check.equal("never NULL", rows.getInt("NULLABLE"), DatabaseMetaData.columnNoNulls);
                }
            }
        }
        Check.holds("columns: " + last, last > 30);
        TreeMap<String, Integer> wanted = new TreeMap<>();
        wanted.put("order_id", Types.VARCHAR);
        wanted.put("net_amount", Types.DECIMAL);
        wanted.put("business_date", Types.DATE);
        wanted.put("confirmed_at", Types.TIMESTAMP_WITH_TIMEZONE);
        wanted.put("is_test", Types.BOOLEAN);
        wanted.put("line_no", Types.INTEGER);
        Check.equal("types", kinds, wanted);
        List<Object> some = Check.column(about.getColumns("lake", "base", "order_line", "net%"), "COLUMN_NAME");
        Check.contains("columns by a pattern", some, "net_amount");
        Check.holds("only those: " + some, some.stream().allMatch(name -> name.toString().startsWith("net")));
        Check.holds("all columns", Check.column(about.getColumns(null, null, "%", "%"), "COLUMN_NAME").size() > 300);
    }

    private void keys() throws Exception {
        TreeMap<Integer, String> key = new TreeMap<>();
        try (ResultSet rows = about.getPrimaryKeys("lake", "base", "order_line")) {
            while (rows.next()) {
                key.put(rows.getInt("KEY_SEQ"), rows.getString("COLUMN_NAME"));
            }
        }
        Check.equal("the primary key", key.toString(), "{1=source_system, 2=order_id, 3=order_line_id}");
        Check.equal("that of no table", Check.column(about.getPrimaryKeys("lake", "base", "nothing"), "COLUMN_NAME"), List.of());
        String parentSchema = null;
        try (ResultSet rows = about.getImportedKeys("lake", "base", "order_line")) {
            while (rows.next()) {
                if (rows.getString("FKCOLUMN_NAME").equals("channel_id")) {
                    Check.equal("to whom channel_id refers", rows.getString("PKTABLE_NAME") + "." + rows.getString("PKCOLUMN_NAME"), "channel.channel_id");
                    parentSchema = rows.getString("PKTABLE_SCHEM");
                }
            }
        }
        Check.holds("order_line refers to channel", parentSchema != null);
        Check.contains("who refers to channel", Check.column(about.getExportedKeys("lake", parentSchema, "channel"), "FKTABLE_NAME"), "order_line");
        ResultSet cross = about.getCrossReference("lake", parentSchema, "channel", "lake", "base", "order_line");
        Check.equal("between the two", Check.column(cross, "FKCOLUMN_NAME"), List.of("channel_id"));
    }

    /** The driver asks the server for most; what it has no answer to makes it fail by NullPointerException or by a cast. */
    private void everything() throws Exception {
        TreeSet<String> failed = new TreeSet<>();
        for (Method method : DatabaseMetaData.class.getMethods()) {
            if (method.getDeclaringClass() != DatabaseMetaData.class) {
                continue;
            }
            List<Object> arguments = new ArrayList<>();
            for (Class<?> type : method.getParameterTypes()) {
                arguments.add(argument(method.getName(), type));
            }
            try {
                Object answer = method.invoke(about, arguments.toArray());
                if (answer instanceof ResultSet rows) {
                    rows.next();
                    rows.close();
                }
            } catch (InvocationTargetException error) {
                // What the driver has not written yet never reaches a server.
                if (!String.valueOf(error.getCause().getMessage()).startsWith("todo: implement")) {
                    failed.add(method.getName() + ": " + error.getCause());
                }
            }
        }
        Check.holds("questions that fail:\n" + String.join("\n", failed), failed.isEmpty());
    }

    private static Object argument(String method, Class<?> type) {
        if (type == int.class) {
            return method.equals("supportsConvert") ? Types.INTEGER
                : method.contains("TransactionIsolation") ? Connection.TRANSACTION_NONE
                : method.equals("supportsResultSetHoldability") ? ResultSet.CLOSE_CURSORS_AT_COMMIT
                : method.equals("getBestRowIdentifier") ? DatabaseMetaData.bestRowSession : ResultSet.TYPE_FORWARD_ONLY;
        }
        if (type == boolean.class) {
            return true;
        }
        return type == String.class ? "order_line" : null;
    }
}
