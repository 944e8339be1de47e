//! Literals: what they stand for, and whether the environment has what they stand for.
//!
//! A literal of type `Nat` stands for `Nat.succ` applied so many times to `Nat.zero`, one of type `String` for a
//! constant that makes a string of a list of characters. That is right only if these constants are what their names
//! say. Whoever writes a prelude of their own may have called an empty type `Nat`, so their types are compared first.

use num_traits::Zero;

use super::KernelError;
use super::checker::Checker;
use crate::constant::ConstantKind;
use crate::terms::{Expr, ExprId, Level, LevelId, LevelsId, NameId, NatId, StrId, Terms};

/// Which literals the environment is known to support. What is not there yet may be declared later.
#[derive(Clone, Copy, Default)]
pub(crate) struct Literals {
    nat: bool,
    /// The constant that makes a string of a list of characters, once the right one was found.
    string: Option<NameId>,
}

impl Checker<'_, '_> {
    /// The type `Nat`, for a literal; refuses where `Nat` is not the type of natural numbers.
    pub(super) fn nat_literal_type(&mut self) -> Result<ExprId, KernelError> {
        if !self.has_nat_literals()? {
            return Err(self.refuse("a literal of type Nat, where Nat is not the type of natural numbers"));
        }
        let nat = self.env.known.nat;
        Ok(self.env.terms.constant(nat, LevelsId::EMPTY))
    }

    /// The type `String`, for a literal; refuses where strings are not made of lists of characters.
    pub(super) fn string_literal_type(&mut self) -> Result<ExprId, KernelError> {
        if self.string_maker()?.is_none() {
            return Err(self.refuse(
                "a literal of type String, where String is not a type that is made of lists of characters",
            ));
        }
        let string = self.env.known.string;
        Ok(self.env.terms.constant(string, LevelsId::EMPTY))
    }

    /// Whether `Nat` is the type of natural numbers.
    pub(super) fn has_nat_literals(&mut self) -> Result<bool, KernelError> {
        if !self.env.literals.nat {
            self.env.literals.nat = self.find_nat()?;
        }
        Ok(self.env.literals.nat)
    }

    fn find_nat(&mut self) -> Result<bool, KernelError> {
        let (nat, zero, succ) = (self.env.known.nat, self.env.known.nat_zero, self.env.known.nat_succ);
        let Some(constant) = self.env.get(nat)? else { return Ok(false) };
        let ConstantKind::Inductive(info) = &constant.kind else { return Ok(false) };
        let shape = constant.level_params.is_empty()
            && info.num_params == 0
            && info.num_indices == 0
            && info.constructors == [zero, succ]
            && !info.is_unsafe;
        let nat_type = self.env.terms.constant(nat, LevelsId::EMPTY);
        let one = self.env.terms.succ(LevelId::ZERO);
        let type_type = self.env.terms.sort(one);
        let succ_type = self.env.terms.pi(nat_type, nat_type);
        Ok(shape
            && constant.ty == type_type
            && self.is_constructor_of(zero, nat, nat_type)?
            && self.is_constructor_of(succ, nat, succ_type)?)
    }

    fn is_constructor_of(
        &mut self,
        name: NameId,
        inductive: NameId,
        ty: ExprId,
    ) -> Result<bool, KernelError> {
        let Some(constant) = self.env.get(name)? else { return Ok(false) };
        let ConstantKind::Constructor(info) = &constant.kind else { return Ok(false) };
        Ok(info.inductive == inductive && constant.level_params.is_empty() && constant.ty == ty)
    }

    /// The constant that makes a string of a list of characters: `String.mk` where that is the constructor, else
    /// `String.ofList`.
    fn string_maker(&mut self) -> Result<Option<NameId>, KernelError> {
        if self.env.literals.string.is_none() {
            self.env.literals.string = self.find_string_maker()?;
        }
        Ok(self.env.literals.string)
    }

    fn find_string_maker(&mut self) -> Result<Option<NameId>, KernelError> {
        if !self.has_nat_literals()? || !self.has_lists_of_characters()? {
            return Ok(None);
        }
        let string = self.env.known.string;
        let Some(constant) = self.env.get(string)? else { return Ok(None) };
        let ConstantKind::Inductive(info) = &constant.kind else { return Ok(None) };
        let terms = &mut self.env.terms;
        let one = terms.succ(LevelId::ZERO);
        let type_type = terms.sort(one);
        if !constant.level_params.is_empty() || constant.ty != type_type || info.is_unsafe {
            return Ok(None);
        }
        let maker = if info.constructors == [self.env.known.string_mk] {
            self.env.known.string_mk
        } else {
            self.env.known.string_of_list
        };
        let terms = &mut self.env.terms;
        let zero_list = terms.levels(&[LevelId::ZERO]);
        let list = terms.constant(self.env.known.list, zero_list);
        let char = terms.constant(self.env.known.char, LevelsId::EMPTY);
        let list_of_char = terms.app(list, char);
        let string_type = terms.constant(string, LevelsId::EMPTY);
        let maker_type = terms.pi(list_of_char, string_type);
        let right = self.is_safe_of_type(maker, maker_type)?;
        Ok(right.then_some(maker))
    }

