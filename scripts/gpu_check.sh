#!/usr/bin/env bash
# Answers on a machine with an NVIDIA GPU what no other machine can: whether Polestar computes there what it computes on a
# CPU, whether it trains there, and how fast. Needs no Rust and no network: Python 3.10 or newer with torch 2.11.0 (for
# CUDA), and the program, either built there or packed elsewhere by scripts/pack_for_gpu.sh.
#
# usage: scripts/gpu_check.sh [--cpu] [--seconds N] [--parts NAME,...]
#
#   --cpu        a rehearsal without a GPU: tiny sizes, f32 against bf16 on one CPU thread, about a minute
#   --seconds N  the time for everything, 520 unless given; what does not fit is left out and told
#   --parts      some of: loading, parity, training, speed
#
# Results: lines on standard output, and everything in OUT/gpu_check.json, which is written anew after each part. Exit
# code 0 where all checks passed, 1 where one failed or did not get done, 2 where the call is wrong.
#
# OUT       the folder for gpu_check.json, runs/gpu-check unless set
# LIBTORCH  the libtorch to run with; unless set, the torch that python3 (or .venv's python) finds
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

device=cuda
options=()
while [ $# -gt 0 ]; do
    case $1 in
        --cpu) device=cpu; shift ;;
        --seconds | --parts) [ $# -ge 2 ] || wrong_call "$1 needs a value"; options+=("$1" "$2"); shift 2 ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) wrong_call "$1 is no option of gpu_check.sh" "expected --cpu, --seconds N or --parts NAME,..." ;;
    esac
done
cd "$root"
command -v python3 >/dev/null || die "python3 is missing" "install Python 3.10 or newer"

# torch_of PYTHON: the folder of the torch that it finds. Nothing is imported: a wheel without its requirements will do.
torch_of() {
    "$1" - 2>/dev/null <<'PYTHON' || true
import importlib.util
found = importlib.util.find_spec("torch")
print(found.submodule_search_locations[0] if found and found.submodule_search_locations else "")
PYTHON
}

torch=${LIBTORCH:-}
for python in python3 "$venv/bin/python"; do
    [ -z "$torch" ] || break
    torch=$(torch_of "$python")
done
[ -n "$torch" ] || die "no torch was found" "pip install torch==$torch_version, or set LIBTORCH to a libtorch $torch_version"
torch=$(cd "$torch" && pwd -P)
check_libtorch "$torch" "torch"

program=$root/gpu-pack/polestar
[ -f "$program" ] || program=$polestar
[ -f "$program" ] ||
    die "expected the program in gpu-pack/polestar or $polestar, found neither" "scripts/pack_for_gpu.sh where it is built, and copy gpu-pack/ here; or cargo build -p polestar"
[ -x "$program" ] || chmod +x "$program"

# What the rpath of a build elsewhere cannot know. The driver's own folder may already be on the path, so that stays.
libraries=$torch/lib
for folder in "$root/gpu-pack/lib" "$(dirname "$torch")"/nvidia/*/lib; do
    [ ! -d "$folder" ] || libraries=$libraries:$folder
done
libraries=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
LD_LIBRARY_PATH=$libraries "$program" --version >/dev/null ||
    die "$program does not start with the libraries in $libraries" "compare about.json beside it (glibc, libstdc++, torch) with this machine"

if [ "$device" = cuda ]; then
    has_nvidia || die "no NVIDIA driver was found" "run this where there is a GPU, or rehearse with --cpu"
    [ -e "$torch/lib/libtorch_cuda.so" ] ||
        die "expected libtorch_cuda.so in $torch/lib, found none: this torch is for CPUs" "pip install torch==$torch_version, which brings CUDA's libraries"
fi
exec python3 "$root/scripts/gpu_check.py" --program "$program" --libraries "$libraries" --torch "$torch" \
    --device "$device" --out "${OUT:-$root/runs/gpu-check}" "${options[@]}"
