//! Splits an answer's text into the few things that plain numbers and their units are written with.
//!
//! One pass from left to right, no backtracking. What only dresses a number up (math delimiters, `\left`, `\text`, bold
//! marks, invisible characters) is dropped here; dropping it never joins two numbers into one, since each run of digits
//! is a token of its own. What no plain number holds becomes [`Token::Other`], which no rule of the parser accepts.

/// What numbers and units are written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A run of digits, as ASCII.
    Digits(String),
    /// A run of letters, with apostrophes and hyphens inside.
    Word(String),
    /// White space.
    Space,
    /// What separates thousands and is neither a comma nor a space: `\,`, `{,}`, `_`, a thin space.
    Thin,
    /// `.`
    Dot,
    /// `,`
    Comma,
    /// A plus sign.
    Plus,
    /// A minus sign.
    Minus,
    /// `/`
    Slash,
    /// `*`, `\times`, `\cdot`.
    Times,
    /// `^`; a superscript digit is this and its digit.
    Caret,
    /// `=`
    Equals,
    /// `≈`, `\approx`.
    Approx,
    /// `%`
    Percent,
    /// `°`
    Degree,
    /// A currency sign: the canonical name of its unit.
    Money(&'static str),
    /// `\frac` and its kin.
    Frac,
    /// A fraction that is one character, such as `½`.
    Vulgar(u8, u8),
    /// `{`
    Open,
    /// `}`
    Close,
    /// `(`
    ParenOpen,
    /// `)`
    ParenClose,
    /// Anything else.
    Other(String),
}

/// A token and where its text starts and ends, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The tokens of a text. Runs of white space are one token; there is none at the start and the end.
pub(super) fn lex(text: &str) -> Vec<Spanned> {
    let dollar_is_money = dollars_are_money(text);
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), dollar_is_money };
    while let Some(next) = text[lexer.at..].chars().next() {
        lexer.step(next);
    }
    while lexer.tokens.last().is_some_and(|last| last.token == Token::Space) {
        lexer.tokens.pop();
    }
    lexer.tokens
}

/// Whether the dollar signs that are not escaped are money: an odd one out always is. An even number of them are math
/// delimiters, unless each stands right before a digit, where none of them can close anything: "$10 (4 + $6)".
pub(super) fn dollars_are_money(text: &str) -> bool {
    let mut escaped = false;
    let mut num_dollars = 0;
    let mut num_before_digits = 0;
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'$' && !escaped {
            num_dollars += 1;
            num_before_digits += usize::from(bytes.get(at + 1).is_some_and(u8::is_ascii_digit));
        }
        escaped = byte == b'\\' && !escaped;
    }
    num_dollars % 2 == 1 || num_dollars == num_before_digits
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Spanned>,
    dollar_is_money: bool,
}

