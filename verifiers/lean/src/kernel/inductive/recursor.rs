//! Recursors: one for each type of the block and for each type that stands for a nested one.

use rustc_hash::FxHashMap;

use super::fields::{CheckedConstructor, Recursion};
use super::nested::restore;
use super::open::Opened;
use crate::constant::{Constant, ConstantKind, RecursorInfo, Rule};
use crate::kernel::{Checker, KernelError};
use crate::terms::{ExprId, LevelsId, NameId, Terms};

/// Makes the recursors of a block whose constructors were checked. `universe` is the parameter that they eliminate
/// to, `None` for propositions.
pub(super) fn make(
    checker: &mut Checker<'_, '_>,
    opened: &Opened,
    constructors: &[Vec<CheckedConstructor>],
    universe: Option<NameId>,
    k: bool,
) -> Result<Vec<Constant>, KernelError> {
    let mut maker = Maker::new(checker, opened, constructors, universe)?;
    maker.minors()?;
    let level_params: Vec<NameId> = universe.into_iter().chain(opened.level_params.iter().copied()).collect();
    let all: Vec<NameId> = opened.types[..opened.num_declared].iter().map(|ty| ty.name).collect();
    let mut recursors = Vec::with_capacity(opened.types.len());
    for (index, ty) in opened.types.iter().enumerate() {
        let info = RecursorInfo {
            all: all.clone(),
            num_params: opened.params.len() as u32,
            num_indices: ty.indices.len() as u32,
            num_motives: maker.motives.len() as u32,
            num_minors: maker.minors.len() as u32,
            rules: maker.rules(index)?,
            k,
            is_unsafe: false,
        };
        let (name, ty) = (maker.names[index], maker.ty(index)?);
        recursors.push(Constant {
            name,
            level_params: level_params.clone(),
            ty,
            kind: ConstantKind::Recursor(info),
        });
    }
    Ok(recursors)
}

/// The name of the recursor of the type at `index`: `T.rec`, and for those that stand for nested types `T.rec_1` and
/// so on, where `T` is the first type of the block.
fn name(terms: &mut Terms, opened: &Opened, index: usize) -> NameId {
    if index < opened.num_declared {
        return terms.str_name(opened.types[index].name, "rec");
    }
    let number = index - opened.num_declared + 1;
    terms.str_name(opened.types[0].name, &format!("rec_{number}"))
}

struct Maker<'m, 'e, 't> {
    checker: &'m mut Checker<'e, 't>,
    opened: &'m Opened,
    constructors: &'m [Vec<CheckedConstructor>],
    names: Vec<NameId>,
    levels: LevelsId,
    /// For each type a local for the value that is taken apart.
    majors: Vec<ExprId>,
    /// For each type a local for what its recursor makes.
    motives: Vec<ExprId>,
    /// For each constructor of the block a local for the case of it.
    minors: Vec<ExprId>,
    /// Terms with nested types back in their places.
    restored: FxHashMap<ExprId, ExprId>,
}

impl<'m, 'e, 't> Maker<'m, 'e, 't> {
    fn new(
        checker: &'m mut Checker<'e, 't>,
        opened: &'m Opened,
        constructors: &'m [Vec<CheckedConstructor>],
        universe: Option<NameId>,
    ) -> Result<Self, KernelError> {
        let terms = &mut checker.env.terms;
        let names = (0..opened.types.len()).map(|index| name(terms, opened, index)).collect();
        let level = match universe {
            Some(name) => terms.param(name),
            None => terms.zero(),
        };
        let own = terms.level_list(opened.levels).iter().copied();
        let levels: Vec<_> = universe.map(|_| level).into_iter().chain(own).collect();
        let levels = terms.levels(&levels);
        let sort = terms.sort(level);
        let (mut majors, mut motives) = (Vec::new(), Vec::new());
        for ty in &opened.types {
            let major = ty.at_indices(&mut checker.env.terms, &opened.params);
            let major = checker.new_local(major);
            let motive = checker.mk_pi(&[&ty.indices[..], &[major]].concat(), sort)?;
            majors.push(major);
            motives.push(checker.new_local(motive));
        }
        let (minors, restored) = (Vec::new(), FxHashMap::default());
        Ok(Self { checker, opened, constructors, names, levels, majors, motives, minors, restored })
    }

