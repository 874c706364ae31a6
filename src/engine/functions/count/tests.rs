//! Distinct texts of groups, against sets of Rust's own.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringArray, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use proptest::prelude::*;

use super::texts::DistinctTexts;

type Row = (usize, Option<String>, bool);

const GROUPS: usize = 7;

fn rows() -> impl Strategy<Value = Vec<Row>> {
    // Short and long texts, of 12 and 13 bytes too, that often come again; some begin alike.
    let text = prop_oneof![
        "[ab]{0,2}",
        "order-[0-9]{6}",
        "order-[0-9]{7}",
        Just("a text of more than twelve bytes".to_string()),
        "a text of more than [a-c]",
    ];
    proptest::collection::vec((0..GROUPS, proptest::option::weighted(0.9, text), proptest::bool::weighted(0.8)), 0..300)
}

fn column(rows: &[Row], of: &DataType) -> ArrayRef {
    let texts = rows.iter().map(|(_, text, _)| text.clone());
    match of {
        DataType::Utf8View => Arc::new(texts.collect::<StringViewArray>()),
        _ => Arc::new(texts.collect::<StringArray>()),
    }
}

fn update(accumulator: &mut DistinctTexts, rows: &[Row], of: &DataType) {
    let groups: Vec<usize> = rows.iter().map(|(group, ..)| *group).collect();
    let takes: BooleanArray = rows.iter().map(|(.., takes)| Some(*takes)).collect();
    accumulator.update_batch(&[column(rows, of)], &groups, Some(&takes), GROUPS).unwrap();
}

/// How many each group has.
fn counted<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<i64> {
    let mut sets = vec![BTreeSet::new(); GROUPS];
    for (group, text, takes) in rows {
        if let (Some(text), true) = (text, takes) {
            sets[*group].insert(text.clone());
        }
    }
    sets.into_iter().map(|set| i64::try_from(set.len()).unwrap()).collect()
}

fn longs(array: &ArrayRef) -> Vec<i64> {
    array.as_primitive::<Int64Type>().values().to_vec()
}

proptest! {
    #[test]
    fn groups_are_counted_apart(first in rows(), second in rows(), views in any::<bool>()) {
        let of = if views { DataType::Utf8View } else { DataType::Utf8 };
        let mut accumulator = DistinctTexts::new(of.clone());
        update(&mut accumulator, &first, &of);
        update(&mut accumulator, &second, &of);
        prop_assert_eq!(longs(&accumulator.evaluate(EmitTo::All).unwrap()), counted(first.iter().chain(&second)));
    }

    /// Through states of several kinds: those of groups, those of rows, and those of the first groups only.
    #[test]
    fn states_merge(first in rows(), second in rows(), third in rows(), early in 0..GROUPS) {
        let of = DataType::Utf8View;
        let (mut one, mut whole) = (DistinctTexts::new(of.clone()), DistinctTexts::new(of.clone()));
        update(&mut one, &first, &of);
        update(&mut one, &second, &of);
        let groups: Vec<usize> = (0..GROUPS).collect();
        let early_states = one.state(EmitTo::First(early)).unwrap();
        prop_assert_eq!(early_states[0].len(), early);
        whole.merge_batch(&early_states, &groups[..early], GROUPS).unwrap();
        let late = one.state(EmitTo::All).unwrap();
        whole.merge_batch(&late, &groups[early..], GROUPS).unwrap();
        let takes: BooleanArray = third.iter().map(|(.., takes)| Some(*takes)).collect();
        let of_rows = DistinctTexts::new(of.clone()).convert_to_state(&[column(&third, &of)], Some(&takes)).unwrap();
        let groups: Vec<usize> = third.iter().map(|(group, ..)| *group).collect();
        // A slice, as a batch that was cut in two.
        let (head, tail) = groups.split_at(groups.len() / 2);
        whole.merge_batch(&[of_rows[0].slice(0, head.len())], head, GROUPS).unwrap();
        whole.merge_batch(&[of_rows[0].slice(head.len(), tail.len())], tail, GROUPS).unwrap();
        let all = counted(first.iter().chain(&second).chain(&third));
        prop_assert_eq!(longs(&whole.evaluate(EmitTo::All).unwrap()), all);
    }

    #[test]
    fn the_first_groups_are_given_out(before in rows(), after in rows(), first in 0..=GROUPS) {
        let of = DataType::Utf8View;
        let mut accumulator = DistinctTexts::new(of.clone());
        update(&mut accumulator, &before, &of);
        let all = counted(before.iter());
        prop_assert_eq!(longs(&accumulator.evaluate(EmitTo::First(first)).unwrap()), all[..first].to_vec());
        // What is left moves to the front; rows of those groups go on.
        let left: Vec<Row> = before.iter().filter(|(group, ..)| *group >= first).cloned().collect();
        let more: Vec<Row> = after.into_iter().filter(|(group, ..)| *group >= first).collect();
        let moved: Vec<Row> = more.iter().map(|(group, text, takes)| (group - first, text.clone(), *takes)).collect();
        update(&mut accumulator, &moved, &of);
        let expected = counted(left.iter().chain(&more))[first..].to_vec();
        prop_assert_eq!(longs(&accumulator.evaluate(EmitTo::All).unwrap())[..GROUPS - first].to_vec(), expected);
    }
}

#[test]
fn many_texts_take_little_more_than_themselves() {
    let mut accumulator = DistinctTexts::new(DataType::Utf8View);
    let texts: Vec<String> = (0..100_000).map(|n| format!("an order of a customer {n:07}")).collect();
    let column: ArrayRef = Arc::new(texts.iter().map(Some).collect::<StringViewArray>());
    let groups: Vec<usize> = (0..100_000).map(|n| n / 2).collect();
    accumulator.update_batch(&[column], &groups, None, 50_000).unwrap();
    assert!(accumulator.size() < 100_000 * 120, "{}", accumulator.size());
    assert_eq!(longs(&accumulator.evaluate(EmitTo::All).unwrap()), vec![2; 50_000]);
    assert!(accumulator.size() < 1000, "{}", accumulator.size());
}
