//! Splits the text of a formula, LaTeX or plain, into symbols for [`super::parse`].
//!
//! One pass from left to right, no backtracking. What only arranges a formula (`\left`, `\,`, `\displaystyle`, math
//! delimiters, fonts) is dropped. `\text{...}` gives words where a formula's letters are variables.

use num_rational::BigRational;

use super::expr::Function;
use super::lex::{digit, dollars_are_money, fold, is_invisible, superscript, vulgar};
use super::number::NotPlain;
use super::numeral::{decimal, numeral, repeating};
use super::symbols;

/// What formulas are written with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Symbol {
    /// A number; its digits, where it is written with digits alone.
    Number(BigRational, Option<Box<str>>),
    /// A variable: one letter, or a Greek one by its name.
    Letter(Box<str>),
    /// A word of prose, a unit, a name.
    Word(Box<str>),
    Function(Function),
    Pi,
    Infinity,
    Degree,
    /// A currency sign: the canonical name of its unit.
    Money(&'static str),
    /// `\frac` and its kin.
    Frac,
    /// `\binom` and its kin.
    Binomial,
    /// `\sqrt`, `√`: the root's degree, where the command says it.
    Root(i64),
    /// `\overline`, where it stands for a conjugate.
    Overline,
    /// All real numbers.
    Reals,
    /// The set without elements.
    Empty,
    /// A comparison.
    Relation(Relation),
    Cup,
    Cap,
    In,
    /// True for `±`, false for `∓`.
    PlusMinus(bool),
    /// `\begin` and `\end` of a matrix; its kind of brackets is of no matter.
    Begin,
    End,
    /// `\{` and `\}`.
    SetOpen,
    SetClose,
    /// `{` and `}` that group.
    Open,
    Close,
    /// The brackets `<` and `>` of a vector.
    AngleOpen,
    AngleClose,
    FloorOpen,
    FloorClose,
    CeilOpen,
    CeilClose,
    /// `\\`, a new row of a matrix.
    NewRow,
    /// Any of `+ - * / ^ _ ! % ( ) [ ] | , ; : ' &`.
    Mark(char),
}

/// A comparison's sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    /// `≈`, which commits to nothing exact.
    Approximate,
}

/// A symbol and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spanned {
    pub(super) symbol: Symbol,
    pub(super) start: usize,
    pub(super) end: usize,
    /// White space stands before it.
    pub(super) spaced: bool,
    /// It stands within `\text{...}`.
    pub(super) text: bool,
}

/// What an open brace encloses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Brace {
    Group,
    Text,
}

/// The symbols of a text.
pub(super) fn symbols_of(text: &str) -> Result<Vec<Spanned>, NotPlain> {
    let mut lexer = Lexer {
        text,
        at: 0,
        symbols: Vec::new(),
        braces: Vec::new(),
        text_next: false,
        spaced: false,
        brackets: 0,
        dollar_is_money: dollars_are_money(text),
    };
    while let Some(next) = lexer.rest().chars().next() {
        lexer.step(next)?;
    }
    if !lexer.braces.is_empty() {
        return Err(NotPlain::unclear("a brace is never closed"));
    }
    Ok(lexer.symbols)
}

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    symbols: Vec<Spanned>,
    braces: Vec<Brace>,
    /// The next brace opens a text.
    text_next: bool,
    spaced: bool,
    /// Open brackets, within which a comma separates members, and never thousands.
    brackets: u32,
    dollar_is_money: bool,
}

