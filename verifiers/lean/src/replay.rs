//! Checks again what a theorem reaches in a compiled module.
//!
//! The module says which constants there are and nothing more: each of them that the theorem depends on, through types
//! and values, is checked by the kernel before whatever uses it. Constants that the theorem does not reach are not
//! looked at; they may be anything.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::constant::{Constant, ConstantKind, InductiveInfo, Safety};
use crate::kernel::inductive::{Block, parts};
use crate::kernel::{Environment, KernelError, ReadError};
use crate::terms::{Expr, ExprId, NameId, Terms};

#[cfg(test)]
mod tests;

/// The constants of a submission. Nothing that it gives is believed.
pub trait Claimed {
    /// The constant of a name in the submission, its terms built in `terms`; `None` if there is none of that name.
    ///
    /// # Errors
    /// If the submission's file is not what a compiler writes.
    fn constant(&self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, ReadError>;
}

/// What a theorem of a submission rests on, all of it checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The axioms of the submission itself that it reaches, in the order in which they were added.
    pub axioms: Vec<NameId>,
    /// The trusted constants that it, or what it reaches in the submission, mentions. Axioms behind them are found by
    /// following these through the imported modules.
    pub reached_trusted: Vec<NameId>,
    /// How many constants of the submission were checked.
    pub num_checked: usize,
}

/// Checks the constant `target` of a submission, and before it everything of the submission that it reaches, and adds
/// all of that to `env`. An environment serves one submission.
///
/// # Errors
/// [`KernelError::Refused`] with the first constant that is wrong, malformed, unsafe, unknown, depends on itself, or
/// has a name that an imported module has too; [`KernelError::Exhausted`] where the budget ends first;
/// [`KernelError::Unreadable`] if an imported module cannot be read.
pub fn replay(
    env: &mut Environment<'_>,
    module: &dyn Claimed,
    target: NameId,
) -> Result<Replayed, KernelError> {
    let mut walk = Walk {
        env,
        module,
        states: FxHashMap::default(),
        replayed: Replayed { axioms: Vec::new(), reached_trusted: Vec::new(), num_checked: 0 },
    };
    if walk.claimed(target)?.is_none() {
        return Err(walk.refused(target, "the module has no constant of this name".to_owned()));
    }
    walk.run(target)?;
    Ok(walk.replayed)
}

/// The constants that string literals stand for: not all of them are reached from the type `String`, and
/// which of the two makers of strings there is depends on the version of Lean.
pub(crate) fn of_texts(terms: &mut Terms) -> [NameId; 6] {
    const NAMES: [&[&str]; 6] =
        [&["String"], &["String", "ofList"], &["String", "mk"], &["Char"], &["Char", "ofNat"], &["List"]];
    NAMES.map(|name| name.iter().fold(NameId::ANONYMOUS, |prefix, text| terms.str_name(prefix, text)))
}

/// What is added to the environment at once.
enum Unit {
    One(Constant),
    Block(Block),
    Quotients(Vec<Constant>),
}

impl Unit {
    fn constants(&self) -> Vec<&Constant> {
        match self {
            Self::One(constant) => vec![constant],
            Self::Block(block) => {
                block.types.iter().chain(&block.constructors).chain(&block.recursors).collect()
            }
            Self::Quotients(constants) => constants.iter().collect(),
        }
    }

