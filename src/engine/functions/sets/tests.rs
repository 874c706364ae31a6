//! Sets and hashes against what plain sets of the standard library say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, BooleanArray, Int64Array, LargeStringArray, RecordBatch,
    StringArray, StringViewArray,
};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::logical_expr::{Accumulator, EmitTo, ExprFunctionExt, GroupsAccumulator};
use datafusion::prelude::{SessionConfig, SessionContext, col, lit};
use datafusion::scalar::ScalarValue;
use roaring::RoaringBitmap;
use xxhash_rust::xxh3::xxh3_64;

use super::groups::{Gathered, Groups, Single};
use super::hashes::Hashes;
use super::set::Set;
use super::*;

/// A set as it is stored.
fn bytes(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    let numbers: RoaringBitmap = numbers.into_iter().collect();
    let mut bytes = Vec::new();
    match (numbers.len(), numbers.min()) {
        (1, Some(one)) => bytes.extend(one.to_le_bytes()),
        _ => numbers.serialize_into(&mut bytes).unwrap(),
    }
    bytes
}

/// What stored bytes hold.
fn numbers(bytes: &[u8]) -> Vec<u32> {
    match <[u8; 4]>::try_from(bytes) {
        Ok(one) => vec![u32::from_le_bytes(one)],
        Err(_) => RoaringBitmap::deserialize_from(bytes).unwrap().iter().collect(),
    }
}

fn column(sets: &[Option<Vec<u8>>]) -> ArrayRef {
    Arc::new(BinaryArray::from_iter(sets.iter().map(Option::as_deref)))
}

fn sets(array: &ArrayRef) -> Vec<Option<Vec<u32>>> {
    array.as_binary::<i32>().iter().map(|bytes| bytes.map(numbers)).collect()
}

fn longs(array: &ArrayRef) -> Vec<Option<i64>> {
    array.as_primitive::<Int64Type>().iter().collect()
}

fn texts(array: &ArrayRef) -> Vec<Option<Vec<u64>>> {
    array.as_binary::<i32>().iter().map(|bytes| bytes.map(|bytes| hashes(bytes).collect())).collect()
}

/// Distinct hashes, ascending.
fn hashed(texts: &[&str]) -> Option<Vec<u64>> {
    let all: BTreeSet<u64> = texts.iter().map(|text| xxh3_64(text.as_bytes())).collect();
    Some(all.into_iter().collect())
}

#[test]
fn groups_with_nulls_and_filters() {
    let values = [column(&[Some(bytes([1])), None, Some(bytes([1, 2, 70_000])), Some(bytes([9])), Some(bytes([2]))])];
    let (mut union, mut size) = (Groups::<Set>::gathering(), Groups::<Set>::counting());
    let filter = BooleanArray::from(vec![Some(true), Some(true), Some(true), None, Some(true)]);
    for groups in [&mut union, &mut size] {
        // Group 1 has only a NULL, group 2 only a row that is filtered, group 3 none.
        groups.update_batch(&values, &[0, 1, 0, 2, 4], Some(&filter), 5).unwrap();
    }
    let union = union.evaluate(EmitTo::All).unwrap();
    assert_eq!(sets(&union), [Some(vec![1, 2, 70_000]), None, None, None, Some(vec![2])]);
    assert_eq!(union.as_binary::<i32>().value(4), 2_u32.to_le_bytes());
    assert_eq!(longs(&size.evaluate(EmitTo::All).unwrap()), [Some(3), Some(0), Some(0), Some(0), Some(1)]);
}

#[test]
fn views_are_read_like_bytes() {
    let set = bytes([1, 2, 3]);
    let views: ArrayRef = Arc::new(BinaryViewArray::from(vec![Some(set.as_slice()), None]));
    let mut groups = Groups::<Set>::gathering();
    groups.update_batch(&[Arc::clone(&views)], &[0, 1], None, 2).unwrap();
    assert_eq!(sets(&groups.evaluate(EmitTo::All).unwrap()), [Some(vec![1, 2, 3]), None]);
    let states = groups.convert_to_state(&[views], None).unwrap();
    assert_eq!(sets(&states[0]), [Some(vec![1, 2, 3]), None]);
}

