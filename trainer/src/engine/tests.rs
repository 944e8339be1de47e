//! How much work sampling does, that draws do not depend on company, and that what is sampled scores as it was sampled.

use super::*;
use crate::model::testing::{config, decoder, families, tokens};
use crate::seeds::Purpose;
use crate::update::score;
use serde_json::json;

fn coords(problem: usize, sample: u64) -> Coords {
    Coords { seed: 3, step: 1, problem: format!("p{problem}"), sample, purpose: Purpose::Generate }
}

fn request(problem: usize, prompt: Vec<TokenId>, samples: u64) -> Request {
    Request { prompt, samples: (0..samples).map(|sample| coords(problem, sample)).collect() }
}

/// Prompts of different lengths, all beginning with `prefix`, `samples` samples each.
fn requests(lengths: &[usize], prefix: &[TokenId], samples: u64) -> Vec<Request> {
    let one = |(problem, &length): (usize, &usize)| {
        // The token after the prefix tells the prompts apart.
        let own = tokens(length, 40, &format!("prompt {problem}"));
        let prompt = [prefix, &[40 + problem as u32], &own[1..]].concat();
        request(problem, prompt, samples)
    };
    lengths.iter().enumerate().map(one).collect()
}

fn sampling(max_new_tokens: usize, slots: usize) -> Sampling {
    Sampling { temperature: 1.0, ..Sampling::greedy(max_new_tokens, vec![], slots) }
}

fn sample(decoder: &Decoder, requests: &[Request], how: &Sampling) -> (Vec<Vec<Response>>, EngineStats) {
    let mut stats = EngineStats::default();
    let responses = generate(decoder, None, requests, how, &mut (), &mut stats).unwrap();
    (responses, stats)
}

fn llama() -> Decoder {
    decoder(&config(&json!({"model_type": "llama"})), 1)
}

fn ids(responses: &[Vec<Response>]) -> Vec<Vec<&[TokenId]>> {
    responses.iter().map(|group| group.iter().map(|response| response.ids.as_slice()).collect()).collect()
}

#[test]
fn siblings_share_a_prefill_and_full_slots_waste_no_step() {
    let model = llama();
    let requests = requests(&[5, 9, 7], &[], 4);
    let (responses, stats) = sample(&model, &requests, &sampling(6, 4));
    assert!(responses.iter().flatten().all(|r| r.ids.len() == 6 && r.finish == Finish::Length));
    // Twelve responses of six tokens, of which the prefill gives the first.
    assert_eq!((stats.generated_tokens, stats.prefill_tokens), (72, 5 + 9 + 7));
    assert_eq!((stats.decode_steps, stats.active_slot_steps, stats.slot_steps), (15, 60, 60));
    assert_eq!(stats.occupancy(), 1.0);
}

#[test]
fn a_finished_sequence_gives_its_slot_to_the_next_at_once() {
    let model = llama();
    let requests = requests(&[5, 9, 7, 6, 8], &[], 8);
    // A fifth of the vocabulary ends a response, so that lengths vary.
    let how = Sampling { stop_ids: (0..10).collect(), ..sampling(12, 6) };
    let (responses, stats) = sample(&model, &requests, &how);
    let lengths: Vec<u64> = responses.iter().flatten().map(|r| r.ids.len() as u64).collect();
    assert!(lengths.contains(&1) && lengths.iter().any(|&l| l > 6), "{lengths:?}");
    assert_eq!(stats.generated_tokens, lengths.iter().sum::<u64>());
    assert_eq!(stats.prefill_tokens, 5 + 9 + 7 + 6 + 8);
    let work: u64 = lengths.iter().map(|l| l - 1).sum();
    let longest = lengths.iter().max().unwrap() - 1;
    assert_eq!(stats.active_slot_steps, work);
    assert_eq!(stats.slot_steps, 6 * stats.decode_steps);
    // A slot is idle only while the last sequences finish: no schedule that starts work as soon as it can does worse.
    assert!(stats.decode_steps <= work.div_ceil(6) + longest, "{stats:?}, work {work}, longest {longest}");
    assert!(stats.slot_steps - work <= 5 * longest, "{stats:?}, work {work}, longest {longest}");
    assert!(stats.decode_steps >= work.div_ceil(6));
}

#[test]
fn there_are_no_more_slots_than_responses() {
    let (_, stats) = sample(&llama(), &requests(&[5, 9], &[], 1), &sampling(4, 64));
    assert_eq!((stats.decode_steps, stats.slot_steps, stats.occupancy()), (3, 6, 1.0));
}

#[test]
fn a_shared_beginning_is_computed_once() {
    let prefix = tokens(70, 40, "examples");
    let requests = requests(&[5, 9, 7], &prefix, 2);
    let (_, stats) = sample(&llama(), &requests, &sampling(3, 4));
    assert_eq!(stats.prefill_tokens, 70 + 5 + 9 + 7);
}

