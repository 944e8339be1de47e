//! What was found out already: per declaration, and for constants at levels once for all.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::terms::{ExprId, LevelId, LevelsId, NameId};

/// How many pairs of terms are remembered: there may be more pairs than terms, which the budget bounds.
const MAX_PAIRS: usize = 4_000_000;

/// What the check of one declaration found out about types.
#[derive(Default)]
pub(crate) struct Caches {
    /// Types of terms that were checked throughout.
    pub(crate) checked: FxHashMap<ExprId, ExprId>,
    /// Types of terms that were known to have one.
    pub(crate) inferred: FxHashMap<ExprId, ExprId>,
    /// Levels whose parameters are all declared.
    pub(crate) checked_levels: FxHashSet<LevelId>,
}

/// What reductions and comparisons came to, all of them in the same mode.
#[derive(Default)]
pub(crate) struct Reductions {
    pub(crate) whnf: FxHashMap<ExprId, ExprId>,
    pub(crate) whnf_core: FxHashMap<ExprId, ExprId>,
    /// Whether two terms are definitionally equal; the lower id first.
    pub(crate) equal: FxHashMap<(ExprId, ExprId), bool>,
    /// Applications of the same constant whose arguments are not all equal; the lower id first.
    pub(crate) failed: FxHashSet<(ExprId, ExprId)>,
}

impl Reductions {
    pub(crate) fn remember_equal(&mut self, pair: (ExprId, ExprId), equal: bool) {
        if self.equal.len() >= MAX_PAIRS {
            self.equal.clear();
        }
        self.equal.insert(pair, equal);
    }

    pub(crate) fn remember_failed(&mut self, pair: (ExprId, ExprId)) {
        if self.failed.len() >= MAX_PAIRS {
            self.failed.clear();
        }
        self.failed.insert(pair);
    }
}

/// What does not depend on the declaration that is being checked.
#[derive(Default)]
pub(crate) struct ConstantCaches {
    /// Types of constants at levels.
    pub(crate) types: FxHashMap<(NameId, LevelsId), ExprId>,
    /// Values of definitions at levels.
    pub(crate) values: FxHashMap<(NameId, LevelsId), ExprId>,
    /// Right sides of the rules of recursors at levels, by the rule's place.
    pub(crate) rules: FxHashMap<(NameId, usize, LevelsId), ExprId>,
    /// The levels of the universes that inductive types were declared in.
    pub(crate) declared_levels: FxHashMap<NameId, LevelId>,
}
