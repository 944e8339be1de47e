#!/usr/bin/env bash
# From a fresh clone to a model that learned: sets up, builds, fetches SmolLM2-135M-Instruct, trains it on generated word
# problems on the CPU at hand (configs/word-problems-quickstart.toml), and shows what it could before and after.
#
# usage: scripts/quickstart.sh [--seed N] [--fresh] [--set key=value]...
#
#   --seed N         the run's seed, 0 unless given; the run folder is runs/quickstart-seedN
#   --fresh          removes that run folder first
#   --set key=value  changes a setting of the recipe, for instance --set run.steps=2
#
# Cut off at any moment and run again it goes on where it was; run again after the end it shows the result again.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

seed=0 fresh=0 sets=()
while [ $# -gt 0 ]; do
    case $1 in
        --seed) [ $# -ge 2 ] || wrong_call "--seed needs a number"; seed=$2; shift 2 ;;
        --set) [ $# -ge 2 ] || wrong_call "--set needs key=value"; sets+=(--set "$2"); shift 2 ;;
        --fresh) fresh=1; shift ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) wrong_call "$1 is no option of quickstart.sh" "expected --seed N, --fresh or --set key=value" ;;
    esac
done
case $seed in
    '' | *[!0-9]*) wrong_call "--seed: expected a whole number from 0, found '$seed'" ;;
esac

recipe=configs/word-problems-quickstart.toml
run=runs/quickstart-seed$seed
cd "$root"

# Whether the run has done all its steps.
finished() {
    [ -f "$run/checkpoints/latest/state.json" ] && [ -f "$run/plan.json" ] && python3 - "$run" <<'PYTHON'
import json, sys
read = lambda name: json.load(open(f"{sys.argv[1]}/{name}"))
sys.exit(read("checkpoints/latest/state.json")["step"] < read("plan.json")["run"]["steps"])
PYTHON
}

train() {
    finished || need_space 6 "the run's checkpoints"
    "$polestar" train "$recipe" --set "run.seed=$seed" "${sets[@]}" --run "$run" >/dev/null
}

times=()
# timed NAME COMMAND...: a step whose time the last line tells, and whose failure ends the quickstart.
timed() {
    step "$@"
    times+=("$1 $(pretty_seconds "$step_seconds")")
    [ "$step_status" = 0 ] || {
        [ "$step_status" != 75 ] || note "the same command goes on where it was"
        exit "$step_status"
    }
}

timed "set-up" "$root/scripts/setup.sh"
timed "build" ensure_polestar
timed "model" ensure_model
if [ $fresh = 1 ]; then
    rm -rf "$run"
fi
if [ ${#sets[@]} = 0 ] && finished; then
    say "$run is finished; here is its report. --fresh trains anew"
else
    timed "training" train
fi
"$polestar" report "$run"
summary=$(printf '%s, ' "${times[@]}")
say "${summary%, }"
