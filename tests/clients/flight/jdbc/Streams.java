import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.ThreadLocalRandom;

/** Results that are larger than memory, and such as never end. */
final class Streams {
    private static final String MILLION = """
        SELECT a.value * 1000 + b.value AS n, 'row ' || CAST(a.value AS VARCHAR) AS name, repeat('x', 1000) AS filler
            FROM generate_series(0, 999) AS a(value) CROSS JOIN generate_series(1, 1000) AS b(value)""";
    private static final long SUM = 500_000_500_000L;
    /** A second for the server to notice, the rest for a busy machine. */
    private static final long CANCELLED_MILLIS = 2500;

    private final Connection lake;

    Streams(Connection lake) {
        this.lake = lake;
    }

    void run() throws Exception {
        Check.step("a large result in little memory");
        large();
        Check.step("cancelled while rows come");
        cancelled();
        Check.step("cancelled before the first row");
        cancelledEarly();
        Check.step("left");
        left();
        Check.step("two at once");
        together();
    }

    /** A gigabyte through a heap of 256 MB. */
    private void large() throws Exception {
        long rows = 0;
        long sum = 0;
        try (Statement statement = lake.createStatement(); ResultSet found = statement.executeQuery(MILLION)) {
            while (found.next()) {
                rows++;
                sum += found.getLong(1);
            }
        }
        Check.equal("rows", rows, 1_000_000L);
        Check.equal("their sum", sum, SUM);
    }

    private static String endless() {
        int unique = ThreadLocalRandom.current().nextInt(1000, 1_000_000);
        return "SELECT value AS n, value % " + unique + " AS m FROM generate_series(1, 1000000000000) AS t(value)";
    }

    private static String state(String sql) {
        return "SELECT state FROM system.queries WHERE sql = '" + sql.replace("'", "''") + "'";
    }

    private void cancelled() throws Exception {
        String sql = endless();
        try (Statement statement = lake.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            Check.holds("a row", rows.next());
            cancelAfter(statement, 500);
            long begun = System.currentTimeMillis();
            try {
                while (rows.next()) {
                    Check.holds("it goes on", System.currentTimeMillis() < begun + 500 + CANCELLED_MILLIS);
                }
            } catch (SQLException | RuntimeException expected) {
                // How a cancelled result ends is the driver's to say; that it ends is ours.
            }
        } catch (RuntimeException alreadyClosed) {
            // The driver closes some of its buffers twice after a cancel.
        }
        Check.soon("the server stopped it", lake, state(sql), "cancelled", CANCELLED_MILLIS);
    }

    private void cancelledEarly() throws Exception {
        int unique = ThreadLocalRandom.current().nextInt(1000, 1_000_000);
        String sql = "SELECT sum(value % " + unique + ") AS total FROM generate_series(1, 1000000000000) AS t(value)";
        try (Statement statement = lake.createStatement()) {
            cancelAfter(statement, 1000);
            long begun = System.currentTimeMillis();
            try (ResultSet rows = statement.executeQuery(sql)) {
                rows.next();
                throw new AssertionError("a query that takes for ever has answered");
            } catch (SQLException | RuntimeException expected) {
                long took = System.currentTimeMillis() - begun;
                Check.holds("cancelling took " + took + " ms", took < 1000 + CANCELLED_MILLIS);
            }
        }
        Check.soon("the server stopped it", lake, state(sql), "cancelled", CANCELLED_MILLIS);
    }

    private static void cancelAfter(Statement statement, long millis) {
        Thread thread = new Thread(() -> {
            try {
                Thread.sleep(millis);
                statement.cancel();
            } catch (Exception error) {
                error.printStackTrace();
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    private void left() throws Exception {
        String sql = endless();
        try (Statement statement = lake.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            Check.holds("a row", rows.next());
        }
        Check.soon("who leaves stops it", lake, state(sql), "cancelled", CANCELLED_MILLIS);
    }

    private void together() throws Exception {
        try (Statement one = lake.createStatement(); ResultSet slow = one.executeQuery(MILLION)) {
            Check.holds("a row", slow.next());
            Check.equal("another question meanwhile", Check.value(lake, "SELECT CAST(42 AS INT) AS answer"), 42);
            Check.holds("the first goes on", slow.next());
        }
    }
}
