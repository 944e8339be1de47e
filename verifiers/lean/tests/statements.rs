//! Modules made by hand that prove what only looks like the pinned statement, or prove it by way of the library.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod by_hand;

use std::sync::Arc;

use polestar_lean::constant::{Constant, ConstantKind, Hints, Safety};
use polestar_lean::judgement::{Goal, Grounds, Imports, JudgeError, Proof, Refusal, judge};
use polestar_lean::kernel::{ReadError, Trusted};
use polestar_lean::replay::Claimed;
use polestar_lean::terms::{NameId, Terms};

use by_hand::{BUDGET, constant, definition, module, named};

/// A library of `Lib.Yes`, a proposition, `Lib.yes`, a proof of it, and `Lib.lemma`, another one. What the lemma rests on
/// is given.
struct Library(Grounds);

impl Trusted for Library {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        let (prop, yes) = (terms.sort(terms.zero()), named(terms, "Lib.Yes"));
        let ty = match terms.show_name(name).as_str() {
            "Lib.Yes" => prop,
            "Lib.yes" | "Lib.lemma" => yes,
            _ => return Ok(None),
        };
        Ok(Some(Constant {
            name,
            level_params: Vec::new(),
            ty,
            kind: ConstantKind::Axiom { is_unsafe: false },
        }))
    }
}

impl Imports for Library {
    fn grounds(&self, terms: &Terms, name: NameId) -> Result<Grounds, ReadError> {
        Ok(if terms.show_name(name) == "Lib.lemma" { self.0.clone() } else { Grounds::default() })
    }
}

fn judged(
    name: &str,
    reference: &dyn Claimed,
    submission: &dyn Claimed,
    grounds: Grounds,
) -> Result<Result<Proof, Refusal>, JudgeError> {
    let axioms = ["propext".to_owned()];
    judge(&Goal { name, reference, axioms: &axioms, budget: BUDGET }, submission, &Library(grounds))
}

/// `name : Prop := value`.
fn proposition(terms: &mut Terms, name: &str, value: &str) -> Constant {
    let (prop, value) = (terms.sort(terms.zero()), named(terms, value));
    definition(terms, name, prop, value)
}

fn theorem(terms: &mut Terms, name: &str, ty: &str, value: &str) -> Constant {
    let (ty, value) = (named(terms, ty), named(terms, value));
    constant(terms, name, &[], ty, ConstantKind::Theorem { value })
}

/// A file that states a theorem about `first`, which is `second`, which is `end`.
fn chain(terms: &mut Terms, first: &str, second: &str, end: &str) -> Vec<Constant> {
    vec![
        proposition(terms, second, end),
        proposition(terms, first, second),
        theorem(terms, "t", first, "Lib.yes"),
    ]
}

