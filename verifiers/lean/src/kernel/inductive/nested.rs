//! Nested occurrences: types of the block in parameters of other inductive types, as `List Tree` in a field of `Tree`.
//!
//! For each such application `List Tree` the block gets one more type, which stands for it: with the constructors of
//! `List`, at the parameter `Tree`, and so on for what is nested in those. Then the block is an ordinary one, and
//! recursors follow from it. In the end the applications take the places of the types that stood for them.

use rustc_hash::FxHashMap;

use super::open::{Opened, OpenedConstructor, OpenedType, insert_scratch, telescope};
use super::refused;
use super::walk::rewrite;
use crate::constant::{Constant, ConstantKind, InductiveInfo};
use crate::kernel::{Checker, KernelError};
use crate::terms::{Expr, ExprId, LevelId, LevelsId, NameId};

/// More types than this in a block are refused: a chain of types, each with two of the one before in it, doubles them at
/// every link.
const MOST_TYPES: usize = 1_024;

/// Replaces nested occurrences in all constructors of the block by types that stand for them, which are put into the
/// environment and into `scratch`.
pub(super) fn eliminate(
    checker: &mut Checker<'_, '_>,
    opened: &mut Opened,
    scratch: &mut Vec<NameId>,
) -> Result<(), KernelError> {
    let mut elimination =
        Elimination { opened, scratch, known: FxHashMap::default(), done: FxHashMap::default() };
    let mut index = 0;
    while index < elimination.opened.types.len() {
        for place in 0..elimination.opened.types[index].constructors.len() {
            let constructor = &elimination.opened.types[index].constructors[place];
            let (name, old) = (constructor.name, constructor.body);
            let new = elimination.replaced(checker, name, old)?;
            elimination.opened.types[index].constructors[place].body = new;
            if new != old || index >= elimination.opened.num_declared {
                let sort = checker.infer(new)?;
                checker.ensure_sort(sort)?;
            }
        }
        if elimination.opened.types.len() > MOST_TYPES {
            return Err(
                checker.refuse(format!("more than {MOST_TYPES} types are nested in others in its block"))
            );
        }
        index += 1;
    }
    Ok(())
}

struct Elimination<'o> {
    opened: &'o mut Opened,
    scratch: &'o mut Vec<NameId>,
    /// The place in the block of the type that stands for an application.
    known: FxHashMap<ExprId, usize>,
    /// What became of terms. It stays right: no constructor mentions the types that are added.
    done: FxHashMap<ExprId, ExprId>,
}

