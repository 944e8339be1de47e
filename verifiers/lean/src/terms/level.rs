//! Universe levels as written: nothing is simplified here, the kernel decides when two are equal.

use std::hash::BuildHasher;

use super::{LevelId, LevelsId, NameId, Terms, next_id};

/// One node of a universe level.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Level {
    /// The level of propositions.
    Zero,
    /// One more than a level.
    Succ(LevelId),
    /// The greater of two levels.
    Max(LevelId, LevelId),
    /// Zero if the second level is zero, else the greater of the two.
    IMax(LevelId, LevelId),
    /// A universe parameter.
    Param(NameId),
}

#[derive(Clone, Copy)]
pub(super) struct LevelNode {
    level: Level,
    has_param: bool,
    depth: u32,
}

impl LevelId {
    /// Level zero; the same in every arena.
    pub const ZERO: Self = Self(0);
}

impl LevelsId {
    /// The empty list; the same in every arena.
    pub const EMPTY: Self = Self(0);
}

impl Terms {
    /// Level zero.
    pub fn zero(&self) -> LevelId {
        LevelId::ZERO
    }

    /// One more than `level`.
    pub fn succ(&mut self, level: LevelId) -> LevelId {
        self.intern_level(Level::Succ(level))
    }

    /// The greater of two levels.
    pub fn max(&mut self, a: LevelId, b: LevelId) -> LevelId {
        self.intern_level(Level::Max(a, b))
    }

    /// Zero if `b` is zero, else the greater of the two.
    pub fn imax(&mut self, a: LevelId, b: LevelId) -> LevelId {
        self.intern_level(Level::IMax(a, b))
    }

    /// A universe parameter.
    pub fn param(&mut self, name: NameId) -> LevelId {
        self.intern_level(Level::Param(name))
    }

    /// One node of a level.
    pub fn level(&self, id: LevelId) -> Level {
        self.levels[id.0 as usize].level
    }

    /// Whether a level mentions a parameter.
    pub fn level_has_param(&self, id: LevelId) -> bool {
        self.levels[id.0 as usize].has_param
    }

    /// How deep a level is nested: 0 for zero and parameters.
    pub fn level_depth(&self, id: LevelId) -> u32 {
        self.levels[id.0 as usize].depth
    }

    pub(super) fn intern_level(&mut self, level: Level) -> LevelId {
        if let Some(&id) = self.level_ids.get(&level) {
            return id;
        }
        let below =
            |id: LevelId| (self.levels[id.0 as usize].has_param, self.levels[id.0 as usize].depth + 1);
        let (has_param, depth) = match level {
            Level::Zero => (false, 0),
            Level::Param(_) => (true, 0),
            Level::Succ(a) => below(a),
            Level::Max(a, b) | Level::IMax(a, b) => {
                let ((a_param, a_depth), (b_param, b_depth)) = (below(a), below(b));
                (a_param || b_param, a_depth.max(b_depth))
            }
        };
        let id = LevelId(next_id(self.levels.len()));
        self.levels.push(LevelNode { level, has_param, depth });
        self.level_ids.insert(level, id);
        id
    }

    /// A list of levels, as a constant takes them.
    pub fn levels(&mut self, levels: &[LevelId]) -> LevelsId {
        let hash = self.hasher.hash_one(levels);
        let list = |id: u32| {
            let (start, len, _) = self.lists[id as usize];
            &self.list_elements[start as usize..(start + len) as usize]
        };
        if let Some(&id) = self.list_ids.find(hash, |&id| list(id) == levels) {
            return LevelsId(id);
        }
        let id = next_id(self.lists.len());
        let start = next_id(self.list_elements.len());
        let has_param = levels.iter().any(|&level| self.level_has_param(level));
        self.list_elements.extend_from_slice(levels);
        // No list reaches past the elements, whose number fits.
        self.lists.push((start, next_id(levels.len()), has_param));
        let (lists, elements, hasher) = (&self.lists, &self.list_elements, &self.hasher);
        self.list_ids.insert_unique(hash, id, |&id| {
            let (start, len, _) = lists[id as usize];
            hasher.hash_one(&elements[start as usize..(start + len) as usize])
        });
        LevelsId(id)
    }

    /// The elements of a list of levels.
    pub fn level_list(&self, id: LevelsId) -> &[LevelId] {
        let (start, len, _) = self.lists[id.0 as usize];
        &self.list_elements[start as usize..(start + len) as usize]
    }

    /// Whether a level of the list mentions a parameter.
    pub fn levels_have_param(&self, id: LevelsId) -> bool {
        self.lists[id.0 as usize].2
    }
}
