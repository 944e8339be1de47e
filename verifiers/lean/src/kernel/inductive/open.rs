//! A block opened up: its parameters are locals, the same for all types and constructors.

use super::block::{Declaration, TypeDeclaration};
use super::walk::Occurrences;
use super::{infer_closed, refused};
use crate::constant::{Constant, ConstantKind, InductiveInfo};
use crate::kernel::{Checker, KernelError};
use crate::terms::{Expr, ExprId, LevelId, LevelsId, Name, NameId, Terms};

/// A block, opened up.
pub(super) struct Opened {
    pub(super) level_params: Vec<NameId>,
    /// The block's universe parameters as levels.
    pub(super) levels: LevelsId,
    /// A local for each parameter.
    pub(super) params: Vec<ExprId>,
    /// The universe that all types of the block live in.
    pub(super) level: LevelId,
    /// The declared types, then those that stand for nested ones.
    pub(super) types: Vec<OpenedType>,
    pub(super) num_declared: usize,
    /// Where types of the block are mentioned.
    pub(super) occurrences: Occurrences,
}

/// A type of the block.
pub(super) struct OpenedType {
    pub(super) name: NameId,
    /// The type, at the block's universe parameters.
    pub(super) constant: ExprId,
    /// A local for each index.
    pub(super) indices: Vec<ExprId>,
    pub(super) constructors: Vec<OpenedConstructor>,
    /// For a type that stands for a nested one: the type it stands for, applied to its parameters.
    pub(super) nested: Option<ExprId>,
}

/// A constructor of a type of the block.
pub(super) struct OpenedConstructor {
    /// The constructor, for one of a nested type the one it stands for.
    pub(super) name: NameId,
    /// The constructor applied to its parameters.
    pub(super) applied: ExprId,
    /// Its type after the parameters.
    pub(super) body: ExprId,
}

impl OpenedType {
    /// The type applied to the block's parameters and its own indices.
    pub(super) fn at_indices(&self, terms: &mut Terms, params: &[ExprId]) -> ExprId {
        let applied = terms.apps(self.constant, params);
        terms.apps(applied, &self.indices)
    }
}

/// Types the declaration and opens it up. The types are in the environment afterwards, without constructors; `scratch`
/// lists what was put there, also where this fails.
pub(super) fn open(
    checker: &mut Checker<'_, '_>,
    declaration: &Declaration,
    scratch: &mut Vec<NameId>,
) -> Result<Opened, KernelError> {
    let params: Vec<LevelId> =
        declaration.level_params.iter().map(|&param| checker.env.terms.param(param)).collect();
    let levels = checker.env.terms.levels(&params);
    for ty in &declaration.types {
        checker.env.require_new(ty.name)?;
        infer_closed(checker, ty.name, &declaration.level_params, ty.ty)?;
    }
    let mut opened = Opened {
        level_params: declaration.level_params.clone(),
        levels,
        params: first_params(checker, declaration)?,
        level: checker.env.terms.zero(),
        types: Vec::new(),
        num_declared: declaration.types.len(),
        occurrences: Occurrences::of(declaration.names()),
    };
    for (index, ty) in declaration.types.iter().enumerate() {
        let rest = after_params(checker, &opened.params, ty)?;
        let (indices, level) = telescope(checker, ty.name, rest)?;
        if index == 0 {
            opened.level = level;
        } else if !checker.is_level_eq(level, opened.level)? {
            let problem =
                "it lives in another universe than the first type of its block: all must live in the same";
            return Err(refused(&checker.env.terms, ty.name, problem));
        }
        let constant = checker.env.terms.constant(ty.name, levels);
        opened.types.push(OpenedType {
            name: ty.name,
            constant,
            indices,
            constructors: Vec::new(),
            nested: None,
        });
    }
    for (ty, open) in declaration.types.iter().zip(&opened.types) {
        scratch.push(ty.name);
        insert_scratch(checker, &opened, ty.name, ty.ty, open.indices.len());
    }
    for (index, ty) in declaration.types.iter().enumerate() {
        for constructor in &ty.constructors {
            checker.env.require_new(constructor.name)?;
            infer_closed(checker, constructor.name, &declaration.level_params, constructor.ty)?;
            let body = constructor_body(checker, &opened.params, constructor.name, constructor.ty)?;
            let terms = &mut checker.env.terms;
            let constant = terms.constant(constructor.name, levels);
            let applied = terms.apps(constant, &opened.params);
            let name = constructor.name;
            opened.types[index].constructors.push(OpenedConstructor { name, applied, body });
        }
    }
    Ok(opened)
}

/// Puts a type of the block into the environment while the block is checked. It has no constructors yet and counts as
/// recursive, so that nothing takes it for a structure.
pub(super) fn insert_scratch(
    checker: &mut Checker<'_, '_>,
    opened: &Opened,
    name: NameId,
    ty: ExprId,
    num_indices: usize,
) {
    let info = InductiveInfo {
        num_params: opened.params.len() as u32,
        num_indices: num_indices as u32,
        all: vec![name],
        constructors: Vec::new(),
        num_nested: 0,
        is_rec: true,
        is_unsafe: false,
        is_reflexive: false,
    };
    let kind = ConstantKind::Inductive(info);
    checker.env.insert_checked(Constant { name, level_params: opened.level_params.clone(), ty, kind });
}