impl<'a> Lexer<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn in_text(&self) -> bool {
        self.braces.contains(&Brace::Text)
    }

    pub(super) fn push(&mut self, symbol: Symbol, len: usize) {
        match symbol {
            Symbol::Mark('(' | '[') | Symbol::SetOpen => self.brackets += 1,
            Symbol::Mark(')' | ']') | Symbol::SetClose => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        let (start, end, text) = (self.at, self.at + len, self.in_text());
        self.at = end;
        self.symbols.push(Spanned { symbol, start, end, spaced: std::mem::take(&mut self.spaced), text });
    }

    pub(super) fn skip(&mut self, len: usize) {
        self.at += len;
    }

    fn blank(&mut self, len: usize) {
        self.spaced = true;
        self.at += len;
    }

    fn step(&mut self, next: char) -> Result<(), NotPlain> {
        let len = next.len_utf8();
        let folded = fold(next);
        if self.text_next && folded != '{' && !next.is_whitespace() {
            self.text_next = false;
        }
        if digit(folded).is_some() || (next == '.' && self.starts_decimals(len)) {
            return self.number();
        }
        if superscript(next).is_some() {
            self.superscripts();
            return Ok(());
        }
        if subscript(next).is_some() {
            self.subscripts();
            return Ok(());
        }
        if folded == '.' && (self.in_text() || self.rest().len() == 1) {
            self.blank(len);
            return Ok(());
        }
        if let Some((numerator, denominator)) = vulgar(next) {
            let value = BigRational::new(numerator.into(), denominator.into());
            self.push(Symbol::Number(value, None), len);
            return Ok(());
        }
        match folded {
            '\\' if next == '\\' => return self.command(),
            '{' => self.open(len),
            '}' => return self.close(len),
            '$' if !self.dollar_is_money => self.skip(len),
            '*' if self.rest().starts_with("**") => self.stars(),
            '<' if self.rest().starts_with("<=") => self.push(Symbol::Relation(Relation::LessEqual), 2),
            '>' if self.rest().starts_with(">=") => self.push(Symbol::Relation(Relation::GreaterEqual), 2),
            '!' if self.rest().starts_with("!=") => self.push(Symbol::Relation(Relation::NotEqual), 2),
            '=' if self.rest().starts_with("==") => self.push(Symbol::Relation(Relation::Equal), 2),
            '+' if self.rest().starts_with("+/-") => self.push(Symbol::PlusMinus(true), 3),
            '+' if self.rest().starts_with("+-") => self.push(Symbol::PlusMinus(true), 2),
            // Within a matrix a lone line of a table, elsewhere emphasis.
            '`' | '"' | '“' | '”' => self.skip(len),
            _ if is_invisible(folded) => self.skip(len),
            _ if next.is_whitespace() || matches!(folded, '~') => self.blank(len),
            _ => return self.character(next, folded),
        }
        Ok(())
    }

    /// `**` is a power between operands, and otherwise bold type.
    fn stars(&mut self) {
        let operand = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '(' | ')'));
        let before = self.text[..self.at].chars().next_back();
        let behind = self.rest()[2..].trim_start_matches(['-', '(']).chars().next();
        if operand(before) && operand(behind) { self.push(Symbol::Mark('^'), 2) } else { self.skip(2) }
    }

    fn character(&mut self, next: char, folded: char) -> Result<(), NotPlain> {
        let len = next.len_utf8();
        if let Some(symbol) = symbols::of_character(folded) {
            self.push(symbol, len);
            return Ok(());
        }
        if folded.is_alphabetic() {
            self.letters();
            return Ok(());
        }
        Err(NotPlain::unclear(format!("\"{next}\" is part of no formula")))
    }

    fn open(&mut self, len: usize) {
        if std::mem::take(&mut self.text_next) {
            self.braces.push(Brace::Text);
            self.blank(len);
        } else {
            self.braces.push(Brace::Group);
            self.push(Symbol::Open, len);
        }
    }

    fn close(&mut self, len: usize) -> Result<(), NotPlain> {
        match self.braces.pop() {
            Some(Brace::Group) => self.push(Symbol::Close, len),
            Some(Brace::Text) => self.blank(len),
            None => return Err(NotPlain::unclear("a brace is closed that was never opened")),
        }
        Ok(())
    }

    /// Whether a point begins a number: `.5`, `.\overline{3}`.
    fn starts_decimals(&self, len: usize) -> bool {
        let behind = &self.rest()[len..];
        behind.chars().next().is_some_and(|c| digit(fold(c)).is_some()) || repeating(behind).is_some()
    }

    fn number(&mut self) -> Result<(), NotPlain> {
        let numeral = numeral(self.rest(), self.brackets > 0)?;
        self.push(Symbol::Number(numeral.value, numeral.digits), numeral.len);
        Ok(())
    }

    /// A run of superscripts is a power.
    fn superscripts(&mut self) {
        self.push(Symbol::Mark('^'), 0);
        self.push(Symbol::Open, 0);
        let (mut digits, mut len) = (String::new(), 0);
        for next in self.rest().chars() {
            match superscript(next) {
                Some((true, _)) if digits.is_empty() => self.push(Symbol::Mark('-'), next.len_utf8()),
                Some((false, value)) => {
                    digits.push(char::from(b'0' + value));
                    len += next.len_utf8();
                }
                _ => break,
            }
        }
        if !digits.is_empty() {
            self.push(Symbol::Number(decimal(&digits, 0, ""), Some(digits.into())), len);
        }
        self.push(Symbol::Close, 0);
    }

    /// A run of subscripts is an index.
    fn subscripts(&mut self) {
        self.push(Symbol::Mark('_'), 0);
        let digits: String = self.rest().chars().map_while(subscript).collect();
        // Each of them is three bytes.
        let len = 3 * digits.len();
        self.push(Symbol::Number(decimal(&digits, 0, ""), Some(digits.into())), len);
    }

    /// A run of letters: a function, a word, or variables side by side.
    fn letters(&mut self) {
        // Full-width letters are as long as they are written.
        let mut run: Vec<(char, usize)> = Vec::new();
        let mut chars = self.rest().chars().peekable();
        while let Some(next) = chars.next() {
            // One letter by another with a hyphen is a difference, but for words of a text.
            let joins = matches!(next, '\'' | '’' | '-')
                && self.in_text()
                && run.len() > 1
                && chars.peek().is_some_and(|it| it.is_alphabetic());
            if !(fold(next).is_alphabetic() || joins) {
                break;
            }
            run.push((if next == '’' { '\'' } else { fold(next) }, next.len_utf8()));
        }
        let letters: String = run.iter().map(|(letter, _)| *letter).collect();
        match symbols::of_letters(&letters, self.in_text()) {
            symbols::Letters::One(symbol) => self.push(symbol, run.iter().map(|(_, len)| len).sum()),
            symbols::Letters::Each => {
                for (letter, len) in run {
                    self.push(Symbol::Letter(letter.to_string().into()), len);
                }
            }
        }
    }

    /// A backslash and what it escapes or commands.
    fn command(&mut self) -> Result<(), NotPlain> {
        let rest = &self.rest()[1..];
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
        if name.is_empty() {
            let Some(escaped) = rest.chars().next() else {
                return Err(NotPlain::unclear("a backslash at the end"));
            };
            let len = 1 + escaped.len_utf8();
            match escaped {
                '\\' => {
                    self.push(Symbol::NewRow, len);
                    self.gap();
                }
                '{' => self.push(Symbol::SetOpen, len),
                '}' => self.push(Symbol::SetClose, len),
                '$' => self.push(Symbol::Money("dollar"), len),
                '%' => self.push(Symbol::Mark('%'), len),
                '|' => self.push(Symbol::Mark('|'), len),
                '&' | '#' | '_' | ',' | ';' | ':' | '>' | ' ' | '\n' => self.blank(len),
                '!' | '(' | ')' | '[' | ']' | '/' => self.skip(len),
                other => return Err(NotPlain::unclear(format!("\"\\{other}\" is part of no formula"))),
            }
            return Ok(());
        }
        let len = 1 + name.len();
        // The constants are set upright by some.
        if let Some(letter) =
            ["{i}", "{e}"].into_iter().find(|it| name == "mathrm" && self.rest()[len..].starts_with(it))
        {
            self.push(Symbol::Letter(letter[1..2].into()), len + letter.len());
            return Ok(());
        }
        match symbols::of_command(name) {
            Some(symbols::Command::Symbol(symbol)) => self.push(symbol, len),
            Some(symbols::Command::Blank) => self.blank(len),
            Some(symbols::Command::Nothing) => self.skip(len),
            Some(symbols::Command::Delimiter) => {
                self.skip(len);
                // `\left.` and `\right.` are no delimiters at all.
                if self.rest().starts_with('.') {
                    self.skip(1);
                }
            }
            Some(symbols::Command::Text) => {
                self.text_next = true;
                self.skip(len);
            }
            Some(symbols::Command::Environment(begins)) => return self.environment(begins, len),
            Some(symbols::Command::Letters) => return self.blackboard(len),
            Some(symbols::Command::Operator) => return self.operator(len),
            None => return Err(NotPlain::unclear(format!("\"\\{name}\" is a command that is not known"))),
        }
        Ok(())
    }
}

