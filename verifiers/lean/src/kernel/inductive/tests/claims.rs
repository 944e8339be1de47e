//! Right declarations with wrong claims about what follows from them.

use proptest::prelude::*;
use rustc_hash::FxHashMap;

use super::lab::{EQ, LIST, Lab, NAT, TypeText};
use crate::constant::{Constant, ConstantKind, ConstructorInfo, InductiveInfo, RecursorInfo, Rule};
use crate::kernel::inductive::{Block, parts};
use crate::terms::{Expr, ExprId, Terms};

const OR: &[TypeText<'static>] = &[(
    "Or",
    "forall (a b : Prop), Prop",
    &[("Or.inl", "forall (a b : Prop) (h : a), Or a b"), ("Or.inr", "forall (a b : Prop) (h : b), Or a b")],
)];

const TREE: &[TypeText<'static>] = &[(
    "Tree",
    "forall (A : Type u), Type u",
    &[("Tree.node", "forall (A : Type u) (a : A) (children : List.{u} (Tree.{u} A)), Tree.{u} A")],
)];

const EVEN: &[TypeText<'static>] = &[
    (
        "Even",
        "Nat -> Prop",
        &[("Even.zero", "Even 0"), ("Even.succ", "forall (n : Nat) (h : Odd n), Even (Nat.succ n)")],
    ),
    ("Odd", "Nat -> Prop", &[("Odd.succ", "forall (n : Nat) (h : Even n), Odd (Nat.succ n)")]),
];

const ACC: &[TypeText<'static>] = &[(
    "Acc",
    "forall (A : Sort u) (r : A -> A -> Prop) (x : A), Prop",
    &[(
        "Acc.intro",
        "forall (A : Sort u) (r : A -> A -> Prop) (x : A) (h : forall (y : A) (lt : r y x), Acc.{u} A r y), Acc.{u} A r x",
    )],
)];

/// The right claims of a block that is not in the lab yet.
fn right(lab: &mut Lab, which: usize) -> Block {
    match which {
        0 => lab.block(&[], 2, OR),
        1 => lab.block(&["u"], 1, TREE),
        2 => lab.block(&[], 0, EVEN),
        _ => lab.block(&["u"], 2, ACC),
    }
}

fn inductive(block: &mut Block, place: usize) -> &mut InductiveInfo {
    match &mut block.types[place].kind {
        ConstantKind::Inductive(info) => info,
        _ => panic!("no inductive type"),
    }
}

fn constructor(block: &mut Block, place: usize) -> &mut ConstructorInfo {
    match &mut block.constructors[place].kind {
        ConstantKind::Constructor(info) => info,
        _ => panic!("no constructor"),
    }
}

fn recursor(block: &mut Block, place: usize) -> &mut RecursorInfo {
    match &mut block.recursors[place].kind {
        ConstantKind::Recursor(info) => info,
        _ => panic!("no recursor"),
    }
}

/// The message for a claim that was changed; nothing of it is added, and the right claim still is right.
fn refused(which: usize, change: impl FnOnce(&mut Lab, &mut Block)) -> String {
    let mut lab = Lab::furnished();
    let block = right(&mut lab, which);
    let mut changed = block.clone();
    change(&mut lab, &mut changed);
    let problem = lab.env.add_inductive(&changed).unwrap_err().to_string();
    for constant in block.types.iter().chain(&block.constructors).chain(&block.recursors) {
        assert!(lab.env.get(constant.name).unwrap().is_none(), "what is refused leaves nothing behind");
    }
    lab.env.add_inductive(&block).unwrap();
    problem
}

#[test]
fn a_recursor_that_eliminates_a_proposition_to_data() {
    let problem = refused(0, |lab, block| {
        let minors = "(a b : Prop) (motive : Or a b -> Sort u) (inl : forall (h : a), motive (Or.inl a b h))
            (inr : forall (h : b), motive (Or.inr a b h))";
        block.recursors[0].level_params = vec![lab.name("u")];
        block.recursors[0].ty = lab.term(&format!("forall {minors} (t : Or a b), motive t"));
        let left = lab.term(&format!("fun {minors} (h : a) => inl h"));
        let right = lab.term(&format!("fun {minors} (h : b) => inr h"));
        let info = recursor(block, 0);
        (info.rules[0].rhs, info.rules[1].rhs) = (left, right);
    });
    assert!(
        problem.contains("Or.rec: its universe parameters must be [], the module claims [u]"),
        "{problem}"
    );
    let problem = refused(0, |lab, block| {
        let minors = "(a b : Prop) (motive : Or a b -> Type) (inl : forall (h : a), motive (Or.inl a b h))
            (inr : forall (h : b), motive (Or.inr a b h))";
        block.recursors[0].ty = lab.term(&format!("forall {minors} (t : Or a b), motive t"));
    });
    assert!(problem.contains("Or.rec: its type must be"), "{problem}");
}

