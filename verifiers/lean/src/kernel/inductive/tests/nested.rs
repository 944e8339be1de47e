//! Types nested in others.

use super::lab::Lab;
use crate::constant::ConstantKind;

const TREE: &[(&str, &str)] =
    &[("Tree.node", "forall (A : Type u) (a : A) (children : List.{u} (Tree.{u} A)), Tree.{u} A")];

#[test]
fn a_tree_through_lists() {
    let mut lab = Lab::furnished();
    let block = lab.add(&["u"], 1, &[("Tree", "forall (A : Type u), Type u", TREE)]);
    let minors = "(A : Type u) (tree : Tree.{u} A -> Sort u_1) (list : List.{u} (Tree.{u} A) -> Sort u_1)
        (node : forall (a : A) (children : List.{u} (Tree.{u} A)) (ih : list children), tree (Tree.node.{u} A a children))
        (nil : list (List.nil.{u} (Tree.{u} A)))
        (cons : forall (head : Tree.{u} A) (tail : List.{u} (Tree.{u} A)) (hh : tree head) (th : list tail),
            list (List.cons.{u} (Tree.{u} A) head tail))";
    lab.recursor(
        &block,
        "Tree.rec",
        &["u_1", "u"],
        &format!("forall {minors} (t : Tree.{{u}} A), tree t"),
        &[(
            "Tree.node",
            2,
            &format!(
                "fun {minors} (a : A) (children : List.{{u}} (Tree.{{u}} A)) =>
                 node a children (Tree.rec_1.{{u_1, u}} A tree list node nil cons children)"
            ),
        )],
    );
    lab.recursor(
        &block,
        "Tree.rec_1",
        &["u_1", "u"],
        &format!("forall {minors} (t : List.{{u}} (Tree.{{u}} A)), list t"),
        &[
            ("List.nil", 0, &format!("fun {minors} => nil")),
            (
                "List.cons",
                2,
                &format!(
                    "fun {minors} (head : Tree.{{u}} A) (tail : List.{{u}} (Tree.{{u}} A)) =>
                     cons head tail (Tree.rec.{{u_1, u}} A tree list node nil cons head)
                       (Tree.rec_1.{{u_1, u}} A tree list node nil cons tail)"
                ),
            ),
        ],
    );
    let ConstantKind::Inductive(info) = &block.types[0].kind else { panic!("no inductive type") };
    assert_eq!((info.num_nested, info.is_rec, info.all.len()), (1, true, 1));
}

/// The types that stand for nested ones come in the order in which they are met, from the outside in.
#[test]
fn nested_types_within_nested_types() {
    let mut lab = Lab::furnished();
    let mk = "forall (a : List.{0} (Prod.{0, 0} Nat T)) (b : Prod.{0, 0} T (List.{0} T)), T";
    let block = lab.add(&[], 0, &[("T", "Type", &[("T.mk", mk)])]);
    let majors: Vec<String> =
        block.recursors.iter().map(|recursor| lab.env.terms.show(recursor.ty)).collect();
    let names: Vec<String> =
        block.recursors.iter().map(|recursor| lab.env.terms.show_name(recursor.name)).collect();
    assert_eq!(names, ["T.rec", "T.rec_1", "T.rec_2", "T.rec_3", "T.rec_4"]);
    let expected = [
        "T",
        "List.{0} (Prod.{0, 0} Nat T)",
        "Prod.{0, 0} T (List.{0} T)",
        "Prod.{0, 0} Nat T",
        "List.{0} T",
    ];
    for (recursor, major) in block.recursors.iter().zip(expected) {
        let major = lab.term(major);
        assert!(last_domain(&lab, recursor.ty) == major, "{major:?} in {majors:?}");
    }
}

/// The type of the last argument.
fn last_domain(lab: &Lab, ty: crate::terms::ExprId) -> crate::terms::ExprId {
    let mut at = ty;
    loop {
        let crate::terms::Expr::Pi(domain, body) = lab.env.terms.expr(at) else { panic!("no arguments") };
        match lab.env.terms.expr(body) {
            crate::terms::Expr::Pi(..) => at = body,
            _ => return domain,
        }
    }
}

#[test]
fn a_block_nested_in_a_block() {
    let mut lab = Lab::furnished();
    let rose: &[_] = &[
        ("Rose", "Type -> Type", &[("Rose.mk", "forall (A : Type) (a : A) (f : Forest A), Rose A")][..]),
        (
            "Forest",
            "Type -> Type",
            &[
                ("Forest.nil", "forall (A : Type), Forest A"),
                ("Forest.cons", "forall (A : Type) (r : Rose A) (f : Forest A), Forest A"),
            ][..],
        ),
    ];
    lab.add(&[], 1, rose);
    let block = lab.add(
        &[],
        0,
        &[
            ("X", "Type", &[("X.leaf", "X"), ("X.mk", "forall (f : Forest Y), X")]),
            ("Y", "Type", &[("Y.mk", "forall (x : X), Y")]),
        ],
    );
    // All of the other block is taken along, in its order.
    let majors: Vec<_> = block.recursors.iter().map(|recursor| last_domain(&lab, recursor.ty)).collect();
    let expected = ["X", "Y", "Rose Y", "Forest Y"].map(|text| lab.term(text));
    assert_eq!(majors, expected);
    let last = lab.name("X.rec_2");
    assert_eq!(block.recursors[3].name, last);
}

#[test]
fn propositions_nested_in_propositions_eliminate_to_propositions() {
    let mut lab = Lab::furnished();
    lab.add(&[], 1, &[("Box", "Prop -> Prop", &[("Box.mk", "forall (p : Prop) (h : p), Box p")])]);
    let block = lab.add(&[], 0, &[("P", "Prop", &[("P.mk", "forall (h : Box P), P")])]);
    assert_eq!(block.recursors.len(), 2);
    assert!(block.recursors.iter().all(|recursor| recursor.level_params.is_empty()));
}