impl Elimination<'_> {
    fn replaced(
        &mut self,
        checker: &mut Checker<'_, '_>,
        constructor: NameId,
        body: ExprId,
    ) -> Result<ExprId, KernelError> {
        let mut done = std::mem::take(&mut self.done);
        let replaced = rewrite(checker, body, &mut done, |checker, at| {
            if !self.opened.occurrences.occur(checker, at)? {
                return Ok(Some(at));
            }
            self.replace(checker, constructor, at)
        });
        self.done = done;
        replaced
    }

    /// What takes the place of `at`, if it is a nested occurrence.
    fn replace(
        &mut self,
        checker: &mut Checker<'_, '_>,
        constructor: NameId,
        at: ExprId,
    ) -> Result<Option<ExprId>, KernelError> {
        let (head, arguments) = checker.env.terms.spine(at);
        checker.spend(arguments.len() as u64)?;
        let Expr::Const(container, levels) = checker.env.terms.expr(head) else { return Ok(None) };
        if arguments.is_empty() || self.opened.occurrences.has(container) {
            return Ok(None);
        }
        let Some(constant) = checker.env.get(container)? else { return Ok(None) };
        let ConstantKind::Inductive(info) = &constant.kind else { return Ok(None) };
        let num_params = info.num_params as usize;
        if num_params > arguments.len() {
            return Ok(None);
        }
        let (params, indices) = arguments.split_at(num_params);
        let mut nested = false;
        for &param in params {
            nested |= self.opened.occurrences.occur(checker, param)?;
        }
        if !nested {
            return Ok(None);
        }
        if params.iter().any(|&param| checker.env.terms.loose_bvar_range(param) > 0) {
            let problem = format!(
                "it nests a type of the block in parameters of `{}` that mention local variables: parameters of a \
                 nested type may only mention the parameters of the block",
                checker.env.terms.show_name(container)
            );
            return Err(refused(&checker.env.terms, constructor, problem));
        }
        let applied = checker.env.terms.apps(head, params);
        let index = match self.known.get(&applied) {
            Some(&index) => index,
            None => self.add_all(checker, constructor, info, container, levels, params)?,
        };
        let stand_in = self.opened.types[index].constant;
        let terms = &mut checker.env.terms;
        let replaced = terms.apps(stand_in, &self.opened.params);
        Ok(Some(terms.apps(replaced, indices)))
    }

    /// Adds types that stand for the types of the block of `container`, and gives the place of the one for
    /// `container`.
    fn add_all(
        &mut self,
        checker: &mut Checker<'_, '_>,
        constructor: NameId,
        info: &InductiveInfo,
        container: NameId,
        levels: LevelsId,
        params: &[ExprId],
    ) -> Result<usize, KernelError> {
        let mut place = None;
        for &name in &info.all {
            if name == container {
                place = Some(self.opened.types.len());
            }
            self.add(checker, constructor, name, levels, params)?;
        }
        place.ok_or_else(|| self.ill_formed(checker, constructor, container))
    }

    /// Adds a type that stands for `name` at parameters.
    fn add(
        &mut self,
        checker: &mut Checker<'_, '_>,
        constructor: NameId,
        name: NameId,
        levels: LevelsId,
        params: &[ExprId],
    ) -> Result<(), KernelError> {
        let level_list = checker.env.terms.level_list(levels).to_vec();
        let constant = checker.env.get(name)?.ok_or_else(|| self.ill_formed(checker, constructor, name))?;
        let ConstantKind::Inductive(info) = &constant.kind else {
            return Err(self.ill_formed(checker, constructor, name));
        };
        let rest = self.at_params(checker, constructor, &constant, &level_list, params)?;
        if self.opened.occurrences.occur(checker, rest)? {
            let problem = format!(
                "it nests a type of the block in `{}`, which takes an index of that type: no type of a block may be an \
                 index of another",
                checker.env.terms.show_name(name)
            );
            return Err(refused(&checker.env.terms, constructor, problem));
        }
        checker.infer(rest)?;
        let (indices, level) = telescope(checker, name, rest)?;
        if !checker.is_level_eq(level, self.opened.level)? {
            let problem = format!(
                "it nests a type of the block in `{}`, which lives in another universe then: all types of a block must \
                 live in the same",
                checker.env.terms.show_name(name)
            );
            return Err(refused(&checker.env.terms, constructor, problem));
        }
        let mut constructors = Vec::new();
        for &name in &info.constructors {
            let constant =
                checker.env.get(name)?.ok_or_else(|| self.ill_formed(checker, constructor, name))?;
            let body = self.at_params(checker, constructor, &constant, &level_list, params)?;
            let head = checker.env.terms.constant(name, levels);
            let applied = checker.env.terms.apps(head, params);
            constructors.push(OpenedConstructor { name, applied, body });
        }
        let head = checker.env.terms.constant(name, levels);
        let nested = checker.env.terms.apps(head, params);
        let stand_in = self.fresh_name(checker)?;
        let ty = checker.mk_pi(&self.opened.params, rest)?;
        self.scratch.push(stand_in);
        insert_scratch(checker, self.opened, stand_in, ty, indices.len());
        self.known.insert(nested, self.opened.types.len());
        self.opened.occurrences.also(stand_in);
        let constant = checker.env.terms.constant(stand_in, self.opened.levels);
        let nested = Some(nested);
        self.opened.types.push(OpenedType { name: stand_in, constant, indices, constructors, nested });
        Ok(())
    }

    /// The type of a constant at levels, after its parameters, which are given.
    fn at_params(
        &self,
        checker: &mut Checker<'_, '_>,
        constructor: NameId,
        constant: &Constant,
        levels: &[LevelId],
        params: &[ExprId],
    ) -> Result<ExprId, KernelError> {
        if constant.level_params.len() != levels.len() {
            return Err(self.ill_formed(checker, constructor, constant.name));
        }
        let mut at = checker.instantiate_level_params(constant.ty, &constant.level_params, levels)?;
        for _ in params {
            let Expr::Pi(_, body) = checker.env.terms.expr(at) else {
                return Err(self.ill_formed(checker, constructor, constant.name));
            };
            at = body;
        }
        checker.instantiate(at, params)
    }

    /// A name under `_nested` that no constant has.
    fn fresh_name(&self, checker: &mut Checker<'_, '_>) -> Result<NameId, KernelError> {
        let prefix = checker.env.terms.str_name(NameId::ANONYMOUS, "_nested");
        let mut number = self.opened.types.len() as u64;
        loop {
            checker.tick()?;
            let name = checker.env.terms.num_name(prefix, number);
            if checker.env.get(name)?.is_none() {
                return Ok(name);
            }
            number += 1;
        }
    }

    fn ill_formed(&self, checker: &Checker<'_, '_>, constructor: NameId, container: NameId) -> KernelError {
        let problem = format!(
            "it nests a type of the block in `{}`, which is not an inductive type as the kernel makes them",
            checker.env.terms.show_name(container)
        );
        refused(&checker.env.terms, constructor, problem)
    }
}

/// `e` with the nested applications back in the places of the types that stood for them.
pub(super) fn restore(
    checker: &mut Checker<'_, '_>,
    opened: &Opened,
    done: &mut FxHashMap<ExprId, ExprId>,
    e: ExprId,
) -> Result<ExprId, KernelError> {
    let stand_ins = &opened.types[opened.num_declared..];
    if stand_ins.is_empty() {
        return Ok(e);
    }
    rewrite(checker, e, done, |checker, at| {
        let (head, arguments) = checker.env.terms.spine(at);
        // To compare ids is far less than a step, but there may be thousands of stand-ins.
        checker.spend((arguments.len() + stand_ins.len() / 16) as u64)?;
        let Some(stand_in) = stand_ins.iter().find(|ty| ty.constant == head) else { return Ok(None) };
        let Some(nested) = stand_in.nested else { return Ok(None) };
        if !arguments.starts_with(&opened.params) {
            // What is left of the stand-in is an unknown constant to the check of the recursor.
            return Ok(None);
        }
        Ok(Some(checker.env.terms.apps(nested, &arguments[opened.params.len()..])))
    })
}
