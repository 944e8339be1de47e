"""Measures `polestar-verify --verifier lean` on this machine: proofs a second with one and two workers, warm against cold.

usage: python3 scripts/lean_bench.py --lean LEAN [--binary target/release/polestar-verify] [--n 200] [--rounds 3]
       [--set key=value ...] >bench.json

LEAN is a `lean` binary, as scripts/bare_lean.sh makes one. The proofs are generated: equations of natural numbers, half of
them proved rightly and half not, no two alike, so that no verdict is remembered. `warm` loads the state after the imports
from memory, `cold` imports anew. Rounds of all arms take turns, and the best of each counts. The time of a run without
proofs, which has the start of the program, of the sandbox and of the statements, is taken off.

`bare` is the time of the `lean` command alone on the same files, one after the other, without a sandbox and unchecked.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

NUM_STATEMENTS = 10


def requests(n):
    """Lines for the verifier: few statements, for each many proofs."""
    lines = []
    for i in range(n):
        a = i % NUM_STATEMENTS
        statement = "theorem target_%d (n : Nat) (h : n = %d) : n + %d = %d" % (a, a, a, 2 * a)
        # Every proof is a text of its own.
        right = "-- proof %d\nEq.subst (motive := fun m => n + %d = m + %d) h rfl" % (i, a, a)
        wrong = "-- proof %d\nEq.subst (motive := fun m => n + %d = m) h rfl" % (i, a)
        proof = right if i // NUM_STATEMENTS % 2 == 0 else wrong
        reference = {"name": "target_%d" % a, "statement": statement}
        lines.append({"id": str(i), "reference": reference, "response": "```lean\n%s\n```" % proof})
    return lines


def judge(arguments, lines, jobs, settings):
    """Seconds for these lines, and the verdicts."""
    command = [arguments.binary, "--verifier", "lean", "--jobs", str(jobs), "--set", "command=" + arguments.lean]
    for setting in settings + arguments.set:
        command += ["--set", setting]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    start = time.perf_counter()
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit("polestar-verify ended with exit code %d:\n%s" % (done.returncode, done.stderr[-2000:]))
    verdicts = [json.loads(line) for line in done.stdout.splitlines()]
    return seconds, verdicts


def bare(arguments, lines):
    """Seconds of the command alone."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for line in lines:
            path = pathlib.Path(folder) / (line["id"] + ".lean")
            proof = line["response"].split("\n", 1)[1].rsplit("\n", 1)[0]
            path.write_text(line["reference"]["statement"] + " :=\n" + proof + "\n", encoding="utf-8")
            files.append(path)
        start = time.perf_counter()
        for path in files:
            output = ["-o", str(path.with_suffix(".olean"))]
            subprocess.run([arguments.lean, "--json", *output, str(path)], capture_output=True, check=False)
        return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lean", required=True)
    parser.add_argument("--binary", default="target/release/polestar-verify")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[])
    arguments = parser.parse_args()
    arguments.lean = str(pathlib.Path(arguments.lean).resolve())
    lines = requests(arguments.n)
    arms = {
        "%s_%d" % (name, jobs): (jobs, ["warm=" + warm])
        for name, warm in (("warm", "true"), ("cold", "false")) for jobs in (1, 2)
    }
    best = {}
    counts = None
    for _ in range(arguments.rounds):
        for name, (jobs, settings) in arms.items():
            start, _ = judge(arguments, lines[:NUM_STATEMENTS], jobs, settings)
            seconds, verdicts = judge(arguments, lines, jobs, settings)
            rate = (len(lines) - NUM_STATEMENTS) / (seconds - start)
            best[name] = max(best.get(name, 0.0), rate)
            found = {}
            for verdict in verdicts:
                kind = verdict.get("kind", verdict["verdict"])
                found[kind] = found.get(kind, 0) + 1
            if counts is not None and counts != found:
                sys.exit("the verdicts differ from run to run: %s and %s" % (counts, found))
            counts = found
        seconds = bare(arguments, lines)
        best["bare"] = max(best.get("bare", 0.0), len(lines) / seconds)
    report = {"proofs": len(lines), "verdicts": counts, "proofs_per_s": {name: round(rate, 2) for name, rate in best.items()}}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
