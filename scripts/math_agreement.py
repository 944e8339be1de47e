"""Compares the verifier `math` with Math-Verify, and both with what is known, on thousands of pairs.

usage: python scripts/math_agreement.py --out FOLDER [--data FOLDER] [--polestar-verify PATH]
                                        [--seed 1] [--per-class 45] [--jobs 2] [--bench N]

Runs under any Python that has math-verify 0.9 with an antlr extra (`pip install "math-verify[antlr4_13_2]"`; 4.13.2 of
antlr4-python3-runtime). --data holds MATH and GSM8K (math/train_4500.jsonl.gz, math/math500.jsonl.gz,
gsm8k/train.jsonl.gz); by default $POLESTAR_SHARED/data or ../shared/data.

The pairs are made by scripts/math_pairs.py, with their truth by construction. In FOLDER:

  pairs.jsonl           the pairs
  peer.jsonl            Math-Verify's verdict and seconds for each; kept, so that comparing again takes seconds
  ours.jsonl            polestar-verify's, with --polestar-verify
  disagreements.jsonl   the pairs on which one of the two does not say the truth
  summary.md            the same for people, sorted by class
  bench.json            with --bench N: verdicts a second of both on the same N pairs, each in one process

Pairs and verdicts are made again where the seed, the number per class or the generator changes. Nothing of the data
may be committed.
"""

import argparse
import hashlib
import json
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIMIT_S = 15.0  # for one pair; Math-Verify's own limits are 5 s for each of reading twice and comparing


def read_lines(path):
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line) for line in lines]


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


# ---------------------------------------------------------------------------------------------------- Math-Verify


def peer_verdict(gold, response):
    """Math-Verify as trainers call it: the reference in a box, everything else by default."""
    from math_verify import parse, verify

    return bool(verify(parse(f"\\boxed{{{gold}}}"), parse(response)))


def worker():
    """Judges lines on stdin, one line out for each; signals need a main thread, so that each worker is a process."""
    import logging

    logging.disable(logging.CRITICAL)
    peer_verdict("1", "\\boxed{1}")
    for line in sys.stdin:
        pair = json.loads(line)
        start = time.perf_counter()
        try:
            verdict = peer_verdict(pair["gold"], pair["response"])
        except Exception as error:  # whatever it is, it is its answer
            verdict = f"error: {type(error).__name__}"
        seconds = time.perf_counter() - start
        print(json.dumps({"id": pair["id"], "verdict": verdict, "seconds": seconds}), flush=True)


