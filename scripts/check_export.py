"""Loads an exported folder with the transformers that runs this script and writes what it computes.

usage: python scripts/check_export.py FOLDER [--tokens IDS.json] --out LOGITS.json
       python scripts/check_export.py --compare A.json B.json... [--tolerance 1e-4]

The first form fails where a weight is missing, unexpected or of the wrong shape, or where config, generation config,
tokenizer or chat template do not load; else it writes the last position's logits for each prompt (float32, CPU) and
the rendered chat. IDS.json is a list of lists of token ids, or any file with `prompts: [{"ids": ...}]`, such as a
golden.json or an earlier LOGITS.json; without it the prompts are a few sentences through the chat template.

The second form compares such files, and golden.json files, with the first of them: exit code 1 where logits of a
prompt differ by more than the tolerance times max |logit|, or where the rendered chats differ.
"""

import argparse
import base64
import json
import sys
from pathlib import Path

MESSAGES = [
    [{"role": "user", "content": "What is 17 + 25?"}],
    [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": "Name the capital of France."},
    ],
    [
        {"role": "user", "content": "Is 91 a prime number?"},
        {"role": "assistant", "content": "No, it is 7 times 13."},
        {"role": "user", "content": "And 97?"},
    ],
]
FAULTS = ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs", "conversion_errors")


def check(folder, tokens):
    """Everything that a LOGITS.json holds."""
    import torch
    import transformers
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    torch.set_num_threads(1)  # the same bits under both versions, and no slower for a few short prompts
    if not (folder / "config.json").is_file():
        raise SystemExit(f"{folder}: no config.json there; expected a model folder in Hugging Face form")
    AutoConfig.from_pretrained(folder)
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    info = info if isinstance(info, dict) else vars(info)
    faults = {kind: sorted(map(str, info[kind])) for kind in FAULTS if info.get(kind)}
    if faults:
        raise SystemExit(f"{folder}: transformers {transformers.__version__}: {faults}")
    if (folder / "generation_config.json").exists():
        GenerationConfig.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    chats = []
    if tokenizer.chat_template is not None:
        chats = [tokenizer.apply_chat_template(m, tokenize=False, add_generation_prompt=True) for m in MESSAGES]
    chat_ids = [tokenizer(chat, add_special_tokens=False)["input_ids"] for chat in chats]
    if tokens is None:
        plain = [tokenizer(messages[-1]["content"])["input_ids"] for messages in MESSAGES]
        tokens = chat_ids or plain
    prompts = []
    with torch.no_grad():
        for ids in tokens:
            last = model.eval()(torch.tensor([ids]), use_cache=False).logits[0, -1].float()
            prompts.append({"ids": ids, "last_logits": base64.b64encode(last.numpy().astype("<f4").tobytes()).decode()})
    return {
        "folder": str(folder),
        "transformers": transformers.__version__,
        "model_class": type(model).__name__,
        "chats": chats,
        "chat_ids": chat_ids,
        "logits_encoding": "base64 of little-endian float32",
        "prompts": prompts,
    }


def token_lists(path):
    """The prompts of a file: a list of lists, or `prompts` with `ids`."""
    content = json.loads(path.read_text())
    return content if isinstance(content, list) else [prompt["ids"] for prompt in content["prompts"]]


def decode(text):
    import numpy

    return numpy.frombuffer(base64.b64decode(text), dtype="<f4")


def compare(paths, tolerance):
    """Whether all files agree with the first."""
    first, *others = [json.loads(path.read_text()) for path in paths]
    good = True
    for path, other in zip(paths[1:], others, strict=True):
        worst, problems = 0.0, []
        if [p["ids"] for p in first["prompts"]] != [p["ids"] for p in other["prompts"]]:
            problems.append("the prompts are not the same")
        else:
            for a, b in zip(first["prompts"], other["prompts"], strict=True):
                expected, found = decode(a["last_logits"]), decode(b["last_logits"])
                if expected.shape != found.shape:
                    problems.append(f"{found.shape[0]} logits, expected {expected.shape[0]}")
                    break
                worst = max(worst, float(abs(expected - found).max() / abs(expected).max()))
            if not worst <= tolerance:
                problems.append(f"logits differ by {worst:.3g} of max |logit|, allowed {tolerance:g}")
        for key in ("chats", "chat_ids"):
            if key in first and key in other and first[key] != other[key]:
                problems.append(f"{key} differ: {first[key]} and {other[key]}")
        good = good and not problems
        verdict = "; ".join(problems) or f"agrees ({worst:.2g})"
        print(f"{describe(path, other)} against {describe(paths[0], first)}: {verdict}")
    return good


def describe(path, content):
    return f"{content.get('folder', path)} [transformers {content['transformers']}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--tokens", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--compare", type=Path, nargs="+")
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    if args.compare:
        sys.exit(0 if compare(args.compare, args.tolerance) else 1)
    if args.folder is None or args.out is None:
        parser.error("give FOLDER and --out, or --compare")
    result = check(args.folder, token_lists(args.tokens) if args.tokens else None)
    args.out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n")
    print(f"{args.folder}: loads as {result['model_class']} with transformers {result['transformers']}")


if __name__ == "__main__":
    main()
