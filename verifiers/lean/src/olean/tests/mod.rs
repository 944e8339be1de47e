//! Modules are read as they were written, and broken ones are refused.

#![allow(clippy::unwrap_used)]

mod hostile;
mod real;
mod refusals;

use super::testing::{Builder, sample, sample_parts, scalar};
use super::{Import, Limits, Module, ModuleName, OleanError, Reader, WordSize};
use crate::constant::{Constant, ConstantKind, Hints, QuotKind, Safety};
use crate::terms::{Expr, Terms};

pub(super) const WORD_SIZES: [WordSize; 2] = [WordSize::Four, WordSize::Eight];

/// Limits that tests stay below.
pub(super) const LIMITS: Limits = Limits { max_bytes: 1 << 20, max_objects: 1 << 16 };

/// All constants of a module.
pub(super) fn read_all(parts: Vec<Vec<u8>>, limits: Limits) -> Result<(Terms, Vec<Constant>), OleanError> {
    let module = Module::read(parts, limits)?;
    let (mut terms, mut reader) = (Terms::new(), module.reader(limits));
    let names = reader.constant_names(&mut terms)?.to_vec();
    let mut constants = Vec::new();
    for name in names {
        constants.push(reader.constant(&mut terms, name)?.expect("it is listed"));
    }
    Ok((terms, constants))
}

/// The constant of a name in a module of one part.
fn find<B: AsRef<[u8]>>(reader: &mut Reader<'_, B>, terms: &mut Terms, name: &str) -> Constant {
    let name = terms.read_name(name).unwrap();
    reader.constant(terms, name).unwrap().unwrap()
}

#[test]
fn every_kind_of_constant_is_read() {
    for word_size in WORD_SIZES {
        let module = Module::read(vec![sample(word_size)], LIMITS).unwrap();
        let (mut terms, mut reader) = (Terms::new(), module.reader(LIMITS));
        let names = reader.constant_names(&mut terms).unwrap().len();
        assert_eq!(names, 8);
        let mut kind = |name| find(&mut reader, &mut terms, name).kind;
        assert_eq!(kind("P"), ConstantKind::Axiom { is_unsafe: false });
        assert!(matches!(
            kind("d"),
            ConstantKind::Definition { hints: Hints::Regular(9), safety: Safety::Safe, .. }
        ));
        assert!(matches!(kind("t"), ConstantKind::Theorem { .. }));
        assert!(matches!(kind("o"), ConstantKind::Opaque { is_unsafe: true, .. }));
        assert_eq!(kind("Quot.lift"), ConstantKind::Quot(QuotKind::Lift));
        let ConstantKind::Inductive(info) = kind("T") else { panic!("an inductive type was written") };
        assert_eq!((info.num_params, info.num_indices, info.num_nested), (1, 2, 3));
        assert_eq!((info.is_rec, info.is_unsafe, info.is_reflexive), (true, false, true));
        assert_eq!((info.all.len(), info.constructors.len()), (1, 1));
        let ConstantKind::Constructor(info) = kind("T.mk") else { panic!("a constructor was written") };
        assert_eq!((info.index, info.num_params, info.num_fields, info.is_unsafe), (0, 1, 2, false));
        let ConstantKind::Recursor(info) = kind("T.rec") else { panic!("a recursor was written") };
        let numbers = (info.num_params, info.num_indices, info.num_motives, info.num_minors);
        assert_eq!((numbers, info.rules.len(), info.k, info.is_unsafe), ((1, 2, 3, 4), 1, true, false));
    }
}

#[test]
fn every_kind_of_expression_is_read() {
    for word_size in WORD_SIZES {
        let module = Module::read(vec![sample(word_size)], LIMITS).unwrap();
        let (mut terms, mut reader) = (Terms::new(), module.reader(LIMITS));
        let p = terms.read_name("P").unwrap();
        let levels = terms.levels(&[]);
        let p = terms.constant(p, levels);
        let var = terms.bvar(0);
        let (lam, pi) = (terms.lam(p, var), terms.pi(p, p));
        let app = terms.app(lam, p);
        let let_ = terms.let_(pi, lam, app);
        let t = find(&mut reader, &mut terms, "t");
        assert_eq!((t.ty, t.value()), (p, Some(let_)));

        let text = terms.string("a ∀ b");
        let t_name = terms.read_name("T").unwrap();
        let proj = terms.proj(t_name, 1, text);
        assert_eq!(find(&mut reader, &mut terms, "o").value(), Some(proj));

        let u = terms.read_name("u").unwrap();
        let u = terms.param(u);
        let zero = terms.zero();
        let one = terms.succ(zero);
        let max = terms.max(u, one);
        let imax = terms.imax(max, u);
        let sort = terms.sort(imax);
        let d = find(&mut reader, &mut terms, "d");
        assert_eq!(d.ty, sort);
        // The notes around the number are gone.
        let Expr::Nat(value) = terms.expr(d.value().unwrap()) else { panic!("a number was written") };
        assert_eq!(terms.nat_value(value).to_string(), ((0x8000_0000_u64 << 32) + 7).to_string());
    }
}

