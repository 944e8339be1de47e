//! What is counted or measured: units of measure and currency by their many names, and plain nouns ("apples").
//!
//! Units are compared by name, not converted: 500 cm is not accepted for 5 m. The unit that was asked for is part of an
//! answer, and a unit that is missing on either side is ignored.

use std::fmt;

/// A unit as it is written beside a number. Empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// The number counts hundredths.
    pub(super) percent: bool,
    /// Units of measure and currency by canonical name, with exponents that are not 0; sorted by name.
    measures: Vec<(&'static str, i32)>,
    /// Other words, in a form that is alike for singular and plural; true where they follow a "per"; sorted.
    nouns: Vec<(String, bool)>,
}

impl Unit {
    /// Whether there is neither measure nor noun.
    pub(super) fn is_bare(&self) -> bool {
        self.measures.is_empty() && self.nouns.is_empty()
    }

    /// Multiplies by a measure to a power.
    pub(super) fn measure(&mut self, name: &'static str, exponent: i32) {
        match self.measures.binary_search_by_key(&name, |(known, _)| known) {
            Ok(at) => {
                self.measures[at].1 = self.measures[at].1.saturating_add(exponent);
                if self.measures[at].1 == 0 {
                    self.measures.remove(at);
                }
            }
            Err(at) => self.measures.insert(at, (name, exponent)),
        }
    }

    /// Multiplies by a currency, unless it has been named already ("$5 dollars").
    pub(super) fn currency(&mut self, name: &'static str) {
        if !self.measures.contains(&(name, 1)) {
            self.measure(name, 1);
        }
    }

    /// Adds a word that is no measure.
    pub(super) fn noun(&mut self, word: &str, per: bool) {
        let noun = (stem(word), per);
        if let Err(at) = self.nouns.binary_search(&noun) {
            self.nouns.insert(at, noun);
        }
    }

    /// Whether two units can be the same: one is missing, or the measures are equal and the nouns of one are all among
    /// the other's ("apples", "red apples"). Percent is the number's business.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        if self.is_bare() || other.is_bare() {
            return true;
        }
        let same_measures = self.measures.len() == other.measures.len()
            && self.measures.iter().zip(&other.measures).all(|(a, b)| a.1 == b.1 && same_measure(a.0, b.0));
        let among =
            |few: &[(String, bool)], many: &[(String, bool)]| few.iter().all(|noun| many.contains(noun));
        same_measures && (among(&self.nouns, &other.nouns) || among(&other.nouns, &self.nouns))
    }
}

/// Equal units are written alike; not for people.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, exponent) in &self.measures {
            write!(f, " {name}^{exponent}")?;
        }
        for (noun, per) in &self.nouns {
            write!(f, " {}{noun}", if *per { "/" } else { "" })?;
        }
        Ok(())
    }
}

/// A pound is money or weight: the word alone does not say.
fn same_measure(a: &str, b: &str) -> bool {
    let either = |x, y| x == "pound" && matches!(y, "sterling" | "lb");
    a == b || either(a, b) || either(b, a)
}

/// The measures that a word stands for, with exponents; none if it is no unit that is known.
pub(super) fn known(word: &str) -> Option<&'static [(&'static str, i32)]> {
    let find = |name: &str| {
        MEASURES
            .iter()
            .find(|(_, names)| names.split(' ').any(|known| known == name))
            .map(|(factors, _)| *factors)
    };
    // One and two letters mean different things in upper and lower case; longer words are words.
    find(word).or_else(|| if word.chars().count() > 2 { find(&word.to_lowercase()) } else { None })
}