#[test]
fn partial_states_merge() {
    let parts: [&[Option<Vec<u8>>]; 3] =
        [&[Some(bytes([1])), Some(bytes([5, 6]))], &[None, Some(bytes(0..1000))], &[Some(bytes([1, 2])), None]];
    let mut size = Groups::<Set>::counting();
    for (i, part) in parts.into_iter().enumerate() {
        let mut partial = Groups::<Set>::counting();
        let values = [column(part)];
        // Both ways to a state.
        let states = match i {
            0 => partial.convert_to_state(&values, None).unwrap(),
            _ => {
                partial.update_batch(&values, &[0, 1], None, 2).unwrap();
                partial.state(EmitTo::All).unwrap()
            }
        };
        assert_eq!(states.len(), 1);
        size.merge_batch(&states, &[0, 1], 2).unwrap();
    }
    assert_eq!(longs(&size.evaluate(EmitTo::All).unwrap()), [Some(2), Some(1000)]);
}

#[test]
fn filtered_rows_have_no_state() {
    let filter = BooleanArray::from(vec![Some(true), Some(false), None]);
    let values = [column(&[Some(bytes([1])), Some(bytes([2])), Some(bytes([3]))])];
    let states = Groups::<Set>::gathering().convert_to_state(&values, Some(&filter)).unwrap();
    assert_eq!(sets(&states[0]), [Some(vec![1]), None, None]);
    let values: [ArrayRef; 1] = [Arc::new(StringViewArray::from(vec!["a", "b", "c"]))];
    let states = Groups::<Hashes>::gathering().convert_to_state(&values, Some(&filter)).unwrap();
    assert_eq!(texts(&states[0]), [hashed(&["a"]), None, None]);
}

#[test]
fn the_first_groups_go_and_the_others_move_up() {
    let mut groups = Groups::<Set>::gathering();
    let empty = groups.size();
    let values = [column(&[Some(bytes([1])), Some(bytes([2, 3])), Some(bytes(0..100_000))])];
    groups.update_batch(&values, &[0, 1, 2], None, 3).unwrap();
    assert!(groups.size() > empty + 16_000, "{}", groups.size());
    assert_eq!(sets(&groups.evaluate(EmitTo::First(2)).unwrap()), [Some(vec![1]), Some(vec![2, 3])]);
    // What was group 2 is group 0 now.
    groups.update_batch(&[column(&[Some(bytes([200_000])), Some(bytes([7]))])], &[0, 1], None, 2).unwrap();
    let rest = sets(&groups.state(EmitTo::All).unwrap()[0]);
    assert_eq!(rest[0].as_ref().map(Vec::len), Some(100_001));
    assert_eq!(rest[1], Some(vec![7]));
    assert!(groups.size() < empty + 16_000, "{}", groups.size());
}

#[test]
fn a_set_is_the_same_however_it_grew() {
    // Ascending, descending and scattered numbers over several containers; with repeats; up to bitmaps.
    let scattered = |i: u32| i.wrapping_mul(2_654_435_761) % 300_000;
    for size in [1, 2, 3, 100, 255, 256, 257, 1000, 20_000_u32] {
        let orders: [Vec<u32>; 3] = [
            (0..size).collect(),
            (0..size).rev().flat_map(|i| [i, i]).collect(),
            (0..size).chain(0..size).map(scattered).collect(),
        ];
        for order in orders {
            let expected: BTreeSet<u32> = order.iter().copied().collect();
            let (mut one_by_one, mut halves) = (Set::default(), Set::default());
            order.iter().for_each(|number| one_by_one.insert(*number));
            let (left, right) = order.split_at(order.len() / 2);
            for half in [left, right].into_iter().filter(|half| !half.is_empty()) {
                halves.add_value(&bytes(half.iter().copied())).unwrap();
            }
            for set in [&mut one_by_one, &mut halves] {
                assert_eq!(set.count(), expected.len() as u64);
                let mut written = Vec::new();
                assert!(set.write(&mut written).unwrap());
                assert_eq!(written, bytes(expected.iter().copied()), "{size}");
                assert!(set.heap() < 64 + expected.len() * 100, "{size}: {}", set.heap());
            }
        }
    }
}