#[test]
fn draws_depend_on_neither_slots_nor_company_nor_order() {
    for (name, config) in families() {
        let model = decoder(&config, 2);
        let all = requests(&[5, 9, 7, 12], &[], 3);
        let how = |slots| Sampling { stop_ids: vec![1, 2], temperature: 0.8, ..sampling(10, slots) };
        let (one_by_one, _) = sample(&model, &all, &how(1));
        for slots in [3, 64] {
            let (together, _) = sample(&model, &all, &how(slots));
            assert_eq!(ids(&one_by_one), ids(&together), "{name}, {slots} slots");
            for (a, b) in one_by_one.iter().flatten().zip(together.iter().flatten()) {
                assert_eq!(a.finish, b.finish, "{name}");
                assert!(a.logprobs.iter().zip(&b.logprobs).all(|(a, b)| (a - b).abs() < 1e-4), "{name}");
            }
        }
        let reversed: Vec<Request> = all.iter().rev().cloned().collect();
        let (mut responses, _) = sample(&model, &reversed, &how(5));
        responses.reverse();
        assert_eq!(ids(&one_by_one), ids(&responses), "{name}, reversed");
        let (alone, _) = sample(&model, &all[2..3], &how(3));
        assert_eq!(ids(&one_by_one[2..3]), ids(&alone), "{name}, alone");
    }
}

#[test]
fn greedy_decoding_depends_on_neither_slots_nor_company() {
    for (name, config) in families() {
        let model = decoder(&config, 4);
        let all = requests(&[5, 9, 7], &[], 1);
        let greedy = |slots| Sampling::greedy(12, vec![1], slots);
        let (one_by_one, _) = sample(&model, &all, &greedy(1));
        let (together, _) = sample(&model, &all, &greedy(3));
        assert_eq!(ids(&one_by_one), ids(&together), "{name}");
    }
}

#[test]
fn a_shared_beginning_changes_no_text() {
    let prefix = tokens(70, 40, "examples");
    for (name, config) in families() {
        let model = decoder(&config, 5);
        let all = requests(&[5, 9, 7], &prefix, 2);
        let (shared, stats) = sample(&model, &all, &sampling(10, 4));
        assert_eq!(stats.prefill_tokens, 70 + 21, "{name}");
        for (request, group) in all.iter().zip(&shared) {
            // A request by itself shares nothing.
            let (alone, stats) = sample(&model, std::slice::from_ref(request), &sampling(10, 4));
            assert_eq!(stats.prefill_tokens, request.prompt.len() as u64);
            assert_eq!(ids(std::slice::from_ref(group)), ids(&alone), "{name}");
        }
    }
}

#[test]
fn what_is_sampled_scores_as_it_was_sampled() {
    for (name, config) in families() {
        let model = decoder(&config, 6);
        for (prefix, temperature) in [(&[][..], 1.0), (&tokens(70, 40, "examples")[..], 0.7)] {
            let all = requests(&[5, 11, 7], prefix, 2);
            let how = Sampling { temperature, ..sampling(14, 3) };
            let (responses, _) = sample(&model, &all, &how);
            let sequences: Vec<Vec<TokenId>> = all
                .iter()
                .zip(&responses)
                .flat_map(|(request, group)| {
                    group.iter().map(|r| [request.prompt.as_slice(), &r.ids].concat())
                })
                .collect();
            let slices: Vec<&[TokenId]> = sequences.iter().map(Vec::as_slice).collect();
            let scored = score(&model, &slices, temperature, 200).unwrap();
            for (logprobs, response) in scored.iter().zip(responses.iter().flatten()) {
                let own = &logprobs[logprobs.len() - response.ids.len()..];
                for (scored, sampled) in own.iter().zip(&response.logprobs) {
                    assert!((scored - sampled).abs() < 1e-4, "{name}: {scored} scored, {sampled} sampled");
                }
            }
        }
    }
}

#[test]
fn the_same_requests_give_the_same_bits() {
    let model = llama();
    let all = requests(&[5, 9, 7], &[], 4);
    let how = Sampling { stop_ids: vec![1, 2], ..sampling(10, 5) };
    assert_eq!(sample(&model, &all, &how).0, sample(&model, &all, &how).0);
}

#[test]
fn what_cannot_be_sampled_from_says_why() {
    let model = llama();
    let refuse = |prompt: Vec<TokenId>| {
        let requests = [request(0, vec![3], 1), request(1, prompt, 1)];
        generate(&model, None, &requests, &sampling(2, 2), &mut (), &mut EngineStats::default()).unwrap_err()
    };
    assert!(matches!(refuse(vec![]), EngineError::EmptyPrompt { index: 1 }));
    assert!(matches!(
        refuse(vec![3; 256]),
        EngineError::PromptTooLong { index: 1, tokens: 256, context: 256 }
    ));
    assert!(matches!(refuse(vec![3, 48]), EngineError::UnknownToken { index: 1, id: 48, vocab: 48 }));
}

#[test]
fn a_watcher_can_stop_the_sampling() {
    struct Impatient(usize);
    impl Watch for Impatient {
        fn tokens(&mut self, new: usize) -> bool {
            self.0 += new;
            self.0 < 10
        }
    }
    let mut watch = Impatient(0);
    let requests = requests(&[5, 9], &[], 4);
    let mut stats = EngineStats::default();
    let error = generate(&llama(), None, &requests, &sampling(20, 8), &mut watch, &mut stats).unwrap_err();
    assert!(matches!(error, EngineError::Interrupted));
    assert_eq!(stats.decode_steps, 2);
}
