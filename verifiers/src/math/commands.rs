//! Commands of LaTeX that have arguments which are no formulas: the gap between rows, environments, names of functions,
//! letters of another font.

use super::latex::{Lexer, Symbol};
use super::number::NotPlain;
use super::symbols;

impl Lexer<'_> {
    /// The gap that may stand behind the end of a row: `[2pt]`.
    pub(super) fn gap(&mut self) {
        let gap = self.rest().strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let is_length = |gap: &str| {
            let unit = gap.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | '-'));
            unit.len() < gap.len() && matches!(unit, "pt" | "em" | "ex" | "mm" | "cm")
        };
        if let Some((gap, _)) = gap.filter(|(gap, _)| is_length(gap)) {
            self.skip(gap.len() + 2);
        }
    }

    /// `\begin{pmatrix}`, with the columns that an `array` declares.
    pub(super) fn environment(&mut self, begins: bool, len: usize) -> Result<(), NotPlain> {
        let rest = &self.rest()[len..];
        let known = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).filter(|(name, _)| {
            let name = name.trim_end_matches('*');
            matches!(name, "matrix" | "pmatrix" | "bmatrix" | "Bmatrix" | "smallmatrix")
                || matches!(name, "array" | "aligned" | "gathered")
        });
        let Some((name, behind)) = known else {
            return Err(NotPlain::unclear("an environment that is no matrix"));
        };
        let mut len = len + name.len() + 2;
        if begins
            && name == "array"
            && let Some((columns, _)) = behind.strip_prefix('{').and_then(|it| it.split_once('}'))
        {
            len += columns.len() + 2;
        }
        self.push(if begins { Symbol::Begin } else { Symbol::End }, len);
        Ok(())
    }

    /// `\operatorname{lcm}`.
    pub(super) fn operator(&mut self, len: usize) -> Result<(), NotPlain> {
        let inner =
            self.rest()[len..].trim_start_matches('*').strip_prefix('{').and_then(|it| it.split_once('}'));
        let Some((name, _)) = inner else { return Err(NotPlain::unclear("\\operatorname without a name")) };
        let skipped = len + name.len() + 2 + usize::from(self.rest()[len..].starts_with('*'));
        match symbols::of_letters(name.trim(), false) {
            symbols::Letters::One(symbol) => self.push(symbol, skipped),
            symbols::Letters::Each => self.push(Symbol::Word(name.trim().into()), skipped),
        }
        Ok(())
    }

    /// `\mathbb{R}`, and other letters of that font.
    pub(super) fn blackboard(&mut self, len: usize) -> Result<(), NotPlain> {
        let rest = self.rest()[len..].trim_start();
        let skipped = self.rest().len() - rest.len();
        let braced = rest.strip_prefix('{').and_then(|it| it.split_once('}'));
        let (letter, length) = match braced {
            Some((letter, _)) => (letter, letter.len() + 2),
            None => (rest.get(..1).unwrap_or_default(), 1),
        };
        match letter {
            "R" => self.push(Symbol::Reals, skipped + length),
            "" => return Err(NotPlain::unclear("a font without a letter")),
            _ => self.push(Symbol::Word(letter.into()), skipped + length),
        }
        Ok(())
    }
}
