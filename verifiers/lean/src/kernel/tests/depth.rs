//! Terms nested as deep as the budget allows, on a stack of the size that is promised to suffice.

use super::{environment, text};
use crate::kernel::{Budget, Checker, Environment, Exhausted, KernelError, STACK_BYTES_PER_DEPTH};
use crate::terms::{ExprId, NameId};

const DEPTH: u32 = 3_000;
/// For what is below the first level: the test itself, and building terms.
const SPARE_BYTES: usize = 512 * 1024;

/// Nests a text, in which `@` stands for the term inside.
fn nest(env: &mut Environment<'_>, inside: &str, around: &str) -> ExprId {
    let hole = text::term(&mut env.terms, "hole");
    let around = text::term(&mut env.terms, &around.replace('@', "hole"));
    let mut e = text::term(&mut env.terms, inside);
    for _ in 0..DEPTH * 4 {
        e = replace(env, around, hole, e);
    }
    e
}

fn replace(env: &mut Environment<'_>, e: ExprId, hole: ExprId, by: ExprId) -> ExprId {
    use crate::terms::Expr;
    if e == hole {
        return by;
    }
    let expr = match env.terms.expr(e) {
        Expr::App(a, b) => Expr::App(replace(env, a, hole, by), replace(env, b, hole, by)),
        Expr::Lam(a, b) => Expr::Lam(replace(env, a, hole, by), replace(env, b, hole, by)),
        Expr::Pi(a, b) => Expr::Pi(replace(env, a, hole, by), replace(env, b, hole, by)),
        Expr::Let(a, b, c) => {
            Expr::Let(replace(env, a, hole, by), replace(env, b, hole, by), replace(env, c, hole, by))
        }
        Expr::Proj(name, index, a) => Expr::Proj(name, index, replace(env, a, hole, by)),
        other => other,
    };
    env.terms.intern(expr)
}

/// Runs a check on a thread whose stack is as big as the documentation asks for.
fn on_a_promised_stack(run: fn(&mut Environment<'_>) -> Result<(), KernelError>) {
    let bytes = DEPTH as usize * STACK_BYTES_PER_DEPTH + SPARE_BYTES;
    let check = std::thread::Builder::new().stack_size(bytes).spawn(move || {
        let mut env = environment();
        for axiom in ["axiom f : Nat -> Nat", "axiom x : Nat", "axiom y : Nat", "axiom P : Nat -> Type"] {
            super::add(&mut env, axiom).unwrap();
        }
        for axiom in MORE_AXIOMS {
            super::add(&mut env, axiom).unwrap();
        }
        super::add(&mut env, "def g : Nat -> Nat := fun (n : Nat) => f n").unwrap();
        let budget = Budget::new(200_000_000, 50_000_000, DEPTH);
        env.set_budget(budget);
        let found = run(&mut env);
        assert!(matches!(found, Err(KernelError::Exhausted { what: Exhausted::Depth, .. })), "{found:?}");
    });
    check.unwrap().join().unwrap();
}

macro_rules! deep {
    ($($test:ident: $run:expr;)*) => {
        $(#[test] fn $test() { on_a_promised_stack(|env| $run(env).map(|_| ())); })*
    };
}

fn infer(env: &mut Environment<'_>, inside: &str, around: &str) -> Result<ExprId, KernelError> {
    let e = nest(env, inside, around);
    Checker::new(env, NameId::ANONYMOUS, Vec::new()).infer(e)
}

fn whnf(env: &mut Environment<'_>, inside: &str, around: &str) -> Result<ExprId, KernelError> {
    let e = nest(env, inside, around);
    Checker::new(env, NameId::ANONYMOUS, Vec::new()).whnf(e)
}

fn compare(env: &mut Environment<'_>, a: &str, b: &str, around: &str) -> Result<bool, KernelError> {
    let (a, b) = (nest(env, a, around), nest(env, b, around));
    Checker::new(env, NameId::ANONYMOUS, Vec::new()).is_def_eq(a, b)
}

const PREDECESSOR: &str = "Nat.rec.{1} (fun (n : Nat) => Nat) x (fun (n : Nat) (r : Nat) => f n) @";

/// For rules that ask for the type of what they look at.
const MORE_AXIOMS: [&str; 5] = [
    "axiom equal : (n : Nat) -> Eq.{1} Nat x n",
    "axiom r : Nat -> Nat -> Prop",
    "axiom q : Quot.{1} Nat r",
    "axiom same : (a : Nat) -> (b : Nat) -> r a b -> Eq.{1} (Quot.{1} Nat r) (Quot.mk.{1} Nat r a) (Quot.mk.{1} Nat r b)",
    "axiom p : Prod.{0} Nat Nat",
];
const CAST: &str = "Eq.rec.{1, 1} Nat x (fun (n : Nat) (h : Eq.{1} Nat x n) => Nat) (f x) @ (equal @)";

deep! {
    casts: |env| compare(env, "x", "y", CAST);
    types_of_casts: |env| infer(env, "x", CAST);
    quotients: |env| whnf(env, "q", "Quot.lift.{1, 1} Nat r (Quot.{1} Nat r) (Quot.mk.{1} Nat r) same @");
    structures: |env| whnf(env, "p", "Prod.rec.{1, 0} Nat Nat (fun (p : Prod.{0} Nat Nat) => Prod.{0} Nat Nat)
        (fun (a : Nat) (b : Nat) => Prod.mk.{0} Nat Nat a b) @");
    local_definitions: |env| compare(env, "x", "y", "f (let n : Nat := @; f n)");
    types: |env| compare(env, "P x", "P y", "(n : Nat) -> (P n -> @) -> P n");
    arguments: |env| infer(env, "x", "f @");
    heads: |env| infer(env, "x", "(fun (n : Nat) => f) 0 @");
    functions: |env| infer(env, "x", "(fun (n : Nat) => @) 0");
    function_types: |env| infer(env, "Nat", "(P x -> @) -> Nat");
    local_values: |env| infer(env, "x", "f (let n : Nat := @; n)");
    fields: |env| infer(env, "x", "#Prod 0 (Prod.mk.{0} Nat Nat @ x)");
    recursors: |env| whnf(env, "x", PREDECESSOR);
    projections: |env| whnf(env, "x", "#Prod 0 (id.{1} (Prod.{0} Nat Nat) (id.{1} (Prod.{0} Nat Nat) @))");
    additions: |env| whnf(env, "x", "Nat.add x @");
    congruence: |env| compare(env, "x", "y", "f @");
    unfolding: |env| compare(env, "x", "y", "g @");
    bindings: |env| compare(env, "x", "y", "(fun (n : Nat) => f @) x");
    successors: |env| compare(env, "x", "y", "Nat.succ @");
    stuck_recursors: |env| compare(env, "x", "y", PREDECESSOR);
    pairs: |env| compare(env, "Prod.mk.{0} Nat Nat x x", "Prod.mk.{0} Nat Nat y x",
        "id.{1} (Prod.{0} Nat Nat) (Prod.mk.{0} Nat Nat (f (#Prod 0 @)) (#Prod 1 @))");
}
