//! Which axioms a constant of the library rests on.
//!
//! The question is asked again and again, about constants that share almost all that they rest on. So the answer for
//! every constant that is met on the way is remembered, as one of a few sets. Constants that mention each other (a type
//! and its constructors) have the same answer, which Tarjan's algorithm finds for all of them at once. No terms are
//! built: the expressions are walked where they stand in the files.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::index::{Entry, EntryId, Index, name_of};
use super::references::{Kind, Walker};
use super::{LibraryError, Loaded};
use crate::olean::Component;
use crate::terms::{NameId, Terms};

/// What a constant of the library rests on. Names are in Lean's dotted form, as
/// [`Terms::show_name`](crate::terms::Terms::show_name) gives them, and in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axioms {
    /// The axioms, `sorryAx` among them if it is used.
    pub axioms: Arc<[String]>,
    /// What looks like an axiom, but only because its proof or value is in the private part of its module, and that part
    /// is not installed: what it rests on cannot be seen.
    pub hidden: Arc<[String]>,
    /// What is mentioned, but is in no module of the library: what it rests on cannot be seen either.
    pub missing: Arc<[String]>,
}

/// Something that rests on nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Ground {
    Axiom,
    Hidden,
    Missing,
}

/// Which of the sets.
type SetId = u32;

/// The set of nothing.
const EMPTY: SetId = 0;

/// What has been found out about axioms.
pub(super) struct AxiomCache {
    /// What constants rest on.
    known: FxHashMap<EntryId, SetId>,
    /// Each thing that constants rest on, in the order in which they were met.
    grounds: Vec<(Ground, String)>,
    ground_ids: FxHashMap<(Ground, String), u32>,
    /// Sets of indices into `grounds`, sorted.
    sets: Vec<Arc<[u32]>>,
    set_ids: FxHashMap<Arc<[u32]>, SetId>,
    /// The answers that were given, by set.
    answers: FxHashMap<SetId, Axioms>,
    unions: FxHashMap<(SetId, SetId), SetId>,
}

impl Default for AxiomCache {
    fn default() -> Self {
        let empty: Arc<[u32]> = Arc::new([]);
        Self {
            known: FxHashMap::default(),
            grounds: Vec::new(),
            ground_ids: FxHashMap::default(),
            sets: vec![Arc::clone(&empty)],
            set_ids: FxHashMap::from_iter([(empty, EMPTY)]),
            answers: FxHashMap::default(),
            unions: FxHashMap::default(),
        }
    }
}

/// A constant whose references are being followed.
struct Frame {
    entry: EntryId,
    references: Vec<EntryId>,
    next: usize,
    /// When it was met, and the earliest met constant that it leads back to.
    order: u32,
    low: u32,
    set: SetId,
}

impl AxiomCache {
    /// What a constant rests on.
    pub(super) fn closure(
        &mut self,
        modules: &[Loaded],
        index: &Index,
        entry: EntryId,
    ) -> Result<Axioms, LibraryError> {
        let set = match self.known.get(&entry) {
            Some(&set) => set,
            None => self.search(modules, index, entry)?,
        };
        if let Some(answer) = self.answers.get(&set) {
            return Ok(answer.clone());
        }
        let of = |wanted: Ground| {
            let members = self.sets[set as usize].iter().map(|&id| &self.grounds[id as usize]);
            let mut names: Vec<String> =
                members.filter(|(ground, _)| *ground == wanted).map(|(_, name)| name.clone()).collect();
            names.sort();
            Arc::from(names)
        };
        let answer =
            Axioms { axioms: of(Ground::Axiom), hidden: of(Ground::Hidden), missing: of(Ground::Missing) };
        self.answers.insert(set, answer.clone());
        Ok(answer)
    }

