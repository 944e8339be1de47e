//! What an answer is: a number or expression with its unit, a tuple, a set, an interval, a matrix, a relation, words.

use super::expr::Expr;
use super::latex::Relation;
use super::unit::Unit;

/// The brackets around members in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bracket {
    /// `(`, `)` or angles.
    Round,
    /// `[`, `]`.
    Square,
}

/// An expression with its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    /// What is written: for `5 %` this is 5.
    pub(super) expr: Expr,
    pub(super) unit: Unit,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Answer {
    Quantity(Quantity),
    /// Words, folded to lower case, with single spaces.
    Text(String),
    /// Members with commas between them and no brackets: any order.
    List(Vec<Answer>),
    /// Members in brackets, in order; two of them are an interval as well.
    Tuple(Bracket, Vec<Answer>, Bracket),
    Set(Vec<Answer>),
    Union(Vec<Answer>),
    Intersection(Vec<Answer>),
    Matrix(Vec<Vec<Expr>>),
    /// `a = b`, `a < b \le c`: one side more than signs.
    Relation(Vec<Quantity>, Vec<Relation>),
    /// `name = value`, where the name is no formula: `f(x)`, `\text{area}`.
    Named(String, Box<Answer>),
    /// `3 : 4`.
    Ratio(Vec<Expr>),
    /// Digits to a base.
    Based(String, u32),
}

impl Answer {
    pub(super) fn bare(expr: Expr) -> Self {
        Self::Quantity(Quantity { expr, unit: Unit::default() })
    }

    /// Every expression in it.
    pub(super) fn expressions(&self) -> Vec<&Expr> {
        match self {
            Self::Quantity(quantity) => vec![&quantity.expr],
            Self::List(members)
            | Self::Tuple(_, members, _)
            | Self::Set(members)
            | Self::Union(members)
            | Self::Intersection(members) => members.iter().flat_map(Self::expressions).collect(),
            Self::Matrix(rows) => rows.iter().flatten().collect(),
            Self::Relation(sides, _) => sides.iter().map(|side| &side.expr).collect(),
            Self::Named(_, value) => value.expressions(),
            Self::Ratio(parts) => parts.iter().collect(),
            Self::Text(_) | Self::Based(..) => Vec::new(),
        }
    }
}
