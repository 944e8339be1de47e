//! Ways in which checkers of Lean proofs were fooled, each shut.

use super::stuck::ACCESSIBLE;
use super::{
    BUDGET, Imported, Nothing, PRELUDE, add, are_equal, environment, environment_with, refusal, text,
};
use crate::constant::{Constant, ConstantKind, Hints, Safety};
use crate::kernel::{Budget, Checker, Environment, KernelError};
use crate::terms::{NameId, Terms};

/// Values of all kinds of declarations are closed. The type makes locals, and one of them is a proof of what is claimed.
#[test]
fn no_declaration_borrows_a_variable_of_its_own_check() {
    let mut env = environment();
    let ty = "(fun (P : (h : False) -> Prop) => False) (fun (h : False) => True)";
    let (name, ty) = (text::name(&mut env.terms, "t"), text::term(&mut env.terms, ty));
    for index in 0..4 {
        let value = env.terms.fvar(index);
        for kind in [
            ConstantKind::Definition { value, hints: Hints::Opaque, safety: Safety::Safe },
            ConstantKind::Opaque { value, is_unsafe: false },
            ConstantKind::Theorem { value },
        ] {
            let found = env.add(Constant { name, level_params: Vec::new(), ty, kind });
            let Err(KernelError::Refused { problem, .. }) = found else { panic!("a refusal") };
            assert!(problem.contains("its value has a free variable"), "{problem}");
        }
        let kind = ConstantKind::Axiom { is_unsafe: false };
        let found = env.add(Constant { name, level_params: Vec::new(), ty: value, kind });
        let Err(KernelError::Refused { problem, .. }) = found else { panic!("a refusal") };
        assert!(problem.contains("its type has a free variable"), "{problem}");
    }
}

/// What a term's type would be if it had one is no sign that it has one.
#[test]
fn a_type_that_was_only_looked_up_is_no_proof() {
    let mut env = environment();
    let name = text::name(&mut env.terms, "t");
    for wrong in [
        "id.{1} Nat True.intro",
        "fun (n : Nat) => id.{1} False n",
        "let h : False := True.intro; h",
        "(n : Nat) -> Eq.{1} Nat n True",
        "#Exists 0 (Exists.intro Nat (fun (n : Nat) => True) 3 True.intro)",
        "id.{v} Nat",
    ] {
        let e = text::term(&mut env.terms, wrong);
        let mut checker = Checker::new(&mut env, name, Vec::new());
        assert!(checker.infer_only(e).is_ok(), "{wrong}");
        assert!(checker.infer(e).is_err(), "{wrong}");
        assert!(checker.infer_only(e).is_ok(), "{wrong}");
    }
}

/// A field is of the structure that it says, wherever it is looked at.
#[test]
fn a_field_of_another_structure_is_not_taken() {
    let mut env = environment();
    for (wrong, why) in [
        ("def t : Nat := #Char 0 (Prod.mk.{0} Nat Nat 1 2)", "another one"),
        ("def t : Nat := #And 0 (Prod.mk.{0} Nat Nat 1 2)", "another one"),
        ("theorem t : False := #Prod 0 (And.intro True True True.intro True.intro)", "another one"),
        ("def t : Nat := #Prod 2 (Prod.mk.{0} Nat Nat 1 2)", "type of functions"),
    ] {
        let problem = refusal(&mut env, wrong);
        assert!(problem.contains(why), "{problem}");
    }
    // Even in a term that nobody checked it stays as it is.
    for wrong in ["#Char 0 (Prod.mk.{0} Nat Nat 1 2)", "#Prod 0 \"a\"", "#Prod 7 (Prod.mk.{0} Nat Nat 1 2)"] {
        let e = text::term(&mut env.terms, wrong);
        assert_eq!(Checker::new(&mut env, NameId::ANONYMOUS, Vec::new()).whnf(e), Ok(e), "{wrong}");
    }
}

