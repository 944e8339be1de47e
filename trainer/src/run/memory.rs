//! What a run needs of memory, worked out before anything is loaded: its parts at their peaks, whether that fits into
//! the machine, which settings would make it fit, and what to say where memory ran out all the same.

use tch::Device;

use super::RunError;
use super::record::peak_resident_bytes;
use super::setup::slots;
use crate::algorithms::{Family, Start, build};
use crate::doctor;
use crate::model::save::SHARD_BYTES;
use crate::model::{DecoderConfig, device, weights};
use crate::recipe::{Dtype, DtypeChoice, Plan};
use crate::update::head;

/// Tokens of a prompt where the data has not been read.
pub const PROMPT_GUESS: usize = 256;
/// Bytes of the program itself with libtorch, before any tensor.
const PROGRAM: u64 = 400_000_000;
/// The KV cache's lengths are multiples of this.
const LENGTH_STEP: u64 = 32;

/// Bytes of a run's parts at their peaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Memory {
    /// Weights that are computed with.
    pub weights: u64,
    /// f32 masters, where those are not the weights themselves.
    pub masters: u64,
    /// f32 gradients.
    pub gradients: u64,
    /// AdamW's two moments.
    pub optimizer: u64,
    /// The frozen reference, where a KL needs one.
    pub reference: u64,
    /// The sampler's keys and values.
    pub kv_cache: u64,
    /// The sampler's logits and distributions, slots × vocabulary.
    pub sampler: u64,
    /// What a micro-batch keeps for the backward pass.
    pub activations: u64,
    /// The output matrix's chunk.
    pub logits: u64,
    /// What AdamW's step of the largest weight takes beside its moments.
    pub optimizer_step: u64,
    /// The base weights, read again where each step trains from them; on the host.
    pub base_reload: u64,
    /// A checkpoint's bytes while it is written, or its weights while they are checked; on the host.
    pub saving: u64,
    /// A checkpoint's optimizer while it is read; on the host.
    pub resuming: u64,
    /// The program and libtorch; on the host.
    pub program: u64,
    /// The most that is alive at once on the device: sampling, updating and saving take turns.
    pub peak: u64,
    /// The most that is alive at once in the host's memory; on a CPU the same as `peak`.
    pub host_peak: u64,
}

/// Estimates a run's memory. `longest_prompt` in tokens.
#[must_use]
pub fn memory(plan: &Plan, config: &DecoderConfig, longest_prompt: usize) -> Memory {
    let sizes: Vec<u64> = weights::specs(config)
        .iter()
        .map(|spec| spec.shape.iter().map(|&n| n.unsigned_abs()).product())
        .collect();
    let parameters: u64 = sizes.iter().sum();
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let element = device::kind(plan.model.dtype).elt_size_in_bytes() as u64;
    let weights = parameters * element;
    let masters = if element == 4 { 0 } else { parameters * 4 };
    let has_reference = plan.update.kl.as_ref().is_some_and(|kl| kl.coef != 0.0);
    let reference = if has_reference { weights } else { 0 };
    let (gradients, optimizer) = (parameters * 4, parameters * 8);

    let length = learned_length(plan, config, longest_prompt);
    let (kv_cache, sampler) = sampling(plan, config, longest_prompt, element);
    let (activations, logits) = updating(plan, config, length, element);
    // The square of the gradient, the root of the second moment, the change.
    let optimizer_step = 3 * 4 * largest;
    let from_base = build(&plan.algorithm).start() == Start::Base;
    let base_reload = if from_base { parameters * 4 } else { 0 };
    let (saving, resuming) = checkpoint(plan, parameters, !from_base);

    let standing = weights + masters + gradients + optimizer + reference;
    let computing = (kv_cache + sampler).max(activations + logits).max(optimizer_step);
    let on_host = base_reload.max(saving).max(resuming);
    let (peak, host_peak) = if device::parse(&plan.model.device) == Device::Cpu {
        let peak = PROGRAM + standing + computing.max(on_host);
        (peak, peak)
    } else {
        // The weights pass through the host when they are read.
        (standing + computing, PROGRAM + on_host.max(parameters * 4))
    };
    Memory {
        weights,
        masters,
        gradients,
        optimizer,
        reference,
        kv_cache,
        sampler,
        activations,
        logits,
        optimizer_step,
        base_reload,
        saving,
        resuming,
        program: PROGRAM,
        peak,
        host_peak,
    }
}

/// Tokens of the longest sequence that is learned.
fn learned_length(plan: &Plan, config: &DecoderConfig, longest_prompt: usize) -> u64 {
    (longest_prompt + plan.rollout.max_new_tokens).min(config.max_position_embeddings) as u64
}

