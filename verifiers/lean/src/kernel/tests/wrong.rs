//! Declarations that have to be refused.

use super::{BUDGET, Imported, Nothing, PRELUDE, add, environment, refusal, text};
use crate::constant::{ConstantKind, Hints, Safety};
use crate::kernel::{Environment, KernelError};
use crate::terms::{LevelsId, Terms};

#[test]
fn wrong_proofs_are_refused() {
    let mut env = environment();
    for wrong in [
        "theorem t : False := True.intro",
        "theorem t : Eq.{1} Nat (Nat.add 2 2) 5 := Eq.refl.{1} Nat 5",
        "theorem t : Eq.{1} Nat (Nat.add 2 2) 5 := Eq.refl.{1} Nat 4",
        "theorem t : False := False.rec.{0} (fun (h : False) => False) True.intro",
        "theorem t : (a : Prop) -> (b : Prop) -> And a b -> b
            := fun (a : Prop) (b : Prop) (h : And a b) => #And 0 h",
        "theorem t : (p : Prop) -> p -> False := fun (p : Prop) (h : p) => h",
        "theorem t : Eq.{1} Bool Bool.false Bool.true := Eq.refl.{1} Bool Bool.true",
        "theorem t : False := false_true (Eq.refl.{1} Bool Bool.true)",
        "theorem t : False := (fun (x : True) => x) True.intro",
        "theorem t : False := let x : False := True.intro; x",
        "theorem t : True := let x : False := True.intro; True.intro",
        "theorem t : True := (fun (x : False) => True.intro) True.intro",
        "def t : Type := Type",
        "def t : Nat := Nat",
        "def t : Nat := Nat.succ",
        "def t : Nat := Nat.succ Nat.succ",
        "def t : Nat 1 := 1",
        "def t : 1 := 1",
        "def t : Nat := 1 1",
    ] {
        refusal(&mut env, wrong);
    }
}

#[test]
fn the_type_of_a_theorem_is_a_proposition() {
    let mut env = environment();
    assert!(refusal(&mut env, "theorem t : Nat := 1").contains("should be a proposition"));
    assert!(refusal(&mut env, "theorem t.{u} : Sort.{u+1} := Sort.{u}").contains("should be a proposition"));
    add(&mut env, "def t : Nat := 1").unwrap();
}

#[test]
fn nothing_proves_itself() {
    let mut env = environment();
    assert!(refusal(&mut env, "theorem t : False := t").contains("neither imported nor declared"));
    refusal(&mut env, "theorem t : t := t");
    refusal(&mut env, "def t : Nat := Nat.succ t");
    // What was refused is not there afterwards.
    refusal(&mut env, "theorem u : False := t");
}

#[test]
fn names_are_declared_once() {
    let mut env = environment();
    assert!(refusal(&mut env, "def Nat.add : Nat := 1").contains("this module has a constant"));
    assert!(refusal(&mut env, "axiom False : True").contains("taken"));
    let imported = Imported::of(PRELUDE);
    let mut env = Environment::new(Terms::new(), &imported, BUDGET);
    assert!(refusal(&mut env, "def False : Prop := True").contains("an imported module has a constant"));
}

#[test]
fn universe_parameters_are_declared_and_counted() {
    let mut env = environment();
    let problem = refusal(&mut env, "def t : Sort.{u+1} := Sort.{u}");
    assert!(problem.contains("universe parameter u is used"), "{problem}");
    refusal(&mut env, "def t.{v} : (A : Sort.{v}) -> Sort.{v} := fun (A : Sort.{v}) => id.{u} Sort.{u} A");
    assert!(refusal(&mut env, "def t.{u, u} : Sort.{u+1} := Sort.{u}").contains("listed twice"));
    assert!(refusal(&mut env, "def t : Nat := id Nat 1").contains("takes 1 universe levels, but 0"));
    assert!(refusal(&mut env, "def t : Nat := id.{1, 1} Nat 1").contains("takes 1 universe levels, but 2"));
    assert!(refusal(&mut env, "def t : Nat := Nat.succ.{0} 1").contains("takes 0 universe levels"));
    refusal(&mut env, "def t : Nat := id.{2} Nat 1");
    add(&mut env, "def t : Nat := id.{1} Nat 1").unwrap();
}