/// Out of a proposition come proofs alone, and none that follow data on which they, or what is after them, depend.
#[test]
fn fields_of_a_proposition_up_to_the_first_data_that_matter() {
    let mut env = environment_with(&[
        "inductive Mixed : Prop | 0 0 0 | Mixed.mk",
        "constructor Mixed.mk : True -> Nat -> True -> (e : Nat) -> Eq.{1} Nat e e -> True -> Mixed | Mixed 0 0 6",
        "inductive Seen : Nat -> Prop | 0 1 0 | Seen.mk",
        "constructor Seen.mk : (n : Nat) -> True -> Seen n | Seen 0 0 2",
    ]);
    for (index, ty, is_right) in [
        (0, "True", true),
        (1, "Nat", false),
        (2, "True", true),
        (3, "Nat", false),
        (4, "Eq.{1} Nat (#Mixed 3 m) (#Mixed 3 m)", false),
        (5, "True", false),
    ] {
        let text = format!("def t{index} : (m : Mixed) -> {ty} := fun (m : Mixed) => #Mixed {index} m");
        let found = add(&mut env, &text);
        assert_eq!(found.is_ok(), is_right, "{text}: {found:?}");
    }
    // Not even data that the proposition itself shows.
    for (index, ty) in [(0, "Nat"), (1, "True")] {
        let text = format!("def s : (s : Seen 0) -> {ty} := fun (s : Seen 0) => #Seen {index} s");
        let problem = refusal(&mut env, &text);
        assert!(problem.contains("is of a proposition"), "{problem}");
    }
}

/// Eta, and the equality of all values of a type with one of them, are not for families nor for recursive types.
#[test]
fn families_and_recursive_types_are_no_structures() {
    let mut env = environment_with(&[
        "inductive At : Nat -> Type | 0 1 0 | At.mk",
        "constructor At.mk : (n : Nat) -> Bool -> At n | At 0 0 2",
        "inductive Dot : Nat -> Type | 0 1 0 | Dot.mk",
        "constructor Dot.mk : Dot 0 | Dot 0 0 0",
        "inductive Loop : Type | 0 0 1 | Loop.mk",
        "constructor Loop.mk : Loop -> Loop | Loop 0 0 1",
        "recursor Loop.rec.{u} : (motive : Loop -> Sort.{u}) -> (m : (x : Loop) -> motive x -> motive (Loop.mk x))
            -> (x : Loop) -> motive x | 0 0 1 1 0 | Loop
            | Loop.mk 1 := fun (motive : Loop -> Sort.{u}) (m : (x : Loop) -> motive x -> motive (Loop.mk x)) (x : Loop) =>
            m x (Loop.rec.{u} motive m x)",
    ]);
    add(&mut env, "def field : At 3 -> Bool := fun (x : At 3) => #At 1 x").unwrap();
    for (a, b) in [
        ("fun (x : At 0) => x", "fun (x : At 0) => At.mk 0 (#At 1 x)"),
        ("fun (x : Dot 0) (y : Dot 0) => x", "fun (x : Dot 0) (y : Dot 0) => y"),
        ("fun (x : Dot 0) => x", "fun (x : Dot 0) => Dot.mk"),
        ("fun (x : Loop) => x", "fun (x : Loop) => Loop.mk (#Loop 0 x)"),
    ] {
        let [a_term, b_term] = [a, b].map(|e| text::term(&mut env.terms, e));
        // Not all of them have a type: no field of `At 0` is a field of `At n`.
        let mut checker = Checker::new(&mut env, NameId::ANONYMOUS, Vec::new());
        assert!(!checker.is_def_eq(a_term, b_term).unwrap(), "{a} and {b}");
        assert!(!checker.is_def_eq(b_term, a_term).unwrap(), "{b} and {a}");
    }
    // It is not computed forever either.
    let stuck = "fun (x : Loop) => Loop.rec.{1} (fun (x : Loop) => Nat) (fun (x : Loop) (n : Nat) => 1) x";
    assert!(!are_equal(&mut env, stuck, "fun (x : Loop) => 1"));
}

