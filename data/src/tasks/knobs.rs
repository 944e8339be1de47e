//! Reads a generator's settings: what is not known or out of range is an error that says what there is.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::{Generator, Options};
use crate::error::{DataError, listed};

/// The settings of one call, all of them known to the generator.
pub(super) struct Settings<'a> {
    options: &'a Options,
}

impl<'a> Settings<'a> {
    /// # Errors
    /// Where an option is no knob of the generator.
    pub(super) fn new(generator: &dyn Generator, options: &'a Options) -> Result<Self, DataError> {
        let knobs = generator.knobs();
        match options.keys().find(|key| knobs.iter().all(|knob| knob.name != key.as_str())) {
            None => Ok(Self { options }),
            Some(unknown) => {
                let known: Vec<String> =
                    knobs.iter().map(|knob| format!("{} = {}", knob.name, knob.default)).collect();
                let (generator, known) = (generator.name(), listed(&known));
                Err(DataError::UnknownKnob { generator, knob: unknown.clone(), known })
            }
        }
    }

    /// Whether the knob was set.
    pub(super) fn has(&self, knob: &str) -> bool {
        self.options.contains_key(knob)
    }

    /// Whole numbers within `range`: `3`, `"1-3"`, `"1,3"` or `[1, 3]`; sorted, each once.
    pub(super) fn levels(
        &self,
        knob: &str,
        default: RangeInclusive<u64>,
        range: RangeInclusive<u64>,
    ) -> Result<Vec<u64>, DataError> {
        let Some(value) = self.options.get(knob) else { return Ok(default.collect()) };
        let parsed = match value {
            Value::Array(items) if !items.is_empty() => items.iter().map(Value::as_u64).collect(),
            Value::String(text) => listed_levels(text, &range),
            other => other.as_u64().map(|level| vec![level]),
        };
        let mut levels = parsed.filter(|levels| levels.iter().all(|level| range.contains(level))).ok_or_else(|| {
            let (low, high) = (range.start(), range.end());
            let expected =
                format!("a whole number from {low} to {high}, a range like \"{low}-{high}\" or a list of such numbers");
            wrong(knob, &expected, value)
        })?;
        levels.sort_unstable();
        levels.dedup();
        Ok(levels)
    }

    /// A whole number within `range`.
    pub(super) fn number(
        &self,
        knob: &str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> Result<u64, DataError> {
        let Some(value) = self.options.get(knob) else { return Ok(default) };
        value.as_u64().filter(|number| range.contains(number)).ok_or_else(|| {
            wrong(knob, &format!("a whole number from {} to {}", range.start(), range.end()), value)
        })
    }

    /// A number from 0 to 1; 0 unless set.
    pub(super) fn share(&self, knob: &str) -> Result<f64, DataError> {
        let Some(value) = self.options.get(knob) else { return Ok(0.0) };
        value
            .as_f64()
            .filter(|share| (0.0..=1.0).contains(share))
            .ok_or_else(|| wrong(knob, "a number from 0 to 1", value))
    }

    /// True or false; false unless set.
    pub(super) fn flag(&self, knob: &str) -> Result<bool, DataError> {
        let Some(value) = self.options.get(knob) else { return Ok(false) };
        value.as_bool().ok_or_else(|| wrong(knob, "true or false", value))
    }
}

/// `"1-3,5"` as numbers; the range is checked first, so that a long one takes no memory.
fn listed_levels(text: &str, range: &RangeInclusive<u64>) -> Option<Vec<u64>> {
    let mut levels = Vec::new();
    for part in text.split(',') {
        let (low, high) = part.split_once('-').unwrap_or((part, part));
        let (low, high): (u64, u64) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        if low > high || !range.contains(&low) || !range.contains(&high) {
            return None;
        }
        levels.extend(low..=high);
    }
    Some(levels)
}

fn wrong(knob: &str, expected: &str, found: &Value) -> DataError {
    DataError::Setting {
        key: format!("options.{knob}"),
        reason: format!("expected {expected}, found {found}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn levels(value: Value) -> Result<Vec<u64>, String> {
        let options = Options::from([("digits".to_string(), value)]);
        let settings = Settings::new(&super::super::arithmetic::Arithmetic, &options).unwrap();
        settings.levels("digits", 1..=2, 1..=9).map_err(|error| error.to_string())
    }

    #[test]
    fn levels_are_a_number_a_range_or_a_list() {
        for (value, expected) in [
            (json!(3), vec![3]),
            (json!("3"), vec![3]),
            (json!("1-3"), vec![1, 2, 3]),
            (json!("4, 1-2"), vec![1, 2, 4]),
            (json!([5, 2, 5]), vec![2, 5]),
        ] {
            assert_eq!(levels(value).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_level_says_what_would_be() {
        for wrong in [
            json!(0),
            json!(10),
            json!("3-1"),
            json!("a"),
            json!(""),
            json!([]),
            json!(1.5),
            json!("1-99999999999"),
        ] {
            let message = levels(wrong.clone()).unwrap_err();
            assert_eq!(
                message,
                format!(
                    "options.digits: expected a whole number from 1 to 9, a range like \"1-9\" or a list of such \
                     numbers, found {wrong}"
                )
            );
        }
    }
}
