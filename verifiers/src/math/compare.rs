//! Decides whether an answer is the gold one, by what each of them is.

use std::cell::Cell;

use num_rational::BigRational;
use num_traits::Zero;

use super::answer::{Answer, Bracket, Quantity};
use super::equal::{Equality, equal, proportional, within};
use super::expr::{Expr, Mark};
use super::intervals::normal;
use super::latex::Relation;
use super::unit::Unit;

/// Pairs of members that are compared, one comparison's worth of formulas.
const MAX_PAIRS: usize = 1024;

/// How an answer stands to the gold one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    Equal,
    Differs,
    /// Both have units, and not the same.
    UnitsDiffer,
    /// They are of different sorts, such as a tuple and a set.
    OtherSort,
    /// Neither equality nor difference could be shown.
    Unproven,
}

impl From<Equality> for Match {
    fn from(equality: Equality) -> Self {
        match equality {
            Equality::Equal => Self::Equal,
            Equality::Differs => Self::Differs,
            Equality::Unproven => Self::Unproven,
        }
    }
}

/// What is left to spend, and how exact answers must be.
pub(super) struct Comparer<'a> {
    /// What has been spent on evaluation: see [`super::numeric`].
    cost: &'a Cell<u64>,
    /// Relative to the gold number.
    tolerance: &'a BigRational,
    pairs: usize,
}

impl<'a> Comparer<'a> {
    pub(super) fn new(tolerance: &'a BigRational, cost: &'a Cell<u64>) -> Self {
        Self { cost, tolerance, pairs: 0 }
    }

    /// Whether `given` is `gold`.
    pub(super) fn compare(&mut self, gold: &Answer, given: &Answer) -> Match {
        use Answer as A;
        self.pairs += 1;
        if self.pairs > MAX_PAIRS {
            return Match::Unproven;
        }
        if gold == given {
            return Match::Equal;
        }
        match (gold, given) {
            (A::Named(a, gold), A::Named(b, given)) => {
                // Names of functions must agree; words say what is meant in many ways.
                let is_word = |name: &str| !name.contains('(') && name.chars().count() > 1;
                if a == b || is_word(a) || is_word(b) { self.compare(gold, given) } else { Match::Differs }
            }
            (A::Named(_, value), A::Relation(sides, signs)) if assigned(sides, signs).is_none() => {
                self.compare(value, given)
            }
            (A::Relation(sides, signs), A::Named(_, value)) if assigned(sides, signs).is_none() => {
                self.compare(gold, value)
            }
            (A::Named(_, value), other) => self.compare(value, other),
            (other, A::Named(_, value)) => self.compare(other, value),
            (A::Relation(..), _) | (_, A::Relation(..)) => self.relations(gold, given),
            (A::Quantity(gold), A::Quantity(given)) => self.quantities(gold, given),
            (A::Text(a), A::Text(b)) => {
                if a == b {
                    Match::Equal
                } else {
                    Match::Differs
                }
            }
            (A::List(a), A::List(b)) => self.in_any_order(a, b),
            (A::List(a) | A::Set(a), A::Set(b)) | (A::Set(a), A::List(b)) => self.same_set(a, b),
            (A::List(a), A::Tuple(Bracket::Round, b, Bracket::Round))
            | (A::Tuple(Bracket::Round, a, Bracket::Round), A::List(b)) => self.in_order(a, b),
            (A::Tuple(a_left, a, a_right), A::Tuple(b_left, b, b_right)) => {
                if (a_left, a_right) == (b_left, b_right) { self.in_order(a, b) } else { Match::Differs }
            }
            (A::Union(a), A::Union(b))
                if normal(gold, self.cost).is_none() || normal(given, self.cost).is_none() =>
            {
                self.in_any_order(a, b)
            }
            (A::Union(_) | A::Intersection(_), _) | (_, A::Union(_) | A::Intersection(_)) => {
                self.sets(gold, given)
            }
            (A::Matrix(a), A::Matrix(b)) => self.matrices(a, b),
            (A::Matrix(rows), A::Tuple(Bracket::Round, members, Bracket::Round))
            | (A::Tuple(Bracket::Round, members, Bracket::Round), A::Matrix(rows)) => {
                self.vector(rows, members)
            }
            (A::Ratio(a), A::Ratio(b)) => self.ratios(a, b),
            (A::Ratio(parts), A::Quantity(quantity)) | (A::Quantity(quantity), A::Ratio(parts)) => {
                match parts.as_slice() {
                    [above, below] if quantity.unit.is_bare() => {
                        equal(&above.clone().div(below.clone()), &quantity.expr, self.cost).into()
                    }
                    _ => Match::OtherSort,
                }
            }
            (A::Based(a, base_a), A::Based(b, base_b)) => {
                let same = base_a == base_b && a.trim_start_matches('0') == b.trim_start_matches('0');
                if same { Match::Equal } else { Match::Differs }
            }
            (A::Based(digits, _), A::Quantity(quantity)) | (A::Quantity(quantity), A::Based(digits, _)) => {
                let written = quantity.expr.as_number().map(ToString::to_string);
                if written.as_deref() == Some(digits) { Match::Equal } else { Match::Differs }
            }
            _ => Match::OtherSort,
        }
    }

