//! Credit assignment on groups small enough to work out by hand.

use serde_json::json;

use super::fixture::{EOS, PROMPT, draft, group, scores, task};
use super::*;
use crate::recipe::{Baseline, LossConfig};
use crate::rollout::{Ratio, Sample};

const GROUP_MEAN: AlgorithmConfig = AlgorithmConfig::Reinforce { baseline: Baseline::GroupMean };
const GRPO: AlgorithmConfig = AlgorithmConfig::Grpo { std_eps: 1e-4 };
const STAR: AlgorithmConfig =
    AlgorithmConfig::Star { rationalize: true, first_steps: 40, growth: 1.2, keep: 1 };
const POLICIES: [AlgorithmConfig; 5] = [
    GROUP_MEAN,
    AlgorithmConfig::Reinforce { baseline: Baseline::LeaveOneOut },
    AlgorithmConfig::Rloo {},
    GRPO,
    AlgorithmConfig::DrGrpo {},
];

fn credit(config: &AlgorithmConfig, groups: &[Group]) -> Credit {
    credit_with(config, groups, &CreditContext::default())
}

fn credit_with(config: &AlgorithmConfig, groups: &[Group], context: &CreditContext<'_>) -> Credit {
    build(config).credit(groups, context).unwrap()
}

/// The weight of each sample, which is that of each of its learned tokens.
fn weights(credit: &Credit) -> Vec<f64> {
    let weight = |sample: &Sample| {
        let marked = || sample.weights.iter().zip(&sample.learned);
        let weight = *marked().find(|(_, learned)| **learned).unwrap().0;
        assert!(marked().all(|(&found, &learned)| found == if learned { weight } else { 0.0 }));
        f64::from(weight)
    };
    credit.samples.iter().map(weight).collect()
}

fn assert_weights(credit: &Credit, expected: &[f64]) {
    let found = weights(credit);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(
        found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6),
        "{found:?} instead of {expected:?}"
    );
}

#[test]
fn advantages_of_the_golden_group() {
    let golden = [scores("p", &[1.0, 0.0, 0.5, 0.0])];
    let none = AlgorithmConfig::Reinforce { baseline: Baseline::None };
    let leave_one_out = AlgorithmConfig::Reinforce { baseline: Baseline::LeaveOneOut };
    let others = [0.833_333, -0.5, 0.166_667, -0.5];
    for (config, expected, ratio) in [
        (none, [1.0, 0.0, 0.5, 0.0], Ratio::Token),
        (GROUP_MEAN, [0.625, -0.375, 0.125, -0.375], Ratio::Token),
        (leave_one_out, others, Ratio::Token),
        (AlgorithmConfig::Rloo {}, others, Ratio::SequenceSum),
        (GRPO, [1.305_310, -0.783_186, 0.261_062, -0.783_186], Ratio::Token),
        (
            AlgorithmConfig::Grpo { std_eps: 1e-6 },
            [1.305_580, -0.783_348, 0.261_116, -0.783_348],
            Ratio::Token,
        ),
        (AlgorithmConfig::DrGrpo {}, [0.625, -0.375, 0.125, -0.375], Ratio::Token),
    ] {
        let credit = credit(&config, &golden);
        assert_weights(&credit, &expected);
        assert!(credit.samples.iter().all(|sample| sample.ratio == ratio), "{config:?}");
        let report = &credit.report;
        assert_eq!(
            (report.num_groups, report.num_responses, report.num_kept, report.num_right),
            (1, 4, 4, 1)
        );
        assert_eq!((report.reward, report.num_zero_spread), (0.375, 0));
        assert!((report.reward_std - 0.478_713_554).abs() < 1e-9);
    }
    let report = credit(&AlgorithmConfig::DrGrpo {}, &golden).report;
    assert!(report.advantage_mean.abs() < 1e-15 && (report.advantage_std - 0.478_713_554).abs() < 1e-9);
}

