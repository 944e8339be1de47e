//! The characters, commands and words that formulas are written with, and the symbols that they stand for.

use super::expr::Function;
use super::latex::{Relation, Symbol};
use super::unit;

/// What a LaTeX command does.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    /// It stands for a symbol.
    Symbol(Symbol),
    /// It is white space.
    Blank,
    /// It arranges.
    Nothing,
    /// It sizes the delimiter behind it.
    Delimiter,
    /// Its argument is prose.
    Text,
    /// `\begin` (true) or `\end`.
    Environment(bool),
    /// Its argument is a letter of another font.
    Letters,
    /// Its argument is the name of a function.
    Operator,
}

/// What a run of letters is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Letters {
    /// One symbol.
    One(Symbol),
    /// A product of variables.
    Each,
}

/// Short words of prose that are no products of variables.
const WORDS: &[&str] = &[
    "all", "am", "an", "and", "any", "are", "as", "at", "be", "but", "by", "can", "day", "do", "for", "had",
    "has", "he", "her", "his", "if", "in", "is", "it", "its", "men", "new", "no", "nor", "not", "odd", "of",
    "off", "on", "one", "or", "our", "out", "per", "pm", "red", "she", "six", "so", "sum", "ten", "the",
    "to", "two", "up", "us", "was", "way", "we", "who", "why", "yes", "you",
];

/// Functions by the names that they have in commands and in plain text.
fn function(name: &str) -> Option<Function> {
    use Function as F;
    Some(match name {
        "sin" => F::Sin,
        "cos" => F::Cos,
        "tan" | "tg" => F::Tan,
        "cot" | "ctg" => F::Cot,
        "sec" => F::Sec,
        "csc" | "cosec" => F::Csc,
        "arcsin" | "asin" => F::Asin,
        "arccos" | "acos" => F::Acos,
        "arctan" | "atan" | "arctg" => F::Atan,
        "arccot" | "acot" => F::Acot,
        "arcsec" | "asec" => F::Asec,
        "arccsc" | "acsc" => F::Acsc,
        "sinh" => F::Sinh,
        "cosh" => F::Cosh,
        "tanh" => F::Tanh,
        "ln" => F::Ln,
        "log" => F::Log,
        "abs" => F::Abs,
        "floor" => F::Floor,
        "ceil" | "ceiling" => F::Ceil,
        "gcd" => F::Gcd,
        "lcm" => F::Lcm,
        "max" => F::Max,
        "min" => F::Min,
        "exp" => F::Exp,
        _ => return None,
    })
}

/// The inverse of a function that is written with the exponent -1.
pub(super) fn inverse(function: Function) -> Option<Function> {
    use Function as F;
    Some(match function {
        F::Sin => F::Asin,
        F::Cos => F::Acos,
        F::Tan => F::Atan,
        F::Cot => F::Acot,
        F::Sec => F::Asec,
        F::Csc => F::Acsc,
        _ => return None,
    })
}

/// What a run of letters is, in a formula or within a text.
pub(super) fn of_letters(run: &str, in_text: bool) -> Letters {
    let word = || Letters::One(Symbol::Word(run.into()));
    let lower = run.to_lowercase();
    let count = run.chars().count();
    if run == "π" {
        return Letters::One(Symbol::Pi);
    }
    if count == 1 {
        return Letters::One(Symbol::Letter(greek(run).unwrap_or(run).into()));
    }
    if in_text || !run.is_ascii() {
        return word();
    }
    match lower.as_str() {
        "pi" => return Letters::One(Symbol::Pi),
        "infinity" | "inf" | "oo" => return Letters::One(Symbol::Infinity),
        "sqrt" => return Letters::One(Symbol::Root(2)),
        "cbrt" => return Letters::One(Symbol::Root(3)),
        _ => {}
    }
    if let Some(function) = function(&lower) {
        return Letters::One(Symbol::Function(function));
    }
    if WORDS.contains(&lower.as_str()) || unit::known(run).is_some() {
        return word();
    }
    // Runs of up to three letters are products, and longer ones where they cannot be spoken.
    let is_spoken = lower.contains(['e', 'i', 'o', 'u']);
    if count <= 3 || (count <= 6 && !is_spoken && !lower.contains('a')) { Letters::Each } else { word() }
}