    /// Sets of numbers of which one is a union or an intersection.
    fn sets(&mut self, gold: &Answer, given: &Answer) -> Match {
        let cost = self.cost;
        let form = |answer: &Answer| match answer {
            // Inequalities joined by "or".
            Answer::List(members) => {
                let intervals = members.iter().map(interval).collect::<Option<Vec<_>>>()?;
                normal(&Answer::Union(intervals), cost)
            }
            other => normal(other, cost),
        };
        match (form(gold), form(given)) {
            (Some(Answer::Union(a)), Some(Answer::Union(b))) => self.in_order(&a, &b),
            (Some(Answer::Union(_)), Some(_)) | (Some(_), Some(Answer::Union(_))) => Match::Differs,
            (Some(a), Some(b)) => self.compare(&a, &b),
            _ => Match::OtherSort,
        }
    }

    fn quantities(&self, gold: &Quantity, given: &Quantity) -> Match {
        match (gold.unit.percent, given.unit.percent) {
            (true, true) | (false, false) => {
                if !gold.unit.agrees(&given.unit) {
                    return Match::UnitsDiffer;
                }
                self.numbers(&gold.expr, &given.expr)
            }
            (gold_percent, _) => {
                let bare: &Unit = if gold_percent { &given.unit } else { &gold.unit };
                if !bare.is_bare() {
                    return Match::UnitsDiffer;
                }
                let percent = |expr: &Expr| expr.clone().mul(Expr::Mark(Mark::Percent));
                let as_written = self.numbers(&gold.expr, &given.expr);
                if as_written == Match::Equal {
                    return as_written;
                }
                let worked_out = if gold_percent {
                    self.numbers(&percent(&gold.expr), &given.expr)
                } else {
                    self.numbers(&gold.expr, &percent(&given.expr))
                };
                if worked_out == Match::Equal { worked_out } else { as_written }
            }
        }
    }

    fn numbers(&self, gold: &Expr, given: &Expr) -> Match {
        let exact = equal(gold, given, self.cost);
        if exact == Equality::Equal || self.tolerance.is_zero() {
            return exact.into();
        }
        within(gold, given, self.tolerance, self.cost).into()
    }

    fn in_order(&mut self, a: &[Answer], b: &[Answer]) -> Match {
        if a.len() != b.len() {
            return Match::Differs;
        }
        let mut found = Match::Equal;
        for (a, b) in a.iter().zip(b) {
            match self.compare(a, b) {
                Match::Equal => {}
                Match::Unproven => found = Match::Unproven,
                other => return other,
            }
        }
        found
    }

