//! Reads an answer: members, relations and units around formulas, whose grammar is in [`super::formula`].
//!
//! ```text
//! answer   = item { ("," | ";" | "and" | "or") item }
//! item     = [name "="] union { relation union } [unit]
//! union    = meet { "∪" meet }
//! meet     = part { "∩" part }
//! part     = "(" members ")" | "[" members "]" | "{" members "}" | matrix | words | formula
//! ```

use super::answer::{Answer, Bracket, Quantity};
use super::expr::Expr;
use super::formula::{MAX_DEPTH, MAX_NODES};
use super::latex::{Relation, Spanned, Symbol, symbols_of};
use super::number::NotPlain;
use super::unit::Unit;
use super::value::{MAX_BYTES, refuse};
use super::words::fold_text;
use crate::answer::trim;

/// Members of one answer.
const MAX_MEMBERS: usize = 256;

/// Words after which an answer is only explained.
pub(super) const REMARKS: &[&str] =
    &["where", "for", "with", "when", "since", "because", "as", "so", "which", "that"];

pub(super) type Result<T> = std::result::Result<T, NotPlain>;

/// An answer as it was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parsed {
    pub(super) answer: Answer,
    /// Something in it is not worked out: `2 + 3`, `6/4`, `\sqrt{8}`.
    pub(super) unevaluated: bool,
}

/// A place in the symbols, and what has been spent.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) symbols: Vec<Spanned>,
    pub(super) at: usize,
    pub(super) depth: u32,
    pub(super) num_nodes: usize,
    /// How `±` is read in this pass.
    pub(super) plus: bool,
    /// Open bars of absolute values: the next bar closes one.
    pub(super) bars: u32,
    /// Something is not worked out.
    pub(super) unevaluated: bool,
}

/// Reads a whole text as an answer.
pub(super) fn parse(text: &str) -> Result<Parsed> {
    let text = trim(text);
    if text.len() > MAX_BYTES {
        return Err(NotPlain::OverBudget(format!(
            "it is {} bytes; at most {MAX_BYTES} are read",
            text.len()
        )));
    }
    let symbols = symbols_of(text)?;
    if symbols.is_empty() {
        return Err(NotPlain::Empty);
    }
    let has_choice = symbols.iter().any(|it| matches!(it.symbol, Symbol::PlusMinus(_)));
    let first = pass(text, symbols.clone(), true)?;
    if !has_choice {
        return Ok(first);
    }
    let second = pass(text, symbols, false)?;
    let mut members = flatten(first.answer);
    for member in flatten(second.answer) {
        if !members.contains(&member) {
            members.push(member);
        }
    }
    Ok(Parsed { answer: single_or_list(members), unevaluated: first.unevaluated })
}

fn flatten(answer: Answer) -> Vec<Answer> {
    match answer {
        Answer::List(members) => members,
        one => vec![one],
    }
}

fn single_or_list(mut members: Vec<Answer>) -> Answer {
    if members.len() == 1 { members.swap_remove(0) } else { Answer::List(members) }
}

