//! Names, universe levels and expressions in one arena, each term once.
//!
//! Terms are hash-consed: two terms that are equal up to the names and kinds of binders and up to annotations have
//! the same id, so equality is one comparison and every cache is keyed by a `u32`. Nothing is ever removed; whoever
//! builds terms from untrusted input watches [`Terms::num_nodes`].

mod expr;
mod level;
mod name;
mod show;

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use num_bigint::BigUint;

pub use expr::Expr;
pub use level::Level;
pub use name::Name;

use expr::Node;
use level::LevelNode;
use name::NameNode;

/// A hierarchical name of the arena that made it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NameId(u32);

/// A universe level of the arena that made it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LevelId(u32);

/// A list of universe levels of the arena that made it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct LevelsId(u32);

/// An expression of the arena that made it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExprId(u32);

/// The value of a literal of type `Nat`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NatId(u32);

/// The text of a string literal, or of a component of a name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct StrId(u32);

/// How many bytes of a big number or a text count as one node.
const BYTES_PER_NODE: usize = 32;

/// The arena. Ids of one arena mean nothing in another.
pub struct Terms {
    hasher: DefaultHashBuilder,
    strings: Vec<Box<str>>,
    string_ids: HashTable<u32>,
    names: Vec<NameNode>,
    name_ids: HashMap<NameNode, NameId>,
    levels: Vec<LevelNode>,
    level_ids: HashMap<Level, LevelId>,
    /// The elements of all lists of levels, one list after the other.
    list_elements: Vec<LevelId>,
    /// For each list where it starts, how many elements it has, whether one of them has a parameter.
    lists: Vec<(u32, u32, bool)>,
    list_ids: HashTable<u32>,
    nats: Vec<BigUint>,
    nat_ids: HashTable<u32>,
    nodes: Vec<Node>,
    node_ids: HashTable<u32>,
    /// Bytes of big numbers and texts, which are not bounded by the number of nodes.
    payload_bytes: usize,
}

impl Default for Terms {
    fn default() -> Self {
        Self::new()
    }
}

impl Terms {
    /// An arena that has the anonymous name, level zero and the empty list of levels, and nothing else.
    pub fn new() -> Self {
        let mut terms = Self {
            // Seeded at random, as the maps are, so that nobody can prepare a file whose terms all collide.
            hasher: DefaultHashBuilder::default(),
            strings: Vec::new(),
            string_ids: HashTable::new(),
            names: vec![NameNode::Anonymous],
            name_ids: HashMap::default(),
            levels: Vec::new(),
            level_ids: HashMap::default(),
            list_elements: Vec::new(),
            lists: Vec::new(),
            list_ids: HashTable::new(),
            nats: Vec::new(),
            nat_ids: HashTable::new(),
            nodes: Vec::new(),
            node_ids: HashTable::new(),
            payload_bytes: 0,
        };
        terms.intern_level(Level::Zero);
        terms.levels(&[]);
        terms
    }

    /// How much the arena holds, for budgets: one for each name, level, list of levels, expression, and for each
    /// 32 bytes of a big number or a text.
    pub fn num_nodes(&self) -> usize {
        self.nodes.len()
            + self.names.len()
            + self.levels.len()
            + self.list_elements.len()
            + self.lists.len()
            + self.payload_bytes / BYTES_PER_NODE
    }

    pub(super) fn intern_string(&mut self, text: &str) -> StrId {
        let hash = self.hasher.hash_one(text);
        if let Some(&id) = self.string_ids.find(hash, |&id| &*self.strings[id as usize] == text) {
            return StrId(id);
        }
        let id = next_id(self.strings.len());
        self.payload_bytes += text.len() + BYTES_PER_NODE;
        self.strings.push(text.into());
        let (strings, hasher) = (&self.strings, &self.hasher);
        self.string_ids.insert_unique(hash, id, |&id| hasher.hash_one(&*strings[id as usize]));
        StrId(id)
    }

    pub(super) fn intern_nat(&mut self, value: BigUint) -> NatId {
        let hash = hash_of(&self.hasher, &value);
        if let Some(&id) = self.nat_ids.find(hash, |&id| self.nats[id as usize] == value) {
            return NatId(id);
        }
        let id = next_id(self.nats.len());
        self.payload_bytes += value.bits().div_ceil(8) as usize + BYTES_PER_NODE;
        self.nats.push(value);
        let (nats, hasher) = (&self.nats, &self.hasher);
        self.nat_ids.insert_unique(hash, id, |&id| hash_of(hasher, &nats[id as usize]));
        NatId(id)
    }

    /// The text of a string literal.
    pub fn str_value(&self, id: StrId) -> &str {
        &self.strings[id.0 as usize]
    }

    /// The value of a literal of type `Nat`.
    pub fn nat_value(&self, id: NatId) -> &BigUint {
        &self.nats[id.0 as usize]
    }
}

fn hash_of<T: Hash>(hasher: &DefaultHashBuilder, value: &T) -> u64 {
    hasher.hash_one(value)
}

/// The id of the element that is about to be pushed.
fn next_id(len: usize) -> u32 {
    // Four thousand million terms take more than 100 GB: budgets end long before.
    u32::try_from(len).expect("an arena holds fewer than 2^32 terms of a kind")
}