    /// Whether the members of one are those of the other, each as often.
    fn in_any_order(&mut self, a: &[Answer], b: &[Answer]) -> Match {
        if a.len() != b.len() {
            return Match::Differs;
        }
        let mut free: Vec<&Answer> = b.iter().collect();
        let mut found = Match::Equal;
        for member in a {
            match self.find(member, &free) {
                Ok(at) => {
                    free.swap_remove(at);
                }
                Err(Match::Unproven) => found = Match::Unproven,
                Err(_) => return Match::Differs,
            }
        }
        found
    }

    /// Whether each member of one is a member of the other.
    fn same_set(&mut self, a: &[Answer], b: &[Answer]) -> Match {
        let mut found = Match::Equal;
        for (members, others) in [(a, b), (b, a)] {
            let others: Vec<&Answer> = others.iter().collect();
            for member in members {
                match self.find(member, &others) {
                    Ok(_) => {}
                    Err(Match::Unproven) => found = Match::Unproven,
                    Err(_) => return Match::Differs,
                }
            }
        }
        found
    }

    /// The place of a member among others, or whether it certainly has none.
    fn find(&mut self, member: &Answer, others: &[&Answer]) -> Result<usize, Match> {
        let mut missing = Match::Differs;
        for (at, other) in others.iter().enumerate() {
            match self.compare(member, other) {
                Match::Equal => return Ok(at),
                Match::Unproven => missing = Match::Unproven,
                _ => {}
            }
        }
        Err(missing)
    }

    fn matrices(&mut self, a: &[Vec<Expr>], b: &[Vec<Expr>]) -> Match {
        if a.len() != b.len() || a.iter().zip(b).any(|(a, b)| a.len() != b.len()) {
            return Match::Differs;
        }
        self.all_numbers(a.iter().flatten().zip(b.iter().flatten()))
    }