/// Canonical factors, and the names separated by spaces. Left out on purpose: `in` (a preposition far more often) and
/// the letters that also mean thousands, millions or unknowns.
static MEASURES: &[(&[(&str, i32)], &str)] = &[
    (&[("mm", 1)], "mm millimeter millimeters millimetre millimetres"),
    (&[("cm", 1)], "cm centimeter centimeters centimetre centimetres"),
    (&[("dm", 1)], "dm decimeter decimeters decimetre decimetres"),
    (&[("m", 1)], "m meter meters metre metres"),
    (&[("km", 1)], "km kms kilometer kilometers kilometre kilometres"),
    (&[("inch", 1)], "inch inches"),
    (&[("foot", 1)], "ft foot feet"),
    (&[("yard", 1)], "yd yds yard yards"),
    (&[("mile", 1)], "mi mile miles"),
    (&[("mile", 1), ("h", -1)], "mph"),
    (&[("km", 1), ("h", -1)], "kph kmh kmph"),
    (&[("mg", 1)], "mg milligram milligrams"),
    (&[("g", 1)], "g gm gram grams gramme grammes"),
    (&[("kg", 1)], "kg kgs kilogram kilograms kilo kilos"),
    (&[("t", 1)], "t ton tons tonne tonnes"),
    (&[("oz", 1)], "oz ounce ounces"),
    (&[("lb", 1)], "lb lbs"),
    (&[("pound", 1)], "pound pounds"),
    (&[("ms", 1)], "ms millisecond milliseconds"),
    (&[("s", 1)], "s sec secs second seconds"),
    (&[("min", 1)], "min mins minute minutes"),
    (&[("h", 1)], "h hr hrs hour hours"),
    (&[("day", 1)], "day days"),
    (&[("week", 1)], "wk wks week weeks"),
    (&[("month", 1)], "month months"),
    (&[("year", 1)], "yr yrs year years"),
    (&[("ml", 1)], "ml mL milliliter milliliters millilitre millilitres"),
    (&[("cl", 1)], "cl cL centiliter centiliters centilitre centilitres"),
    (&[("l", 1)], "l L liter liters litre litres"),
    (&[("gallon", 1)], "gal gallon gallons"),
    (&[("quart", 1)], "qt quart quarts"),
    (&[("pint", 1)], "pt pint pints"),
    (&[("cup", 1)], "cup cups"),
    (&[("tablespoon", 1)], "tbsp tablespoon tablespoons"),
    (&[("teaspoon", 1)], "tsp teaspoon teaspoons"),
    (&[("m", 2)], "sqm"),
    (&[("foot", 2)], "sqft"),
    (&[("acre", 1)], "acre acres"),
    (&[("hectare", 1)], "ha hectare hectares"),
    (&[("degree", 1)], "deg degree degrees"),
    (&[("celsius", 1)], "celsius"),
    (&[("fahrenheit", 1)], "fahrenheit"),
    (&[("kelvin", 1)], "kelvin kelvins"),
    (&[("radian", 1)], "rad radian radians"),
    (&[("dollar", 1)], "dollar dollars usd buck bucks"),
    (&[("cent", 1)], "cent cents"),
    (&[("sterling", 1)], "sterling gbp quid"),
    (&[("euro", 1)], "euro euros eur"),
    (&[("yen", 1)], "yen jpy"),
    (&[("rupee", 1)], "rupee rupees inr rs Rs"),
    (&[("won", 1)], "krw"),
    (&[("joule", 1)], "J joule joules"),
    (&[("kilojoule", 1)], "kJ kilojoule kilojoules"),
    (&[("calorie", 1)], "cal calorie calories"),
    (&[("kilocalorie", 1)], "kcal kilocalorie kilocalories"),
    (&[("newton", 1)], "N newton newtons"),
    (&[("watt", 1)], "W watt watts"),
    (&[("kilowatt", 1)], "kW kilowatt kilowatts"),
    (&[("volt", 1)], "V volt volts"),
    (&[("ampere", 1)], "A amp amps ampere amperes"),
    (&[("ohm", 1)], "Ω ohm ohms"),
    (&[("hertz", 1)], "Hz hertz"),
    (&[("pascal", 1)], "Pa pascal pascals"),
    (&[("mole", 1)], "mol mole moles"),
    (&[("byte", 1)], "byte bytes"),
    (&[("kilobyte", 1)], "kB KB kilobyte kilobytes"),
    (&[("megabyte", 1)], "MB megabyte megabytes"),
    (&[("gigabyte", 1)], "GB gigabyte gigabytes"),
];

/// A form that is alike for singular and plural: not a word, only good for comparing.
fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    let word = match word.as_str() {
        "people" | "persons" => "person",
        "children" => "child",
        "men" => "man",
        "women" => "woman",
        other => other,
    };
    if word.chars().count() <= 3 {
        return word.to_owned();
    }
    let cut = if word.ends_with("ss") {
        word
    } else {
        let cut = word.strip_suffix("es").or_else(|| word.strip_suffix('s'));
        cut.or_else(|| word.strip_suffix('e')).unwrap_or(word)
    };
    match cut.strip_suffix('y') {
        Some(stem) => format!("{stem}i"),
        None => cut.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_listed_once() {
        let mut names: Vec<&str> = MEASURES.iter().flat_map(|(_, names)| names.split(' ')).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn singular_and_plural_are_alike() {
        let pairs = [
            ("apple", "apples"),
            ("box", "boxes"),
            ("city", "cities"),
            ("movie", "Movies"),
            ("house", "houses"),
            ("glass", "glasses"),
            ("bus", "buses"),
            ("person", "people"),
        ];
        for (one, many) in pairs {
            assert_eq!(stem(one), stem(many));
        }
        assert_ne!(stem("apples"), stem("oranges"));
    }

    #[test]
    fn case_tells_short_names_apart() {
        assert_eq!(known("m"), Some(&[("m", 1)][..]));
        assert_eq!(known("M"), None);
        assert_eq!(known("KM/H"), None);
        assert_eq!(known("Meters"), known("m"));
    }

    #[test]
    fn a_measure_that_cancels_is_none() {
        let mut unit = Unit::default();
        unit.measure("m", 1);
        unit.measure("m", -1);
        assert!(unit.is_bare());
    }
}
