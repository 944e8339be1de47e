#!/usr/bin/env python3
"""Prints a run's curves as Markdown: reward and accuracies by step, for documents and for people who would rather look.

usage: scripts/curves.py RUN_DIR [--every N]

One row for each step that was evaluated, or for every N-th step and each that was evaluated; accuracies are strict, in
per cent. Below the table the reward of every step as one line of bars, from 0 to its largest.
"""

import argparse
import json
import sys
from pathlib import Path

BARS = "▁▂▃▄▅▆▇█"


def rows_of(run):
    """The lines of metrics.jsonl."""
    path = Path(run) / "metrics.jsonl"
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    except OSError as error:
        sys.exit(f"error: {path}: expected the metrics of a run, found none ({error.strerror})\n  next: name a run folder")


def accuracies(rows):
    """The names of the evaluation sets, as metrics have them, in order of appearance."""
    found = {}
    for row in rows:
        for key in row:
            parts = key.split("/")
            if len(parts) == 3 and parts[0] == "eval" and parts[2] == "acc":
                found[parts[1]] = key
    return found


def bars(values):
    """One bar a value."""
    top = max(values, default=0)
    if top <= 0:
        return BARS[0] * len(values)
    return "".join(BARS[round(value / top * (len(BARS) - 1))] for value in values)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--every", type=int, default=0)
    args = parser.parse_args()
    rows = rows_of(args.run)
    sets = accuracies(rows)
    learns = any("reward" in row for row in rows)
    print("| step |" + (" reward |" if learns else "") + "".join(f" {name} |" for name in sets))
    print("| --- |" + (" --- |" if learns else "") + " --- |" * len(sets))
    for row in rows:
        evaluated = any(key in row for key in sets.values())
        if not evaluated and not (args.every and row["step"] % args.every == 0):
            continue
        cells = [str(row["step"])]
        if learns:
            cells.append(f"{row['reward']:.3f}" if "reward" in row else "")
        cells += [f"{100 * row[key]:.1f}" if key in row else "" for key in sets.values()]
        print("| " + " | ".join(cells) + " |")
    if learns:
        rewards = [row["reward"] for row in rows if "reward" in row]
        print(f"\nreward, steps 1 to {len(rewards)}: `{bars(rewards)}` (largest {max(rewards, default=0):.3f})")


if __name__ == "__main__":
    main()
