//! The names that the kernel knows by heart: natural numbers, strings, truth values.

use rustc_hash::FxHashMap;

use crate::terms::{NameId, Terms};

/// A function on natural numbers that the kernel computes on literals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NatOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Gcd,
    Pow,
    Log2,
    Beq,
    Ble,
    Land,
    Lor,
    Xor,
    ShiftLeft,
    ShiftRight,
}

const NAT_OPS: [(&str, NatOp); 15] = [
    ("add", NatOp::Add),
    ("sub", NatOp::Sub),
    ("mul", NatOp::Mul),
    ("div", NatOp::Div),
    ("mod", NatOp::Mod),
    ("gcd", NatOp::Gcd),
    ("pow", NatOp::Pow),
    ("log2", NatOp::Log2),
    ("beq", NatOp::Beq),
    ("ble", NatOp::Ble),
    ("land", NatOp::Land),
    ("lor", NatOp::Lor),
    ("xor", NatOp::Xor),
    ("shiftLeft", NatOp::ShiftLeft),
    ("shiftRight", NatOp::ShiftRight),
];

/// The names in one arena.
pub(crate) struct Known {
    pub(crate) nat: NameId,
    pub(crate) nat_zero: NameId,
    pub(crate) nat_succ: NameId,
    pub(crate) bool_true: NameId,
    pub(crate) bool_false: NameId,
    pub(crate) string: NameId,
    pub(crate) string_mk: NameId,
    pub(crate) string_of_list: NameId,
    pub(crate) list: NameId,
    pub(crate) list_nil: NameId,
    pub(crate) list_cons: NameId,
    pub(crate) char: NameId,
    pub(crate) char_of_nat: NameId,
    pub(crate) eager_reduce: NameId,
    pub(crate) nat_ops: FxHashMap<NameId, NatOp>,
}

impl Known {
    pub(crate) fn new(terms: &mut Terms) -> Self {
        let mut name = |components: &[&str]| {
            components.iter().fold(NameId::ANONYMOUS, |prefix, component| terms.str_name(prefix, component))
        };
        Self {
            nat: name(&["Nat"]),
            nat_zero: name(&["Nat", "zero"]),
            nat_succ: name(&["Nat", "succ"]),
            bool_true: name(&["Bool", "true"]),
            bool_false: name(&["Bool", "false"]),
            string: name(&["String"]),
            string_mk: name(&["String", "mk"]),
            string_of_list: name(&["String", "ofList"]),
            list: name(&["List"]),
            list_nil: name(&["List", "nil"]),
            list_cons: name(&["List", "cons"]),
            char: name(&["Char"]),
            char_of_nat: name(&["Char", "ofNat"]),
            eager_reduce: name(&["eagerReduce"]),
            nat_ops: NAT_OPS.iter().map(|&(component, op)| (name(&["Nat", component]), op)).collect(),
        }
    }
}
