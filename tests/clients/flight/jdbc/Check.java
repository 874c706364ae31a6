import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;

/** Checks that say what is wrong. */
final class Check {
    private Check() {}

    static void step(String name) {
        System.err.println("  " + name);
    }

    static void holds(String what, boolean found) {
        if (!found) {
            throw new AssertionError(what);
        }
    }

    static void equal(String what, Object found, Object wanted) {
        holds(what + ": found " + found + ", wanted " + wanted, Objects.equals(found, wanted));
    }

    static void contains(String what, List<?> found, Object... wanted) {
        for (Object one : wanted) {
            holds(what + ": " + one + " is not in " + found, found.contains(one));
        }
    }

    /** The call fails with a SQLException that says all these words (any case), itself or by its causes. */
    static void fails(String what, Callable<?> call, String... words) {
        Exception error = failed(what, call, words);
        holds(what + ": it should fail with a SQLException, not with " + error, error instanceof SQLException);
    }

    /** As {@link #fails}, but the driver throws what it likes. */
    static Exception failed(String what, Callable<?> call, String... words) {
        Object answer;
        try {
            answer = call.call();
        } catch (Exception error) {
            String text = said(error);
            for (String word : words) {
                if (!text.toLowerCase().contains(word.toLowerCase())) {
                    throw new AssertionError(what + ": the error does not say " + word + ": " + text, error);
                }
            }
            return error;
        }
        throw new AssertionError(what + ": it should fail, and answered " + answer);
    }

    static String said(Throwable error) {
        StringBuilder text = new StringBuilder();
        for (Throwable at = error; at != null; at = at.getCause()) {
            text.append(at.getMessage()).append('\n');
        }
        return text.toString();
    }

    /** One column of a result, which is closed. */
    static List<Object> column(ResultSet rows, String name) throws SQLException {
        List<Object> found = new ArrayList<>();
        while (rows.next()) {
            found.add(rows.getObject(name));
        }
        rows.close();
        return found;
    }

    /** The one value of a question. */
    static Object value(Connection lake, String sql) throws SQLException {
        try (Statement statement = lake.createStatement(); ResultSet rows = statement.executeQuery(sql)) {
            holds("a row of " + sql, rows.next());
            Object value = rows.getObject(1);
            holds("one row of " + sql, !rows.next());
            return value;
        }
    }

    /** The question has this answer within the milliseconds. */
    static void soon(String what, Connection lake, String sql, Object wanted, long millis) throws Exception {
        long end = System.currentTimeMillis() + millis;
        Object found = value(lake, sql);
        while (!Objects.equals(found, wanted)) {
            holds(what + ": " + found + " after " + millis + " ms, wanted " + wanted, System.currentTimeMillis() < end);
            Thread.sleep(50);
            found = value(lake, sql);
        }
    }
}
