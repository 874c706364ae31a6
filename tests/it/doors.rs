//! Reports asked over Flight SQL and the PostgreSQL wire, as text that can be compared. It must not start servers.

use std::net::SocketAddr;

use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::{StreamExt, TryStreamExt};
use saleslake::encode::{self, Format};
use saleslake::error::Error;
use tokio_postgres::{NoTls, SimpleQueryMessage};
use tonic::transport::Channel;

pub type Flight = FlightSqlServiceClient<Channel>;

pub async fn flight(addr: SocketAddr) -> Flight {
    let channel =
        Channel::from_shared(format!("http://{addr}")).expect("an address").connect().await.expect("connected");
    FlightSqlServiceClient::new(channel)
}

/// The connection is driven by a task that ends with the client.
pub async fn postgres(addr: SocketAddr) -> tokio_postgres::Client {
    let config = format!("host={} port={} user=test dbname=lake", addr.ip(), addr.port());
    let (client, connection) = tokio_postgres::connect(&config, NoTls).await.expect("connected");
    tokio::spawn(connection);
    client
}

/// The report as SQL names it.
pub fn call(report: &str, request: &[(String, String)]) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let values = request.iter().map(|(name, value)| quoted(&format!("{name}={value}")));
    let arguments: Vec<String> = std::iter::once(quoted(report)).chain(values).collect();
    format!("SELECT * FROM report({})", arguments.join(", "))
}

/// The rows as CSV.
pub async fn by_flight(mut client: Flight, sql: &str) -> String {
    let info = client.execute(sql.to_string(), None).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let told = info.clone().try_decode_schema().expect("a schema");
    let ticket = info.endpoint[0].ticket.clone().expect("a ticket");
    let mut stream = client.do_get(ticket).await.expect("rows");
    let batches: Vec<_> = stream.by_ref().try_collect().await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let schema = stream.schema().expect("the rows' schema").clone();
    assert_eq!(*schema, told, "{sql}: the columns are those that were told");
    let batches = futures::stream::iter(batches.into_iter().map(Ok::<_, Error>)).boxed();
    let mut csv = Vec::new();
    encode::write_stream(schema, batches, Format::Csv, &mut csv, &encode::Options::default()).await.expect("encoded");
    String::from_utf8(csv).expect("UTF-8")
}

/// Header and rows as PostgreSQL writes values.
pub async fn by_postgres(client: &tokio_postgres::Client, sql: &str) -> Vec<Vec<Option<String>>> {
    let messages = client.simple_query(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    let mut rows = Vec::new();
    for message in messages {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                rows.push(columns.iter().map(|c| Some(c.name().to_string())).collect());
            }
            SimpleQueryMessage::Row(row) => {
                rows.push((0..row.len()).map(|at| row.get(at).map(spelled)).collect());
            }
            _ => {}
        }
    }
    rows
}

/// One spelling of what is written in several: floats, instants with fewer digits, `T` and `Z`.
fn spelled(text: &str) -> String {
    if text.strip_suffix(".0").is_some_and(|whole| whole.parse::<i64>().is_ok()) {
        return text[..text.len() - 2].into();
    }
    let is_float = text.contains(['e', 'E']) || text.split_once('.').is_some_and(|(_, part)| part.len() > 6);
    if let Some(float) = text.parse::<f64>().ok().filter(|f| is_float && f.is_finite()) {
        return float.to_string();
    }
    let instant = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00"));
    match instant.filter(|i| i.is_ascii() && i.len() >= 19 && matches!(i.as_bytes()[10], b'T' | b' ')) {
        Some(instant) if instant.contains('.') => instant.replacen('T', " ", 1).trim_end_matches('0').into(),
        Some(instant) => format!("{}.", instant.replacen('T', " ", 1)),
        None => text.into(),
    }
}

/// The CSV's values as PostgreSQL writes them.
pub fn as_postgres(csv: &str) -> Vec<Vec<Option<String>>> {
    let value = |text: String| match text.as_str() {
        "true" => "t".into(),
        "false" => "f".into(),
        text => spelled(text),
    };
    cells(csv).into_iter().map(|row| row.into_iter().map(|cell| cell.map(value)).collect()).collect()
}

/// The cells of our CSV, where NULL is nothing and an empty text `""`; common readers do not tell them apart. (In the only
/// column NULL is `""`, too.)
fn cells(csv: &str) -> Vec<Vec<Option<String>>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut open, mut quoted) = (false, false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if open && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => (open, quoted) = (!open, true),
            ',' | '\n' if !open => {
                let text = std::mem::take(&mut cell);
                row.push((quoted || !text.is_empty()).then_some(text));
                quoted = false;
                if letter == '\n' {
                    rows.push(std::mem::take(&mut row));
                }
            }
            letter => cell.push(letter),
        }
    }
    assert!(row.is_empty() && cell.is_empty(), "the last line has no end: {csv}");
    rows
}

#[test]
fn an_empty_text_is_not_null() {
    let some = |text: &str| Some(text.to_string());
    let read = as_postgres("a,\"b\"\"c\"\n,\"\"\ntrue,\"x,\ny\"\n");
    assert_eq!(read, [[some("a"), some("b\"c")], [None, some("")], [some("t"), some("x,\ny")]]);
}