#[test]
fn a_sample_is_its_rollout_after_its_prompt() {
    let task = task("p");
    let with_tool = draft(&task, 1.0, &[10, 11]).with_environment_token(50);
    let groups = [group(&task, vec![with_tool, draft(&task, 0.0, &[12])])];
    let credit = credit(&GROUP_MEAN, &groups);
    let expected = Sample {
        problem: "p".into(),
        ids: vec![PROMPT[0], PROMPT[1], 10, 11, 50, EOS],
        learned: vec![false, false, true, true, false, true],
        weights: vec![0.0, 0.0, 0.5, 0.5, 0.0, 0.5],
        old: Some(vec![0.0, 0.0, -0.5, -1.5, 0.0, -2.5]),
        mu: Some(vec![0.0, 0.0, -0.5, -1.5, 0.0, -2.5]),
        reference: None,
        ratio: Ratio::Token,
    };
    assert_eq!(credit.samples[0], expected);
    assert_eq!(credit.samples[1].ids.last(), Some(&EOS));
    assert_eq!(credit.samples[1].learned.last(), Some(&true), "EOS has loss");
}

#[test]
fn an_empty_prompt_leaves_the_first_token_unlearned() {
    let mut groups = [scores("p", &[1.0, 0.0])];
    for scored in &mut groups[0].scored {
        let task = scored.rollout.prompt.task.clone();
        scored.rollout.prompt = crate::rollout::Prompt { task, shown: vec![], trained: vec![] }.into();
    }
    let credit = credit(&GROUP_MEAN, &groups);
    assert_eq!(credit.samples[1].learned, [false, true, true]);
    assert_eq!(credit.samples[1].weights, [0.0, -0.5, -0.5]);
}

#[test]
fn recomputed_and_reference_logprobs_take_their_place() {
    let groups = [scores("p", &[1.0, 0.0])];
    let old = [vec![vec![-1.0, -2.0], vec![-3.0, -4.0, -5.0]]];
    let reference = [vec![vec![-6.0, -7.0], vec![-8.0, -9.0, -10.0]]];
    let context = CreditContext { old: Some(&old), reference: Some(&reference), ..Default::default() };
    let credit = credit_with(&GRPO, &groups, &context);
    let sample = &credit.samples[1];
    assert_eq!(sample.old.as_deref(), Some(&[0.0, 0.0, -3.0, -4.0, -5.0][..]));
    assert_eq!(sample.mu.as_deref(), Some(&[0.0, 0.0, -0.5, -1.5, -2.5][..]));
    assert_eq!(sample.reference.as_deref(), Some(&[0.0, 0.0, -8.0, -9.0, -10.0][..]));
    for lists in [vec![], vec![vec![vec![-1.0, -2.0]]], vec![vec![vec![-1.0], vec![-3.0, -4.0, -5.0]]]] {
        let context = CreditContext { reference: Some(&lists), ..Default::default() };
        let error = build(&GRPO).credit(&groups, &context).unwrap_err();
        assert!(matches!(error, CreditError::Misaligned { .. }), "{error}");
    }
}

#[test]
fn what_was_sampled_after_another_prompt_has_no_ratio() {
    let task = task("p");
    let drafts = vec![draft(&task, 1.0, &[10]).shown(&[800, 801]), draft(&task, 0.0, &[11])];
    let old = [vec![vec![-1.0, -2.0], vec![-3.0, -4.0]]];
    let context = CreditContext { old: Some(&old), ..Default::default() };
    let credit = credit_with(&GRPO, &[group(&task, drafts)], &context);
    let [shown_more, same] = &credit.samples[..] else { panic!("two samples") };
    assert_eq!(shown_more.ids, [PROMPT[0], PROMPT[1], 10, EOS], "learned after `trained`");
    assert_eq!((shown_more.ratio, &shown_more.old, &shown_more.mu), (Ratio::None, &None, &None));
    assert_eq!((same.ratio, same.old.is_some(), same.mu.is_some()), (Ratio::Token, true, true));
}