#[test]
fn bitmaps_that_wait_are_counted() {
    // Each is too long to be read number by number; they overlap, and fill arrays and bitmaps.
    let parts: Vec<Vec<u32>> = (0..130_u32).map(|part| (0..400).map(|i| part * 997 + i * 331).collect()).collect();
    let (mut set, mut expected) = (Set::default(), BTreeSet::new());
    for (no, part) in (0_u32..).zip(&parts) {
        set.add_value(&bytes(part.iter().copied())).unwrap();
        set.insert(no);
        expected.extend(part.iter().copied().chain([no]));
        assert!(set.heap() < 1000 + expected.len() * 12, "{no}: {}", set.heap());
        // Also while some wait.
        if no % 7 == 0 {
            assert_eq!(set.count(), expected.len() as u64, "{no}");
        }
    }
    let mut written = Vec::new();
    assert!(set.write(&mut written).unwrap());
    assert_eq!(written, bytes(expected));
    assert_eq!(numbers(&written).len() as u64, set.count());
}

#[test]
fn bitmaps_of_others_are_read() {
    let mut runs: RoaringBitmap = (10..100_000).collect();
    assert!(runs.optimize());
    let mut long = Vec::new();
    runs.serialize_into(&mut long).unwrap();
    assert!(long.len() < 100, "a bitmap with runs is short: {}", long.len());
    let mut one = Vec::new();
    RoaringBitmap::from_iter([7_u32]).serialize_into(&mut one).unwrap();
    let mut none = Vec::new();
    RoaringBitmap::new().serialize_into(&mut none).unwrap();

    let mut size = Groups::<Set>::counting();
    let values = [column(&[Some(long.clone()), Some(one), Some(none)])];
    size.update_batch(&values, &[0, 1, 2], None, 3).unwrap();
    // A set of nothing is like no set; a set of one has its one form.
    let states = size.state(EmitTo::All).unwrap();
    let states = states[0].as_binary::<i32>();
    assert_eq!(states.value(1), 7_u32.to_le_bytes());
    assert!(states.is_null(2));
    let mut set = Set::default();
    set.insert(3);
    set.add_value(&long).unwrap();
    set.insert(50_000);
    assert_eq!(set.count(), 99_991);
}

#[test]
fn damaged_bytes_are_an_error() {
    let (few, many) = (bytes([1, 2, 70_000]), bytes((0..100_000).filter(|i| i % 3 > 0)));
    let mut damaged: Vec<Vec<u8>> = vec![vec![], vec![1], vec![1, 2, 3], vec![1, 2, 3, 4, 5], vec![255; 64]];
    for good in [&few, &many] {
        // Cut anywhere but where one number is left; with more behind.
        let cuts = (5..good.len()).step_by(good.len() / 20 + 1).chain([good.len() - 1]);
        damaged.extend(cuts.map(|end| good[..end].to_vec()));
        damaged.push([good.as_slice(), &[0]].concat());
        damaged.push([good.as_slice(), &[0, 0]].concat());
    }
    // Two numbers the wrong way round, and two that are the same.
    let at = few.len() - 6;
    for second in [0_u16, 1] {
        let mut unsorted = few.clone();
        unsorted[at + 2..at + 4].copy_from_slice(&second.to_le_bytes());
        damaged.push(unsorted);
    }
    for bytes in damaged {
        let values = [column(&[Some(bytes.clone())])];
        let error = Groups::<Set>::gathering().update_batch(&values, &[0], None, 1).unwrap_err();
        assert!(error.to_string().contains("a set of numbers"), "{error}");
        assert!(Single::<Set>::counting().merge_batch(&values).is_err(), "{bytes:?}");
    }
    // Any byte may be wrong: a set may be another one then, but nothing panics.
    for at in 0..few.len() {
        for bit in 0..8 {
            let mut wrong = few.clone();
            wrong[at] ^= 1 << bit;
            let _ = Set::default().add_value(&wrong);
        }
    }
    let states = [column(&[Some(vec![1, 2, 3])])];
    let error = Groups::<Hashes>::gathering().merge_batch(&states, &[0], 1).unwrap_err();
    assert!(error.to_string().contains("3 bytes"), "{error}");
}

