//! What follows from a declaration: the constants of its types, constructors and recursors.

use super::block::Declaration;
use super::fields::{self, CheckedConstructor};
use super::open::{Opened, open};
use super::{elimination, nested, recursor, source};
use crate::constant::{Constant, ConstantKind, ConstructorInfo, InductiveInfo};
use crate::kernel::{Checker, Environment, KernelError};
use crate::terms::{Expr, NameId};

/// The constants of a block, made by the kernel.
pub(super) struct Made {
    pub(super) types: Vec<Constant>,
    pub(super) constructors: Vec<Constant>,
    pub(super) recursors: Vec<Constant>,
}

impl Made {
    pub(super) fn constants(&self) -> impl Iterator<Item = &Constant> {
        self.types.iter().chain(&self.constructors).chain(&self.recursors)
    }
}

/// Checks a declaration and makes its constants. The environment is as before afterwards.
pub(super) fn generate(env: &mut Environment<'_>, declaration: &Declaration) -> Result<Made, KernelError> {
    let mut scratch = Vec::new();
    let made = with_scratch(env, declaration, &mut scratch);
    env.withdraw(&scratch);
    made
}

fn with_scratch(
    env: &mut Environment<'_>,
    declaration: &Declaration,
    scratch: &mut Vec<NameId>,
) -> Result<Made, KernelError> {
    let checker = &mut Checker::new(env, declaration.main(), declaration.level_params.clone());
    source::check(checker, declaration)?;
    let mut opened = open(checker, declaration, scratch)?;
    nested::eliminate(checker, &mut opened, scratch)?;
    let mut constructors = Vec::with_capacity(opened.types.len());
    for index in 0..opened.types.len() {
        let of_type = std::mem::take(&mut opened.types[index].constructors);
        let checked: Result<Vec<CheckedConstructor>, KernelError> = of_type
            .iter()
            .map(|constructor| fields::check(checker, &mut opened, index, constructor))
            .collect();
        constructors.push(checked?);
    }
    let universe = elimination::universe(checker, &opened, &constructors)?;
    let k = elimination::is_k(checker, &opened, &constructors)?;
    let recursors = recursor::make(checker, &opened, &constructors, universe, k)?;
    let types = types(checker, declaration, &mut opened, &constructors)?;
    Ok(Made { types, constructors: constructor_constants(declaration, &opened, &constructors), recursors })
}

fn types(
    checker: &mut Checker<'_, '_>,
    declaration: &Declaration,
    opened: &mut Opened,
    constructors: &[Vec<CheckedConstructor>],
) -> Result<Vec<Constant>, KernelError> {
    let (mut is_rec, mut is_reflexive) = (false, false);
    for field in constructors.iter().flatten().flat_map(|constructor| &constructor.fields) {
        if opened.occurrences.occur(checker, field.ty)? {
            is_rec = true;
            is_reflexive |= matches!(checker.env.terms.expr(field.ty), Expr::Pi(..));
        }
    }
    let of_type = |(index, ty): (usize, &super::block::TypeDeclaration)| {
        let info = InductiveInfo {
            num_params: declaration.num_params,
            num_indices: opened.types[index].indices.len() as u32,
            all: declaration.names(),
            constructors: ty.constructors.iter().map(|constructor| constructor.name).collect(),
            num_nested: (opened.types.len() - opened.num_declared) as u32,
            is_rec,
            is_unsafe: false,
            is_reflexive,
        };
        let level_params = declaration.level_params.clone();
        Constant { name: ty.name, level_params, ty: ty.ty, kind: ConstantKind::Inductive(info) }
    };
    Ok(declaration.types.iter().enumerate().map(of_type).collect())
}

fn constructor_constants(
    declaration: &Declaration,
    opened: &Opened,
    checked: &[Vec<CheckedConstructor>],
) -> Vec<Constant> {
    let mut constants = Vec::new();
    for (ty, checked) in declaration.types.iter().zip(&checked[..opened.num_declared]) {
        for ((constructor, checked), index) in ty.constructors.iter().zip(checked).zip(0..) {
            let info = ConstructorInfo {
                inductive: ty.name,
                index,
                num_params: declaration.num_params,
                num_fields: checked.fields.len() as u32,
                is_unsafe: false,
            };
            constants.push(Constant {
                name: constructor.name,
                level_params: declaration.level_params.clone(),
                ty: constructor.ty,
                kind: ConstantKind::Constructor(info),
            });
        }
    }
    constants
}
