//! Modules made by hand, judged: statements that only look like the pinned one, axioms of one's own, and files whose size
//! is not the work that they make.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod by_hand;

use polestar_lean::constant::{Constant, ConstantKind};
use polestar_lean::judgement::{Goal, Grounds, Imports, JudgeError, Proof, Refusal, judge};
use polestar_lean::kernel::{ReadError, Trusted};
use polestar_lean::replay::Claimed;
use polestar_lean::terms::{ExprId, NameId, Terms};

use by_hand::{BUDGET, constant, definition, module, named};

/// No imported modules.
struct Nothing;

impl Trusted for Nothing {
    fn constant(&self, _: &mut Terms, _: NameId) -> Result<Option<Constant>, ReadError> {
        Ok(None)
    }
}

impl Imports for Nothing {
    fn grounds(&self, _: &Terms, _: NameId) -> Result<Grounds, ReadError> {
        Ok(Grounds::default())
    }
}

fn judged(reference: &dyn Claimed, submission: &dyn Claimed, axioms: &[&str]) -> Result<Proof, Refusal> {
    let axioms: Vec<String> = axioms.iter().map(|&axiom| axiom.to_owned()).collect();
    let goal = Goal { name: "t", reference, axioms: &axioms, budget: BUDGET };
    judge(&goal, submission, &Nothing).unwrap()
}

fn axiom(terms: &mut Terms, name: &str, ty: ExprId) -> Constant {
    constant(terms, name, &[], ty, ConstantKind::Axiom { is_unsafe: false })
}

fn theorem(terms: &mut Terms, params: &[&str], ty: ExprId, value: ExprId) -> Constant {
    constant(terms, "t", params, ty, ConstantKind::Theorem { value })
}

/// `theorem t.{params} : ∀ (A : Sort first) (B : Sort second) (P : Prop), P → P`.
fn universes(terms: &mut Terms, params: &[&str], sorts: [&str; 2]) -> Vec<Constant> {
    let sorts = sorts.map(|sort| {
        let name = terms.read_name(sort).unwrap();
        let level = terms.param(name);
        terms.sort(level)
    });
    let (prop, zero) = (terms.zero(), terms.bvar(0));
    let (prop, one) = (terms.sort(prop), terms.bvar(1));
    let (ty, value) = (terms.pi(zero, one), terms.lam(zero, zero));
    let binders = [sorts[0], sorts[1], prop];
    let ty = binders.iter().rev().fold(ty, |body, &binder| terms.pi(binder, body));
    let value = binders.iter().rev().fold(value, |body, &binder| terms.lam(binder, body));
    vec![theorem(terms, params, ty, value)]
}

/// Universe parameters may be called otherwise, and be listed in another order. What is bound to which may not change.
#[test]
fn universe_parameters_are_compared_by_what_they_bind() {
    let pinned = module(|terms| universes(terms, &["u", "v"], ["u", "v"]));
    for (params, sorts, is_right) in [
        (["u", "v"], ["u", "v"], true),
        (["x", "y"], ["x", "y"], true),
        (["v", "u"], ["v", "u"], true),
        (["v", "u"], ["u", "v"], false),
        (["u", "v"], ["v", "u"], false),
        (["u", "v"], ["u", "u"], false),
        (["u", "u"], ["u", "u"], false),
        (["u", "x"], ["u", "v"], false),
    ] {
        let claimed = module(move |terms| universes(terms, &params, sorts));
        let found = judged(&pinned, &claimed, &[]);
        assert_eq!(found.is_ok(), is_right, "{params:?} {sorts:?}: {found:?}");
    }
    let fewer = module(|terms| universes(terms, &["u"], ["u", "u"]));
    assert!(matches!(judged(&pinned, &fewer, &[]), Err(Refusal::OtherStatement { .. })));
}

/// An axiom of a submission counts for what it is, not for its name.
#[test]
fn axioms_of_ones_own_are_not_the_known_ones() {
    let falsity = |terms: &mut Terms| {
        let (prop, variable) = (terms.zero(), terms.bvar(0));
        let prop = terms.sort(prop);
        terms.pi(prop, variable)
    };
    let with = |axioms: Vec<&'static str>, by: &'static str| {
        move |terms: &mut Terms| {
            let ty = falsity(terms);
            let value = named(terms, by);
            let mut constants = vec![theorem(terms, &[], ty, value)];
            constants.extend(axioms.iter().map(|name| axiom(terms, name, ty)));
            constants
        }
    };
    let allowed = ["propext", "Classical.choice", "Quot.sound"];
    let pinned = module(with(vec!["open"], "open"));
    for name in ["propext", "Classical.choice", "open", "«propext »", "propext.«»", "«Classical.choice»"]
    {
        let found = judged(&pinned, &module(with(vec![name], name)), &allowed);
        assert!(matches!(found, Err(Refusal::Axioms { .. })), "{name}: {found:?}");
    }
    let found = judged(&pinned, &module(with(vec!["sorryAx"], "sorryAx")), &allowed);
    assert!(matches!(found, Err(Refusal::Sorry { .. })), "{found:?}");
}