    fn all_numbers<'e>(&mut self, pairs: impl Iterator<Item = (&'e Expr, &'e Expr)>) -> Match {
        let mut found = Match::Equal;
        for (gold, given) in pairs {
            self.pairs += 1;
            match self.numbers(gold, given) {
                _ if self.pairs > MAX_PAIRS => return Match::Unproven,
                Match::Equal => {}
                Match::Unproven => found = Match::Unproven,
                other => return other,
            }
        }
        found
    }

    /// A matrix of one row or column against members in round brackets.
    fn vector(&mut self, rows: &[Vec<Expr>], members: &[Answer]) -> Match {
        let is_vector = rows.len() == 1 || rows.iter().all(|row| row.len() == 1);
        let entries: Vec<Answer> = rows.iter().flatten().cloned().map(Answer::bare).collect();
        if is_vector { self.in_order(&entries, members) } else { Match::OtherSort }
    }

    /// Ratios are the same where all parts are in one proportion.
    fn ratios(&mut self, a: &[Expr], b: &[Expr]) -> Match {
        if a.len() != b.len() {
            return Match::Differs;
        }
        let (first_a, first_b) = (&a[0], &b[0]);
        if first_a.is_zero() || first_b.is_zero() {
            return self.all_numbers(a.iter().zip(b));
        }
        let across: Vec<(Expr, Expr)> = a
            .iter()
            .zip(b)
            .map(|(a, b)| (a.clone().mul(first_b.clone()), b.clone().mul(first_a.clone())))
            .collect();
        self.all_numbers(across.iter().map(|(a, b)| (a, b)))
    }

    fn relations(&mut self, gold: &Answer, given: &Answer) -> Match {
        match (gold, given) {
            (Answer::Relation(a, a_signs), Answer::Relation(b, b_signs)) => {
                if let (Some((a, gold)), Some((b, given))) = (assigned(a, a_signs), assigned(b, b_signs))
                    && a == b
                {
                    return self.values(&gold, &given);
                }
                if a_signs.len() == 1 && b_signs.len() == 1 {
                    return one_sign((a, a_signs[0]), (b, b_signs[0]), self.cost);
                }
                self.chains(a, a_signs, b, b_signs)
            }
            (relation @ Answer::Relation(sides, signs), other)
            | (other, relation @ Answer::Relation(sides, signs)) => {
                let is_gold = std::ptr::eq(relation, gold);
                if let Some((_, values)) = assigned(sides, signs) {
                    return self.each(&values, other, is_gold);
                }
                let as_set = match sides.len() {
                    2 if signs[0] == Relation::NotEqual => unequal(sides),
                    _ => interval(relation),
                };
                match (as_set, other) {
                    (Some(set), Answer::Tuple(..) | Answer::Union(_)) if is_gold => self.compare(&set, other),
                    (Some(set), Answer::Tuple(..) | Answer::Union(_)) => self.compare(other, &set),
                    // `2 + 3 = 5`, `\sqrt{2} \approx 1.41`: every side before the about must be the number.
                    (None, Answer::Quantity(_)) if is_equation(signs) => {
                        self.each(&sides[..=exact(signs).min(sides.len() - 1)], other, is_gold)
                    }
                    _ => Match::OtherSort,
                }
            }
            _ => Match::OtherSort,
        }
    }

    /// Whether each of some values is the other answer.
    fn each(&mut self, values: &[Quantity], other: &Answer, is_gold: bool) -> Match {
        let mut found = Match::Equal;
        for value in values {
            let value = Answer::Quantity(value.clone());
            let matched = if is_gold { self.compare(&value, other) } else { self.compare(other, &value) };
            match matched {
                Match::Equal => {}
                Match::Unproven => found = Match::Unproven,
                other => return other,
            }
        }
        found
    }

    /// Whether two assignments to one variable have one value.
    fn values(&mut self, gold: &[Quantity], given: &[Quantity]) -> Match {
        let mut found = Match::Equal;
        for gold in gold {
            match self.each(given, &Answer::Quantity(gold.clone()), false) {
                Match::Equal => {}
                Match::Unproven => found = Match::Unproven,
                other => return other,
            }
        }
        found
    }

    /// `1 < x \le 3` against `3 \ge x > 1`.
    fn chains(
        &mut self,
        a: &[Quantity],
        a_signs: &[Relation],
        b: &[Quantity],
        b_signs: &[Relation],
    ) -> Match {
        let ascending = |sides: &[Quantity], signs: &[Relation]| {
            let falls = signs.iter().all(|it| matches!(it, Relation::Greater | Relation::GreaterEqual));
            let (mut sides, mut signs) = (sides.to_vec(), signs.to_vec());
            if falls {
                sides.reverse();
                signs.reverse();
                signs.iter_mut().for_each(|sign| *sign = mirrored(*sign));
            }
            (sides, signs)
        };
        let ((a, a_signs), (b, b_signs)) = (ascending(a, a_signs), ascending(b, b_signs));
        if a_signs != b_signs {
            return Match::Differs;
        }
        let sides = |sides: Vec<Quantity>| sides.into_iter().map(Answer::Quantity).collect::<Vec<_>>();
        self.in_order(&sides(a), &sides(b))
    }
}

fn is_equation(signs: &[Relation]) -> bool {
    signs.iter().all(|it| matches!(it, Relation::Equal | Relation::Approximate))
}

/// How many signs stand before the first about.
fn exact(signs: &[Relation]) -> usize {
    signs.iter().position(|it| *it == Relation::Approximate).unwrap_or(signs.len())
}

/// What a relation says that a variable is: the variable and the values that are given for it, which must all agree. An
/// approximate value counts only where there is no other.
fn assigned(sides: &[Quantity], signs: &[Relation]) -> Option<(String, Vec<Quantity>)> {
    if !is_equation(signs) {
        return None;
    }
    let name_of = |side: &Quantity| match &side.expr {
        Expr::Variable(name) => Some(name.to_string()),
        _ => None,
    };
    let (name, rest): (String, Vec<&Quantity>) = match (name_of(&sides[0]), name_of(&sides[sides.len() - 1]))
    {
        (Some(name), _) => (name, sides[1..].iter().collect()),
        (None, Some(name)) if sides.len() == 2 => (name, vec![&sides[0]]),
        _ => return None,
    };
    let holds_name = |side: &&Quantity| side.expr.any(|it| matches!(it, Expr::Variable(it) if **it == *name));
    if rest.iter().any(holds_name) {
        return None;
    }
    // What is only about equal commits to nothing.
    let kept = exact(signs).min(rest.len());
    if kept == 0 {
        return None;
    }
    Some((name, rest.into_iter().take(kept).cloned().collect()))
}

