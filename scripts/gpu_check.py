"""The parts of scripts/gpu_check.sh, which finds the program and its libraries and calls this.

Each part has a share of the time; what an early part leaves is the later ones'. Nothing that fails ends the rest: each
check is one line on standard output and one entry of gpu_check.json, with status `ok`, `failed`, or `not done` where
the time ran out.
"""

import argparse
import datetime
import hashlib
import json
import math
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gpu_compare

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = ["llama", "mistral", "qwen2", "qwen3", "gemma3"]
# Seconds kept for each part when everything has 520; the last part has what is left.
SHARES = {"loading": 60, "parity": 130, "training": 120, "speed": 210}
# A program that is told to stop has this long to do so.
GRACE_S = 10

# On one CPU, f32 of other batch shapes lies up to 1e-5 apart on these models (nats).
F32_MAX = 1e-4
# bf16 has 8 bits: against f32 on one CPU these models lie 0.01 to 0.04 apart in the mean, and up to 0.2. A wrong mask or
# rotation is off by far more than any of these.
BF16_LIMITS = {"mean": 0.08, "p99": 0.3, "max": 0.8, "bias": 0.02}
# bf16 on the GPU may be no further from f32 on the CPU than bf16 on the CPU is, times this.
BF16_RATIO = 1.5


class Outcome:
    """What became of a command."""

    def __init__(self, code, out, err, seconds, cut):
        self.code, self.out, self.err, self.seconds, self.cut = code, out, err, seconds, cut

    @property
    def ok(self):
        return self.code == 0

    def why(self):
        """The last lines that it wrote, for people."""
        if self.code is None:
            return "not begun: no time was left"
        if self.cut:
            return f"stopped after {self.seconds:.0f} s, its share of the time"
        lines = [line for line in self.err.strip().splitlines() if line.strip()]
        return f"exit code {self.code}: " + " / ".join(lines[-4:])[-600:]


