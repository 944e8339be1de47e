//! When universe levels are equal, or one is at most another, for every choice of the parameters.
//!
//! The answer is complete. A level is the greatest of some atoms (a number, or a parameter plus a number) as soon as it
//! is known of every right side of an `imax` whether it is zero. Where that depends on a parameter, both cases are
//! looked at: the parameter is zero, or it is at least one.

use rustc_hash::FxHashMap;

use super::budget::{Exhausted, Meter};
use crate::terms::{Level, LevelId, NameId, Terms};

/// Whether `a` is at most `b` for every choice of the parameters.
pub(crate) fn leq(terms: &Terms, meter: &mut Meter, a: LevelId, b: LevelId) -> Result<bool, Exhausted> {
    if a == b || a == LevelId::ZERO {
        return Ok(true);
    }
    let mut cases = Cases { terms, meter, positive: FxHashMap::default() };
    cases.leq(a, b)
}

/// Whether `a` and `b` are equal for every choice of the parameters.
pub(crate) fn equal(terms: &Terms, meter: &mut Meter, a: LevelId, b: LevelId) -> Result<bool, Exhausted> {
    if a == b {
        return Ok(true);
    }
    Ok(leq(terms, meter, a, b)? && leq(terms, meter, b, a)?)
}

/// Numbers (of no parameter), and parameters plus numbers: of each parameter the greatest alone, since levels that share
/// parts have more of them than nodes.
type Atoms = FxHashMap<Option<NameId>, u64>;

fn push(atoms: &mut Atoms, param: Option<NameId>, plus: u64) {
    let greatest = atoms.entry(param).or_insert(plus);
    *greatest = plus.max(*greatest);
}

/// Whether a level is zero, where that is the same for all choices.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Zero,
    Positive,
    /// It depends on this parameter, of which nothing is known.
    DependsOn(NameId),
}

struct Cases<'a> {
    terms: &'a Terms,
    meter: &'a mut Meter,
    /// The parameters of which it is assumed whether they are positive.
    positive: FxHashMap<NameId, bool>,
}

/// A parameter has to be split into two cases, or the budget ended.
enum Stop {
    Split(NameId),
    Exhausted(Exhausted),
}

impl From<Exhausted> for Stop {
    fn from(what: Exhausted) -> Self {
        Self::Exhausted(what)
    }
}

impl Cases<'_> {
    fn leq(&mut self, a: LevelId, b: LevelId) -> Result<bool, Exhausted> {
        let (mut a_atoms, mut b_atoms) = (Atoms::default(), Atoms::default());
        let stop = match self.atoms(a, 0, &mut a_atoms) {
            Ok(()) => self.atoms(b, 0, &mut b_atoms),
            stop => stop,
        };
        let param = match stop {
            Ok(()) => {
                let mut atoms = a_atoms.iter();
                return Ok(atoms.all(|(&param, &plus)| self.is_covered(param, plus, &b_atoms)));
            }
            Err(Stop::Exhausted(what)) => return Err(what),
            Err(Stop::Split(param)) => param,
        };
        self.meter.tick(self.terms)?;
        self.meter.enter()?;
        let mut holds = Ok(true);
        for positive in [false, true] {
            self.positive.insert(param, positive);
            holds = self.leq(a, b);
            if !matches!(holds, Ok(true)) {
                break;
            }
        }
        self.positive.remove(&param);
        self.meter.leave();
        holds
    }

    /// Whether one atom of the greater level is at least this one in all cases.
    fn is_covered(&self, param: Option<NameId>, plus: u64, others: &Atoms) -> bool {
        if others.get(&param).is_some_and(|&other| other >= plus) {
            return true;
        }
        let at_least = |other: Option<NameId>| {
            u64::from(other.is_some_and(|other| self.positive.get(&other) == Some(&true)))
        };
        param.is_none() && others.iter().any(|(&other, &more)| more + at_least(other) >= plus)
    }

    fn atoms(&mut self, level: LevelId, plus: u64, atoms: &mut Atoms) -> Result<(), Stop> {
        self.meter.tick(self.terms)?;
        self.meter.enter()?;
        let done = self.atoms_inside(level, plus, atoms);
        self.meter.leave();
        done
    }

    fn atoms_inside(&mut self, level: LevelId, plus: u64, atoms: &mut Atoms) -> Result<(), Stop> {
        match self.terms.level(level) {
            Level::Zero => push(atoms, None, plus),
            Level::Param(name) if self.positive.get(&name) == Some(&false) => push(atoms, None, plus),
            Level::Param(name) => push(atoms, Some(name), plus),
            Level::Succ(below) => return self.atoms(below, plus + 1, atoms),
            Level::Max(a, b) => {
                self.atoms(a, plus, atoms)?;
                return self.atoms(b, plus, atoms);
            }
            Level::IMax(a, b) => match self.sign(b)? {
                Sign::Zero => push(atoms, None, plus),
                Sign::Positive => {
                    self.atoms(a, plus, atoms)?;
                    return self.atoms(b, plus, atoms);
                }
                Sign::DependsOn(param) => return Err(Stop::Split(param)),
            },
        }
        Ok(())
    }

    fn sign(&mut self, level: LevelId) -> Result<Sign, Exhausted> {
        self.meter.tick(self.terms)?;
        match self.terms.level(level) {
            Level::Zero => Ok(Sign::Zero),
            Level::Succ(_) => Ok(Sign::Positive),
            Level::Param(name) => Ok(match self.positive.get(&name) {
                Some(true) => Sign::Positive,
                Some(false) => Sign::Zero,
                None => Sign::DependsOn(name),
            }),
            Level::Max(a, b) => {
                self.meter.enter()?;
                let signs = self.sign(a).and_then(|a| Ok((a, self.sign(b)?)));
                self.meter.leave();
                Ok(match signs? {
                    (Sign::Positive, _) | (_, Sign::Positive) => Sign::Positive,
                    (Sign::DependsOn(param), _) | (_, Sign::DependsOn(param)) => Sign::DependsOn(param),
                    (Sign::Zero, Sign::Zero) => Sign::Zero,
                })
            }
            Level::IMax(_, b) => {
                self.meter.enter()?;
                let sign = self.sign(b);
                self.meter.leave();
                sign
            }
        }
    }
}
