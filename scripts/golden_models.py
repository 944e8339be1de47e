"""Writes the small random models of tests/golden/models and what transformers computes with them.

usage: python scripts/golden_models.py --out tests/golden/models      (torch 2.11.0, transformers 4.57.6)

Every folder is a complete Hugging Face folder (config.json in the spelling under test, safetensors, tokenizer) with
two files more. Running the script again on the same machine writes the same bytes.

golden.json     8 prompts as token ids; for each the logits of the last position, 50 greedy tokens and their text;
                for one prompt the logits of all positions. Computed in float32 on the CPU with eager attention from
                the folder's own weights. Logits are base64 of little-endian float32. Every greedy step is clear (see
                golden_common.py), so equal logits within the tolerance mean equal text, and no text ends early.
ablations.json  for each feature, how far the logits of the 8 prompts move when it alone is switched off, as a share
                of max |logit|. The script fails where a feature moves them by 1e-2 or less, so a test that passes
                on these models has every feature on. `inert` names keys that transformers reads and does not apply:
                there the movement is exactly 0.
"""

import argparse
import copy
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from golden_common import NEW_TOKENS, clear_greedy, digits, golden, load, logits_of, write_golden
from golden_specs import SPECS, VOCAB_SIZE
from golden_tokenizer import EOS_IDS, PAD_ID, SPECIAL, write_tokenizer

PROMPT_LENGTHS = [1, 3, 7, 12, 20, 33, 48, 70]
ALL_POSITIONS = 4  # the prompt whose logits are kept for every position
MIN_DISTINCT = 8  # different tokens in a greedy text
MIN_MOVEMENT = 1e-2


def seed_of(*parts):
    """A seed from names and numbers, the same on every machine and Python version."""
    return [ord(character) for part in parts for character in f"{part}/"]


def random_tensor(name, shape, spec):
    """One weight. Scales are such that attention is neither flat nor one-hot and logits reach about 10."""
    noise = np.random.default_rng(seed_of(spec["name"], name)).standard_normal(shape)
    leaf = name.rsplit(".", 2)[-2]
    if "norm" in leaf:
        mean = 0.0 if spec["family"] == "gemma3" else 1.0
        return 0.3 * noise + mean + (6.0 if leaf.startswith("post_") and spec["family"] == "gemma3" else 0.0)
    if name.endswith(".bias"):
        return 0.4 * noise
    if leaf == "embed_tokens":
        return noise * spec.get("embed_scale", 1.0)
    gain = {"q_proj": 1.8, "k_proj": 1.8, "o_proj": 2.0, "down_proj": 2.0, "lm_head": 2.5}.get(leaf, 1.0)
    return gain * noise / np.sqrt(shape[-1])


def released_name(name):
    """The name in released Gemma 3 checkpoints, where the decoder sits in a multimodal model."""
    for ours, theirs in (
        ("model.language_model.", "language_model.model."),
        ("model.vision_tower.", "vision_tower."),
        ("model.multi_modal_projector.", "multi_modal_projector."),
    ):
        if name.startswith(ours):
            return theirs + name.removeprefix(ours)
    return name