#[test]
fn hashes_of_distinct_texts() {
    let given = vec![Some("a"), None, Some("b"), Some("a"), Some("a text of more than twelve bytes"), Some("")];
    let arrays: [ArrayRef; 3] = [
        Arc::new(StringArray::from(given.clone())),
        Arc::new(StringViewArray::from(given.clone())),
        Arc::new(LargeStringArray::from(given)),
    ];
    for array in arrays {
        let (mut groups, mut merged) = (Groups::<Hashes>::gathering(), Groups::<Hashes>::gathering());
        groups.update_batch(&[Arc::clone(&array)], &[0, 1, 0, 0, 2, 2], None, 3).unwrap();
        let long = "a text of more than twelve bytes";
        let expected = [hashed(&["a", "b"]), None, hashed(&["", long])];
        let states = groups.state(EmitTo::All).unwrap();
        assert_eq!(texts(&states[0]), expected);
        merged.merge_batch(&states, &[0, 1, 2], 3).unwrap();
        merged.merge_batch(&groups.convert_to_state(&[array], None).unwrap(), &[0, 1, 0, 0, 2, 1], 3).unwrap();
        let expected = [hashed(&["a", "b"]), hashed(&[""]), hashed(&["", long])];
        assert_eq!(texts(&merged.evaluate(EmitTo::First(3)).unwrap()), expected);
    }
}

#[test]
fn without_groups() {
    let mut nothing = Single::<Set>::gathering();
    assert_eq!(nothing.evaluate().unwrap(), ScalarValue::Binary(None));
    assert_eq!(Single::<Set>::counting().evaluate().unwrap(), ScalarValue::Int64(Some(0)));
    assert_eq!(Single::<Hashes>::gathering().evaluate().unwrap(), ScalarValue::Binary(None));

    let mut size = Single::<Set>::counting();
    size.update_batch(&[column(&[Some(bytes([1])), None, Some(bytes([2]))])]).unwrap();
    // Asked twice, as a window does.
    assert_eq!(size.evaluate().unwrap(), ScalarValue::Int64(Some(2)));
    assert_eq!(size.evaluate().unwrap(), ScalarValue::Int64(Some(2)));
    let state = size.state().unwrap()[0].to_array().unwrap();
    nothing.merge_batch(&[state]).unwrap();
    assert_eq!(nothing.evaluate().unwrap(), ScalarValue::Binary(Some(bytes([1, 2]))));
    assert!(size.size() > size_of::<Single<Set>>());
}

/// Batches of a group (0 to 999), a customer (one in seven unknown) and a flag.
fn rows() -> Vec<(i64, Option<String>, bool)> {
    let mut state = 1_u64;
    let mut draw = |most: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let row = |_| {
        let (group, customer) = (draw(1000).min(draw(1000)), draw(700));
        let customer = (customer >= 100).then(|| format!("customer {customer}"));
        (i64::try_from(group).unwrap(), customer, draw(2) == 0)
    };
    (0..40_000).map(row).collect()
}

