//! Each thing that can be wrong with a module is refused, and the error says where.

use super::super::testing::{Builder, Field, sample, scalar};
use super::super::{Module, OleanError, Problem, WordSize};
use super::{LIMITS, Limits, WORD_SIZES, read_all};

/// Why a module of one part is refused.
fn problem(file: Vec<u8>) -> Problem {
    refused(vec![file], LIMITS).problem
}

fn refused(parts: Vec<Vec<u8>>, limits: Limits) -> OleanError {
    match read_all(parts, limits) {
        Ok((_, constants)) => panic!("{} constants were read", constants.len()),
        Err(error) => error,
    }
}

/// A module with one theorem whose proof is what `build` writes.
fn with_proof(word_size: WordSize, build: impl FnOnce(&mut Builder) -> Field) -> Vec<u8> {
    let mut b = Builder::new(word_size);
    let prop = b.prop();
    let proof = build(&mut b);
    let theorem = b.theorem("t", prop, proof);
    b.finish(&[], &[("t", theorem)], &[], false)
}

/// Why a theorem of this proof is refused, for both sizes of words.
fn proof(build: impl Fn(&mut Builder) -> Field) -> Problem {
    let [four, eight] = WORD_SIZES.map(|word_size| problem(with_proof(word_size, &build)));
    assert_eq!(std::mem::discriminant(&four), std::mem::discriminant(&eight));
    eight
}

#[test]
fn files_that_are_no_modules() {
    let text = problem(b"import Mathlib\n".to_vec());
    assert_eq!(text, Problem::NotOlean { found: "import Mathlib\\n".to_owned() });
    assert_eq!(problem(Vec::new()), Problem::NotOlean { found: String::new() });
    assert_eq!(problem(b"olean".to_vec()), Problem::TooShort { len: 5, needed: 48 });
    assert_eq!(problem(b"olean\x02\x01".to_vec()), Problem::TooShort { len: 7, needed: 80 });
    assert_eq!(refused(Vec::new(), LIMITS).problem, Problem::NoParts);
    let mut future = sample(WordSize::Eight);
    future[5] = 3;
    let error = refused(vec![future], LIMITS);
    assert!(matches!(error.problem, Problem::UnknownFormat { found: 3, .. }));
    assert_eq!(
        error.to_string(),
        "byte 0x5: format version 3 is not known; those known are 1 (up to Lean 4.11) and 2 (later ones)"
    );
}

#[test]
fn roots_that_lead_nowhere() {
    for word_size in WORD_SIZES {
        let whole = sample(word_size);
        assert_eq!(problem(whole[..whole.len() / 2].to_vec()), Problem::NoRoot);
        let mut b = Builder::new(word_size);
        let root = b.array(&[]);
        assert_eq!(problem(b.finish_at(root)), Problem::NoRoot);
    }
}

#[test]
fn a_header_that_could_have_words_of_both_sizes() {
    // A base address of which the lower half is zero: its upper half is a pointer for words of four bytes.
    let mut b = Builder::at(0x58 << 32, WordSize::Eight);
    let first = b.ctor(0, &[scalar(0); 5], &[0]);
    assert_eq!(first - (0x58 << 32), 0x60);
    let mut file = b.finish(&[], &[], &[], false);
    file[84] = 0x60;
    // The root pointer moves along with the base.
    file[92] = 0x60;
    assert_eq!(problem(file), Problem::TwoRoots);
}

#[test]
fn parts_that_do_not_belong_together() {
    let (a, b) = (sample(WordSize::Eight), sample(WordSize::Four));
    let error = refused(vec![a.clone(), b], LIMITS);
    assert_eq!(
        (error.part, error.problem),
        (1, Problem::Parts { why: "they were made by different versions of Lean" })
    );
    let error = refused(vec![a.clone(), a], LIMITS);
    assert_eq!(error.problem, Problem::Parts { why: "their addresses overlap" });
    assert_eq!(
        error.to_string(),
        "byte 0x0 of part 2: the parts of the module do not belong together: their addresses overlap"
    );
}

#[test]
fn modules_bigger_than_the_limit() {
    let file = sample(WordSize::Eight);
    let len = file.len() as u64;
    let limits = Limits { max_bytes: len - 1, ..LIMITS };
    assert_eq!(refused(vec![file.clone()], limits).problem, Problem::TooLong { len, limit: len - 1 });
    assert!(read_all(vec![file], Limits { max_bytes: len, ..LIMITS }).is_ok());
}

