//! An environment for tests, blocks from text, and the claims about them that are right.

use super::super::block::{self, Block, ConstructorDeclaration, Declaration, TypeDeclaration};
use super::super::generate::generate;
use super::text;
use crate::constant::{Constant, ConstantKind, Hints, RecursorInfo, Safety};
use crate::kernel::{Budget, Environment, KernelError, ReadError, Trusted};
use crate::terms::{ExprId, NameId, Terms};

/// No imported modules.
pub(crate) struct Nothing;

impl Trusted for Nothing {
    fn constant(&self, _: &mut Terms, _: NameId) -> Result<Option<Constant>, ReadError> {
        Ok(None)
    }
}

/// A type of a block: name, type, constructors with types.
pub(crate) type TypeText<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);

pub(crate) struct Lab {
    pub(crate) env: Environment<'static>,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let budget = Budget::new(5_000_000, 2_000_000, 400);
        Self { env: Environment::new(Terms::new(), &Nothing, budget) }
    }

    /// A lab that has `Nat`, `Eq`, `List`, `Prod`, `False` and `True`.
    pub(crate) fn furnished() -> Self {
        let mut lab = Self::new();
        lab.add(&[], 0, &[("False", "Prop", &[])]);
        lab.add(&[], 0, &[("True", "Prop", &[("True.intro", "True")])]);
        lab.add(&[], 0, NAT);
        lab.add(&["u"], 2, EQ);
        lab.add(&["u"], 1, LIST);
        lab.add(&["u", "v"], 2, PROD);
        lab
    }

    pub(crate) fn name(&mut self, text: &str) -> NameId {
        text::name(&mut self.env.terms, text)
    }

    pub(crate) fn term(&mut self, text: &str) -> ExprId {
        text::term(&mut self.env.terms, text)
    }

    fn names(&mut self, texts: &[&str]) -> Vec<NameId> {
        texts.iter().map(|text| self.name(text)).collect()
    }

    fn declaration(&mut self, level_params: &[&str], num_params: u32, types: &[TypeText<'_>]) -> Declaration {
        let level_params = self.names(level_params);
        let types = types
            .iter()
            .map(|&(name, ty, constructors)| TypeDeclaration {
                name: self.name(name),
                ty: self.term(ty),
                constructors: constructors
                    .iter()
                    .map(|&(name, ty)| ConstructorDeclaration { name: self.name(name), ty: self.term(ty) })
                    .collect(),
            })
            .collect();
        Declaration { level_params, num_params, types }
    }

    /// What is right to claim of a declaration, or why it is wrong.
    pub(crate) fn try_block(
        &mut self,
        level_params: &[&str],
        num_params: u32,
        types: &[TypeText<'_>],
    ) -> Result<Block, KernelError> {
        let declaration = self.declaration(level_params, num_params, types);
        let made = generate(&mut self.env, &declaration)?;
        Ok(Block { types: made.types, constructors: made.constructors, recursors: made.recursors })
    }

    /// What is right to claim of a declaration.
    pub(crate) fn block(&mut self, level_params: &[&str], num_params: u32, types: &[TypeText<'_>]) -> Block {
        self.try_block(level_params, num_params, types).unwrap()
    }

    /// Declares a block.
    pub(crate) fn add(&mut self, level_params: &[&str], num_params: u32, types: &[TypeText<'_>]) -> Block {
        let block = self.block(level_params, num_params, types);
        assert_eq!(block::declaration(&self.env.terms, &block).unwrap().types.len(), types.len());
        self.env.add_inductive(&block).unwrap();
        block
    }

    /// Why a declaration is wrong.
    pub(crate) fn wrong(&mut self, level_params: &[&str], num_params: u32, types: &[TypeText<'_>]) -> String {
        let before = self.env.terms.num_nodes();
        let problem = self.try_block(level_params, num_params, types).unwrap_err();
        assert!(before <= self.env.terms.num_nodes());
        for &(name, ..) in types {
            let name = self.name(name);
            assert!(self.env.get(name).unwrap().is_none(), "what is refused leaves nothing behind");
        }
        problem.to_string()
    }

    /// Adds a definition.
    pub(crate) fn define(&mut self, name: &str, level_params: &[&str], ty: &str, value: &str) {
        let constant = self.definition(name, level_params, ty, value);
        self.env.add(constant).unwrap();
    }

    pub(crate) fn definition(
        &mut self,
        name: &str,
        level_params: &[&str],
        ty: &str,
        value: &str,
    ) -> Constant {
        let (name, level_params) = (self.name(name), self.names(level_params));
        let (ty, value) = (self.term(ty), self.term(value));
        let kind = ConstantKind::Definition { value, hints: Hints::Abbreviation, safety: Safety::Safe };
        Constant { name, level_params, ty, kind }
    }

    /// Compares a recursor with how Lean writes it: its universe parameters, its type, its rules' right-hand sides.
    pub(crate) fn recursor(
        &mut self,
        block: &Block,
        name: &str,
        params: &[&str],
        ty: &str,
        rules: &[(&str, u32, &str)],
    ) {
        let (name, params) = (self.name(name), self.names(params));
        let constant = block.recursors.iter().find(|constant| constant.name == name).unwrap();
        assert_eq!(constant.level_params, params);
        let written = self.term(ty);
        self.same(constant.ty, written);
        let info = recursor_info(constant);
        assert_eq!(info.rules.len(), rules.len());
        for (rule, &(constructor, num_fields, rhs)) in info.rules.iter().zip(rules) {
            assert_eq!((rule.constructor, rule.num_fields), (self.name(constructor), num_fields));
            let written = self.term(rhs);
            self.same(rule.rhs, written);
        }
    }

    fn same(&self, made: ExprId, written: ExprId) {
        assert_eq!(made, written, "{}\n{}", self.env.terms.show(made), self.env.terms.show(written));
    }
}

pub(crate) fn recursor_info(constant: &Constant) -> &RecursorInfo {
    match &constant.kind {
        ConstantKind::Recursor(info) => info,
        _ => panic!("{} is no recursor", constant.kind_name()),
    }
}

pub(crate) const NAT: &[TypeText<'static>] =
    &[("Nat", "Type", &[("Nat.zero", "Nat"), ("Nat.succ", "forall (n : Nat), Nat")])];

pub(crate) const EQ: &[TypeText<'static>] = &[(
    "Eq",
    "forall (A : Sort u) (a b : A), Prop",
    &[("Eq.refl", "forall (A : Sort u) (a : A), Eq.{u} A a a")],
)];

pub(crate) const LIST: &[TypeText<'static>] = &[(
    "List",
    "forall (A : Type u), Type u",
    &[
        ("List.nil", "forall (A : Type u), List.{u} A"),
        ("List.cons", "forall (A : Type u) (head : A) (tail : List.{u} A), List.{u} A"),
    ],
)];

pub(crate) const PROD: &[TypeText<'static>] = &[(
    "Prod",
    "forall (A : Type u) (B : Type v), Type (max u v)",
    &[("Prod.mk", "forall (A : Type u) (B : Type v) (fst : A) (snd : B), Prod.{u, v} A B")],
)];
