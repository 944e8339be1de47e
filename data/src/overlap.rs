//! Finds evaluation problems that training also holds: a score on those says nothing.

use std::collections::HashMap;

use serde::Serialize;

use crate::dataset::Dataset;

/// What training and evaluation data share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Overlap {
    /// One pair for each evaluation problem that training holds, in the evaluation set's order.
    pub pairs: Vec<OverlapPair>,
    /// How many evaluation problems there are.
    pub num_eval: usize,
    /// The training set.
    pub train: String,
    /// The evaluation set.
    pub eval: String,
}

/// The same problem in both sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OverlapPair {
    /// The id of the first training problem with this text.
    pub train_id: String,
    /// The evaluation problem's id.
    pub eval_id: String,
}

/// The evaluation problems whose prompt, in lower case, with plain quotes and single spaces, is a training problem's.
/// System messages do not count. Punctuation and signs do: `2 + 3` is not `2 - 3`.
#[must_use]
pub fn overlap(train: &Dataset, eval: &Dataset) -> Overlap {
    let mut ids = HashMap::new();
    for problem in &train.problems {
        ids.entry(normalized(&problem.prompt.text())).or_insert(&problem.id);
    }
    let shared = eval.problems.iter().filter_map(|problem| {
        let train_id = ids.get(&normalized(&problem.prompt.text()))?;
        Some(OverlapPair { train_id: (*train_id).clone(), eval_id: problem.id.clone() })
    });
    Overlap {
        pairs: shared.collect(),
        num_eval: eval.problems.len(),
        train: train.name.clone(),
        eval: eval.name.clone(),
    }
}

impl Overlap {
    /// Whether nothing is shared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}

impl std::fmt::Display for Overlap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pairs, num_eval, train, eval } = self;
        if pairs.is_empty() {
            return write!(f, "none of the {num_eval} problems of {eval} is in {train}");
        }
        write!(f, "{} of the {num_eval} problems of {eval} are also in {train}: ", pairs.len())?;
        const SHOWN: usize = 5;
        for (i, pair) in pairs.iter().take(SHOWN).enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{} (there {})", pair.eval_id, pair.train_id)?;
        }
        if pairs.len() > SHOWN { write!(f, " and {} more", pairs.len() - SHOWN) } else { Ok(()) }
    }
}

fn normalized(text: &str) -> String {
    let plain =
        text.to_lowercase().replace(['\u{2018}', '\u{2019}'], "'").replace(['\u{201c}', '\u{201d}'], "\"");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::{Message, Origin, Problem, ProblemPrompt};

    fn dataset(name: &str, prompts: Vec<ProblemPrompt>) -> Dataset {
        let problem = |(i, prompt)| Problem {
            id: format!("{name}{i}"),
            prompt,
            reference: serde_json::Value::Null,
            response: None,
            fields: serde_json::Map::new(),
            origin: Origin { file: name.into(), line: i + 1 },
        };
        Dataset {
            name: name.into(),
            problems: prompts.into_iter().enumerate().map(problem).collect(),
            bad_lines: Vec::new(),
            files: Vec::new(),
            layout: String::new(),
        }
    }

    fn texts(name: &str, prompts: &[&str]) -> Dataset {
        dataset(name, prompts.iter().map(|text| ProblemPrompt::Text((*text).into())).collect())
    }

    #[test]
    fn case_spaces_and_quotes_do_not_hide_an_overlap() {
        let train = texts("t", &["Tom\u{2019}s  hens lay\n3 eggs.", "2 + 3"]);
        let eval = texts("e", &["2 - 3", "tom's hens lay 3 eggs. "]);
        let found = overlap(&train, &eval);
        assert_eq!(found.pairs, [OverlapPair { train_id: "t0".into(), eval_id: "e1".into() }]);
        assert_eq!(found.to_string(), "1 of the 2 problems of e are also in t: e1 (there t0)");
    }

    #[test]
    fn a_conversation_overlaps_with_the_text_it_asks() {
        let turn = |role: &str, content: &str| Message { role: role.into(), content: content.into() };
        let asked = vec![turn("system", "Think."), turn("user", "How many?")];
        let train = dataset("t", vec![ProblemPrompt::Messages(asked)]);
        assert_eq!(overlap(&train, &texts("e", &["How many?"])).pairs.len(), 1);
    }

    #[test]
    fn no_overlap_says_so() {
        let found = overlap(&texts("t", &["a"]), &texts("e", &["b"]));
        assert!(found.is_empty());
        assert_eq!(found.to_string(), "none of the 1 problems of e is in t");
    }
}