#[test]
fn nested_occurrences_that_are_refused() {
    let mut lab = Lab::furnished();
    lab.add(
        &[],
        1,
        &[("Not2", "Type -> Type", &[("Not2.mk", "forall (A : Type) (f : A -> False), Not2 A")])],
    );
    lab.add(&[], 0, &[("Ix", "Prop -> Prop", &[("Ix.mk", "forall (p : Prop), Ix p")])]);
    let mut wrong = |mk: &str| lab.wrong(&[], 0, &[("T", "Type", &[("T.mk", mk)])]);
    // Negative within the other type.
    assert!(wrong("forall (x : Not2 T), T").contains("left of an arrow"));
    // As an index, where nothing is known of the other type.
    let problem = lab.wrong(&[], 0, &[("T", "Prop", &[("T.mk", "Ix T -> T")])]);
    assert!(problem.contains("not valid"), "{problem}");
    let family = "forall (n : Nat) (x : List.{0} (F n)), F 0";
    let problem = lab.wrong(&[], 0, &[("F", "Nat -> Type", &[("F.mk", family)])]);
    assert!(problem.contains("mention local variables"), "{problem}");
    let big = "forall (x : List.{1} (Prod.{0, 1} T Type)), T";
    let problem = lab.wrong(&[], 0, &[("T", "Type", &[("T.mk", big)])]);
    assert!(problem.contains("universe"), "{problem}");
}

/// Twice as many types for each step.
#[test]
fn ever_more_nested_types_are_refused() {
    let mut lab = Lab::furnished();
    lab.add(&[], 1, &[("S0", "Type -> Type", &[("S0.mk", "forall (A : Type) (a : A), S0 A")])]);
    for number in 1..11 {
        let (name, mk) = (format!("S{number}"), format!("S{number}.mk"));
        let before = number - 1;
        let ty = format!(
            "forall (A : Type) (x : S{before} (List.{{0}} A)) (y : S{before} (Prod.{{0, 0}} A A)), S{number} A"
        );
        lab.add(&[], 1, &[(&name, "Type -> Type", &[(&mk, &ty)])]);
    }
    lab.add(&[], 0, &[("Few", "Type", &[("Few.leaf", "Few"), ("Few.mk", "S3 Few -> Few")])]);
    let problem =
        lab.wrong(&[], 0, &[("Many", "Type", &[("Many.leaf", "Many"), ("Many.mk", "S10 Many -> Many")])]);
    assert!(problem.contains("more than 1024 types"), "{problem}");
}

/// What only unfolds to a type of the block stands for itself in parameters of nested types, as in Lean.
#[test]
fn parameters_are_compared_as_written() {
    let mut lab = Lab::furnished();
    lab.define("id", &["u"], "forall (A : Sort u), A -> A", "fun (A : Sort u) (a : A) => a");
    let mk = "forall (x : List.{0} T) (y : List.{0} (id.{2} (Type) T)), T";
    let block = lab.add(&[], 0, &[("T", "Type", &[("T.mk", mk)])]);
    assert_eq!(block.recursors.len(), 3);
}

/// Arguments that the types standing for nested ones drop are looked at all the same.
#[test]
fn parameters_of_nested_types_are_checked() {
    let mut lab = Lab::furnished();
    lab.add(&[], 2, &[("L", "Type -> Nat -> Type", &[("L.mk", "forall (A : Type) (n : Nat), L A n")])]);
    // Ill typed: a list where a number is expected.
    let mk = "forall (x : L T (List.nil.{0} Nat)), T";
    lab.wrong(&[], 0, &[("T", "Type", &[("T.mk", mk)])]);
    // Well typed, but at another parameter than the block's.
    let mk = "forall (n : Nat) (x : L (T 0) 0), T n";
    let problem = lab.wrong(&[], 1, &[("T", "Nat -> Type", &[("T.mk", mk)])]);
    assert!(problem.contains("other than the block's parameters"), "{problem}");
    let mk = "forall (n : Nat) (x : L (T n) n), T n";
    lab.add(&[], 1, &[("T", "Nat -> Type", &[("T.mk", mk)])]);
}

#[test]
fn names_of_the_kernel_are_kept_for_it() {
    let mut lab = Lab::furnished();
    lab.define("_nested.1", &[], "Prop", "True");
    let problem = lab.wrong(&[], 0, &[("T", "Prop", &[("T.mk", "_nested.1 -> T")])]);
    assert!(problem.contains("kept for the kernel"), "{problem}");
    let problem =
        lab.wrong(&[], 0, &[("T", "Prop", &[("T.mk", "forall (n : Nat), (proj _nested.T 0 n) -> T")])]);
    assert!(problem.contains("kept for the kernel"), "{problem}");
    // One that is taken is not used.
    lab.add(&["u"], 1, &[("Tree", "forall (A : Type u), Type u", TREE)]);
}

/// What stands for `C T` would be indexed by `T`, a type of its own block: Lean has no such blocks.
#[test]
fn no_type_of_a_block_is_an_index_of_another() {
    let mut lab = Lab::furnished();
    let container = [("C.mk", "forall (A : Type) (a : A), C A a")];
    lab.add(&[], 1, &[("C", "forall (A : Type), A -> Type", &container)]);
    let problem =
        lab.wrong(&[], 0, &[("T", "Type", &[("T.leaf", "T"), ("T.node", "forall (t : T) (c : C T t), T")])]);
    assert!(problem.contains("index of another"), "{problem}");
}