/// A definition may be called otherwise where its value is the same, all the way down.
#[test]
fn definitions_that_stand_for_others_are_looked_through() {
    let pinned = || module(|terms| chain(terms, "t.match_1", "inner", "Lib.Yes"));
    let accepted = |build: fn(&mut Terms) -> Vec<Constant>| {
        judged("t", &pinned(), &module(build), Grounds::default()).unwrap()
    };
    assert!(accepted(|terms| chain(terms, "t.match_1", "inner", "Lib.Yes")).is_ok());
    assert!(accepted(|terms| chain(terms, "lemma.match_1", "inner", "Lib.Yes")).is_ok());
    assert!(accepted(|terms| chain(terms, "lemma.match_1", "other", "Lib.Yes")).is_ok());
    assert!(accepted(|terms| chain(terms, "t.match_1", "other", "Lib.Yes")).is_err());
    // The end of the chain is another proposition, equal as it may be.
    for (first, second) in [("t.match_1", "inner"), ("lemma.match_1", "inner"), ("lemma.match_1", "other")] {
        let other = module(move |terms| {
            let mut constants = chain(terms, first, second, "Yes2");
            constants.push(proposition(terms, "Yes2", "Lib.Yes"));
            constants
        });
        let found = judged("t", &pinned(), &other, Grounds::default()).unwrap();
        let refused = matches!(found, Err(Refusal::OtherStatement { .. } | Refusal::OtherDefinition { .. }));
        assert!(refused, "{first} {second}: {found:?}");
    }
    // The old name is there too, and means something else.
    let found = accepted(|terms| {
        let mut constants = chain(terms, "lemma.match_1", "inner", "Lib.Yes");
        constants.push(proposition(terms, "t.match_1", "Lib.yes"));
        constants
    });
    assert_eq!(found, Err(Refusal::OtherDefinition { name: "t.match_1".to_owned() }));
    // What stands for the definition is itself, an axiom, a theorem, or not to be unfolded.
    let found = accepted(|terms| chain(terms, "lemma.match_1", "lemma.match_1", "Lib.Yes"));
    assert!(found.is_err(), "{found:?}");
    for kind in 0..4 {
        let disguised = module(move |terms| {
            let mut constants = chain(terms, "lemma.match_1", "inner", "Lib.Yes");
            let value = constants[1].value().unwrap();
            constants[1].kind = match kind {
                0 => ConstantKind::Axiom { is_unsafe: false },
                1 => ConstantKind::Theorem { value },
                2 => ConstantKind::Opaque { value, is_unsafe: false },
                _ => ConstantKind::Definition { value, hints: Hints::Opaque, safety: Safety::Partial },
            };
            constants
        });
        let found = judged("t", &pinned(), &disguised, Grounds::default()).unwrap();
        assert!(matches!(found, Err(Refusal::OtherStatement { .. })), "{kind}: {found:?}");
    }
}

/// The statement is proved by a theorem: a definition of that type may be of data, and an axiom is no proof.
#[test]
fn only_theorems_prove_statements() {
    let pinned = module(|terms| vec![theorem(terms, "t", "Lib.Yes", "Lib.yes")]);
    for kind in ["axiom", "definition", "opaque constant"] {
        let other = module(move |terms| {
            let (ty, value) = (named(terms, "Lib.Yes"), named(terms, "Lib.yes"));
            let mut constant = definition(terms, "t", ty, value);
            match kind {
                "axiom" => constant.kind = ConstantKind::Axiom { is_unsafe: false },
                "opaque constant" => constant.kind = ConstantKind::Opaque { value, is_unsafe: false },
                _ => {}
            }
            vec![constant]
        });
        let found = judged("t", &pinned, &other, Grounds::default()).unwrap();
        assert_eq!(found, Err(Refusal::NoTheorem { name: "t".to_owned(), kind }));
    }
}

/// A definition stands for one other all through the statement, and every field of it is the same field.
#[test]
fn what_stands_for_a_definition_stands_for_it_everywhere() {
    let stating = |first: &'static str, second: &'static str| {
        module(move |terms| {
            let (left, right) = (named(terms, first), named(terms, second));
            let (ty, by) = (terms.pi(left, right), named(terms, "Lib.yes"));
            let value = terms.lam(left, by);
            let mut constants = vec![constant(terms, "t", &[], ty, ConstantKind::Theorem { value })];
            for (name, value) in [("hold", "Lib.Yes"), ("same", "Lib.Yes"), ("other", "same")] {
                constants.push(proposition(terms, name, value));
            }
            constants
        })
    };
    let found = |first, second| {
        judged("t", &stating("hold", "hold"), &stating(first, second), Grounds::default()).unwrap()
    };
    assert!(found("hold", "hold").is_ok());
    assert!(found("same", "same").is_ok());
    assert!(found("same", "hold").is_ok());
    for (first, second) in [("same", "other"), ("other", "same"), ("hold", "other"), ("other", "other")] {
        let found = found(first, second);
        assert!(matches!(found, Err(Refusal::OtherStatement { .. })), "{first} {second}: {found:?}");
    }
    let field = |structure: &'static str, index: u32| {
        module(move |terms| {
            let (yes, value) = (named(terms, "Lib.Yes"), named(terms, "Lib.yes"));
            let (structure, variable) = (terms.read_name(structure).unwrap(), terms.bvar(0));
            let field = terms.proj(structure, index, variable);
            let ty = terms.pi(yes, field);
            vec![constant(terms, "t", &[], ty, ConstantKind::Theorem { value })]
        })
    };
    let found = |structure, index| {
        judged("t", &field("Lib.Yes", 0), &field(structure, index), Grounds::default()).unwrap()
    };
    assert!(matches!(found("Lib.Yes", 1), Err(Refusal::OtherStatement { .. })));
    assert!(matches!(found("Lib.yes", 0), Err(Refusal::OtherStatement { .. })));
    // The same statement, which is wrong.
    assert!(matches!(found("Lib.Yes", 0), Err(Refusal::Kernel { .. })));
}

