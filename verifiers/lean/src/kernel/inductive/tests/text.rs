//! Terms from text, so that tests can be read: `forall (a : Sort u) (b : a), Eq.{u} a b b`, `fun (n : Nat) => n`,
//! `Nat -> Prop`, `Type u`, `Nat.succ 2`, `proj Prod 0 p`.

use num_bigint::BigUint;

use crate::terms::{ExprId, LevelId, NameId, Terms};

/// Reads a closed term.
pub(crate) fn term(terms: &mut Terms, text: &str) -> ExprId {
    let mut reader = Reader { tokens: tokens(text), at: 0, scope: Vec::new(), terms };
    let read = reader.term();
    assert_eq!(reader.at, reader.tokens.len(), "the text goes on after the term: {:?}", reader.rest());
    read
}

/// Reads a dotted name.
pub(crate) fn name(terms: &mut Terms, text: &str) -> NameId {
    text.split('.').fold(NameId::ANONYMOUS, |name, part| match part.parse() {
        Ok(number) => terms.num_name(name, number),
        Err(_) => terms.str_name(name, part),
    })
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            continue;
        }
        let mut token = String::from(letter);
        match letter {
            '-' | '=' => token.extend(letters.next()),
            '(' | ')' | ',' | ':' | '+' | '{' | '}' => {}
            _ => {
                while let Some(&next) = letters.peek() {
                    if next.is_whitespace() || "(),:+{}-=".contains(next) {
                        break;
                    }
                    token.push(next);
                    letters.next();
                }
            }
        }
        tokens.push(token);
    }
    tokens
}

struct Reader<'a> {
    tokens: Vec<String>,
    at: usize,
    /// The names of the binders around, innermost last.
    scope: Vec<String>,
    terms: &'a mut Terms,
}

impl Reader<'_> {
    fn rest(&self) -> &[String] {
        &self.tokens[self.at..]
    }

    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens[self.at - 1].clone()
    }

    fn skip(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, token: &str) {
        assert!(self.skip(token), "expected {token:?}, found {:?}", self.rest());
    }

    fn term(&mut self) -> ExprId {
        if self.skip("fun") {
            return self.binders("=>", Terms::lam);
        }
        if self.skip("forall") {
            return self.binders(",", Terms::pi);
        }
        let left = self.application();
        if !self.skip("->") {
            return left;
        }
        self.scope.push(String::new());
        let right = self.term();
        self.scope.pop();
        self.terms.pi(left, right)
    }

    /// `(a b : A) (c : C) <end> body`.
    fn binders(&mut self, end: &str, bind: fn(&mut Terms, ExprId, ExprId) -> ExprId) -> ExprId {
        let mut types = Vec::new();
        while self.skip("(") {
            let mut names = vec![self.next()];
            while !self.skip(":") {
                names.push(self.next());
            }
            let start = self.at;
            for name in names {
                // Read again for each name: variables are counted from the inside.
                self.at = start;
                types.push(self.term());
                self.scope.push(name);
            }
            self.expect(")");
        }
        self.expect(end);
        let body = self.term();
        self.scope.truncate(self.scope.len() - types.len());
        types.into_iter().rev().fold(body, |body, ty| bind(self.terms, ty, body))
    }

    fn application(&mut self) -> ExprId {
        let mut applied = self.atom();
        while !["", ")", ",", "->", "=>", ":"].contains(&self.peek()) {
            let argument = self.atom();
            applied = self.terms.app(applied, argument);
        }
        applied
    }

    fn atom(&mut self) -> ExprId {
        let token = self.next();
        if token == "(" {
            let inner = self.term();
            self.expect(")");
            return inner;
        }
        if let Ok(number) = token.parse::<u64>() {
            return self.terms.nat(BigUint::from(number));
        }
        if token == "Prop" {
            return self.terms.sort(LevelId::ZERO);
        }
        if token == "Sort" || token == "Type" {
            let more = !["", ")", ",", "->", "=>", ":"].contains(&self.peek());
            let level = if more { self.level_atom() } else { self.terms.zero() };
            let level = if token == "Type" { self.terms.succ(level) } else { level };
            return self.terms.sort(level);
        }
        if token == "proj" {
            let structure = self.next();
            let index = self.next().parse().unwrap();
            let (structure, value) = (name(self.terms, &structure), self.atom());
            return self.terms.proj(structure, index, value);
        }
        if let Some(place) = self.scope.iter().rev().position(|bound| *bound == token) {
            return self.terms.bvar(place as u32);
        }
        let mut levels = Vec::new();
        let constant = token.strip_suffix('.').filter(|_| self.peek() == "{").map(str::to_owned);
        if constant.is_some() {
            self.expect("{");
            while !self.skip("}") {
                levels.push(self.level());
                self.skip(",");
            }
        }
        let constant = name(self.terms, constant.as_deref().unwrap_or(&token));
        let levels = self.terms.levels(&levels);
        self.terms.constant(constant, levels)
    }

    fn level(&mut self) -> LevelId {
        let mut level = match self.peek() {
            "max" => self.two_levels(Terms::max),
            "imax" => self.two_levels(Terms::imax),
            _ => self.level_atom(),
        };
        while self.skip("+") {
            let plus: u32 = self.next().parse().unwrap();
            level = (0..plus).fold(level, |level, _| self.terms.succ(level));
        }
        level
    }

    fn two_levels(&mut self, make: fn(&mut Terms, LevelId, LevelId) -> LevelId) -> LevelId {
        self.at += 1;
        let (a, b) = (self.level_atom(), self.level_atom());
        make(self.terms, a, b)
    }

    fn level_atom(&mut self) -> LevelId {
        let token = self.next();
        if token == "(" {
            let level = self.level();
            self.expect(")");
            return level;
        }
        if let Ok(number) = token.parse::<u32>() {
            return (0..number).fold(LevelId::ZERO, |level, _| self.terms.succ(level));
        }
        let name = name(self.terms, &token);
        self.terms.param(name)
    }
}