#[test]
fn groups_that_undecided_verdicts_shrank() {
    let mut lone = scores("lone", &[1.0]);
    lone.num_undecided = 3;
    let mut empty = scores("empty", &[]);
    empty.num_undecided = 4;
    let mut pair = scores("pair", &[1.0, 0.0]);
    pair.num_undecided = 2;
    let groups = [lone, empty, pair];
    for config in POLICIES {
        let credit = credit(&config, &groups);
        assert!(credit.samples.iter().all(|sample| sample.problem == "pair") && credit.samples.len() == 2);
        let report = &credit.report;
        assert_eq!(
            (report.num_groups_dropped_undecided, report.num_undecided, report.num_responses),
            (2, 9, 3)
        );
    }
    // Without a baseline one response is enough.
    let credit = credit(&AlgorithmConfig::Reinforce { baseline: Baseline::None }, &groups);
    assert_eq!((credit.samples.len(), credit.report.num_groups_dropped_undecided), (3, 1));
}

#[test]
fn a_lone_response_is_an_error_where_a_baseline_is_asked_for() {
    let lone = [scores("p", &[1.0])];
    for config in POLICIES {
        assert!(build(&config).needs_groups());
        let error = build(&config).credit(&lone, &CreditContext::default()).unwrap_err();
        assert!(error.to_string().contains("rollout.n"), "{error}");
    }
    let none = AlgorithmConfig::Reinforce { baseline: Baseline::None };
    assert!(!build(&none).needs_groups());
    assert_weights(&credit(&none, &lone), &[1.0]);
}

#[test]
fn overlong_responses_under_each_policy() {
    let task = task("p");
    let drafts = vec![
        draft(&task, 1.0, &[10, 11]).overlong(),
        draft(&task, 1.0, &[12]),
        draft(&task, 0.0, &[13]),
        draft(&task, 0.0, &[14]),
    ];
    let groups = [group(&task, drafts)];
    let dr_grpo = AlgorithmConfig::DrGrpo {};
    for (overlong, expected, num_masked, num_right) in [
        (Overlong::Zero, &[-0.25, 0.75, -0.25, -0.25][..], 0, 1),
        (Overlong::Mask, &[0.5, -0.5, -0.5], 1, 2),
        (Overlong::Keep, &[0.5, 0.5, -0.5, -0.5], 0, 2),
    ] {
        let context = CreditContext { overlong, ..Default::default() };
        let credit = credit_with(&dr_grpo, &groups, &context);
        assert_weights(&credit, expected);
        let report = &credit.report;
        assert_eq!(
            (report.num_overlong, report.num_overlong_masked, report.num_right),
            (1, num_masked, num_right)
        );
        let rft = credit_with(&AlgorithmConfig::Rft { keep: 4 }, &groups, &context);
        let kept: Vec<_> = rft.samples.iter().map(|sample| sample.ids[2]).collect();
        assert_eq!(kept, if overlong == Overlong::Keep { vec![10, 12] } else { vec![12] });
        assert_eq!(rft.report.num_overlong_masked, num_masked);
    }
}

#[test]
fn groups_without_spread() {
    let groups = [scores("same", &[1.0, 1.0, 1.0]), scores("spread", &[1.0, 0.0])];
    for config in POLICIES {
        let kept = credit(&config, &groups);
        assert_eq!(weights(&kept)[..3], [0.0; 3], "weight 0, but in divisors and KL");
        assert_eq!(kept.samples.len(), 5);
        assert_eq!((kept.report.num_zero_spread, kept.report.frac_reward_zero_std), (1, 0.5));
        let context = CreditContext { drop_zero_spread: true, ..Default::default() };
        let dropped = credit_with(&config, &groups, &context);
        assert_eq!(dropped.samples, kept.samples[3..]);
        assert_eq!((dropped.report.num_groups_dropped_zero_spread, dropped.report.reward), (1, 0.8));
    }
    // Without a baseline, equal scores have a gradient like any others.
    let context = CreditContext { drop_zero_spread: true, ..Default::default() };
    let none = AlgorithmConfig::Reinforce { baseline: Baseline::None };
    assert_weights(&credit_with(&none, &groups, &context), &[1.0, 1.0, 1.0, 1.0, 0.0]);
}