/// An axiom that the statement's own file has, and that is allowed, may be used: as it is there.
#[test]
fn axioms_of_the_statements_file_are_those_of_the_statements_file() {
    let with = |claims: &'static str, by_application: bool| {
        module(move |terms| {
            let (prop, variable) = (terms.sort(terms.zero()), terms.bvar(0));
            let (yes, falsity) = (named(terms, "Lib.Yes"), terms.pi(prop, variable));
            let axiom = named(terms, "propext");
            let value = if by_application { terms.app(axiom, yes) } else { axiom };
            let claimed = if claims == "false" { falsity } else { named(terms, claims) };
            let kind = ConstantKind::Axiom { is_unsafe: false };
            vec![
                constant(terms, "propext", &[], claimed, kind),
                constant(terms, "t", &[], yes, ConstantKind::Theorem { value }),
            ]
        })
    };
    let found = |submission: &dyn Claimed| {
        judged("t", &with("Lib.Yes", false), submission, Grounds::default()).unwrap()
    };
    assert_eq!(found(&with("Lib.Yes", false)).unwrap().axioms, ["propext"]);
    let stronger = found(&with("false", true));
    assert_eq!(stronger, Err(Refusal::Axioms { names: vec!["propext".to_owned()] }));
}

/// `a.b` of two parts and `«a.b»` of one are different names, as are those of numbers and of digits.
#[test]
fn names_that_look_the_same_are_not() {
    let stating = |name: &'static str| module(move |terms| vec![theorem(terms, name, "Lib.Yes", "Lib.yes")]);
    for (name, others) in [
        ("a.b", ["«a.b»", "a.«b »", "a", "b", "a.b.b", "A.b"]),
        ("«a.b»", ["a.b", "«a. b»", "a.b.c", "«a.b».«»", "«a».«.b»", "«A.b»"]),
        ("t.1", ["t.«1»", "«t.1»", "t.10", "t.«01»", "t", "t.1.1"]),
    ] {
        assert!(judged(name, &stating(name), &stating(name), Grounds::default()).unwrap().is_ok(), "{name}");
        for other in others {
            let found = judged(name, &stating(name), &stating(other), Grounds::default()).unwrap();
            assert_eq!(found, Err(Refusal::Missing { name: name.to_owned() }), "{other} for {name}");
        }
    }
}

/// A theorem that is in the library is no answer, and no name of the library is given a meaning of one's own.
#[test]
fn what_the_library_has_stays_what_it_is() {
    let pinned = module(|terms| vec![theorem(terms, "Lib.lemma", "Lib.Yes", "Lib.yes")]);
    let same = module(|terms| vec![theorem(terms, "Lib.lemma", "Lib.Yes", "Lib.yes")]);
    let found = judged("Lib.lemma", &pinned, &same, Grounds::default()).unwrap();
    assert!(matches!(found, Err(Refusal::Kernel { .. })), "{found:?}");
    let pinned = module(|terms| vec![theorem(terms, "t", "Lib.Yes", "Lib.yes")]);
    let own = module(|terms| {
        vec![proposition(terms, "Lib.Yes", "Lib.yes"), theorem(terms, "t", "Lib.Yes", "Lib.yes")]
    });
    let found = judged("t", &pinned, &own, Grounds::default()).unwrap();
    assert!(matches!(found, Err(Refusal::Kernel { .. })), "{found:?}");
}

