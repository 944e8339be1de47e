//! Makes constants of the objects in a module: the eight kinds, and a list of them by name.

use rustc_hash::FxHashMap;

use super::error::{OleanError, Problem};
use super::module::Position;
use super::object::{Ctor, unexpected};
use super::read::Reader;
use super::region::{Addr, Value};
use crate::constant::{
    Constant, ConstantKind, ConstructorInfo, Hints, InductiveInfo, QuotKind, RecursorInfo, Rule, Safety,
};
use crate::terms::{ExprId, NameId, Terms};

/// How many pointers an inductive type has in modules of older versions of Lean. They do not say how many nested types
/// there are, but only whether there are any.
const INDUCTIVE_POINTERS_BEFORE_4_12: u8 = 5;

/// The names of a module's constants, and where each is.
pub(super) struct Listing {
    names: Vec<NameId>,
    positions: FxHashMap<NameId, Position>,
}

/// What all constants have.
struct Common {
    name: NameId,
    level_params: Vec<NameId>,
    ty: ExprId,
}

impl<B: AsRef<[u8]>> Reader<'_, B> {
    /// The names of all constants of the module, each once.
    ///
    /// # Errors
    ///
    /// Those of the bytes there; a name twice in one part; more to read than the limit.
    pub fn constant_names(&mut self, terms: &mut Terms) -> Result<&[NameId], OleanError> {
        self.listing(terms).map(|listing| listing.names.as_slice())
    }

    /// The constant of a name, if the module has one.
    ///
    /// # Errors
    ///
    /// Those of the bytes there; more to read than the limit.
    pub fn constant(&mut self, terms: &mut Terms, name: NameId) -> Result<Option<Constant>, OleanError> {
        match self.listing(terms)?.positions.get(&name).copied() {
            Some(position) => self.constant_at(terms, position).map(Some),
            None => Ok(None),
        }
    }

    fn listing(&mut self, terms: &mut Terms) -> Result<&Listing, OleanError> {
        let listing = match self.listing.take() {
            Some(listing) => listing,
            None => self.read_listing(terms)?,
        };
        Ok(self.listing.insert(listing))
    }

    fn read_listing(&mut self, terms: &mut Terms) -> Result<Listing, OleanError> {
        let mut listing = Listing { names: Vec::new(), positions: FxHashMap::default() };
        let module = self.module;
        for position in module.positions() {
            let (from, name) = module.listed_name(position)?;
            self.meter.charge(from, 0)?;
            let name = self.name(terms, from, name)?;
            match listing.positions.get(&name) {
                // A later part has it, which counts.
                Some(other) if other.part != position.part => {}
                Some(_) => {
                    return Err(OleanError::at(from, Problem::Duplicate { name: show_short(terms, name) }));
                }
                None => {
                    listing.positions.insert(name, position);
                    listing.names.push(name);
                }
            }
        }
        Ok(listing)
    }

    /// The constant at a position. It must have the name under which it is listed.
    pub(crate) fn constant_at(
        &mut self,
        terms: &mut Terms,
        position: Position,
    ) -> Result<Constant, OleanError> {
        let module = self.module;
        let (from, listed) = module.listed_name(position)?;
        let listed = self.name(terms, from, listed)?;
        let (from, value) = module.listed_constant(position)?;
        let constant = self.read_constant(terms, from, value)?;
        if constant.name != listed {
            return Err(OleanError::at(
                from,
                Problem::WrongName {
                    listed: show_short(terms, listed),
                    own: show_short(terms, constant.name),
                },
            ));
        }
        Ok(constant)
    }

    fn read_constant(&mut self, terms: &mut Terms, from: Addr, value: Value) -> Result<Constant, OleanError> {
        let info = self.regions().ctor(from, value, "a constant")?;
        if info.pointers != 1 || info.tag > 7 {
            return Err(unexpected(info.addr, "a constant", info.describe()));
        }
        self.meter.charge(info.addr, 0)?;
        let value = self.regions().field(info, 0)?;
        let pointers: &[u8] = match info.tag {
            0 | 4 => &[1],
            1 => &[4],
            2 | 3 => &[3],
            5 => &[6, INDUCTIVE_POINTERS_BEFORE_4_12],
            6 => &[5],
            _ => &[7],
        };
        let ctor = self.regions().ctor(info.addr, value, "a constant of its kind")?;
        if ctor.tag != 0 || !pointers.contains(&ctor.pointers) {
            return Err(unexpected(ctor.addr, "a constant of its kind", ctor.describe()));
        }
        let common = self.common(terms, ctor)?;
        let kind = match info.tag {
            0 => ConstantKind::Axiom { is_unsafe: self.regions().flag(ctor, 0, "an axiom")? },
            1 => self.definition(terms, ctor)?,
            2 => ConstantKind::Theorem { value: self.expr_field(terms, ctor, 1)? },
            3 => ConstantKind::Opaque {
                value: self.expr_field(terms, ctor, 1)?,
                is_unsafe: self.regions().flag(ctor, 0, "an opaque constant")?,
            },
            4 => ConstantKind::Quot(match self.regions().byte(ctor, 0, "a constant of quotients")? {
                0 => QuotKind::Type,
                1 => QuotKind::Ctor,
                2 => QuotKind::Lift,
                3 => QuotKind::Ind,
                n => return Err(unexpected(ctor.addr, "a constant of quotients", format!("kind {n}"))),
            }),
            5 => self.inductive(terms, ctor)?,
            6 => ConstantKind::Constructor(ConstructorInfo {
                inductive: self.name_field(terms, ctor, 1)?,
                index: self.count(ctor, 2, "the place of a constructor")?,
                num_params: self.count(ctor, 3, "the number of parameters")?,
                num_fields: self.count(ctor, 4, "the number of fields")?,
                is_unsafe: self.regions().flag(ctor, 0, "a constructor")?,
            }),
            _ => self.recursor(terms, ctor)?,
        };
        Ok(Constant { name: common.name, level_params: common.level_params, ty: common.ty, kind })
    }

    fn common(&mut self, terms: &mut Terms, ctor: Ctor) -> Result<Common, OleanError> {
        let value = self.regions().field(ctor, 0)?;
        let common = self.regions().exact(ctor.addr, value, (0, 3), "a constant's name and type")?;
        Ok(Common {
            name: self.name_field(terms, common, 0)?,
            level_params: self.names_field(terms, common, 1)?,
            ty: self.expr_field(terms, common, 2)?,
        })
    }

    fn definition(&mut self, terms: &mut Terms, ctor: Ctor) -> Result<ConstantKind, OleanError> {
        let hints = match self.regions().field(ctor, 2)? {
            Value::Scalar(0) => Hints::Opaque,
            Value::Scalar(1) => Hints::Abbreviation,
            other => {
                let regular = self.regions().exact(ctor.addr, other, (2, 0), "a definition's height")?;
                Hints::Regular(self.regions().u32_scalar(regular, 0, "a definition's height")?)
            }
        };
        let safety = match self.regions().byte(ctor, 0, "a definition")? {
            0 => Safety::Unsafe,
            1 => Safety::Safe,
            2 => Safety::Partial,
            n => return Err(unexpected(ctor.addr, "a definition", format!("safety {n}"))),
        };
        Ok(ConstantKind::Definition { value: self.expr_field(terms, ctor, 1)?, hints, safety })
    }

    fn inductive(&mut self, terms: &mut Terms, ctor: Ctor) -> Result<ConstantKind, OleanError> {
        const WHAT: &str = "an inductive type";
        let all = self.names_field(terms, ctor, 3)?;
        let num_nested = if ctor.pointers != INDUCTIVE_POINTERS_BEFORE_4_12 {
            self.count(ctor, 5, "the number of nested types")?
        } else if self.regions().flag(ctor, 3, WHAT)? {
            self.count_nested(terms, ctor, &all)?
        } else {
            0
        };
        Ok(ConstantKind::Inductive(InductiveInfo {
            num_params: self.count(ctor, 1, "the number of parameters")?,
            num_indices: self.count(ctor, 2, "the number of indices")?,
            all,
            constructors: self.names_field(terms, ctor, 4)?,
            num_nested,
            is_rec: self.regions().flag(ctor, 0, WHAT)?,
            is_unsafe: self.regions().flag(ctor, 1, WHAT)?,
            is_reflexive: self.regions().flag(ctor, 2, WHAT)?,
        }))
    }

    /// How many nested types a block has: each has a recursor of its own, numbered after the first type of the block.
    fn count_nested(&mut self, terms: &mut Terms, ctor: Ctor, all: &[NameId]) -> Result<u32, OleanError> {
        let Some(&first) = all.first() else { return Ok(0) };
        let mut count = 0;
        loop {
            self.meter.charge(ctor.addr, 0)?;
            let recursor = terms.str_name(first, &format!("rec_{}", count + 1));
            if !self.listing(terms)?.positions.contains_key(&recursor) {
                return Ok(count);
            }
            count += 1;
        }
    }

    fn recursor(&mut self, terms: &mut Terms, ctor: Ctor) -> Result<ConstantKind, OleanError> {
        let list = self.regions().field(ctor, 6)?;
        let mut rules = Vec::new();
        for (cell, rule) in
            self.regions().list(ctor.addr, list, "list of a recursor's rules", &mut self.meter)?
        {
            let rule = self.regions().exact(cell, rule, (0, 3), "a recursor's rule")?;
            rules.push(Rule {
                constructor: self.name_field(terms, rule, 0)?,
                num_fields: self.count(rule, 1, "the number of fields")?,
                rhs: self.expr_field(terms, rule, 2)?,
            });
        }
        Ok(ConstantKind::Recursor(RecursorInfo {
            all: self.names_field(terms, ctor, 1)?,
            num_params: self.count(ctor, 2, "the number of parameters")?,
            num_indices: self.count(ctor, 3, "the number of indices")?,
            num_motives: self.count(ctor, 4, "the number of motives")?,
            num_minors: self.count(ctor, 5, "the number of minor premises")?,
            rules,
            k: self.regions().flag(ctor, 0, "a recursor")?,
            is_unsafe: self.regions().flag(ctor, 1, "a recursor")?,
        }))
    }

    fn name_field(&mut self, terms: &mut Terms, ctor: Ctor, index: u8) -> Result<NameId, OleanError> {
        let value = self.regions().field(ctor, index)?;
        self.name(terms, ctor.addr, value)
    }

    fn names_field(&mut self, terms: &mut Terms, ctor: Ctor, index: u8) -> Result<Vec<NameId>, OleanError> {
        let value = self.regions().field(ctor, index)?;
        self.names(terms, ctor.addr, value)
    }

    fn expr_field(&mut self, terms: &mut Terms, ctor: Ctor, index: u8) -> Result<ExprId, OleanError> {
        let value = self.regions().field(ctor, index)?;
        self.expr(terms, ctor.addr, value)
    }

    fn count(&self, ctor: Ctor, index: u8, what: &'static str) -> Result<u32, OleanError> {
        self.regions().small(ctor.addr, self.regions().field(ctor, index)?, what)
    }
}

/// A name for a message, cut where nobody would read on.
fn show_short(terms: &Terms, name: NameId) -> String {
    const MOST: usize = 200;
    let shown = terms.show_name(name);
    match shown.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &shown[..end]),
        None => shown,
    }
}
