"""Writes tests/golden/rope.json: inverse frequencies as transformers computes them.

usage: python scripts/golden_rope.py OUT.json          (torch 2.11.0, transformers 4.57.6)

Each case is a configuration in config.json's own spelling with the numbers that transformers' ROPE_INIT_FUNCTIONS
makes of it, float32 values written exactly. The Rust side reads the configuration and must come to the same numbers.
"""

import json
import sys

from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

LLAMA3 = {
    "rope_type": "llama3",
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
CASES = {
    "default_1e4": (64, 10000.0, 2048, None),
    "default_1e6": (128, 1000000.0, 32768, None),
    "linear": (256, 1000000.0, 131072, {"rope_type": "linear", "factor": 8.0}),
    "llama3_32": (64, 500000.0, 131072, LLAMA3),
    "llama3_8": (128, 500000.0, 131072, LLAMA3 | {"factor": 8.0}),
    "llama3_tiny": (
        16,
        10000.0,
        256,
        LLAMA3 | {"factor": 4.0, "original_max_position_embeddings": 64},
    ),
    "yarn_qwen": (
        128,
        1000000.0,
        131072,
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768},
    ),
    "yarn_no_original": (64, 10000.0, 4096, {"rope_type": "yarn", "factor": 2.0}),
    "yarn_mscale": (
        64,
        10000.0,
        163840,
        {
            "rope_type": "yarn",
            "factor": 40.0,
            "mscale": 1.0,
            "mscale_all_dim": 0.8,
            "beta_fast": 32,
            "beta_slow": 1,
            "original_max_position_embeddings": 4096,
        },
    ),
    "yarn_untruncated": (
        64,
        150000.0,
        131072,
        {
            "rope_type": "yarn",
            "factor": 32.0,
            "truncate": False,
            "attention_factor": 1.25,
            "beta_fast": 24.0,
            "beta_slow": 2.0,
            "original_max_position_embeddings": 4096,
        },
    ),
}


def main(out):
    cases = []
    for name, (head_dim, theta, max_position, scaling) in CASES.items():
        keys = {
            "model_type": "llama",
            "vocab_size": 96,
            "hidden_size": 2 * head_dim,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "max_position_embeddings": max_position,
            "rope_theta": theta,
            "rope_scaling": scaling,
        }
        config = LlamaConfig(**json.loads(json.dumps(keys)))
        kind = "default" if scaling is None else scaling["rope_type"]
        inverse, factor = ROPE_INIT_FUNCTIONS[kind](config, "cpu")
        cases.append(
            {"name": name, "config": keys, "inv_freq": inverse.double().tolist(), "attention_factor": float(factor)}
        )
    with open(out, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