/// What a proof rests on through the library counts as what it rests on itself.
#[test]
fn axioms_of_the_library_count() {
    let proved = |by: &'static str| module(move |terms| vec![theorem(terms, "t", "Lib.Yes", by)]);
    let through = |axioms: &[&str], unseen: &[&str]| {
        let axioms: Vec<String> = axioms.iter().map(|&name| name.to_owned()).collect();
        let unseen = unseen.iter().map(|&name| name.to_owned()).collect();
        judged("t", &proved("Lib.yes"), &proved("Lib.lemma"), Grounds { axioms: Arc::from(axioms), unseen })
    };
    assert_eq!(through(&[], &[]).unwrap().unwrap().axioms, [""; 0]);
    assert_eq!(through(&["propext"], &[]).unwrap().unwrap().axioms, ["propext"]);
    for evil in ["Evil.ax", "«propext »", "propext.x", "Lean.ofReduceBool"] {
        let found = through(&[evil, "propext"], &[]).unwrap();
        assert_eq!(found, Err(Refusal::Axioms { names: vec![evil.to_owned()] }));
    }
    assert!(matches!(through(&["sorryAx"], &[]).unwrap(), Err(Refusal::Sorry { .. })));
    assert!(matches!(through(&["propext"], &["Lib.hidden"]), Err(JudgeError::Unseen { .. })));
    // Refused for sure, whatever is not seen.
    assert!(matches!(through(&["Evil.ax"], &["Lib.hidden"]).unwrap(), Err(Refusal::Axioms { .. })));
    // Mentioned in the type of something that is thrown away, it still is mentioned.
    let around = module(|terms| {
        let (yes, lemma) = (named(terms, "Lib.Yes"), named(terms, "Lib.lemma"));
        let kept = named(terms, "Lib.yes");
        let ignoring = terms.lam(yes, kept);
        let value = terms.app(ignoring, lemma);
        vec![constant(terms, "t", &[], yes, ConstantKind::Theorem { value })]
    });
    let evil = Grounds { axioms: Arc::from(["Evil.ax".to_owned()]), unseen: Vec::new() };
    assert!(matches!(judged("t", &proved("Lib.yes"), &around, evil).unwrap(), Err(Refusal::Axioms { .. })));
}

/// Of a proof that the kernel refuses it is told which axioms it may not use, if it does: more than what the kernel says
/// of native evaluation.
#[test]
fn forbidden_axioms_are_named_before_what_else_is_wrong() {
    let ill_typed = |terms: &mut Terms| {
        let (yes, lemma) = (named(terms, "Lib.Yes"), named(terms, "Lib.lemma"));
        let helper = constant(terms, "helper", &[], yes, ConstantKind::Theorem { value: lemma });
        let value = named(terms, "helper");
        let value = terms.app(value, value);
        vec![helper, constant(terms, "t", &[], yes, ConstantKind::Theorem { value })]
    };
    let with = |axioms: &[&str]| {
        let axioms: Vec<String> = axioms.iter().map(|&name| name.to_owned()).collect();
        let pinned = module(|terms| vec![theorem(terms, "t", "Lib.Yes", "Lib.yes")]);
        let grounds = Grounds { axioms: Arc::from(axioms), unseen: Vec::new() };
        judged("t", &pinned, &module(ill_typed), grounds).unwrap()
    };
    let names = vec!["Lean.ofReduceBool".to_owned()];
    assert_eq!(with(&["Lean.ofReduceBool", "propext"]), Err(Refusal::Axioms { names }));
    assert!(matches!(with(&["propext"]), Err(Refusal::Kernel { .. })));
    assert!(matches!(with(&[]), Err(Refusal::Kernel { .. })));
}
