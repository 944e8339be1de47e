"""Compares what two devices or two types make of the same tokens: the numbers of scripts/gpu_check.py.

usage: python scripts/gpu_compare.py inputs FOLDER [--small]
       python scripts/gpu_compare.py scores A.jsonl B.jsonl
       python scripts/gpu_compare.py generations A.jsonl B.jsonl

The first form writes pairs.jsonl (for `polestar score`) and prompts.jsonl (for `polestar generate`) with random byte
tokens of uneven lengths, the longest far beyond the windows of configs/models/*-small.json. The other two print, as
JSON, how far the log-probabilities (nats) of two output files lie apart, B minus A.

Greedy generations are compared up to the first token that differs, that token included: until there both models saw
the same tokens, and the largest log-probability must be nearly the same even where two tokens tie. What comes after
has another context and says nothing.
"""

import argparse
import json
import math
import random
from pathlib import Path

# Prompt and response lengths: uneven, so that batches are padded; short ones inside a window of 48, long ones beyond it.
LENGTHS = [(1, 1), (3, 40), (17, 5), (40, 8), (64, 64), (90, 200), (130, 31), (200, 150), (300, 20), (257, 90), (8, 400), (33, 77)]
SMALL_LENGTHS = [(1, 1), (3, 40), (64, 32), (120, 17)]


def write_inputs(folder, small):
    """Writes pairs.jsonl and prompts.jsonl into `folder`."""
    draw = random.Random(0)
    ids = lambda n: [draw.randrange(256) for _ in range(n)]
    lengths = SMALL_LENGTHS if small else LENGTHS
    pairs = [{"id": i, "prompt_ids": ids(p), "response_ids": ids(r)} for i, (p, r) in enumerate(lengths)]
    prompts = [{"id": i, "prompt_ids": ids(p)} for i, (p, _) in enumerate(lengths)]
    for name, rows in [("pairs.jsonl", pairs), ("prompts.jsonl", prompts)]:
        Path(folder, name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read_rows(path):
    """The lines of a JSONL file, by id and sample."""
    rows = map(json.loads, Path(path).read_text(encoding="utf-8").splitlines())
    return {(str(row["id"]), row.get("index", 0)): row for row in rows}


def matched(first, second):
    """The rows of two files in pairs; both must have the same ones."""
    a, b = read_rows(first), read_rows(second)
    if a.keys() != b.keys() or not a:
        raise ValueError(f"expected the same lines in {first} and {second}, found {len(a)} and {len(b)}")
    return [(a[key], b[key]) for key in sorted(a)]


def spread(differences):
    """Mean, quantiles and largest of the sizes of `differences`, and their mean with the sign; None for not finite."""
    if not all(map(math.isfinite, differences)):
        return {"tokens": len(differences), "mean": None, "p50": None, "p99": None, "max": None, "bias": None}
    sizes = sorted(map(abs, differences))
    n = len(sizes)
    at = lambda share: sizes[min(n - 1, math.ceil(share * n) - 1)]
    return {
        "tokens": n,
        "mean": sum(sizes) / n,
        "p50": at(0.5),
        "p99": at(0.99),
        "max": sizes[-1],
        "bias": sum(differences) / n,
    }


def compare_scores(first, second):
    """How far the scores of the same responses lie apart."""
    differences = []
    for a, b in matched(first, second):
        if a["token_ids"] != b["token_ids"] or len(a["logprobs"]) != len(b["logprobs"]):
            raise ValueError(f"{second}: line {b['id']} has other tokens than in {first}")
        differences += [number(y) - number(x) for x, y in zip(a["logprobs"], b["logprobs"])]
    return spread(differences)


def compare_generations(first, second):
    """How far greedy generations from the same prompts lie apart, up to their first different token."""
    differences, identical, total = [], 0, 0
    rows = matched(first, second)
    for a, b in rows:
        same = a["token_ids"] == b["token_ids"]
        identical += same
        total += len(a["token_ids"])
        for x, y, left, right in zip(a["logprobs"], b["logprobs"], a["token_ids"], b["token_ids"]):
            differences.append(number(y) - number(x))
            if left != right:
                break
    return {**spread(differences), "sequences": len(rows), "identical": identical, "all_tokens": total}


def number(value):
    """A log-probability; JSON has null for what is not finite."""
    return math.nan if value is None else float(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    inputs = commands.add_parser("inputs")
    inputs.add_argument("folder", type=Path)
    inputs.add_argument("--small", action="store_true")
    for name in ["scores", "generations"]:
        command = commands.add_parser(name)
        command.add_argument("first", type=Path)
        command.add_argument("second", type=Path)
    args = parser.parse_args()
    if args.command == "inputs":
        write_inputs(args.folder, args.small)
        return
    compare = compare_scores if args.command == "scores" else compare_generations
    print(json.dumps(compare(args.first, args.second)))


if __name__ == "__main__":
    main()
