//! Answers about tables, kept as the messages in which they are sent: with all schemas they are megabytes, and tools ask for
//! them again and again. It must not make answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow_flight::FlightData;
use arrow_flight::sql::CommandGetTables;
use prost::Message;

use crate::engine::Relation;

/// An answer, message by message.
pub type Messages = Arc<[FlightData]>;

/// So many answers are kept, of so many bytes together.
const MOST: usize = 16;
const MOST_BYTES: usize = 64 << 20;

/// Answers about one list of relations. A new state has another list, and so would a caller who may see others: neither gets
/// an answer that was made of this one.
#[derive(Default)]
pub struct Answers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    of: Arc<Vec<Relation>>,
    /// Oldest first.
    answers: VecDeque<(CommandGetTables, Messages)>,
    bytes: usize,
}

impl Answers {
    pub fn get(&self, relations: &Arc<Vec<Relation>>, asked: &CommandGetTables) -> Option<Messages> {
        let kept = self.kept();
        let known = kept.answers.iter().find(|(known, _)| known == asked && Arc::ptr_eq(&kept.of, relations));
        known.map(|(_, answer)| Arc::clone(answer))
    }

    pub fn keep(&self, relations: &Arc<Vec<Relation>>, asked: CommandGetTables, answer: &Messages) {
        let mut kept = self.kept();
        if !Arc::ptr_eq(&kept.of, relations) {
            *kept = Kept { of: Arc::clone(relations), ..Kept::default() };
        }
        kept.bytes += size(&asked, answer);
        kept.answers.push_back((asked, Arc::clone(answer)));
        while kept.answers.len() > MOST || kept.bytes > MOST_BYTES {
            let Some((asked, answer)) = kept.answers.pop_front() else { break };
            kept.bytes -= size(&asked, &answer);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn size(asked: &CommandGetTables, answer: &[FlightData]) -> usize {
    answer.iter().map(|message| message.data_header.len() + message.data_body.len()).sum::<usize>()
        + asked.encoded_len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pattern: &str) -> CommandGetTables {
        CommandGetTables { table_name_filter_pattern: Some(pattern.into()), ..CommandGetTables::default() }
    }

    fn answer(bytes: usize) -> Messages {
        Arc::new([FlightData { data_body: vec![0; bytes].into(), ..FlightData::default() }])
    }

    #[test]
    fn an_answer_goes_with_its_list() {
        let (answers, first, second) = (Answers::default(), Arc::new(Vec::new()), Arc::new(Vec::new()));
        assert!(answers.get(&first, &asked("a")).is_none());
        answers.keep(&first, asked("a"), &answer(3));
        assert_eq!(answers.get(&first, &asked("a")).unwrap()[0].data_body.len(), 3);
        assert!(answers.get(&first, &asked("b")).is_none() && answers.get(&second, &asked("a")).is_none());
        answers.keep(&second, asked("b"), &answer(4));
        assert!(answers.get(&first, &asked("a")).is_none() && answers.get(&second, &asked("b")).is_some());
    }

    #[test]
    fn few_are_kept() {
        let (answers, list) = (Answers::default(), Arc::new(Vec::new()));
        for n in 0..=MOST {
            answers.keep(&list, asked(&n.to_string()), &answer(1));
        }
        assert!(answers.get(&list, &asked("0")).is_none() && answers.get(&list, &asked("1")).is_some());
        answers.keep(&list, asked("large"), &answer(MOST_BYTES - 100));
        assert!(answers.get(&list, &asked("large")).is_some());
        answers.keep(&list, asked("too large"), &answer(MOST_BYTES));
        assert!(answers.get(&list, &asked("too large")).is_none());
        let kept = answers.kept();
        assert_eq!((kept.bytes, kept.answers.len()), (0, 0));
    }
}
