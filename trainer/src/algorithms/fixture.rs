//! Groups of scored rollouts made by hand, for the tests of this module.

use std::sync::Arc;

use polestar_data::{Origin, Problem, ProblemPrompt};
use polestar_verifiers::{Budget, Judge, Response, Score, Verdict};

use crate::rollout::{Finish, Group, Prompt, Rollout, Scored, Task, TokenId};
use crate::seeds::{Coords, Purpose};

/// The stop id that ends a rollout here.
pub(super) const EOS: TokenId = 2;
/// What a prompt is here, hint aside.
pub(super) const PROMPT: [TokenId; 2] = [100, 101];

/// A task's judge is never asked here: the scores are given.
struct Silent;

impl Judge for Silent {
    fn judge(&self, _response: &Response<'_>, _budget: &Budget) -> Verdict {
        Verdict::right("not asked", None)
    }

    fn answer(&self) -> Option<String> {
        None
    }
}

pub(super) fn task(id: &str) -> Arc<Task> {
    let problem = Problem {
        id: id.into(),
        prompt: ProblemPrompt::Text(String::new()),
        reference: serde_json::Value::Null,
        response: None,
        fields: serde_json::Map::new(),
        origin: Origin { file: "fixture".into(), line: 1 },
    };
    Arc::new(Task { problem, judges: vec![Arc::new(Silent)] })
}

/// A response to be changed before it joins a group.
#[derive(Clone)]
pub(super) struct Draft(pub(super) Scored);

/// A first try with a score: `ids` and EOS, each token at a log-probability of its own.
pub(super) fn draft(task: &Arc<Task>, score: f64, ids: &[TokenId]) -> Draft {
    let ids: Vec<TokenId> = ids.iter().copied().chain([EOS]).collect();
    let prompt = Prompt { task: task.clone(), shown: PROMPT.into(), trained: PROMPT.into() };
    let rollout = Rollout {
        prompt: Arc::new(prompt),
        sampled: vec![true; ids.len()],
        logprobs: (0..ids.len()).map(|t| -0.5 - t as f32).collect(),
        ids,
        kept: None,
        finish: Finish::Stop,
        version: 0,
        coords: Coords {
            seed: 0,
            step: 1,
            problem: task.problem.id.clone(),
            sample: 0,
            purpose: Purpose::Train,
        },
    };
    Draft(Scored {
        rollout,
        score: Score::new(score).unwrap(),
        right: score >= 1.0,
        reason: String::new(),
        hinted: false,
    })
}

impl Draft {
    /// Cut off at the token limit: no EOS.
    pub(super) fn overlong(mut self) -> Self {
        let rollout = &mut self.0.rollout;
        rollout.ids.pop();
        rollout.sampled.pop();
        rollout.logprobs.pop();
        rollout.finish = Finish::Length;
        self
    }

    /// Sampled after tokens that are not learned after.
    pub(super) fn shown(mut self, extra: &[TokenId]) -> Self {
        let prompt = &self.0.rollout.prompt;
        let shown = [extra, &PROMPT].concat();
        self.0.rollout.prompt = Arc::new(Prompt { task: prompt.task.clone(), shown, trained: PROMPT.into() });
        self
    }

    /// A second try, sampled after a hint.
    pub(super) fn hinted(mut self) -> Self {
        self = self.shown(&[900]);
        self.0.hinted = true;
        self
    }

    /// Puts an environment token before the last.
    pub(super) fn with_environment_token(mut self, id: TokenId) -> Self {
        let rollout = &mut self.0.rollout;
        let at = rollout.ids.len() - 1;
        rollout.ids.insert(at, id);
        rollout.sampled.insert(at, false);
        rollout.logprobs.insert(at, 0.0);
        self
    }
}

pub(super) fn group(task: &Arc<Task>, drafts: Vec<Draft>) -> Group {
    Group { task: task.clone(), scored: drafts.into_iter().map(|draft| draft.0).collect(), num_undecided: 0 }
}

/// A group whose responses have the given scores and each its own tokens, the i-th one `i + 1` of them and EOS.
pub(super) fn scores(id: &str, scores: &[f64]) -> Group {
    let task = task(id);
    let ids = |i: usize| vec![10 + i as TokenId; i + 1];
    group(&task, scores.iter().enumerate().map(|(i, &score)| draft(&task, score, &ids(i))).collect())
}
