#!/usr/bin/env bash
# Checks what is needed and fetches libtorch, and with --model the model of the quickstart (which needs the build).
#
# usage: scripts/setup.sh [--model]
#
# Done once; run again it does nothing. See scripts/common.sh for the variables LIBTORCH and POLESTAR_TORCH.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

with_model=0
for argument in "$@"; do
    case $argument in
        --model) with_model=1 ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) wrong_call "$argument is no option of setup.sh" "expected --model or nothing" ;;
    esac
done

check_prerequisites
ensure_libtorch
if [ $with_model = 1 ] && [ ! -f "$model/config.json" ]; then
    ensure_polestar
    ensure_model
fi
note "set up: scripts/quickstart.sh trains a small model, scripts/test.sh runs the tests, cargo build builds"
