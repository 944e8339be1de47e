//! Writes compiled modules for tests: objects one after another, as Lean lays them out, and broken ones where asked.

#![allow(clippy::unwrap_used)]

use super::header::WordSize;
use crate::terms::{Name, Terms};

/// What a field of an object holds: a word as it stands in the file.
pub(crate) type Field = u64;

/// A number, or a constructor without fields.
pub(crate) fn scalar(n: u64) -> Field {
    (n << 1) | 1
}

/// A part of a module that is being written.
pub(crate) struct Builder {
    bytes: Vec<u8>,
    word_size: WordSize,
    gmp: bool,
    base: u64,
    layout_base: usize,
    root_last: bool,
}

impl Builder {
    /// A part in format 2, made by Lean 4.99.0 for the given address.
    pub(crate) fn at(base: u64, word_size: WordSize) -> Self {
        let mut bytes = b"olean\x02".to_vec();
        let gmp = word_size == WordSize::Eight;
        bytes.push(u8::from(gmp));
        bytes.extend_from_slice(b"4.99.0");
        bytes.resize(40, 0);
        bytes.extend_from_slice(&[b'c'; 40]);
        Self { bytes, word_size, gmp, base, layout_base: 80, root_last: false }.with_words()
    }

    pub(crate) fn new(word_size: WordSize) -> Self {
        Self::at(0x5550_0000, word_size)
    }

    /// A part in format 1, whose root pointer comes last.
    pub(crate) fn old() -> Self {
        let mut bytes = b"olean\x01".to_vec();
        bytes.extend_from_slice(&[b'a'; 40]);
        bytes.resize(48, 0);
        let base = 0x5550_0000;
        Self { bytes, word_size: WordSize::Eight, gmp: true, base, layout_base: 48, root_last: true }
            .with_words()
    }

    fn with_words(mut self) -> Self {
        let base = self.base;
        self.push_word(base);
        if !self.root_last {
            self.push_word(0);
        }
        self
    }

    fn push_word(&mut self, word: u64) {
        let bytes = word.to_le_bytes();
        self.bytes.extend_from_slice(&bytes[..self.word_size.bytes()]);
    }

    fn pad(&mut self) {
        let len = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(len, 0);
    }

    /// Begins an object; gives the pointer to it.
    fn object(&mut self, size: usize, pointers: u8, tag: u8) -> Field {
        self.pad();
        let pointer = self.next();
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(&(size as u16).to_le_bytes());
        self.bytes.extend_from_slice(&[pointers, tag]);
        pointer
    }

    pub(crate) fn word_bytes(&self) -> usize {
        self.word_size.bytes()
    }

    /// The address of the next object.
    pub(crate) fn next(&self) -> Field {
        self.base + self.bytes.len().next_multiple_of(8) as u64
    }

    pub(crate) fn ctor(&mut self, tag: u8, fields: &[Field], scalars: &[u8]) -> Field {
        let size = (8 + fields.len() * self.word_size.bytes() + scalars.len()).next_multiple_of(8);
        let pointer = self.object(size, fields.len() as u8, tag);
        fields.iter().for_each(|&field| self.push_word(field));
        self.bytes.extend_from_slice(scalars);
        self.pad();
        pointer
    }

    pub(crate) fn array(&mut self, elements: &[Field]) -> Field {
        let pointer = self.object(1, 0, 246);
        self.push_word(elements.len() as u64);
        self.push_word(elements.len() as u64);
        elements.iter().for_each(|&element| self.push_word(element));
        self.pad();
        pointer
    }

    pub(crate) fn text(&mut self, text: &str) -> Field {
        self.raw_text(&[text.as_bytes(), b"\0"].concat())
    }