/// The sampler's cache and its tensors of slots × vocabulary.
fn sampling(plan: &Plan, config: &DecoderConfig, longest_prompt: usize, element: u64) -> (u64, u64) {
    let rollout = &plan.rollout;
    let evaluates = plan.data.len() > 1;
    let samples = build(&plan.algorithm).family() != Family::Supervised;
    let trained = if samples { rollout.prompts * rollout.n } else { 0 };
    let evaluated = match (evaluates, plan.eval.problems) {
        (false, _) => 0,
        // However many there are.
        (true, 0) => usize::MAX,
        (true, problems) => problems * plan.eval.samples,
    };
    let active = slots(plan).min(trained.max(evaluated)) as u64;
    let of_eval = if evaluates { plan.eval.max_new_tokens } else { 0 };
    let new_tokens = if samples { rollout.max_new_tokens.max(of_eval) } else { of_eval };
    let length = (longest_prompt + new_tokens).min(config.max_position_embeddings) as u64;
    let per_token = 2 * (config.num_layers * config.num_kv_heads * config.head_dim) as u64 * element;
    let kv_cache = active * length.next_multiple_of(LENGTH_STEP) * per_token;
    // The logits in f32 (in 16 bits: and before), their probabilities, the distribution function in f64, the
    // exponentials of a logsumexp; at another temperature than 1 the scaled logits.
    let mut entry = 4 + 4 + 8 + 4;
    entry += if element == 4 { 0 } else { element };
    entry += if rollout.temperature == 1.0 { 0 } else { 4 };
    if rollout.top_p < 1.0 || rollout.top_k > 0 || rollout.min_p > 0.0 {
        // Sorted probabilities with their places, what is kept in either order, the kept ones and their sums in f64.
        entry += 4 + 8 + 3 + 4 + 8;
    }
    (kv_cache, active * config.vocab_size as u64 * entry)
}

/// What a micro-batch keeps, and the output matrix's chunk.
fn updating(plan: &Plan, config: &DecoderConfig, length: u64, element: u64) -> (u64, u64) {
    // A layer keeps, a token: its input, two normed copies in f32 and in the model's type, queries, keys and values
    // before and after rotation, the attention's output, and the feed-forward's three wide vectors.
    let (d, f) = (config.hidden_size as u64, config.intermediate_size as u64);
    let q = (config.num_heads * config.head_dim) as u64;
    let kv = (config.num_kv_heads * config.head_dim) as u64;
    let layer_token = d * (4 * element + 16) + (3 * q + 5 * kv) * element + 4 * f * element;
    let tokens = (plan.update.micro_batch as u64).max(length);
    let layers = if plan.update.recompute { 1 } else { config.num_layers as u64 };
    let activations = tokens * (layer_token * layers + d * element * config.num_layers as u64);
    let rows = head::chunk_rows(config.vocab_size) as u64;
    (activations, rows.min(tokens) * config.vocab_size as u64 * 4 * 4)
}

/// What saving and resuming take for a moment.
fn checkpoint(plan: &Plan, parameters: u64, has_moments: bool) -> (u64, u64) {
    let saved = match plan.checkpoint.dtype {
        DtypeChoice::F32 | DtypeChoice::Auto => 4,
        DtypeChoice::F16 | DtypeChoice::Bf16 => 2,
    };
    // A file's tensors as bytes, and the file.
    let weights = 2 * (parameters * saved).min(SHARD_BYTES);
    let moments = if has_moments { parameters * 8 } else { 0 };
    let optimizer = moments + if saved == 4 { 0 } else { parameters * 4 };
    // The saved weights read back in f32, and those in memory rounded as they were saved.
    let check = parameters * 4 + if saved == 4 { 0 } else { parameters * (saved + 4) };
    let resuming = optimizer + parameters * 4 + moments;
    (weights.max(2 * optimizer).max(check), resuming)
}

/// Bytes that this process can have on the plan's device, as far as the system tells.
#[must_use]
pub fn available(plan: &Plan) -> Option<u64> {
    match device::parse(&plan.model.device) {
        Device::Cuda(index) => doctor::free_gpu_memory(index),
        _ => doctor::available_memory(),
    }
}

/// What does not fit, the largest parts, and which settings would make it fit; none where it fits or nobody knows.
#[must_use]
pub fn misfit(plan: &Plan, config: &DecoderConfig, available: Option<u64>) -> Option<String> {
    let available = available?;
    let memory = memory(plan, config, PROMPT_GUESS);
    (memory.peak > available).then(|| {
        format!(
            "the run needs about {} of memory, and {} are available. Its largest parts: {}. {}",
            gb(memory.peak),
            gb(available),
            memory.largest_parts(),
            remedies(plan, config, available),
        )
    })
}