fn greek(letter: &str) -> Option<&'static str> {
    Some(match letter {
        "α" => "alpha",
        "β" => "beta",
        "γ" => "gamma",
        "δ" => "delta",
        "ε" => "epsilon",
        "θ" => "theta",
        "λ" => "lambda",
        "μ" | "µ" => "mu",
        "ρ" => "rho",
        "σ" => "sigma",
        "τ" => "tau",
        "φ" | "ϕ" => "phi",
        "ψ" => "psi",
        "ω" => "omega",
        _ => return None,
    })
}

/// The symbol that one character stands for; none for letters and what no formula holds.
pub(super) fn of_character(c: char) -> Option<Symbol> {
    use Symbol as S;
    Some(match c {
        '+' | '/' | '^' | '_' | '!' | '%' | '(' | ')' | '[' | ']' | '|' | ',' | ';' | ':' | '\'' | '&'
        | '*' => S::Mark(c),
        '-' | '\u{2212}' | '\u{2010}' | '\u{2011}' | '\u{2013}' | '\u{FE63}' => S::Mark('-'),
        '×' | '·' | '⋅' | '∙' | '∗' => S::Mark('*'),
        '÷' | '\u{2044}' | '\u{2215}' => S::Mark('/'),
        '′' | '’' => S::Mark('\''),
        '，' | '、' => S::Mark(','),
        '∣' => S::Mark('|'),
        '=' => S::Relation(Relation::Equal),
        '≠' => S::Relation(Relation::NotEqual),
        '<' => S::Relation(Relation::Less),
        '>' => S::Relation(Relation::Greater),
        '≤' | '⩽' => S::Relation(Relation::LessEqual),
        '≥' | '⩾' => S::Relation(Relation::GreaterEqual),
        '≈' | '≃' => S::Relation(Relation::Approximate),
        '∪' => S::Cup,
        '∩' => S::Cap,
        '∈' => S::In,
        '∞' => S::Infinity,
        '±' => S::PlusMinus(true),
        '∓' => S::PlusMinus(false),
        '°' | '˚' | 'º' => S::Degree,
        '√' => S::Root(2),
        '∛' => S::Root(3),
        '∜' => S::Root(4),
        '∅' | 'Ø' => S::Empty,
        'ℝ' => S::Reals,
        '⟨' | '〈' => S::AngleOpen,
        '⟩' | '〉' => S::AngleClose,
        '⌊' => S::FloorOpen,
        '⌋' => S::FloorClose,
        '⌈' => S::CeilOpen,
        '⌉' => S::CeilClose,
        '$' => S::Money("dollar"),
        '¢' => S::Money("cent"),
        '£' => S::Money("sterling"),
        '€' => S::Money("euro"),
        '¥' => S::Money("yen"),
        '₹' => S::Money("rupee"),
        _ => return None,
    })
}

