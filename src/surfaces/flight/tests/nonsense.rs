//! Commands, tickets and messages with bytes that changed on the way: each is told what is wrong, and the server goes on.

use arrow_flight::Ticket;
use arrow_flight::sql::{ActionClosePreparedStatementRequest, CommandGetSqlInfo};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(20);

/// `bytes` with some of them changed, left out or doubled.
fn mutated(bytes: &[u8], dice: &mut ChaCha8Rng) -> Vec<u8> {
    let mut mutant = bytes.to_vec();
    for _ in 0..dice.random_range(1..4) {
        let at = dice.random_range(0..mutant.len().max(1));
        match dice.random_range(0..4) {
            0 => mutant.truncate(at),
            1 if !mutant.is_empty() => drop(mutant.remove(at)),
            2 => mutant.extend_from_within(at.min(mutant.len())..),
            _ if !mutant.is_empty() => mutant[at] = dice.random(),
            _ => {}
        }
    }
    mutant
}

/// What was sent is to blame, or it was something else that is right.
fn understood<T>(result: Result<T, Status>, what: &str) {
    if let Err(refused) = result {
        let blames =
            [Code::InvalidArgument, Code::NotFound, Code::Unimplemented, Code::PermissionDenied, Code::OutOfRange];
        assert!(blames.contains(&refused.code()), "{what}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_with_any_byte_changed_is_refused() {
    let stage = Stage::open(&[("bi", BI)]).await;
    let mut client = stage.client_of(BI).await;
    let info = client.execute("SELECT 1 AS n".into(), None).await.unwrap();
    let sealed = info.endpoint[0].ticket.clone().unwrap().ticket.to_vec();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1 << (at % 8);
        // The signature covers the statement; what is around it only says what it is.
        let refused = refused(client.do_get(Ticket { ticket: changed.into() }).await.map(drop));
        assert!(matches!(refused.code(), Code::InvalidArgument | Code::Unimplemented), "byte {at}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mutated_commands_and_messages_are_told() {
    let stage = Stage::open(&[]).await;
    let mut client = stage.client().await;
    let asked = ActionCreatePreparedStatementRequest { query: "SELECT $1 + 1 AS n".into(), transaction_id: None };
    let made = act(&mut client, "CreatePreparedStatement", asked.as_any().encode_to_vec()).await.unwrap();
    let made: ActionCreatePreparedStatementResult = Any::decode(&*made).unwrap().unpack().unwrap().unwrap();
    let handle = made.prepared_statement_handle;
    let prepared = CommandPreparedStatementQuery { prepared_statement_handle: handle.clone() };
    let close = ActionClosePreparedStatementRequest { prepared_statement_handle: handle };
    let statement = CommandStatementQuery { query: "SELECT 1 AS n".into(), transaction_id: None };
    let commands = [
        statement.as_any().encode_to_vec(),
        prepared.as_any().encode_to_vec(),
        CommandGetTables { table_types: vec!["TABLE".into()], ..Default::default() }.as_any().encode_to_vec(),
        CommandGetSqlInfo { info: vec![0, 2, 504] }.as_any().encode_to_vec(),
    ];
    let actions = [
        ("CreatePreparedStatement", asked.as_any().encode_to_vec()),
        ("ClosePreparedStatement", close.as_any().encode_to_vec()),
        ("CancelFlightInfo", CancelFlightInfoRequest { info: None }.encode_to_vec()),
        ("SetSessionOptions", vec![10, 3, 10, 1, 97]),
    ];
    let values = RecordBatch::try_from_iter([("0", Arc::new(Int64Array::from(vec![7])) as ArrayRef)]).unwrap();
    let descriptor = FlightDescriptor::new_cmd(commands[1].clone());
    let encoder = FlightDataEncoderBuilder::new().with_flight_descriptor(Some(descriptor));
    let sent: Vec<FlightData> = encoder.build(stream::iter([Ok(values)])).try_collect().await.unwrap();
    let mut dice = ChaCha8Rng::seed_from_u64(4);
    let all = async {
        for n in 0..150 {
            let command = mutated(&commands[n % commands.len()], &mut dice);
            let what = format!("{n}: {command:?}");
            let mut flight = client.inner_mut().clone();
            understood(flight.get_flight_info(FlightDescriptor::new_cmd(command.clone())).await, &what);
            understood(flight.do_get(Ticket { ticket: command.into() }).await.map(drop), &what);
            let (name, body) = &actions[n % actions.len()];
            let body = mutated(body, &mut dice);
            let what = format!("{n}: {name} {body:?}");
            understood(flight.do_action(Action { r#type: name.to_string(), body: body.into() }).await.map(drop), &what);
            let mut messages = sent.clone();
            let message = &mut messages[n % sent.len()];
            match n % 3 {
                0 => message.data_header = mutated(&message.data_header, &mut dice).into(),
                1 => message.data_body = mutated(&message.data_body, &mut dice).into(),
                _ => drop(messages.remove(0)),
            }
            understood(flight.do_put(stream::iter(messages)).await.map(drop), &format!("{n}: put"));
        }
    };
    tokio::time::timeout(SOON, all).await.expect("a call does not end");
    let info = client.execute("SELECT 1 AS n".into(), None).await.unwrap();
    assert_eq!(numbers(&rows(&mut client, &info).await.unwrap()), [1]);
}
