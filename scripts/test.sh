#!/usr/bin/env bash
# Everything that must hold before a change lands: format, scripts, lints, documentation, all tests.
#
# usage: scripts/test.sh
#
# Needs what scripts/setup.sh needs; cargo-nextest is used where it is installed. Tests that lack something (benchmark
# data, a GPU) pass and say so; they are listed at the end. Under CI=true a skip is a failure unless what it lacks cannot
# be installed.
#
# POLESTAR_SHARED  the folder of benchmark data (gsm8k/ and others), ../shared/data unless set
# shellcheck disable=SC2317 # the steps are called by name, through check and need
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# = 0 ] || wrong_call "test.sh takes no arguments, found: $*" "run cargo test yourself for a part of the tests"
cd "$root"

tools=$root/.venv-test
# A skip for one of these reasons is no failure in CI: what they lack cannot be installed there.
allowed_skips='POLESTAR_SHARED|no GPU|no Lean with its own library|forbids mounting in a user namespace|this machine forbids|cgroup|only root can become'
trl_version=1.16.0
jinja2_version=3.1.6
reasoning_gym_version=0.1.25
pytest_version=9.2.0

ci=0
if [ "${CI:-}" = true ]; then
    ci=1
    # A clean clone is built once; incremental state would only be written.
    export CARGO_INCREMENTAL=0
fi
if [ -z "${POLESTAR_SHARED:-}" ] && [ -d "$root/../shared/data" ]; then
    POLESTAR_SHARED=$(cd "$root/../shared/data" && pwd)
    export POLESTAR_SHARED
fi
export POLESTAR_SMOLLM2=$model POLESTAR_TRL_GOLDENS=$tools/trl-goldens
reasoning_gym_python=$tools/bin/python
code_python=$tools/code/bin/python3
logs=${CARGO_TARGET_DIR:-$root/target}/test-logs
junit=${CARGO_TARGET_DIR:-$root/target}/nextest/default/junit.xml
rm -rf "$logs" "$junit"
mkdir -p "$logs"

failed=()
# check NAME COMMAND...: a step whose failure is told at the end, after the others have run.
check() {
    step "$@"
    [ "$step_status" = 0 ] || failed+=("$1")
}
# need NAME COMMAND...: a step that the rest cannot do without.
need() {
    check "$@"
    [ "$step_status" = 0 ] || finish
}

