"""Writes what transformers computes with SmolLM2-135M-Instruct: logits and greedy texts of 8 chat prompts.

usage: python scripts/golden_smollm2.py MODEL_DIR OUT.json            (torch 2.11.0, transformers 4.57.6)

MODEL_DIR is a Hugging Face folder of the model. OUT.json has the form of the golden.json files that golden_models.py
writes, with `text`, the rendered chat, beside each prompt's ids. Of the questions below the first 8 are taken whose
50 greedy tokens are clear at every step and do not end early (see golden_common.py).
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer, GenerationConfig

from golden_common import clear_greedy, golden, load, logits_of, write_golden

PROMPTS = 8
ALL_POSITIONS = 0
STRIDE = 32  # of 49,152 logits; every 32nd is enough to see any error, and the file stays small
QUESTIONS = [
    "Explain why the sky is blue, in a short paragraph.",
    "Write a short story about a lighthouse keeper who finds a letter in a bottle.",
    "A baker sells 12 loaves in the morning and twice as many in the afternoon. How many loaves in all? Think step by step.",
    "List five ways to save water at home and say why each works.",
    "What is the difference between weather and climate?",
    "Describe how a bicycle stays upright while it moves.",
    "Summarise the water cycle for a ten-year-old.",
    "Give me a recipe for vegetable soup with the steps in order.",
    "Why do leaves change their colour in autumn?",
    "Write a polite e-mail that asks a colleague to review a report by Friday.",
    "A train leaves at 9:40 and arrives at 12:15. How long is the journey? Explain your reasoning.",
    "What are the main causes of the French Revolution?",
    "Explain what a variable is in a programming language, with an example.",
    "How does a vaccine protect the body?",
    "Compare cats and dogs as pets for a family that lives in a flat.",
    "Write a poem of eight lines about the sea in winter.",
    "Tell me about the planet Saturn and its rings.",
    "What should I consider before I adopt a new hobby?",
    "Explain supply and demand with the example of apples.",
    "How do I plan a week of simple dinners?",
    "Why is sleep important for learning?",
    "Describe the life of a honey bee from egg to forager.",
    "What makes bread rise?",
    "Explain how a lever makes work easier.",
]


def ending_ids(folder, tokenizer):
    """Every id at which some reader of the folder might stop."""
    ids = {tokenizer.eos_token_id}
    if (folder / "generation_config.json").exists():
        given = GenerationConfig.from_pretrained(folder).eos_token_id
        ids |= set(given if isinstance(given, list) else [given])
    given = json.loads((folder / "config.json").read_text()).get("eos_token_id")
    return (ids | set(given if isinstance(given, list) else [given])) - {None}


def main(folder, out):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = load(folder)
    endings = ending_ids(folder, tokenizer)
    chosen = []
    for question in QUESTIONS:
        messages = [{"role": "user", "content": question}]
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        found = clear_greedy(model, ids, avoid=endings)
        if found is None:
            continue
        tokens, lead = found
        chosen.append((ids, tokens, lead, {"messages": messages, "text": text}))
        print(f"{len(chosen)} of {PROMPTS}: {question}", flush=True)
        if len(chosen) == PROMPTS:
            break
    else:
        raise SystemExit(f"only {len(chosen)} of {len(QUESTIONS)} questions have a clear greedy text")
    logits = [logits_of(model, ids) for ids, *_ in chosen]
    write_golden(out, golden("scripts/golden_smollm2.py", tokenizer, chosen, logits, ALL_POSITIONS, STRIDE))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch.set_num_threads(1)  # the same bits every time, and on a busy machine ten times as fast as with more
    torch.use_deterministic_algorithms(True)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