#[test]
fn pointers_that_lead_astray() {
    assert_eq!(proof(|_| 0), Problem::Outside { pointer: 0 });
    assert_eq!(proof(|_| 0x5550_0000), Problem::Outside { pointer: 0x5550_0000 });
    assert_eq!(proof(|_| 0x5560_0000), Problem::Outside { pointer: 0x5560_0000 });
    assert!(matches!(proof(|b| b.prop() + 2), Problem::Unaligned { .. }));
    // Not all of the object's header is left before the end.
    let mut file = sample(WordSize::Four);
    let end = 0x5550_0000 + file.len() as u32 - 4;
    let at = 4 + file.windows(4).position(|w| w == [0, 5, 5, 0]).unwrap_or(84);
    file.splice(at..at + 4, end.to_le_bytes());
    assert!(read_all(vec![file], LIMITS).is_err());
}

#[test]
fn pointers_from_an_earlier_part_into_a_later_one() {
    let mut first = Builder::new(WordSize::Eight);
    let later = 0x5550_0000 + 0x1_0000;
    let mut second = Builder::at(later, WordSize::Eight);
    let prop = second.prop();
    let axiom = first.axiom("a", prop);
    let first = first.finish(&[], &[("a", axiom)], &[], true);
    let second = second.finish(&[], &[], &[], true);
    let error = refused(vec![first, second], LIMITS);
    assert_eq!((error.part, error.problem), (0, Problem::Outside { pointer: prop }));
}

#[test]
fn objects_of_other_kinds() {
    let found = |problem| match problem {
        Problem::Unexpected { expected, found } => (expected, found),
        other => panic!("{other:?}"),
    };
    assert_eq!(found(proof(|_| scalar(7))), ("an expression", "the number 7".to_owned()));
    assert_eq!(found(proof(|b| b.text("x"))), ("an expression", "a text".to_owned()));
    assert_eq!(found(proof(|b| b.expr(12, &[scalar(0)]))).0, "an expression");
    assert_eq!(found(proof(|b| b.expr(5, &[scalar(0)]))).0, "an expression");
    assert_eq!(
        found(proof(|b| b.expr(5, &[scalar(1), scalar(2)]))),
        ("an expression", "the number 1".to_owned())
    );
    assert_eq!(found(proof(|b| b.expr(3, &[scalar(1)]))).0, "a universe level");
    assert_eq!(
        found(proof(|b| {
            let l = b.ctor(1, &[scalar(3)], &[]);
            b.expr(3, &[l])
        }))
        .0,
        "a universe level"
    );
    assert_eq!(found(proof(|b| b.expr(4, &[scalar(5), scalar(0)]))), ("a name", "the number 5".to_owned()));
    assert_eq!(found(proof(|b| b.expr(9, &[scalar(5)]))).0, "a literal");
    assert_eq!(
        found(proof(|b| {
            let l = b.ctor(2, &[scalar(3)], &[]);
            b.expr(9, &[l])
        }))
        .0,
        "a literal"
    );
    assert_eq!(
        found(proof(|b| {
            let n = b.name("P");
            b.expr(4, &[n, n])
        }))
        .0,
        "list of universe levels"
    );
    assert_eq!(
        found(proof(|b| {
            let n = b.big(true, &[1, 0]);
            let l = b.ctor(0, &[n], &[]);
            b.expr(9, &[l])
        })),
        ("a natural number", "a negative number".to_owned())
    );
}

#[test]
fn objects_that_lie_about_their_size() {
    let at = |word_size: WordSize, offset: u64, bytes: &[u8], build: fn(&mut Builder) -> Field| {
        let mut object = 0;
        let mut file = with_proof(word_size, |b| {
            object = b.next();
            build(b)
        });
        let start = (object - 0x5550_0000 + offset) as usize;
        file[start..start + bytes.len()].copy_from_slice(bytes);
        problem(file)
    };
    let text = |b: &mut Builder| {
        let text = b.text("x");
        let literal = b.ctor(1, &[text], &[]);
        b.expr(9, &[literal])
    };
    let number = |b: &mut Builder| {
        let number = b.big(false, &[1, 1]);
        let literal = b.ctor(0, &[number], &[]);
        b.expr(9, &[literal])
    };
    for word_size in WORD_SIZES {
        let word = word_size.bytes() as u64;
        // A constructor whose size does not hold its pointers, or reaches past the end.
        let problem = at(word_size, 4, &[9, 0], |b| b.prop());
        assert!(matches!(problem, Problem::Unexpected { .. }), "{problem:?}");
        let problem = at(word_size, 4, &[255, 255], |b| b.prop());
        assert_eq!(problem, Problem::CutShort { what: "an expression", size: 65535 });
        // A reference count, which no object in a file has.
        assert!(matches!(at(word_size, 0, &[1], |b| b.prop()), Problem::Unexpected { .. }));
        // Texts and numbers longer than the file; sizes that overflow.
        for len in [&[255, 255, 255, 127][..], &[255; 8][..word as usize]] {
            assert!(matches!(at(word_size, 8, len, text), Problem::CutShort { what: "a text", .. }));
        }
        assert_eq!(at(word_size, 8, &[0], text), Problem::BadText);
        assert_eq!(at(word_size, 8, &[1], text), Problem::BadText);
        let field = if word_size == WordSize::Eight { 12 } else { 8 + word };
        let problem = at(word_size, field, &[255, 255, 255, 127], number);
        assert!(matches!(problem, Problem::CutShort { what: "a natural number", .. }), "{problem:?}");
    }
}

