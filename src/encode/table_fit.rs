//! Which columns of a table fit a terminal, and which do not. It must not look at values nor draw anything.

/// A text column is not squeezed below this many characters …
const NARROWEST: usize = 8;
/// … and where columns must go anyhow, not below this many: names are to be read.
const READABLE: usize = 20;
/// A blank on both sides and the gap to the next column.
const BESIDE: usize = 3;

/// One column, as far as its room matters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Characters of the widest cell, the header's too.
    pub width: usize,
    /// Numbers are never wrapped.
    pub number: bool,
    /// Every row has the same value.
    pub same: bool,
    /// What the table is about: it stays as long as anything does.
    pub main: bool,
    /// Says more about a neighbour: such a column is the first to go.
    pub aside: bool,
}

impl Room {
    fn at_least(&self, texts: usize) -> usize {
        BESIDE + if self.number { self.width } else { self.width.min(texts) }
    }
}

/// Positions of columns, each in exactly one of the lists, each list in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fit {
    pub shown: Vec<usize>,
    /// Told once, below the table.
    pub same: Vec<usize>,
    pub hidden: Vec<usize>,
}

/// The characters that `columns` take side by side without wrapping.
fn natural(columns: &[Room]) -> usize {
    columns.iter().map(|c| c.at_least(usize::MAX)).sum()
}

/// The same with every text wrapped as far as is sensible.
pub(super) fn squeezed(columns: &[Room]) -> usize {
    columns.iter().map(|c| c.at_least(NARROWEST)).sum()
}

/// Finds room in `terminal` characters: first the columns with one value go, then texts are wrapped, then columns go from
/// the end, since what names the rows leads; the first column and the main ones stay before all others.
pub(super) fn fit(columns: &[Room], terminal: usize) -> Fit {
    let all: Vec<usize> = (0..columns.len()).collect();
    if natural(columns) <= terminal {
        return Fit { shown: all, same: Vec::new(), hidden: Vec::new() };
    }
    // A table has a column, if only of the same values.
    let (mut same, mut differ): (Vec<usize>, Vec<usize>) = all.into_iter().partition(|at| columns[*at].same);
    if differ.is_empty() && !same.is_empty() {
        differ.push(same.remove(0));
    }
    let left: Vec<Room> = differ.iter().map(|at| columns[*at]).collect();
    if squeezed(&left) <= terminal {
        return Fit { shown: differ, same, hidden: Vec::new() };
    }
    let leads = differ.first().copied();
    let mut by_weight = differ;
    by_weight.sort_by_key(|at| (Some(*at) != leads, !columns[*at].main, columns[*at].aside));
    let mut taken = 0;
    let fitting = by_weight.iter().take_while(|at| {
        taken += columns[**at].at_least(READABLE);
        taken <= terminal
    });
    let count = fitting.count().max(1);
    let mut hidden = by_weight.split_off(count);
    by_weight.sort_unstable();
    hidden.sort_unstable();
    Fit { shown: by_weight, same, hidden }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(width: usize) -> Room {
        Room { width, number: false, same: false, main: false, aside: false }
    }
    fn number(width: usize) -> Room {
        Room { number: true, ..text(width) }
    }
    fn same(room: Room) -> Room {
        Room { same: true, ..room }
    }

    #[test]
    fn what_fits_is_left_alone() {
        let columns = [text(10), same(text(10)), number(10)];
        assert_eq!(fit(&columns, 39), Fit { shown: vec![0, 1, 2], same: vec![], hidden: vec![] });
    }

    #[test]
    fn one_value_goes_before_a_text_is_wrapped() {
        let columns = [text(10), same(text(10)), number(10)];
        assert_eq!(fit(&columns, 38), Fit { shown: vec![0, 2], same: vec![1], hidden: vec![] });
        assert_eq!(fit(&columns, 24), Fit { shown: vec![0, 2], same: vec![1], hidden: vec![] }, "wrapped to 8");
        assert_eq!(fit(&[same(text(10)), same(number(10))], 20).shown, [0], "a table keeps a column");
    }

    #[test]
    fn then_columns_go_from_the_end_and_those_aside_before_them() {
        let aside = Room { aside: true, ..text(10) };
        let columns = [text(12), aside, text(30), number(12), number(12), text(10)];
        let fitted = fit(&columns, 15 + 23 + 15);
        assert_eq!(fitted, Fit { shown: vec![0, 2, 3], same: vec![], hidden: vec![1, 4, 5] });
        assert_eq!(fit(&columns, 15 + 23 + 14).shown, [0, 2], "a number is whole or not there");
        assert_eq!(fit(&columns, 5).shown, [0], "nothing is not shown");
    }

    #[test]
    fn what_the_table_is_about_stays_behind_columns_that_go() {
        let main = Room { main: true, ..number(12) };
        let columns = [text(12), text(12), number(12), number(12), main, number(12)];
        let fitted = fit(&columns, 3 * 15);
        assert_eq!(fitted, Fit { shown: vec![0, 1, 4], same: vec![], hidden: vec![2, 3, 5] });
        assert_eq!(fit(&columns, 2 * 15).shown, [0, 4]);
    }
}