#[tokio::test]
async fn plans_count_like_sets() {
    let rows = rows();
    let batches = rows.chunks(1000).map(|rows| {
        let group: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|(group, ..)| *group)));
        let customer: ArrayRef =
            Arc::new(rows.iter().map(|(_, customer, _)| customer.as_deref()).collect::<StringViewArray>());
        let flag: ArrayRef = Arc::new(rows.iter().map(|(.., flag)| Some(*flag)).collect::<BooleanArray>());
        RecordBatch::try_from_iter_with_nullable([("g", group, false), ("c", customer, true), ("f", flag, false)])
            .unwrap()
    });
    let batches: Vec<RecordBatch> = batches.collect();
    let mut expected: BTreeMap<i64, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for (group, customer, flag) in &rows {
        let (all, flagged) = expected.entry(*group).or_default();
        if let Some(customer) = customer {
            all.insert(customer);
            if *flag {
                flagged.insert(customer);
            }
        }
    }

    // With partial groups, and with a first phase that gives up grouping.
    for most in ["1.0", "0.0"] {
        let config = SessionConfig::new()
            .with_target_partitions(3)
            .set_str("datafusion.execution.skip_partial_aggregation_probe_rows_threshold", "100")
            .set_str("datafusion.execution.skip_partial_aggregation_probe_ratio_threshold", most);
        let ctx = SessionContext::new_with_config(config);
        let number = numbered(Arc::new(Numbers::default())).call(vec![col("c")]);
        let flagged = set_size().call(vec![number.clone()]).filter(col("f")).build().unwrap();
        let by_group = ctx
            .read_batches(batches.clone())
            .unwrap()
            .aggregate(
                vec![col("g")],
                vec![
                    set_size().call(vec![number.clone()]).alias("n"),
                    flagged.alias("flagged"),
                    set_union().call(vec![number]).alias("s"),
                    value_hashes().call(vec![col("c")]).alias("h"),
                ],
            )
            .unwrap();
        let found = by_group.clone().sort_by(vec![col("g")]).unwrap().collect().await.unwrap();
        let mut groups = expected.iter();
        for batch in &found {
            let (n, flagged) = (longs(batch.column(1)), longs(batch.column(2)));
            let (sets, texts) = (sets(batch.column(3)), texts(batch.column(4)));
            for row in 0..batch.num_rows() {
                let (group, (all, with_flag)) = groups.next().unwrap();
                assert_eq!(batch.column(0).as_primitive::<Int64Type>().value(row), *group);
                assert_eq!(n[row], i64::try_from(all.len()).ok(), "{most} {group}");
                assert_eq!(flagged[row], i64::try_from(with_flag.len()).ok(), "{most} {group}");
                assert_eq!(sets[row].as_ref().map_or(0, Vec::len), all.len(), "{most} {group}");
                let all: Vec<&str> = all.iter().copied().collect();
                assert_eq!(texts[row], hashed(&all).filter(|hashes| !hashes.is_empty()), "{most} {group}");
            }
        }
        assert!(groups.next().is_none());

        // From sets to sets, without groups; and over no rows.
        let all: BTreeSet<&str> = expected.values().flat_map(|(all, _)| all).copied().collect();
        for (keep, size) in [(lit(true), all.len()), (col("g").lt(lit(0)), 0)] {
            let total = by_group.clone().filter(keep).unwrap();
            let total =
                total.aggregate(vec![], vec![set_size().call(vec![col("s")])]).unwrap().collect().await.unwrap();
            assert_eq!(longs(total[0].column(0)), [i64::try_from(size).ok()]);
            assert!(!total[0].schema().field(0).is_nullable());
        }
    }
}

#[tokio::test]
async fn a_number_is_that_of_the_dictionary() {
    let numbers = Arc::new(Numbers::default());
    numbers.number("x").unwrap();
    let (one, other) = (numbered(Arc::clone(&numbers)), numbered(Arc::new(numbers.fork())));
    assert_eq!(one, numbered(Arc::clone(&numbers)));
    assert_ne!(one, other);

    let customers: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("x")]));
    let batch = RecordBatch::try_from_iter_with_nullable([("c", customers, true)]).unwrap();
    let calls = vec![
        one.call(vec![col("c")]),
        one.call(vec![lit("x")]).alias("folded"),
        one.call(vec![lit(ScalarValue::Utf8View(None))]).alias("nothing"),
    ];
    let found = SessionContext::new().read_batch(batch).unwrap().select(calls).unwrap().collect().await.unwrap();
    assert_eq!(sets(found[0].column(0)), [Some(vec![1]), None, Some(vec![0])]);
    assert_eq!(sets(found[0].column(1)), vec![Some(vec![0]); 3]);
    assert_eq!(sets(found[0].column(2)), vec![None; 3]);
}
