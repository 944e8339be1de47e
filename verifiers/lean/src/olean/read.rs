//! Makes terms of the objects in a module: names, levels, expressions.
//!
//! What is shared in the file is read once. Nothing recurses: an expression waits on a stack until its parts are there,
//! and one that waits for itself is refused. The hashes and other summaries that Lean stores in its terms are not read.

use rustc_hash::FxHashMap;

use super::constants::Listing;
use super::error::{OleanError, Problem};
use super::meter::Meter;
use super::module::{Limits, Module};
use super::name::{Component, MAX_COMPONENTS, MAX_NAME_BYTES};
use super::object::{Ctor, unexpected};
use super::region::{Addr, Regions, Value};
use crate::terms::{ExprId, LevelId, LevelsId, NameId, Terms};

/// What reading an object has come to: its term, or nothing yet while its parts are being read.
type Memo<Id> = FxHashMap<Addr, Option<Id>>;

/// Reads a module's constants into an arena of terms. All calls must be given the same arena.
pub struct Reader<'m, B> {
    pub(super) module: &'m Module<B>,
    pub(super) meter: Meter,
    pub(super) listing: Option<Listing>,
    /// Names with the number of their components and of the bytes in them.
    names: FxHashMap<Addr, (NameId, usize, usize)>,
    levels: Memo<LevelId>,
    level_lists: FxHashMap<Addr, LevelsId>,
    exprs: Memo<ExprId>,
}

impl<'m, B: AsRef<[u8]>> Reader<'m, B> {
    pub(super) fn new(module: &'m Module<B>, limits: Limits) -> Self {
        Self {
            module,
            meter: Meter::new(limits.max_objects),
            listing: None,
            names: FxHashMap::default(),
            levels: Memo::default(),
            level_lists: FxHashMap::default(),
            exprs: Memo::default(),
        }
    }