    /// A text of any bytes, with or without the zero at the end.
    pub(crate) fn raw_text(&mut self, bytes: &[u8]) -> Field {
        let pointer = self.object(1, 0, 249);
        self.push_word(bytes.len() as u64);
        self.push_word(bytes.len() as u64);
        self.push_word(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self.pad();
        pointer
    }

    /// A big number of the given 32-bit digits, lowest first.
    pub(crate) fn big(&mut self, negative: bool, digits: &[u32]) -> Field {
        let pointer = self.object(32, 0, 250);
        if self.gmp {
            assert!(
                digits.len().is_multiple_of(2) && self.word_size == WordSize::Eight,
                "limbs have 64 bits"
            );
            let limbs = digits.len() as i32 / 2;
            self.bytes.extend_from_slice(&limbs.to_le_bytes());
            self.bytes.extend_from_slice(&(if negative { -limbs } else { limbs }).to_le_bytes());
        } else {
            self.push_word(u64::from(negative));
            self.push_word(digits.len() as u64);
        }
        self.push_word(0);
        digits.iter().for_each(|digit| self.bytes.extend_from_slice(&digit.to_le_bytes()));
        self.pad();
        pointer
    }

    pub(crate) fn list(&mut self, elements: &[Field]) -> Field {
        elements.iter().rev().fold(scalar(0), |rest, &element| self.ctor(1, &[element, rest], &[]))
    }

    /// A name in Lean's dotted form; the empty name for no text.
    pub(crate) fn name(&mut self, text: &str) -> Field {
        let mut terms = Terms::new();
        let mut rest = if text.is_empty() { terms.anonymous() } else { terms.read_name(text).unwrap() };
        let mut components = Vec::new();
        loop {
            let (prefix, tag, last) = match terms.name(rest) {
                Name::Anonymous => break,
                Name::Str(prefix, text) => (prefix, 1, self.text(text)),
                Name::Num(prefix, number) => (prefix, 2, scalar(number)),
            };
            components.push((tag, last));
            rest = prefix;
        }
        // What Lean stores as a hash is never looked at.
        let extend = |prefix, (tag, last)| self.ctor(tag, &[prefix, last], &[0xEE; 8]);
        components.into_iter().rev().fold(scalar(0), extend)
    }

    /// An expression; the summary that Lean stores in it is never looked at.
    pub(crate) fn expr(&mut self, tag: u8, fields: &[Field]) -> Field {
        self.ctor(tag, fields, &[0xEE; 8])
    }

    pub(crate) fn constant(&mut self, name: &str) -> Field {
        let name = self.name(name);
        self.expr(4, &[name, scalar(0)])
    }

    pub(crate) fn prop(&mut self) -> Field {
        self.expr(3, &[scalar(0)])
    }

    /// The name, parameters and type that all constants have.
    pub(crate) fn common(&mut self, name: &str, ty: Field) -> Field {
        let name = self.name(name);
        self.ctor(0, &[name, scalar(0), ty], &[])
    }

    /// A constant of a kind: what comes after the common fields, and the scalars.
    pub(crate) fn info(&mut self, kind: u8, name: &str, ty: Field, rest: &[Field], scalars: &[u8]) -> Field {
        let common = self.common(name, ty);
        let value = self.ctor(0, &[&[common], rest].concat(), scalars);
        self.ctor(kind, &[value], &[])
    }

    pub(crate) fn axiom(&mut self, name: &str, ty: Field) -> Field {
        self.info(0, name, ty, &[], &[0])
    }

    pub(crate) fn theorem(&mut self, name: &str, ty: Field, value: Field) -> Field {
        self.info(2, name, ty, &[value, scalar(0)], &[])
    }

    /// An import that is seen by those who import this module.
    pub(crate) fn import(&mut self, module: &str) -> Field {
        let name = self.name(module);
        self.ctor(0, &[name], &[0, 1, 0])
    }

    /// Ends the part: the lists of a module's data.
    pub(crate) fn finish(
        mut self,
        imports: &[Field],
        constants: &[(&str, Field)],
        entries: &[Field],
        is_module: bool,
    ) -> Vec<u8> {
        let names: Vec<Field> = constants.iter().map(|(name, _)| self.name(name)).collect();
        let infos: Vec<Field> = constants.iter().map(|(_, info)| *info).collect();
        let lists = [imports, &names, &infos, &[], entries].map(|list| self.array(list));
        let root = self.ctor(0, &lists, &[u8::from(is_module)]);
        self.finish_at(root)
    }

    /// Ends the part with a root of one's own.
    pub(crate) fn finish_at(mut self, root: Field) -> Vec<u8> {
        if self.root_last {
            self.push_word(root);
        } else {
            let (at, size) = (self.layout_base + self.word_size.bytes(), self.word_size.bytes());
            self.bytes[at..at + size].copy_from_slice(&root.to_le_bytes()[..size]);
        }
        self.bytes
    }
}

/// A module with a constant of each kind and an expression of each kind.
pub(crate) fn sample(word_size: WordSize) -> Vec<u8> {
    let mut b = Builder::new(word_size);
    let prop = b.prop();
    let u = b.name("u");
    let level = b.ctor(4, &[u], &[0; 8]);
    let one = b.ctor(1, &[scalar(0)], &[0; 8]);
    let max = b.ctor(2, &[level, one], &[0; 8]);
    let imax = b.ctor(3, &[max, level], &[0; 8]);
    let sort = b.expr(3, &[imax]);
    let p = b.constant("P");
    let x = b.name("x.12");
    let var = b.expr(0, &[scalar(0)]);
    let lam = b.expr(6, &[x, p, var]);
    let pi = b.expr(7, &[x, p, p]);
    let app = b.expr(5, &[lam, p]);
    let let_ = b.expr(8, &[x, pi, lam, app]);
    let number = b.big(false, &[7, 0x8000_0000]);
    let nat = b.ctor(0, &[number], &[]);
    let nat = b.expr(9, &[nat]);
    let text = b.text("a ∀ b");
    let text = b.ctor(1, &[text], &[]);
    let text = b.expr(9, &[text]);
    let notes = b.expr(10, &[scalar(0), nat]);
    let t = b.name("T");
    let proj = b.expr(11, &[t, scalar(1), text]);
    let regular = b.ctor(2, &[], &[9, 0, 0, 0]);
    let (mk, all) = (b.name("T.mk"), b.list(&[t]));
    let constructors = b.list(&[mk]);
    let rule = b.ctor(0, &[mk, scalar(0), app], &[]);
    let rules = b.list(&[rule]);
    let constants = [
        ("P", b.axiom("P", prop)),
        ("d", b.info(1, "d", sort, &[notes, regular, all], &[1])),
        ("t", b.theorem("t", p, let_)),
        ("o", b.info(3, "o", p, &[proj, all], &[1])),
        ("Quot.lift", b.info(4, "Quot.lift", sort, &[], &[2])),
        ("T", b.info(5, "T", prop, &[scalar(1), scalar(2), all, constructors, scalar(3)], &[1, 0, 1])),
        ("T.mk", b.info(6, "T.mk", p, &[t, scalar(0), scalar(1), scalar(2)], &[0])),
        ("T.rec", b.info(7, "T.rec", pi, &[all, scalar(1), scalar(2), scalar(3), scalar(4), rules], &[1, 0])),
    ];
    let import = b.import("Init.Core");
    b.finish(&[import], &constants, &[], false)
}

/// The public and the private part of a module: `P` is in the first, `t` in both, `hidden` in the second, which points
/// into the first.
pub(crate) fn sample_parts(word_size: WordSize) -> [Vec<u8>; 2] {
    let mut public = Builder::new(word_size);
    let prop = public.prop();
    let infos = [("P", public.axiom("P", prop)), ("t", public.axiom("t", prop))];
    let public = public.finish(&[], &infos, &[], true);
    let mut private = Builder::at(0x5550_0000 + 0x1_0000, word_size);
    let value = private.constant("P");
    let infos = [("t", private.theorem("t", prop, value)), ("hidden", private.axiom("hidden", prop))];
    [public, private.finish(&[], &infos, &[], true)]
}