class Run:
    """The check as a whole: its settings, its clock, and what it has found."""

    def __init__(self, args, work):
        self.args, self.work = args, work
        self.on_gpu = args.device == "cuda"
        self.threads = (os.cpu_count() or 1) if self.on_gpu else 1
        self.preload = None
        self.start = time.monotonic()
        self.until = self.start + args.seconds
        self.found = {"format": 1, "status": "not done", "parts": {}}
        self.part = None

    def left(self):
        """Seconds left of the part at hand."""
        return self.until - time.monotonic()

    def polestar(self, *words, seconds=math.inf, env=None, preload=True):
        """Runs the program. Out of time it is asked to stop, as by Ctrl-C, then killed."""
        limit = min(self.left() - GRACE_S, seconds)
        if limit <= 0:
            return Outcome(None, "", "", 0, cut=True)
        full = {**os.environ, "LD_LIBRARY_PATH": self.args.libraries, **(env or {})}
        if not self.on_gpu:
            full |= {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1"}
        if preload and self.preload:
            full["LD_PRELOAD"] = self.preload
        start = time.monotonic()
        child = subprocess.Popen(
            [self.args.program, *map(str, words)], env=full, cwd=ROOT, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        try:
            cut = False
            try:
                out, err = child.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                cut = True
                child.send_signal(signal.SIGINT)
                try:
                    out, err = child.communicate(timeout=GRACE_S)
                except subprocess.TimeoutExpired:
                    child.kill()
                    out, err = child.communicate()
        except BaseException:
            child.kill()
            child.wait()
            raise
        return Outcome(child.returncode, out, err, time.monotonic() - start, cut)

    def check(self, name, status, text, **figures):
        """Notes a check: a line, and an entry."""
        word = {"ok": "ok      ", "failed": "FAILED  ", "not done": "NOT DONE"}[status]
        print(f"  {word} {name}: {text}", flush=True)
        self.part["checks"].append({"name": name, "status": status, "text": text, **figures})

    def done(self, name, outcome, text="", **figures):
        """Notes a command that did its work, or why it did not; whether it did."""
        status = "ok" if outcome.ok and not outcome.cut else "not done" if outcome.cut else "failed"
        self.check(name, status, text if status == "ok" else outcome.why(), seconds=outcome.seconds, **figures)
        return status == "ok"

    def write(self):
        """gpu_check.json, whole at any time."""
        self.found["seconds"] = time.monotonic() - self.start
        out = Path(self.args.out)
        out.mkdir(parents=True, exist_ok=True)
        new = out / ".gpu_check.json.new"
        parts = {"parts": self.found["parts"]}
        parts_last = {key: value for key, value in self.found.items() if key != "parts"} | parts
        new.write_text(json.dumps(finite(parts_last), indent=1) + "\n", encoding="utf-8")
        new.replace(out / "gpu_check.json")

    def do(self, name, work, kept_for_later):
        """One part: its checks, its seconds, and whatever it ran into."""
        end = self.start + self.args.seconds
        self.until = end - kept_for_later
        limit, start = max(0.0, self.left()), time.monotonic()
        print(f"{name} (up to {limit:.0f} s)", flush=True)
        self.part = self.found["parts"][name] = {"limit_s": limit, "seconds": 0, "checks": []}
        try:
            work(self)
        except Exception as error:  # noqa: BLE001 whatever it is, the other parts go on
            self.check(name, "failed", f"{type(error).__name__}: {error}")
        self.part["seconds"] = time.monotonic() - start
        self.write()


def finite(value):
    """A value for JSON: numbers that are not finite become null."""
    if isinstance(value, dict):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def output_of(*words):
    """What another program prints, or None."""
    try:
        made = subprocess.run(words, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return made.stdout.strip() if made.returncode == 0 else None


def machine(args):
    """The machine and what runs on it."""
    field = lambda text, key: next((line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(key)), None)
    cpu = Path("/proc/cpuinfo")
    version = Path(args.torch, "version.py")
    torch = re.findall(r"^(__version__|cuda)[^=]*= '([^']*)'", version.read_text() if version.exists() else "", re.M)
    about = Path(args.program).with_name("about.json")
    gpu = None
    if args.device == "cuda":
        keys = ["name", "driver_version", "memory.total", "clocks.max.sm", "power.limit"]
        line = output_of("nvidia-smi", f"--query-gpu={','.join(keys)}", "--format=csv,noheader")
        gpu = dict(zip(keys, (part.strip() for part in line.splitlines()[0].split(",")))) if line else {"name": None}
        # The program looks for one of these two before it loads CUDA's library.
        gpu["driver_files"] = [path for path in ["/proc/driver/nvidia/version", "/dev/nvidia0"] if os.path.exists(path)]
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "gpu": gpu,
        "cpu": field(cpu.read_text(), "model name") if cpu.exists() else None,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "torch": dict(torch),
        "torch_folder": args.torch,
        "program": args.program,
        "program_sha256": hashlib.sha256(Path(args.program).read_bytes()).hexdigest(),
        "program_about": json.loads(about.read_text()) if about.exists() else None,
    }


def init_model(run, config, name, *words):
    """A model with random weights in the work folder; None where it could not be made."""
    folder = run.work / name
    made = run.polestar("init-model", "--config", ROOT / "configs/models" / config, "--out", folder, "--quiet", *words, preload=False)
    if made.ok:
        return folder
    run.done(f"init-model {name}", made)
    return None


def part_loading(run):
    """Whether the program finds the GPU by itself; else whether it does with CUDA's library loaded before it."""
    model = init_model(run, "llama-small.json", "loading")
    if model is None:
        return
    pairs, out = run.work / "one.jsonl", run.work / "one-scores.jsonl"
    pairs.write_text('{"prompt": "2 + 2 = ", "response": "4"}\n', encoding="utf-8")
    score = ["score", "--quiet", "--model", model, "--device", run.args.device, "--in", pairs, "--out", out]
    alone = run.polestar(*score)
    works = run.done(f"score on {run.args.device}", alone, f"{alone.seconds:.1f} s, start and loading included")
    if run.on_gpu and not works and not alone.cut:
        run.preload = str(Path(run.args.torch, "lib", "libtorch_cuda.so"))
        if not run.done("score with LD_PRELOAD", run.polestar(*score), f"works, so all that follows runs with {run.preload}"):
            run.preload = None
    run.found["preload"] = run.preload
    told = run.polestar("doctor", "--json")
    try:
        run.found["doctor"] = doctor = json.loads(told.out)
    except ValueError:
        run.done("doctor", told, "its report is no JSON")
        return
    seen, wanted = doctor.get("num_gpus", 0), 1 if run.on_gpu else 0
    run.check("doctor", "ok" if seen >= wanted else "failed", f"sees {seen} GPUs", seconds=told.seconds)


def part_parity(run):
    """Scores and greedy generations of each family, on both devices and in both types."""
    gpu_compare.write_inputs(run.work, small=not run.on_gpu)
    cpu = [("cpu", "f32"), ("cpu", "bf16")]
    gpu = [("cuda", "f32"), ("cuda", "bf16")] if run.on_gpu else []
    models = {family: init_model(run, f"{family}-small.json", family) for family in FAMILIES}
    made = {}

    def compute(job):
        family, (device, dtype), kind = job
        name = "-".join([family, device, dtype, kind])
        words = ["--quiet", "--model", models[family], "--device", device, "--dtype", dtype, "--out", run.work / f"{name}.jsonl"]
        if device == "cpu":
            words += ["--threads", max(1, run.threads // 3)]
        if kind == "scores":
            words = ["score", *words, "--in", run.work / "pairs.jsonl"]
        else:
            new_tokens = 64 if run.on_gpu else 16
            words = ["generate", *words, "--prompts", run.work / "prompts.jsonl", "--temperature", 0]
            words += ["--max-new-tokens", new_tokens, "--ignore-eos"]
        # TensorFloat-32 keeps 10 bits of f32's 23; libtorch leaves it off, and this forbids it to the libraries below.
        made[job] = run.polestar(*words, env={"NVIDIA_TF32_OVERRIDE": "0"}, preload=device == "cuda")

    jobs = [(family, place, kind) for family in FAMILIES if models[family] for place in cpu + gpu for kind in ["scores", "generations"]]
    # One lane for the CPU, two for the GPU: starting CUDA takes longer than the work.
    with ThreadPoolExecutor(1) as cpu_lane, ThreadPoolExecutor(2) as gpu_lane:
        lanes = [(gpu_lane if job[1] in gpu else cpu_lane).submit(compute, job) for job in jobs]
    for lane in lanes:
        lane.result()
    for family in FAMILIES:
        for kind in ["scores", "generations"] if models[family] else []:
            compare_family(run, family, kind, made)


def compare_family(run, family, kind, made):
    """The checks of one family, of what was made of the same tokens."""
    compare = gpu_compare.compare_scores if kind == "scores" else gpu_compare.compare_generations
    path = lambda place: run.work / ("-".join([family, *place, kind]) + ".jsonl")
    reference = ("cpu", "f32")
    others = [("cpu", "bf16")] + ([("cuda", "f32"), ("cuda", "bf16")] if run.on_gpu else [])
    missing = [place for place in [reference, *others] if not made[(family, place, kind)].ok]
    for place in missing:
        run.done(f"{family} {kind} on {' '.join(place)}", made[(family, place, kind)])
    noise = None
    for place in [place for place in others if not {reference, place} & set(missing)]:
        against = compare(path(reference), path(place))
        name = f"{family} {kind}, {' '.join(place)} against cpu f32"
        if place == ("cpu", "bf16"):
            noise = against["mean"]
        judge(run, name, against, place, noise)
    pair = [("cpu", "bf16"), ("cuda", "bf16")]
    if run.on_gpu and not set(pair) & set(missing):
        judge(run, f"{family} {kind}, cuda bf16 against cpu bf16", compare(*map(path, pair)), pair[1], None)


def judge(run, name, found, place, noise):
    """One comparison against its limits."""
    if found["mean"] is None:
        run.check(name, "failed", "some log-probabilities are not finite", **found)
        return
    limits = {"max": F32_MAX} if place[1] == "f32" else dict(BF16_LIMITS)
    if place == ("cuda", "bf16") and noise is not None:
        limits["mean"] = min(limits["mean"], BF16_RATIO * noise + 0.002)
    over = [key for key, limit in limits.items() if abs(found[key]) > limit]
    text = f"{found['tokens']} tokens, |difference| mean {found['mean']:.1e}, p99 {found['p99']:.1e}, max {found['max']:.1e}"
    if "identical" in found:
        text += f"; {found['identical']} of {found['sequences']} sequences identical"
    if over:
        text += "; over the limit of " + ", ".join(f"{key} {limits[key]:.1e}" for key in over)
    run.check(name, "failed" if over else "ok", text, limits=limits, **found)


def plan_of(run, recipe, sets):
    """What a recipe resolves to; an empty plan where it does not."""
    told = run.polestar("train", recipe, *sets, "--dry-run", "--quiet")
    try:
        return json.loads(told.out)["plan"]
    except (ValueError, KeyError):
        return {}


def part_training(run):
    """STaR on addition in small, on the device: the warm-up by worked solutions, then the loop, then a resumed run."""
    base = init_model(run, "arithmetic-tiny.json", "arithmetic-tiny", "--tokenizer", ROOT / "configs/models/arithmetic-tokenizer")
    if base is None:
        return
    shrunk = [] if run.on_gpu else ["run.threads=1", "rollout.prompts=8", "eval.problems=2"]
    sets = lambda **keys: [
        word
        for text in [*shrunk, f"model.device={run.args.device}", *(f"{key.replace('__', '.')}={value}" for key, value in keys.items())]
        for word in ("--set", text)
    ]
    recipe = "configs/arithmetic-warmup.toml"
    plan = plan_of(run, recipe, sets(model__path=base))
    # A schedule's own warm-up must fit into the steps.
    steps = max(min(plan.get("run", {}).get("steps", 200), 200) if run.on_gpu else 4, plan.get("optimizer", {}).get("warmup", 0))
    warm, star = run.work / "warm-up", run.work / "star"
    words = ["train", recipe, *sets(model__path=base, run__steps=steps), "--run", warm, "--quiet"]
    done = trained(run, "warm-up", warm, steps, run.polestar(*words, seconds=0.45 * run.left()))
    if done == 0:
        return
    steps = 2 if run.on_gpu else 1
    words = ["train", "configs/star-arithmetic.toml", *sets(model__path=warm / "checkpoints/latest", run__steps=steps)]
    trained(run, "STaR", star, steps, run.polestar(*words, "--run", star, "--quiet", seconds=0.75 * run.left()))
    # The schedule's length follows from run.steps unless it is given, and a resumed run keeps its schedule.
    saved = json.loads((warm / "plan.json").read_text(encoding="utf-8"))
    keep = ["--set", f"optimizer.total={saved['optimizer']['total']}"] if saved["optimizer"].get("total") else []
    more = max(saved["run"]["steps"], done + 2)
    resumed = run.polestar("resume", warm, "--set", f"run.steps={more}", *keep, "--quiet")
    trained(run, "resumed warm-up", warm, more, resumed, done)


def rows_of(path):
    """The records of a JSONL file; none where it is not there."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def trained(run, name, folder, wanted, outcome, before=0):
    """Notes a training run, cut off or not, that had done `before` steps; gives the steps that it has now."""
    metrics, timings = rows_of(folder / "metrics.jsonl"), rows_of(folder / "timings.jsonl")
    steps = metrics[-1]["step"] if metrics else 0
    losses = [row["loss"] for row in metrics if row.get("loss") is not None]
    last = lambda rows, start: {key: value for row in rows for key, value in row.items() if key.startswith(start)}
    figures = {
        "steps": steps,
        "steps_wanted": wanted,
        "step_time_s": [row.get("step_time") for row in timings][-8:],
        "losses": [losses[0], losses[-1]] if losses else None,
        "reward": [row["reward"] for row in metrics if row.get("reward") is not None],
        "evals": last(metrics, "eval/"),
        "rates": last(timings, "perf/"),
        "seconds": outcome.seconds,
    }
    bad = [row["step"] for row in metrics if "loss" in row and row.get("update/num_steps", 0) > 0 and row["loss"] is None]
    if outcome.code not in (0, 75) and not outcome.cut:
        run.check(name, "failed", outcome.why(), **figures)
    elif bad:
        run.check(name, "failed", f"the loss of step {bad[0]} is not finite", **figures)
    elif steps <= before or (outcome.code == 0 and steps < wanted):
        run.check(name, "not done", outcome.why() if outcome.cut else f"only {steps} of {wanted} steps", **figures)
    else:
        text = f"{steps} of {wanted} steps in {outcome.seconds:.0f} s"
        text += "" if steps >= wanted else " (the time ran out)"
        text += f", loss {losses[0]:.3f} to {losses[-1]:.3f}" if losses else ", nothing to learn from"
        text += "".join(f", {key} {value:.3f}" for key, value in sorted(figures["evals"].items()) if key.endswith("/acc"))
        run.check(name, "ok", text, **figures)
    return steps


def part_speed(run):
    """The benches: sampling, learning, a whole step, in both types; and a verifier."""
    if run.on_gpu:
        model = init_model(run, "bench-0.5b.json", "bench-0.5b", "--dtype", "bf16")
        large, small = (32, 8, 256), (16, 8, 128)
    else:
        model = init_model(run, "llama-small.json", "bench-tiny")
        large = small = (2, 2, 16)
    for dtype, (limit, n, new_tokens) in [("bf16", large), ("f32", small)] if model else []:
        for what in ["rollout", "update", "step"]:
            words = ["bench", what, "--quiet", "--model", model, "--device", run.args.device, "--dtype", dtype, "--limit", limit]
            words += ["--n", n, "--new-tokens", new_tokens, "--ignore-eos", "--json"]
            words += [] if run.on_gpu else ["--threads", 1]
            bench(run, f"bench {what} {dtype}", run.polestar(*words, seconds=75))
    responses = run.work / "responses.jsonl"
    line = lambda i: {"id": i, "reference": str(i % 90 + 7), "response": f"{i % 90} + 7 makes {i % 90 + 7}.\n#### {i % 90 + i % 2 + 7}"}
    responses.write_text("".join(json.dumps(line(i)) + "\n" for i in range(2000 if run.on_gpu else 100)), encoding="utf-8")
    bench(run, "bench verify math", run.polestar("bench", "verify", "--verifier", "math", "--in", responses, "--json", "--quiet", seconds=30))


def bench(run, name, outcome):
    """Notes one measurement with all that it tells."""
    figures = {}
    if outcome.ok:
        figures = json.loads(outcome.out)
    rate = f"{figures['tokens_per_s']:,.0f} tokens/s" if figures.get("tokens_per_s") else f"{figures.get('verdicts_per_s', 0):,.0f} verdicts/s"
    peak = f", peak {figures['peak_bytes'] / 1e9:.2f} GB" if figures.get("peak_bytes") else ""
    run.done(name, outcome, f"{rate} over {figures.get('seconds', 0):.2f} s{peak}", figures=figures)


PARTS = {"loading": part_loading, "parity": part_parity, "training": part_training, "speed": part_speed}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--libraries", required=True, help="LD_LIBRARY_PATH for the program")
    parser.add_argument("--torch", required=True, help="the folder of the libtorch in use")
    parser.add_argument("--device", required=True, choices=["cpu", "cuda"])
    parser.add_argument("--out", required=True, help="the folder for gpu_check.json")
    parser.add_argument("--seconds", type=float, default=520)
    parser.add_argument("--parts", type=lambda text: text.split(","), default=list(PARTS))
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"--parts: expected some of {', '.join(PARTS)}, found {', '.join(sorted(unknown))}")
    return args


def stop(*_):
    raise KeyboardInterrupt


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, stop)
    with tempfile.TemporaryDirectory(prefix="polestar-gpu-check-", ignore_cleanup_errors=True) as work:
        run = Run(args, Path(work))
        run.found |= {"device": args.device, "seconds_allowed": args.seconds, **machine(args)}
        gpu = run.found["gpu"]
        print(f"{gpu['name'] if gpu else run.found['cpu']}, driver {gpu.get('driver_version') if gpu else 'none'}, "
              f"torch {run.found['torch'].get('__version__')}, {run.found['cores']} cores, {run.found['date']}", flush=True)
        if gpu and not gpu["driver_files"]:
            print("  neither /proc/driver/nvidia/version nor /dev/nvidia0 is there: the program will not look for a GPU", flush=True)
        stopped = False
        try:
            names = [name for name in PARTS if name in args.parts]
            for index, name in enumerate(names):
                run.do(name, PARTS[name], sum(SHARES[later] for later in names[index + 1:]) * args.seconds / sum(SHARES.values()))
        except KeyboardInterrupt:
            stopped = True
        checks = [(part, check) for part, found in run.found["parts"].items() for check in found["checks"]]
        bad = [f"{part}: {check['name']}" for part, check in checks if check["status"] != "ok"]
        run.found["status"] = "stopped" if stopped else "failed" if bad else "ok"
        run.write()
    seconds = run.found["seconds"]
    print(f"everything in {Path(args.out) / 'gpu_check.json'}")
    if bad or stopped or not checks:
        print(f"FAILED or not done, {len(bad)} of {len(checks)} checks in {seconds:.0f} s:" if bad else f"stopped after {seconds:.0f} s")
        for name in bad:
            print(f"  {name}")
        sys.exit(1)
    print(f"all {len(checks)} checks passed in {seconds:.0f} s")


if __name__ == "__main__":
    main()
