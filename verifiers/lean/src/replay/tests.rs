//! Modules built by hand.

#![allow(clippy::unwrap_used)]

use std::collections::HashMap;

use super::{Claimed, Replayed, replay};
use crate::constant::{Constant, ConstantKind, ConstructorInfo, Hints, Safety};
use crate::kernel::inductive::Block;
use crate::kernel::inductive::tests::lab::{LIST, Lab, NAT};
use crate::kernel::inductive::tests::text;
use crate::kernel::{Budget, Environment, KernelError, ReadError, Trusted};
use crate::terms::{NameId, Terms};

/// A library with a proposition, a proof of it, and a constant that cannot be read.
struct Library;

impl Trusted for Library {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        let axiom = |terms: &mut Terms, ty: &str| {
            let ty = text::term(terms, ty);
            Ok(Some(Constant {
                name,
                level_params: Vec::new(),
                ty,
                kind: ConstantKind::Axiom { is_unsafe: false },
            }))
        };
        match terms.show_name(name).as_str() {
            "Lib.P" => axiom(terms, "Prop"),
            "Lib.p" => axiom(terms, "Lib.P"),
            "Lib.broken" => Err(ReadError { message: "Lib.olean: cut short".to_owned() }),
            _ => Ok(None),
        }
    }
}

/// A module of constants by name.
#[derive(Default)]
struct Module(HashMap<NameId, Constant>);

impl Claimed for Module {
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError> {
        if terms.show_name(name) == "unreadable" {
            return Err(ReadError { message: "a pointer leads out of the file".to_owned() });
        }
        Ok(self.0.get(&name).cloned())
    }
}

/// A module that is being written, and the lab whose arena it is in.
struct Bench {
    lab: Lab,
    module: Module,
}

impl Bench {
    fn new() -> Self {
        let mut bench = Self { lab: Lab::new(), module: Module::default() };
        bench.lab.env = Self::env(Terms::new());
        bench
    }