/// A recursor into data that does not look at proofs is for propositions without fields alone.
#[test]
fn accessibility_is_looked_at() {
    let mut env = environment_with(ACCESSIBLE);
    let run = |h: &str| {
        format!(
            "fun (r : Nat -> Nat -> Prop) (x : Nat) (h : (y : Nat) -> r y x -> Acc.{{1}} Nat r y) (a : Acc.{{1}} Nat r x) =>
            Acc.rec.{{1, 1}} Nat r (fun (x : Nat) (h : Acc.{{1}} Nat r x) => Nat)
            (fun (x : Nat) (h : (y : Nat) -> r y x -> Acc.{{1}} Nat r y) (ih : (y : Nat) -> r y x -> Nat) => 7) x {h}"
        )
    };
    let seven = "fun (r : Nat -> Nat -> Prop) (x : Nat) (h : (y : Nat) -> r y x -> Acc.{1} Nat r y)
        (a : Acc.{1} Nat r x) => 7";
    assert!(!are_equal(&mut env, &run("a"), seven));
    assert!(are_equal(&mut env, &run("(Acc.intro.{1} Nat r x h)"), seven));
}

/// All proofs of a proposition are equal, and all values of a type that has one: not those of two of them.
#[test]
fn values_of_different_types_are_different() {
    let mut env = environment_with(&[
        "inductive Dot : Type | 0 0 0 | Dot.mk",
        "constructor Dot.mk : Dot | Dot 0 0 0",
        "inductive Tag : Nat -> Type | 1 0 0 | Tag.mk",
        "constructor Tag.mk : (n : Nat) -> Tag n | Tag 0 1 0",
    ]);
    for (first, second) in
        [("P", "Q"), ("Unit", "Dot"), ("Dot", "Unit"), ("Tag 0", "Tag 1"), ("P", "Unit"), ("Unit", "P")]
    {
        let of = |value: &str| format!("fun (P : Prop) (Q : Prop) (a : {first}) (b : {second}) => {value}");
        assert!(!are_equal(&mut env, &of("a"), &of("b")), "{first} and {second}");
        let same = |value: &str| format!("fun (P : Prop) (Q : Prop) (a : {first}) (b : {first}) => {value}");
        assert!(are_equal(&mut env, &same("a"), &same("b")), "{first}");
    }
}

/// A quotient's value is computed with if `Quot.mk` made it, and not if something else of the same shape did.
#[test]
fn quotients_of_unknown_making_are_not_taken_apart() {
    let mut env = environment();
    for axiom in [
        "axiom r : Nat -> Nat -> Prop",
        "axiom make : (A : Type) -> (r : A -> A -> Prop) -> A -> Quot.{1} A r",
        "opaque hidden : Quot.{1} Nat r := Quot.mk.{1} Nat r 3",
    ] {
        add(&mut env, axiom).unwrap();
    }
    let around = "fun (f : Nat -> Bool) (h : (a : Nat) -> (b : Nat) -> r a b -> Eq.{1} Bool (f a) (f b)) =>";
    let lift = |of: &str| format!("{around} Quot.lift.{{1, 1}} Nat r Bool f h {of}");
    assert!(are_equal(&mut env, &lift("(Quot.mk.{1} Nat r 3)"), &format!("{around} f 3")));
    for of in ["(make Nat r 3)", "hidden"] {
        assert!(!are_equal(&mut env, &lift(of), &format!("{around} f 3")), "{of}");
    }
}

#[test]
fn functions_are_equal_for_what_they_do() {
    let mut env = environment();
    let of = |body: &str| format!("fun (g : Nat -> Nat) (f : Nat -> Bool) => {body}");
    assert!(are_equal(&mut env, &of("fun (x : Nat) => f x"), &of("f")));
    assert!(!are_equal(&mut env, &of("fun (x : Nat) => f (g x)"), &of("f")));
    assert!(!are_equal(&mut env, &of("f"), &of("fun (x : Nat) => f (g x)")));
    assert!(!are_equal(&mut env, &of("fun (x : Nat) => f 0"), &of("f")));
}

