//! Names as they stand in a module, read without an arena of terms.
//!
//! The index of a library hashes and compares names many times as often as a name becomes a term.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::error::{OleanError, Problem};
use super::meter::Meter;
use super::region::{Addr, Regions, Value};

/// The most components a name may have: far more than any real one.
pub(crate) const MAX_COMPONENTS: usize = 1024;

/// The most bytes of text a name may have: names are shown in messages.
pub(crate) const MAX_NAME_BYTES: usize = 1 << 16;

/// One component of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Component<'a> {
    /// A piece of text.
    Text(&'a str),
    /// A number.
    Number(u64),
}

impl Component<'_> {
    /// How many bytes of text it has.
    pub(crate) fn num_bytes(self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Number(_) => 0,
        }
    }
}

/// One step of a name: what comes before, and the last component.
pub(crate) struct Step<'a> {
    /// The name before the last component.
    pub(crate) prefix: Value,
    /// The last component.
    pub(crate) last: Component<'a>,
}

impl<B: AsRef<[u8]>> Regions<B> {
    /// The last component of a name and what comes before it; none for the empty name.
    pub(crate) fn name_step(&self, from: Addr, name: Value) -> Result<Option<Step<'_>>, OleanError> {
        if name == Value::Scalar(0) {
            return Ok(None);
        }
        let ctor = self.ctor(from, name, "a name")?;
        let last = match (ctor.tag, ctor.pointers) {
            (1, 2) => Component::Text(self.text(ctor.addr, self.field(ctor, 1)?, "a name's text")?),
            (2, 2) => Component::Number(self.number(ctor.addr, self.field(ctor, 1)?, "a name's number")?),
            _ => return Err(super::object::unexpected(ctor.addr, "a name", ctor.describe())),
        };
        Ok(Some(Step { prefix: self.field(ctor, 0)?, last }))
    }

    /// The components of a name, first to last.
    pub(crate) fn name_components(
        &self,
        from: Addr,
        name: Value,
        meter: &mut Meter,
    ) -> Result<Vec<Component<'_>>, OleanError> {
        let (mut components, mut rest) = (Vec::new(), name);
        while let Some(step) = self.name_step(from, rest)? {
            if components.len() == MAX_COMPONENTS {
                return Err(OleanError::at(from, Problem::TooDeep { what: "name", limit: MAX_COMPONENTS }));
            }
            meter.charge(from, step.last.num_bytes())?;
            components.push(step.last);
            rest = step.prefix;
        }
        components.reverse();
        Ok(components)
    }

    /// The components of a name in a trusted module.
    pub(crate) fn trusted_name(&self, from: Addr, name: Value) -> Result<Vec<Component<'_>>, OleanError> {
        self.name_components(from, name, &mut Meter::new(u64::MAX))
    }
}

/// The name of a module, such as `Mathlib.Order.Basic`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleName(Vec<String>);

impl ModuleName {
    /// Reads a name as it is written after `import`. A component may stand between `«` and `»`. None if a component is
    /// empty or could not be part of a file's name.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut components, mut rest) = (Vec::new(), text);
        loop {
            let (component, after) = match rest.strip_prefix('«') {
                Some(quoted) => quoted.split_once('»')?,
                None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            components.push(component.to_owned());
            match after.strip_prefix('.') {
                Some(next) => rest = next,
                None if after.is_empty() => break,
                None => return None,
            }
        }
        Self::new(components)
    }

    /// A name of the given components; none if one of them could not be part of a file's name.
    pub(crate) fn new(components: Vec<String>) -> Option<Self> {
        let fits = |c: &String| !c.is_empty() && c != "." && c != ".." && !c.contains(['/', '\\', '\0']);
        (!components.is_empty() && components.iter().all(fits)).then_some(Self(components))
    }

    /// Its components, first to last.
    pub fn components(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ModuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, component) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            let plain = component.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '\''));
            if plain { write!(f, "{dot}{component}")? } else { write!(f, "{dot}«{component}»")? }
        }
        Ok(())
    }
}

/// The components of a name as people read them, for messages.
pub(crate) fn show(components: &[Component<'_>]) -> String {
    let shown = components.iter().map(|component| match component {
        Component::Text(text) => (*text).to_owned(),
        Component::Number(number) => number.to_string(),
    });
    shown.collect::<Vec<_>>().join(".")
}

/// The hash of the empty name.
pub(crate) const EMPTY_HASH: u64 = 0x9e37_79b9_7f4a_7c15;

/// The hash of a name, from the hash of what comes before its last component. It has nothing to do with the hashes that
/// Lean stores in its names.
pub(crate) fn extend_hash(prefix: u64, last: Component<'_>) -> u64 {
    // The keys of this hasher are fixed when it is made so, and hashes are the same in every thread.
    let mut hasher = std::hash::DefaultHasher::new();
    prefix.hash(&mut hasher);
    last.hash(&mut hasher);
    hasher.finish()
}