#[test]
fn texts_that_are_no_texts() {
    let literal = |bytes: &'static [u8]| {
        proof(move |b| {
            let text = b.raw_text(bytes);
            let literal = b.ctor(1, &[text], &[]);
            b.expr(9, &[literal])
        })
    };
    assert_eq!(literal(b"\xff\0"), Problem::BadText);
    assert_eq!(literal(b"x"), Problem::BadText);
    assert_eq!(literal(b""), Problem::BadText);
}

#[test]
fn what_no_finished_constant_holds() {
    let unfinished = |tag: u8| {
        proof(move |b| {
            let n = b.name("m");
            b.expr(tag, &[n])
        })
    };
    assert_eq!(unfinished(1), Problem::Unfinished { what: "free variable" });
    assert_eq!(unfinished(2), Problem::Unfinished { what: "metavariable" });
    let level = proof(|b| {
        let n = b.name("m");
        let l = b.ctor(5, &[n], &[]);
        b.expr(3, &[l])
    });
    assert_eq!(level, Problem::Unfinished { what: "universe metavariable" });
}

#[test]
fn terms_that_contain_themselves() {
    assert_eq!(
        proof(|b| {
            let own = b.next();
            b.expr(5, &[own, own])
        }),
        Problem::Cycle { what: "expression" }
    );
    let long = proof(|b| {
        let outer = b.next() + if b.word_bytes() == 8 { 32 } else { 24 };
        let inner = b.expr(5, &[outer, outer]);
        let found = b.expr(5, &[inner, inner]);
        assert_eq!(found, outer);
        found
    });
    assert_eq!(long, Problem::Cycle { what: "expression" });
    let level = proof(|b| {
        let own = b.next();
        let l = b.ctor(1, &[own], &[]);
        b.expr(3, &[l])
    });
    assert_eq!(level, Problem::Cycle { what: "universe level" });
    let name = proof(|b| {
        let text = b.text("x");
        let own = b.next();
        let name = b.ctor(1, &[own, text], &[]);
        b.expr(4, &[name, scalar(0)])
    });
    assert_eq!(name, Problem::TooDeep { what: "name", limit: 1024 });
    let list = proof(|b| {
        let name = b.name("P");
        let own = b.next();
        let list = b.ctor(1, &[scalar(0), own], &[]);
        b.expr(4, &[name, list])
    });
    assert!(matches!(list, Problem::TooDeep { .. } | Problem::Budget { .. }), "{list:?}");
}

#[test]
fn after_an_error_the_rest_is_still_read() {
    let mut b = Builder::new(WordSize::Eight);
    let (p, missing) = (b.constant("P"), b.expr(1, &[scalar(0)]));
    let broken = b.expr(5, &[p, missing]);
    let infos =
        [("bad", b.axiom("bad", broken)), ("worse", b.axiom("worse", broken)), ("good", b.axiom("good", p))];
    let module = Module::read(vec![b.finish(&[], &infos, &[], false)], LIMITS).unwrap();
    let (mut terms, mut reader) = (crate::terms::Terms::new(), module.reader(LIMITS));
    let mut read = |name: &str| {
        let name = terms.read_name(name).unwrap();
        reader.constant(&mut terms, name).map(|constant| constant.is_some()).map_err(|error| error.problem)
    };
    // The second is not taken for a term that contains itself.
    assert_eq!(read("bad"), Err(Problem::Unfinished { what: "free variable" }));
    assert_eq!(read("worse"), Err(Problem::Unfinished { what: "free variable" }));
    assert_eq!(read("good"), Ok(true));
}

