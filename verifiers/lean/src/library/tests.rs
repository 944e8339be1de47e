//! Libraries are found and read as Lean would, and what is wrong with them is said.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use super::{Axioms, Library, LibraryError};
use crate::constant::ConstantKind;
use crate::kernel::Trusted;
use crate::olean::testing::{Builder, Field, scalar};
use crate::olean::{ModuleName, WordSize};
use crate::terms::Terms;

/// A folder of modules.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    fn write(&self, file: &str, bytes: &[u8]) -> &Self {
        let path = self.0.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    fn open(&self, imports: &[&str]) -> Result<Library, LibraryError> {
        Library::open(&[self.path()], imports)
    }

    /// What is said about a library that cannot be opened, without the folder's own name.
    fn refused(&self, imports: &[&str]) -> String {
        let error = match self.open(imports) {
            Ok(library) => panic!("{} modules were opened", library.num_modules()),
            Err(error) => error.to_string(),
        };
        error.replace(&self.0.path().display().to_string(), "LIB")
    }
}

/// A module that imports others and has axioms of the given names, each a proposition.
fn axioms_module(imports: &[&str], axioms: &[&str]) -> Vec<u8> {
    let mut b = Builder::new(WordSize::Eight);
    let imports: Vec<Field> = imports.iter().map(|name| b.import(name)).collect();
    let prop = b.prop();
    let constants: Vec<(&str, Field)> = axioms.iter().map(|name| (*name, b.axiom(name, prop))).collect();
    b.finish(&imports, &constants, &[], false)
}

