//! Sets of numbers made of intervals, in one form for each set: parts that are apart, in order.
//!
//! Ends are put in order by their values, so that `[1,2] \cup [2,3]` is `[1,3]` and `(-\infty,\sqrt2) \cap (1,9)` is
//! `(1,\sqrt2)`. Where an end is no number the parts stay as they are written.

use std::cell::Cell;

use super::answer::{Answer, Bracket, Quantity};
use super::equal::{Order, order};
use super::expr::Expr;
use super::unit::Unit;

/// An interval; equal ends that are closed are one number.
#[derive(Clone, Debug)]
struct Interval {
    low: Expr,
    low_closed: bool,
    high: Expr,
    high_closed: bool,
}

/// The set in its one form, where it is made of intervals and numbers whose order can be told.
pub(super) fn normal(answer: &Answer, cost: &Cell<u64>) -> Option<Answer> {
    let parts = merged(parts(answer, cost)?, cost)?;
    let mut answers: Vec<Answer> = parts.into_iter().map(|part| part.answer(cost)).collect();
    Some(match answers.len() {
        0 => Answer::Set(Vec::new()),
        1 => answers.swap_remove(0),
        _ => Answer::Union(answers),
    })
}

impl Interval {
    fn answer(self, cost: &Cell<u64>) -> Answer {
        let bracket = |closed| if closed { Bracket::Square } else { Bracket::Round };
        if self.low_closed && self.high_closed && order(&self.low, &self.high, cost) == Some(Order::Equal) {
            return Answer::Set(vec![Answer::bare(self.low)]);
        }
        let ends = vec![Answer::bare(self.low), Answer::bare(self.high)];
        Answer::Tuple(bracket(self.low_closed), ends, bracket(self.high_closed))
    }
}

/// The intervals of a set, in any order.
fn parts(answer: &Answer, cost: &Cell<u64>) -> Option<Vec<Interval>> {
    let end = |answer: &Answer| match answer {
        Answer::Quantity(Quantity { expr, unit }) if *unit == Unit::default() => Some(expr.clone()),
        _ => None,
    };
    match answer {
        Answer::Tuple(left, ends, right) => match ends.as_slice() {
            [low, high] => {
                let closed = |bracket: &Bracket| *bracket == Bracket::Square;
                let (low, high) = (end(low)?, end(high)?);
                Some(vec![Interval { low, low_closed: closed(left), high, high_closed: closed(right) }])
            }
            _ => None,
        },
        Answer::Set(members) => members
            .iter()
            .map(|member| {
                let number = end(member)?;
                Some(Interval { low: number.clone(), low_closed: true, high: number, high_closed: true })
            })
            .collect(),
        Answer::Union(parts) => {
            let lists = parts.iter().map(|part| self::parts(part, cost)).collect::<Option<Vec<_>>>()?;
            Some(lists.into_iter().flatten().collect())
        }
        Answer::Intersection(sets) => {
            let mut sets = sets.iter();
            let mut common = parts(sets.next()?, cost)?;
            for set in sets {
                let other = parts(set, cost)?;
                let pairs = common.iter().flat_map(|a| other.iter().map(move |b| (a, b)));
                common = pairs
                    .map(|(a, b)| intersection(a, b, cost))
                    .collect::<Option<Vec<_>>>()?
                    .into_iter()
                    .flatten()
                    .collect();
            }
            Some(common)
        }
        _ => None,
    }
}

/// What two intervals have in common, if anything; none where that cannot be told.
fn intersection(a: &Interval, b: &Interval, cost: &Cell<u64>) -> Option<Option<Interval>> {
    let (low, low_closed) = match order(&a.low, &b.low, cost)? {
        Order::Less => (&b.low, b.low_closed),
        Order::Greater => (&a.low, a.low_closed),
        Order::Equal => (&a.low, a.low_closed && b.low_closed),
    };
    let (high, high_closed) = match order(&a.high, &b.high, cost)? {
        Order::Less => (&a.high, a.high_closed),
        Order::Greater => (&b.high, b.high_closed),
        Order::Equal => (&a.high, a.high_closed && b.high_closed),
    };
    let common = Interval { low: low.clone(), low_closed, high: high.clone(), high_closed };
    Some(match order(low, high, cost)? {
        Order::Less => Some(common),
        Order::Equal if low_closed && high_closed => Some(common),
        _ => None,
    })
}

/// The same set as parts that are apart, in order.
fn merged(mut parts: Vec<Interval>, cost: &Cell<u64>) -> Option<Vec<Interval>> {
    let mut sorted: Vec<Interval> = Vec::with_capacity(parts.len());
    while let Some(part) = parts.pop() {
        match order(&part.low, &part.high, cost)? {
            Order::Less => {}
            Order::Equal if part.low_closed && part.high_closed => {}
            // Nothing lies between its ends.
            _ => continue,
        }
        let mut at = 0;
        while at < sorted.len() && order(&sorted[at].low, &part.low, cost)? == Order::Less {
            at += 1;
        }
        sorted.insert(at, part);
    }
    let mut merged: Vec<Interval> = Vec::with_capacity(sorted.len());
    for part in sorted {
        let Some(last) = merged.last_mut() else {
            merged.push(part);
            continue;
        };
        let touches = match order(&part.low, &last.high, cost)? {
            Order::Less => true,
            Order::Equal => part.low_closed || last.high_closed,
            Order::Greater => false,
        };
        if !touches {
            merged.push(part);
            continue;
        }
        if order(&part.low, &last.low, cost)? == Order::Equal {
            last.low_closed |= part.low_closed;
        }
        match order(&last.high, &part.high, cost)? {
            Order::Less => (last.high, last.high_closed) = (part.high, part.high_closed),
            Order::Equal => last.high_closed |= part.high_closed,
            Order::Greater => {}
        }
    }
    Some(merged)
}
