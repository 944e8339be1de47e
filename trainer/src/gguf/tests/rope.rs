//! Recovering Llama 3's frequency scaling from its divisors, and the other scalings from the metadata.

use super::testfile::{HEAD_DIM, TestFile};
use crate::gguf::container::Container;
use crate::gguf::error::GgufError;
use crate::gguf::rope::{Rope, Scaling};

fn read(file: &TestFile, arch: &str, head_dim: usize) -> Result<Rope, GgufError> {
    let bytes = file.bytes();
    Rope::read(&Container::parse(&bytes).unwrap(), arch, head_dim)
}

/// The divisors that a converter writes, in its own terms: frequencies in f32, three cases.
fn divisors(theta: f32, head_dim: usize, factor: f32, low: f32, high: f32, context: f32) -> Vec<f32> {
    let (longest, shortest) = (context / low, context / high);
    let divisor = |i: usize| {
        let frequency = 1.0 / theta.powf((2 * i) as f32 / head_dim as f32);
        let wavelength = 2.0 * std::f32::consts::PI / frequency;
        if wavelength < shortest {
            1.0
        } else if wavelength > longest {
            factor
        } else {
            let smooth = (context / wavelength - low) / (high - low);
            1.0 / ((1.0 - smooth) / factor + smooth)
        }
    };
    (0..head_dim / 2).map(divisor).collect()
}

fn with_divisors(values: &[f32], theta: f32) -> TestFile {
    TestFile::default().f32("llama.rope.freq_base", theta).tensor_f32(
        "rope_freqs.weight",
        &[values.len()],
        values,
    )
}

#[test]
fn llama3_scaling_is_recovered_from_its_divisors() {
    let cases = [
        (64, 32.0, 4.0, 8192),
        (128, 8.0, 4.0, 8192),
        // Not the published numbers: found from the ramp.
        (128, 16.0, 8.0, 4096),
        (64, 4.0, 2.0, 65536),
    ];
    for (head_dim, factor, high, context) in cases {
        let values = divisors(500_000.0, head_dim, factor, 1.0, high, context as f32);
        let rope = read(&with_divisors(&values, 500_000.0), "llama", head_dim).unwrap();
        let expected = Scaling::Llama3 {
            factor: f64::from(factor),
            low_freq_factor: 1.0,
            high_freq_factor: f64::from(high),
            original_context: context,
        };
        assert_eq!(rope.scaling, expected);
    }
}

#[test]
fn divisors_of_one_are_no_scaling_and_others_are_refused_by_name() {
    assert_eq!(read(&with_divisors(&[1.0; 32], 1e4), "llama", 64).unwrap().scaling, Scaling::Default);
    // Long-context divisors of another kind, which rise all the way.
    let rising: Vec<f32> = (0..32).map(|i| 1.0 + i as f32).collect();
    let error = read(&with_divisors(&rising, 1e4), "llama", 64).unwrap_err();
    assert!(
        matches!(&error, GgufError::Unsupported { what, .. } if what.contains("rope_freqs.weight")),
        "{error}"
    );
    let error = read(&with_divisors(&[f32::NAN; 32], 1e4), "llama", 64).unwrap_err();
    assert!(matches!(error, GgufError::Unsupported { .. }), "{error}");
    let error = read(&with_divisors(&[2.0; 16], 1e4), "llama", 64).unwrap_err();
    assert!(matches!(error, GgufError::TensorShape { .. }), "{error}");
}

#[test]
fn both_forms_of_the_config_say_the_same() {
    let file = with_divisors(&divisors(500_000.0, 64, 32.0, 1.0, 4.0, 8192.0), 500_000.0);
    let entries: serde_json::Map<_, _> = read(&file, "llama", 64)
        .unwrap()
        .config_entries()
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    let scaling = serde_json::json!({
        "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    });
    assert_eq!(entries["rope_theta"], 500_000.0);
    assert_eq!(entries["rope_scaling"], scaling);
    let mut parameters = scaling;
    parameters["rope_theta"] = 500_000.0.into();
    assert_eq!(entries["rope_parameters"], parameters);
}

#[test]
fn linear_and_yarn_come_from_the_metadata() {
    let linear =
        TestFile::default().text("gemma3.rope.scaling.type", "linear").f32("gemma3.rope.scaling.factor", 8.0);
    let rope = read(&linear.clone().f32("gemma3.rope.freq_base", 1e6), "gemma3", HEAD_DIM).unwrap();
    assert_eq!(rope.scaling, Scaling::Linear { factor: 8.0 });
    let entries = rope.config_entries();
    let parameters = &entries.iter().find(|(key, _)| *key == "rope_parameters").unwrap().1;
    assert_eq!(parameters["full_attention"]["factor"], 8.0, "only layers without a window are stretched");
    let local = serde_json::json!({"rope_type": "default", "rope_theta": 10_000.0});
    assert_eq!(parameters["sliding_attention"], local);

    let yarn = TestFile::default()
        .text("qwen3.rope.scaling.type", "yarn")
        .f32("qwen3.rope.scaling.factor", 4.0)
        .u32("qwen3.rope.scaling.original_context_length", 32768);
    let scaling = read(&yarn, "qwen3", HEAD_DIM).unwrap().scaling;
    let expected = Scaling::Yarn { factor: 4.0, original_context: 32768, beta_fast: None, beta_slow: None };
    assert_eq!(scaling, expected);
    let incomplete = yarn.without("qwen3.rope.scaling.original_context_length");
    assert!(matches!(read(&incomplete, "qwen3", HEAD_DIM), Err(GgufError::MissingKey { .. })));

    for (key, value) in
        [("qwen3.rope.scaling.attn_factor", 1.5), ("qwen3.rope.scaling.yarn_log_multiplier", 0.1)]
    {
        let error = read(&TestFile::default().f32(key, value), "qwen3", HEAD_DIM).unwrap_err();
        assert!(matches!(&error, GgufError::Unsupported { what, .. } if what.contains(key)), "{error}");
    }
    let longrope = TestFile::default().text("llama.rope.scaling.type", "longrope");
    assert!(matches!(read(&longrope, "llama", HEAD_DIM), Err(GgufError::Unsupported { .. })));
    let zero = linear.f32("gemma3.rope.scaling.factor", 0.0);
    assert!(matches!(read(&zero, "gemma3", HEAD_DIM), Err(GgufError::BadKey { .. })));
}

#[test]
fn partial_rotation_is_refused() {
    let file = TestFile::default().u32("llama.rope.dimension_count", 4);
    let error = read(&file, "llama", HEAD_DIM).unwrap_err();
    assert!(error.to_string().contains("llama.rope.dimension_count"), "{error}");
}
