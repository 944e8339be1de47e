//! Right proofs with one subterm changed: refused, but where the change does not matter.
//!
//! A mutant that is accepted has to be right: those that are, are listed.

use super::{THEOREMS, environment, text};
use crate::constant::{Constant, ConstantKind};
use crate::kernel::KernelError;
use crate::terms::{Expr, ExprId, Terms};

/// All terms that differ from `e` in one subterm.
fn mutants(terms: &mut Terms, e: ExprId, others: &[ExprId]) -> Vec<ExprId> {
    let mut found: Vec<ExprId> = others.iter().copied().filter(|&other| other != e).collect();
    match terms.expr(e) {
        Expr::App(function, argument) => {
            found.push(function);
            if let Expr::App(inner, first) = terms.expr(function) {
                let swapped = terms.app(inner, argument);
                found.push(terms.app(swapped, first));
            }
            for mutant in mutants(terms, function, others) {
                found.push(terms.app(mutant, argument));
            }
            for mutant in mutants(terms, argument, others) {
                found.push(terms.app(function, mutant));
            }
        }
        Expr::Lam(ty, body) => {
            for mutant in mutants(terms, ty, others) {
                found.push(terms.lam(mutant, body));
            }
            for mutant in mutants(terms, body, others) {
                found.push(terms.lam(ty, mutant));
            }
        }
        Expr::Pi(ty, body) => {
            for mutant in mutants(terms, ty, others) {
                found.push(terms.pi(mutant, body));
            }
            for mutant in mutants(terms, body, others) {
                found.push(terms.pi(ty, mutant));
            }
        }
        Expr::BVar(index) => {
            found.push(terms.bvar(index + 1));
            if index > 0 {
                found.push(terms.bvar(index - 1));
            }
        }
        Expr::Const(name, levels) => {
            let mut list = terms.level_list(levels).to_vec();
            for place in 0..list.len() {
                let level = list[place];
                list[place] = terms.succ(level);
                let changed = terms.levels(&list);
                found.push(terms.constant(name, changed));
                list[place] = level;
            }
        }
        Expr::Sort(level) => {
            let above = terms.succ(level);
            found.push(terms.sort(above));
        }
        Expr::Proj(name, index, value) => {
            found.push(terms.proj(name, 1 - index.min(1), value));
            found.push(terms.proj(name, index + 2, value));
        }
        Expr::Let(..) | Expr::Nat(_) | Expr::Str(_) | Expr::FVar(_) => {}
    }
    found
}

/// Mutants of right theorems' values, and how many of them are accepted.
#[test]
fn few_mutants_of_proofs_are_accepted_and_none_proves_something_else() {
    let mut env = environment();
    let (mut refused, mut accepted) = (0, Vec::new());
    for (number, text) in THEOREMS.iter().enumerate() {
        let right = text::declaration(&mut env.terms, text);
        let ConstantKind::Theorem { value } = right.kind else { continue };
        let others = ["0", "5", "True.intro", "Nat", "Prop", "Nat.succ"]
            .map(|other| text::term(&mut env.terms, other));
        for mutant in mutants(&mut env.terms, value, &others) {
            if mutant == value {
                continue;
            }
            let name = env.terms.num_name(right.name, refused + accepted.len() as u64);
            let kind = ConstantKind::Theorem { value: mutant };
            let constant = Constant { name, kind, ..right.clone() };
            match env.add(constant) {
                Ok(()) => accepted.push((number, env.terms.show(mutant))),
                Err(KernelError::Refused { .. }) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(refused > 1_000, "{refused}");
    let shown: Vec<String> = accepted.iter().map(|(number, value)| format!("{number}: {value}")).collect();
    assert_eq!(shown, ACCEPTED, "{refused} refused");
}

/// Theorems whose statement is changed: the old proof does not prove the new statement.
#[test]
fn few_mutants_of_statements_are_accepted() {
    let mut env = environment();
    let (mut refused, mut accepted) = (0, Vec::new());
    for (number, text) in THEOREMS.iter().enumerate() {
        let right = text::declaration(&mut env.terms, text);
        if !matches!(right.kind, ConstantKind::Theorem { .. }) {
            continue;
        }
        let others = ["0", "5", "False", "Bool.true"].map(|other| text::term(&mut env.terms, other));
        for mutant in mutants(&mut env.terms, right.ty, &others) {
            if mutant == right.ty {
                continue;
            }
            let name = env.terms.num_name(right.name, refused + accepted.len() as u64);
            match env.add(Constant { name, ty: mutant, ..right.clone() }) {
                Ok(()) => accepted.push((number, env.terms.show(mutant))),
                Err(KernelError::Refused { .. }) => refused += 1,
                Err(other) => panic!("{other}"),
            }
        }
    }
    assert!(refused > 400, "{refused}");
    let shown: Vec<String> = accepted.iter().map(|(number, value)| format!("{number}: {value}")).collect();
    assert_eq!(shown, ACCEPTED_STATEMENTS, "{refused} refused");
}

/// No change of a proof leaves it a proof.
const ACCEPTED: &[&str] = &[];

/// Both sides of these equations are definitionally equal, so they may be swapped.
const ACCEPTED_STATEMENTS: &[&str] = &[
    "5: Eq.{1} Nat 4 (Nat.add 2 2)",
    "10: (x0 : Type u) → (x1 : Type u) → (x2 : Prod.{u} x0 x1) → Eq.{u+1} (Prod.{u} x0 x1) (Prod.mk.{u} x0 x1 x2.1 x2.2) x2",
    "13: Eq.{1} Nat 6 (let x0 : Nat := 3; Nat.add x0 x0)",
];
