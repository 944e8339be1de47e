#!/usr/bin/env bash
# Loads exported folders with transformers 4.57.6 and 5.23.0 and compares their logits.
#
# usage: scripts/check_export.sh [--original PATH] [--tolerance T] FOLDER...
#
# PATH is what the logits must equal (to T times max |logit|, 1e-4 unless given): a golden.json, a file written by
# check_export.py, or a model folder (its golden.json where it has one, else loaded with transformers 4.57.6). Without
# it, a FOLDER with a golden.json is compared with that, and any other FOLDER only between the two versions.
#
# The first run makes .venv-tf4 and .venv-tf5. Both take torch 2.11.0 from one place: the site-packages folder in
# POLESTAR_TORCH_SITE, else .venv-torch, which is made (5 GB).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
script=$root/scripts/check_export.py
export TRANSFORMERS_VERBOSITY=error HF_HUB_OFFLINE=1 HF_HUB_DISABLE_PROGRESS_BARS=1 TOKENIZERS_PARALLELISM=false

usage() { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

original='' tolerance=1e-4 folders=()
while [ $# -gt 0 ]; do
    case $1 in
        --original) [ $# -ge 2 ] || usage; original=$2; shift 2 ;;
        --tolerance) [ $# -ge 2 ] || usage; tolerance=$2; shift 2 ;;
        -*) usage ;;
        *) folders+=("${1%/}"); shift ;;
    esac
done
[ ${#folders[@]} -gt 0 ] || usage

site_packages() { "$1/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])'; }

torch_site() {
    if [ -n "${POLESTAR_TORCH_SITE:-}" ]; then
        echo "$POLESTAR_TORCH_SITE"
        return
    fi
    if [ ! -e "$root/.venv-torch/done" ]; then
        python3 -m venv "$root/.venv-torch"
        "$root/.venv-torch/bin/pip" install -q torch==2.11.0 numpy >&2
        touch "$root/.venv-torch/done"
    fi
    site_packages "$root/.venv-torch"
}

# make_venv NAME VERSION: transformers with its own dependencies; torch is found last, through a .pth file.
make_venv() {
    local venv=$root/$1
    [ ! -e "$venv/done-$2" ] || return 0
    echo "making $1 with transformers $2" >&2
    local torch
    torch=$(torch_site)
    python3 -m venv --clear "$venv"
    "$venv/bin/pip" install -q "transformers==$2" jinja2 >&2
    echo "$torch" >"$(site_packages "$venv")/torch-elsewhere.pth"
    "$venv/bin/python" -c "
import torch, transformers
assert transformers.__version__ == '$2', transformers.__version__
assert torch.__version__.startswith('2.11.0'), torch.__version__"
    touch "$venv/done-$2"
}

make_venv .venv-tf4 4.57.6
make_venv .venv-tf5 5.23.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# reference_of PATH: the file with the logits to compare with.
reference_of() {
    if [ -f "$1" ]; then
        echo "$1"
    elif [ -f "$1/golden.json" ]; then
        echo "$1/golden.json"
    else
        "$root/.venv-tf4/bin/python" "$script" "$1" --out "$work/original.json" >&2
        echo "$work/original.json"
    fi
}

reference=''
[ -z "$original" ] || reference=$(reference_of "$original")
failed=0
for folder in "${folders[@]}"; do
    expected=$reference
    if [ -z "$expected" ] && [ -f "$folder/golden.json" ]; then
        expected=$folder/golden.json
    fi
    tokens=()
    [ -z "$expected" ] || tokens=(--tokens "$expected")
    ran=1
    for version in 4 5; do
        "$root/.venv-tf$version/bin/python" "$script" "$folder" "${tokens[@]}" --out "$work/$version.json" || ran=0
    done
    if [ $ran = 0 ]; then
        echo "$folder: FAILED to load" >&2
        failed=1
        continue
    fi
    "$root/.venv-tf4/bin/python" "$script" --tolerance "$tolerance" \
        --compare ${expected:+"$expected"} "$work/4.json" "$work/5.json" || failed=1
done
exit $failed