fn mirrored(sign: Relation) -> Relation {
    match sign {
        Relation::Less => Relation::Greater,
        Relation::LessEqual => Relation::GreaterEqual,
        Relation::Greater => Relation::Less,
        Relation::GreaterEqual => Relation::LessEqual,
        other => other,
    }
}

/// Two relations of one sign each: the same sort, and differences of their sides in proportion.
fn one_sign(
    (a, a_sign): (&[Quantity], Relation),
    (b, b_sign): (&[Quantity], Relation),
    cost: &Cell<u64>,
) -> Match {
    // What is asked to be above zero, or at least zero.
    let difference = |sides: &[Quantity], sign: Relation| {
        let (left, right) = (sides[0].expr.clone(), sides[1].expr.clone());
        match sign {
            Relation::Less | Relation::LessEqual => (right.sub(left), mirrored(sign)),
            _ => (left.sub(right), sign),
        }
    };
    let ((a, a_sign), (b, b_sign)) = (difference(a, a_sign), difference(b, b_sign));
    if a_sign != b_sign {
        return Match::Differs;
    }
    if a_sign == Relation::Approximate {
        return Match::Unproven;
    }
    proportional(&a, &b, matches!(a_sign, Relation::Greater | Relation::GreaterEqual), cost).into()
}

/// `x > 3` and `1 < x \le 3` as intervals.
fn interval(answer: &Answer) -> Option<Answer> {
    let Answer::Relation(sides, signs) = answer else { return None };
    let is_variable = |side: &Quantity| matches!(side.expr, Expr::Variable(_));
    let (mut sides, mut signs) = (sides.to_vec(), signs.to_vec());
    if matches!(signs[0], Relation::Greater | Relation::GreaterEqual) {
        sides.reverse();
        signs.reverse();
        signs.iter_mut().for_each(|sign| *sign = mirrored(*sign));
    }
    if !signs.iter().all(|it| matches!(it, Relation::Less | Relation::LessEqual)) {
        return None;
    }
    let bracket = |sign: Relation| if sign == Relation::LessEqual { Bracket::Square } else { Bracket::Round };
    let infinity = || Answer::bare(Expr::Infinity);
    let end = |side: &Quantity| Answer::Quantity(side.clone());
    match sides.as_slice() {
        [low, x] if is_variable(x) => {
            Some(Answer::Tuple(bracket(signs[0]), vec![end(low), infinity()], Bracket::Round))
        }
        [x, high] if is_variable(x) => {
            let low = Answer::bare(Expr::Infinity.neg());
            Some(Answer::Tuple(Bracket::Round, vec![low, end(high)], bracket(signs[0])))
        }
        [low, x, high] if is_variable(x) => {
            Some(Answer::Tuple(bracket(signs[0]), vec![end(low), end(high)], bracket(signs[1])))
        }
        _ => None,
    }
}

/// `x \ne 3` as the union of what is below and above.
fn unequal(sides: &[Quantity]) -> Option<Answer> {
    let value = match sides {
        [x, value] if matches!(x.expr, Expr::Variable(_)) => Answer::Quantity(value.clone()),
        _ => return None,
    };
    let infinity = |sign: bool| Answer::bare(if sign { Expr::Infinity } else { Expr::Infinity.neg() });
    let open = |low, high| Answer::Tuple(Bracket::Round, vec![low, high], Bracket::Round);
    Some(Answer::Union(vec![open(infinity(false), value.clone()), open(value, infinity(true))]))
}
