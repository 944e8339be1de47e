//! Substitution: values for bound variables, bound variables for locals, levels for universe parameters.
//!
//! Terms share subterms, so each walk remembers what it made of a subterm; small terms are not worth the memory.

use rustc_hash::FxHashMap;

use super::budget::{Exhausted, Meter};
use crate::terms::{Expr, ExprId, Level, LevelId, LevelsId, NameId, Terms};

/// Subterms after which a walk begins to remember results.
const REMEMBER_AFTER: u32 = 24;

/// `e` with its outermost loose bound variables replaced: `values` are in the order of their binders, outermost
/// first, so the last one replaces variable 0. The values have no loose bound variables.
pub(crate) fn instantiate(
    terms: &mut Terms,
    meter: &mut Meter,
    e: ExprId,
    values: &[ExprId],
) -> Result<ExprId, Exhausted> {
    if values.is_empty() || terms.loose_bvar_range(e) == 0 {
        return Ok(e);
    }
    Walk { terms, meter, memo: FxHashMap::default(), visited: 0, action: Instantiate(values) }.at(e, 0)
}

/// `e` with the first `count` of the locals that have `places` replaced by bound variables, the last of them by variable
/// 0. The inverse of [`instantiate`].
pub(crate) fn abstract_first(
    terms: &mut Terms,
    meter: &mut Meter,
    e: ExprId,
    places: &FxHashMap<ExprId, u32>,
    count: u32,
) -> Result<ExprId, Exhausted> {
    if count == 0 || !terms.has_fvar(e) {
        return Ok(e);
    }
    Walk { terms, meter, memo: FxHashMap::default(), visited: 0, action: Abstract { places, count } }.at(e, 0)
}

/// `e` with every universe parameter of `params` replaced by the level at the same place in `levels`.
pub(crate) fn instantiate_level_params(
    terms: &mut Terms,
    meter: &mut Meter,
    e: ExprId,
    params: &[NameId],
    levels: &[LevelId],
) -> Result<ExprId, Exhausted> {
    if params.is_empty() || !terms.has_level_param(e) {
        return Ok(e);
    }
    let action = Levels { params, levels, memo: FxHashMap::default(), lists: FxHashMap::default() };
    Walk { terms, meter, memo: FxHashMap::default(), visited: 0, action }.at(e, 0)
}

/// What becomes of a term that is not to be walked into; `None` for any other.
type Stop = Result<Option<ExprId>, Exhausted>;

/// What a walk does to the terms it meets.
trait Action {
    /// The result for a term that is not to be walked into. `binders` is the number of binders around it.
    fn stop(&mut self, terms: &mut Terms, meter: &mut Meter, e: ExprId, binders: u32) -> Stop;

    /// Whether the result depends on the number of binders around a term.
    const BINDERS_MATTER: bool;
}

struct Instantiate<'v>(&'v [ExprId]);

impl Action for Instantiate<'_> {
    const BINDERS_MATTER: bool = true;

    #[inline]
    fn stop(&mut self, terms: &mut Terms, _: &mut Meter, e: ExprId, binders: u32) -> Stop {
        if terms.loose_bvar_range(e) <= binders {
            return Ok(Some(e));
        }
        let Expr::BVar(index) = terms.expr(e) else { return Ok(None) };
        // The range is greater than `binders`, so the index is at least that.
        let above = (index - binders) as usize;
        let count = self.0.len();
        if above < count {
            return Ok(Some(self.0[count - 1 - above]));
        }
        // Fewer values than the index, which fits: so does their number.
        Ok(Some(terms.bvar(index - count as u32)))
    }
}

struct Abstract<'p> {
    places: &'p FxHashMap<ExprId, u32>,
    count: u32,
}

impl Action for Abstract<'_> {
    const BINDERS_MATTER: bool = true;

    #[inline]
    fn stop(&mut self, terms: &mut Terms, _: &mut Meter, e: ExprId, binders: u32) -> Stop {
        if !terms.has_fvar(e) {
            return Ok(Some(e));
        }
        let Expr::FVar(_) = terms.expr(e) else { return Ok(None) };
        match self.places.get(&e) {
            Some(&place) if place < self.count => {
                Ok(Some(terms.bvar((self.count - 1 - place).saturating_add(binders))))
            }
            _ => Ok(Some(e)),
        }
    }
}

struct Levels<'a> {
    params: &'a [NameId],
    levels: &'a [LevelId],
    memo: FxHashMap<LevelId, LevelId>,
    lists: FxHashMap<LevelsId, LevelsId>,
}

impl Action for Levels<'_> {
    const BINDERS_MATTER: bool = false;

    fn stop(&mut self, terms: &mut Terms, meter: &mut Meter, e: ExprId, _: u32) -> Stop {
        if !terms.has_level_param(e) {
            return Ok(Some(e));
        }
        match terms.expr(e) {
            Expr::Sort(level) => {
                let level = instantiate_level(terms, meter, level, self.params, self.levels, &mut self.memo)?;
                Ok(Some(terms.sort(level)))
            }
            Expr::Const(name, list) => {
                let list = self.list(terms, meter, list)?;
                Ok(Some(terms.constant(name, list)))
            }
            _ => Ok(None),
        }
    }
}