impl Lexer<'_> {
    /// Adds a token for the next `len` bytes.
    fn push(&mut self, token: Token, len: usize) {
        let (start, end) = (self.at, self.at + len);
        self.at = end;
        let after_space = self.tokens.last().is_none_or(|last| last.token == Token::Space);
        if token == Token::Space && after_space {
            return;
        }
        self.tokens.push(Spanned { token, start, end });
    }

    /// Reads one token, or drops what has no meaning.
    fn step(&mut self, next: char) {
        let len = next.len_utf8();
        let folded = fold(next);
        if digit(folded).is_some() {
            return self.digits();
        }
        if let Some((sign, value)) = superscript(next) {
            return self.superscripts(sign, value);
        }
        if let Some((numerator, denominator)) = vulgar(next) {
            return self.push(Token::Vulgar(numerator, denominator), len);
        }
        match folded {
            // Only the ASCII backslash begins a command; its full-width form is folded too.
            '\\' if next == '\\' => self.command(),
            '*' if self.text[self.at..].starts_with("**") => self.at += 2,
            '{' if self.text[self.at..].starts_with("{,}") => self.push(Token::Thin, 3),
            '$' if !self.dollar_is_money => self.at += len,
            '`' => self.at += len,
            _ if is_invisible(folded) => self.at += len,
            _ => match single(folded) {
                Some(token) => self.push(token, len),
                None if folded.is_alphabetic() => self.word(),
                None => self.push(Token::Other(folded.to_string()), len),
            },
        }
    }

    fn digits(&mut self) {
        let mut digits = String::new();
        let mut len = 0;
        for next in self.text[self.at..].chars() {
            let Some(value) = digit(fold(next)) else { break };
            digits.push(char::from(b'0' + value));
            len += next.len_utf8();
        }
        self.push(Token::Digits(digits), len);
    }

    /// A run of superscripts is a caret, perhaps a minus sign, and digits.
    fn superscripts(&mut self, sign: bool, value: u8) {
        self.push(Token::Caret, 0);
        let len = |lexer: &Self| lexer.text[lexer.at..].chars().next().map_or(0, char::len_utf8);
        let mut value = value;
        if sign {
            let sign_len = len(self);
            self.push(Token::Minus, sign_len);
            match self.text[self.at..].chars().next().and_then(superscript) {
                Some((false, next)) => value = next,
                _ => return,
            }
        }
        let mut digits = String::from(char::from(b'0' + value));
        let mut total = len(self);
        while let Some((false, next)) = self.text[self.at + total..].chars().next().and_then(superscript) {
            digits.push(char::from(b'0' + next));
            total += self.text[self.at + total..].chars().next().map_or(0, char::len_utf8);
        }
        self.push(Token::Digits(digits), total);
    }

    fn word(&mut self) {
        let rest = &self.text[self.at..];
        let mut word = String::new();
        let mut len = 0;
        let mut chars = rest.chars().peekable();
        while let Some(next) = chars.next() {
            let joins =
                matches!(next, '\'' | '’' | '-') && chars.peek().is_some_and(|after| after.is_alphabetic());
            let next_folded = fold(next);
            if !(next_folded.is_alphabetic() || joins) {
                break;
            }
            word.push(if next == '’' { '\'' } else { next_folded });
            len += next.len_utf8();
        }
        self.push(Token::Word(word), len);
    }

    /// A backslash and what it escapes or commands.
    fn command(&mut self) {
        let rest = &self.text[self.at + 1..];
        let name: &str = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
        if name.is_empty() {
            let Some(escaped) = rest.chars().next() else {
                return self.push(Token::Other("\\".to_owned()), 1);
            };
            let len = 1 + escaped.len_utf8();
            return match escaped {
                '$' => self.push(Token::Money("dollar"), len),
                '%' => self.push(Token::Percent, len),
                ',' => self.push(Token::Thin, len),
                ';' | ':' | ' ' | '\n' => self.push(Token::Space, len),
                '!' | '(' | ')' | '[' | ']' => self.at += len,
                '_' => self.push(Token::Thin, len),
                other => self.push(Token::Other(format!("\\{other}")), len),
            };
        }
        let len = 1 + name.len();
        match name {
            "frac" | "dfrac" | "tfrac" | "cfrac" | "nicefrac" | "sfrac" => self.push(Token::Frac, len),
            "times" | "cdot" => self.push(Token::Times, len),
            "approx" | "simeq" => self.push(Token::Approx, len),
            "circ" | "degree" => self.push(Token::Degree, len),
            "quad" | "qquad" | "thinspace" | "enspace" => self.push(Token::Space, len),
            "left" | "right" | "big" | "Big" | "bigl" | "bigr" | "Bigl" | "Bigr" | "displaystyle"
            | "textstyle" | "text" | "textbf" | "textit" | "textrm" | "textsf" | "texttt" | "textnormal"
            | "mathrm" | "mathbf" | "mathit" | "mathsf" | "mathtt" | "mathnormal" | "boldsymbol" | "bm"
            | "bf" | "rm" | "it" | "mbox" | "hbox" | "boxed" | "fbox" | "underline" | "operatorname"
            | "emph" => self.at += len,
            "euro" | "texteuro" => self.push(Token::Money("euro"), len),
            "pounds" | "textsterling" => self.push(Token::Money("sterling"), len),
            _ => self.push(Token::Other(format!("\\{name}")), len),
        }
    }
}

/// Tokens of one character.
fn single(c: char) -> Option<Token> {
    Some(match c {
        '.' => Token::Dot,
        ',' => Token::Comma,
        '+' => Token::Plus,
        '-' | '\u{2212}' | '\u{2010}' | '\u{2011}' | '\u{2013}' | '\u{FE63}' => Token::Minus,
        '/' | '\u{2044}' | '\u{2215}' => Token::Slash,
        '*' | '×' | '·' | '⋅' | '∙' => Token::Times,
        '^' => Token::Caret,
        '=' => Token::Equals,
        '≈' | '≃' => Token::Approx,
        '%' | '﹪' | '٪' => Token::Percent,
        '°' | '˚' | 'º' => Token::Degree,
        '$' | '＄' => Token::Money("dollar"),
        '¢' => Token::Money("cent"),
        '£' => Token::Money("sterling"),
        '€' => Token::Money("euro"),
        '¥' => Token::Money("yen"),
        '₹' => Token::Money("rupee"),
        '₩' => Token::Money("won"),
        '₽' => Token::Money("rouble"),
        '₺' => Token::Money("lira"),
        '₫' => Token::Money("dong"),
        '₦' => Token::Money("naira"),
        '{' => Token::Open,
        '}' => Token::Close,
        '(' => Token::ParenOpen,
        ')' => Token::ParenClose,
        '_' | '\u{2009}' | '\u{202F}' | '\u{200A}' => Token::Thin,
        '~' => Token::Space,
        _ if c.is_whitespace() => Token::Space,
        _ => return None,
    })
}