    pub(super) fn regions(&self) -> &'m Regions<B> {
        self.module.regions()
    }

    /// A name.
    pub(super) fn name(&mut self, terms: &mut Terms, from: Addr, name: Value) -> Result<NameId, OleanError> {
        let mut steps = Vec::new();
        let (mut id, mut num_components, mut num_bytes, mut rest) = (NameId::ANONYMOUS, 0, 0, name);
        while let Value::Object(addr) = rest {
            if let Some(&known) = self.names.get(&addr) {
                (id, num_components, num_bytes) = known;
                break;
            }
            let Some(step) = self.regions().name_step(from, rest)? else { break };
            if steps.len() == MAX_COMPONENTS {
                return Err(OleanError::at(from, Problem::TooDeep { what: "name", limit: MAX_COMPONENTS }));
            }
            self.meter.charge(addr, step.last.num_bytes())?;
            steps.push((addr, step.last));
            rest = step.prefix;
        }
        if let Value::Scalar(n @ 1..) = rest {
            return Err(unexpected(from, "a name", format!("the number {n}")));
        }
        for (addr, last) in steps.into_iter().rev() {
            num_components += 1;
            num_bytes += last.num_bytes();
            if num_components > MAX_COMPONENTS {
                return Err(OleanError::at(addr, Problem::TooDeep { what: "name", limit: MAX_COMPONENTS }));
            }
            if num_bytes > MAX_NAME_BYTES {
                let found = format!("{num_bytes} bytes");
                return Err(OleanError::at(addr, Problem::TooBig { what: "a name's text", found }));
            }
            id = match last {
                Component::Text(text) => terms.str_name(id, text),
                Component::Number(number) => terms.num_name(id, number),
            };
            self.names.insert(addr, (id, num_components, num_bytes));
        }
        Ok(id)
    }

    /// The names in a list.
    pub(super) fn names(
        &mut self,
        terms: &mut Terms,
        from: Addr,
        list: Value,
    ) -> Result<Vec<NameId>, OleanError> {
        let elements = self.regions().list(from, list, "list of names", &mut self.meter)?;
        elements.into_iter().map(|(cell, name)| self.name(terms, cell, name)).collect()
    }

    /// A universe level.
    fn level(&mut self, terms: &mut Terms, from: Addr, level: Value) -> Result<LevelId, OleanError> {
        let root = match level {
            Value::Scalar(0) => return Ok(terms.zero()),
            Value::Scalar(n) => return Err(unexpected(from, "a universe level", format!("the number {n}"))),
            Value::Object(addr) => addr,
        };
        let mut stack = vec![root];
        let result = self.level_stack(terms, &mut stack);
        forget_unfinished(&mut self.levels, &stack, result.is_err());
        result?;
        finished(&self.levels, root, "universe level")
    }

    fn level_stack(&mut self, terms: &mut Terms, stack: &mut Vec<Addr>) -> Result<(), OleanError> {
        const WHAT: &str = "a universe level";
        while let Some(&addr) = stack.last() {
            match self.levels.get(&addr) {
                Some(Some(_)) => {
                    stack.pop();
                    continue;
                }
                Some(None) => {}
                None => self.meter.charge(addr, 0)?,
            }
            let ctor = self.regions().ctor_at(addr, WHAT)?;
            let num_parts = match (ctor.tag, ctor.pointers) {
                (1, 1) => 1,
                (2 | 3, 2) => 2,
                (4, 1) => 0,
                (5, 1) => {
                    return Err(OleanError::at(addr, Problem::Unfinished { what: "universe metavariable" }));
                }
                _ => return Err(unexpected(addr, WHAT, ctor.describe())),
            };
            let mut parts = [terms.zero(); 2];
            let mut ready = true;
            for (index, part) in (0..num_parts).zip(&mut parts) {
                match self.regions().field(ctor, index)? {
                    Value::Scalar(0) => {}
                    Value::Scalar(n) => return Err(unexpected(addr, WHAT, format!("the number {n}"))),
                    Value::Object(inner) => match known(&self.levels, inner, "universe level")? {
                        Some(id) => *part = id,
                        None => {
                            stack.push(inner);
                            ready = false;
                        }
                    },
                }
            }
            if !ready {
                self.levels.insert(addr, None);
                continue;
            }
            let [a, b] = parts;
            let id = match ctor.tag {
                1 => terms.succ(a),
                2 => terms.max(a, b),
                3 => terms.imax(a, b),
                _ => {
                    let name = self.regions().field(ctor, 0)?;
                    let name = self.name(terms, addr, name)?;
                    terms.param(name)
                }
            };
            self.levels.insert(addr, Some(id));
            stack.pop();
        }
        Ok(())
    }

    fn level_list(&mut self, terms: &mut Terms, from: Addr, list: Value) -> Result<LevelsId, OleanError> {
        if let Value::Object(addr) = list
            && let Some(&known) = self.level_lists.get(&addr)
        {
            return Ok(known);
        }
        let elements = self.regions().list(from, list, "list of universe levels", &mut self.meter)?;
        let levels: Vec<LevelId> = elements
            .into_iter()
            .map(|(cell, level)| self.level(terms, cell, level))
            .collect::<Result<_, _>>()?;
        let id = terms.levels(&levels);
        if let Value::Object(addr) = list {
            self.level_lists.insert(addr, id);
        }
        Ok(id)
    }

    /// An expression.
    pub(super) fn expr(&mut self, terms: &mut Terms, from: Addr, expr: Value) -> Result<ExprId, OleanError> {
        let root = self.regions().ctor(from, expr, "an expression")?.addr;
        let mut stack = vec![root];
        let result = self.expr_stack(terms, &mut stack);
        forget_unfinished(&mut self.exprs, &stack, result.is_err());
        result?;
        finished(&self.exprs, root, "expression")
    }

    fn expr_stack(&mut self, terms: &mut Terms, stack: &mut Vec<Addr>) -> Result<(), OleanError> {
        while let Some(&addr) = stack.last() {
            match self.exprs.get(&addr) {
                Some(Some(_)) => {
                    stack.pop();
                    continue;
                }
                Some(None) => {}
                None => self.meter.charge(addr, 0)?,
            }
            let ctor = self.regions().ctor_at(addr, "an expression")?;
            let mut parts = [None; 3];
            let mut ready = true;
            for (index, part) in expr_parts(ctor)?.zip(&mut parts) {
                let inner = match self.regions().field(ctor, index)? {
                    Value::Object(inner) => inner,
                    Value::Scalar(n) => {
                        return Err(unexpected(addr, "an expression", format!("the number {n}")));
                    }
                };
                *part = known(&self.exprs, inner, "expression")?;
                if part.is_none() {
                    stack.push(inner);
                    ready = false;
                }
            }
            if !ready {
                self.exprs.insert(addr, None);
                continue;
            }
            let id = match parts {
                [None, ..] => self.leaf(terms, ctor)?,
                [Some(a), None, _] if ctor.tag == EXPR_PROJ => self.projection(terms, ctor, a)?,
                // An expression with notes is what it is without them.
                [Some(a), None, _] => a,
                [Some(a), Some(b), None] => match ctor.tag {
                    EXPR_APP => terms.app(a, b),
                    EXPR_LAM => terms.lam(a, b),
                    _ => terms.pi(a, b),
                },
                [Some(a), Some(b), Some(c)] => terms.let_(a, b, c),
            };
            self.exprs.insert(addr, Some(id));
            stack.pop();
        }
        Ok(())
    }

    /// An expression without expressions in it.
    fn leaf(&mut self, terms: &mut Terms, ctor: Ctor) -> Result<ExprId, OleanError> {
        let (regions, addr) = (self.regions(), ctor.addr);
        let first = regions.field(ctor, 0)?;
        match ctor.tag {
            EXPR_BVAR => Ok(terms.bvar(regions.small(addr, first, "the index of a bound variable")?)),
            EXPR_SORT => {
                let level = self.level(terms, addr, first)?;
                Ok(terms.sort(level))
            }
            EXPR_CONST => {
                let name = self.name(terms, addr, first)?;
                let levels = self.level_list(terms, addr, regions.field(ctor, 1)?)?;
                Ok(terms.constant(name, levels))
            }
            _ => {
                let literal = regions.ctor(addr, first, "a literal")?;
                match (literal.tag, literal.pointers) {
                    (0, 1) => {
                        let number = regions.field(literal, 0)?;
                        let number =
                            regions.natural(literal.addr, number, "a natural number", &mut self.meter)?;
                        Ok(terms.nat(number))
                    }
                    (1, 1) => {
                        let text = regions.text(literal.addr, regions.field(literal, 0)?, "a text")?;
                        self.meter.charge(addr, text.len())?;
                        Ok(terms.string(text))
                    }
                    _ => Err(unexpected(literal.addr, "a literal", literal.describe())),
                }
            }
        }
    }

    fn projection(&mut self, terms: &mut Terms, ctor: Ctor, value: ExprId) -> Result<ExprId, OleanError> {
        let (regions, addr) = (self.regions(), ctor.addr);
        let structure = self.name(terms, addr, regions.field(ctor, 0)?)?;
        let index = regions.small(addr, regions.field(ctor, 1)?, "the index of a field")?;
        Ok(terms.proj(structure, index, value))
    }
}