#[test]
fn universes_do_not_collapse() {
    let mut env = environment();
    refusal(
        &mut env,
        "def t.{v} : Sort.{(imax 0 v)+1} -> Sort.{imax 0 v} := fun (A : Sort.{(imax 0 v)+1}) => A",
    );
    refusal(&mut env, "def t : Prop := (A : Type) -> A");
    refusal(&mut env, "def t.{u} : Sort.{u} := (A : Sort.{u}) -> A");
    refusal(&mut env, "def t.{u} : Sort.{max (u+1) u} := (A : Sort.{u}) -> A");
    add(&mut env, "def t : Prop := (A : Type) -> (a : A) -> Eq.{1} A a a").unwrap();
    add(&mut env, "def s.{u} : Sort.{imax (u+1) u} := (A : Sort.{u}) -> A").unwrap();
}

#[test]
fn no_data_comes_out_of_a_proposition() {
    let mut env = environment();
    let problem = refusal(
        &mut env,
        "def t : (p : Nat -> Prop) -> Exists Nat p -> Nat
            := fun (p : Nat -> Prop) (h : Exists Nat p) => #Exists 0 h",
    );
    assert!(problem.contains("the field is data"), "{problem}");
    // Its second field is a proof, but what it proves depends on the first.
    let problem = refusal(
        &mut env,
        "theorem t : (h : Exists Nat (fun (n : Nat) => True)) -> True
            := fun (h : Exists Nat (fun (n : Nat) => True)) => #Exists 1 h",
    );
    assert!(problem.contains("depends on data"), "{problem}");
}

#[test]
fn a_proposition_in_another_spelling_is_one() {
    let mut env = environment();
    let problem = refusal(&mut env, "def t : Hidden -> Bool := fun (h : Hidden) => #Hidden 0 h");
    assert!(problem.contains("the field is data"), "{problem}");
    add(&mut env, "def asProp : Prop := Hidden").unwrap();
    let problem = refusal(&mut env, "def t : asProp -> Bool := fun (h : asProp) => #Hidden 0 h");
    assert!(problem.contains("the field is data"), "{problem}");
}

#[test]
fn a_type_that_may_be_a_proposition_has_fields() {
    let mut env = environment();
    add(
        &mut env,
        "def t.{u} : (A : Sort.{u}) -> Maybe.{u} A -> A := fun (A : Sort.{u}) (h : Maybe.{u} A) => #Maybe 0 h",
    )
    .unwrap();
    add(
        &mut env,
        "theorem s : (p : Prop) -> Maybe.{0} p -> p := fun (p : Prop) (h : Maybe.{0} p) => #Maybe 0 h",
    )
    .unwrap();
}

#[test]
fn only_structures_have_fields() {
    let mut env = environment();
    for (wrong, why) in [
        ("def t : Nat -> Nat := fun (n : Nat) => #Nat 0 n", "not one constructor"),
        ("theorem t : Or False True -> False := fun (h : Or False True) => #Or 0 h", "not one constructor"),
        ("theorem t : Prop -> False := fun (h : Prop) => #And 0 h", "no structure"),
        ("theorem t : And True True -> True := fun (h : And True True) => #Prod 0 h", "another one"),
        ("theorem t : And True True -> True := fun (h : And True True) => #And 2 h", "type of functions"),
        ("theorem t : And True True -> True := fun (h : And True True) => #And 4294967295 h", ""),
        ("theorem t : True := #And 0 And", "no structure"),
    ] {
        let problem = refusal(&mut env, wrong);
        assert!(problem.contains(why), "{problem}");
    }
}

#[test]
fn loose_and_free_variables_are_refused() {
    let mut env = environment();
    let true_prop = text::term(&mut env.terms, "True");
    let names = ["t1", "t2", "t3"].map(|name| text::name(&mut env.terms, name));
    let (loose, free) = (env.terms.bvar(0), env.terms.fvar(0));
    let open_pi = env.terms.pi(free, true_prop);
    let theorem = |name, ty, value| crate::constant::Constant {
        name,
        level_params: Vec::new(),
        ty,
        kind: ConstantKind::Theorem { value },
    };
    for (constant, why) in [
        (theorem(names[0], true_prop, loose), "outside of its binder"),
        (theorem(names[1], true_prop, free), "a free variable"),
        (theorem(names[2], open_pi, loose), "a free variable"),
    ] {
        let Err(KernelError::Refused { problem, .. }) = env.add(constant) else { panic!("a refusal") };
        assert!(problem.contains(why), "{problem}");
    }
}