#[test]
fn numbers_too_big_for_what_they_count() {
    let index = problem(with_proof(WordSize::Eight, |b| b.expr(0, &[scalar(1 << 32)])));
    assert_eq!(
        index,
        Problem::TooBig { what: "the index of a bound variable", found: "4294967296".to_owned() }
    );
    let big = |b: &mut Builder, digits: &[u32]| {
        let n = b.big(false, digits);
        b.expr(0, &[n])
    };
    assert!(matches!(problem(with_proof(WordSize::Four, |b| big(b, &[1, 1]))), Problem::TooBig { .. }));
    // On 32-bit machines such numbers are objects.
    assert!(read_all(vec![with_proof(WordSize::Four, |b| big(b, &[0x8000_0000]))], LIMITS).is_ok());
    let name = proof(|b| {
        let number = b.big(false, &[0, 0, 1, 0]);
        let name = b.ctor(2, &[scalar(0), number], &[]);
        b.expr(4, &[name, scalar(0)])
    });
    assert!(matches!(name, Problem::TooBig { what: "a name's number", .. }), "{name:?}");
}

#[test]
fn lists_of_constants_that_do_not_fit() {
    let mut b = Builder::new(WordSize::Eight);
    let prop = b.prop();
    let axiom = b.axiom("a", prop);
    let twice = b.finish(&[], &[("a", axiom), ("a", axiom)], &[], false);
    assert_eq!(problem(twice), Problem::Duplicate { name: "a".to_owned() });

    let mut b = Builder::new(WordSize::Eight);
    let prop = b.prop();
    let axiom = b.axiom("harmless", prop);
    let renamed = b.finish(&[], &[("False.elim", axiom)], &[], false);
    let expected = Problem::WrongName { listed: "False.elim".to_owned(), own: "harmless".to_owned() };
    assert_eq!(problem(renamed), expected);

    let mut b = Builder::new(WordSize::Eight);
    let (empty, one) = (b.array(&[]), b.array(&[scalar(0)]));
    let root = b.ctor(0, &[empty, one, empty, empty, empty], &[0]);
    assert_eq!(problem(b.finish_at(root)), Problem::Lengths { names: 1, constants: 0 });
}

#[test]
fn constants_that_are_none() {
    let constant = |tag: u8, rest: &[Field], scalars: &[u8]| {
        let mut b = Builder::new(WordSize::Eight);
        let prop = b.prop();
        let info = b.info(tag, "c", prop, rest, scalars);
        problem(b.finish(&[], &[("c", info)], &[], false))
    };
    // An unknown kind, fields that are missing, flags that are neither true nor false, kinds beyond the last.
    for (tag, rest, scalars) in [
        (8, &[][..], &[0][..]),
        (0, &[scalar(0)], &[0]),
        (0, &[], &[]),
        (0, &[], &[2]),
        (4, &[], &[4]),
        (2, &[], &[]),
    ] {
        let problem = constant(tag, rest, scalars);
        assert!(matches!(problem, Problem::Unexpected { .. }), "kind {tag}: {problem:?}");
    }
    for (hints, safety) in [(scalar(2), 1), (scalar(1), 3), (0x5550_0000, 1)] {
        let mut b = Builder::new(WordSize::Eight);
        let prop = b.prop();
        let info = b.info(1, "c", prop, &[prop, hints, scalar(0)], &[safety]);
        let problem = problem(b.finish(&[], &[("c", info)], &[], false));
        assert!(matches!(problem, Problem::Unexpected { .. } | Problem::Outside { .. }), "{problem:?}");
    }
}

#[test]
fn more_than_may_be_read() {
    let file = with_proof(WordSize::Eight, |b| {
        let p = b.constant("P");
        (0..200).fold(p, |e, _| b.expr(5, &[e, p]))
    });
    let limits = Limits { max_objects: 100, ..LIMITS };
    assert_eq!(refused(vec![file], limits).problem, Problem::Budget { limit: 100 });
    // A text is charged for by its length.
    let text = with_proof(WordSize::Eight, |b| {
        let text = b.text(&"x".repeat(8000));
        let literal = b.ctor(1, &[text], &[]);
        b.expr(9, &[literal])
    });
    assert_eq!(refused(vec![text], limits).problem, Problem::Budget { limit: 100 });
}

#[test]
fn imports_that_are_no_modules() {
    for name in ["", "A.5", "..", "a/b"] {
        let mut b = Builder::new(WordSize::Eight);
        let import = match name {
            ".." | "a/b" => {
                let text = b.text(name);
                let name = b.ctor(1, &[scalar(0), text], &[]);
                b.ctor(0, &[name], &[0, 0, 0])
            }
            name => b.import(name),
        };
        let problem = problem(b.finish(&[import], &[], &[], false));
        assert!(
            matches!(problem, Problem::Unexpected { expected: "the name of a module", .. }),
            "{problem:?}"
        );
    }
}
