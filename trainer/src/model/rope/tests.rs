//! Against transformers' own numbers, which `scripts/golden_rope.py` wrote.

#![allow(clippy::unwrap_used)]

use serde_json::Value;

use super::*;
use crate::model::config::DecoderConfig;

/// One unit in the last place of a float32, relative: all that torch's `pow` may differ by.
const ONE_ULP: f64 = 1.2e-7;

#[test]
fn frequencies_are_those_of_transformers() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("../../../../tests/golden/rope.json")).unwrap();
    assert_eq!(cases.len(), 10);
    for case in &cases {
        let config = DecoderConfig::from_json(&case["config"], "config.json").unwrap();
        let (ours, factor) = inverse_frequencies(&config.ropes[0], config.head_dim);
        let theirs: Vec<f64> =
            case["inv_freq"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert_eq!(ours.len(), theirs.len(), "{}", case["name"]);
        for (i, (a, b)) in ours.iter().zip(&theirs).enumerate() {
            assert!((a - b).abs() <= ONE_ULP * b, "{} [{i}]: {a} is not {b}", case["name"]);
        }
        let expected = case["attention_factor"].as_f64().unwrap();
        assert!((factor - expected).abs() < 1e-15, "{}: {factor} is not {expected}", case["name"]);
    }
}

#[test]
fn every_scaling_changes_some_frequency_and_not_the_fastest() {
    let plain = RopeConfig { theta: 10_000.0, kind: RopeKind::Default };
    let kinds = [
        RopeKind::Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_max: 8192.0 },
        RopeKind::Yarn {
            factor: 8.0,
            beta_fast: 32.0,
            beta_slow: 1.0,
            attention_factor: 1.0,
            original_max: 8192.0,
            truncate: true,
        },
    ];
    let (base, _) = inverse_frequencies(&plain, 64);
    for kind in kinds {
        let (scaled, _) = inverse_frequencies(&RopeConfig { kind, ..plain }, 64);
        assert_eq!(scaled[0], base[0]);
        assert!((scaled[31] - base[31] / 8.0).abs() <= ONE_ULP * base[31]);
    }
    let linear = RopeConfig { kind: RopeKind::Linear { factor: 8.0 }, ..plain };
    assert_eq!(inverse_frequencies(&linear, 64).0[0], 0.125);
}

#[test]
fn the_yarn_ramp_survives_equal_ends() {
    let rope = RopeConfig {
        theta: 10_000.0,
        kind: RopeKind::Yarn {
            factor: 4.0,
            beta_fast: 32.0,
            beta_slow: 1.0,
            attention_factor: 1.0,
            original_max: 1.0,
            truncate: true,
        },
    };
    assert!(inverse_frequencies(&rope, 16).0.iter().all(|f| f.is_finite() && *f > 0.0));
}