scripts_parse() {
    local file
    for file in scripts/*.sh .ci/run; do
        bash -n "$file"
    done
    python3 - scripts/*.py <<'PYTHON'
import ast, pathlib, sys
for name in sys.argv[1:]:
    ast.parse(pathlib.Path(name).read_text(encoding="utf-8"), name)
PYTHON
}

# Chat templates rendered by Python's jinja2: the committed goldens are those, and trl's are made here.
template_goldens() {
    local mark=$tools/made wanted
    wanted="jinja2 $jinja2_version trl $trl_version $(cat scripts/golden_templates.py tests/golden/templates/cases.json | sha256sum)"
    if [ "$(cat "$mark" 2>/dev/null)" != "$wanted" ] || ! "$tools/bin/python" -c 'import jinja2' 2>/dev/null; then
        rm -rf "$tools"
        python3 -m venv "$tools"
        "$tools/bin/python" -m pip install --quiet --disable-pip-version-check "jinja2==$jinja2_version" >&2
        "$tools/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$tools/cache" "trl==$trl_version" >&2
        "$tools/bin/python" scripts/golden_templates.py --out "$POLESTAR_TRL_GOLDENS" --trl-wheel "$tools/cache/trl-$trl_version-py3-none-any.whl" >&2
        echo "$wanted" >"$mark"
    fi
    "$tools/bin/python" scripts/golden_templates.py --check
}

# A Python with the package that an example of a verifier wraps; the tests judge with it.
reasoning_gym() {
    if [ "$("$reasoning_gym_python" -c 'import importlib.metadata as m; print(m.version("reasoning-gym"))' 2>/dev/null)" != "$reasoning_gym_version" ]; then
        "$tools/bin/python" -m pip install --quiet --disable-pip-version-check "reasoning-gym==$reasoning_gym_version" >&2
    fi
    "$reasoning_gym_python" -c 'import reasoning_gym'
}

# A Python with pytest, for solutions that pytest files judge. The system's own where there is one: the tests use it as a
# user without rights too, who cannot look into a home folder.
code_python() {
    local system=/usr/bin/python3
    [ -x "$system" ] || system=$(command -v python3)
    if [ "$("$code_python" -c 'import pytest; print(pytest.__version__)' 2>/dev/null)" != "$pytest_version" ]; then
        rm -rf "$tools/code"
        "$system" -m venv --without-pip "$tools/code"
        "$tools/bin/python" -m pip install --quiet --disable-pip-version-check "pytest==$pytest_version" \
            --target "$("$code_python" -c 'import site; print(site.getsitepackages()[0])')" >&2
    fi
    "$code_python" -c 'import pytest'
}

# A Lean without its library, for proofs.
bare_lean() {
    scripts/bare_lean.sh "$tools/lean"
}

# Compiles every test and the two binaries, so that the steps after it have nothing left to build.
build() {
    if command -v cargo-nextest >/dev/null; then
        cargo nextest run --locked --workspace --config-file scripts/nextest.toml --no-run
    else
        cargo test --locked --workspace --no-run
    fi
    cargo build --locked --workspace --bins
}

run_tests() {
    if command -v cargo-nextest >/dev/null; then
        cargo nextest run --locked --workspace --config-file scripts/nextest.toml
    else
        # --show-output: what a passing test prints may be why it was skipped.
        cargo test --locked --workspace --no-fail-fast --lib --bins --tests -- --show-output 2>&1 | tee "$logs/tests.txt"
    fi
}

doc_tests() {
    cargo test --locked --doc -p polestar-data -p polestar-verifiers -- --show-output 2>&1 | tee "$logs/doc-tests.txt"
}

# From what the runners wrote: skips.txt with a line for each skip, and one line on standard output: passed, failed and
# skipped tests. A skipped test passes for its runner and not here.
count_tests() {
    python3 - "$logs" "$junit" <<'PYTHON'
import pathlib, re, sys
import xml.etree.ElementTree as xml
logs, junit = map(pathlib.Path, sys.argv[1:])
passed = failed = 0
texts = [path.read_text(encoding="utf-8", errors="replace") for path in sorted(logs.glob("*.txt"))]
for text in texts:
    for ok, bad in re.findall(r"^test result: .* (\d+) passed; (\d+) failed", text, re.M):
        passed, failed = passed + int(ok), failed + int(bad)
if junit.exists():
    for case in xml.parse(junit).iter("testcase"):
        bad = any(part.tag in ("failure", "error") for part in case)
        passed, failed = passed + (not bad), failed + bad
        texts += [part.text or "" for part in case.iter() if part.tag in ("system-out", "system-err")]
skips = sorted({skip.strip() for text in texts for skip in re.findall(r"^\s*skipped: (.+)$", text, re.M | re.I)})
(logs / "skips.txt").write_text("".join(f"{skip}\n" for skip in skips), encoding="utf-8")
print(passed - len(skips), failed, len(skips))
PYTHON
}

# Lists skips and failures, prints the closing line, and ends with the right status.
finish() {
    local passed bad skipped refused
    read -r passed bad skipped < <(count_tests)
    if [ "$skipped" -gt 0 ]; then
        say "skipped for lack of something:"
        sed 's/^/    /' "$logs/skips.txt" >&2
        refused=$(grep -Ev "$allowed_skips" "$logs/skips.txt" || true)
        if [ $ci = 1 ] && [ -n "$refused" ]; then
            failed+=("skips: what these lack can be installed, so in CI they must run: ${refused//$'\n'/; }")
        fi
    fi
    if [ ${#failed[@]} -gt 0 ]; then
        say "FAILED:"
        printf '    %s\n' "${failed[@]}" >&2
    fi
    say "everything took $(pretty_seconds $SECONDS)"
    echo "tests: $passed passed, $bad failed, $skipped skipped"
    [ ${#failed[@]} = 0 ] && [ "$bad" = 0 ] && [ "$passed" -gt 0 ]
    exit
}

need "set-up" scripts/setup.sh
check "format" cargo fmt --all --check
check "scripts parse" scripts_parse
check "template goldens" template_goldens
check "reasoning-gym" reasoning_gym
[ "$step_status" != 0 ] || export POLESTAR_REASONING_GYM_PYTHON=$reasoning_gym_python
check "a Python for code" code_python
[ "$step_status" != 0 ] || export POLESTAR_CODE_PYTHON=$code_python
check "a Lean for proofs" bare_lean
[ "$step_status" != 0 ] || export POLESTAR_LEAN=$tools/lean/bin/lean
check "lints" cargo clippy --locked --workspace --all-targets -- -D warnings
RUSTDOCFLAGS="-D warnings" check "documentation" cargo doc --locked --workspace --no-deps
need "build" build
check "model" ensure_model
check "tests" run_tests
check "doc tests" doc_tests
finish