#[test]
fn a_recursor_with_other_marks_and_rules() {
    assert!(refused(0, |_, block| recursor(block, 0).k = true).contains("mark for K must be false"));
    let swapped = |_: &mut Lab, block: &mut Block| recursor(block, 0).rules.swap(0, 1);
    assert!(refused(0, swapped).contains("constructors of the rules"));
    let crossed = |_: &mut Lab, block: &mut Block| {
        let rules = &mut recursor(block, 0).rules;
        (rules[0].rhs, rules[1].rhs) = (rules[1].rhs, rules[0].rhs);
    };
    assert!(refused(0, crossed).contains("its rule for `Or.inl` must be"));
    let missing = |_: &mut Lab, block: &mut Block| recursor(block, 1).rules.truncate(1);
    assert!(
        refused(1, missing)
            .contains("Tree.rec_1: its constructors of the rules must be [List.nil, List.cons]")
    );
    let more = |lab: &mut Lab, block: &mut Block| {
        let (constructor, rhs) = (lab.name("Nat.zero"), lab.term("Nat.zero"));
        recursor(block, 0).rules.push(Rule { constructor, num_fields: 0, rhs });
    };
    assert!(refused(0, more).contains("constructors of the rules"));
    let fields = |_: &mut Lab, block: &mut Block| recursor(block, 1).rules[1].num_fields = 1;
    assert!(refused(1, fields).contains("number of fields of the rule for `List.cons` must be 2"));
    // Without the induction hypothesis.
    let problem = refused(3, |lab, block| {
        let rhs = recursor(block, 0).rules[0].rhs;
        recursor(block, 0).rules[0].rhs = without_last_argument(&mut lab.env.terms, rhs);
    });
    assert!(problem.contains("its rule for `Acc.intro` must be"), "{problem}");
}

fn without_last_argument(terms: &mut Terms, e: ExprId) -> ExprId {
    match terms.expr(e) {
        Expr::Lam(ty, body) => {
            let body = without_last_argument(terms, body);
            terms.lam(ty, body)
        }
        Expr::App(function, _) => function,
        _ => panic!("no application"),
    }
}

#[test]
fn constants_that_are_missing_or_too_many() {
    assert!(
        refused(0, |_, block| block.constructors.truncate(1)).contains("its constructor `Or.inr` is missing")
    );
    assert!(
        refused(0, |_, block| inductive(block, 0).constructors.truncate(1))
            .contains("Or.inr: it is no constructor")
    );
    assert!(refused(0, |_, block| block.recursors.clear()).contains("Or.rec: the recursor is missing"));
    assert!(
        refused(1, |_, block| block.recursors.truncate(1)).contains("Tree.rec_1: the recursor is missing")
    );
    let extra = |lab: &mut Lab, block: &mut Block| {
        let mut copy = block.recursors[0].clone();
        copy.name = lab.name("Or.rec_1");
        block.recursors.push(copy);
    };
    assert!(refused(0, extra).contains("Or.rec_1: it does not follow"));
    let double = |_: &mut Lab, block: &mut Block| block.constructors.push(block.constructors[0].clone());
    assert!(refused(0, double).contains("Or.inl: its name is there twice"));
    let twice = |_: &mut Lab, block: &mut Block| {
        let first = inductive(block, 0).constructors[0];
        inductive(block, 0).constructors[1] = first;
    };
    assert!(refused(0, twice).contains("its constructor `Or.inl` is missing or there twice"));
    assert!(refused(2, |_, block| block.types.truncate(1)).contains("list of all types"));
    assert!(refused(2, |_, block| block.types.swap(0, 1)).contains("list of all types"));
    assert!(
        refused(2, |_, block| inductive(block, 1).all.truncate(1)).contains("Odd: its list of all types")
    );
    let other = |_: &mut Lab, block: &mut Block| {
        let of_even = inductive(block, 0).constructors.pop().unwrap();
        inductive(block, 1).constructors.push(of_even);
    };
    assert!(refused(2, other).contains("Even.succ: its result must be `Odd`"));
    let empty = |_: &mut Lab, block: &mut Block| block.types.clear();
    assert!(refused(0, empty).contains("at least one type"));
}

