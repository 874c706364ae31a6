//! Tokens and TLS.

use arrow_flight::FlightClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use saleslake::app::App;
use tonic::Code;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};

use super::site::{Client, Site, ask, on_sample, status};
use super::ticket;
use crate::common;

const TOKEN: &str = "0123456789abcdef-till";

async fn principal(client: &mut Client) -> String {
    let told = ask(client, "SELECT principal FROM system.queries WHERE state = 'running'").await;
    told.rows[0][0].clone()
}

#[test]
fn tokens_are_asked_for_on_every_call() {
    on_sample(|| async {
        let site = Site::sample(|config| {
            config.access.tokens =
                [("till".to_string(), TOKEN.to_string()), ("bi".into(), "fedcba9876543210-bi".into())].into();
        })
        .await;
        let mut nobody = site.client().await;
        let refused = status(nobody.execute("SELECT 1".into(), None).await);
        assert_eq!(refused.code(), Code::Unauthenticated);
        assert!(refused.message().contains("\nhint: "), "{}", refused.message());
        assert_eq!(status(nobody.get_catalogs().await).code(), Code::Unauthenticated);
        assert_eq!(status(nobody.prepare("SELECT 1".into(), None).await).code(), Code::Unauthenticated);
        nobody.set_token("no-such-token-here".into());
        assert_eq!(status(nobody.execute("SELECT 1".into(), None).await).code(), Code::Unauthenticated);
        let mut flight = FlightClient::new(site.channel().await);
        let listed = flight.list_actions().await.map(|_| ());
        assert_eq!(status(listed).code(), Code::Unauthenticated);

        let mut bearer = site.client().await;
        bearer.set_token(TOKEN.into());
        assert_eq!(principal(&mut bearer).await, "till");
        let mut basic = site.client().await;
        // till:0123456789abcdef-till
        basic.set_header("authorization", "Basic dGlsbDowMTIzNDU2Nzg5YWJjZGVmLXRpbGw=");
        assert_eq!(principal(&mut basic).await, "till");
        let mut shaken = site.client().await;
        shaken.handshake("till", TOKEN).await.unwrap();
        assert!(shaken.token().is_some(), "a handshake gives a token for the calls after it");
        assert_eq!(principal(&mut shaken).await, "till");
        for (user, password) in [("till", "no-such-token-here"), ("bi", TOKEN), ("", TOKEN)] {
            assert!(site.client().await.handshake(user, password).await.is_err(), "{user}");
        }

        // A ticket is only for whom it was made.
        let info = bearer.execute("SELECT 1 AS one".into(), None).await.unwrap();
        let mut other = site.client().await;
        other.set_token("fedcba9876543210-bi".into());
        assert_eq!(status(other.do_get(ticket(&info)).await).code(), Code::PermissionDenied);
        site.stop().await;
    });
}

#[test]
fn without_tokens_anyone_at_this_machine_is_let_in() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let mut shaken = site.client().await;
        shaken.handshake("anyone", "anything").await.unwrap();
        assert!(shaken.token().is_some(), "the JDBC driver cannot do without");
        assert_eq!(principal(&mut shaken).await, "flight");
        let mut none = site.client().await;
        none.set_token("None".into()); // what flightsql-dbapi sends without a token
        assert_eq!(principal(&mut none).await, "flight");
        site.stop().await;

        let mut config = common::config();
        config.flight.enabled = true;
        config.flight.bind = "0.0.0.0:0".into();
        let app = App::over(common::shared_sample().app.lake.clone(), config, common::clock()).await.unwrap();
        let refused = app.build().await.err().expect("without tokens nobody else is let in");
        assert!(refused.message().contains("flight.bind"), "{refused}");
    });
}

#[test]
fn tls_or_no_start() {
    on_sample(|| async {
        let dir = tempfile::tempdir().unwrap();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_string(), "127.0.0.1".into()]).unwrap();
        let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let site = Site::sample(|config| {
            config.flight.tls.certificate = Some(certificate.clone());
            config.flight.tls.key = Some(key.clone());
        })
        .await;
        let connect = |roots: ClientTlsConfig| {
            let endpoint = Channel::from_shared(format!("https://localhost:{}", site.addr.port())).unwrap();
            async move { endpoint.tls_config(roots)?.connect().await }
        };
        let trusted = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pair.cert.pem()));
        let mut client = FlightSqlServiceClient::new(connect(trusted).await.unwrap());
        assert_eq!(ask(&mut client, "SELECT 42 AS answer").await.rows, [["42"]]);
        assert!(connect(ClientTlsConfig::new()).await.is_err(), "nobody vouches for it");
        let plain = Channel::from_shared(format!("http://{}", site.addr)).unwrap().connect_lazy();
        assert!(FlightSqlServiceClient::new(plain).get_catalogs().await.is_err(), "there is no plaintext");
        site.stop().await;

        let mut config = common::config();
        config.flight.enabled = true;
        config.flight.bind = "127.0.0.1:0".into();
        config.flight.tls.certificate = Some(key.clone());
        config.flight.tls.key = Some(certificate.clone());
        let app = App::over(common::shared_sample().app.lake.clone(), config, common::clock()).await.unwrap();
        assert!(app.build().await.is_err(), "what cannot be encrypted does not start");
    });
}