def start_worker():
    command = [sys.executable, __file__, "--worker"]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def ask(process, pair):
    """The worker's answer, or none where its time was up or it died; it is dead then."""
    timer = threading.Timer(LIMIT_S, process.kill)
    timer.start()
    try:
        process.stdin.write(json.dumps(pair) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = ""
    finally:
        timer.cancel()
    return json.loads(line) if line else None


def judge_by_peer(pairs, jobs):
    todo, done = queue.SimpleQueue(), {}
    for pair in pairs:
        todo.put(pair)

    def run():
        process = start_worker()
        while True:
            try:
                pair = todo.get_nowait()
            except queue.Empty:
                break
            answer = ask(process, pair)
            if answer is None:
                process.kill()
                process.wait()
                process = start_worker()
                answer = {"id": pair["id"], "verdict": "hung or died", "seconds": LIMIT_S}
            done[pair["id"]] = answer
        process.stdin.close()
        process.wait()

    threads = [threading.Thread(target=run) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [done[pair["id"]] for pair in pairs]


# ---------------------------------------------------------------------------------------------------- ours


def our_command(binary, jobs):
    return [binary, "--verifier", "math", "--jobs", str(jobs)]


def our_input(pairs):
    lines = ({"id": pair["id"], "reference": pair["gold"], "response": pair["response"]} for pair in pairs)
    return "".join(json.dumps(line) + "\n" for line in lines)


def judge_by_ours(pairs, binary):
    """The verdicts; exit code 1 says that some references could not be read, which their lines say as well."""
    run = subprocess.run(our_command(binary, 1), input=our_input(pairs), capture_output=True, text=True, check=False)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode not in (0, 1) or len(rows) != len(pairs):
        raise SystemExit(f"{binary}: exit code {run.returncode}, {len(rows)} lines of {len(pairs)}: {run.stderr[:500]}")
    for row in rows:
        row["verdict"] = bool(row["score"]) if row["score"] is not None else row["kind"]
    return rows


# ---------------------------------------------------------------------------------------------------- comparing


def times(seconds):
    ordered = sorted(seconds)
    at = lambda share: ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return {
        "mean_ms": 1e3 * statistics.fmean(ordered),
        "p50_ms": 1e3 * at(0.5),
        "p99_ms": 1e3 * at(0.99),
        "max_ms": 1e3 * ordered[-1],
    }


def cell(text, length=90):
    text = " ".join(str(text).split())
    text = text if len(text) <= length else text[: length - 2] + ".."
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"


def summary(rows, judges):
    """The table by class, and all disagreements."""
    out = [
        "# Agreement on mathematical answers",
        "",
        f"{len(rows)} pairs, {sum(r['truth'] for r in rows)} of them right.",
        "",
    ]
    for judge in judges:
        right = sum(row[judge] == row["truth"] for row in rows)
        false_right = sum(row[judge] is True and not row["truth"] for row in rows)
        t = times([row[f"{judge}_seconds"] for row in rows])
        out.append(
            f"* {judge}: {right} as constructed ({100 * right / len(rows):.2f} %), "
            f"{false_right} wrong answers taken for right, "
            f"{len(rows) - right - false_right} right ones refused; mean {t['mean_ms']:.3f} ms, "
            f"p50 {t['p50_ms']:.3f}, p99 {t['p99_ms']:.3f}, at most {t['max_ms']:.1f}"
        )
    out += ["", "| class | pairs | " + " | ".join(f"{judge} as constructed" for judge in judges) + " |"]
    out.append("| --- |" + " --- |" * (1 + len(judges)))
    classes = defaultdict(list)
    for row in rows:
        classes[row["class"]].append(row)
    for name, group in sorted(classes.items()):
        shares = " | ".join(str(sum(row[judge] == row["truth"] for row in group)) for judge in judges)
        out.append(f"| {name} | {len(group)} | {shares} |")
    for judge in reversed(judges):
        out += [
            "",
            f"## Not as constructed: {judge}",
            "",
            "| id | class | truth | " + " | ".join(judges) + " | gold | response |",
        ]
        out.append("| --- |" * 1 + " --- |" * (4 + len(judges)))
        for row in rows:
            if row[judge] != row["truth"]:
                verdicts = " | ".join(str(row[j]) for j in judges)
                out.append(
                    f"| {row['id']} | {row['class']} | {row['truth']} | {verdicts} "
                    f"| {cell(row['gold'])} | {cell(row['made'])} |"
                )
    return "\n".join(out) + "\n"


def bench(pairs, binary):
    """Verdicts a second of both on the same pairs, each in one process, one after the other."""
    process = start_worker()
    ask(process, {"id": -1, "gold": "1", "response": "\\boxed{1}"})
    start = time.perf_counter()
    num_hung = 0
    for pair in pairs:
        if ask(process, pair) is None:
            num_hung += 1
            process = start_worker()
    peer_s = time.perf_counter() - start
    process.stdin.close()
    process.wait()
    text, runs = our_input(pairs), 20
    subprocess.run(our_command(binary, 1), input=text, capture_output=True, text=True, check=False)
    start = time.perf_counter()
    subprocess.run(our_command(binary, 1), input=text * runs, capture_output=True, text=True, check=False)
    ours_s = (time.perf_counter() - start) / runs
    n = len(pairs)
    return {
        "pairs": n,
        "math_verify": {"seconds": peer_s, "verdicts_per_s": n / peer_s, "hung": num_hung, "processes": 1},
        "polestar_verify": {"seconds": ours_s, "verdicts_per_s": n / ours_s, "jobs": 1, "with_start_and_json": True},
        "times_faster": peer_s / ours_s,
    }


def cached(path, key, rows_of):
    """The rows of a file made for this key, else made now."""
    stamp = path.with_suffix(".key")
    if not (path.exists() and stamp.exists() and stamp.read_text() == key):
        write_lines(path, rows_of())
        stamp.write_text(key)
    return read_lines(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("POLESTAR_SHARED", HERE.parent.parent / "shared"))
    parser.add_argument("--data", type=Path, default=shared / "data" if (shared / "data").is_dir() else shared)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--polestar-verify", metavar="PATH")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-class", type=int, default=45)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--bench", type=int, default=0, metavar="N")
    args = parser.parse_args()
    if not (args.data / "math").is_dir():
        raise SystemExit(f"{args.data}: no folder math/ there; expected the benchmark data, see --data")
    args.out.mkdir(parents=True, exist_ok=True)

    import math_pairs

    files = [HERE / "math_pairs.py", HERE / "math_reading.py"]
    generator = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    key = f"{args.seed} {args.per_class} {generator}"
    pairs = cached(args.out / "pairs.jsonl", key, lambda: math_pairs.make(args.data, args.seed, args.per_class))
    known = {(row["gold"], row["response"]): row for row in peer_cache(args.out)}
    missing = [pair for pair in pairs if (pair["gold"], pair["response"]) not in known]
    for pair, row in zip(missing, judge_by_peer(missing, args.jobs)):
        known[pair["gold"], pair["response"]] = {"gold": pair["gold"], "response": pair["response"], **row}
    write_lines(args.out / "peer.jsonl", known.values())

    judges = ["math-verify"]
    for pair in pairs:
        row = known[pair["gold"], pair["response"]]
        pair["math-verify"], pair["math-verify_seconds"] = row["verdict"], row["seconds"]
    if args.polestar_verify:
        judges.append("polestar")
        ours = judge_by_ours(pairs, args.polestar_verify)
        write_lines(args.out / "ours.jsonl", ours)
        for pair, row in zip(pairs, ours):
            pair["polestar"], pair["polestar_seconds"] = row["verdict"], row["ms"] / 1e3
            pair["polestar_reason"] = row["reason"]
    odd = [pair for pair in pairs if any(pair[judge] != pair["truth"] for judge in judges)]
    write_lines(args.out / "disagreements.jsonl", sorted(odd, key=lambda pair: pair["class"]))
    text = summary(pairs, judges)
    (args.out / "summary.md").write_text(text, encoding="utf-8")
    print(text.split("\n| class")[0])
    if args.bench:
        if not args.polestar_verify:
            raise SystemExit("--bench compares with polestar-verify: give its path with --polestar-verify")
        result = bench(pairs[:: max(1, len(pairs) // args.bench)][: args.bench], args.polestar_verify)
        (args.out / "bench.json").write_text(json.dumps(result, indent=2) + "\n")
        print(json.dumps(result, indent=2))


def peer_cache(out):
    return read_lines(out / "peer.jsonl") if (out / "peer.jsonl").exists() else []


if __name__ == "__main__":
    worker() if sys.argv[1:] == ["--worker"] else main()