#[test]
fn constants_of_another_kind() {
    let swapped =
        |_: &mut Lab, block: &mut Block| std::mem::swap(&mut block.types[0], &mut block.constructors[0]);
    assert!(refused(0, swapped).contains("an inductive type was expected"));
    let axiom = |_: &mut Lab, block: &mut Block| {
        block.constructors[0].kind = ConstantKind::Axiom { is_unsafe: false }
    };
    assert!(refused(0, axiom).contains("Or.inl: a constructor was expected"));
    let axiom =
        |_: &mut Lab, block: &mut Block| block.recursors[0].kind = ConstantKind::Axiom { is_unsafe: false };
    assert!(refused(0, axiom).contains("Or.rec: its kind must be recursor, the module claims axiom"));
    assert!(refused(0, |_, block| inductive(block, 0).is_unsafe = true).contains("unsafe"));
}

#[test]
fn universe_parameters_that_differ() {
    let twice =
        |lab: &mut Lab, block: &mut Block| block.types[0].level_params = vec![lab.name("u"), lab.name("u")];
    assert!(refused(1, twice).contains("the universe parameter `u` is there twice"));
    let other = |lab: &mut Lab, block: &mut Block| block.constructors[0].level_params = vec![lab.name("v")];
    assert!(refused(1, other).contains("Tree.node: its universe parameters differ"));
    let reversed = |_: &mut Lab, block: &mut Block| block.recursors[0].level_params.reverse();
    assert!(refused(1, reversed).contains("Tree.rec: its universe parameters must be [u_1, u]"));
}

/// The same level, written in another way, is the same claim.
#[test]
fn levels_may_be_written_in_another_way() {
    let mut lab = Lab::furnished();
    let mut block = right(&mut lab, 0);
    let (short, long) = (lab.term("Prop"), lab.term("Sort (imax 1 0)"));
    let mut map = FxHashMap::default();
    map.insert(short, long);
    block.recursors[0].ty = replaced(&mut lab.env.terms, block.recursors[0].ty, &mut map);
    assert!(map.len() > 3);
    lab.env.add_inductive(&block).unwrap();
}

/// `e` with the keys of `map` replaced by their values.
fn replaced(terms: &mut Terms, e: ExprId, map: &mut FxHashMap<ExprId, ExprId>) -> ExprId {
    if let Some(&new) = map.get(&e) {
        return new;
    }
    let mut at = |terms: &mut Terms, part| replaced(terms, part, map);
    let expr = match terms.expr(e) {
        Expr::App(a, b) => Expr::App(at(terms, a), at(terms, b)),
        Expr::Lam(a, b) => Expr::Lam(at(terms, a), at(terms, b)),
        Expr::Pi(a, b) => Expr::Pi(at(terms, a), at(terms, b)),
        other => other,
    };
    let new = terms.intern(expr);
    map.insert(e, new);
    new
}