/// The error of a run where memory ran out, with the plan's parts and what would need less; any other error as it is.
#[must_use]
pub fn explain(error: RunError, plan: &Plan, config: Option<&DecoderConfig>) -> RunError {
    let (Some(config), true) = (config, error.is_out_of_memory()) else { return error };
    let memory = memory(plan, config, PROMPT_GUESS);
    // What this process has had is there again for another.
    let available = match device::parse(&plan.model.device) {
        Device::Cpu => available(plan).map(|free| free.saturating_add(peak_resident_bytes())),
        _ => None,
    };
    let available =
        available.map(|bytes| doctor::address_space_limit().map_or(bytes, |limit| bytes.min(limit)));
    let parts = format!(
        "the plan's parts: {}; about {} at the peak{}",
        memory.largest_parts(),
        gb(memory.peak),
        available.map_or(String::new(), |bytes| format!(", where this machine has {}", gb(bytes))),
    );
    let advice = match available {
        Some(available) if memory.peak > available => remedies(plan, config, available),
        // The estimate fits and the run did not: whatever is smaller helps.
        _ => format!(
            "Lower rollout.slots (now {}) or update.micro_batch (now {}), set update.recompute = true or model.dtype = \"bf16\", or end other programs",
            slots(plan),
            plan.update.micro_batch
        ),
    };
    RunError::OutOfMemory { source: Box::new(error), parts, advice }
}

impl Memory {
    /// Its largest parts with their sizes, for people: those above a twentieth of the peak.
    #[must_use]
    pub fn largest_parts(&self) -> String {
        let mut parts = [
            ("weights", self.weights),
            ("f32 masters", self.masters),
            ("gradients", self.gradients),
            ("AdamW's moments", self.optimizer),
            ("the KL's frozen reference", self.reference),
            ("KV cache", self.kv_cache),
            ("the sampler's distributions", self.sampler),
            ("activations", self.activations),
            ("logits", self.logits),
            ("saving", self.saving),
            ("resuming", self.resuming),
        ];
        parts.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        let large = parts.iter().enumerate().filter(|(at, (_, bytes))| *at == 0 || *bytes > self.peak / 20);
        large.map(|(_, (name, bytes))| format!("{name} {}", gb(*bytes))).collect::<Vec<_>>().join(", ")
    }
}

/// Which settings make the run fit: each by itself where that is enough, else all together.
fn remedies(plan: &Plan, config: &DecoderConfig, available: u64) -> String {
    let peak = |plan: &Plan| memory(plan, config, PROMPT_GUESS).peak;
    let halves = |from: usize, to: usize| {
        std::iter::successors(Some(from), |n| Some(n / 2)).skip(1).take_while(move |&n| n >= to.max(1))
    };
    let mut candidates: Vec<Vec<(String, Plan)>> = Vec::new();
    let mut family = |changed: Vec<(String, Plan)>| candidates.push(changed);
    let change = |change: &dyn Fn(&mut Plan)| {
        let mut changed = plan.clone();
        change(&mut changed);
        changed
    };
    let with_slots = |n| (format!("rollout.slots = {n}"), change(&|plan| plan.rollout.slots = n));
    family(halves(slots(plan), 1).map(with_slots).collect());
    let with_tokens = |n| (format!("update.micro_batch = {n}"), change(&|plan| plan.update.micro_batch = n));
    let longest = learned_length(plan, config, PROMPT_GUESS) as usize;
    family(halves(plan.update.micro_batch, longest).map(with_tokens).collect());
    if !plan.update.recompute {
        family(vec![("update.recompute = true".into(), change(&|plan| plan.update.recompute = true))]);
    }
    if plan.model.dtype == Dtype::F32 {
        family(vec![("model.dtype = \"bf16\"".into(), change(&|plan| plan.model.dtype = Dtype::Bf16))]);
    }
    let enough: Vec<&str> = candidates
        .iter()
        .filter_map(|family| family.iter().find(|(_, changed)| peak(changed) <= available))
        .map(|(words, _)| words.as_str())
        .collect();
    if !enough.is_empty() {
        return format!("It would fit with {}", enough.join(", or "));
    }
    // The least of each, together; f32 stays, whose 16-bit copies need masters beside them.
    let mut least = plan.clone();
    least.rollout.slots = 1;
    least.update.micro_batch = longest.min(plan.update.micro_batch);
    least.update.recompute = true;
    let together = "rollout.slots, update.micro_batch, update.recompute = true and model.dtype = \"bf16\"";
    let mut half = least.clone();
    half.model.dtype = if plan.model.dtype == Dtype::F32 { Dtype::Bf16 } else { plan.model.dtype };
    if peak(&least).min(peak(&half)) <= available {
        return format!("It would fit with several changed together: lower {together}");
    }
    format!(
        "No value of {together} makes it fit: take a smaller model or a machine with more memory{}",
        if plan.update.kl.as_ref().is_some_and(|kl| kl.coef != 0.0) {
            ", or do without the frozen reference: update.kl.coef = 0"
        } else {
            ""
        }
    )
}

/// Bytes as people read them.
fn gb(bytes: u64) -> String {
    format!("{:.2} GB", bytes as f64 / 1e9)
}
