//! Word problems of four steps.

use super::template::{Step, Template};
use super::words::{BAKED, CRATES, FRUIT, PACKS, TOYS, WARES};

/// First what training sees, then what it never sees.
pub(super) const TEMPLATES: &[Template] = &[
    Template {
        name: "two-kinds-change",
        trained: true,
        nouns: &[("item", WARES), ("other", WARES)],
        given: &[("a", 2, 10), ("b", 2, 12), ("c", 2, 10), ("d", 2, 12), ("e", 10, 300)],
        texts: &[
            "{A} has {e} dollars. {A.He} buys {a} {items} for {b} dollars each and {c} {others} for {d} dollars each. How many dollars does {A} have left?",
            "A {item} costs {b} dollars and a {other} costs {d} dollars. {A} buys {a} {items} and {c} {others} and pays from {A.his} {e} dollars. How many dollars are left?",
        ],
        steps: &[
            Step("x", "a * b", "The {a} {items} cost {=} dollars."),
            Step("y", "c * d", "The {c} {others} cost {=} dollars."),
            Step("z", "x + y", "In all {A} pays {=} dollars."),
            Step("w", "e - z", "{A} had {e} dollars, so {=} dollars are left."),
        ],
    },
    Template {
        name: "three-people",
        trained: true,
        nouns: &[("item", TOYS)],
        given: &[("a", 2, 40), ("b", 2, 30)],
        texts: &[
            "{A} has {a} {items}. {B} has {b} more {items} than {A}, and {C} has twice as many as {B}. How many {items} do the three of them have together?",
            "{C} has twice as many {items} as {B}. {B} has {b} {items} more than {A}, who has {a}. How many {items} do all three have in all?",
        ],
        steps: &[
            Step("x", "a + b", "{B} has {=} {items}."),
            Step("y", "2 * x", "{C} has {=} {items}."),
            Step("z", "a + x", "{A} and {B} together have {=} {items}."),
            Step("w", "z + y", "With those of {C} it is {=} {items}."),
        ],
    },
    Template {
        name: "bake-sale",
        trained: true,
        nouns: &[("item", BAKED)],
        given: &[("a", 2, 8), ("b", 3, 24), ("c", 2, 20), ("d", 2, 10), ("e", 2, 9)],
        texts: &[
            "{A} bakes {a} trays of {items} with {b} {items} on each tray. Then {c} of them burn. {A.He} packs the others into bags of {d} and sells each bag for {e} dollars. How many dollars does {A} get?",
            "There are {b} {items} on a tray, and {A} bakes {a} trays. {A.He} keeps {c} {items} and sells the rest in bags of {d} for {e} dollars a bag. How many dollars does {A.he} take in?",
        ],
        steps: &[
            Step("x", "a * b", "{A} bakes {=} {items}."),
            Step("y", "x - c", "Without {c} of them, {=} {items} are left."),
            Step("z", "y / d", "In bags of {d} that makes {=} bags."),
            Step("w", "z * e", "At {e} dollars a bag {A} gets {=} dollars."),
        ],
    },
    Template {
        name: "two-jobs",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 10), ("b", 2, 20), ("c", 2, 10), ("d", 2, 20), ("e", 2, 150)],
        texts: &[
            "{A} works for {a} hours in a shop at {b} dollars an hour and for {c} hours in a garden at {d} dollars an hour. Then {A.he} spends {e} dollars. How many dollars does {A} have left?",
            "In a shop {A} earns {b} dollars an hour, in a garden {d} dollars an hour. This week {A.he} worked for {a} hours in the shop and {c} hours in the garden, and spent {e} dollars of it. How many dollars are left?",
        ],
        steps: &[
            Step("x", "a * b", "In the shop {A} earns {=} dollars."),
            Step("y", "c * d", "In the garden {A.he} earns {=} dollars."),
            Step("z", "x + y", "Together that is {=} dollars."),
            Step("w", "z - e", "After spending {e} dollars, {=} dollars are left."),
        ],
    },
    Template {
        name: "collection",
        trained: true,
        nouns: &[("item", TOYS), ("pack", PACKS)],
        given: &[("a", 2, 50), ("b", 2, 40), ("c", 2, 60), ("d", 2, 10), ("e", 2, 12)],
        texts: &[
            "{A} has {a} {items} and gets {b} more from {B}. {A.He} gives {c} {items} to {C} and then buys {d} {packs} with {e} {items} in each. How many {items} does {A} have now?",
            "{A} had {a} {items}, found {b} more and lost {c} of them. Then {A.he} got {d} {packs}, each with {e} {items}. How many {items} does {A} have now?",
        ],
        steps: &[
            Step("x", "a + b", "With {b} more, {A} had {=} {items}."),
            Step("y", "x - c", "After {c} were gone, {A.he} had {=} {items}."),
            Step("z", "d * e", "The {d} {packs} hold {=} {items}."),
            Step("w", "y + z", "Now {A} has {=} {items}."),
        ],
    },
    Template {
        name: "picking-together",
        trained: true,
        nouns: &[("item", FRUIT), ("crate", CRATES)],
        given: &[("a", 3, 60), ("b", 2, 30), ("c", 2, 30), ("d", 2, 12)],
        texts: &[
            "{A} picks {a} {items}. {B} picks {b} more {items} than {A}. Together they eat {c} of the {items} and put the rest into {crates} of {d}. How many {crates} do they fill?",
            "{B} picks {b} {items} more than {A}, who picks {a}. They give away {c} of all the {items} and pack {d} of the others into each {crate}. How many {crates} do they need?",
        ],
        steps: &[
            Step("x", "a + b", "{B} picks {=} {items}."),
            Step("y", "a + x", "Together they pick {=} {items}."),
            Step("z", "y - c", "Without {c} of them, {=} {items} are left."),
            Step("w", "z / d", "With {d} in each, that makes {=} {crates}."),
        ],
    },
    Template {
        name: "library",
        trained: true,
        nouns: &[],
        given: &[("a", 2, 12), ("b", 3, 40), ("c", 2, 90), ("d", 2, 10), ("e", 2, 20)],
        texts: &[
            "A library has {a} shelves with {b} books on each. It lends out {c} books. Then it gets {d} boxes with {e} new books in each. How many books are in the library now?",
            "There are {b} books on each of the {a} shelves of a bookshop. The shop sells {c} books and then unpacks {d} boxes with {e} books in each. How many books are in the shop now?",
        ],
        steps: &[
            Step("x", "a * b", "On the shelves there are {=} books."),
            Step("y", "x - c", "After {c} books are gone, {=} books are left."),
            Step("z", "d * e", "The boxes hold {=} books."),
            Step("w", "y + z", "Now there are {=} books."),
        ],
    },
    Template {
        name: "party",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 15), ("b", 2, 15), ("c", 2, 6), ("d", 2, 40), ("e", 2, 12)],
        texts: &[
            "{A} invites {a} girls and {b} boys to a party and wants {c} cups for each guest. {A.He} has {d} cups and buys the rest in packs of {e}. How many packs does {A.he} buy?",
            "For a party with {a} girls and {b} boys {A} needs {c} paper plates for each of them. {A.He} finds {d} plates at home and buys the others in packs of {e}. How many packs does {A} buy?",
        ],
        steps: &[
            Step("x", "a + b", "There are {=} guests."),
            Step("y", "x * c", "With {c} for each guest, {A} needs {=}."),
            Step("z", "y - d", "{A} has {d} of them, so {=} are missing."),
            Step("w", "z / e", "In packs of {e} that makes {=} packs."),
        ],
    },
    Template {
        name: "tickets",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 10), ("b", 2, 20), ("c", 2, 12), ("d", 2, 12), ("e", 2, 8)],
        texts: &[
            "A group buys {a} adult tickets for {b} dollars each and {c} child tickets for {d} dollars each. The cost is split equally among {e} families. How many dollars does each family pay?",
            "At a zoo an adult pays {b} dollars and a child {d} dollars. A group of {a} adults and {c} children from {e} families goes in, and the families share the cost equally. How many dollars does each family pay?",
        ],
        steps: &[
            Step("x", "a * b", "For the adults it is {=} dollars."),
            Step("y", "c * d", "For the children it is {=} dollars."),
            Step("z", "x + y", "In all it is {=} dollars."),
            Step("w", "z / e", "Each of the {e} families pays {=} dollars."),
        ],
    },
    Template {
        name: "bicycle-tour",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 8), ("b", 2, 40), ("c", 2, 40), ("d", 10, 300), ("e", 2, 8)],
        texts: &[
            "A bicycle tour is {d} kilometers long. {A} rides {b} kilometers a day for {a} days and {c} kilometers on the day after. {A.He} rides the rest in {e} days, the same distance each day. How many kilometers a day is that?",
            "{A} rides {b} kilometers a day for {a} days. The next day {A.he} rides {c} kilometers. The whole tour is {d} kilometers, and {A.he} has {e} days left for it. How many kilometers a day does {A.he} have to ride?",
        ],
        steps: &[
            Step("x", "a * b", "In the first {a} days {A} rides {=} kilometers."),
            Step("y", "x + c", "With the next day it is {=} kilometers."),
            Step("z", "d - y", "Then {=} kilometers are left."),
            Step("w", "z / e", "In {e} days that is {=} kilometers a day."),
        ],
    },
    Template {
        name: "fence-and-change",
        trained: false,
        nouns: &[],
        given: &[("a", 2, 30), ("b", 2, 20), ("c", 2, 8), ("d", 18, 600)],
        texts: &[
            "{A} has {d} dollars for a fence around a rectangular yard of {a} by {b} meters. Each meter of fence costs {c} dollars. How many dollars does {A} have left after paying for the fence?",
            "A rectangular field is {a} meters long and {b} meters wide. {A} puts a rope around it that costs {c} dollars a meter and pays with {d} dollars. How many dollars does {A.he} get back?",
        ],
        steps: &[
            Step("x", "a + b", "One long and one short side are {=} meters."),
            Step("y", "2 * x", "All four sides are {=} meters."),
            Step("z", "y * c", "At {c} dollars a meter that costs {=} dollars."),
            Step("w", "d - z", "Of the {d} dollars {=} are left."),
        ],
    },
];
