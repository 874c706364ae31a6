//! One text, one number: in the base, in forks, in bulk.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, Int32Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray,
};

use super::{Key, Numbers};

fn batch(texts: ArrayRef, numbers: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([("value", texts, true), ("number", numbers, true)]).unwrap()
}

fn rows(rows: &[(&str, i64)]) -> RecordBatch {
    let texts = StringArray::from_iter_values(rows.iter().map(|(text, _)| *text));
    batch(Arc::new(texts), Arc::new(Int64Array::from_iter_values(rows.iter().map(|(_, number)| *number))))
}

fn of_bytes(bytes: &BinaryArray) -> Vec<Option<u32>> {
    bytes.iter().map(|bytes| Some(u32::from_le_bytes(bytes?.try_into().unwrap()))).collect()
}

#[test]
fn new_texts_get_the_next_numbers() {
    let numbers = Numbers::default();
    assert!(numbers.is_empty());
    let given: Vec<u32> = ["a", "b", "a", ""].into_iter().map(|text| numbers.number(text).unwrap()).collect();
    assert_eq!(given, [0, 1, 0, 2]);
    assert_eq!(numbers.added(), [("a".to_string(), 0), ("b".to_string(), 1), (String::new(), 2)]);
    assert_eq!(numbers.len(), 3);
    assert!(numbers.bytes() > 0);
}

#[test]
fn a_base_is_extended_and_never_changes() {
    let views: ArrayRef = Arc::new(StringViewArray::from(vec!["a text that is longer than a view's twelve bytes"]));
    let second = batch(views, Arc::new(Int64Array::from(vec![9])));
    let first = Numbers::default().with(&[rows(&[("a", 0), ("b", 4)])]).unwrap();
    let both = first.with(&[second, rows(&[("c", 2)])]).unwrap();
    assert_eq!((first.len(), both.len()), (2, 4));
    assert_eq!(both.number("a text that is longer than a view's twelve bytes").unwrap(), 9);
    assert_eq!((both.number("b").unwrap(), both.number("c").unwrap()), (4, 2));
    // The number after the largest one, whatever was left out.
    assert_eq!((first.number("d").unwrap(), both.number("d").unwrap()), (5, 10));
    assert_eq!(both.added(), [("d".to_string(), 10)]);
}

#[test]
fn what_was_added_becomes_the_base_of_the_next() {
    let numbers = Numbers::default().with(&[rows(&[("a", 0)])]).unwrap();
    let (b, c) = (numbers.number("b").unwrap(), numbers.number("c").unwrap());
    let added: Vec<(String, i64)> = numbers.added().into_iter().map(|(text, number)| (text, number.into())).collect();
    let added: Vec<(&str, i64)> = added.iter().map(|(text, number)| (text.as_str(), *number)).collect();
    let next = numbers.with(&[rows(&added)]).unwrap();
    assert_eq!((next.number("b").unwrap(), next.number("c").unwrap()), (b, c));
    assert!(next.added().is_empty());
}

#[test]
fn forks_share_the_base_and_nothing_else() {
    let numbers = Numbers::default().with(&[rows(&[("a", 0)])]).unwrap();
    numbers.number("b").unwrap();
    let fork = numbers.fork();
    assert!(Arc::ptr_eq(&fork.base, &numbers.base));
    assert!(fork.added().is_empty());
    assert_eq!(fork.number("c").unwrap(), 1);
    assert_eq!(fork.number("a").unwrap(), 0);
    assert_eq!(numbers.added(), [("b".to_string(), 1)]);
    assert_eq!(fork.added(), [("c".to_string(), 1)]);
    // Nothing to add: nothing is copied.
    assert!(Arc::ptr_eq(&numbers.with(&[rows(&[])]).unwrap().base, &numbers.base));
}

#[test]
fn in_bulk_as_one_by_one() {
    let numbers = Numbers::default().with(&[rows(&[("a", 0), ("b", 1)])]).unwrap();
    let texts = vec![Some("b"), None, Some("x"), Some("a"), Some("y"), Some("x")];
    let arrays: [&dyn Array; 3] =
        [&StringArray::from(texts.clone()), &StringViewArray::from(texts.clone()), &LargeStringArray::from(texts)];
    for array in arrays {
        let bytes = numbers.numbers(array).unwrap();
        assert_eq!(of_bytes(&bytes), [Some(1), None, Some(2), Some(0), Some(3), Some(2)]);
        // A part of an array counts its own rows.
        let part = numbers.numbers(array.slice(1, 3).as_ref()).unwrap();
        assert_eq!(of_bytes(&part), [None, Some(2), Some(0)]);
    }
    assert_eq!(numbers.number("y").unwrap(), 3);
    assert_eq!(numbers.numbers(&StringArray::from(Vec::<&str>::new())).unwrap().len(), 0);
    assert!(numbers.numbers(&Int32Array::from(vec![1])).is_err());
}

#[test]
fn a_damaged_dictionary_is_refused() {
    let refused = |batches: &[RecordBatch]| {
        let numbers = Numbers::default().with(&[rows(&[("a", 0)])]).unwrap();
        numbers.with(batches).unwrap_err().message().to_string()
    };
    assert!(refused(&[rows(&[("a", 1)])]).contains("a is twice"));
    assert!(refused(&[rows(&[("b", 1)]), rows(&[("b", 2)])]).contains("b is twice"));
    assert!(refused(&[rows(&[("b", 0)])]).contains("the number 0"));
    assert!(refused(&[rows(&[("b", -1)])]).contains("32 bits"));
    assert!(refused(&[rows(&[("b", 1 << 32)])]).contains("32 bits"));
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("b"), None]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    assert!(refused(&[batch(Arc::clone(&texts), Arc::clone(&numbers))]).contains("without a text"));
    assert!(refused(&[batch(Arc::clone(&numbers), numbers)]).contains("Int64"));
    assert!(refused(&[batch(Arc::clone(&texts), Arc::clone(&texts))]).contains("Utf8"));
    assert!(refused(&[RecordBatch::try_from_iter([("value", texts)]).unwrap()]).contains("two columns"));
}

#[test]
fn the_last_number_is_the_last() {
    let numbers = Numbers::default().with(&[rows(&[("a", i64::from(u32::MAX) - 1)])]).unwrap();
    assert_eq!(numbers.number("b").unwrap(), u32::MAX);
    assert!(numbers.number("c").unwrap_err().message().contains("no more numbers"));
    let texts = StringArray::from(vec!["b", "c"]);
    assert!(numbers.numbers(&texts).is_err());
    assert_eq!(numbers.number("b").unwrap(), u32::MAX);
}

#[test]
fn threads_agree() {
    let numbers = Numbers::default();
    let given: Vec<Vec<u32>> = std::thread::scope(|scope| {
        let one = || (0..500).map(|i| numbers.number(&format!("text {i}")).unwrap()).collect::<Vec<u32>>();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(given.iter().all(|numbers| *numbers == given[0]));
    assert_eq!(numbers.len(), 500);
}

#[test]
fn keys_are_the_whole_hash() {
    assert!(Key::of("a") != Key::of("b"));
    let hash = xxhash_rust::xxh3::xxh3_128(b"a").to_be_bytes();
    assert_eq!(Key::of("a").0, hash);
}
