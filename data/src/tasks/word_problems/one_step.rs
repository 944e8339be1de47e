//! Word problems of one step.

use super::template::{Step, Template};
use super::words::{BAKED, CRATES, FRUIT, PACKS, PLANTS, TOYS, WARES};

/// First what training sees, then what it never sees.
pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "get-more",
        trained: true,
        nouns: &[("item", TOYS)],
        given: &[("a", 2, 60), ("b", 2, 40)],
        texts: &[
            "{A} has {a} {items}. {B} gives {A.him} {b} more. How many {items} does {A} have now?",
            "{A} had {a} {items} and then found {b} more. How many {items} does {A.he} have now?",
            "There were {a} {items} in {A}'s collection. Today {A.he} added {b} {items}. How many {items} are in the collection now?",
        ],
        steps: &[Step(
            "x",
            "a + b",
            "{A} started with {a} {items} and got {b} more, so now there are {=} {items}.",
        )],
    },
    Template {
        name: "give-away",
        trained: true,
        nouns: &[("item", FRUIT)],
        given: &[("a", 4, 80), ("b", 2, 60)],
        texts: &[
            "{A} has {a} {items}. {A.He} gives {b} of them to {B}. How many {items} does {A} have left?",
            "{A} picked {a} {items} and gave {b} of them to {B}. How many {items} does {A} still have?",
        ],
        steps: &[Step(
            "x",
            "a - b",
            "{A} had {a} {items} and gave away {b}, so {A.he} has {=} {items} left.",
        )],
    },
    Template {
        name: "together",
        trained: true,
        nouns: &[("item", TOYS)],
        given: &[("a", 2, 80), ("b", 2, 80)],
        texts: &[
            "{A} has {a} {items} and {B} has {b} {items}. How many {items} do they have together?",
            "{A} owns {a} {items}. {A.His} friend {B} owns {b} {items}. How many {items} do the two friends own in all?",
        ],
        steps: &[Step(
            "x",
            "a + b",
            "{A} has {a} {items} and {B} has {b}, so together they have {=} {items}.",
        )],
    },
    Template {
        name: "eaten",
        trained: true,
        nouns: &[("item", BAKED)],
        given: &[("a", 4, 60), ("b", 2, 50)],
        texts: &[
            "{A} baked {a} {items}. {A.His} family ate {b} of them. How many {items} are left?",
            "There were {a} {items} on a plate. {A} and {A.his} friends ate {b} of them. How many {items} are still on the plate?",
        ],
        steps: &[Step("x", "a - b", "There were {a} {items} and {b} were eaten, so {=} {items} are left.")],
    },
    Template {
        name: "packs",
        trained: true,
        nouns: &[("item", TOYS), ("pack", PACKS)],
        given: &[("a", 2, 12), ("b", 2, 24)],
        texts: &[
            "{A} buys {a} {packs} of {items}. Each {pack} holds {b} {items}. How many {items} does {A} buy in all?",
            "There are {b} {items} in each {pack}. How many {items} are in {a} {packs}?",
        ],
        steps: &[Step(
            "x",
            "a * b",
            "There are {a} {packs} with {b} {items} in each, so there are {=} {items}.",
        )],
    },
    Template {
        name: "share",
        trained: true,
        nouns: &[("item", FRUIT)],
        given: &[("a", 4, 120), ("b", 2, 12)],
        texts: &[
            "{A} shares {a} {items} equally among {b} friends. How many {items} does each friend get?",
            "A group of {b} friends shares {a} {items} equally. How many {items} does each friend get?",
        ],
        steps: &[Step(
            "x",
            "a / b",
            "The {a} {items} are shared by {b} friends, so each friend gets {=} {items}.",
        )],
    },
    Template {
        name: "cost",
        trained: true,
        nouns: &[("item", WARES)],
        given: &[("a", 2, 12), ("b", 2, 20)],
        texts: &[
            "{A} buys {a} {items} at the fair. Each {item} costs {b} dollars. How many dollars does {A} pay?",
            "One {item} costs {b} dollars. How many dollars do {a} {items} cost?",
        ],
        steps: &[Step("x", "a * b", "Each {item} costs {b} dollars, so {a} {items} cost {=} dollars.")],
    },
    Template {
        name: "more-points",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 90), ("b", 2, 50)],
        texts: &[
            "{A} scored {a} points in a game. {B} scored {b} more points than {A}. How many points did {B} score?",
            "In a quiz {B} got {b} points more than {A}, who got {a} points. How many points did {B} get?",
        ],
        steps: &[Step("x", "a + b", "{A} got {a} points and {B} got {b} more, so {B} got {=} points.")],
    },
    Template {
        name: "difference",
        trained: true,
        nouns: &[("item", TOYS)],
        given: &[("a", 4, 90), ("b", 2, 80)],
        texts: &[
            "{A} has {a} {items} and {B} has {b} {items}. How many more {items} does {A} have than {B}?",
            "{B} has only {b} {items}, but {A} has {a}. How many {items} does {A} have more than {B}?",
        ],
        steps: &[Step("x", "a - b", "{A} has {a} {items} and {B} has {b}, so {A} has {=} {items} more.")],
    },
    Template {
        name: "rows",
        trained: true,
        nouns: &[("item", PLANTS)],
        given: &[("a", 2, 15), ("b", 2, 20)],
        texts: &[
            "{A} plants {a} rows of {items} with {b} {items} in each row. How many {items} does {A} plant?",
            "In {A}'s garden there are {a} rows of {items}. Every row has {b} {items}. How many {items} are in the garden?",
        ],
        steps: &[Step(
            "x",
            "a * b",
            "There are {a} rows with {b} {items} in each, so there are {=} {items}.",
        )],
    },
    Template {
        name: "pages-left",
        trained: true,
        nouns: &[],
        given: &[("a", 8, 300), ("b", 2, 200)],
        texts: &[
            "{A}'s book has {a} pages. {A.He} has already read {b} pages. How many pages are left to read?",
            "{A} is reading a book of {a} pages and has finished {b} of them. How many pages does {A.he} still have to read?",
        ],
        steps: &[Step("x", "a - b", "The book has {a} pages and {A} has read {b}, so {=} pages are left.")],
    },
    Template {
        name: "every-day",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 15), ("b", 2, 14)],
        texts: &[
            "{A} walks {a} kilometers every day. How many kilometers does {A.he} walk in {b} days?",
            "Every day {A} walks {a} kilometers with the dog. How many kilometers do they walk in {b} days?",
        ],
        steps: &[Step("x", "a * b", "{A} walks {a} kilometers a day, so in {b} days it is {=} kilometers.")],
    },
    Template {
        name: "fill-crates",
        trained: true,
        nouns: &[("item", FRUIT), ("crate", CRATES)],
        given: &[("a", 4, 144), ("b", 2, 12)],
        texts: &[
            "{A} packs {a} {items} into {crates}. Each {crate} holds {b} {items}. How many {crates} does {A} fill?",
            "A {crate} holds {b} {items}. How many {crates} does {A} need for {a} {items}?",
        ],
        steps: &[Step(
            "x",
            "a / b",
            "There are {a} {items} with {b} in each {crate}, so it takes {=} {crates}.",
        )],
    },
    Template {
        name: "getting-on",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 60), ("b", 2, 30)],
        texts: &[
            "There are {a} people on a bus. At the next stop {b} people get on and nobody gets off. How many people are on the bus then?",
            "A ferry starts with {a} people. At the island {b} more come aboard and nobody leaves. How many people are aboard then?",
        ],
        steps: &[Step("x", "a + b", "There were {a} people and {b} more came, so there are {=} people.")],
    },
    Template {
        name: "saving",
        trained: false,
        nouns: &[],
        given: &[("a", 6, 200), ("b", 2, 180)],
        texts: &[
            "{A} wants to buy a tent that costs {a} dollars. So far {A.he} has saved {b} dollars. How many dollars does {A} still need?",
            "A guitar costs {a} dollars, and {A} has {b} dollars in the bank. How many dollars must {A.he} still save to buy it?",
        ],
        steps: &[Step("x", "a - b", "{A} needs {a} dollars and has {b}, so {=} dollars are missing.")],
    },
    Template {
        name: "equal-teams",
        trained: false,
        nouns: &[],
        given: &[("a", 4, 60), ("b", 2, 10)],
        texts: &[
            "The {a} children in a gym class form {b} teams of the same size. How many children are on each team?",
            "A coach divides {a} children into {b} equal teams. How many children are on a team?",
        ],
        steps: &[Step(
            "x",
            "a / b",
            "There are {a} children in {b} equal teams, so a team has {=} children.",
        )],
    },
    Template {
        name: "tricycles",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 40)],
        texts: &[
            "A shop repairs {a} tricycles. Every tricycle has 3 wheels. How many wheels is that in all?",
            "{A} counts {a} tricycles in the park. A tricycle has 3 wheels. How many wheels do they have altogether?",
        ],
        steps: &[Step("x", "a * 3", "Each of the {a} tricycles has 3 wheels, so there are {=} wheels.")],
    },
    Template {
        name: "age",
        trained: false,
        nouns: &[],
        given: &[("a", 4, 70), ("b", 2, 25)],
        texts: &[
            "{A} is {a} years old. How old will {A.he} be in {b} years?",
            "Today is {A}'s birthday, and {A.he} is {a} years old. How old will {A.he} be {b} years from now?",
        ],
        steps: &[Step(
            "x",
            "a + b",
            "{A} is {a} years old now, so in {b} years {A.he} will be {=} years old.",
        )],
    },
];
