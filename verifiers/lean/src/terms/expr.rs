//! Expressions: one node each, with what the kernel asks of a term most often kept beside it.

use num_bigint::BigUint;

use super::{ExprId, LevelId, LevelsId, NameId, NatId, StrId, Terms, hash_of, next_id};

/// One node of an expression. Names and kinds of binders and annotations are not kept.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Expr {
    /// A bound variable, counted from the innermost binder.
    BVar(u32),
    /// A local variable of the checker that made it.
    FVar(u32),
    /// The universe of a level.
    Sort(LevelId),
    /// A constant at a list of universe levels.
    Const(NameId, LevelsId),
    /// A function and its argument.
    App(ExprId, ExprId),
    /// A function: the type of its argument, and its body.
    Lam(ExprId, ExprId),
    /// A type of functions: the type of the argument, and of the result.
    Pi(ExprId, ExprId),
    /// A local definition: type, value, body.
    Let(ExprId, ExprId, ExprId),
    /// A literal of type `Nat`.
    Nat(NatId),
    /// A literal of type `String`.
    Str(StrId),
    /// A field of a value of a structure: the structure, the field's index, the value.
    Proj(NameId, u32, ExprId),
}

pub(super) struct Node {
    expr: Expr,
    /// One more than the greatest loose bound variable, 0 without any.
    loose_bvar_range: u32,
    flags: u8,
}

const HAS_FVAR: u8 = 1;
const HAS_LEVEL_PARAM: u8 = 2;

impl Terms {
    /// A bound variable, counted from the innermost binder.
    pub fn bvar(&mut self, index: u32) -> ExprId {
        self.intern(Expr::BVar(index))
    }

    /// A local variable.
    pub fn fvar(&mut self, index: u32) -> ExprId {
        self.intern(Expr::FVar(index))
    }

    /// The universe of a level.
    pub fn sort(&mut self, level: LevelId) -> ExprId {
        self.intern(Expr::Sort(level))
    }

    /// A constant at a list of universe levels.
    pub fn constant(&mut self, name: NameId, levels: LevelsId) -> ExprId {
        self.intern(Expr::Const(name, levels))
    }

    /// A function applied to an argument.
    pub fn app(&mut self, function: ExprId, argument: ExprId) -> ExprId {
        self.intern(Expr::App(function, argument))
    }

    /// A function applied to several arguments, first to last.
    pub fn apps(&mut self, function: ExprId, arguments: &[ExprId]) -> ExprId {
        arguments.iter().fold(function, |function, &argument| self.app(function, argument))
    }

    /// A function of an argument of type `ty`.
    pub fn lam(&mut self, ty: ExprId, body: ExprId) -> ExprId {
        self.intern(Expr::Lam(ty, body))
    }

    /// The type of functions of an argument of type `ty`.
    pub fn pi(&mut self, ty: ExprId, body: ExprId) -> ExprId {
        self.intern(Expr::Pi(ty, body))
    }

    /// A local definition.
    pub fn let_(&mut self, ty: ExprId, value: ExprId, body: ExprId) -> ExprId {
        self.intern(Expr::Let(ty, value, body))
    }

    /// A literal of type `Nat`.
    pub fn nat(&mut self, value: BigUint) -> ExprId {
        let value = self.intern_nat(value);
        self.intern(Expr::Nat(value))
    }

    /// A literal of type `String`.
    pub fn string(&mut self, text: &str) -> ExprId {
        let text = self.intern_string(text);
        self.intern(Expr::Str(text))
    }

    /// A field of a value of a structure.
    pub fn proj(&mut self, structure: NameId, index: u32, value: ExprId) -> ExprId {
        self.intern(Expr::Proj(structure, index, value))
    }

    /// The id of a node, whose parts are of this arena.
    pub fn intern(&mut self, expr: Expr) -> ExprId {
        let hash = hash_of(&self.hasher, &expr);
        if let Some(&id) = self.node_ids.find(hash, |&id| self.nodes[id as usize].expr == expr) {
            return ExprId(id);
        }
        let (loose_bvar_range, flags) = self.summary(expr);
        let id = next_id(self.nodes.len());
        self.nodes.push(Node { expr, loose_bvar_range, flags });
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.node_ids.insert_unique(hash, id, |&id| hash_of(hasher, &nodes[id as usize].expr));
        ExprId(id)
    }

    fn summary(&self, expr: Expr) -> (u32, u8) {
        let of = |id: ExprId| {
            let node = &self.nodes[id.0 as usize];
            (node.loose_bvar_range, node.flags)
        };
        let level_flag = |has_param: bool| if has_param { HAS_LEVEL_PARAM } else { 0 };
        match expr {
            // The last index of all has no successor; no term has enough binders for it to matter.
            Expr::BVar(index) => (index.saturating_add(1), 0),
            Expr::FVar(_) => (0, HAS_FVAR),
            Expr::Sort(level) => (0, level_flag(self.level_has_param(level))),
            Expr::Const(_, levels) => (0, level_flag(self.levels_have_param(levels))),
            Expr::Nat(_) | Expr::Str(_) => (0, 0),
            Expr::App(a, b) => {
                let ((a_range, a_flags), (b_range, b_flags)) = (of(a), of(b));
                (a_range.max(b_range), a_flags | b_flags)
            }
            Expr::Lam(ty, body) | Expr::Pi(ty, body) => {
                let ((ty_range, ty_flags), (body_range, body_flags)) = (of(ty), of(body));
                (ty_range.max(body_range.saturating_sub(1)), ty_flags | body_flags)
            }
            Expr::Let(ty, value, body) => {
                let ((ty_range, ty_flags), (value_range, value_flags)) = (of(ty), of(value));
                let (body_range, body_flags) = of(body);
                let range = ty_range.max(value_range).max(body_range.saturating_sub(1));
                (range, ty_flags | value_flags | body_flags)
            }
            Expr::Proj(_, _, value) => of(value),
        }
    }

    /// One node of an expression.
    #[inline]
    pub fn expr(&self, id: ExprId) -> Expr {
        self.nodes[id.0 as usize].expr
    }

    /// One more than the greatest loose bound variable of an expression; 0 if it is closed.
    #[inline]
    pub fn loose_bvar_range(&self, id: ExprId) -> u32 {
        self.nodes[id.0 as usize].loose_bvar_range
    }

    /// Whether an expression mentions a local variable.
    #[inline]
    pub fn has_fvar(&self, id: ExprId) -> bool {
        self.nodes[id.0 as usize].flags & HAS_FVAR != 0
    }

    /// Whether an expression mentions a universe parameter.
    #[inline]
    pub fn has_level_param(&self, id: ExprId) -> bool {
        self.nodes[id.0 as usize].flags & HAS_LEVEL_PARAM != 0
    }

    /// The function at the head of an application; the expression itself where it is none.
    pub fn head(&self, id: ExprId) -> ExprId {
        let mut at = id;
        while let Expr::App(function, _) = self.expr(at) {
            at = function;
        }
        at
    }

    /// The head of an application and its arguments, first to last.
    pub fn spine(&self, id: ExprId) -> (ExprId, Vec<ExprId>) {
        let mut arguments = Vec::new();
        let mut at = id;
        while let Expr::App(function, argument) = self.expr(at) {
            arguments.push(argument);
            at = function;
        }
        arguments.reverse();
        (at, arguments)
    }
}