/// What a command does, by its name.
pub(super) fn of_command(name: &str) -> Option<Command> {
    use Symbol as S;
    if let Some(function) = function(name) {
        return Some(Command::Symbol(S::Function(function)));
    }
    let symbol = match name {
        "frac" | "dfrac" | "tfrac" | "cfrac" | "nicefrac" | "sfrac" => S::Frac,
        "binom" | "dbinom" | "tbinom" => S::Binomial,
        "sqrt" => S::Root(2),
        "overline" | "bar" => S::Overline,
        "pi" => S::Pi,
        "infty" => S::Infinity,
        "circ" | "degree" => S::Degree,
        "times" | "cdot" | "ast" => S::Mark('*'),
        "div" => S::Mark('/'),
        "prime" => S::Mark('\''),
        "vert" | "lvert" | "rvert" | "mid" | "Vert" | "lVert" | "rVert" => S::Mark('|'),
        "lbrace" => S::SetOpen,
        "rbrace" => S::SetClose,
        "lparen" => S::Mark('('),
        "rparen" => S::Mark(')'),
        "lbrack" => S::Mark('['),
        "rbrack" => S::Mark(']'),
        "langle" => S::AngleOpen,
        "rangle" => S::AngleClose,
        "lfloor" => S::FloorOpen,
        "rfloor" => S::FloorClose,
        "lceil" => S::CeilOpen,
        "rceil" => S::CeilClose,
        "le" | "leq" | "leqslant" => S::Relation(Relation::LessEqual),
        "ge" | "geq" | "geqslant" => S::Relation(Relation::GreaterEqual),
        "lt" => S::Relation(Relation::Less),
        "gt" => S::Relation(Relation::Greater),
        "ne" | "neq" => S::Relation(Relation::NotEqual),
        "approx" | "simeq" | "sim" => S::Relation(Relation::Approximate),
        "equiv" => S::Relation(Relation::Equal),
        "cup" => S::Cup,
        "cap" => S::Cap,
        "in" => S::In,
        "pm" => S::PlusMinus(true),
        "mp" => S::PlusMinus(false),
        "emptyset" | "varnothing" => S::Empty,
        "land" | "wedge" => S::Word("and".into()),
        "lor" | "vee" => S::Word("or".into()),
        "euro" | "texteuro" => S::Money("euro"),
        "pounds" | "textsterling" => S::Money("sterling"),
        "textdollar" => S::Money("dollar"),
        "Re" => S::Function(Function::Re),
        "Im" => S::Function(Function::Im),
        "R" | "Reals" => S::Reals,
        "lg" => S::Function(Function::Log),
        "angle" | "triangle" | "measuredangle" | "overrightarrow" | "vec" | "hat" | "overarc" => {
            S::Word(name.into())
        }
        "alpha" | "beta" | "gamma" | "delta" | "epsilon" | "zeta" | "eta" | "theta" | "iota" | "kappa"
        | "lambda" | "mu" | "nu" | "xi" | "rho" | "sigma" | "tau" | "upsilon" | "phi" | "chi" | "psi"
        | "omega" | "Gamma" | "Delta" | "Theta" | "Lambda" | "Xi" | "Sigma" | "Phi" | "Psi" | "Omega"
        | "ell" => S::Letter(name.into()),
        "varepsilon" => S::Letter("epsilon".into()),
        "vartheta" => S::Letter("theta".into()),
        "varphi" => S::Letter("phi".into()),
        _ => return arranging(name),
    };
    Some(Command::Symbol(symbol))
}

/// Commands that are no symbols.
fn arranging(name: &str) -> Option<Command> {
    Some(match name {
        "left" | "right" | "middle" | "big" | "Big" | "bigg" | "Bigg" | "bigl" | "bigr" | "Bigl" | "Bigr"
        | "biggl" | "biggr" | "Biggl" | "Biggr" => Command::Delimiter,
        "displaystyle" | "textstyle" | "scriptstyle" | "limits" | "nolimits" | "mathstrut" | "bf" | "rm"
        | "it" | "mathbf" | "mathit" | "mathsf" | "mathtt" | "mathcal" | "mathnormal" | "boldsymbol"
        | "bm" | "boxed" | "fbox" | "underline" | "hline" | "nonumber" | "mathop" | "relax" => {
            Command::Nothing
        }
        "quad" | "qquad" | "thinspace" | "enspace" | "space" | "hspace" | "vspace" => Command::Blank,
        "text" | "textbf" | "textit" | "textrm" | "textsf" | "texttt" | "textnormal" | "mathrm" | "mbox"
        | "hbox" | "emph" => Command::Text,
        "operatorname" => Command::Operator,
        "begin" => Command::Environment(true),
        "end" => Command::Environment(false),
        "mathbb" => Command::Letters,
        _ => return None,
    })
}
