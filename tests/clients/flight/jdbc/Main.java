import java.net.URI;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;

/** The Arrow JDBC driver against a running server: java Main uri=URI part=read|access [user=NAME token=TOKEN root=PEM]; see run.py. */
public class Main {
    public static void main(String[] args) {
        Map<String, String> asked = new HashMap<>();
        for (String arg : args) {
            String[] pair = arg.split("=", 2);
            asked.put(pair[0], pair[1]);
        }
        try {
            if (asked.get("part").equals("access")) {
                new Access(asked).run();
            } else {
                read(asked.get("uri"));
            }
        } catch (Throwable error) {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
        System.err.flush();
        // All is well: threads of the driver may still wait for something.
        Runtime.getRuntime().halt(0);
    }

    private static void read(String uri) throws Exception {
        Check.step("connect");
        open(uri, Map.of()).close();
        open(uri, Map.of("user", "anyone", "password", "anything")).close();
        Check.fails("another catalog", () -> open(uri, Map.of("catalog", "elsewhere")), "catalog");
        Connection ofCatalog = open(uri, Map.of("catalog", "lake"));
        new Metadata(ofCatalog).run();
        close(ofCatalog);
        try (Connection lake = open(uri, Map.of())) {
            new Reading(lake).run();
            new Streams(lake).run();
        }
    }

    /** With a catalog, version 18.3.0 of the driver ends its session twice, the second time over a channel that it has closed. */
    static void close(Connection ofCatalog) throws Exception {
        try {
            ofCatalog.close();
        } catch (SQLException error) {
            Check.holds("ending a session: " + Check.said(error), Check.said(error).contains("Channel shutdown invoked"));
        }
    }

    static Connection open(String uri, Map<String, String> more) throws Exception {
        URI place = URI.create(uri);
        Properties properties = new Properties();
        properties.put("useEncryption", Boolean.toString(uri.startsWith("grpc+tls")));
        properties.putAll(more);
        return DriverManager.getConnection("jdbc:arrow-flight-sql://" + place.getHost() + ":" + place.getPort(), properties);
    }
}
