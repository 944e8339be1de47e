//! Word problems of three steps.

use super::template::{Step, Template};
use super::words::{BAKED, CRATES, FRUIT, PACKS, TOYS, WARES};

/// First what training sees, then what it never sees.
pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "two-kinds",
        trained: true,
        nouns: &[("item", WARES), ("other", WARES)],
        given: &[("a", 2, 10), ("b", 2, 12), ("c", 2, 10), ("d", 2, 12)],
        texts: &[
            "{A} buys {a} {items} for {b} dollars each and {c} {others} for {d} dollars each. How many dollars does {A} spend in all?",
            "A {item} costs {b} dollars and a {other} costs {d} dollars. {A} buys {a} {items} and {c} {others}. How many dollars does {A.he} pay?",
        ],
        steps: &[
            Step("x", "a * b", "The {a} {items} cost {=} dollars."),
            Step("y", "c * d", "The {c} {others} cost {=} dollars."),
            Step("z", "x + y", "In all {A} pays {=} dollars."),
        ],
    },
    Template {
        name: "money-left",
        trained: true,
        nouns: &[("item", WARES), ("other", WARES)],
        given: &[("a", 2, 10), ("b", 2, 12), ("c", 2, 30), ("d", 8, 200)],
        texts: &[
            "{A} has {d} dollars. {A.He} buys {a} {items} for {b} dollars each and one {other} for {c} dollars. How many dollars does {A} have left?",
            "{A} goes to a shop with {d} dollars. There {A.he} pays {c} dollars for a {other} and {b} dollars each for {a} {items}. How many dollars are left?",
        ],
        steps: &[
            Step("x", "a * b", "The {a} {items} cost {=} dollars."),
            Step("y", "x + c", "With the {other} {A} spends {=} dollars."),
            Step("z", "d - y", "{A} had {d} dollars, so {=} dollars are left."),
        ],
    },
    Template {
        name: "bake-and-share",
        trained: true,
        nouns: &[("item", BAKED)],
        given: &[("a", 2, 8), ("b", 3, 24), ("c", 2, 30), ("d", 2, 10)],
        texts: &[
            "{A} bakes {a} trays of {items} with {b} {items} on each tray. {A.His} family eats {c} of them. The rest is shared equally among {d} neighbors. How many {items} does each neighbor get?",
            "There are {b} {items} on a tray, and {A} bakes {a} trays. After {c} {items} are eaten, {d} friends share the rest equally. How many {items} does each friend get?",
        ],
        steps: &[
            Step("x", "a * b", "{A} bakes {=} {items}."),
            Step("y", "x - c", "After {c} are eaten, {=} {items} are left."),
            Step("z", "y / d", "Shared by {d} people, that is {=} {items} each."),
        ],
    },
    Template {
        name: "more-and-twice",
        trained: true,
        nouns: &[("item", TOYS)],
        given: &[("a", 2, 40), ("b", 2, 30)],
        texts: &[
            "{A} has {a} {items}. {B} has {b} more {items} than {A}, and {C} has twice as many as {B}. How many {items} do {B} and {C} have together?",
            "{C} has twice as many {items} as {B}. {B} has {b} {items} more than {A}, who has {a}. How many {items} do {B} and {C} have in all?",
        ],
        steps: &[
            Step("x", "a + b", "{B} has {=} {items}."),
            Step("y", "2 * x", "{C} has {=} {items}."),
            Step("z", "x + y", "Together {B} and {C} have {=} {items}."),
        ],
    },
    Template {
        name: "earn-and-spend",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 10), ("b", 2, 20), ("c", 2, 60), ("d", 2, 100)],
        texts: &[
            "{A} works for {a} hours and earns {b} dollars an hour. {A.He} also gets {c} dollars for {A.his} birthday. Then {A.he} spends {d} dollars on a jacket. How many dollars does {A} have then?",
            "{A} had {c} dollars. {A.He} earned {b} dollars an hour for {a} hours of work and then paid {d} dollars for a ticket. How many dollars does {A} have now?",
        ],
        steps: &[
            Step("x", "a * b", "For the work {A} gets {=} dollars."),
            Step("y", "x + c", "With the other {c} dollars, {A.he} has {=} dollars."),
            Step("z", "y - d", "After paying {d} dollars, {A.he} has {=} dollars."),
        ],
    },
    Template {
        name: "three-days",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 50), ("b", 2, 50), ("c", 2, 50), ("d", 10, 300)],
        texts: &[
            "{A} is reading a book of {d} pages. {A.He} reads {a} pages on Friday, {b} pages on Saturday and {c} pages on Sunday. How many pages are left?",
            "On Friday {A} read {a} pages, on Saturday {b} and on Sunday {c}. The book has {d} pages. How many pages does {A.he} still have to read?",
        ],
        steps: &[
            Step("x", "a + b", "On Friday and Saturday {A} read {=} pages."),
            Step("y", "x + c", "With Sunday it was {=} pages."),
            Step("z", "d - y", "The book has {d} pages, so {=} pages are left."),
        ],
    },
    Template {
        name: "pick-and-pack",
        trained: true,
        nouns: &[("item", FRUIT), ("crate", CRATES)],
        given: &[("a", 3, 60), ("b", 3, 60), ("c", 2, 30), ("d", 2, 12)],
        texts: &[
            "{A} picks {a} {items} and {B} picks {b}. They eat {c} of them and pack the others into {crates} of {d}. How many {crates} do they fill?",
            "{A} picks {a} {items}, and {B} picks {b}. They give {c} away and put {d} of the others into each {crate}. How many {crates} do they need?",
        ],
        steps: &[
            Step("x", "a + b", "Together they pick {=} {items}."),
            Step("y", "x - c", "Without {c} of them, {=} {items} are left."),
            Step("z", "y / d", "With {d} in each, that makes {=} {crates}."),
        ],
    },
    Template {
        name: "finish-in-time",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 30), ("b", 2, 8), ("c", 10, 300), ("d", 2, 8)],
        texts: &[
            "{A}'s book has {c} pages. {A.He} reads {a} pages a day for {b} days. Then {A.he} wants to finish the book in {d} more days, with the same number of pages each day. How many pages a day does {A.he} have to read then?",
            "For {b} days {A} reads {a} pages a day of a book of {c} pages. How many pages a day does {A.he} have to read to finish it in {d} more days?",
        ],
        steps: &[
            Step("x", "a * b", "In the first {b} days {A} reads {=} pages."),
            Step("y", "c - x", "Then {=} pages are left."),
            Step("z", "y / d", "In {d} days that is {=} pages a day."),
        ],
    },
    Template {
        name: "give-and-buy",
        trained: true,
        nouns: &[("item", TOYS), ("pack", PACKS)],
        given: &[("a", 4, 60), ("b", 2, 40), ("c", 2, 10), ("d", 2, 12)],
        texts: &[
            "{A} had {a} {items} and gave {b} of them to {B}. Then {A.he} bought {c} {packs} with {d} {items} in each. How many {items} does {A} have now?",
            "{A} lost {b} of {A.his} {a} {items}. Later {A.he} got {c} {packs}, each with {d} {items}. How many {items} does {A} have now?",
        ],
        steps: &[
            Step("x", "a - b", "After {b} were gone, {A} had {=} {items}."),
            Step("y", "c * d", "The {c} {packs} hold {=} {items}."),
            Step("z", "x + y", "Now {A} has {=} {items}."),
        ],
    },
    Template {
        name: "fence",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 40), ("b", 2, 30), ("c", 2, 10)],
        texts: &[
            "{A} puts a fence around a rectangular garden that is {a} meters long and {b} meters wide. Each meter of fence costs {c} dollars. How many dollars does the fence cost?",
            "A rectangular yard is {a} meters long and {b} meters wide. How many dollars does a fence around it cost if a meter of fence costs {c} dollars?",
        ],
        steps: &[
            Step("x", "a + b", "One long and one short side are {=} meters."),
            Step("y", "2 * x", "All four sides are {=} meters."),
            Step("z", "y * c", "At {c} dollars a meter the fence costs {=} dollars."),
        ],
    },
    Template {
        name: "vans",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 60), ("b", 2, 12), ("c", 2, 9), ("d", 2, 60)],
        texts: &[
            "A school takes {a} children and {b} adults on a trip in vans. Each van carries {c} people, and all vans are full. Renting a van costs {d} dollars. How many dollars do the vans cost?",
            "A group of {a} children and {b} adults rents boats for {c} people each and fills them all. A boat costs {d} dollars. How many dollars does the group pay?",
        ],
        steps: &[
            Step("x", "a + b", "There are {=} people."),
            Step("y", "x / c", "With {c} people in each, that takes {=} of them."),
            Step("z", "y * d", "At {d} dollars each they cost {=} dollars."),
        ],
    },
    Template {
        name: "eggs",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 30), ("b", 2, 7), ("c", 2, 30), ("d", 2, 12)],
        texts: &[
            "{A} has {a} hens, and each of them lays {b} eggs a week. {A} keeps {c} eggs a week and sells the others in cartons of {d}. How many cartons does {A.he} sell a week?",
            "On a farm {a} hens lay {b} eggs each in a week. The farmer uses {c} of the eggs and packs the rest into cartons of {d}. How many cartons is that a week?",
        ],
        steps: &[
            Step("x", "a * b", "The hens lay {=} eggs a week."),
            Step("y", "x - c", "Without the {c} that are kept, {=} eggs are left."),
            Step("z", "y / d", "In cartons of {d} that makes {=} cartons."),
        ],
    },
    Template {
        name: "there-and-back",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 15), ("b", 2, 20), ("c", 2, 60)],
        texts: &[
            "{A} rides {a} kilometers to school and the same way back. {A.He} does this on {b} days. On the other days {A.he} rides {c} kilometers in all. How many kilometers does {A.he} ride altogether?",
            "It is {a} kilometers from {A}'s home to the lake. {A.He} walks there and back on {b} days and walks {c} kilometers in the town. How many kilometers does {A.he} walk in all?",
        ],
        steps: &[
            Step("x", "2 * a", "There and back it is {=} kilometers."),
            Step("y", "x * b", "On {b} days that makes {=} kilometers."),
            Step("z", "y + c", "With {c} more it is {=} kilometers."),
        ],
    },
];