#[test]
fn unsafe_and_partial_constants_take_no_part() {
    let mut env = environment();
    let mut constant = text::declaration(&mut env.terms, "def loop : False := True.intro");
    let ConstantKind::Definition { value, .. } = constant.kind else { panic!("a definition") };
    for safety in [Safety::Unsafe, Safety::Partial] {
        constant.kind = ConstantKind::Definition { value, hints: Hints::Opaque, safety };
        assert!(matches!(env.add(constant.clone()), Err(KernelError::Refused { .. })));
        env.add_unchecked(constant.clone());
        let problem = refusal(&mut env, "theorem t : False := loop");
        assert!(problem.contains("unsafe or partial"), "{problem}");
    }
    constant.name = text::name(&mut env.terms, "ax");
    constant.kind = ConstantKind::Axiom { is_unsafe: true };
    assert!(matches!(env.add(constant), Err(KernelError::Refused { .. })));
}

#[test]
fn inductive_types_and_their_parts_do_not_come_alone() {
    let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
    for text in PRELUDE {
        let constant = text::declaration(&mut env.terms, text);
        assert!(matches!(env.add(constant), Err(KernelError::Refused { .. })), "{text}");
    }
}

#[test]
fn literals_need_the_type_they_are_of() {
    let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
    refusal(&mut env, "axiom t : 1");
    for wrong in ["inductive Nat : Prop | 0 0 0 |", "inductive Nat : Type | 0 0 0 |", "axiom Nat : Type"] {
        let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
        let constant = text::declaration(&mut env.terms, wrong);
        env.add_unchecked(constant);
        assert!(refusal(&mut env, "def t : Nat := 1").contains("literal"));
        assert!(refusal(&mut env, "def t : String := \"a\"").len() > 1);
    }
    // Constructors in the other order, or of other types.
    for (zero, succ) in [("Nat.succ", "Nat.zero"), ("Nat.zero", "Nat.zero")] {
        let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
        for text in [
            format!("inductive Nat : Type | 0 0 1 | {zero} {succ}"),
            "constructor Nat.zero : Nat | Nat 0 0 0".to_owned(),
            "constructor Nat.succ : Nat -> Nat | Nat 1 0 1".to_owned(),
        ] {
            let constant = text::declaration(&mut env.terms, &text);
            env.add_unchecked(constant);
        }
        assert!(refusal(&mut env, "def t : Nat := 1").contains("literal"));
    }
}

#[test]
fn a_successor_of_ones_own_is_compared_like_any_function() {
    let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
    for declaration in [
        "axiom Nat : Type",
        "axiom Nat.zero.{u} : Sort.{u}",
        "axiom Nat.succ.{u} : Nat -> Sort.{u+1}",
        "axiom n : Nat",
        "axiom Eq.{u} : (A : Sort.{u}) -> A -> A -> Prop",
    ] {
        add(&mut env, declaration).unwrap();
    }
    let same = |a: &str, b: &str, env: &mut Environment<'_>| {
        let (a, b) = (text::term(&mut env.terms, a), text::term(&mut env.terms, b));
        let mut checker = crate::kernel::Checker::new(env, crate::terms::NameId::ANONYMOUS, Vec::new());
        checker.is_def_eq(a, b).unwrap()
    };
    assert!(same("Nat.succ.{0} n", "Nat.succ.{0} n", &mut env));
    assert!(!same("Nat.succ.{0} n", "Nat.succ.{1} n", &mut env));
    assert!(!same("Nat.zero.{0}", "Nat.zero.{1}", &mut env));
    assert!(!same("Nat.zero.{1}", "0", &mut env));
    add(&mut env, "def Nat.pred : Nat -> Nat := fun (m : Nat) => n").unwrap();
    assert!(same("Nat.pred (Nat.pred n)", "Nat.pred n", &mut env));
}

#[test]
fn unknown_constants_are_named() {
    let mut env = environment();
    let problem = refusal(&mut env, "theorem t : True := missing.thing");
    assert!(problem.contains("missing.thing"), "{problem}");
    let name = text::name(&mut env.terms, "missing");
    let constant = env.terms.constant(name, LevelsId::EMPTY);
    let shown = env.terms.show(constant);
    assert_eq!(shown, "missing");
}
