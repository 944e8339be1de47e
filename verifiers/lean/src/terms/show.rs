//! Terms as text for messages: readable, and short however large the term is.

use std::fmt::Write;

use super::{Expr, ExprId, Level, LevelId, LevelsId, Terms};

/// Bytes after which a shown term is cut off.
const MAX_BYTES: usize = 600;
/// Nesting below which a shown term is cut off.
const MAX_DEPTH: u32 = 24;

impl Terms {
    /// An expression as text for messages, cut off after some hundred bytes. Bound variables are shown as `x0`, `x1`
    /// from the outermost binder shown.
    pub fn show(&self, id: ExprId) -> String {
        let mut shown = Shown { terms: self, text: String::new(), binders: 0 };
        shown.expr(id, false, 0);
        shown.text
    }

    /// A level as text for messages, cut off where it is nested deeply.
    pub fn show_level(&self, id: LevelId) -> String {
        let mut shown = Shown { terms: self, text: String::new(), binders: 0 };
        shown.level(id, false, 0);
        shown.text
    }
}

struct Shown<'a> {
    terms: &'a Terms,
    text: String,
    binders: u32,
}

impl Shown<'_> {
    /// Whether to show no more; says so once.
    fn cut(&mut self, depth: u32) -> bool {
        if self.text.len() < MAX_BYTES && depth < MAX_DEPTH {
            return false;
        }
        if !self.text.ends_with('…') {
            self.text.push('…');
        }
        true
    }

    fn open(&mut self, inner: bool) {
        if inner {
            self.text.push('(');
        }
    }

    fn close(&mut self, inner: bool) {
        if inner {
            self.text.push(')');
        }
    }

    fn clipped(&mut self, text: &str) {
        let limit = MAX_BYTES / 3;
        match text.char_indices().nth(limit) {
            Some((end, _)) => {
                self.text.push_str(&text[..end]);
                self.text.push('…');
            }
            None => self.text.push_str(text),
        }
    }

    fn level(&mut self, id: LevelId, inner: bool, depth: u32) {
        if self.cut(depth) {
            return;
        }
        let mut base = id;
        let mut successors = 0u64;
        while let Level::Succ(below) = self.terms.level(base) {
            base = below;
            successors += 1;
        }
        if let Level::Zero = self.terms.level(base) {
            self.text.push_str(&successors.to_string());
            return;
        }
        let compound = successors > 0 || !matches!(self.terms.level(base), Level::Param(_));
        self.open(inner && compound);
        match self.terms.level(base) {
            Level::Param(name) => self.clipped(&self.terms.show_name(name)),
            Level::Max(a, b) | Level::IMax(a, b) => {
                let max = matches!(self.terms.level(base), Level::Max(..));
                self.open(successors > 0);
                self.text.push_str(if max { "max " } else { "imax " });
                self.level(a, true, depth + 1);
                self.text.push(' ');
                self.level(b, true, depth + 1);
                self.close(successors > 0);
            }
            Level::Zero | Level::Succ(_) => {}
        }
        if successors > 0 {
            self.text.push('+');
            self.text.push_str(&successors.to_string());
        }
        self.close(inner && compound);
    }

    fn levels(&mut self, id: LevelsId, depth: u32) {
        let levels = self.terms.level_list(id);
        if levels.is_empty() {
            return;
        }
        self.text.push_str(".{");
        for (index, &level) in levels.iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            if self.cut(depth) {
                break;
            }
            self.level(level, false, depth + 1);
        }
        self.text.push('}');
    }

    fn binder(&mut self, word: &str, ty: ExprId, value: Option<ExprId>, depth: u32) {
        self.text.push_str(word);
        self.text.push_str(&format!("x{} : ", self.binders));
        self.expr(ty, false, depth + 1);
        if let Some(value) = value {
            self.text.push_str(" := ");
            self.expr(value, false, depth + 1);
        }
    }

    fn body(&mut self, body: ExprId, depth: u32) {
        self.binders += 1;
        self.expr(body, false, depth + 1);
        self.binders -= 1;
    }

    fn expr(&mut self, id: ExprId, inner: bool, depth: u32) {
        if self.cut(depth) {
            return;
        }
        match self.terms.expr(id) {
            Expr::BVar(index) => match self.binders.checked_sub(index.saturating_add(1)) {
                Some(outermost) => self.text.push_str(&format!("x{outermost}")),
                None => self.text.push_str(&format!("#{}", index - self.binders)),
            },
            Expr::FVar(index) => self.text.push_str(&format!("y{index}")),
            Expr::Sort(level) => self.sort(level, inner, depth),
            Expr::Const(name, levels) => {
                self.clipped(&self.terms.show_name(name));
                self.levels(levels, depth);
            }
            Expr::App(..) => {
                let (head, arguments) = self.terms.spine(id);
                self.open(inner);
                self.expr(head, true, depth + 1);
                for argument in arguments {
                    self.text.push(' ');
                    if self.cut(depth) {
                        break;
                    }
                    self.expr(argument, true, depth + 1);
                }
                self.close(inner);
            }
            Expr::Lam(ty, body) => {
                self.open(inner);
                self.binder("fun (", ty, None, depth);
                self.text.push_str(") => ");
                self.body(body, depth);
                self.close(inner);
            }
            Expr::Pi(ty, body) => self.pi(ty, body, inner, depth),
            Expr::Let(ty, value, body) => {
                self.open(inner);
                self.binder("let ", ty, Some(value), depth);
                self.text.push_str("; ");
                self.body(body, depth);
                self.close(inner);
            }
            Expr::Nat(value) => {
                let value = self.terms.nat_value(value);
                if value.bits() < 128 {
                    self.text.push_str(&value.to_string());
                } else {
                    // Decimal digits of a huge number take quadratic time.
                    let _ = write!(self.text, "[a number of {} bits]", value.bits());
                }
            }
            Expr::Str(text) => {
                let text: String = self.terms.str_value(text).chars().take(60).collect();
                self.text.push_str(&format!("{text:?}"));
            }
            Expr::Proj(_, index, value) => {
                self.expr(value, true, depth + 1);
                self.text.push_str(&format!(".{}", u64::from(index) + 1));
            }
        }
    }

    fn sort(&mut self, level: LevelId, inner: bool, depth: u32) {
        match self.terms.level(level) {
            Level::Zero => self.text.push_str("Prop"),
            Level::Succ(LevelId::ZERO) => self.text.push_str("Type"),
            Level::Succ(below) => {
                self.open(inner);
                self.text.push_str("Type ");
                self.level(below, true, depth + 1);
                self.close(inner);
            }
            _ => {
                self.open(inner);
                self.text.push_str("Sort ");
                self.level(level, true, depth + 1);
                self.close(inner);
            }
        }
    }

    fn pi(&mut self, ty: ExprId, body: ExprId, inner: bool, depth: u32) {
        self.open(inner);
        if self.terms.loose_bvar_range(body) == 0 {
            self.expr(ty, true, depth + 1);
            self.text.push_str(" → ");
        } else {
            self.binder("(", ty, None, depth);
            self.text.push_str(") → ");
        }
        self.body(body, depth);
        self.close(inner);
    }
}