/// Full-width forms of ASCII characters become ASCII.
pub(super) fn fold(c: char) -> char {
    match u32::from(c) {
        // The two blocks lie the same way, so that the result is a printable ASCII character.
        code @ 0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        _ => c,
    }
}

/// Characters that are not seen: joiners, direction marks, soft hyphens, byte-order marks.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

/// The zeros of the decimal digits of Unicode that are in use; each is followed by its one to nine.
const ZEROS: [u32; 27] = [
    0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50, 0xED0,
    0xF20, 0x1040, 0x17E0, 0x1810, 0x1946, 0x19D0, 0xFF10, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6,
];

/// The value of a decimal digit of any script.
pub(super) fn digit(c: char) -> Option<u8> {
    let code = u32::from(c);
    if c.is_ascii() {
        return c.to_digit(10).and_then(|value| u8::try_from(value).ok());
    }
    ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&code))
        .and_then(|zero| u8::try_from(code - zero).ok())
}

/// Whether a text could hold a number at all.
pub(super) fn has_number(text: &str) -> bool {
    text.chars().any(|c| digit(fold(c)).is_some() || vulgar(c).is_some())
}

/// A superscript minus sign (true, 0) or digit (false, its value).
pub(super) fn superscript(c: char) -> Option<(bool, u8)> {
    Some(match c {
        '⁻' => (true, 0),
        '⁰' => (false, 0),
        '¹' => (false, 1),
        '²' => (false, 2),
        '³' => (false, 3),
        '⁴' => (false, 4),
        '⁵' => (false, 5),
        '⁶' => (false, 6),
        '⁷' => (false, 7),
        '⁸' => (false, 8),
        '⁹' => (false, 9),
        _ => return None,
    })
}

pub(super) fn vulgar(c: char) -> Option<(u8, u8)> {
    Some(match c {
        '¼' => (1, 4),
        '½' => (1, 2),
        '¾' => (3, 4),
        '⅐' => (1, 7),
        '⅑' => (1, 9),
        '⅒' => (1, 10),
        '⅓' => (1, 3),
        '⅔' => (2, 3),
        '⅕' => (1, 5),
        '⅖' => (2, 5),
        '⅗' => (3, 5),
        '⅘' => (4, 5),
        '⅙' => (1, 6),
        '⅚' => (5, 6),
        '⅛' => (1, 8),
        '⅜' => (3, 8),
        '⅝' => (5, 8),
        '⅞' => (7, 8),
        '↉' => (0, 3),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token> {
        lex(text).into_iter().map(|spanned| spanned.token).collect()
    }

    #[test]
    fn dollars_are_money_or_delimiters() {
        let digits = || Token::Digits("5".into());
        assert_eq!(tokens("$5"), [Token::Money("dollar"), digits()]);
        assert_eq!(tokens("$5$"), [digits()]);
        assert_eq!(tokens(r"$\$5$"), [Token::Money("dollar"), digits()]);
        assert_eq!(tokens("$$5$$"), [digits()]);
        let money = || Token::Money("dollar");
        assert_eq!(tokens("$5 $5"), [money(), digits(), Token::Space, money(), digits()]);
        assert_eq!(tokens("$5$ $5$"), [digits(), Token::Space, digits()]);
    }

    #[test]
    fn digits_and_signs_of_other_scripts_are_folded() {
        let expected = [Token::Minus, Token::Digits("42".into()), Token::Percent];
        for text in ["-42%", "−４２％", "–٤٢٪", "-𝟜𝟚%", "-\u{200B}४२%"] {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }

    #[test]
    fn a_full_width_backslash_is_no_command() {
        assert_eq!(tokens("＼frac")[0], Token::Other("\\".into()));
    }

    #[test]
    fn superscripts_are_powers() {
        assert_eq!(tokens("10⁻¹²"), tokens("10^-12"));
        assert_eq!(tokens("m²"), tokens("m^2"));
        assert_eq!(tokens("2⁻"), [Token::Digits("2".into()), Token::Caret, Token::Minus]);
    }

    #[test]
    fn spans_cover_the_text_of_a_token() {
        let text = r"  -\frac{3}{4} cups";
        for spanned in lex(text) {
            let piece = &text[spanned.start..spanned.end];
            match spanned.token {
                Token::Digits(digits) => assert_eq!(piece, digits),
                Token::Word(word) => assert_eq!(piece, word),
                Token::Frac => assert_eq!(piece, r"\frac"),
                _ => {}
            }
        }
    }

    #[test]
    fn the_zeros_are_in_order_and_apart() {
        assert!(ZEROS.windows(2).all(|pair| pair[0] + 10 <= pair[1]));
        assert!(ZEROS.iter().all(|zero| char::from_u32(*zero).is_some_and(char::is_numeric)));
    }
}