/// How far a definition is from the ground is said by whoever declares it: only the time that it takes depends on it.
#[test]
fn forged_heights_decide_nothing() {
    for hints in [Hints::Opaque, Hints::Abbreviation, Hints::Regular(0), Hints::Regular(u32::MAX)] {
        let mut env = environment();
        for text in [
            "def one : Nat -> Nat := fun (n : Nat) => Nat.succ n",
            "def two : Nat -> Nat := fun (n : Nat) => one (one n)",
            "def more : Nat -> Nat := fun (n : Nat) => one (two n)",
        ] {
            let mut constant = text::declaration(&mut env.terms, text);
            if let ConstantKind::Definition { hints: own, .. } = &mut constant.kind {
                *own = hints;
            }
            env.add(constant).unwrap();
        }
        assert!(are_equal(&mut env, "more", "fun (n : Nat) => two (one n)"), "{hints:?}");
        assert!(!are_equal(&mut env, "more", "fun (n : Nat) => two (two n)"), "{hints:?}");
    }
}

/// The functions that are computed.
const FUNCTIONS: [&str; 15] = [
    "add",
    "sub",
    "mul",
    "div",
    "mod",
    "gcd",
    "pow",
    "log2",
    "beq",
    "ble",
    "land",
    "lor",
    "xor",
    "shiftLeft",
    "shiftRight",
];

/// What is no number is not computed with, whatever its shape.
#[test]
fn only_literals_are_computed_with() {
    let functions = FUNCTIONS.map(|function| match function {
        "log2" => "axiom Nat.log2 : Nat -> Nat".to_owned(),
        "beq" | "ble" => format!("axiom Nat.{function} : Nat -> Nat -> Bool"),
        _ => format!("axiom Nat.{function} : Nat -> Nat -> Nat"),
    });
    let more = functions.iter().map(String::as_str).chain(["axiom x : Nat"]);
    let imported = Imported::with(&more.collect::<Vec<_>>());
    let mut env = Environment::new(Terms::new(), &imported, BUDGET);
    for function in FUNCTIONS {
        let given: &[&str] = match function {
            "log2" => &["x", "(Nat.succ x)", "Nat.zero 1", ""],
            _ => &["x 3", "3 x", "(Nat.succ x) 3", "3 (Nat.succ x)", "3", "", "3 3 3"],
        };
        for given in given {
            let e = text::term(&mut env.terms, &format!("Nat.{function} {given}"));
            let reduced = Checker::new(&mut env, NameId::ANONYMOUS, Vec::new()).whnf(e);
            assert_eq!(reduced, Ok(e), "{function} {given}");
        }
    }
}

/// Texts stand for constants by their names: where one of those is an axiom of one's own, texts would rest on it unseen.
#[test]
fn texts_do_not_rest_on_axioms_of_ones_own() {
    let char_of_nat = "axiom Char.ofNat : Nat -> Char";
    let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
    for text in PRELUDE.iter().chain(&[char_of_nat]) {
        let constant = text::declaration(&mut env.terms, text);
        env.add_unchecked(constant);
    }
    let problem = refusal(&mut env, "def t : String := \"a\"");
    assert!(problem.contains("a literal of type String"), "{problem}");
    // The same as an imported module: what that rests on is asked of it.
    let imported = Imported::with(&[char_of_nat]);
    let mut env = Environment::new(Terms::new(), &imported, BUDGET);
    add(&mut env, "def t : String := \"a\"").unwrap();
}

/// A text is of a type only if all that it stands for is of the types that it needs.
#[test]
fn texts_need_constants_of_the_right_types() {
    let char_of_nat = "def Char.ofNat : Nat -> Char := fun (n : Nat) => Char.mk n";
    for (name, other) in [
        ("", ""),
        ("def Char.ofNat", "def Char.ofNat : Nat -> Nat := fun (n : Nat) => n"),
        ("def Char.ofNat", "def Char.ofNat : Char -> Char := fun (n : Char) => n"),
        ("constructor List.nil", "constructor List.nil.{u} : (A : Sort.{u+2}) -> List.{u+1} A | List 0 1 0"),
        (
            "constructor List.cons",
            "constructor List.cons.{u} : (A : Sort.{u+1}) -> List.{u} A -> A -> List.{u} A | List 1 1 2",
        ),
        ("constructor String.mk", "constructor String.mk : List.{0} Nat -> String | String 0 0 1"),
        ("constructor String.mk", "constructor String.mk : List.{0} Char -> Nat | String 0 0 1"),
        ("inductive String", "inductive String : Prop | 0 0 0 | String.mk"),
        ("inductive String", "axiom String : Type"),
    ] {
        let mut env = Environment::new(Terms::new(), &Nothing, BUDGET);
        let is_other = |text: &&&str| !name.is_empty() && text.starts_with(name);
        for text in
            PRELUDE.iter().chain(&[char_of_nat]).map(|text| if is_other(&text) { &other } else { text })
        {
            let constant = text::declaration(&mut env.terms, text);
            env.add_unchecked(constant);
        }
        let found = add(&mut env, "axiom t : (f : String -> Prop) -> f \"a\"");
        assert_eq!(found.is_ok(), name.is_empty(), "{other}: {found:?}");
    }
}

