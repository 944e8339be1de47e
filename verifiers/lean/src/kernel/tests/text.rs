//! Terms and declarations as text, so that tests can be read.
//!
//! Terms: `Prop`, `Type`, `Sort.{u}`, `c.{u, v}`, `f a b`, `A -> B`, `(x : A) (y : B) -> C`, `fun (x : A) => b`,
//! `let x : A := v; b`, `12`, `"text"`, `#And 0 h` (a field of a structure). Levels: `0`, `u`, `u+1`, `max u v`,
//! `imax u v`. Declarations begin with their kind: see [`Text::declaration`].

use crate::constant::*;
use crate::terms::{ExprId, LevelId, NameId, Terms};

pub(super) struct Text<'a> {
    terms: &'a mut Terms,
    tokens: Vec<String>,
    at: usize,
    binders: Vec<String>,
}

/// A term from its text.
pub(super) fn term(terms: &mut Terms, text: &str) -> ExprId {
    let mut text = Text::new(terms, text);
    let term = text.term();
    text.end();
    term
}

/// A level from its text.
pub(super) fn level(terms: &mut Terms, text: &str) -> LevelId {
    let mut text = Text::new(terms, text);
    let level = text.level();
    text.end();
    level
}

/// A constant from its text.
pub(super) fn declaration(terms: &mut Terms, text: &str) -> Constant {
    let mut text = Text::new(terms, text);
    let constant = text.declaration();
    text.end();
    constant
}

pub(super) fn name(terms: &mut Terms, text: &str) -> NameId {
    terms.read_name(text).unwrap()
}

fn tokens(text: &str) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < letters.len() {
        let start = at;
        let letter = letters[at];
        at += 1;
        if letter.is_whitespace() {
            continue;
        }
        if letter == '"' {
            while letters[at] != '"' {
                at += 1;
            }
            at += 1;
        } else if letter.is_alphanumeric() || letter == '_' {
            let rest = |at: usize| {
                let next = letters.get(at + 1).copied().unwrap_or(' ');
                match letters.get(at) {
                    Some('.') => next.is_alphanumeric() || next == '_',
                    Some(&c) => c.is_alphanumeric() || c == '_' || c == '\'',
                    None => false,
                }
            };
            while rest(at) {
                at += 1;
            }
        } else if let Some(&next) = letters.get(at) {
            let double: String = [letter, next].iter().collect();
            if ["->", "=>", ":=", ".{"].contains(&double.as_str()) {
                at += 1;
            }
        }
        tokens.push(letters[start..at].iter().collect());
    }
    tokens
}