pub(crate) const EXPR_BVAR: u8 = 0;
const EXPR_FVAR: u8 = 1;
const EXPR_MVAR: u8 = 2;
pub(crate) const EXPR_SORT: u8 = 3;
pub(crate) const EXPR_CONST: u8 = 4;
const EXPR_APP: u8 = 5;
const EXPR_LAM: u8 = 6;
const EXPR_PI: u8 = 7;
const EXPR_LET: u8 = 8;
const EXPR_LITERAL: u8 = 9;
const EXPR_NOTES: u8 = 10;
pub(crate) const EXPR_PROJ: u8 = 11;

/// Which fields of an expression are expressions.
pub(crate) fn expr_parts(ctor: Ctor) -> Result<std::ops::Range<u8>, OleanError> {
    match (ctor.tag, ctor.pointers) {
        (EXPR_BVAR | EXPR_SORT | EXPR_LITERAL, 1) | (EXPR_CONST, 2) => Ok(0..0),
        (EXPR_FVAR, 1) => Err(OleanError::at(ctor.addr, Problem::Unfinished { what: "free variable" })),
        (EXPR_MVAR, 1) => Err(OleanError::at(ctor.addr, Problem::Unfinished { what: "metavariable" })),
        (EXPR_APP, 2) => Ok(0..2),
        (EXPR_LAM | EXPR_PI, 3) => Ok(1..3),
        (EXPR_LET, 4) => Ok(1..4),
        (EXPR_NOTES, 2) => Ok(1..2),
        (EXPR_PROJ, 3) => Ok(2..3),
        _ => Err(unexpected(ctor.addr, "an expression", ctor.describe())),
    }
}

/// The term of an object, if it was read; an object that is being read is inside itself.
fn known<Id: Copy>(memo: &Memo<Id>, addr: Addr, what: &'static str) -> Result<Option<Id>, OleanError> {
    match memo.get(&addr) {
        Some(Some(id)) => Ok(Some(*id)),
        Some(None) => Err(OleanError::at(addr, Problem::Cycle { what })),
        None => Ok(None),
    }
}

/// The term of an object that was read.
fn finished<Id: Copy>(memo: &Memo<Id>, addr: Addr, what: &'static str) -> Result<Id, OleanError> {
    known(memo, addr, what)?.ok_or_else(|| OleanError::at(addr, Problem::Cycle { what }))
}

/// After an error, what was being read is not being read any more.
fn forget_unfinished<Id>(memo: &mut Memo<Id>, stack: &[Addr], failed: bool) {
    if failed {
        for addr in stack {
            if matches!(memo.get(addr), Some(None)) {
                memo.remove(addr);
            }
        }
    }
}
