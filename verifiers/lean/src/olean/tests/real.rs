//! Files that Lean itself writes. `POLESTAR_LEAN` names a `lean` binary; without it there is nothing to read here.

use std::path::Path;
use std::process::Command;

use super::super::WordSize;
use super::{LIMITS, Module, Terms, find, read_all};
use crate::constant::ConstantKind;
use crate::terms::Expr;

/// Compiles a text that imports nothing; gives the parts of the module.
fn compile(folder: &Path, text: &str) -> Option<Vec<Vec<u8>>> {
    let Some(lean) = std::env::var_os("POLESTAR_LEAN") else {
        println!("SKIPPED: no Lean; set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
        return None;
    };
    let source = folder.join("Sample.lean");
    std::fs::write(&source, text).unwrap();
    let output =
        Command::new(lean).current_dir(folder).args(["-o", "Sample.olean", "Sample.lean"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let parts = ["", ".server", ".private"].map(|suffix| folder.join(format!("Sample.olean{suffix}")));
    Some(parts.iter().filter_map(|part| std::fs::read(part).ok()).collect())
}

const DECLARATIONS: &str = "
axiom lcErased : Type
axiom P : Prop
axiom p : P
theorem t : P := p
opaque o : P := p
axiom N : Type
inductive T : Prop where | mk (x : P)
noncomputable def f (_ : N) : Prop := P
";

#[test]
fn a_compiled_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let Some(parts) = compile(folder.path(), &format!("prelude\n{DECLARATIONS}")) else { return };
    assert_eq!(parts.len(), 1);
    let module = Module::read(parts.clone(), LIMITS).unwrap();
    assert_eq!((module.origin().word_size, module.is_module()), (WordSize::Eight, false));
    let (mut terms, mut reader) = (Terms::new(), module.reader(LIMITS));
    let t = find(&mut reader, &mut terms, "t");
    assert_eq!((t.kind_name(), terms.show(t.ty)), ("theorem", "P".to_owned()));
    assert_eq!(t.value().map(|value| terms.show(value)), Some("p".to_owned()));
    let ConstantKind::Recursor(info) = find(&mut reader, &mut terms, "T.rec").kind else {
        panic!("a recursor was compiled")
    };
    assert_eq!((info.num_motives, info.num_minors, info.rules.len()), (1, 1, 1));
    assert!(read_all(parts, LIMITS).is_ok());
}

#[test]
fn the_parts_of_a_module_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("module\nprelude\npublic section\n{DECLARATIONS}");
    let Some(parts) = compile(folder.path(), &text) else { return };
    assert_eq!(parts.len(), 3);
    let kind = |parts: &[Vec<u8>]| {
        let module = Module::read(parts.to_vec(), LIMITS).unwrap();
        assert!(module.is_module());
        find(&mut module.reader(LIMITS), &mut Terms::new(), "t").kind_name()
    };
    assert_eq!(kind(&parts), "theorem");
    assert_eq!(kind(&parts[..1]), "axiom");
}

#[test]
fn a_big_number_is_read() {
    let folder = tempfile::tempdir().unwrap();
    // Without a library, Lean cannot make the auxiliary definitions that come with a type.
    let text = "prelude
set_option genCtorIdx false
set_option genSizeOf false
set_option genInjectivity false
universe u
axiom lcErased : Type
axiom lcAny : Type
inductive Nat where | zero | succ (n : Nat)
class OfNat (α : Type u) (_ : Nat) where
  ofNat : α
@[instance] axiom instOfNatNat (n : Nat) : OfNat Nat n
noncomputable def q : Nat := 123456789012345678901234567890
";
    let Some(parts) = compile(folder.path(), text) else { return };
    let module = Module::read(parts, LIMITS).unwrap();
    let (mut terms, mut reader) = (Terms::new(), module.reader(LIMITS));
    let q = find(&mut reader, &mut terms, "q");
    // It is `OfNat.ofNat Nat number instance`.
    let (_, arguments) = terms.spine(q.value().unwrap());
    let Expr::Nat(number) = terms.expr(arguments[1]) else { panic!("a number was compiled") };
    assert_eq!(terms.nat_value(number).to_string(), "123456789012345678901234567890");
}