    /// The terms on whose constants the unit depends. Recursors are made from the rest of their block.
    fn terms(&self) -> Vec<ExprId> {
        match self {
            Self::One(constant) => constant.value().into_iter().chain([constant.ty]).collect(),
            Self::Block(block) => {
                block.types.iter().chain(&block.constructors).map(|constant| constant.ty).collect()
            }
            Self::Quotients(constants) => constants.iter().map(|constant| constant.ty).collect(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits for what it depends on.
    Open,
    /// In the environment.
    Done,
}

/// A unit that waits for what it depends on.
struct Frame {
    unit: Unit,
    /// For messages.
    name: NameId,
    dependencies: Vec<NameId>,
    next: usize,
}

struct Walk<'w, 't> {
    env: &'w mut Environment<'t>,
    module: &'w dyn Claimed,
    states: FxHashMap<NameId, State>,
    replayed: Replayed,
}

impl Walk<'_, '_> {
    /// Depth first, without recursion: chains of constants may be long.
    fn run(&mut self, target: NameId) -> Result<(), KernelError> {
        let mut open = Vec::new();
        open.extend(self.enter(target, target)?);
        while let Some(frame) = open.last_mut() {
            match frame.dependencies.get(frame.next) {
                Some(&dependency) => {
                    frame.next += 1;
                    let user = frame.name;
                    open.extend(self.enter(dependency, user)?);
                }
                None => {
                    if let Some(frame) = open.pop() {
                        self.add(frame.unit)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The unit of a constant that `user` mentions, if it must be added first.
    fn enter(&mut self, name: NameId, user: NameId) -> Result<Option<Frame>, KernelError> {
        match self.states.get(&name) {
            Some(State::Done) => return Ok(None),
            Some(State::Open) => {
                let problem = format!("it depends on itself, by way of `{}`", self.env.terms.show_name(user));
                return Err(self.refused(name, problem));
            }
            None => {}
        }
        let claim = self.claimed(name)?;
        let trusted = self.env.is_trusted(name)?;
        let Some(claim) = claim else {
            if !trusted {
                let problem = format!(
                    "it mentions `{}`, which neither the module nor an imported one has",
                    self.env.terms.show_name(name)
                );
                return Err(self.refused(user, problem));
            }
            self.states.insert(name, State::Done);
            self.replayed.reached_trusted.push(name);
            return Ok(None);
        };
        if trusted {
            let problem =
                "the name is taken: an imported module has a constant of that name; choose another name";
            return Err(self.refused(name, problem.to_owned()));
        }
        let unit = self.unit(claim)?;
        for constant in unit.constants() {
            self.require_safe(constant)?;
            self.states.insert(constant.name, State::Open);
        }
        let dependencies = self.dependencies(&unit)?;
        Ok(Some(Frame { unit, name, dependencies, next: 0 }))
    }

    fn add(&mut self, unit: Unit) -> Result<(), KernelError> {
        for constant in unit.constants() {
            self.states.insert(constant.name, State::Done);
            self.replayed.num_checked += 1;
        }
        match unit {
            Unit::One(constant) => {
                if matches!(constant.kind, ConstantKind::Axiom { .. }) {
                    self.replayed.axioms.push(constant.name);
                }
                self.env.add(constant)
            }
            Unit::Block(block) => self.env.add_inductive(&block),
            Unit::Quotients(constants) => self.env.add_quotients(&constants),
        }
    }

    /// The constant of the submission of a name. What cannot be read is the submission's fault.
    fn claimed(&mut self, name: NameId) -> Result<Option<Constant>, KernelError> {
        let found = self.module.constant(&mut self.env.terms, name);
        self.tick(name)?;
        let found = found.map_err(|error| self.refused(name, format!("it cannot be read: {error}")))?;
        match found {
            Some(constant) if constant.name != name => {
                let problem = format!(
                    "it is stored under another name than its own, `{}`",
                    self.env.terms.show_name(constant.name)
                );
                Err(self.refused(name, problem))
            }
            found => Ok(found),
        }
    }

    /// What is added together with a constant.
    fn unit(&mut self, constant: Constant) -> Result<Unit, KernelError> {
        match &constant.kind {
            ConstantKind::Inductive(info) => {
                let all = info.all.clone();
                self.block(constant.name, &all)
            }
            ConstantKind::Recursor(info) => {
                let all = info.all.clone();
                self.block(constant.name, &all)
            }
            ConstantKind::Constructor(info) => {
                let owner = info.inductive;
                let (_, owner_info) = self.inductive(constant.name, owner)?;
                self.block(constant.name, &owner_info.all)
            }
            ConstantKind::Quot(_) => self.quotients(),
            _ => Ok(Unit::One(constant)),
        }
    }

    /// The block of the types `all`, which must have the constant `member`.
    fn block(&mut self, member: NameId, all: &[NameId]) -> Result<Unit, KernelError> {
        let mut block = Block { types: Vec::new(), constructors: Vec::new(), recursors: Vec::new() };
        let mut names = FxHashSet::default();
        let mut num_nested = 0;
        for &name in all {
            self.once(&mut names, member, name)?;
            let (ty, info) = self.inductive(member, name)?;
            num_nested = info.num_nested;
            block.types.push(ty);
            for &constructor in &info.constructors {
                self.once(&mut names, member, constructor)?;
                block.constructors.push(self.part(name, constructor)?);
            }
            let recursor = self.env.terms.str_name(name, "rec");
            self.once(&mut names, member, recursor)?;
            block.recursors.push(self.part(name, recursor)?);
        }
        if let Some(&first) = all.first() {
            // A claim of too many nested types ends at the first recursor that is missing.
            for number in 1..=num_nested {
                let recursor = self.env.terms.str_name(first, &format!("rec_{number}"));
                self.once(&mut names, member, recursor)?;
                block.recursors.push(self.part(first, recursor)?);
            }
        }
        if !names.contains(&member) {
            let problem =
                "it claims to belong to a block of inductive types that does not have it".to_owned();
            return Err(self.refused(member, problem));
        }
        Ok(Unit::Block(block))
    }

    fn once(&self, names: &mut FxHashSet<NameId>, member: NameId, name: NameId) -> Result<(), KernelError> {
        if names.insert(name) {
            return Ok(());
        }
        let problem = format!("its block of inductive types has `{}` twice", self.env.terms.show_name(name));
        Err(self.refused(member, problem))
    }

    fn inductive(&mut self, member: NameId, name: NameId) -> Result<(Constant, InductiveInfo), KernelError> {
        let found = self.claimed(name)?;
        let info = match found.as_ref().map(|constant| &constant.kind) {
            Some(ConstantKind::Inductive(info)) => Some(info.clone()),
            _ => None,
        };
        match (found, info) {
            (Some(constant), Some(info)) => Ok((constant, info)),
            _ => {
                let problem = format!(
                    "it claims to belong to the inductive type `{}`, but the module has no such type",
                    self.env.terms.show_name(name)
                );
                Err(self.refused(member, problem))
            }
        }
    }

    /// A constructor or a recursor of a block.
    fn part(&mut self, owner: NameId, name: NameId) -> Result<Constant, KernelError> {
        match self.claimed(name)? {
            Some(constant) => Ok(constant),
            None => {
                let problem = format!(
                    "it is an inductive type to which `{}` belongs, but the module has no such constant",
                    self.env.terms.show_name(name)
                );
                Err(self.refused(owner, problem))
            }
        }
    }

    /// The constants of quotients that the module has.
    fn quotients(&mut self) -> Result<Unit, KernelError> {
        let quot = self.env.terms.str_name(NameId::ANONYMOUS, "Quot");
        let mut constants = Vec::new();
        for name in [None, Some("mk"), Some("lift"), Some("ind")] {
            let name = name.map_or(quot, |name| self.env.terms.str_name(quot, name));
            constants.extend(self.claimed(name)?);
        }
        Ok(Unit::Quotients(constants))
    }

    fn require_safe(&self, constant: &Constant) -> Result<(), KernelError> {
        if !constant.is_unsafe() {
            return Ok(());
        }
        let mark = match constant.kind {
            ConstantKind::Definition { safety: Safety::Partial, .. } => "partial",
            _ => "unsafe",
        };
        let problem = format!("it is marked {mark}: what a proof reaches must be neither unsafe nor partial");
        Err(self.refused(constant.name, problem))
    }

    /// The constants that the unit mentions, but for its own, each once.
    fn dependencies(&mut self, unit: &Unit) -> Result<Vec<NameId>, KernelError> {
        let own: FxHashSet<NameId> = match unit {
            // A constant that mentions itself is refused for that.
            Unit::One(_) => FxHashSet::default(),
            _ => unit.constants().into_iter().map(|constant| constant.name).collect(),
        };
        let mut found = Vec::new();
        let mut names = FxHashSet::default();
        let mut seen: FxHashSet<ExprId> = FxHashSet::default();
        let mut open = unit.terms();
        let mut literals = (false, false);
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            self.tick(NameId::ANONYMOUS)?;
            let expr = self.env.terms.expr(at);
            match expr {
                Expr::Const(name, _) | Expr::Proj(name, _, _)
                    if !own.contains(&name) && names.insert(name) =>
                {
                    found.push(name);
                }
                Expr::Nat(_) => literals.0 = true,
                Expr::Str(_) => literals = (true, true),
                _ => {}
            }
            open.extend(parts(expr));
        }
        if matches!(unit, Unit::Quotients(_)) {
            let eq = self.env.terms.str_name(NameId::ANONYMOUS, "Eq");
            if names.insert(eq) {
                found.push(eq);
            }
        }
        self.literal_dependencies(literals, &own, &mut names, &mut found)?;
        Ok(found)
    }

    /// What literals stand for, where the submission declares it itself.
    fn literal_dependencies(
        &mut self,
        (nats, strings): (bool, bool),
        own: &FxHashSet<NameId>,
        names: &mut FxHashSet<NameId>,
        found: &mut Vec<NameId>,
    ) -> Result<(), KernelError> {
        let terms = &mut self.env.terms;
        let mut wanted = Vec::new();
        if nats {
            wanted.push(terms.str_name(NameId::ANONYMOUS, "Nat"));
        }
        if strings {
            wanted.extend(of_texts(terms));
        }
        for name in wanted {
            if !own.contains(&name)
                && !names.contains(&name)
                && !self.env.is_trusted(name)?
                && self.claimed(name)?.is_some()
            {
                names.insert(name);
                found.push(name);
            }
        }
        Ok(())
    }

    fn tick(&mut self, name: NameId) -> Result<(), KernelError> {
        let env = &mut *self.env;
        let spent = env.meter.tick(&env.terms);
        spent.map_err(|what| env.exhausted(name, what))
    }

    fn refused(&self, name: NameId, problem: String) -> KernelError {
        self.env.refused(name, problem)
    }
}
