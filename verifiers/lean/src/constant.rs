//! What an environment holds.
//!
//! A constant is a claim: where it comes from a submission, every field of it is whatever its author wrote. Only the
//! kernel says whether it is right.

use crate::terms::{ExprId, NameId};

/// A constant of an environment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constant {
    /// Its full name.
    pub name: NameId,
    /// The names of its universe parameters, in the order in which levels are given to it.
    pub level_params: Vec<NameId>,
    /// Its type.
    pub ty: ExprId,
    /// What it is.
    pub kind: ConstantKind,
}

/// What a constant is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ConstantKind {
    /// Something assumed.
    Axiom {
        /// Whether it takes no part in the logic.
        is_unsafe: bool,
    },
    /// A name for a value, which may be unfolded.
    Definition {
        /// What it stands for.
        value: ExprId,
        /// When to unfold it; only speed depends on it.
        hints: Hints,
        /// Whether it takes part in the logic.
        safety: Safety,
    },
    /// A proposition with its proof.
    Theorem {
        /// The proof.
        value: ExprId,
    },
    /// A value that is never unfolded.
    Opaque {
        /// What shows that the type has a value.
        value: ExprId,
        /// Whether it takes no part in the logic.
        is_unsafe: bool,
    },
    /// One of the four constants of quotients.
    Quot(QuotKind),
    /// An inductive type.
    Inductive(InductiveInfo),
    /// A constructor of an inductive type.
    Constructor(ConstructorInfo),
    /// The recursor of an inductive type.
    Recursor(RecursorInfo),
}

/// When a definition is unfolded, in comparison with others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hints {
    /// Last of all.
    Opaque,
    /// Before everything else.
    Abbreviation,
    /// The higher first.
    Regular(u32),
}

/// Whether a definition takes part in the logic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Safety {
    /// It takes no part.
    Unsafe,
    /// It does.
    Safe,
    /// It takes no part: its recursion was not shown to end.
    Partial,
}

/// The four constants of quotients.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuotKind {
    /// `Quot`.
    Type,
    /// `Quot.mk`.
    Ctor,
    /// `Quot.lift`.
    Lift,
    /// `Quot.ind`.
    Ind,
}

/// An inductive type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InductiveInfo {
    /// How many of its arguments are the same in all of its constructors.
    pub num_params: u32,
    /// How many of its arguments are not.
    pub num_indices: u32,
    /// The types of the block it was declared in, itself among them.
    pub all: Vec<NameId>,
    /// Its constructors, in order.
    pub constructors: Vec<NameId>,
    /// How many types are nested in others in the block.
    pub num_nested: u32,
    /// Whether a constructor takes values of the type.
    pub is_rec: bool,
    /// Whether it takes no part in the logic.
    pub is_unsafe: bool,
    /// Whether a constructor takes functions that give values of the type.
    pub is_reflexive: bool,
}

/// A constructor of an inductive type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConstructorInfo {
    /// The type it makes values of.
    pub inductive: NameId,
    /// Its place among the type's constructors.
    pub index: u32,
    /// How many of its arguments are parameters of the type.
    pub num_params: u32,
    /// How many come after those.
    pub num_fields: u32,
    /// Whether it takes no part in the logic.
    pub is_unsafe: bool,
}

/// The recursor of an inductive type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecursorInfo {
    /// The types of the block.
    pub all: Vec<NameId>,
    /// How many parameters it takes.
    pub num_params: u32,
    /// How many indices it takes.
    pub num_indices: u32,
    /// How many motives it takes.
    pub num_motives: u32,
    /// How many minor premises it takes.
    pub num_minors: u32,
    /// How it computes, one rule for each constructor.
    pub rules: Vec<Rule>,
    /// Whether it computes without looking at the value: a proposition with one constructor and no fields.
    pub k: bool,
    /// Whether it takes no part in the logic.
    pub is_unsafe: bool,
}

/// How a recursor computes on one constructor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// The constructor.
    pub constructor: NameId,
    /// How many fields it has.
    pub num_fields: u32,
    /// A function of parameters, motives, minor premises and fields.
    pub rhs: ExprId,
}

impl Constant {
    /// The value that a definition, a theorem or an opaque constant has.
    pub fn value(&self) -> Option<ExprId> {
        match self.kind {
            ConstantKind::Definition { value, .. }
            | ConstantKind::Theorem { value }
            | ConstantKind::Opaque { value, .. } => Some(value),
            _ => None,
        }
    }

    /// Whether the constant takes no part in the logic: it is unsafe, or partial.
    pub fn is_unsafe(&self) -> bool {
        match &self.kind {
            ConstantKind::Axiom { is_unsafe } | ConstantKind::Opaque { is_unsafe, .. } => *is_unsafe,
            ConstantKind::Definition { safety, .. } => *safety != Safety::Safe,
            ConstantKind::Theorem { .. } | ConstantKind::Quot(_) => false,
            ConstantKind::Inductive(info) => info.is_unsafe,
            ConstantKind::Constructor(info) => info.is_unsafe,
            ConstantKind::Recursor(info) => info.is_unsafe,
        }
    }

    /// What the constant is, in a word.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            ConstantKind::Axiom { .. } => "axiom",
            ConstantKind::Definition { .. } => "definition",
            ConstantKind::Theorem { .. } => "theorem",
            ConstantKind::Opaque { .. } => "opaque constant",
            ConstantKind::Quot(_) => "quotient constant",
            ConstantKind::Inductive(_) => "inductive type",
            ConstantKind::Constructor(_) => "constructor",
            ConstantKind::Recursor(_) => "recursor",
        }
    }
}