    /// Makes the minor premises: fields, induction hypotheses for the recursive ones, the motive of the constructor.
    fn minors(&mut self) -> Result<(), KernelError> {
        for (index, constructors) in self.constructors.iter().enumerate() {
            for constructor in constructors {
                let fields: Vec<ExprId> = constructor.fields.iter().map(|field| field.local).collect();
                let terms = &mut self.checker.env.terms;
                let value = terms.apps(constructor.applied, &fields);
                let result = motive_of(terms, self.motives[index], &constructor.indices, value);
                let mut bound = fields;
                for field in &constructor.fields {
                    if let Some(recursion) = &field.recursion {
                        let hypothesis = self.hypothesis(field.local, recursion)?;
                        bound.push(self.checker.new_local(hypothesis));
                    }
                }
                let minor = self.checker.mk_pi(&bound, result)?;
                self.minors.push(self.checker.new_local(minor));
            }
        }
        Ok(())
    }

    /// `(arguments) → motive indices (field arguments)`.
    fn hypothesis(&mut self, field: ExprId, recursion: &Recursion) -> Result<ExprId, KernelError> {
        let terms = &mut self.checker.env.terms;
        let value = terms.apps(field, &recursion.arguments);
        let result = motive_of(terms, self.motives[recursion.target], &recursion.indices, value);
        self.checker.mk_pi(&recursion.arguments, result)
    }

    /// The type of the recursor of the type at `index`.
    fn ty(&mut self, index: usize) -> Result<ExprId, KernelError> {
        let indices = &self.opened.types[index].indices;
        let major = self.majors[index];
        let result = motive_of(&mut self.checker.env.terms, self.motives[index], indices, major);
        let bound = [&self.motives[..], &self.minors[..], &indices[..], &[major]].concat();
        let ty = self.checker.mk_pi(&bound, result)?;
        let ty = restore(self.checker, self.opened, &mut self.restored, ty)?;
        self.checker.mk_pi(&self.opened.params, ty)
    }

    /// The rules of the recursor of the type at `index`: the minor premise of the constructor, applied to its fields
    /// and to the recursors at its recursive fields.
    fn rules(&mut self, index: usize) -> Result<Vec<Rule>, KernelError> {
        let first_minor: usize = self.constructors[..index].iter().map(Vec::len).sum();
        let constructors = self.constructors;
        let mut rules = Vec::with_capacity(constructors[index].len());
        for (constructor, place) in constructors[index].iter().zip(first_minor..) {
            let fields: Vec<ExprId> = constructor.fields.iter().map(|field| field.local).collect();
            let mut rhs = self.checker.env.terms.apps(self.minors[place], &fields);
            for field in &constructor.fields {
                if let Some(recursion) = &field.recursion {
                    let value = self.recursive_value(field.local, recursion)?;
                    rhs = self.checker.env.terms.app(rhs, value);
                }
            }
            let bound = [&self.motives[..], &self.minors[..], &fields[..]].concat();
            let rhs = self.checker.mk_lambda(&bound, rhs)?;
            let rhs = restore(self.checker, self.opened, &mut self.restored, rhs)?;
            let rhs = self.checker.mk_lambda(&self.opened.params, rhs)?;
            rules.push(Rule { constructor: constructor.name, num_fields: fields.len() as u32, rhs });
        }
        Ok(rules)
    }

    /// `fun (arguments) => T.rec params motives minors indices (field arguments)`.
    fn recursive_value(&mut self, field: ExprId, recursion: &Recursion) -> Result<ExprId, KernelError> {
        let terms = &mut self.checker.env.terms;
        let value = terms.apps(field, &recursion.arguments);
        let recursor = terms.constant(self.names[recursion.target], self.levels);
        let recursor = terms.apps(recursor, &self.opened.params);
        let recursor = terms.apps(recursor, &self.motives);
        let recursor = terms.apps(recursor, &self.minors);
        let recursor = terms.apps(recursor, &recursion.indices);
        let made = terms.app(recursor, value);
        self.checker.mk_lambda(&recursion.arguments, made)
    }
}

/// `motive indices value`.
fn motive_of(terms: &mut Terms, motive: ExprId, indices: &[ExprId], value: ExprId) -> ExprId {
    let at_indices = terms.apps(motive, indices);
    terms.app(at_indices, value)
}