#[test]
fn the_header_and_the_imports_are_read() {
    let module = Module::read(vec![sample(WordSize::Four)], LIMITS).unwrap();
    let origin = module.origin();
    assert_eq!((origin.lean_version.as_str(), origin.git_hash.len(), origin.format), ("4.99.0", 40, 2));
    assert_eq!((origin.word_size, origin.gmp), (WordSize::Four, false));
    assert_eq!(origin.to_string(), "Lean 4.99.0 (32 bit, commit cccccccccccc, format 2)");
    let name = ModuleName::parse("Init.Core").unwrap();
    let import = Import { module: name, import_all: false, is_exported: true, is_meta: false };
    assert_eq!((module.imports(), module.is_module(), module.num_parts()), (&[import][..], false, 1));
}

#[test]
fn what_is_shared_in_the_file_is_read_once() {
    // 2^60 nodes as a tree, 60 as they stand in the file.
    let mut b = Builder::new(WordSize::Eight);
    let prop = b.prop();
    let expr = (0..60).fold(b.constant("P"), |e, _| b.expr(5, &[e, e]));
    let theorem = b.theorem("t", prop, expr);
    let (terms, constants) = read_all(vec![b.finish(&[], &[("t", theorem)], &[], false)], LIMITS).unwrap();
    assert_eq!(constants.len(), 1);
    assert!(terms.num_nodes() < 200);
}

#[test]
fn expressions_deeper_than_any_stack_are_read() {
    let mut b = Builder::new(WordSize::Eight);
    let prop = b.prop();
    let p = b.constant("P");
    let expr = (0..500_000).fold(p, |e, _| b.expr(5, &[e, p]));
    let theorem = b.theorem("t", prop, expr);
    let limits = Limits { max_bytes: 1 << 30, max_objects: 1 << 20 };
    let file = b.finish(&[], &[("t", theorem)], &[], false);
    assert_eq!(read_all(vec![file], limits).unwrap().1.len(), 1);
}

#[test]
fn later_parts_point_into_earlier_ones_and_count() {
    for word_size in WORD_SIZES {
        let [public, private] = sample_parts(word_size);
        let (terms, constants) = read_all(vec![public.clone(), private], LIMITS).unwrap();
        let mut found: Vec<_> = constants.iter().map(|c| (terms.show_name(c.name), c.kind_name())).collect();
        found.sort();
        let expected = [("P", "axiom"), ("hidden", "axiom"), ("t", "theorem")];
        assert_eq!(found, expected.map(|(name, kind)| (name.to_owned(), kind)));
        assert!(Module::read(vec![public], LIMITS).unwrap().is_module());
    }
}

#[test]
fn modules_of_format_1_are_read() {
    let mut b = Builder::old();
    let prop = b.prop();
    let (t, tree) = (b.name("T"), b.name("Tree"));
    let (all, nested, none) = (b.list(&[t]), b.list(&[tree]), scalar(0));
    // Types had four flags and no number of nested types.
    let flat = b.info(5, "T", prop, &[scalar(0), scalar(0), all, none], &[1, 0, 0, 0]);
    let tree = b.info(5, "Tree", prop, &[scalar(0), scalar(0), nested, none], &[1, 0, 0, 1]);
    let recursors = [b.axiom("Tree.rec_1", prop), b.axiom("Tree.rec_2", prop)];
    let constants = [("T", flat), ("Tree", tree), ("Tree.rec_1", recursors[0]), ("Tree.rec_2", recursors[1])];
    let file = b.finish(&[], &constants, &[], false);
    let module = Module::read(vec![file], LIMITS).unwrap();
    assert_eq!((module.origin().format, module.origin().lean_version.as_str()), (1, ""));
    let (mut terms, mut reader) = (Terms::new(), module.reader(LIMITS));
    for (name, expected) in [("T", 0), ("Tree", 2)] {
        let ConstantKind::Inductive(info) = find(&mut reader, &mut terms, name).kind else {
            panic!("an inductive type was written")
        };
        assert_eq!((info.num_nested, info.is_rec), (expected, true), "{name}");
    }
}

#[test]
fn a_constant_that_is_not_there_is_none() {
    let module = Module::read(vec![sample(WordSize::Eight)], LIMITS).unwrap();
    let mut terms = Terms::new();
    let name = terms.read_name("Q").unwrap();
    assert_eq!(module.reader(LIMITS).constant(&mut terms, name).unwrap(), None);
}

#[test]
fn names_of_modules_are_read_and_shown() {
    for text in ["Init", "A.B.C", "«a b».C", "«a.b»", "Ax1.b'"] {
        assert_eq!(ModuleName::parse(text).unwrap().to_string(), text);
    }
    for text in ["", ".", "A.", ".A", "A..B", "«a", "«a»b", "«..»", "a/b", "«»"] {
        assert_eq!(ModuleName::parse(text), None, "{text}");
    }
}