/// A term with one of its parts changed, wherever it occurs.
fn mutated(terms: &mut Terms, e: ExprId, place: usize, choice: usize) -> ExprId {
    let mut all = vec![e];
    let mut at = 0;
    while at < all.len() {
        for part in parts(terms.expr(all[at])) {
            if !all.contains(&part) {
                all.push(part);
            }
        }
        at += 1;
    }
    let old = all[place % all.len()];
    let new = match (terms.expr(old), choice % 3) {
        (Expr::BVar(0), _) => Expr::BVar(1),
        (Expr::BVar(index), choice) => Expr::BVar(if choice == 0 { index - 1 } else { index + 1 }),
        (Expr::Sort(level), _) => Expr::Sort(terms.succ(level)),
        (Expr::Const(name, levels), 0) => {
            let mut list = terms.level_list(levels).to_vec();
            match list.first().copied() {
                Some(first) => list[0] = terms.succ(first),
                None => list.push(terms.zero()),
            }
            Expr::Const(name, terms.levels(&list))
        }
        (Expr::Const(name, levels), _) => Expr::Const(terms.str_name(name, "other"), levels),
        (Expr::App(function, _), 0) => terms.expr(function),
        (Expr::App(function, argument), 1) if function != argument => Expr::App(argument, function),
        (Expr::App(function, argument), _) => {
            let once = terms.app(function, argument);
            Expr::App(once, argument)
        }
        (Expr::Lam(ty, body), 0) => Expr::Pi(ty, body),
        (Expr::Lam(ty, body), _) => Expr::Lam(body, ty),
        (Expr::Pi(ty, body), 0) => Expr::Lam(ty, body),
        (Expr::Pi(ty, body), 1) => Expr::Pi(ty, terms.pi(ty, body)),
        (Expr::Pi(_, body), _) => terms.expr(body),
        (Expr::Nat(_), _) => Expr::Sort(terms.zero()),
        (other, _) => panic!("{other:?} in a recursor"),
    };
    let new = terms.intern(new);
    replaced(terms, e, &mut FxHashMap::from_iter([(old, new)]))
}

/// Changes one thing of a block's claims.
fn mutate(lab: &mut Lab, block: &mut Block, what: usize, place: usize, choice: usize) {
    let (types, constructors, recursors) =
        (block.types.len(), block.constructors.len(), block.recursors.len());
    let other = lab.name("Nat");
    match what % 12 {
        0 => match (inductive(block, place % types), choice % 6) {
            (info, 0) => info.num_params += 1,
            (info, 1) => info.num_indices += 1,
            (info, 2) => info.num_nested += 1,
            (info, 3) => info.is_rec = !info.is_rec,
            (info, 4) => info.is_reflexive = !info.is_reflexive,
            (info, _) => info.all.push(other),
        },
        1 => match (constructor(block, place % constructors), choice % 5) {
            (info, 0) => info.num_params += 1,
            (info, 1) => info.num_fields += 1,
            (info, 2) => info.index += 1,
            (info, 3) => info.is_unsafe = true,
            (info, _) => info.inductive = other,
        },
        2 => match (recursor(block, place % recursors), choice % 8) {
            (info, 0) => info.num_params += 1,
            (info, 1) => info.num_indices += 1,
            (info, 2) => info.num_motives += 1,
            (info, 3) => info.num_minors += 1,
            (info, 4) => info.k = !info.k,
            (info, 5) => info.is_unsafe = true,
            (info, 6) => info.all.push(other),
            (info, _) => info.rules.truncate(info.rules.len() - 1),
        },
        3 | 4 => {
            let info = recursor(block, place % recursors);
            let rule = choice % info.rules.len();
            match what % 12 {
                3 => info.rules[rule].num_fields += 1,
                _ => info.rules[rule].constructor = other,
            }
        }
        5..=7 => {
            let constant = &mut block.recursors[what % recursors];
            constant.ty = mutated(&mut lab.env.terms, constant.ty, place, choice);
        }
        8..=10 => {
            let info = recursor(block, what % recursors);
            let rule = choice % info.rules.len();
            let rhs = info.rules[rule].rhs;
            info.rules[rule].rhs = mutated(&mut lab.env.terms, rhs, place, choice);
        }
        _ => rename(block, place, other),
    }
}

fn rename(block: &mut Block, place: usize, name: crate::terms::NameId) {
    let mut all: Vec<&mut Constant> =
        block.types.iter_mut().chain(&mut block.constructors).chain(&mut block.recursors).collect();
    let place = place % all.len();
    all[place].name = name;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is changed in what is claimed of a right declaration, it is refused.
    #[test]
    fn changed_claims_are_refused(which in 0..4_usize, what in 0..24_usize, place in 0..200_usize, choice in 0..24_usize) {
        refused(which, |lab, block| mutate(lab, block, what, place, choice));
    }
}

#[test]
fn the_blocks_of_the_lab_are_accepted_once() {
    for (params, num_params, types) in [(&[][..], 0, NAT), (&["u"][..], 2, EQ), (&["u"][..], 1, LIST)] {
        let mut lab = Lab::new();
        let block = lab.add(params, num_params, types);
        assert!(lab.env.add_inductive(&block).unwrap_err().to_string().contains("the name is taken"));
    }
}