def write_weights(folder, spec):
    """Random weights under released names, in one file or in shards with an index."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(as_config(spec["reference"]))
    dtype = getattr(torch, spec["dtype"])
    tied = model.config.get_text_config().tie_word_embeddings
    tensors = {}
    for name, meta in model.state_dict().items():
        if tied and name == "lm_head.weight":
            continue
        values = random_tensor(name, tuple(meta.shape), spec)
        tensors[released_name(name)] = torch.from_numpy(values).to(dtype)
    shards = spec.get("shards", 1)
    if shards == 1:
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        return
    names = sorted(tensors)
    weight_map = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05}-of-{shards:05}.safetensors"
        part = {name: tensors[name] for name in names[shard::shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        weight_map.update(dict.fromkeys(part, file))
    total = sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    write_json(folder / "model.safetensors.index.json", index)


def as_config(keys):
    """transformers' configuration of a config.json's keys."""
    keys = copy.deepcopy(keys)
    return AutoConfig.for_model(keys.pop("model_type"), **keys)


def greedy_of_whole_passes(model, ids):
    """50 greedy tokens where every step runs the whole text again: what a cache must come to."""
    ids = list(ids)
    for _ in range(NEW_TOKENS):
        ids.append(int(logits_of(model, ids)[-1].argmax()))
    return ids[-NEW_TOKENS:]


def choose_prompts(model, spec):
    """8 prompts with clear greedy texts: candidates come in a fixed order, the first that will do is taken."""
    chosen = []
    for length in PROMPT_LENGTHS:
        for attempt in range(1000):
            rng = np.random.default_rng(seed_of(spec["name"], "prompt", length, attempt))
            ids = rng.integers(len(SPECIAL), VOCAB_SIZE, length).tolist()
            found = clear_greedy(model, ids, avoid=EOS_IDS, min_distinct=MIN_DISTINCT)
            if found is not None:
                break
        else:
            raise SystemExit(f"{spec['name']}: no prompt of {length} tokens has a clear greedy text")
        tokens, lead = found
        inputs = torch.tensor([ids])
        generated = model.generate(
            inputs,
            attention_mask=torch.ones_like(inputs),
            do_sample=False,
            max_new_tokens=NEW_TOKENS,
            pad_token_id=PAD_ID,
        )
        for other in (greedy_of_whole_passes(model, ids), generated[0, length:].tolist()):
            if other != tokens:
                raise SystemExit(f"{spec['name']}: greedy texts differ with the cache and without")
        chosen.append((ids, tokens, lead, {}))
    return chosen


def movement(before, after):
    """The largest change of a logit as a share of the prompt's max |logit|: over all prompts, and for each."""
    shares = [((b - a).abs().max() / b.abs().max()).item() for b, a in zip(before, after, strict=True)]
    return {"max": digits(max(shares)), "by_prompt": [digits(share) for share in shares]}


def ablate(folder, spec, prompts, before):
    """Switches off one feature after the other and measures."""
    results = {"tolerance": MIN_MOVEMENT, "features": {}, "inert": {}}
    for name, (change_keys, change_model) in spec["ablations"].items():
        keys = copy.deepcopy(spec["reference"])
        change_keys(keys)
        model = load(folder, as_config(keys))
        with torch.no_grad():
            change_model(model)
        moved = movement(before, [logits_of(model, ids)[-1] for ids in prompts])
        inert = name in spec.get("inert", ())
        if inert and moved["max"] != 0.0:
            raise SystemExit(f"{spec['name']}: {name} was thought to change nothing and moves logits: {moved}")
        if not inert and moved["max"] <= MIN_MOVEMENT:
            raise SystemExit(f"{spec['name']}: without {name} logits move by {moved} only")
        results["inert" if inert else "features"][name] = moved
    return results


def check_lengths(spec):
    """At least two prompts must run past the window and past the original context."""
    text = spec["reference"].get("text_config", spec["reference"])
    limit = max(text.get("sliding_window") or 0, spec.get("original_context", 0))
    if sum(length > limit for length in PROMPT_LENGTHS) < 2:
        raise SystemExit(f"{spec['name']}: fewer than two prompts have more than {limit} tokens")


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_model(folder, spec):
    """One folder; returns the measured movements."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_json(folder / "config.json", spec["config"])
    write_tokenizer(folder)
    write_weights(folder, spec)
    model = load(folder, as_config(spec["reference"]))
    chosen = choose_prompts(model, spec)
    prompts = [ids for ids, *_ in chosen]
    logits = [logits_of(model, ids) for ids in prompts]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    content = golden("scripts/golden_models.py", tokenizer, chosen, logits, ALL_POSITIONS)
    write_golden(folder / "golden.json", content)
    ablations = ablate(folder, spec, prompts, [values[-1] for values in logits])
    write_json(folder / "ablations.json", ablations)
    return ablations


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", help="names of models; all without it")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for spec in SPECS:
        if args.only and spec["name"] not in args.only:
            continue
        check_lengths(spec)
        ablations = write_model(args.out / spec["name"], spec)
        moved = {name: values["max"] for name, values in ablations["features"].items()}
        print(f"{spec['name']}: {moved}", flush=True)


if __name__ == "__main__":
    main()
