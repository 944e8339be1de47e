//! The people and things that word problems are about.

/// Somebody, with the pronouns to speak of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) is_she: bool,
}

const fn she(name: &'static str) -> Person {
    Person { name, is_she: true }
}

const fn he(name: &'static str) -> Person {
    Person { name, is_she: false }
}

/// No name ends in s, so that `'s` always makes the possessive.
pub(super) const PEOPLE: &[Person] = &[
    she("Anna"),
    she("Maria"),
    she("Priya"),
    she("Grace"),
    she("Leila"),
    she("Nora"),
    she("Sofia"),
    she("Emma"),
    she("Yuki"),
    she("Amara"),
    she("Hannah"),
    she("Olivia"),
    she("Zoe"),
    she("Fatima"),
    she("Clara"),
    she("Mei"),
    she("Ruth"),
    she("Elena"),
    she("Julia"),
    she("Lucy"),
    she("Rosa"),
    she("Ada"),
    she("Kate"),
    she("Ivy"),
    he("Tom"),
    he("Ben"),
    he("Omar"),
    he("Luca"),
    he("Diego"),
    he("Noah"),
    he("Sam"),
    he("Ravi"),
    he("Peter"),
    he("Kenji"),
    he("Jack"),
    he("Ali"),
    he("Felix"),
    he("Hugo"),
    he("Ivan"),
    he("Leo"),
    he("Max"),
    he("Oscar"),
    he("Paul"),
    he("Simon"),
    he("Theo"),
    he("Victor"),
    he("Kofi"),
    he("Daniel"),
];

/// A thing, as one and as many.
pub(super) type Noun = (&'static str, &'static str);

/// Small things that people own, count and give away.
pub(super) const TOYS: &[Noun] = &[
    ("marble", "marbles"),
    ("sticker", "stickers"),
    ("seashell", "seashells"),
    ("stamp", "stamps"),
    ("toy car", "toy cars"),
    ("button", "buttons"),
    ("bead", "beads"),
    ("crayon", "crayons"),
    ("pencil", "pencils"),
    ("trading card", "trading cards"),
    ("balloon", "balloons"),
    ("building block", "building blocks"),
];

/// What toys come in.
pub(super) const PACKS: &[Noun] =
    &[("box", "boxes"), ("bag", "bags"), ("pack", "packs"), ("packet", "packets"), ("tin", "tins")];

/// Fruit that is counted.
pub(super) const FRUIT: &[Noun] = &[
    ("apple", "apples"),
    ("orange", "oranges"),
    ("peach", "peaches"),
    ("pear", "pears"),
    ("plum", "plums"),
    ("lemon", "lemons"),
    ("mango", "mangoes"),
    ("strawberry", "strawberries"),
    ("banana", "bananas"),
    ("kiwi", "kiwis"),
    ("fig", "figs"),
    ("apricot", "apricots"),
];

/// What fruit comes in.
pub(super) const CRATES: &[Noun] =
    &[("box", "boxes"), ("bag", "bags"), ("basket", "baskets"), ("crate", "crates"), ("bucket", "buckets")];

/// What is baked on trays.
pub(super) const BAKED: &[Noun] = &[
    ("cookie", "cookies"),
    ("muffin", "muffins"),
    ("cupcake", "cupcakes"),
    ("brownie", "brownies"),
    ("bagel", "bagels"),
    ("pretzel", "pretzels"),
    ("scone", "scones"),
    ("pastry", "pastries"),
    ("bread roll", "bread rolls"),
    ("cinnamon bun", "cinnamon buns"),
];

/// What is bought for a few dollars.
pub(super) const WARES: &[Noun] = &[
    ("notebook", "notebooks"),
    ("pen", "pens"),
    ("mug", "mugs"),
    ("candle", "candles"),
    ("ball", "balls"),
    ("puzzle", "puzzles"),
    ("scarf", "scarves"),
    ("cap", "caps"),
    ("kite", "kites"),
    ("poster", "posters"),
    ("toy boat", "toy boats"),
    ("comic book", "comic books"),
];

/// What is planted in rows.
pub(super) const PLANTS: &[Noun] = &[
    ("tulip", "tulips"),
    ("rose", "roses"),
    ("daisy", "daisies"),
    ("sunflower", "sunflowers"),
    ("cabbage", "cabbages"),
    ("onion", "onions"),
    ("carrot", "carrots"),
    ("tomato plant", "tomato plants"),
    ("bean plant", "bean plants"),
    ("lily", "lilies"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_different_and_take_an_apostrophe_s() {
        let names: HashSet<&str> = PEOPLE.iter().map(|person| person.name).collect();
        assert_eq!(names.len(), PEOPLE.len());
        assert!(names.iter().all(|name| !name.ends_with('s')));
    }

    #[test]
    fn plurals_follow_the_rules_of_english() {
        let irregular = [("scarf", "scarves"), ("mango", "mangoes")];
        for (one, many) in [TOYS, PACKS, FRUIT, CRATES, BAKED, WARES, PLANTS].into_iter().flatten() {
            let regular = match one {
                _ if irregular.contains(&(*one, *many)) => (*many).to_string(),
                _ if one.ends_with('y') && !one.ends_with("ey") => {
                    format!("{}ies", one.trim_end_matches('y'))
                }
                _ if one.ends_with("ch") || one.ends_with('x') => format!("{one}es"),
                _ => format!("{one}s"),
            };
            assert_eq!(*many, regular);
        }
    }
}
