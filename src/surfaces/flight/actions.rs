//! Actions: preparing, cancelling, renewing, sessions. What is listed is what is done.

use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, Any, Command, ProstMessageExt, TicketStatementQuery,
};
use arrow_flight::{
    Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo,
    RenewFlightEndpointRequest, Ticket,
};
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use super::errors::{status, unimplemented, unreadable};
use super::sessions;
use super::statements::Statements;
use crate::access::Caller;
use crate::error::Error;

const ALL: [(&str, &str); 8] = [
    (
        "CreatePreparedStatement",
        "Prepares a statement.\nRequest: ActionCreatePreparedStatementRequest\nResponse: ActionCreatePreparedStatementResult",
    ),
    (
        "ClosePreparedStatement",
        "Closes a prepared statement.\nRequest: ActionClosePreparedStatementRequest\nResponse: none",
    ),
    (
        "CancelFlightInfo",
        "Stops what runs of a flight.\nRequest: CancelFlightInfoRequest\nResponse: CancelFlightInfoResult",
    ),
    ("CancelQuery", "The same for old clients.\nRequest: ActionCancelQueryRequest\nResponse: ActionCancelQueryResult"),
    (
        "RenewFlightEndpoint",
        "Endpoints do not expire: the same again.\nRequest: RenewFlightEndpointRequest\nResponse: FlightEndpoint",
    ),
    (
        "SetSessionOptions",
        "Catalog and schema, which have one value each.\nRequest: SetSessionOptionsRequest\nResponse: SetSessionOptionsResult",
    ),
    ("GetSessionOptions", "Catalog and schema.\nRequest: GetSessionOptionsRequest\nResponse: GetSessionOptionsResult"),
    ("CloseSession", "Nothing is kept for a session.\nRequest: CloseSessionRequest\nResponse: CloseSessionResult"),
];

pub fn list() -> impl Iterator<Item = ActionType> {
    ALL.into_iter().map(|(name, about)| ActionType { r#type: name.into(), description: about.into() })
}

/// Does an action; the body of its result, where it has one.
pub async fn act(statements: &Statements, action: Action, caller: &Caller) -> Result<Option<Bytes>, Status> {
    let Action { r#type: name, body } = action;
    let done = match name.as_str() {
        "CreatePreparedStatement" => {
            let asked: ActionCreatePreparedStatementRequest = read(&name, &body)?;
            no_transaction(asked.transaction_id.as_deref())?;
            packed(&statements.prepare(&asked.query, caller).await?)
        }
        "ClosePreparedStatement" => {
            let asked: ActionClosePreparedStatementRequest = read(&name, &body)?;
            statements.close(&asked.prepared_statement_handle, caller)?;
            return Ok(None);
        }
        "CancelFlightInfo" => {
            let asked: CancelFlightInfoRequest = read(&name, &body)?;
            let cancelled = cancel(statements, &asked.info.unwrap_or_default(), caller)?;
            CancelFlightInfoResult { status: cancelled as i32 }.encode_to_vec()
        }
        "CancelQuery" => {
            let asked: ActionCancelQueryRequest = read(&name, &body)?;
            let info = FlightInfo::decode(asked.info).map_err(|e| unreadable("the flight", e))?;
            // Both enumerations count alike.
            packed(&ActionCancelQueryResult { result: cancel(statements, &info, caller)? as i32 })
        }
        "RenewFlightEndpoint" => {
            let asked: RenewFlightEndpointRequest = read(&name, &body)?;
            let endpoint = asked.endpoint.unwrap_or_default();
            if let Some(ticket) = endpoint.ticket.as_ref().and_then(of_statement) {
                statements.check(&ticket, caller)?;
            }
            endpoint.encode_to_vec()
        }
        "SetSessionOptions" => sessions::set(read(&name, &body)?).encode_to_vec(),
        "GetSessionOptions" => sessions::get().encode_to_vec(),
        "CloseSession" => sessions::close().encode_to_vec(),
        "BeginTransaction" | "EndTransaction" | "BeginSavepoint" | "EndSavepoint" => {
            return Err(unimplemented("there are no transactions", "each statement reads one state of all tables"));
        }
        "CreatePreparedSubstraitPlan" => return Err(no_substrait()),
        _ => {
            let known = crate::error::did_you_mean(&name, ALL.map(|(known, _)| known));
            return Err(unimplemented(&format!("there is no action '{name}'"), &known));
        }
    };
    Ok(Some(done.into()))
}

pub fn no_substrait() -> Status {
    unimplemented("Substrait plans are not run here", "send SQL")
}

/// A transaction cannot have been begun.
pub fn no_transaction(id: Option<&[u8]>) -> Result<(), Status> {
    match id {
        Some(id) if !id.is_empty() => {
            Err(status(Error::invalid("there are no transactions").hint("send the statement without a transaction id")))
        }
        _ => Ok(()),
    }
}

/// A message alone, or packed as `Any`: Flight's own actions use the first, Flight SQL's the second, and some clients
/// either.
fn read<M: Message + Default>(name: &str, body: &Bytes) -> Result<M, Status> {
    let packed = Any::decode(body.clone()).ok().filter(|any| any.type_url.starts_with("type.googleapis.com/"));
    let message = packed.map_or_else(|| body.clone(), |any| any.value);
    M::decode(message).map_err(|e| unreadable(&format!("the request of {name}"), e))
}

fn packed(message: &impl ProstMessageExt) -> Vec<u8> {
    message.as_any().encode_to_vec()
}

fn cancel(statements: &Statements, info: &FlightInfo, caller: &Caller) -> Result<CancelStatus, Status> {
    let tickets = info.endpoint.iter().filter_map(|e| e.ticket.as_ref()).filter_map(of_statement);
    let mut found = CancelStatus::NotCancellable;
    for ticket in tickets {
        statements.cancel(&ticket, caller)?;
        found = CancelStatus::Cancelled;
    }
    Ok(found)
}

/// The ticket of a statement; those of metadata name their command.
fn of_statement(ticket: &Ticket) -> Option<TicketStatementQuery> {
    match Command::try_from(Any::decode(ticket.ticket.clone()).ok()?).ok()? {
        Command::TicketStatementQuery(ticket) => Some(ticket),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_alone_or_packed() {
        let asked = ActionCancelQueryRequest { info: "x".into() };
        assert_eq!(read::<ActionCancelQueryRequest>("", &asked.encode_to_vec().into()).unwrap(), asked);
        assert_eq!(read::<ActionCancelQueryRequest>("", &packed(&asked).into()).unwrap(), asked);
        assert!(read::<CancelFlightInfoRequest>("CancelFlightInfo", &"\u{7}".into()).is_err());
        assert_eq!(read::<CancelFlightInfoRequest>("", &Bytes::new()).unwrap().info, None);
    }

    #[test]
    fn transactions_are_refused() {
        assert!(no_transaction(None).is_ok() && no_transaction(Some(b"")).is_ok());
        assert_eq!(no_transaction(Some(b"t1")).unwrap_err().code(), tonic::Code::InvalidArgument);
    }
}