#[test]
fn kl_in_the_reward_comes_before_the_baseline() {
    let task = task("p");
    // Σ(old − ref) is 1 over the sampled tokens of the first, the environment's token left out, and −2 for the second.
    let drafts = vec![draft(&task, 1.0, &[10]).with_environment_token(50), draft(&task, 0.0, &[11])];
    let groups = [group(&task, drafts)];
    let reference = [vec![vec![-1.0, -9.0, -2.0], vec![0.0, 0.0]]];
    let context =
        CreditContext { kl_in_reward: Some(0.1), reference: Some(&reference), ..Default::default() };
    // 1 − .1·1 and 0 + .1·2, less their mean.
    let credit = credit_with(&AlgorithmConfig::DrGrpo {}, &groups, &context);
    assert_weights(&credit, &[0.35, -0.35]);
    assert_eq!((credit.report.reward, credit.report.reward_kl), (0.5, Some(-0.5)));
    assert_eq!(credit.report.reward_kl_token, Some(-0.25));
    // Under weights that were measured again, those count.
    let old = [vec![vec![-1.0, 0.0, -2.0], vec![0.0, 0.0]]];
    let recomputed =
        credit_with(&AlgorithmConfig::DrGrpo {}, &groups, &CreditContext { old: Some(&old), ..context });
    assert_weights(&recomputed, &[0.5, -0.5]);
    let without = CreditContext { kl_in_reward: Some(0.1), ..Default::default() };
    let error = build(&GRPO).credit(&groups, &without).unwrap_err();
    assert!(error.to_string().contains("reference"), "{error}");
}

#[test]
fn star_learns_right_tries_and_hinted_ones_only_of_failed_problems() {
    let (solved, failed, hopeless) = (task("solved"), task("failed"), task("hopeless"));
    let groups = [
        group(&solved, vec![draft(&solved, 1.0, &[10]), draft(&solved, 1.0, &[99]).hinted()]),
        group(&failed, vec![draft(&failed, 0.5, &[20]), draft(&failed, 1.0, &[21]).hinted()]),
        group(&hopeless, vec![draft(&hopeless, 0.0, &[30]), draft(&hopeless, 0.0, &[31]).hinted()]),
    ];
    let credit = credit(&STAR, &groups);
    assert_weights(&credit, &[1.0, 1.0]);
    let [first, second] = &credit.samples[..] else { panic!("two samples") };
    assert_eq!(first.ids, [PROMPT[0], PROMPT[1], 10, EOS]);
    assert_eq!(second.ids, [PROMPT[0], PROMPT[1], 21, EOS], "the hint is not in what is learned");
    assert_eq!(second.learned, [false, false, true, true]);
    assert_eq!((second.ratio, &second.old, &second.mu), (Ratio::None, &None, &None));
    assert_eq!((first.ratio, &first.old, first.mu.is_some()), (Ratio::None, &None, true));
    let report = &credit.report;
    assert_eq!((report.num_responses, report.num_hinted, report.num_right), (3, 3, 1));
    assert_eq!((report.num_kept, report.num_rationalized, report.reward), (2, 1, 0.5));
}