    fn env(terms: Terms) -> Environment<'static> {
        Environment::new(terms, &Library, Budget::new(5_000_000, 2_000_000, 400))
    }

    fn put(&mut self, name: &str, ty: &str, kind: impl FnOnce(&mut Lab) -> ConstantKind) {
        let (name, ty) = (self.lab.name(name), self.lab.term(ty));
        let kind = kind(&mut self.lab);
        self.module.0.insert(name, Constant { name, level_params: Vec::new(), ty, kind });
    }

    fn axiom(&mut self, name: &str, ty: &str) {
        self.put(name, ty, |_| ConstantKind::Axiom { is_unsafe: false });
    }

    fn theorem(&mut self, name: &str, ty: &str, value: &str) {
        self.put(name, ty, |lab| ConstantKind::Theorem { value: lab.term(value) });
    }

    fn definition(&mut self, name: &str, ty: &str, value: &str, safety: Safety) {
        self.put(name, ty, |lab| ConstantKind::Definition {
            value: lab.term(value),
            hints: Hints::Regular(1),
            safety,
        });
    }

    /// A block of one type, written where there is no library but the given axioms.
    fn foreign(&mut self, axioms: &[(&str, &str)], ty: &str, constructors: &[(&str, &str)]) {
        let mut lab = Lab::new();
        lab.env.terms = std::mem::take(&mut self.lab.env.terms);
        for (name, ty) in axioms {
            let (name, ty) = (lab.name(name), lab.term(ty));
            let kind = ConstantKind::Axiom { is_unsafe: false };
            lab.env.add(Constant { name, level_params: Vec::new(), ty, kind }).unwrap();
        }
        let block = lab.block(&[], 0, &[(ty, "Prop", constructors)]);
        self.lab.env.terms = lab.env.terms;
        self.block(&block);
    }

    fn block(&mut self, block: &Block) {
        for constant in block.types.iter().chain(&block.constructors).chain(&block.recursors) {
            self.module.0.insert(constant.name, constant.clone());
        }
    }

    fn replay(&mut self, target: &str) -> Result<Replayed, KernelError> {
        let target = self.lab.name(target);
        // What was added for the sake of writing the module is not there when it is checked.
        let terms = std::mem::take(&mut self.lab.env.terms);
        self.lab.env = Self::env(terms);
        replay(&mut self.lab.env, &self.module, target)
    }

    fn refused(&mut self, target: &str) -> String {
        match self.replay(target) {
            Err(KernelError::Refused { constant, problem }) => format!("{constant}: {problem}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_a_theorem_reaches_is_checked_and_listed() {
    let mut bench = Bench::new();
    bench.axiom("ax", "Lib.P");
    bench.axiom("not_reached", "Lib.P");
    bench.definition("Q", "Prop", "Lib.P", Safety::Safe);
    bench.theorem("lemma", "Q", "ax");
    bench.theorem("main", "Q -> Q", "fun (h : Q) => lemma");
    let replayed = bench.replay("main").unwrap();
    let (ax, p, q) = (bench.lab.name("ax"), bench.lab.name("Lib.P"), bench.lab.name("Q"));
    assert_eq!(replayed, Replayed { axioms: vec![ax], reached_trusted: vec![p], num_checked: 4 });
    assert!(bench.lab.env.get(q).unwrap().is_some());
    let not_reached = bench.lab.name("not_reached");
    assert!(bench.lab.env.get(not_reached).unwrap().is_none());
}

#[test]
fn blocks_come_whole_whatever_part_is_reached() {
    for reached in ["List.{0} Nat", "List.nil.{0} Nat", "List.rec.{1, 0} Nat"] {
        let mut bench = Bench::new();
        let (nat, list) = (bench.lab.add(&[], 0, NAT), bench.lab.add(&["u"], 1, LIST));
        let tree: &[_] =
            &[("Tree", "Type", &[("Tree.node", "forall (n : Nat) (children : List.{0} Tree), Tree")][..])];
        let tree = bench.lab.block(&[], 0, tree);
        [nat, list, tree].iter().for_each(|block| bench.block(block));
        bench.theorem(
            "main",
            &format!("forall (A : Sort 5) (f : (fun (x : Type) => A) ({reached})), A"),
            "main.value",
        );
        // A value of the wrong type: all that it reaches comes first, so the refusal is of the theorem.
        bench.axiom("main.value", "Prop");
        let problem = bench.refused("main");
        assert!(problem.starts_with("main:"), "{problem}");
        for name in ["Nat.rec", "List.cons", "List.rec"] {
            let id = bench.lab.name(name);
            let found = bench.lab.env.get(id).unwrap().is_some();
            assert!(found || name == "Nat.rec", "{name} for {reached}");
        }
        bench.theorem("tree", "Lib.P", "(fun (x : Type) => Lib.p) (forall (t : Tree), (fun (x : Prop) => Nat) (Tree.rec_1.{1} -> Lib.P))");
        let _ = bench.replay("tree");
        let last = bench.lab.name("Tree.rec_1");
        assert!(bench.lab.env.get(last).unwrap().is_some());
    }
}

#[test]
fn circles_are_refused() {
    let mut bench = Bench::new();
    bench.theorem("self", "Lib.P", "self");
    assert!(bench.refused("self").contains("self: it depends on itself, by way of `self`"));
    bench.theorem("a", "Lib.P", "b");
    bench.theorem("b", "Lib.P", "a");
    assert!(bench.refused("a").contains("a: it depends on itself, by way of `b`"));
    bench.axiom("typed", "typed");
    assert!(bench.refused("typed").contains("depends on itself"));
}

#[test]
fn names_that_are_unknown_or_taken() {
    let mut bench = Bench::new();
    assert!(bench.refused("main").contains("the module has no constant of this name"));
    assert!(bench.refused("Lib.p").contains("the module has no constant of this name"));
    bench.theorem("main", "Lib.P", "gone");
    assert!(
        bench
            .refused("main")
            .contains("main: it mentions `gone`, which neither the module nor an imported one has")
    );
    bench.theorem("main", "Lib.P", "Lib.p");
    bench.replay("main").unwrap();
    bench.axiom("Lib.p", "Lib.P");
    assert!(bench.refused("main").contains("Lib.p: the name is taken"));
    assert!(bench.refused("Lib.p").contains("Lib.p: the name is taken"));
    let (main, other) = (bench.lab.name("main"), bench.lab.name("other"));
    let constant = bench.module.0[&main].clone();
    bench.module.0.insert(other, constant);
    assert!(bench.refused("other").contains("stored under another name than its own, `main`"));
}

#[test]
fn what_takes_no_part_in_proofs_is_refused() {
    let mut bench = Bench::new();
    bench.definition("loop", "Lib.P", "Lib.p", Safety::Partial);
    bench.theorem("main", "Lib.P", "loop");
    assert!(bench.refused("main").contains("loop: it is marked partial"));
    bench.definition("loop", "Lib.P", "Lib.p", Safety::Unsafe);
    assert!(bench.refused("main").contains("loop: it is marked unsafe"));
    bench.put("loop", "Lib.P", |_| ConstantKind::Axiom { is_unsafe: true });
    assert!(bench.refused("main").contains("loop: it is marked unsafe"));
    bench.put("loop", "Lib.P", |lab| ConstantKind::Opaque { value: lab.term("Lib.p"), is_unsafe: true });
    assert!(bench.refused("main").contains("loop: it is marked unsafe"));
    bench.put("loop", "Lib.P", |lab| ConstantKind::Opaque { value: lab.term("Lib.p"), is_unsafe: false });
    bench.replay("main").unwrap();
}

#[test]
fn files_that_cannot_be_read() {
    let mut bench = Bench::new();
    bench.theorem("main", "Lib.P", "unreadable");
    assert!(bench.refused("main").contains("unreadable: it cannot be read: a pointer leads out of the file"));
    bench.theorem("main", "Lib.P", "Lib.broken");
    assert!(matches!(bench.replay("main"), Err(KernelError::Unreadable(_))));
}

#[test]
fn parts_of_blocks_that_are_not_there() {
    let mut bench = Bench::new();
    let nat = bench.lab.block(&[], 0, NAT);
    bench.theorem("main", "Lib.P", "(fun (x : Nat) => Lib.p) Nat.zero");
    for missing in ["Nat.succ", "Nat.rec", "Nat"] {
        bench.block(&nat);
        bench.replay("main").unwrap();
        let name = bench.lab.name(missing);
        bench.module.0.remove(&name);
        let problem = bench.refused("main");
        assert!(problem.contains(missing), "{problem}");
    }
    bench.block(&nat);
    // Parts that nobody knows of.
    for part in [&nat.constructors[0], &nat.recursors[0]] {
        let mut orphan = part.clone();
        orphan.name = bench.lab.name("Nat.orphan");
        bench.module.0.insert(orphan.name, orphan);
        bench.theorem("main", "Lib.P", "(fun (x : Nat) => Lib.p) Nat.orphan");
        let problem = bench.refused("main");
        assert!(problem.contains("Nat.orphan: it claims to belong to a block"), "{problem}");
    }
    let mut many = nat.types[0].clone();
    if let ConstantKind::Inductive(info) = &mut many.kind {
        info.num_nested = u32::MAX;
    }
    bench.module.0.insert(many.name, many);
    bench.theorem("main", "Lib.P", "(fun (x : Nat) => Lib.p) Nat.zero");
    let problem = bench.refused("main");
    assert!(problem.contains("`Nat.rec_1` belongs, but the module has no such constant"), "{problem}");
}

#[test]
fn order_follows_dependencies_even_where_terms_are_shared() {
    let mut bench = Bench::new();
    // Both mention the same term; whichever is looked at first, what it mentions must come before both.
    bench.definition("B", "Prop", "Lib.P", Safety::Safe);
    bench.definition("X", "Prop", "B -> B", Safety::Safe);
    bench.theorem("main", "(B -> B) -> X", "fun (h : B -> B) => h");
    let replayed = bench.replay("main").unwrap();
    assert_eq!(replayed.num_checked, 3);
    bench.theorem("main", "X -> (B -> B)", "fun (h : X) => h");
    bench.replay("main").unwrap();
}

#[test]
fn long_chains_need_no_stack() {
    let mut bench = Bench::new();
    bench.theorem("t0", "Lib.P", "Lib.p");
    for number in 1..20_000 {
        bench.theorem(&format!("t{number}"), "Lib.P", &format!("t{}", number - 1));
    }
    assert_eq!(bench.replay("t19999").unwrap().num_checked, 20_000);
}

#[test]
fn work_is_counted() {
    let mut bench = Bench::new();
    bench.theorem("t0", "Lib.P", "Lib.p");
    for number in 1..2_000 {
        bench.theorem(&format!("t{number}"), "Lib.P", &format!("t{}", number - 1));
    }
    let target = bench.lab.name("t1999");
    bench.lab.env.set_budget(Budget::new(1_000, 1_000_000, 400));
    let ended = replay(&mut bench.lab.env, &bench.module, target);
    assert!(matches!(ended, Err(KernelError::Exhausted { .. })), "{ended:?}");
}

#[test]
fn literals_need_the_numbers_that_the_module_declares() {
    let mut bench = Bench::new();
    let nat = bench.lab.add(&[], 0, NAT);
    bench.block(&nat);
    bench.theorem("main", "Lib.P", "(fun (A : Type) (x : A) => Lib.p) ((fun (A : Prop) => Nat) Lib.P) 5");
    bench.replay("main").unwrap();
    // Not even a mention of the type.
    let (name, value) = (bench.lab.name("main"), bench.lab.term("7"));
    let kind = ConstantKind::Theorem { value };
    let ty = bench.lab.term("Lib.P");
    bench.module.0.insert(name, Constant { name, level_params: Vec::new(), ty, kind });
    let problem = bench.refused("main");
    assert!(problem.starts_with("main:"), "{problem}");
    let nat = bench.lab.name("Nat");
    assert!(bench.lab.env.get(nat).unwrap().is_some());
}

#[test]
fn quotients_of_the_module_come_together() {
    let mut bench = Bench::new();
    bench.put("Quot", "Prop", |_| ConstantKind::Quot(crate::constant::QuotKind::Type));
    bench.axiom("Eq", "Prop");
    bench.theorem("main", "Lib.P", "(fun (p : Prop) => Lib.p) Quot");
    let problem = bench.refused("main");
    assert!(problem.contains("need the usual `Eq`"), "{problem}");
}

/// A recursor comes from its inductive types: one without any, or of types that are not there, is nothing.
#[test]
fn recursors_of_nothing_are_refused() {
    let mut bench = Bench::new();
    let nat = bench.lab.block(&[], 0, NAT);
    bench.block(&nat);
    bench.definition("Def", "Prop", "Lib.P", Safety::Safe);
    bench.theorem("main", "forall (p : Prop), p", "rogue");
    let ConstantKind::Recursor(info) = &nat.recursors[0].kind else { panic!("a recursor") };
    let mut info = info.clone();
    info.rules.clear();
    (info.num_motives, info.num_minors) = (0, 0);
    for (all, why) in [
        (vec![], "a block of inductive types that does not have it"),
        (vec!["Foo"], "the module has no such type"),
        (vec!["Def"], "the module has no such type"),
        (vec!["Lib.P"], "the module has no such type"),
        (vec!["Nat"], "a block of inductive types that does not have it"),
        (vec!["Nat", "Nat"], "twice"),
    ] {
        info.all = all.iter().map(|name| bench.lab.name(name)).collect();
        bench.put("rogue", "forall (p : Prop), p", |_| ConstantKind::Recursor(info.clone()));
        let problem = bench.refused("main");
        assert!(problem.starts_with("rogue:") && problem.contains(why), "{problem}");
    }
    // A constructor of a type that does not know of it, of a definition, of nothing.
    for (inductive, why) in [("Nat", "does not have it"), ("Def", "no such type"), ("Foo", "no such type")] {
        let inductive = bench.lab.name(inductive);
        let info = ConstructorInfo { inductive, index: 0, num_params: 0, num_fields: 0, is_unsafe: false };
        bench.put("rogue", "forall (p : Prop), p", |_| ConstantKind::Constructor(info));
        let problem = bench.refused("main");
        assert!(problem.starts_with("rogue:") && problem.contains(why), "{problem}");
    }
}

/// A block may not bring a constant whose name the library has, whichever of its constants that is.
#[test]
fn no_part_of_a_block_takes_a_name_of_the_library() {
    for names in [["Lib.p", "T.mk"], ["T", "Lib.p"]] {
        let mut bench = Bench::new();
        let [ty, constructor] = names;
        bench.foreign(&[], ty, &[(constructor, ty)]);
        bench.theorem("main", "Lib.P", &format!("(fun (p : Prop) => p) {ty}.rec"));
        let problem = bench.refused("main");
        assert!(problem.contains("Lib.p: the name is taken"), "{problem}");
    }
}

/// A type may not be declared by way of a definition that mentions it: what is hidden there is not looked at.
#[test]
fn no_type_hides_behind_a_definition() {
    let mut bench = Bench::new();
    bench.foreign(&[], "T", &[]);
    // As it could be compiled only if the constructor were added later.
    let (ty, mk) = (bench.lab.name("T"), bench.lab.name("T.mk"));
    let mut changed = bench.module.0[&ty].clone();
    if let ConstantKind::Inductive(info) = &mut changed.kind {
        info.constructors.push(mk);
    }
    bench.module.0.insert(ty, changed);
    bench.definition("Hidden", "Prop", "T -> Lib.P", Safety::Safe);
    let info = ConstructorInfo { inductive: ty, index: 0, num_params: 0, num_fields: 1, is_unsafe: false };
    bench.put("T.mk", "Hidden -> T", |_| ConstantKind::Constructor(info));
    bench.theorem("main", "Lib.P", "(fun (p : Prop) => Lib.p) T");
    assert!(bench.refused("main").contains("T: it depends on itself, by way of `Hidden`"));
}

/// What is reached only in the type of a constructor is reached.
#[test]
fn axioms_behind_constructors_are_listed() {
    let mut bench = Bench::new();
    bench.axiom("ax", "Lib.P");
    let field = "forall (h : (fun (x : Lib.P) => Lib.P) ax), T";
    bench.foreign(&[("Lib.P", "Prop"), ("ax", "Lib.P")], "T", &[("T.mk", field)]);
    bench.definition("use", "Prop", "T", Safety::Safe);
    let (ax, found) = (bench.lab.name("ax"), bench.replay("use").unwrap());
    assert_eq!(found.axioms, [ax]);
    // Not so through a constant that is there but is not reached.
    bench.definition("other", "Prop", "Lib.P", Safety::Safe);
    assert_eq!(bench.replay("other").unwrap().axioms, []);
}
