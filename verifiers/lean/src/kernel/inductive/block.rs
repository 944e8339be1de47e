//! What a module claims of an inductive block, and the declaration in it: names and types. All else follows from that,
//! and is compared with what was claimed.

use rustc_hash::{FxHashMap, FxHashSet};

use super::refused;
use crate::constant::{Constant, ConstantKind, InductiveInfo};
use crate::kernel::KernelError;
use crate::terms::{ExprId, Name, NameId, Terms};

/// An inductive block as a module claims it. Nothing in it is believed.
#[derive(Clone, Debug)]
pub struct Block {
    /// The types, in the order in which each of them lists all.
    pub types: Vec<Constant>,
    /// Their constructors, in any order.
    pub constructors: Vec<Constant>,
    /// Their recursors, in any order: one for each type and one for each type nested in others.
    pub recursors: Vec<Constant>,
}

/// A declaration of inductive types.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    pub(super) level_params: Vec<NameId>,
    pub(super) num_params: u32,
    pub(super) types: Vec<TypeDeclaration>,
}

#[derive(Clone, Debug)]
pub(super) struct TypeDeclaration {
    pub(super) name: NameId,
    pub(super) ty: ExprId,
    pub(super) constructors: Vec<ConstructorDeclaration>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct ConstructorDeclaration {
    pub(super) name: NameId,
    pub(super) ty: ExprId,
}

impl Declaration {
    /// The names of the types, in order.
    pub(super) fn names(&self) -> Vec<NameId> {
        self.types.iter().map(|ty| ty.name).collect()
    }

    /// The type after which the block is called in messages.
    pub(super) fn main(&self) -> NameId {
        self.types[0].name
    }
}

/// Takes the declaration out of a claimed block.
///
/// # Errors
/// The block is none: it is empty or unsafe, its types disagree about what belongs to it, a constructor is missing,
/// belongs elsewhere or is there twice.
pub(super) fn declaration(terms: &Terms, block: &Block) -> Result<Declaration, KernelError> {
    let Some(first) = block.types.first() else {
        return Err(refused(
            terms,
            terms.anonymous(),
            "an inductive block has at least one type, this one has none",
        ));
    };
    names_differ(terms, block)?;
    let first_info = inductive_info(terms, first)?;
    if first_info.all.iter().ne(block.types.iter().map(|ty| &ty.name)) {
        return Err(refused(
            terms,
            first.name,
            "its list of all types of the block is not the types of the block",
        ));
    }
    let mut constructors = ConstructorsByName::new(terms, block)?;
    let mut types = Vec::with_capacity(block.types.len());
    for ty in &block.types {
        let info = inductive_info(terms, ty)?;
        if info.all != first_info.all {
            return Err(refused(
                terms,
                ty.name,
                "its list of all types of the block differs from that of the first type",
            ));
        }
        if ty.level_params != first.level_params {
            return Err(refused(
                terms,
                ty.name,
                "its universe parameters differ from those of the first type of the block",
            ));
        }
        if info.num_params != first_info.num_params {
            let problem = format!(
                "it has {} parameters and the first type of the block {}: they must be the same",
                info.num_params, first_info.num_params
            );
            return Err(refused(terms, ty.name, problem));
        }
        let constructors = info
            .constructors
            .iter()
            .map(|&name| constructors.take(name, ty, first))
            .collect::<Result<_, _>>()?;
        types.push(TypeDeclaration { name: ty.name, ty: ty.ty, constructors });
    }
    constructors.none_left()?;
    Ok(Declaration { level_params: first.level_params.clone(), num_params: first_info.num_params, types })
}

fn inductive_info<'b>(terms: &Terms, constant: &'b Constant) -> Result<&'b InductiveInfo, KernelError> {
    match &constant.kind {
        ConstantKind::Inductive(info) if info.is_unsafe => Err(refused(
            terms,
            constant.name,
            "it is an unsafe inductive type: only safe ones take part in proofs",
        )),
        ConstantKind::Inductive(info) => Ok(info),
        _ => {
            let problem = format!("an inductive type was expected, it is an {}", constant.kind_name());
            Err(refused(terms, constant.name, problem))
        }
    }
}

/// No name twice in the block, no universe parameter twice, none of the names that are kept for the types that stand
/// for nested ones.
fn names_differ(terms: &Terms, block: &Block) -> Result<(), KernelError> {
    let mut seen = FxHashSet::default();
    for constant in block.types.iter().chain(&block.constructors).chain(&block.recursors) {
        if !seen.insert(constant.name) {
            return Err(refused(terms, constant.name, "its name is there twice in the block"));
        }
        if is_reserved(terms, constant.name) {
            return Err(refused(
                terms,
                constant.name,
                "names that begin with `_nested` are kept for the kernel",
            ));
        }
        let mut params = FxHashSet::default();
        if let Some(&twice) = constant.level_params.iter().find(|&&param| !params.insert(param)) {
            let problem = format!("the universe parameter `{}` is there twice", terms.show_name(twice));
            return Err(refused(terms, constant.name, problem));
        }
    }
    Ok(())
}

/// Whether a name begins with `_nested`, under which the kernel makes types of its own for a while.
pub(super) fn is_reserved(terms: &Terms, name: NameId) -> bool {
    let mut at = name;
    loop {
        match terms.name(at) {
            Name::Anonymous => return false,
            Name::Str(NameId::ANONYMOUS, text) => return text == "_nested",
            Name::Str(prefix, _) | Name::Num(prefix, _) => at = prefix,
        }
    }
}

/// The claimed constructors that no type has asked for yet.
struct ConstructorsByName<'b> {
    terms: &'b Terms,
    waiting: FxHashMap<NameId, &'b Constant>,
}

impl<'b> ConstructorsByName<'b> {
    fn new(terms: &'b Terms, block: &'b Block) -> Result<Self, KernelError> {
        for constant in &block.constructors {
            if !matches!(&constant.kind, ConstantKind::Constructor(_)) {
                let problem = format!("a constructor was expected, it is an {}", constant.kind_name());
                return Err(refused(terms, constant.name, problem));
            }
        }
        Ok(Self {
            terms,
            waiting: block.constructors.iter().map(|constant| (constant.name, constant)).collect(),
        })
    }

    fn take(
        &mut self,
        name: NameId,
        ty: &Constant,
        first: &Constant,
    ) -> Result<ConstructorDeclaration, KernelError> {
        let Some(constant) = self.waiting.remove(&name) else {
            let problem =
                format!("its constructor `{}` is missing or there twice", self.terms.show_name(name));
            return Err(refused(self.terms, ty.name, problem));
        };
        if constant.level_params != first.level_params {
            return Err(refused(self.terms, name, "its universe parameters differ from those of its type"));
        }
        Ok(ConstructorDeclaration { name, ty: constant.ty })
    }

    fn none_left(&self) -> Result<(), KernelError> {
        match self.waiting.keys().min() {
            None => Ok(()),
            Some(&name) => Err(refused(self.terms, name, "it is no constructor of a type of the block")),
        }
    }
}