/// Numbers beside variables are computed only within a proof that is marked for it, which finds fewer terms equal and
/// others. What is found in one way must not be taken for the other, or the order of the questions decides.
#[test]
fn each_way_to_compute_numbers_has_answers_of_its_own() {
    let sum = "def Nat.add : Nat -> Nat -> Nat := fun (a : Nat) (b : Nat) =>
        Nat.rec.{1} (fun (n : Nat) => Nat) a (fun (n : Nat) (r : Nat) => Nat.succ r) b";
    let imported = Imported::with(&[ACCESSIBLE, &[sum]].concat());
    let mut env = Environment::new(Terms::new(), &imported, BUDGET);
    for text in [
        "axiom lt : Nat -> Nat -> Prop",
        "axiom none : (y : Nat) -> lt y 0 -> Acc.{1} Nat lt y",
        "def known : Acc.{1} Nat lt 0 := Acc.intro.{1} Nat lt 0 (fun (y : Nat) (h : lt y 0) => none y h)",
        "def run : Acc.{1} Nat lt 0 -> Nat := fun (h : Acc.{1} Nat lt 0) =>
            Acc.rec.{1, 1} Nat lt (fun (n : Nat) (h : Acc.{1} Nat lt n) => Nat)
            (fun (n : Nat) (h : (y : Nat) -> lt y n -> Acc.{1} Nat lt y) (ih : (y : Nat) -> lt y n -> Nat) => 0) 0 h",
    ] {
        add(&mut env, text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    let open = text::term(&mut env.terms, "fun (p : Acc.{1} Nat lt 0) => Nat.add (run p) 0");
    let closed = text::term(&mut env.terms, "fun (p : Acc.{1} Nat lt 0) => Nat.add (run known) 0");
    for order in [[false, true, false], [true, false, true]] {
        let mut checker = Checker::new(&mut env, NameId::ANONYMOUS, Vec::new());
        checker.infer(open).unwrap();
        checker.infer(closed).unwrap();
        for is_eager in order {
            checker.set_eager(is_eager);
            assert_eq!(checker.is_def_eq(open, closed), Ok(!is_eager), "{order:?}");
        }
    }
}

/// Terms that double at every step, each part of which is there once.
#[test]
fn doubled_terms_are_looked_at_once() {
    const STEPS: usize = 200;
    let mut env = environment();
    env.set_budget(Budget { steps: 300_000, ..env.budget() });
    for axiom in ["axiom f : Nat -> Nat -> Nat", "axiom x : Nat"] {
        add(&mut env, axiom).unwrap();
    }
    for (name, step) in [
        ("lets", "let AFTER : Nat := f BEFORE BEFORE; BODY"),
        ("functions", "(fun (AFTER : Nat) => BODY) (f BEFORE BEFORE)"),
    ] {
        let value = (0..STEPS).rev().fold(format!("x{STEPS}"), |body, number| {
            let (before, after) = (format!("x{number}"), format!("x{}", number + 1));
            step.replace("BEFORE", &before).replace("AFTER", &after).replace("BODY", &body)
        });
        add(&mut env, &format!("def {name} : Nat -> Nat := fun (x0 : Nat) => {value}")).unwrap();
    }
    assert!(are_equal(&mut env, "lets", "functions"));
    let twice = "fun (x0 : Nat) => let y : Nat := f x0 x0; let z : Nat := f y y; f z z";
    let other = "fun (x0 : Nat) => f (f (f x0 x0) (f x0 x0)) (let y : Nat := f x0 x0; f y y)";
    assert!(are_equal(&mut env, twice, other));
}
