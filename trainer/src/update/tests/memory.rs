//! That nothing of size rows × vocabulary is kept, and that chunks fit together, at a vocabulary of 150,000. Peak memory
//! belongs to a whole process, so the work is done in a process of its own.

use serde_json::json;
use tch::{Kind, Tensor};

use crate::engine::to_f32;
use crate::model::testing::{config, normal, tokens};
use crate::model::{Decoder, ModelWeights};
use crate::run::record::peak_resident_bytes;
use crate::update::head;

const IS_CHILD: &str = "POLESTAR_TEST_HEAD_MEMORY";
const VOCAB: usize = 150_000;
const ROWS: usize = 1536;
const HIDDEN: i64 = 16;

#[test]
fn the_head_never_holds_rows_times_vocabulary() {
    if std::env::var_os(IS_CHILD).is_some() {
        println!("GROWTH {}", growth_of_a_backward_pass());
        return;
    }
    let name = "update::tests::memory::the_head_never_holds_rows_times_vocabulary";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(IS_CHILD, "1")
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success(), "{out}\n{}", String::from_utf8_lossy(&child.stderr));
    let line = out.lines().find_map(|line| line.split("GROWTH ").nth(1)).unwrap();
    let growth: u64 = line.trim().parse().unwrap();
    let whole_matrix = (ROWS * VOCAB * 4) as u64;
    // A chunk's logits must show, or the meter is broken; four such matrices may be alive at once.
    assert!(growth > head::CHUNK_BYTES as u64 / 2, "{growth} bytes");
    assert!(growth < 700_000_000 && growth < whole_matrix * 4 / 5, "{growth} bytes of {whole_matrix}");
}

/// Bytes by which the peak of resident memory rises during a backward pass through the head.
fn growth_of_a_backward_pass() -> u64 {
    let llama = config(&json!({"model_type": "llama", "vocab_size": VOCAB, "hidden_size": HIDDEN,
        "num_hidden_layers": 1, "tie_word_embeddings": true}));
    let weights = ModelWeights::from_source::<()>(&llama, |spec| Ok(normal(&spec.shape, &spec.name) * 0.4));
    let model = Decoder::new(llama, weights.unwrap());
    let h_RD = normal(&[ROWS as i64, HIDDEN], "hidden");
    let targets = tokens(ROWS, VOCAB, "targets");
    let slopes = to_f32(&normal(&[ROWS as i64], "slopes"));
    let mut dhead_VD = Tensor::zeros_like(model.head_VD());
    let mut logprobs = Vec::with_capacity(ROWS);

    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = peak_resident_bytes();
    let back = head::backward::<()>(&model, &h_RD, &targets, 1.0, &mut dhead_VD, |row, logprob| {
        logprobs.push(logprob);
        Ok(slopes[row])
    });
    let growth = peak_resident_bytes() - before;
    check_rows(&model, &h_RD, (&targets, &slopes, &logprobs), &back.unwrap().dh_RD, &dhead_VD);
    growth
}

/// Checks single rows on both sides of the chunks' borders, and the output matrix' gradient of one token.
fn check_rows(
    model: &Decoder,
    h_RD: &Tensor,
    (targets, slopes, logprobs): (&[u32], &[f32], &[f32]),
    dh_RD: &Tensor,
    dhead_VD: &Tensor,
) {
    let border = head::chunk_rows(VOCAB);
    assert!(border > 1 && 2 * border < ROWS, "the rows must not fit one chunk: {border}");
    for row in [0, border - 1, border, 2 * border, ROWS - 1] {
        let z_V = model.head_VD().mv(&h_RD.get(row as i64));
        let lp_V = z_V.log_softmax(-1, Kind::Float);
        let target = i64::from(targets[row]);
        assert!((lp_V.double_value(&[target]) - f64::from(logprobs[row])).abs() < 1e-4, "row {row}");
        let mean_D = model.head_VD().tr().mv(&lp_V.exp());
        let expected_D = (model.head_VD().get(target) - mean_D) * f64::from(slopes[row]);
        let gap = (expected_D - dh_RD.get(row as i64)).abs().max().double_value(&[]);
        assert!(gap < 1e-5, "row {row}: {gap}");
    }
    // d loss / d head_v = Σ rows slope · (1[target = v] − p_v) · h, with p_v from the log-probability of the target.
    let v = i64::from(targets[ROWS - 1]);
    let ids: Vec<i64> = targets.iter().map(|&id| i64::from(id)).collect();
    let ids_R = Tensor::from_slice(&ids);
    let target_z_R = (h_RD * model.head_VD().index_select(0, &ids_R)).sum_dim_intlist(
        [1i64].as_slice(),
        false,
        Kind::Float,
    );
    let lse_R = target_z_R - Tensor::from_slice(logprobs);
    let p_R = (h_RD.mv(&model.head_VD().get(v)) - lse_R).exp();
    let factor_R = (ids_R.eq(v).to_kind(Kind::Float) - p_R) * Tensor::from_slice(slopes);
    let gap = (h_RD.tr().mv(&factor_R) - dhead_VD.get(v)).abs().max().double_value(&[]);
    assert!(gap < 1e-4, "the gradient of token {v}: {gap}");
}
