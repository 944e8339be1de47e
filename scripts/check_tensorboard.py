#!/usr/bin/env python3
"""Reads a run's event files with TensorBoard's own reader and compares them with its JSONL files.

    python3 -m venv VENV && VENV/bin/pip install tensorboard
    VENV/bin/python scripts/check_tensorboard.py runs/NAME

Every value of metrics.jsonl and timings.jsonl must be in the event files, once, as the nearest 32-bit float, and the
event files must hold no scalar that the JSONL files lack. A null there is a NaN or an infinity in the event files.
Exit code 0: they agree; 1: they do not; 2: the call is wrong.
"""

import json
import math
import pathlib
import struct
import sys


def read_jsonl(run_dir):
    """{(tag, step): value or None} of both files."""
    values = {}
    for name in ("metrics.jsonl", "timings.jsonl"):
        for number, line in enumerate((run_dir / name).read_text().splitlines(), start=1):
            record = json.loads(line)
            step = record.pop("step")
            for tag, value in record.items():
                if (tag, step) in values:
                    sys.exit(f"{name}:{number}: {tag} of step {step} is there twice")
                values[tag, step] = value
    return values


def read_events(folder):
    """{(tag, step): value}, and the steps and counts of each histogram, as TensorBoard reads them."""
    from tensorboard.backend.event_processing import event_accumulator

    keep_all = {event_accumulator.SCALARS: 0, event_accumulator.HISTOGRAMS: 0}
    reader = event_accumulator.EventAccumulator(str(folder), size_guidance=keep_all)
    reader.Reload()
    scalars, problems = {}, []
    for tag in reader.Tags()["scalars"]:
        for event in reader.Scalars(tag):
            if (tag, event.step) in scalars:
                problems.append(f"{tag} of step {event.step} is in the event files twice")
            scalars[tag, event.step] = event.value
    histograms = {}
    for tag in reader.Tags()["histograms"]:
        events = reader.Histograms(tag)
        histograms[tag] = [(event.step, event.histogram_value.num) for event in events]
        for event in events:
            counted = sum(event.histogram_value.bucket)
            if counted != event.histogram_value.num:
                problems.append(f"{tag} of step {event.step}: buckets hold {counted}, num says {event.histogram_value.num}")
    return scalars, histograms, problems


def agree(expected, found):
    if expected is None:
        return not math.isfinite(found)
    try:
        nearest = struct.unpack("<f", struct.pack("<f", expected))[0]
    except OverflowError:  # Beyond the largest 32-bit float.
        nearest = math.copysign(math.inf, expected)
    return nearest == found


def main(arguments):
    if len(arguments) != 1 or not (pathlib.Path(arguments[0]) / "metrics.jsonl").is_file():
        print("usage: check_tensorboard.py RUN_DIR, a folder with metrics.jsonl and tensorboard/", file=sys.stderr)
        return 2
    run_dir = pathlib.Path(arguments[0])
    expected = read_jsonl(run_dir)
    try:
        found, histograms, problems = read_events(run_dir / "tensorboard")
    except ImportError as error:
        print(f"TensorBoard's reader is not installed ({error}): pip install tensorboard", file=sys.stderr)
        return 2
    for key in sorted(expected.keys() | found.keys()):
        tag, step = key
        if key not in found:
            problems.append(f"{tag} of step {step}: expected {expected[key]}, not in the event files")
        elif key not in expected:
            problems.append(f"{tag} of step {step}: {found[key]} in the event files, not in the JSONL files")
        elif not agree(expected[key], found[key]):
            problems.append(f"{tag} of step {step}: expected {expected[key]}, found {found[key]}")
    for problem in problems:
        print(problem, file=sys.stderr)
    print(json.dumps({"scalars": len(found), "histograms": {tag: len(h) for tag, h in histograms.items()},
                      "problems": len(problems)}))
    return 1 if problems or not found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