#[test]
fn star_asks_for_hints_where_every_judged_try_failed() {
    let mut partly_undecided = scores("partly", &[0.0]);
    partly_undecided.num_undecided = 1;
    let mut undecided = scores("undecided", &[]);
    undecided.num_undecided = 2;
    let cut_off = task("cut off");
    let groups = [
        scores("right", &[0.0, 1.0]),
        scores("wrong", &[0.0, 0.5]),
        partly_undecided,
        undecided,
        group(&cut_off, vec![draft(&cut_off, 1.0, &[10]).overlong()]),
    ];
    assert_eq!(build(&STAR).retry(&groups, Overlong::Zero), [1, 2, 4]);
    assert_eq!(build(&STAR).retry(&groups, Overlong::Keep), [1, 2]);
    assert_eq!(build(&STAR).retry(&groups, Overlong::Mask), [1, 2]);
    let plain = AlgorithmConfig::Star { rationalize: false, first_steps: 40, growth: 1.2, keep: 1 };
    assert!(build(&plain).retry(&groups, Overlong::Zero).is_empty());
    for config in POLICIES {
        assert!(build(&config).retry(&groups, Overlong::Zero).is_empty());
    }
}

#[test]
fn hinted_tries_are_refused_where_none_were_asked_for() {
    let task = task("p");
    let groups = [group(&task, vec![draft(&task, 0.0, &[10]), draft(&task, 1.0, &[11]).hinted()])];
    let plain = AlgorithmConfig::Star { rationalize: false, first_steps: 40, growth: 1.2, keep: 1 };
    let rejection = [AlgorithmConfig::Rft { keep: 1 }, AlgorithmConfig::RestEm { keep: 1 }, plain];
    for config in POLICIES.iter().chain(&rejection) {
        let error = build(config).credit(&groups, &CreditContext::default()).unwrap_err();
        assert!(matches!(error, CreditError::Hinted { .. }), "{error}");
    }
}

#[test]
fn distinct_right_responses_are_kept_in_sample_order() {
    let task = task("p");
    let ids: [&[u32]; 6] = [&[10], &[11], &[10], &[12], &[13], &[10]];
    let drafts =
        ids.iter().enumerate().map(|(i, ids)| draft(&task, if i == 1 { 0.0 } else { 1.0 }, ids)).collect();
    let groups = [group(&task, drafts)];
    let rest_em = AlgorithmConfig::RestEm { keep: 2 };
    for config in [AlgorithmConfig::Rft { keep: 2 }, rest_em] {
        let credit = credit(&config, &groups);
        let firsts: Vec<_> = credit.samples.iter().map(|sample| sample.ids[2]).collect();
        assert_eq!(firsts, [10, 12]);
        assert_eq!(
            (credit.report.num_duplicates, credit.report.num_kept, credit.report.num_right),
            (2, 2, 5)
        );
    }
    let all = credit(&AlgorithmConfig::Rft { keep: 10 }, &groups);
    assert_eq!(all.samples.len(), 3);
    assert_eq!(credit(&STAR, &groups).samples.len(), 1);
}

#[test]
fn undecided_problems_are_counted_by_rejection_sampling() {
    let mut undecided = scores("undecided", &[]);
    undecided.num_undecided = 2;
    let credit = credit(&AlgorithmConfig::Rft { keep: 1 }, &[undecided, scores("p", &[1.0])]);
    assert_eq!((credit.samples.len(), credit.report.num_groups_dropped_undecided), (1, 1));
}

#[test]
fn sft_makes_samples_of_the_datas_own_responses() {
    let sample = sft_sample("p", &PROMPT, &[10, EOS]);
    assert_eq!(sample.ids, [PROMPT[0], PROMPT[1], 10, EOS]);
    assert_eq!(sample.learned, [false, false, true, true]);
    assert_eq!(sample.weights, [0.0, 0.0, 1.0, 1.0]);
    assert_eq!((sample.ratio, sample.old, sample.mu), (Ratio::None, None, None));
    assert_eq!(sft_sample("p", &[], &[10, EOS]).learned, [false, true]);
    let sft = AlgorithmConfig::Sft {};
    assert_eq!(credit(&sft, &[]), Credit::default());
    let given_rollouts = build(&sft).credit(&[scores("p", &[1.0])], &CreditContext::default());
    assert_eq!(given_rollouts, Err(CreditError::Supervised { num_groups: 1 }));
}