    /// Whether `Char.ofNat`, `List.nil` and `List.cons` have the types that string literals need.
    fn has_lists_of_characters(&mut self) -> Result<bool, KernelError> {
        let (nat, char) = (self.env.known.nat, self.env.known.char);
        let (nil, cons) = (self.env.known.list_nil, self.env.known.list_cons);
        let terms = &mut self.env.terms;
        let nat = terms.constant(nat, LevelsId::EMPTY);
        let char = terms.constant(char, LevelsId::EMPTY);
        let of_nat_type = terms.pi(nat, char);
        let of_nat = self.env.known.char_of_nat;
        if !self.is_safe_of_type(of_nat, of_nat_type)? {
            return Ok(false);
        }
        let Some(nil_type) = self.list_constructor_type(nil, false)? else { return Ok(false) };
        let Some(cons_type) = self.list_constructor_type(cons, true)? else { return Ok(false) };
        Ok(self.is_safe_of_type(nil, nil_type)? && self.is_safe_of_type(cons, cons_type)?)
    }

    /// `{α : Type u} → List α` for the parameter that the constant has, or `{α : Type u} → α → List α → List α`.
    fn list_constructor_type(&mut self, name: NameId, cons: bool) -> Result<Option<ExprId>, KernelError> {
        let list = self.env.known.list;
        let Some(constant) = self.env.get(name)? else { return Ok(None) };
        let [param] = constant.level_params[..] else { return Ok(None) };
        let terms = &mut self.env.terms;
        let level = terms.param(param);
        let levels = terms.levels(&[level]);
        let above = terms.succ(level);
        let sort = terms.sort(above);
        let list = terms.constant(list, levels);
        let element = |terms: &mut Terms, index| {
            let variable = terms.bvar(index);
            (variable, terms.app(list, variable))
        };
        let body = if cons {
            let (head, _) = element(terms, 0);
            let (_, tail) = element(terms, 1);
            let (_, whole) = element(terms, 2);
            let inner = terms.pi(tail, whole);
            terms.pi(head, inner)
        } else {
            element(terms, 0).1
        };
        Ok(Some(terms.pi(sort, body)))
    }

    /// Whether there is a constant of that name and type. An axiom only counts if it is trusted, as one is whose value
    /// was left out of its module: literals do not mention it, so nobody would see that they rest on it.
    fn is_safe_of_type(&mut self, name: NameId, ty: ExprId) -> Result<bool, KernelError> {
        let Some(constant) = self.env.get(name)? else { return Ok(false) };
        let assumed = matches!(constant.kind, ConstantKind::Axiom { .. }) && !self.env.is_trusted(name)?;
        Ok(constant.ty == ty && !constant.is_unsafe() && !assumed)
    }

    /// What a literal of type `Nat` stands for: `Nat.zero`, or `Nat.succ` of the literal before.
    pub(super) fn expand_nat(&mut self, value: NatId) -> Result<ExprId, KernelError> {
        if self.env.terms.nat_value(value).is_zero() {
            let zero = self.env.known.nat_zero;
            return Ok(self.env.terms.constant(zero, LevelsId::EMPTY));
        }
        let before = self.literal_before(value)?;
        let succ = self.env.known.nat_succ;
        let succ = self.env.terms.constant(succ, LevelsId::EMPTY);
        Ok(self.env.terms.app(succ, before))
    }

    /// What a string literal stands for; `None` where the environment has no strings.
    pub(super) fn expand_string(&mut self, text: StrId) -> Result<Option<ExprId>, KernelError> {
        let Some(maker) = self.string_maker()? else { return Ok(None) };
        let letters: Vec<char> = self.env.terms.str_value(text).chars().collect();
        let terms = &mut self.env.terms;
        let zero_list = terms.levels(&[LevelId::ZERO]);
        let char = terms.constant(self.env.known.char, LevelsId::EMPTY);
        let nil = terms.constant(self.env.known.list_nil, zero_list);
        let cons = terms.constant(self.env.known.list_cons, zero_list);
        let of_nat = terms.constant(self.env.known.char_of_nat, LevelsId::EMPTY);
        let cons = terms.app(cons, char);
        let mut list = terms.app(nil, char);
        for &letter in letters.iter().rev() {
            self.tick()?;
            let terms = &mut self.env.terms;
            let code = terms.nat(u32::from(letter).into());
            let letter = terms.app(of_nat, code);
            list = terms.apps(cons, &[letter, list]);
        }
        let maker = self.env.terms.constant(maker, LevelsId::EMPTY);
        Ok(Some(self.env.terms.app(maker, list)))
    }

    /// Whether a term is the constant that makes strings of lists, applied to a list.
    pub(super) fn is_made_string(&mut self, e: ExprId) -> Result<bool, KernelError> {
        let Expr::App(function, _) = self.env.terms.expr(e) else { return Ok(false) };
        let Expr::Const(name, _) = self.env.terms.expr(function) else { return Ok(false) };
        Ok(self.string_maker()? == Some(name))
    }

    /// Whether a level is zero for every choice of the parameters.
    pub(super) fn is_zero_level(&mut self, level: LevelId) -> Result<bool, KernelError> {
        match self.env.terms.level(level) {
            Level::Zero => Ok(true),
            Level::Succ(_) | Level::Param(_) => Ok(false),
            Level::Max(..) | Level::IMax(..) => self.is_level_eq(level, LevelId::ZERO),
        }
    }
}