/// Writes theorems, each with the constants that its proof mentions.
fn theorems(b: &mut Builder, theorems: &[(&'static str, &[&str])]) -> Vec<(&'static str, Field)> {
    let prop = b.prop();
    let write = |(name, mentions): &(&'static str, &[&str])| {
        let proof = mentions.iter().fold(prop, |e, mention| {
            let constant = b.constant(mention);
            b.expr(5, &[e, constant])
        });
        (*name, b.theorem(name, prop, proof))
    };
    theorems.iter().map(write).collect()
}

fn theorems_module(imports: &[&str], list: &[(&'static str, &[&str])]) -> Vec<u8> {
    let mut b = Builder::new(WordSize::Eight);
    let imports: Vec<Field> = imports.iter().map(|name| b.import(name)).collect();
    let constants = theorems(&mut b, list);
    b.finish(&imports, &constants, &[], false)
}

/// What a constant rests on: axioms, what is hidden, what is missing.
fn axioms(library: &Library, name: &str) -> [Vec<String>; 3] {
    let mut terms = Terms::new();
    let name = terms.read_name(name).unwrap();
    let Axioms { axioms, hidden, missing } = library.axioms(&terms, name).unwrap().unwrap();
    [axioms.to_vec(), hidden.to_vec(), missing.to_vec()]
}

fn kind(library: &Library, name: &str) -> Option<&'static str> {
    let mut terms = Terms::new();
    let name = terms.read_name(name).unwrap();
    library.constant(&mut terms, name).unwrap().map(|constant| constant.kind_name())
}

#[test]
fn imports_are_followed_and_constants_found() {
    let folder = Folder::new();
    folder
        .write("A.olean", &axioms_module(&["A.B", "C"], &["a", "x.1"]))
        .write("A/B.olean", &axioms_module(&["C"], &["b"]))
        // Modules that import each other are no reason to hang.
        .write("C.olean", &axioms_module(&["A"], &["c", "x.«1»"]));
    let library = folder.open(&["A", "A"]).unwrap();
    assert_eq!((library.num_modules(), library.num_constants()), (3, 5));
    assert_eq!(library.origin().unwrap().lean_version, "4.99.0");
    for name in ["a", "b", "c", "x.1", "x.«1»"] {
        assert_eq!(kind(&library, name), Some("axiom"), "{name}");
    }
    for name in ["d", "a.b", "x", "x.2", "[anonymous]"] {
        assert_eq!(kind(&library, name), None, "{name}");
    }
    let mut terms = Terms::new();
    let b = terms.read_name("b").unwrap();
    let (module, path) = library.module_of(&terms, b).unwrap().unwrap();
    assert_eq!((module.to_string().as_str(), path), ("A.B", folder.path().join("A/B.olean").as_path()));
    assert!(library.has_module(&ModuleName::parse("C").unwrap()));
    assert!(!library.has_module(&ModuleName::parse("B").unwrap()));
}

#[test]
fn the_first_folder_that_has_the_package_counts() {
    let (first, second) = (Folder::new(), Folder::new());
    first.write("A.olean", &axioms_module(&["B.C"], &["first"]));
    second.write("A.olean", &axioms_module(&[], &["second"])).write("B/C.olean", &axioms_module(&[], &["c"]));
    let path = [PathBuf::from("/nowhere"), first.path(), second.path()];
    let library = Library::open(&path, &["A"]).unwrap();
    assert_eq!(
        ["first", "second", "c"].map(|name| kind(&library, name)),
        [Some("axiom"), None, Some("axiom")]
    );
    // The package B is in the second folder; a module of it in the third would not be found.
    first.write("B/D.olean", &axioms_module(&[], &["d"]));
    assert!(matches!(Library::open(&path[1..], &["A"]), Err(LibraryError::NotBuilt { .. })));
}

#[test]
fn of_two_constants_of_one_name_the_first_counts() {
    let folder = Folder::new();
    folder
        .write("A.olean", &axioms_module(&["B"], &["x"]))
        .write("B.olean", &theorems_module(&[], &[("x", &[]), ("y", &[])]));
    let library = folder.open(&["A"]).unwrap();
    assert_eq!(
        (library.num_constants(), kind(&library, "x"), kind(&library, "y")),
        (2, Some("axiom"), Some("theorem"))
    );
}

#[test]
fn what_is_wrong_with_a_library_is_said() {
    let folder = Folder::new();
    let missing = "which A imports";
    folder.write("A.olean", &axioms_module(&["B.C"], &[]));
    let error = folder.refused(&["A"]);
    assert!(error.starts_with("no folder of the search path has the module B.C, which A imports,: expected B.olean or a folder B in one of LIB."), "{error}");
    folder.write("B.olean", &axioms_module(&[], &[]));
    let error = folder.refused(&["A"]);
    assert!(error.contains(missing) && error.contains("expected LIB/B/C.olean. Run `lake build`"), "{error}");
    assert!(folder.refused(&["../A"]).starts_with("expected the name of a module"));
    let none = Library::open(&[], &["A"]).err().unwrap().to_string();
    assert!(none.contains("no folders, since the search path is empty"), "{none}");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = Folder::new();
    folder.write("A.olean", b"");
    assert_eq!(folder.refused(&["A"]), "LIB/A.olean cannot be read: the file is empty");
    let whole = axioms_module(&[], &["a"]);
    folder.write("A.olean", &whole[..whole.len() / 2]);
    let error = folder.refused(&["A"]);
    assert!(
        error.starts_with("LIB/A.olean cannot be read: byte 0x50: ") && error.contains("lake build"),
        "{error}"
    );
    folder.write("A.olean", &whole).write("A.olean.private", b"oleum");
    let error = folder.refused(&["A"]);
    assert!(
        error.starts_with("LIB/A.olean.private cannot be read: byte 0x0: expected a compiled"),
        "{error}"
    );
}

#[test]
fn modules_of_different_versions_are_not_mixed() {
    let folder = Folder::new();
    let mut other = axioms_module(&[], &["b"]);
    other[9] = b'8';
    folder.write("A.olean", &axioms_module(&["B"], &["a"])).write("B.olean", &other);
    let error = folder.refused(&["A"]);
    let expected = "the modules are of different versions: LIB/B.olean was made by Lean 4.89.0 (64 bit, commit \
                    cccccccccccc, format 2), but LIB/A.olean by Lean 4.99.0";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn axioms_are_found_through_all_that_is_mentioned() {
    let folder = Folder::new();
    let lemmas: &[(&str, &[&str])] = &[
        ("none", &[]),
        ("one", &["propext", "none"]),
        ("two", &["one", "Classical.choice", "one"]),
        ("sorry", &["sorryAx", "none"]),
        ("all", &["two", "sorry", "«Classical.choice»"]),
        ("lost", &["one", "nowhere"]),
    ];
    folder
        .write("Init.olean", &axioms_module(&[], &["propext", "Classical.choice", "sorryAx"]))
        .write("A.olean", &theorems_module(&["Init"], lemmas));
    let library = folder.open(&["A"]).unwrap();
    let expect = |name, expected: &[&str], missing: &[&str]| {
        let [axioms, hidden, lost] = axioms(&library, name);
        assert_eq!((axioms, hidden, lost), (to_strings(expected), Vec::new(), to_strings(missing)), "{name}");
    };
    expect("two", &["Classical.choice", "propext"], &[]);
    expect("one", &["propext"], &[]);
    expect("none", &[], &[]);
    expect("sorry", &["sorryAx"], &[]);
    expect("propext", &["propext"], &[]);
    // A name of one component with a dot in it is another name.
    expect("all", &["Classical.choice", "propext", "sorryAx"], &["«Classical.choice»"]);
    expect("lost", &["propext"], &["nowhere"]);
    let mut terms = Terms::new();
    let name = terms.read_name("unknown").unwrap();
    assert_eq!(library.axioms(&terms, name).unwrap(), None);
}

fn to_strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn constants_that_mention_each_other_rest_on_the_same() {
    // Two rings that touch, and a tail that leads into them, asked for in every order.
    let ring: &[(&'static str, &[&str])] = &[
        ("a", &["b"]),
        ("b", &["c", "d"]),
        ("c", &["a", "one"]),
        ("d", &["e"]),
        ("e", &["d", "b", "two"]),
        ("tail", &["e"]),
        ("leaf", &["one"]),
    ];
    let folder = Folder::new();
    folder
        .write("Init.olean", &axioms_module(&[], &["one", "two"]))
        .write("A.olean", &theorems_module(&["Init"], ring));
    let names = ["a", "b", "c", "d", "e", "tail", "leaf"];
    for first in 0..names.len() {
        let library = folder.open(&["A"]).unwrap();
        for name in names.iter().cycle().skip(first).take(names.len()) {
            let expected = if *name == "leaf" { to_strings(&["one"]) } else { to_strings(&["one", "two"]) };
            assert_eq!(axioms(&library, name)[0], expected, "{name}, beginning with {}", names[first]);
        }
    }
}

/// A public part in which `t` was a theorem and `a` an axiom; without the list of kinds if `kinds` is false.
fn public_part(kinds: bool) -> Vec<u8> {
    let mut b = Builder::new(WordSize::Eight);
    let prop = b.prop();
    let mut constants = vec![("a", b.axiom("a", prop)), ("t", b.axiom("t", prop))];
    constants.extend(theorems(&mut b, &[("u", &["t", "a"])]));
    let mut entries = Vec::new();
    if kinds {
        let (t, extension) = (b.name("t"), b.name("_private.Lean.AddDecl.0.Lean.privateConstKindsExt"));
        let pair = b.ctor(0, &[t, scalar(1)], &[]);
        let pairs = b.array(&[pair]);
        entries.push(b.ctor(0, &[extension, pairs], &[]));
    }
    b.finish(&[], &constants, &entries, true)
}

#[test]
fn a_theorem_whose_proof_is_not_installed_is_no_axiom() {
    let folder = Folder::new();
    folder.write("A.olean", &public_part(true));
    let library = folder.open(&["A"]).unwrap();
    assert_eq!(axioms(&library, "u"), [to_strings(&["a"]), to_strings(&["t"]), Vec::new()]);
    // Where the module does not say what was an axiom, nothing is known of any.
    folder.write("A.olean", &public_part(false));
    let library = folder.open(&["A"]).unwrap();
    assert_eq!(axioms(&library, "u"), [Vec::new(), to_strings(&["a", "t"]), Vec::new()]);
}

#[test]
fn private_parts_show_what_public_ones_hide() {
    let folder = Folder::new();
    let mut private = Builder::at(0x5550_0000 + 0x1_0000, WordSize::Eight);
    let constants = theorems(&mut private, &[("t", &["a"]), ("secret", &["t"])]);
    folder
        .write("A.olean", &public_part(true))
        .write("A.olean.private", &private.finish(&[], &constants, &[], true));
    let library = folder.open(&["A"]).unwrap();
    assert_eq!(library.num_constants(), 4);
    assert_eq!((kind(&library, "t"), kind(&library, "secret")), (Some("theorem"), Some("theorem")));
    assert_eq!(axioms(&library, "u"), [to_strings(&["a"]), Vec::new(), Vec::new()]);
}

#[test]
fn several_threads_may_ask() {
    let folder = Folder::new();
    folder.write("A.olean", &theorems_module(&[], &[("a", &["b"]), ("b", &["a", "c"]), ("c", &[])]));
    let library = folder.open(&["A"]).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for name in ["a", "b", "c"] {
                    assert_eq!(axioms(&library, name), [const { Vec::<String>::new() }; 3]);
                    assert_eq!(kind(&library, name), Some("theorem"));
                }
            });
        }
    });
}

#[test]
fn an_installed_library_is_read() {
    // As scripts/bare_lean.sh makes it beside the program that `POLESTAR_LEAN` names.
    let Some(lean) = std::env::var_os("POLESTAR_LEAN") else {
        println!("SKIPPED: no Lean; set POLESTAR_LEAN to a `lean`, as scripts/bare_lean.sh makes one");
        return;
    };
    let folder = Path::new(&lean).ancestors().nth(2).unwrap().join("lib/lean");
    let library = Library::open(std::slice::from_ref(&folder), &["Init"]).unwrap();
    assert!(library.has_module(&ModuleName::parse("Init").unwrap()));
    let mut terms = Terms::new();
    let name = terms.read_name("Eq.rec").unwrap();
    let recursor = library.constant(&mut terms, name).unwrap().unwrap();
    let ConstantKind::Recursor(info) = recursor.kind else { panic!("Eq.rec is a recursor") };
    assert_eq!((info.num_params, info.num_indices, info.num_motives, info.num_minors), (2, 1, 1, 1));
}