    /// Finds out what a constant rests on, and all that it mentions.
    fn search(&mut self, modules: &[Loaded], index: &Index, root: EntryId) -> Result<SetId, LibraryError> {
        let mut walker = Walker::new(modules, index);
        // When each constant was met that has no answer yet.
        let mut met: FxHashMap<EntryId, u32> = FxHashMap::default();
        let mut waiting: Vec<EntryId> = Vec::new();
        let mut frames = vec![self.meet(&mut walker, &mut met, root)?];
        waiting.push(root);
        let mut answer = EMPTY;
        while let Some(frame) = frames.last_mut() {
            if let Some(&reference) = frame.references.get(frame.next) {
                frame.next += 1;
                if let Some(&set) = self.known.get(&reference) {
                    frame.set = self.union(frame.set, set);
                } else if let Some(&order) = met.get(&reference) {
                    frame.low = frame.low.min(order);
                } else {
                    let frame = self.meet(&mut walker, &mut met, reference)?;
                    frames.push(frame);
                    waiting.push(reference);
                }
                continue;
            }
            let (entry, order, low, set) = (frame.entry, frame.order, frame.low, frame.set);
            frames.pop();
            if low == order {
                // All that were met since then, and wait, lead back to this one: they rest on the same.
                while let Some(member) = waiting.pop() {
                    self.known.insert(member, set);
                    if member == entry {
                        break;
                    }
                }
            }
            if let Some(parent) = frames.last_mut() {
                parent.low = parent.low.min(low);
                parent.set = self.union(parent.set, set);
            }
            answer = set;
        }
        Ok(answer)
    }

    /// Begins with a constant: what it mentions, and what it is itself.
    fn meet(
        &mut self,
        walker: &mut Walker<'_>,
        met: &mut FxHashMap<EntryId, u32>,
        entry: EntryId,
    ) -> Result<Frame, LibraryError> {
        // There are fewer than 2^32 constants.
        let order = met.len() as u32;
        met.insert(entry, order);
        let found = walker.references(entry)?;
        let place = walker.index.entry(entry);
        let mut set = match found.kind {
            Kind::Other => EMPTY,
            Kind::Axiom => self.ground(walker.modules, place, Ground::Axiom)?,
            Kind::Hidden => self.ground(walker.modules, place, Ground::Hidden)?,
        };
        for name in found.missing {
            let id = self.ground_id(Ground::Missing, name);
            let missing = self.set(&[id]);
            set = self.union(set, missing);
        }
        Ok(Frame { entry, references: found.references, next: 0, order, low: order, set })
    }

    /// The set of one constant.
    fn ground(&mut self, modules: &[Loaded], entry: Entry, ground: Ground) -> Result<SetId, LibraryError> {
        let name = show(&name_of(modules, entry)?);
        let id = self.ground_id(ground, name);
        Ok(self.set(&[id]))
    }

    fn ground_id(&mut self, ground: Ground, name: String) -> u32 {
        let next = self.grounds.len() as u32;
        let grounds = &mut self.grounds;
        *self.ground_ids.entry((ground, name)).or_insert_with_key(|key| {
            grounds.push(key.clone());
            next
        })
    }

    fn set(&mut self, members: &[u32]) -> SetId {
        if let Some(&id) = self.set_ids.get(members) {
            return id;
        }
        let (id, members) = (self.sets.len() as SetId, Arc::<[u32]>::from(members));
        self.sets.push(Arc::clone(&members));
        self.set_ids.insert(members, id);
        id
    }

    fn union(&mut self, a: SetId, b: SetId) -> SetId {
        if a == b || b == EMPTY {
            return a;
        }
        if a == EMPTY {
            return b;
        }
        let key = (a.min(b), a.max(b));
        if let Some(&known) = self.unions.get(&key) {
            return known;
        }
        let mut members: Vec<u32> =
            [a, b].iter().flat_map(|&id| self.sets[id as usize].iter().copied()).collect();
        members.sort_unstable();
        members.dedup();
        let id = self.set(&members);
        self.unions.insert(key, id);
        id
    }
}

/// A name in Lean's dotted form.
pub(super) fn show(components: &[Component<'_>]) -> String {
    let mut terms = Terms::new();
    let name = components.iter().fold(NameId::ANONYMOUS, |prefix, component| match component {
        Component::Text(text) => terms.str_name(prefix, text),
        Component::Number(number) => terms.num_name(prefix, *number),
    });
    terms.show_name(name)
}
