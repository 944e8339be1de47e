//! Declarations that are wrong.

use super::lab::{Lab, TypeText};

fn wrong(types: &[TypeText<'_>]) -> String {
    Lab::furnished().wrong(&[], 0, types)
}

#[test]
fn occurrences_that_are_not_positive() {
    let problem = wrong(&[("T", "Type", &[("T.mk", "(T -> Nat) -> T")])]);
    assert!(problem.contains("T.mk: its field 1") && problem.contains("not positive"), "{problem}");
    let problem = wrong(&[("T", "Prop", &[("T.mk", "((T -> False) -> False) -> T")])]);
    assert!(problem.contains("not positive"), "{problem}");
    // The other type of the block.
    let types: &[_] =
        &[("A", "Type", &[("A.mk", "(B -> Nat) -> A")][..]), ("B", "Type", &[("B.mk", "A -> B")][..])];
    assert!(wrong(types).contains("not positive"));
    // As an argument of a variable.
    let problem = wrong(&[("T", "Prop", &[("T.mk", "forall (f : Prop -> Prop) (x : f T), T")])]);
    assert!(problem.contains("not valid"), "{problem}");
    // As an index of itself.
    let problem = wrong(&[("T", "Prop -> Prop", &[("T.mk", "T (T True) -> T True")])]);
    assert!(problem.contains("not valid"), "{problem}");
}

#[test]
fn occurrences_that_are_not_positive_once_a_definition_is_unfolded() {
    let mut lab = Lab::furnished();
    lab.define("No", &[], "Type -> Type", "fun (A : Type) => A -> Nat");
    let problem = lab.wrong(&[], 0, &[("T", "Type", &[("T.mk", "No T -> T")])]);
    assert!(problem.contains("not positive"), "{problem}");
    // What is ignored does not occur, as in Lean.
    lab.define("Ignore", &[], "Type -> Type -> Type", "fun (A B : Type) => A");
    lab.add(&[], 0, &[("T", "Type", &[("T.mk", "Ignore Nat T -> T")])]);
}

#[test]
fn fields_of_too_big_universes() {
    let problem = wrong(&[("T", "Type", &[("T.mk", "Type -> T")])]);
    assert!(problem.contains("T.mk: its field 1 lives in a universe that is too big"), "{problem}");
    let problem = wrong(&[("T", "Type", &[("T.mk", "forall (a : Sort (imax 1 1)), T")])]);
    assert!(problem.contains("too big"), "{problem}");
    let mut lab = Lab::furnished();
    let problem = lab.wrong(&["u"], 0, &[("T", "Sort u", &[("T.mk", "Nat -> T.{u}")])]);
    assert!(problem.contains("too big"), "{problem}");
    lab.add(&["u"], 0, &[("T", "Sort (max 1 u)", &[("T.mk", "Nat -> T.{u}")])]);
    // Propositions may have fields of every universe.
    lab.add(&[], 0, &[("P", "Prop", &[("P.mk", "Type 5 -> P")])]);
    lab.add(&[], 0, &[("Q", "Sort (imax 1 0)", &[("Q.mk", "Type 5 -> Q")])]);
}

#[test]
fn types_that_are_none() {
    assert!(wrong(&[("T", "Nat", &[])]).contains("must end in a universe"));
    assert!(wrong(&[("T", "Nat.zero", &[])]).contains("must end in a universe"));
    assert!(wrong(&[("T", "Type -> Nat.zero", &[])]).contains("T"));
    assert!(wrong(&[("T", "T", &[])]).contains("mentions a type of the block"));
    assert!(wrong(&[("T", "Type", &[("T.mk", "Nope -> T")])]).contains("T.mk"));
    assert!(wrong(&[("T", "Type", &[("T.mk", "forall (x : Nat.succ), T")])]).contains("T.mk"));
}

/// The universe of a type may not hang on anything but definitions.
#[test]
fn types_that_compute_their_universe() {
    let mut lab = Lab::furnished();
    let computed = "fun (n : Nat) => Nat.rec.{3} (fun (n : Nat) => Type 1) (Type) (fun (n : Nat) (ih : Type 1) => Type) n";
    lab.define("Computed", &[], "Nat -> Type 1", computed);
    let problem = lab.wrong(&[], 0, &[("T", "Computed 0", &[])]);
    assert!(problem.contains("must end in a universe once definitions are unfolded"), "{problem}");
    lab.define("Same", &["u"], "Type u -> Type u", "fun (A : Type u) => A");
    lab.add(&[], 0, &[("T", "Same.{1} Type", &[("T.mk", "T")])]);
    lab.add(
        &[],
        1,
        &[("S", "forall (n : Nat), Same.{0} (Nat -> Prop)", &[("S.mk", "forall (n : Nat), S n n")])],
    );
}

#[test]
fn results_of_constructors() {
    assert!(wrong(&[("T", "Type", &[("T.mk", "Nat")])]).contains("its result must be `T`"));
    assert!(wrong(&[("T", "Type", &[("T.mk", "Nat -> Type")])]).contains("its result must be `T`"));
    let swapped: &[_] = &[("A", "Type", &[("A.mk", "B")][..]), ("B", "Type", &[("B.mk", "A")][..])];
    assert!(wrong(swapped).contains("its result must be `A`"));
    // The result may not be what only unfolds to the type.
    let mut lab = Lab::furnished();
    lab.define("Ignore", &[], "Type -> Type -> Type", "fun (A B : Type) => A");
    assert!(
        lab.wrong(&[], 0, &[("T", "Type", &[("T.mk", "Ignore T Nat")])]).contains("its result must be `T`")
    );
}

#[test]
fn parameters() {
    let mut lab = Lab::furnished();
    let mut wrong = |num_params, types: &[TypeText<'_>]| lab.wrong(&[], num_params, types);
    // More than the type has.
    assert!(wrong(2, &[("T", "Type -> Type", &[])]).contains("claims 2 parameters, its type has 1"));
    assert!(wrong(u32::MAX, &[("T", "Type", &[])]).contains("parameters, its type has 0"));
    // Too few in a constructor.
    let problem = wrong(1, &[("T", "Type -> Type", &[("T.mk", "Nat")])]);
    assert!(problem.contains("takes 0 arguments"), "{problem}");
    // Of another type in a constructor.
    let problem = wrong(1, &[("T", "Nat -> Type", &[("T.mk", "forall (b : Prop), T 0")])]);
    assert!(problem.contains("parameter"), "{problem}");
    let problem = wrong(1, &[("T", "Prop -> Type", &[("T.mk", "forall (n : Nat), Nat")])]);
    assert!(problem.contains("is not the parameter"), "{problem}");
    // Not the same all through.
    let not_uniform = "forall (n : Nat) (x : T (Nat.succ n)), T n";
    assert!(
        wrong(1, &[("T", "Nat -> Type", &[("T.mk", not_uniform)])])
            .contains("other than the block's parameters")
    );
    assert!(wrong(1, &[("T", "Nat -> Type", &[("T.mk", "forall (n : Nat), T 0")])]).contains("other than"));
    // Missing.
    assert!(
        wrong(
            1,
            &[(
                "T",
                "Prop -> Prop",
                &[("T.mk", "forall (p : Prop) (f : (Prop -> Prop) -> Prop) (h : f T), T p")]
            )]
        )
        .contains("other than the block's parameters (parameter 1)")
    );
    // Swapped, though proofs are all equal.
    let swap = "forall (p : Prop) (a b : p), T p b a";
    assert!(
        wrong(3, &[("T", "forall (p : Prop) (a b : p), Type", &[("T.mk", swap)])]).contains("other than")
    );
    // Different in the types of a block.
    let types: &[_] = &[("A", "Type -> Type", &[][..]), ("B", "Prop -> Type", &[][..])];
    assert!(wrong(1, types).contains("its parameter 1 differs"));
}

#[test]
fn universes_of_a_block() {
    let mut lab = Lab::furnished();
    let types: &[_] = &[("A", "Type", &[][..]), ("B", "Prop", &[][..])];
    assert!(lab.wrong(&[], 0, types).contains("another universe"));
    let types: &[_] = &[("A", "Sort (max u 1)", &[][..]), ("B", "Sort (max 1 u)", &[][..])];
    lab.add(&["u"], 0, types);
    // Constructors use the block's universe parameters as they are.
    let problem = lab.wrong(&["u", "v"], 0, &[("T", "Type", &[("T.mk", "T.{v, u} -> T.{u, v}")])]);
    assert!(problem.contains("at universes other than"), "{problem}");
    assert!(
        lab.wrong(&["u"], 0, &[("T", "Type", &[("T.mk", "T.{0} -> T.{u}")])])
            .contains("at universes other than")
    );
    assert!(lab.wrong(&["u"], 0, &[("T", "Type", &[("T.mk", "T")])]).contains("at universes other than"));
    // A parameter that is not declared.
    lab.wrong(&["u"], 0, &[("T", "Type v", &[])]);
    lab.wrong(&["u"], 0, &[("T", "Type 9", &[("T.mk", "Sort v -> T.{u}")])]);
}

#[test]
fn terms_that_are_not_closed() {
    use super::super::block::{ConstructorDeclaration, Declaration, TypeDeclaration};
    let mut lab = Lab::furnished();
    let (name, mk, ty) = (lab.name("T"), lab.name("T.mk"), lab.term("Type"));
    let (loose, free) = (lab.env.terms.bvar(0), lab.env.terms.fvar(0));
    let constant = lab.term("T");
    for hole in [loose, free] {
        let constructor = lab.env.terms.pi(hole, constant);
        let constructors = vec![ConstructorDeclaration { name: mk, ty: constructor }];
        for types in [
            vec![TypeDeclaration { name, ty, constructors }],
            vec![TypeDeclaration { name, ty: hole, constructors: Vec::new() }],
        ] {
            let declaration = Declaration { level_params: Vec::new(), num_params: 0, types };
            let problem = super::super::generate::generate(&mut lab.env, &declaration).err().unwrap();
            assert!(problem.to_string().contains("not closed"), "{problem}");
        }
    }
}

#[test]
fn what_is_declared_may_not_be_taken_apart_in_its_declaration() {
    let problem = wrong(&[("T", "Type", &[("T.mk", "forall (x : T) (h : Eq.{1} Nat (proj T 0 x) 0), T")])]);
    assert!(problem.contains("projects out of a type that is being declared"), "{problem}");
    assert!(wrong(&[("T", "Type", &[("T.mk", "forall (x : T) (h : Eq.{1} T x T.mk), T")])]).contains("T.mk"));
    assert!(wrong(&[("T", "Type", &[("T.mk", "forall (x : Nat -> T.rec.{1}), T")])]).contains("T.mk"));
}

#[test]
fn names_that_are_taken() {
    let mut lab = Lab::furnished();
    assert!(
        lab.try_block(&[], 0, &[("Nat", "Type", &[])]).unwrap_err().to_string().contains("the name is taken")
    );
    let problem = lab.wrong(&[], 0, &[("T", "Type", &[("Nat.zero", "T")])]);
    assert!(problem.contains("the name is taken"), "{problem}");
    lab.define("T.rec", &[], "Nat", "0");
    let block = lab.block(&[], 0, &[("T", "Type", &[])]);
    assert!(lab.env.add_inductive(&block).unwrap_err().to_string().contains("the name is taken"));
    let name = lab.name("T");
    assert!(lab.env.get(name).unwrap().is_none());
}