fn pass(text: &str, symbols: Vec<Spanned>, plus: bool) -> Result<Parsed> {
    let mut parser =
        Parser { text, symbols, at: 0, depth: 0, num_nodes: 0, plus, bars: 0, unevaluated: false };
    let members = parser.members(|symbol| symbol.is_none())?;
    Ok(Parsed { answer: single_or_list(members), unevaluated: parser.unevaluated })
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<&Symbol> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<&Symbol> {
        self.symbols.get(self.at + ahead).map(|it| &it.symbol)
    }

    pub(super) fn eat(&mut self, symbol: &Symbol) -> bool {
        let found = self.peek() == Some(symbol);
        self.at += usize::from(found);
        found
    }

    pub(super) fn eat_mark(&mut self, mark: char) -> bool {
        self.eat(&Symbol::Mark(mark))
    }

    /// Counts one more part of the formula.
    pub(super) fn node(&mut self) -> Result<()> {
        self.num_nodes += 1;
        if self.num_nodes > MAX_NODES {
            return Err(NotPlain::OverBudget(format!("it has more than {MAX_NODES} parts")));
        }
        Ok(())
    }

    /// Why what follows cannot.
    pub(super) fn unexpected(&self) -> NotPlain {
        match self.symbols.get(self.at) {
            None => NotPlain::unclear("the formula ends too early"),
            Some(spanned) => {
                let shown = &self.text[spanned.start..spanned.end.max(spanned.start)];
                NotPlain::unclear(format!("\"{shown}\" cannot stand where it does"))
            }
        }
    }

    /// Items up to a closing symbol, which is left where it is.
    fn members(&mut self, closes: impl Fn(Option<&Symbol>) -> bool) -> Result<Vec<Answer>> {
        let mut members = Vec::new();
        while !closes(self.peek()) {
            members.push(self.item()?);
            if members.len() > MAX_MEMBERS {
                return Err(NotPlain::OverBudget(format!("it has more than {MAX_MEMBERS} members")));
            }
            if self.is_remark() && closes(None) {
                self.skip_remark()?;
            }
            if closes(self.peek()) {
                break;
            }
            if !self.separator() || closes(self.peek()) {
                return Err(self.unexpected());
            }
        }
        if members.is_empty() { Err(NotPlain::Empty) } else { Ok(members) }
    }

    /// Skips what separates two members: a comma, a word, or both.
    fn separator(&mut self) -> bool {
        let has_comma = self.eat_mark(',') || self.eat_mark(';');
        let has_word = matches!(self.peek(), Some(Symbol::Word(word)) if is_joiner(word));
        self.at += usize::from(has_word);
        has_comma || has_word
    }

    /// Skips an explanation, which must not take the answer back.
    fn skip_remark(&mut self) -> Result<()> {
        for spanned in &self.symbols[self.at..] {
            if let Symbol::Word(word) = &spanned.symbol
                && !is_joiner(word)
            {
                refuse(word)?;
            }
        }
        self.at = self.symbols.len();
        Ok(())
    }

    /// Whether what follows only explains.
    fn is_remark(&self) -> bool {
        let behind_comma = usize::from(self.peek() == Some(&Symbol::Mark(',')));
        match self.peek_at(behind_comma) {
            Some(Symbol::Word(word)) => REMARKS.contains(&&*word.to_lowercase()),
            _ => false,
        }
    }

    /// One member: a part, or a relation between parts.
    fn item(&mut self) -> Result<Answer> {
        if let Some(name) = self.name() {
            let value = self.item()?;
            return Ok(Answer::Named(name, Box::new(value)));
        }
        let first = self.union()?;
        if self.eat(&Symbol::In) {
            return match first {
                Answer::Quantity(Quantity { expr: Expr::Variable(_), .. }) => self.union(),
                _ => Err(NotPlain::unclear("something other than a variable lies in a set")),
            };
        }
        if self.peek() == Some(&Symbol::Mark(':')) {
            return self.ratio(first);
        }
        if !matches!(self.peek(), Some(Symbol::Relation(_))) {
            return Ok(first);
        }
        let mut sides = vec![first];
        let mut signs = Vec::new();
        while let Some(Symbol::Relation(sign)) = self.peek() {
            signs.push(*sign);
            self.at += 1;
            sides.push(self.union()?);
        }
        relation(sides, signs)
    }

    /// `f(x) =`, `\text{area} =`, `\angle ABC =`: the name, and the cursor behind the sign.
    fn name(&mut self) -> Option<String> {
        let rest = &self.symbols[self.at..];
        let end = rest.iter().take(16).position(|it| {
            !matches!(
                it.symbol,
                Symbol::Word(_)
                    | Symbol::Letter(_)
                    | Symbol::Mark('(' | ')' | ',' | '_' | '\'')
                    | Symbol::Open
                    | Symbol::Close
                    | Symbol::Number(..)
            )
        })?;
        if rest[end].symbol != Symbol::Relation(Relation::Equal) || end == 0 {
            return None;
        }
        let has_word = rest[..end].iter().any(|it| matches!(it.symbol, Symbol::Word(_)));
        let is_call = matches!(
            rest[..end],
            [Spanned { symbol: Symbol::Letter(_), .. }, Spanned { symbol: Symbol::Mark('(' | '\''), .. }, ..]
        );
        if !has_word && !is_call {
            return None;
        }
        let joins = |it: &Spanned| matches!(&it.symbol, Symbol::Word(word) if is_joiner(word));
        if rest[..end].iter().any(joins) {
            return None;
        }
        let span = rest[0].start..rest[end - 1].end;
        self.at += end + 1;
        Some(fold_text(&self.text[span]))
    }

    /// `3 : 4`; what may be a time of day, `10:30`, is a text.
    fn ratio(&mut self, first: Answer) -> Result<Answer> {
        let digits = |symbol: Option<&Symbol>| match symbol {
            Some(Symbol::Number(_, Some(digits))) => Some((digits.len(), digits.parse::<u32>().ok()?)),
            _ => None,
        };
        let hours = digits(self.at.checked_sub(1).map(|at| &self.symbols[at].symbol));
        let minutes = digits(self.peek_at(1));
        let ends = matches!(self.peek_at(2), None | Some(Symbol::Mark(',' | ')' | ']')));
        if let (Some((_, hours)), Some((2, minutes)), true) = (hours, minutes, ends)
            && hours <= 24
            && minutes < 60
        {
            self.at += 2;
            return Ok(Answer::Text(format!("{hours}:{minutes:02}")));
        }
        let mut parts = vec![plain(first)?];
        while self.eat_mark(':') {
            parts.push(plain(self.part()?)?);
        }
        Ok(Answer::Ratio(parts))
    }

    fn union(&mut self) -> Result<Answer> {
        let mut parts = vec![self.intersection()?];
        while self.eat(&Symbol::Cup) {
            parts.push(self.intersection()?);
        }
        if parts.len() == 1 { Ok(parts.swap_remove(0)) } else { Ok(Answer::Union(parts)) }
    }

    fn intersection(&mut self) -> Result<Answer> {
        let mut parts = vec![self.part()?];
        while self.eat(&Symbol::Cap) {
            parts.push(self.part()?);
        }
        if parts.len() == 1 { Ok(parts.swap_remove(0)) } else { Ok(Answer::Intersection(parts)) }
    }

    fn part(&mut self) -> Result<Answer> {
        self.nested(Self::part_inside)
    }

    /// Reads something within something else. Every way round the grammar comes by here.
    pub(super) fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(NotPlain::OverBudget(format!("it is nested more than {MAX_DEPTH} deep")));
        }
        let read = inside(self);
        self.depth -= 1;
        read
    }

    fn part_inside(&mut self) -> Result<Answer> {
        match self.peek() {
            None => Err(NotPlain::Empty),
            Some(Symbol::Empty) => {
                self.at += 1;
                Ok(Answer::Set(Vec::new()))
            }
            Some(Symbol::Reals) => {
                self.at += 1;
                let end = |expr| Answer::bare(expr);
                let ends = vec![end(Expr::Infinity.neg()), end(Expr::Infinity)];
                Ok(Answer::Tuple(Bracket::Round, ends, Bracket::Round))
            }
            Some(Symbol::SetOpen) => {
                self.at += 1;
                self.set(Symbol::SetClose)
            }
            // Braces around a list are a set in plain text, and around a formula they only group.
            Some(Symbol::Open) if self.group_is_set() => {
                self.at += 1;
                self.set(Symbol::Close)
            }
            Some(Symbol::Begin) => self.matrix(),
            Some(Symbol::Mark('(' | '[') | Symbol::AngleOpen) => self.bracketed(),
            Some(Symbol::Word(_)) => self.words(),
            Some(_) => self.quantity(None),
        }
    }

    /// Whether an open brace encloses a comma at its own level, and ends what it begins.
    fn group_is_set(&self) -> bool {
        let mut level = 0_u32;
        let mut has_comma = false;
        for spanned in &self.symbols[self.at..] {
            match spanned.symbol {
                Symbol::Open | Symbol::SetOpen | Symbol::Mark('(' | '[') => level += 1,
                Symbol::Close | Symbol::SetClose | Symbol::Mark(')' | ']') => {
                    level = level.saturating_sub(1);
                    if level == 0 {
                        return has_comma;
                    }
                }
                Symbol::Mark(',') if level == 1 => has_comma = true,
                _ => {}
            }
        }
        false
    }

    fn set(&mut self, close: Symbol) -> Result<Answer> {
        if self.eat(&close) {
            return Ok(Answer::Set(Vec::new()));
        }
        let members = self.members(|symbol| symbol == Some(&close) || symbol.is_none())?;
        if !self.eat(&close) {
            return Err(NotPlain::unclear("a set is never closed"));
        }
        Ok(Answer::Set(members))
    }

    /// Members in round, square or angle brackets; a single one in equal brackets is a part of a formula.
    fn bracketed(&mut self) -> Result<Answer> {
        let start = self.at;
        let opening = match self.peek() {
            Some(Symbol::Mark('[')) => Bracket::Square,
            _ => Bracket::Round,
        };
        self.at += 1;
        let closes = |symbol: Option<&Symbol>| {
            matches!(symbol, None | Some(Symbol::Mark(')' | ']') | Symbol::AngleClose))
        };
        let mut members = self.members(closes)?;
        let closing = match self.peek() {
            Some(Symbol::Mark(']')) => Bracket::Square,
            Some(_) => Bracket::Round,
            None => return Err(NotPlain::unclear("a bracket is never closed")),
        };
        self.at += 1;
        if members.len() > 1 {
            return Ok(Answer::Tuple(opening, members, closing));
        }
        if opening != closing {
            return Err(NotPlain::unclear("brackets of two sorts around one member"));
        }
        match members.swap_remove(0) {
            // A list of one is not its member; other brackets only group.
            member @ Answer::Quantity(_) if opening == Bracket::Square && !self.continues() => {
                Ok(Answer::Tuple(opening, vec![member], closing))
            }
            Answer::Quantity(quantity) if quantity.unit == Unit::default() => {
                // Read again by the formula's grammar, which knows what may stand beside a bracket.
                self.at = start;
                self.quantity(None)
            }
            other => Ok(other),
        }
    }

    /// Whether a formula goes on.
    fn continues(&self) -> bool {
        let operator = matches!(self.peek(), Some(Symbol::Mark('+' | '-' | '*' | '/' | '^' | '!' | '%')));
        operator || matches!(self.peek(), Some(Symbol::PlusMinus(_) | Symbol::Degree)) || self.begins_atom()
    }

    fn matrix(&mut self) -> Result<Answer> {
        self.at += 1;
        let mut rows = vec![Vec::new()];
        loop {
            match self.peek() {
                Some(Symbol::End) => break,
                Some(Symbol::NewRow) => {
                    self.at += 1;
                    rows.push(Vec::new());
                }
                Some(Symbol::Mark('&')) => self.at += 1,
                None => return Err(NotPlain::unclear("a matrix is never closed")),
                Some(_) => {
                    let entry = plain(self.quantity(None)?)?;
                    // There is always a row.
                    if let Some(row) = rows.last_mut() {
                        row.push(entry);
                    }
                }
            }
        }
        self.at += 1;
        rows.retain(|row| !row.is_empty());
        let width = rows.first().map_or(0, Vec::len);
        if width == 0 || rows.iter().any(|row| row.len() != width) {
            return Err(NotPlain::unclear("a matrix whose rows are not of one length"));
        }
        Ok(Answer::Matrix(rows))
    }

    /// Words up to the next separator.
    fn words(&mut self) -> Result<Answer> {
        let start = self.symbols[self.at].start;
        let mut end = start;
        while let Some(spanned) = self.symbols.get(self.at) {
            let ends = match &spanned.symbol {
                Symbol::Mark(',' | ';') | Symbol::Relation(_) => true,
                Symbol::Mark(')' | ']') | Symbol::SetClose | Symbol::Close => true,
                Symbol::Word(word) => is_joiner(word),
                _ => false,
            };
            if ends && end > start {
                break;
            }
            end = spanned.end;
            self.at += 1;
        }
        let folded = fold_text(&self.text[start..end]);
        if folded.is_empty() { Err(NotPlain::Words) } else { Ok(Answer::Text(folded)) }
    }
}

