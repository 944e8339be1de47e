//! Word problems of two steps.

use super::template::{Step, Template};
use super::words::{BAKED, CRATES, FRUIT, PACKS, TOYS, WARES};

/// First what training sees, then what it never sees.
pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get-then-give",
        trained: true,
        nouns: &[("item", TOYS)],
        given: &[("a", 2, 60), ("b", 2, 40), ("c", 2, 60)],
        texts: &[
            "{A} has {a} {items}. {B} gives {A.him} {b} more. Then {A} gives {c} {items} to {C}. How many {items} does {A} have left?",
            "{A} had {a} {items} and bought {b} more. Then {A.he} lost {c} of them. How many {items} does {A} have left?",
        ],
        steps: &[
            Step("x", "a + b", "{A} had {a} {items} and got {b} more, which makes {=} {items}."),
            Step("y", "x - c", "Then {c} of them were gone, so {A} has {=} {items} left."),
        ],
    },
    Template {
        name: "two-gifts",
        trained: true,
        nouns: &[("item", FRUIT)],
        given: &[("a", 6, 90), ("b", 2, 40), ("c", 2, 40)],
        texts: &[
            "{A} has {a} {items}. {A.He} gives {b} of them to {B} and {c} to {C}. How many {items} does {A} have left?",
            "{A} picked {a} {items}. {B} took {b} of them and {C} took {c}. How many {items} were left for {A}?",
        ],
        steps: &[
            Step("x", "a - b", "After {B} got {b} {items}, there were {=} {items}."),
            Step("y", "x - c", "After {C} got {c} {items}, {A} had {=} {items} left."),
        ],
    },
    Template {
        name: "packs-and-loose",
        trained: true,
        nouns: &[("item", TOYS), ("pack", PACKS)],
        given: &[("a", 2, 12), ("b", 2, 20), ("c", 2, 30)],
        texts: &[
            "{A} has {a} {packs} with {b} {items} in each, and {c} loose {items}. How many {items} does {A} have in all?",
            "On {A}'s desk lie {c} {items}. {A.He} also has {a} {packs} of {items}, each with {b} {items} in it. How many {items} does {A} have in all?",
        ],
        steps: &[
            Step("x", "a * b", "The {a} {packs} hold {=} {items}."),
            Step("y", "x + c", "With the other {c} {items}, {A} has {=} {items}."),
        ],
    },
    Template {
        name: "spoiled",
        trained: true,
        nouns: &[("item", FRUIT), ("crate", CRATES)],
        given: &[("a", 2, 12), ("b", 2, 20), ("c", 2, 30)],
        texts: &[
            "{A} buys {a} {crates} of {items} with {b} {items} in each. Later {c} of the {items} go bad. How many good {items} does {A} have?",
            "Each {crate} holds {b} {items}, and {A} has {a} {crates}. {A.He} throws away {c} bad {items}. How many {items} are left?",
        ],
        steps: &[
            Step("x", "a * b", "There are {=} {items} in the {a} {crates}."),
            Step("y", "x - c", "Without the {c} bad ones, {=} {items} are left."),
        ],
    },
    Template {
        name: "change",
        trained: true,
        nouns: &[("item", WARES)],
        given: &[("a", 2, 10), ("b", 2, 15), ("c", 6, 150)],
        texts: &[
            "{A} has {c} dollars and buys {a} {items} for {b} dollars each. How many dollars does {A} have left?",
            "A {item} costs {b} dollars. {A} buys {a} {items} and had {c} dollars before. How many dollars does {A.he} have now?",
        ],
        steps: &[
            Step("x", "a * b", "The {a} {items} cost {=} dollars."),
            Step("y", "c - x", "{A} had {c} dollars, so {=} dollars are left."),
        ],
    },
    Template {
        name: "and-one-more",
        trained: true,
        nouns: &[("item", WARES), ("other", WARES)],
        given: &[("a", 2, 10), ("b", 2, 15), ("c", 2, 40)],
        texts: &[
            "{A} buys {a} {items} for {b} dollars each and one {other} for {c} dollars. How many dollars does {A} spend in all?",
            "A {item} costs {b} dollars and a {other} costs {c} dollars. How many dollars do {a} {items} and one {other} cost together?",
        ],
        steps: &[
            Step("x", "a * b", "The {a} {items} cost {=} dollars."),
            Step("y", "x + c", "With the {other} for {c} dollars it is {=} dollars."),
        ],
    },
    Template {
        name: "share-the-rest",
        trained: true,
        nouns: &[("item", BAKED)],
        given: &[("a", 6, 100), ("b", 2, 40), ("c", 2, 10)],
        texts: &[
            "{A} baked {a} {items} and kept {b} of them. {A.He} shared the rest equally among {c} friends. How many {items} did each friend get?",
            "There were {a} {items}. {A} ate {b} of them over the week, and {c} friends shared the others equally. How many {items} did each friend get?",
        ],
        steps: &[
            Step("x", "a - b", "Without those {b}, there were {=} {items} to share."),
            Step("y", "x / c", "The {c} friends got {=} {items} each."),
        ],
    },
    Template {
        name: "share-and-add",
        trained: true,
        nouns: &[("item", TOYS)],
        given: &[("a", 4, 120), ("b", 2, 10), ("c", 2, 50)],
        texts: &[
            "A bag of {a} {items} is shared equally by {b} children. {A}, who is one of them, already had {c} {items}. How many {items} does {A} have now?",
            "{A} has {c} {items}. Then {b} children, {A} among them, share {a} more {items} equally. How many {items} does {A} have now?",
        ],
        steps: &[
            Step("x", "a / b", "Each child gets {=} {items}."),
            Step("y", "x + c", "{A} already had {c}, so now {A.he} has {=} {items}."),
        ],
    },
    Template {
        name: "twice-as-many",
        trained: true,
        nouns: &[("item", TOYS)],
        given: &[("a", 2, 60)],
        texts: &[
            "{A} has {a} {items}. {B} has twice as many {items} as {A}. How many {items} do they have together?",
            "{B} has twice as many {items} as {A}, who has {a}. How many {items} do the two have in all?",
        ],
        steps: &[
            Step("x", "2 * a", "{B} has {=} {items}."),
            Step("y", "a + x", "Together they have {=} {items}."),
        ],
    },
    Template {
        name: "more-together",
        trained: true,
        nouns: &[("item", FRUIT)],
        given: &[("a", 2, 60), ("b", 2, 40)],
        texts: &[
            "{A} picked {a} {items}. {B} picked {b} more {items} than {A}. How many {items} did they pick together?",
            "{B} picked {b} {items} more than {A}. {A} picked {a}. How many {items} did both of them pick in all?",
        ],
        steps: &[
            Step("x", "a + b", "{B} picked {=} {items}."),
            Step("y", "a + x", "Together they picked {=} {items}."),
        ],
    },
    Template {
        name: "two-days",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 60), ("b", 2, 60), ("c", 8, 300)],
        texts: &[
            "{A} is reading a book of {c} pages. {A.He} read {a} pages on Monday and {b} pages on Tuesday. How many pages are left?",
            "On Monday {A} read {a} pages of a book and on Tuesday {b} pages. The book has {c} pages. How many pages does {A.he} still have to read?",
        ],
        steps: &[
            Step("x", "a + b", "On the two days {A} read {=} pages."),
            Step("y", "c - x", "The book has {c} pages, so {=} pages are left."),
        ],
    },
    Template {
        name: "wages",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 10), ("b", 2, 25), ("c", 2, 100)],
        texts: &[
            "{A} had {c} dollars. Today {A.he} worked for {a} hours and earned {b} dollars an hour. How many dollars does {A} have now?",
            "{A} earns {b} dollars an hour in a shop. {A.He} works for {a} hours and adds the money to the {c} dollars {A.he} already has. How many dollars does {A} have then?",
        ],
        steps: &[
            Step("x", "a * b", "For {a} hours of work {A} gets {=} dollars."),
            Step("y", "x + c", "With the {c} dollars from before, {A.he} has {=} dollars."),
        ],
    },
    Template {
        name: "trays-to-bags",
        trained: true,
        nouns: &[("item", BAKED)],
        given: &[("a", 2, 10), ("b", 2, 24), ("c", 2, 12)],
        texts: &[
            "{A} bakes {a} trays of {items} with {b} {items} on each tray. {A.He} puts all of them into bags of {c}. How many bags does {A.he} fill?",
            "A tray holds {b} {items}. {A} bakes {a} trays and packs {c} {items} into each bag. How many bags does {A} fill?",
        ],
        steps: &[
            Step("x", "a * b", "{A} bakes {=} {items}."),
            Step("y", "x / c", "With {c} {items} in a bag, {A.he} fills {=} bags."),
        ],
    },
    Template {
        name: "tank",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 200), ("b", 2, 20), ("c", 2, 30)],
        texts: &[
            "There are {a} liters of water in a tank. A tap adds {b} liters every minute. How many liters are in the tank after {c} minutes?",
            "A pool already holds {a} liters. A hose runs for {c} minutes and brings {b} liters a minute. How many liters does the pool hold then?",
        ],
        steps: &[
            Step("x", "b * c", "In {c} minutes {=} liters run in."),
            Step("y", "a + x", "With the {a} liters from before there are {=} liters."),
        ],
    },
    Template {
        name: "off-and-on",
        trained: false,
        nouns: &[],
        given: &[("a", 4, 60), ("b", 2, 30), ("c", 2, 30)],
        texts: &[
            "A bus carries {a} people. At a stop {b} people get off and {c} people get on. How many people are on the bus now?",
            "There are {a} people in a museum. In the next hour {b} people leave and {c} people come in. How many people are there now?",
        ],
        steps: &[
            Step("x", "a - b", "After {b} people left, there were {=} people."),
            Step("y", "x + c", "After {c} people came, there were {=} people."),
        ],
    },
    Template {
        name: "ribbon",
        trained: false,
        nouns: &[],
        given: &[("a", 6, 300), ("b", 2, 10), ("c", 2, 30)],
        texts: &[
            "{A} has a ribbon of {a} centimeters. {A.He} cuts off {b} pieces of {c} centimeters each. How many centimeters of ribbon are left?",
            "From a wire of {a} centimeters {A} cuts {b} pieces, each {c} centimeters long. How many centimeters are left?",
        ],
        steps: &[
            Step("x", "b * c", "The {b} pieces are {=} centimeters long together."),
            Step("y", "a - x", "So {=} centimeters are left."),
        ],
    },
    Template {
        name: "teams-of",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 40), ("b", 2, 40), ("c", 2, 10)],
        texts: &[
            "There are {a} girls and {b} boys in a sports club. They form teams of {c} children. How many teams are there?",
            "A camp has {a} girls and {b} boys. In every tent sleep {c} children, and every tent is full. How many tents are there?",
        ],
        steps: &[
            Step("x", "a + b", "There are {=} children."),
            Step("y", "x / c", "In groups of {c} they make {=} groups."),
        ],
    },
    Template {
        name: "half-sold",
        trained: false,
        nouns: &[("item", FRUIT)],
        given: &[("a", 8, 160), ("b", 2, 60)],
        texts: &[
            "{A} took {a} {items} to the market and sold half of them. Then {A.he} gave {b} to a neighbor. How many {items} did {A} have left?",
            "Half of {A}'s {a} {items} were sold, and {b} of the others were eaten. How many {items} were left?",
        ],
        steps: &[
            Step("x", "a / 2", "After half were sold, there were {=} {items}."),
            Step("y", "x - b", "Without {b} more, {=} {items} were left."),
        ],
    },
];
