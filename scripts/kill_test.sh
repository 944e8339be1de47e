#!/bin/sh
# Kills a GRPO run and a STaR run 40 times each (or as often as the first argument says), at every stage, and compares
# every byte with runs that were never killed. Prints how often each stage was hit.
set -eu
cd "$(dirname "$0")/.."
cargo build --locked --workspace --bins
POLESTAR_KILLS="${1:-40}" cargo test --locked --workspace --test e2e -- --nocapture killed
