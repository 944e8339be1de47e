//! Walks through terms that cost one step a node, use no stack of the machine and visit what is shared once.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::kernel::{Checker, KernelError};
use crate::terms::{Expr, ExprId, NameId, Terms};

/// The parts of a node, in the order in which they are written.
pub(crate) fn parts(expr: Expr) -> impl DoubleEndedIterator<Item = ExprId> {
    let (first, second, third) = match expr {
        Expr::BVar(_) | Expr::FVar(_) | Expr::Sort(_) | Expr::Const(..) | Expr::Nat(_) | Expr::Str(_) => {
            (None, None, None)
        }
        Expr::App(a, b) | Expr::Lam(a, b) | Expr::Pi(a, b) => (Some(a), Some(b), None),
        Expr::Let(ty, value, body) => (Some(ty), Some(value), Some(body)),
        Expr::Proj(_, _, value) => (Some(value), None, None),
    };
    [first, second, third].into_iter().flatten()
}

/// Which terms mention one of a set of constants.
pub(super) struct Occurrences {
    names: FxHashSet<NameId>,
    known: FxHashMap<ExprId, bool>,
}

impl Occurrences {
    pub(super) fn of(names: impl IntoIterator<Item = NameId>) -> Self {
        Self { names: names.into_iter().collect(), known: FxHashMap::default() }
    }

    /// Looks for one more constant.
    pub(super) fn also(&mut self, name: NameId) {
        self.names.insert(name);
        self.known.clear();
    }

    /// Whether a constant is one of those looked for.
    pub(super) fn has(&self, name: NameId) -> bool {
        self.names.contains(&name)
    }

    /// Whether `root` mentions one of the constants.
    pub(super) fn occur(&mut self, checker: &mut Checker<'_, '_>, root: ExprId) -> Result<bool, KernelError> {
        let mut open = vec![root];
        while let Some(&at) = open.last() {
            if self.known.contains_key(&at) {
                open.pop();
                continue;
            }
            checker.tick()?;
            let expr = checker.env.terms.expr(at);
            let mut found = matches!(expr, Expr::Const(name, _) if self.names.contains(&name));
            let mut waits = false;
            for part in parts(expr) {
                match self.known.get(&part) {
                    Some(true) => found = true,
                    Some(false) => {}
                    None => {
                        open.push(part);
                        waits = true;
                    }
                }
                if found {
                    break;
                }
            }
            if found || !waits {
                self.known.insert(at, found);
            }
        }
        Ok(self.known[&root])
    }
}

/// `root` with parts replaced: `replace` is asked for every part from the outside in, left to right, and what it gives
/// takes the part's place and is not looked into. A part that occurs several times is asked for once.
pub(super) fn rewrite(
    checker: &mut Checker<'_, '_>,
    root: ExprId,
    done: &mut FxHashMap<ExprId, ExprId>,
    mut replace: impl FnMut(&mut Checker<'_, '_>, ExprId) -> Result<Option<ExprId>, KernelError>,
) -> Result<ExprId, KernelError> {
    enum Task {
        Enter(ExprId),
        Leave(ExprId),
    }
    let mut tasks = vec![Task::Enter(root)];
    while let Some(task) = tasks.pop() {
        match task {
            Task::Enter(at) => {
                if done.contains_key(&at) {
                    continue;
                }
                checker.tick()?;
                if let Some(new) = replace(checker, at)? {
                    done.insert(at, new);
                    continue;
                }
                tasks.push(Task::Leave(at));
                tasks.extend(parts(checker.env.terms.expr(at)).rev().map(Task::Enter));
            }
            Task::Leave(at) => {
                let new = rebuild(&mut checker.env.terms, at, done);
                done.insert(at, new);
            }
        }
    }
    Ok(done[&root])
}

/// The node with its parts as `done` has them.
fn rebuild(terms: &mut Terms, at: ExprId, done: &FxHashMap<ExprId, ExprId>) -> ExprId {
    let expr = match terms.expr(at) {
        expr @ (Expr::BVar(_)
        | Expr::FVar(_)
        | Expr::Sort(_)
        | Expr::Const(..)
        | Expr::Nat(_)
        | Expr::Str(_)) => expr,
        Expr::App(function, argument) => Expr::App(done[&function], done[&argument]),
        Expr::Lam(ty, body) => Expr::Lam(done[&ty], done[&body]),
        Expr::Pi(ty, body) => Expr::Pi(done[&ty], done[&body]),
        Expr::Let(ty, value, body) => Expr::Let(done[&ty], done[&value], done[&body]),
        Expr::Proj(structure, index, value) => Expr::Proj(structure, index, done[&value]),
    };
    terms.intern(expr)
}