#[test]
fn a_groups_credit_does_not_depend_on_the_batch() {
    let groups = [
        scores("a", &[1.0, 0.0, 0.25]),
        scores("b", &[1.0, 1.0]),
        scores("c", &[0.0, 0.0, 1.0, 1.0]),
        scores("d", &[0.5, 0.0]),
    ];
    for config in POLICIES.iter().chain(&[STAR, AlgorithmConfig::Rft { keep: 2 }]) {
        let whole = credit(config, &groups).samples;
        let alone: Vec<Sample> =
            groups.iter().flat_map(|group| credit(config, std::slice::from_ref(group)).samples).collect();
        assert_eq!(whole, alone);
        let reversed: Vec<Group> = groups.iter().rev().cloned().collect();
        let of = |samples: &[Sample], problem: &str| -> Vec<Sample> {
            samples.iter().filter(|sample| sample.problem == problem).cloned().collect()
        };
        let backwards = credit(config, &reversed).samples;
        for problem in ["a", "b", "c", "d"] {
            assert_eq!(of(&whole, problem), of(&backwards, problem));
        }
    }
}

#[test]
fn weights_follow_their_responses_when_the_group_is_permuted() {
    let group = scores("p", &[1.0, 0.0, 0.5, 0.0, 0.25]);
    for config in POLICIES {
        let samples = credit(&config, std::slice::from_ref(&group)).samples;
        for shift in 1..5 {
            let mut turned = group.clone();
            turned.scored.rotate_left(shift);
            let mut found = credit(&config, &[turned]).samples;
            found.rotate_right(shift);
            for (found, expected) in found.iter().zip(&samples) {
                assert_eq!(found.ids, expected.ids);
                assert!(found.weights.iter().zip(&expected.weights).all(|(a, b)| (a - b).abs() < 1e-6));
            }
        }
    }
}

#[test]
fn iterations_start_and_grow_as_the_papers_say() {
    let rest_em = AlgorithmConfig::RestEm { keep: 10 };
    for config in [STAR, rest_em] {
        assert_eq!(build(&config).start(), Start::Base);
    }
    assert_eq!(build(&AlgorithmConfig::Rft { keep: 4 }).start(), Start::Latest);
    assert_eq!(build(&GRPO).start(), Start::Latest);
    let star = build(&STAR);
    let steps: Vec<u64> = (1..=5).filter_map(|step| star.optimizer_steps(step)).collect();
    assert_eq!(steps, [40, 48, 58, 69, 83]);
    assert_eq!(build(&GRPO).optimizer_steps(1), None);
}

#[test]
fn every_kind_has_its_name_family_and_defaults() {
    let clip = LossConfig::Clip { low: 0.2, high: 0.2, dual: None };
    let plain = LossConfig::Reinforce {};
    for (kind, family, loss, aggregation) in [
        ("sft", Family::Supervised, &plain, Aggregation::TokenMean),
        ("star", Family::Rejection, &plain, Aggregation::TokenMean),
        ("rft", Family::Rejection, &plain, Aggregation::TokenMean),
        ("rest-em", Family::Rejection, &plain, Aggregation::TokenMean),
        ("reinforce", Family::PolicyGradient, &plain, Aggregation::SequenceSum),
        ("rloo", Family::PolicyGradient, &clip, Aggregation::SequenceSum),
        ("grpo", Family::PolicyGradient, &clip, Aggregation::SequenceMean),
        ("dr-grpo", Family::PolicyGradient, &clip, Aggregation::Constant),
    ] {
        let config: AlgorithmConfig = serde_json::from_value(json!({ "kind": kind })).unwrap();
        let mut algorithm = build(&config);
        assert_eq!((algorithm.name(), algorithm.family()), (kind, family));
        assert_eq!(algorithm.defaults(), UpdateDefaults { loss: loss.clone(), aggregation });
        let state = algorithm.state();
        assert_eq!(algorithm.restore(&state), Ok(()));
        assert!(matches!(algorithm.restore(&json!({ "baseline": 1 })), Err(CreditError::State { .. })));
    }
}
