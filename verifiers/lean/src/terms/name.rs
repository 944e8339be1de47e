//! Hierarchical names, their dotted form, and reading it.

use super::{NameId, StrId, Terms, next_id};

/// One step of a hierarchical name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name<'a> {
    /// The root of every name.
    Anonymous,
    /// A textual component under a prefix.
    Str(NameId, &'a str),
    /// A numeric component under a prefix.
    Num(NameId, u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NameNode {
    Anonymous,
    Str(NameId, StrId),
    Num(NameId, u64),
}

impl NameId {
    /// The root of every name; the same in every arena.
    pub const ANONYMOUS: Self = Self(0);
}

impl Terms {
    /// The root of every name.
    pub fn anonymous(&self) -> NameId {
        NameId::ANONYMOUS
    }

    /// `prefix` followed by a textual component.
    pub fn str_name(&mut self, prefix: NameId, component: &str) -> NameId {
        let component = self.intern_string(component);
        self.intern_name(NameNode::Str(prefix, component))
    }

    /// `prefix` followed by a numeric component.
    pub fn num_name(&mut self, prefix: NameId, component: u64) -> NameId {
        self.intern_name(NameNode::Num(prefix, component))
    }

    fn intern_name(&mut self, node: NameNode) -> NameId {
        if let Some(&id) = self.name_ids.get(&node) {
            return id;
        }
        let id = NameId(next_id(self.names.len()));
        self.names.push(node);
        self.name_ids.insert(node, id);
        id
    }

    /// The last step of a name.
    pub fn name(&self, id: NameId) -> Name<'_> {
        match self.names[id.0 as usize] {
            NameNode::Anonymous => Name::Anonymous,
            NameNode::Str(prefix, component) => Name::Str(prefix, self.str_value(component)),
            NameNode::Num(prefix, component) => Name::Num(prefix, component),
        }
    }

    /// The dotted form as Lean writes it: `Nat.add_comm`, `«a b».1`. A textual component that contains `»` or a
    /// line break has no such form: it is shown with `\u{..}` in its place, and cannot be read back.
    pub fn show_name(&self, id: NameId) -> String {
        let mut components = Vec::new();
        let mut at = id;
        loop {
            match self.name(at) {
                Name::Anonymous => break,
                Name::Str(prefix, text) => {
                    components.push(show_component(text));
                    at = prefix;
                }
                Name::Num(prefix, number) => {
                    components.push(number.to_string());
                    at = prefix;
                }
            }
        }
        if components.is_empty() {
            return "[anonymous]".to_owned();
        }
        components.reverse();
        components.join(".")
    }

    /// The inverse of [`Terms::show_name`]; `None` where the text is no name.
    pub fn read_name(&mut self, text: &str) -> Option<NameId> {
        if text == "[anonymous]" {
            return Some(NameId::ANONYMOUS);
        }
        let mut name = NameId::ANONYMOUS;
        let mut rest = text;
        loop {
            let end;
            if let Some(quoted) = rest.strip_prefix('«') {
                let close = quoted.find('»')?;
                if quoted[..close].contains(['«', '\n']) {
                    return None;
                }
                name = self.str_name(name, &quoted[..close]);
                end = '«'.len_utf8() + close + '»'.len_utf8();
            } else {
                end = rest.find('.').unwrap_or(rest.len());
                let component = &rest[..end];
                if is_plain(component) {
                    name = self.str_name(name, component);
                } else {
                    name = self.num_name(name, read_number(component)?);
                }
            }
            rest = &rest[end..];
            if rest.is_empty() {
                return Some(name);
            }
            rest = rest.strip_prefix('.')?;
        }
    }
}

/// A decimal number without needless zeros.
fn read_number(text: &str) -> Option<u64> {
    let canonical = !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

fn show_component(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::from("«");
    for letter in text.chars() {
        if matches!(letter, '«' | '»' | '\n' | '\r') || (letter.is_control() && letter != '\t') {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown.push('»');
    shown
}

/// Whether Lean writes a component without guillemets.
fn is_plain(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(starts_identifier) && letters.all(continues_identifier)
}

fn starts_identifier(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_' || is_letter_like(letter)
}

fn continues_identifier(letter: char) -> bool {
    letter.is_ascii_alphanumeric()
        || matches!(letter, '_' | '\'' | '!' | '?')
        || is_letter_like(letter)
        || matches!(letter, '\u{2080}'..='\u{2089}' | '\u{2090}'..='\u{209c}' | '\u{1d62}'..='\u{1d6a}' | '\u{2c7c}')
}

/// Lean's letters outside ASCII: Greek but for the binders, Coptic, polytonic Greek, letter-like symbols, and
/// mathematical script, double-struck and Fraktur.
fn is_letter_like(letter: char) -> bool {
    match letter {
        'λ' | 'Π' | 'Σ' => false,
        '\u{3b1}'..='\u{3c9}' | '\u{391}'..='\u{3a9}' | '\u{3ca}'..='\u{3fb}' => true,
        '\u{1f00}'..='\u{1ffe}' | '\u{2100}'..='\u{214f}' | '\u{1d49c}'..='\u{1d59f}' => true,
        '\u{d7}' | '\u{f7}' => false,
        '\u{c0}'..='\u{17f}' => true,
        _ => false,
    }
}