/// Whether a word joins members.
pub(super) fn is_joiner(word: &str) -> bool {
    matches!(&*word.to_lowercase(), "and" | "or")
}

/// The expression of a bare quantity.
fn plain(answer: Answer) -> Result<Expr> {
    match answer {
        Answer::Quantity(quantity) => Ok(quantity.expr),
        _ => Err(NotPlain::unclear("something other than a number stands in a formula")),
    }
}

/// A relation of sides. A name alone on the left of a list or a text only names it.
fn relation(mut sides: Vec<Answer>, signs: Vec<Relation>) -> Result<Answer> {
    let all_quantities = sides.iter().all(|side| matches!(side, Answer::Quantity(_)));
    if all_quantities {
        let quantities = sides.into_iter().filter_map(|side| match side {
            Answer::Quantity(quantity) => Some(quantity),
            _ => None,
        });
        return Ok(Answer::Relation(quantities.collect(), signs));
    }
    match (sides.as_slice(), signs.as_slice()) {
        ([Answer::Quantity(Quantity { expr: Expr::Variable(name), .. }), _], [Relation::Equal]) => {
            let name = name.to_string();
            let value = sides.swap_remove(1);
            Ok(Answer::Named(name, Box::new(value)))
        }
        // `(x, y) = (1, 2)`: what is on the right is the answer.
        ([Answer::Tuple(..), _], [Relation::Equal]) => Ok(sides.swap_remove(1)),
        _ => Err(NotPlain::unclear("a relation between things that are no numbers")),
    }
}
