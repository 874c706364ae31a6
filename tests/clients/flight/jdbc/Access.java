import java.sql.Connection;
import java.util.HashMap;
import java.util.Map;

/** Tokens and TLS. */
final class Access {
    private final String uri;
    private final String user;
    private final String token;
    private final String root;

    Access(Map<String, String> asked) {
        uri = asked.get("uri");
        user = asked.get("user");
        token = asked.get("token");
        root = asked.get("root");
    }

    void run() throws Exception {
        Check.step("user and password");
        Check.equal("who asks", asks("user", user, "password", token, "tlsRootCerts", root), user);
        Check.equal("with a catalog", asks("user", user, "password", token, "tlsRootCerts", root, "catalog", "lake"), user);
        Check.equal("any certificate", asks("user", user, "password", token, "disableCertificateVerification", "true"), user);
        Check.step("token");
        Check.equal("who asks", asks("token", token, "tlsRootCerts", root), user);
        Check.step("refused");
        Check.fails("nobody", () -> asks("tlsRootCerts", root), "token");
        Check.fails("a wrong password", () -> asks("user", user, "password", "no-such-token-here", "tlsRootCerts", root));
        Check.fails("a wrong token", () -> asks("token", "no-such-token-here", "tlsRootCerts", root));
        Check.fails("a certificate that nobody vouches for", () -> asks("user", user, "password", token));
        Check.fails("without TLS", () -> asks("user", user, "password", token, "useEncryption", "false"));
    }

    private Object asks(String... pairs) throws Exception {
        Map<String, String> properties = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            properties.put(pairs[i], pairs[i + 1]);
        }
        Connection lake = Main.open(uri, properties);
        Object who = Check.value(lake, "SELECT principal FROM system.queries WHERE state = 'running'");
        Main.close(lake);
        return who;
    }
}