impl<'a> Text<'a> {
    fn new(terms: &'a mut Terms, text: &str) -> Self {
        Self { terms, tokens: tokens(text), at: 0, binders: Vec::new() }
    }

    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens[self.at - 1].clone()
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.peek(0) == token;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "expected {token} at {:?} of {:?}", self.at, self.tokens);
    }

    fn end(&self) {
        assert_eq!(self.at, self.tokens.len(), "trailing text: {:?}", &self.tokens[self.at..]);
    }

    fn name(&mut self) -> NameId {
        let text = self.next();
        self.terms.read_name(&text).unwrap_or_else(|| panic!("{text} is no name"))
    }

    fn count(&mut self) -> u32 {
        self.next().parse().unwrap()
    }

    fn names(&mut self) -> Vec<NameId> {
        let mut names = Vec::new();
        while !["|", ""].contains(&self.peek(0)) {
            names.push(self.name());
        }
        names
    }

    /// `def c.{u} : T := v`, `theorem`, `opaque`, `axiom c : T`,
    /// `inductive T : Type | params indices rec? | constructors`, `constructor c : T | type index params fields`,
    /// `recursor r : T | params indices motives minors k | all | c fields := rhs | ...`,
    /// `quot Quot.mk : T`.
    pub(super) fn declaration(&mut self) -> Constant {
        let kind = self.next();
        let name = self.name();
        let mut level_params = Vec::new();
        if self.take(".{") {
            while !self.take("}") {
                level_params.push(self.name());
                self.take(",");
            }
        }
        self.expect(":");
        let ty = self.term();
        let kind = match kind.as_str() {
            "axiom" => ConstantKind::Axiom { is_unsafe: false },
            "inductive" => self.inductive(name),
            "constructor" => self.constructor(),
            "recursor" => self.recursor(),
            "quot" => ConstantKind::Quot(match self.terms.show_name(name).as_str() {
                "Quot" => QuotKind::Type,
                "Quot.mk" => QuotKind::Ctor,
                "Quot.lift" => QuotKind::Lift,
                _ => QuotKind::Ind,
            }),
            _ => {
                self.expect(":=");
                let value = self.term();
                match kind.as_str() {
                    "def" => {
                        let (hints, safety) = (Hints::Regular(1), Safety::Safe);
                        ConstantKind::Definition { value, hints, safety }
                    }
                    "theorem" => ConstantKind::Theorem { value },
                    _ => ConstantKind::Opaque { value, is_unsafe: false },
                }
            }
        };
        Constant { name, level_params, ty, kind }
    }

    fn inductive(&mut self, name: NameId) -> ConstantKind {
        self.expect("|");
        let (num_params, num_indices) = (self.count(), self.count());
        let is_rec = self.count() == 1;
        self.expect("|");
        let constructors = self.names();
        ConstantKind::Inductive(InductiveInfo {
            num_params,
            num_indices,
            all: vec![name],
            constructors,
            num_nested: 0,
            is_rec,
            is_unsafe: false,
            is_reflexive: false,
        })
    }

    fn constructor(&mut self) -> ConstantKind {
        self.expect("|");
        let inductive = self.name();
        let (index, num_params, num_fields) = (self.count(), self.count(), self.count());
        let is_unsafe = false;
        ConstantKind::Constructor(ConstructorInfo { inductive, index, num_params, num_fields, is_unsafe })
    }

    fn recursor(&mut self) -> ConstantKind {
        self.expect("|");
        let (num_params, num_indices) = (self.count(), self.count());
        let (num_motives, num_minors) = (self.count(), self.count());
        let k = self.count() == 1;
        self.expect("|");
        let all = self.names();
        let mut rules = Vec::new();
        while self.take("|") {
            let constructor = self.name();
            let num_fields = self.count();
            self.expect(":=");
            let rhs = self.term();
            rules.push(Rule { constructor, num_fields, rhs });
        }
        let is_unsafe = false;
        ConstantKind::Recursor(RecursorInfo {
            all,
            num_params,
            num_indices,
            num_motives,
            num_minors,
            rules,
            k,
            is_unsafe,
        })
    }

    fn level(&mut self) -> LevelId {
        let mut level = match self.peek(0) {
            "max" | "imax" => {
                let max = self.next() == "max";
                let (a, b) = (self.level_atom(), self.level_atom());
                if max { self.terms.max(a, b) } else { self.terms.imax(a, b) }
            }
            _ => self.level_atom(),
        };
        while self.take("+") {
            for _ in 0..self.count() {
                level = self.terms.succ(level);
            }
        }
        level
    }

    fn level_atom(&mut self) -> LevelId {
        if self.take("(") {
            let level = self.level();
            self.expect(")");
            return level;
        }
        if let Ok(number) = self.peek(0).parse::<u32>() {
            self.at += 1;
            return (0..number).fold(LevelId::ZERO, |level, _| self.terms.succ(level));
        }
        let name = self.name();
        self.terms.param(name)
    }

    fn binder(&mut self) -> ExprId {
        self.expect("(");
        let name = self.next();
        self.expect(":");
        let ty = self.term();
        self.expect(")");
        self.binders.push(name);
        ty
    }

    pub(super) fn term(&mut self) -> ExprId {
        if self.take("fun") {
            let mut types = Vec::new();
            while self.peek(0) == "(" {
                types.push(self.binder());
            }
            self.expect("=>");
            let body = self.term();
            return types.into_iter().rev().fold(body, |body, ty| {
                self.binders.pop();
                self.terms.lam(ty, body)
            });
        }
        if self.take("let") {
            let name = self.next();
            self.expect(":");
            let ty = self.term();
            self.expect(":=");
            let value = self.term();
            self.expect(";");
            self.binders.push(name);
            let body = self.term();
            self.binders.pop();
            return self.terms.let_(ty, value, body);
        }
        if self.peek(0) == "(" && self.peek(2) == ":" {
            let ty = self.binder();
            self.take("->");
            let body = self.term();
            self.binders.pop();
            return self.terms.pi(ty, body);
        }
        let left = self.application();
        if !self.take("->") {
            return left;
        }
        self.binders.push(String::new());
        let right = self.term();
        self.binders.pop();
        self.terms.pi(left, right)
    }

    fn application(&mut self) -> ExprId {
        let mut function = self.atom();
        while !["", ")", "}", "->", "=>", ":=", ":", ";", "|", ","].contains(&self.peek(0)) {
            let argument = self.atom();
            function = self.terms.app(function, argument);
        }
        function
    }

    fn atom(&mut self) -> ExprId {
        let token = self.next();
        if token == "(" {
            let term = self.term();
            self.expect(")");
            return term;
        }
        if token == "#" {
            let structure = self.name();
            let index = self.count();
            let value = self.atom();
            return self.terms.proj(structure, index, value);
        }
        if let Some(text) = token.strip_prefix('"') {
            return self.terms.string(&text[..text.len() - 1]);
        }
        if let Ok(number) = token.parse() {
            return self.terms.nat(number);
        }
        if let Some(index) = self.binders.iter().rev().position(|binder| *binder == token) {
            return self.terms.bvar(index as u32);
        }
        let mut levels = Vec::new();
        if self.take(".{") {
            while !self.take("}") {
                levels.push(self.level());
                self.take(",");
            }
        }
        match (token.as_str(), levels.first()) {
            ("Prop", _) => self.terms.sort(LevelId::ZERO),
            ("Type", None) => {
                let one = self.terms.succ(LevelId::ZERO);
                self.terms.sort(one)
            }
            ("Sort", Some(&level)) => self.terms.sort(level),
            _ => {
                let name = self.terms.read_name(&token).unwrap_or_else(|| panic!("{token} is no name"));
                let levels = self.terms.levels(&levels);
                self.terms.constant(name, levels)
            }
        }
    }
}