impl Levels<'_> {
    fn list(&mut self, terms: &mut Terms, meter: &mut Meter, list: LevelsId) -> Result<LevelsId, Exhausted> {
        if let Some(&known) = self.lists.get(&list) {
            return Ok(known);
        }
        let mut levels = terms.level_list(list).to_vec();
        meter.spend(levels.len() as u64 / 16, terms)?;
        for level in &mut levels {
            *level = instantiate_level(terms, meter, *level, self.params, self.levels, &mut self.memo)?;
        }
        let made = terms.levels(&levels);
        self.lists.insert(list, made);
        Ok(made)
    }
}

/// `level` with every parameter of `params` replaced by the level at the same place in `levels`.
pub(crate) fn instantiate_level(
    terms: &mut Terms,
    meter: &mut Meter,
    level: LevelId,
    params: &[NameId],
    levels: &[LevelId],
    memo: &mut FxHashMap<LevelId, LevelId>,
) -> Result<LevelId, Exhausted> {
    if !terms.level_has_param(level) {
        return Ok(level);
    }
    if let Level::Param(name) = terms.level(level) {
        meter.spend(params.len() as u64 / 16, terms)?;
        let place = params.iter().position(|&param| param == name);
        return Ok(place.and_then(|place| levels.get(place)).copied().unwrap_or(level));
    }
    if let Some(&known) = memo.get(&level) {
        return Ok(known);
    }
    meter.tick(terms)?;
    meter.enter()?;
    let mut below = |terms: &mut Terms, meter: &mut Meter, level| {
        instantiate_level(terms, meter, level, params, levels, memo)
    };
    let made = match terms.level(level) {
        Level::Succ(a) => below(terms, meter, a).map(|a| terms.succ(a)),
        Level::Max(a, b) => below(terms, meter, a)
            .and_then(|a| Ok((a, below(terms, meter, b)?)))
            .map(|(a, b)| terms.max(a, b)),
        Level::IMax(a, b) => below(terms, meter, a)
            .and_then(|a| Ok((a, below(terms, meter, b)?)))
            .map(|(a, b)| terms.imax(a, b)),
        Level::Zero | Level::Param(_) => Ok(level),
    };
    meter.leave();
    let made = made?;
    memo.insert(level, made);
    Ok(made)
}

struct Walk<'a, A> {
    terms: &'a mut Terms,
    meter: &'a mut Meter,
    memo: FxHashMap<(ExprId, u32), ExprId>,
    visited: u32,
    action: A,
}

impl<A: Action> Walk<'_, A> {
    fn at(&mut self, e: ExprId, binders: u32) -> Result<ExprId, Exhausted> {
        if let Some(made) = self.action.stop(self.terms, self.meter, e, binders)? {
            return Ok(made);
        }
        let key = (e, if A::BINDERS_MATTER { binders } else { 0 });
        let remember = self.visited >= REMEMBER_AFTER;
        if remember {
            if let Some(&known) = self.memo.get(&key) {
                return Ok(known);
            }
        } else {
            self.visited += 1;
        }
        self.meter.tick(self.terms)?;
        self.meter.enter()?;
        let made = self.inside(e, binders);
        self.meter.leave();
        let made = made?;
        if remember {
            self.memo.insert(key, made);
        }
        Ok(made)
    }

    fn inside(&mut self, e: ExprId, binders: u32) -> Result<ExprId, Exhausted> {
        Ok(match self.terms.expr(e) {
            Expr::App(function, argument) => {
                let function = self.at(function, binders)?;
                let argument = self.at(argument, binders)?;
                self.terms.app(function, argument)
            }
            Expr::Lam(ty, body) => {
                let ty = self.at(ty, binders)?;
                let body = self.at(body, binders + 1)?;
                self.terms.lam(ty, body)
            }
            Expr::Pi(ty, body) => {
                let ty = self.at(ty, binders)?;
                let body = self.at(body, binders + 1)?;
                self.terms.pi(ty, body)
            }
            Expr::Let(ty, value, body) => {
                let ty = self.at(ty, binders)?;
                let value = self.at(value, binders)?;
                let body = self.at(body, binders + 1)?;
                self.terms.let_(ty, value, body)
            }
            Expr::Proj(structure, index, value) => {
                let value = self.at(value, binders)?;
                self.terms.proj(structure, index, value)
            }
            // Leaves: the action stops at those it replaces.
            Expr::BVar(_) | Expr::FVar(_) | Expr::Sort(_) | Expr::Const(..) | Expr::Nat(_) | Expr::Str(_) => {
                e
            }
        })
    }
}
