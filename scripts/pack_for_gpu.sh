#!/usr/bin/env bash
# Puts the built program into gpu-pack/, so that a machine with a GPU but without Rust and without network can run
# scripts/gpu_check.sh from a copy of the repository. libtorch is not packed: that machine has its own, of the same version.
#
# usage: scripts/pack_for_gpu.sh [--binary FILE]
#
#   --binary FILE  packs FILE in place of target/debug/polestar
#
# gpu-pack/ (ignored by git, made anew each time) then holds polestar without its debug symbols, about.json, and in lib/
# those shared libraries that are neither the system's nor of the torch wheel and its CUDA packages; mostly there are none.
set -euo pipefail
# shellcheck source=scripts/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

pack=$root/gpu-pack
most_mib=64
binary=$polestar
while [ $# -gt 0 ]; do
    case $1 in
        --binary) [ $# -ge 2 ] || wrong_call "--binary needs a file"; binary=$2; shift 2 ;;
        -h | --help) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) wrong_call "$1 is no option of pack_for_gpu.sh" "expected --binary FILE or nothing" ;;
    esac
done
[ -f "$binary" ] || die "expected the built program in $binary, found nothing" "cargo build -p polestar, or name another with --binary"
for tool in strip readelf ldd; do
    command -v "$tool" >/dev/null || die "$tool is missing" "sudo apt-get install binutils libc-bin"
done

# whose LIBRARY: the owner of a library that the loader found: system, torch, or other.
whose() {
    case $1 in
        */torch/lib/* | */libtorch/lib/* | */nvidia/*/lib/*) echo torch ;;
        /lib/* | /lib64/* | /usr/lib/* | /usr/lib64/*) echo system ;;
        *) echo other ;;
    esac
}

# newest PREFIX: the newest version of the symbols with that prefix which the program asks for.
newest() {
    readelf --version-info --wide "$binary" | grep -o "Name: $1_[0-9.]*" | sed 's/.*_//' | sort -V | tail -n 1
}

rm -rf "$pack"
mkdir -p "$pack"
strip --strip-all -o "$pack/polestar" "$binary"
say "$(du -h "$binary" | cut -f 1) of $binary became $(du -h "$pack/polestar" | cut -f 1) in gpu-pack/polestar"

missing=()
while read -r name arrow path _; do
    [ "$arrow" = "=>" ] || continue
    if [ "$path" = not ]; then
        missing+=("$name")
        continue
    fi
    owner=$(whose "$path")
    note "$name: $owner"
    if [ "$owner" = other ]; then
        mkdir -p "$pack/lib"
        cp -L "$path" "$pack/lib/"
        note "    copied from $path"
    fi
done < <(ldd "$binary")
[ ${#missing[@]} = 0 ] ||
    die "the loader does not find: ${missing[*]}" "mend this machine's build first: $binary --version must run here"

commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
changed=$(git -C "$root" status --porcelain 2>/dev/null | wc -l)
cat >"$pack/about.json" <<JSON
{
  "commit": "$commit",
  "files_changed_since": $changed,
  "packed": "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
  "sha256_before_stripping": "$(sha256sum "$binary" | cut -d ' ' -f 1)",
  "sha256": "$(sha256sum "$pack/polestar" | cut -d ' ' -f 1)",
  "torch": "$torch_version",
  "needs_glibc": "$(newest GLIBC)",
  "needs_glibcxx": "$(newest GLIBCXX)"
}
JSON
mib=$(du -sm "$pack" | cut -f 1)
[ "$mib" -lt "$most_mib" ] ||
    die "gpu-pack/ has $mib MiB, expected less than $most_mib" "see what is large in it; debug symbols are already gone"
note "needs glibc $(newest GLIBC), libstdc++ with GLIBCXX_$(newest GLIBCXX), and libtorch $torch_version on the other machine"
say "gpu-pack/ has $mib MiB: copy the repository with it, then run scripts/gpu_check.sh there"