/// A subscript digit as ASCII.
fn subscript(c: char) -> Option<char> {
    let value = u32::from(c).checked_sub(0x2080).filter(|value| *value < 10)?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols(text: &str) -> Vec<Symbol> {
        symbols_of(text).unwrap().into_iter().map(|it| it.symbol).collect()
    }

    fn number(numerator: i64, denominator: i64) -> BigRational {
        BigRational::new(numerator.into(), denominator.into())
    }

    fn value(text: &str) -> BigRational {
        match symbols(text).as_slice() {
            [Symbol::Number(value, _)] => value.clone(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn numbers_are_read_exactly() {
        let cases = [
            ("12,345", number(12345, 1)),
            (r"12,\!345", number(12345, 1)),
            (r"111, \! 111", number(111_111, 1)),
            ("1,234.5", number(24690, 20)),
            (".5", number(1, 2)),
            (r"0.\overline{3}", number(1, 3)),
            (r"0.1\overline{6}", number(1, 6)),
            (r".\overline{09}", number(1, 11)),
            ("1.5e3", number(1500, 1)),
            ("2E-2", number(1, 50)),
            ("½", number(1, 2)),
        ];
        for (text, expected) in cases {
            assert_eq!(value(text), expected, "{text}");
        }
        assert_eq!(symbols("(1,234)").len(), 5);
        assert_eq!(symbols("2e").len(), 2);
    }

    #[test]
    fn letters_are_variables_functions_or_words() {
        let letter = |name: &str| Symbol::Letter(name.into());
        assert_eq!(symbols("xy"), [letter("x"), letter("y")]);
        assert_eq!(symbols("sin"), [Symbol::Function(Function::Sin)]);
        assert_eq!(symbols(r"\alpha"), [letter("alpha")]);
        assert_eq!(symbols(r"\text{even}"), [Symbol::Word("even".into())]);
        assert_eq!(symbols(r"\text{(B)}"), [Symbol::Mark('('), letter("B"), Symbol::Mark(')')]);
        assert_eq!(symbols("π"), [Symbol::Pi]);
    }

    #[test]
    fn full_width_characters_are_read_like_the_others() {
        let plain = symbols(r"{2xy}+sin(3)");
        assert_eq!(symbols("｛２ｘｙ｝＋ｓｉｎ（３）"), plain);
        assert!(symbols_of("．5").is_err());
        let spans = symbols_of("ｘｙ｛").map(|_| ()).unwrap_err();
        assert_eq!(spans.why(), "a brace is never closed");
    }

    #[test]
    fn what_is_no_formula_is_an_error() {
        for text in ["{", "}", r"\unknown", r"\begin{cases}", "1\u{0}2", "\\", "☃"] {
            assert!(symbols_of(text).is_err(), "{text:?}");
        }
    }
}