/// A local for each parameter, from the type of the first type of the block.
fn first_params(
    checker: &mut Checker<'_, '_>,
    declaration: &Declaration,
) -> Result<Vec<ExprId>, KernelError> {
    let first = &declaration.types[0];
    let mut params = Vec::new();
    let mut at = first.ty;
    for _ in 0..declaration.num_params {
        let Expr::Pi(domain, body) = checker.env.terms.expr(at) else {
            let problem =
                format!("it claims {} parameters, its type has {}", declaration.num_params, params.len());
            return Err(refused(&checker.env.terms, first.name, problem));
        };
        let domain = checker.instantiate(domain, &params)?;
        params.push(local_of(checker, domain)?);
        at = body;
    }
    Ok(params)
}

/// The type of a type of the block after the parameters.
fn after_params(
    checker: &mut Checker<'_, '_>,
    params: &[ExprId],
    ty: &TypeDeclaration,
) -> Result<ExprId, KernelError> {
    let mut rest = ty.ty;
    for (index, &param) in params.iter().enumerate() {
        let unfolded = unfolded(checker, rest)?;
        let Expr::Pi(domain, body) = checker.env.terms.expr(unfolded) else {
            let problem = format!("it claims {} parameters, its type has {index}", params.len());
            return Err(refused(&checker.env.terms, ty.name, problem));
        };
        let expected = checker.local_type(param)?;
        if !checker.is_def_eq(domain, expected)? {
            let problem =
                format!("its parameter {} differs from that of the first type of the block", index + 1);
            return Err(refused(&checker.env.terms, ty.name, problem));
        }
        rest = checker.instantiate(body, &[param])?;
    }
    Ok(rest)
}

/// A local for each index of a type, and the universe that it lives in.
pub(super) fn telescope(
    checker: &mut Checker<'_, '_>,
    name: NameId,
    rest: ExprId,
) -> Result<(Vec<ExprId>, LevelId), KernelError> {
    let mut indices = Vec::new();
    let mut at = unfolded(checker, rest)?;
    while let Expr::Pi(domain, body) = checker.env.terms.expr(at) {
        let local = local_of(checker, domain)?;
        indices.push(local);
        let body = checker.instantiate(body, &[local])?;
        at = unfolded(checker, body)?;
    }
    match checker.env.terms.expr(at) {
        Expr::Sort(level) => Ok((indices, level)),
        _ => {
            let problem = format!(
                "its type must end in a universe once definitions are unfolded, it ends in `{}`",
                checker.env.terms.show(at)
            );
            Err(refused(&checker.env.terms, name, problem))
        }
    }
}

/// The type of a type, with definitions unfolded until it is seen to take an argument or to be a universe.
///
/// Lean reduces here in every way. That lets the universe of a type hang on a reduction that happens for a variable and
/// not for a value put in its place, so that what was checked as a proposition is not one later, and data comes out
/// of proofs. Unfolding definitions and applying functions are kept by substitution; nothing else is done here, and no
/// type is known to need more.
fn unfolded(checker: &mut Checker<'_, '_>, ty: ExprId) -> Result<ExprId, KernelError> {
    let mut at = ty;
    loop {
        checker.tick()?;
        let (head, arguments) = checker.env.terms.spine(at);
        checker.spend(arguments.len() as u64)?;
        let next = match checker.env.terms.expr(head) {
            Expr::Const(..) => checker.unfold(at)?,
            Expr::Lam(..) if !arguments.is_empty() => Some(checker.apply(head, &arguments)?),
            Expr::Let(_, value, body) if arguments.is_empty() => Some(checker.instantiate(body, &[value])?),
            _ => None,
        };
        match next {
            Some(next) => at = next,
            None => return Ok(at),
        }
    }
}

/// The type of a constructor after the parameters, which must be those of its type.
fn constructor_body(
    checker: &mut Checker<'_, '_>,
    params: &[ExprId],
    name: NameId,
    ty: ExprId,
) -> Result<ExprId, KernelError> {
    let mut at = ty;
    for (index, &param) in params.iter().enumerate() {
        checker.tick()?;
        let Expr::Pi(domain, body) = checker.env.terms.expr(at) else {
            let problem = format!("it takes {index} arguments, its type has {} parameters", params.len());
            return Err(refused(&checker.env.terms, name, problem));
        };
        let domain = checker.instantiate(domain, &params[..index])?;
        let expected = checker.local_type(param)?;
        if !checker.is_def_eq(domain, expected)? {
            let problem = format!("its argument {} is not the parameter that its type has there", index + 1);
            return Err(refused(&checker.env.terms, name, problem));
        }
        at = body;
    }
    checker.instantiate(at, params)
}

/// A local of a binder's type, without the annotations that recursors leave out.
pub(super) fn local_of(checker: &mut Checker<'_, '_>, domain: ExprId) -> Result<ExprId, KernelError> {
    let mut at = domain;
    loop {
        checker.tick()?;
        match annotated(&checker.env.terms, at) {
            Some(inner) => at = inner,
            None => return Ok(checker.new_local(at)),
        }
    }
}

/// The type under `optParam`, `autoParam`, `outParam` or `semiOutParam`.
fn annotated(terms: &Terms, ty: ExprId) -> Option<ExprId> {
    let Expr::App(function, argument) = terms.expr(ty) else { return None };
    let (head, inner, two) = match terms.expr(function) {
        Expr::Const(name, _) => (name, argument, false),
        Expr::App(head, first) => match terms.expr(head) {
            Expr::Const(name, _) => (name, first, true),
            _ => return None,
        },
        _ => return None,
    };
    let Name::Str(NameId::ANONYMOUS, text) = terms.name(head) else { return None };
    let names: &[&str] = if two { &["optParam", "autoParam"] } else { &["outParam", "semiOutParam"] };
    names.contains(&text).then_some(inner)
}