/// `theorem t : P "abc"`, where texts are made by `String.ofList`, which is this function of lists.
fn about_a_text(terms: &mut Terms, of_list: &str) -> Vec<Constant> {
    let zero = terms.zero();
    let (prop, one) = (terms.sort(zero), terms.succ(zero));
    let type_ = terms.sort(one);
    let (text, list) = (named(terms, "String"), named(terms, "Texts"));
    let (property, maker) = (terms.pi(text, prop), terms.pi(list, text));
    let literal = terms.string("abc");
    let holds = named(terms, "P");
    let ty = terms.app(holds, literal);
    let (value, body) = (named(terms, "p"), named(terms, of_list));
    let made = terms.lam(list, body);
    vec![
        axiom(terms, "String", type_),
        axiom(terms, "Texts", type_),
        axiom(terms, "this", text),
        axiom(terms, "that", text),
        definition(terms, "String.ofList", maker, made),
        axiom(terms, "P", property),
        axiom(terms, "p", ty),
        theorem(terms, &[], ty, value),
    ]
}

/// What a text in the statement stands for is not named in the statement.
#[test]
fn what_texts_are_made_by_belongs_to_the_statement() {
    let pinned = module(|terms| about_a_text(terms, "this"));
    let other = module(|terms| about_a_text(terms, "that"));
    let found = judged(&pinned, &other, &[]);
    assert_eq!(found, Err(Refusal::OtherDefinition { name: "String.ofList".to_owned() }));
    // The same is not refused for that, but because it is no right prelude.
    let same = module(|terms| about_a_text(terms, "this"));
    assert!(matches!(judged(&pinned, &same, &[]), Err(Refusal::Kernel { .. })));
}

/// Each of many constants has the same huge term: what is looked at before the kernel's budget counts must not look at
/// it again and again.
#[test]
fn a_huge_term_in_many_constants_ends_soon() {
    const DEEP: usize = 200_000;
    const MANY: usize = 20_000;
    let build = |terms: &mut Terms| {
        let zero = terms.zero();
        let prop = terms.sort(zero);
        let huge = (0..DEEP).fold(prop, |huge, _| terms.pi(huge, prop));
        let mut constants = Vec::new();
        for number in 0..MANY {
            let next = named(terms, &format!("c.{}", number + 1));
            let value = terms.pi(huge, next);
            constants.push(definition(terms, &format!("c.{number}"), prop, value));
        }
        let first = named(terms, "c.0");
        constants.push(theorem(terms, &[], prop, first));
        constants
    };
    let started = std::time::Instant::now();
    let found = judged(&module(build), &module(build), &[]);
    assert!(matches!(found, Err(Refusal::Unproven { .. })), "{found:?}");
    // Each with each would be four thousand million visits.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

/// Imported modules with a proposition and a proof of it, whose own proofs are not installed.
struct WithoutPrivateParts;

impl Trusted for WithoutPrivateParts {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        Ok(match terms.show_name(name).as_str() {
            "P" => {
                let zero = terms.zero();
                let prop = terms.sort(zero);
                Some(axiom(terms, "P", prop))
            }
            "p" => {
                let ty = named(terms, "P");
                Some(axiom(terms, "p", ty))
            }
            _ => None,
        })
    }
}

impl Imports for WithoutPrivateParts {
    fn grounds(&self, _: &Terms, _: NameId) -> Result<Grounds, ReadError> {
        Ok(Grounds { unseen: vec!["lemma".to_owned()], ..Grounds::default() })
    }
}

/// A proof is neither right nor wrong if it cannot be seen what it rests on. What cannot be seen is named once, however
/// many constants rest on it.
#[test]
fn proofs_that_are_not_installed_are_named_once() {
    let proved = module(|terms| {
        let (ty, value) = (named(terms, "P"), named(terms, "p"));
        vec![theorem(terms, &[], ty, value)]
    });
    let reference = module(|terms| {
        let (ty, value) = (named(terms, "P"), named(terms, "sorryAx"));
        vec![theorem(terms, &[], ty, value)]
    });
    let goal = Goal { name: "t", reference: &reference, axioms: &[], budget: BUDGET };
    let judged = judge(&goal, &proved, &WithoutPrivateParts);
    assert_eq!(judged, Err(JudgeError::Unseen { names: vec!["lemma".to_owned()] }));
}
