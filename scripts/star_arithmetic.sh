#!/usr/bin/env bash
# STaR's own experiment in small: a model from random weights learns addition of up to five digits from its own right
# scratchpads, once with rationalization and once without, and a table shows which lengths it had learned when.
#
# usage: scripts/star_arithmetic.sh [--set key=value]...
#
#   --set key=value  changes a setting of configs/star-arithmetic.toml in both arms
#
# Both arms run side by side, each on one core. Cut off at any moment and run again it goes on where it was.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

sets=()
while [ $# -gt 0 ]; do
    case $1 in
        --set) [ $# -ge 2 ] || wrong_call "--set needs key=value"; sets+=(--set "$2"); shift 2 ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) wrong_call "$1 is no option of star_arithmetic.sh" "expected --set key=value" ;;
    esac
done
cd "$root"

base() {
    [ -f models/arithmetic-tiny/config.json ] ||
        "$polestar" init-model --config configs/models/arithmetic-tiny.json \
            --tokenizer configs/models/arithmetic-tokenizer --out models/arithmetic-tiny >/dev/null
    local recipe
    for recipe in warmup hints lengths; do
        "$polestar" train "configs/arithmetic-$recipe.toml" >/dev/null
    done
}

# arm NAME true|false
arm() {
    "$polestar" train configs/star-arithmetic.toml "${sets[@]}" --set "algorithm.rationalize=$2" \
        --run "runs/star-arithmetic-$1" >/dev/null 2>"runs/star-arithmetic-$1.log" ||
        die "the arm $1 failed" "see runs/star-arithmetic-$1.log"
}

arms() {
    local first
    mkdir -p runs
    arm with true &
    first=$!
    arm without false
    wait "$first"
}

step "set-up" "$root/scripts/setup.sh"
[ "$step_status" = 0 ] || exit "$step_status"
step "build" ensure_polestar
[ "$step_status" = 0 ] || exit "$step_status"
step "warm-up" base
[ "$step_status" = 0 ] || exit "$step_status"
step "both arms" arms
[ "$step_status" = 0 ] || exit "$step_status"
for name in with without; do
    printf '\n%s rationalization: accuracy in %% by number of digits, greedy, on sums that training never sees\n\n' "$name"
    python3 scripts/curves.py "runs/star-arithmetic-$name"
done
