# shellcheck shell=sh
# What the build needs: looked for, tried, installed or named. Part of lib.sh.
#
# A tool counts when it does its work, not when a file of its name exists: the compiler compiles,
# libclang reads a header, a version is new enough.

# The oldest that do: Cargo.toml's for Rust, llama.cpp's for CMake and C++, the models' packages' for
# Python.
rust_wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
cmake_wanted=3.14
python_wanted=3.10

case $(uname -s) in
MINGW* | MSYS* | CYGWIN*) windows=yes python=.venv/Scripts/python.exe ;;
*) windows='' python=.venv/bin/python ;;
esac

# What is missing to build llama.cpp and to fetch the small models, one a line: the tool's name, then
# why what is here does not do.
missing_tools() {
    missing_rust
    missing_compiler
    missing_make
    missing_cmake
    missing_python
    missing_libclang
}

missing_rust() {
    for tool in cargo rustc; do
        if ! have $tool; then
            echo "rust there is no $tool"
            return
        fi
        found=$($tool --version 2>"$scratch/error" | version_in)
        if [ -z "$found" ]; then
            echo "rust $tool does not run: $(first_line "$scratch/error")"
            return
        elif ! at_least "$rust_wanted" "$found"; then
            echo "rust $tool $found is older than $rust_wanted"
            return
        fi
    done
}

# The C++ compiler: the one that is named, the system's, or one of the usual two.
cxx() {
    for candidate in "${CXX:-c++}" g++ clang++; do
        # `ccache g++` is a compiler, too.
        if have "${candidate%% *}"; then echo "$candidate"; return; fi
    done
    return 1
}

missing_compiler() {
    # Microsoft's compiler is in no path; the build finds it by itself.
    [ -z "$windows" ] || return 0
    if ! compiler=$(cxx); then
        echo "compiler there is no c++, g++ or clang++"
        return
    fi
    cat >"$scratch/try.cpp" <<'END'
#include <filesystem>
#include <optional>
#include <string_view>
#include <thread>
int main(int argc, char **argv) {
    std::optional<std::string_view> name;
    if (argc > 0) name = argv[0];
    std::thread([] {}).join();
    if constexpr (sizeof(void *) > 0) return std::filesystem::path(*name).empty();
}
END
    # shellcheck disable=SC2086
    if ! $compiler -std=c++17 -pthread -o "$scratch/try" "$scratch/try.cpp" 2>"$scratch/error" </dev/null; then
        echo "compiler $compiler does not compile C++17: $(first_line "$scratch/error")"
        return
    fi
    # Rust links with it.
    echo 'int main(void) { return 0; }' >"$scratch/try.c"
    if ! have cc; then
        echo "compiler there is no cc to link with"
    elif ! cc -o "$scratch/try" "$scratch/try.c" 2>"$scratch/error" </dev/null; then
        echo "compiler cc does not compile C: $(first_line "$scratch/error")"
    fi
}

missing_make() {
    [ -z "$windows" ] || return 0
    case ${CMAKE_GENERATOR:-} in Ninja*) ! have ninja || return 0 ;; esac
    have make || have gmake || echo "make there is no make"
}

missing_cmake() {
    tool=${CMAKE:-cmake}
    if ! have "$tool"; then
        echo "cmake there is no $tool"
        return
    fi
    found=$("$tool" --version 2>"$scratch/error" | version_in)
    if [ -z "$found" ]; then
        echo "cmake $tool does not run: $(first_line "$scratch/error")"
    elif ! at_least "$cmake_wanted" "$found"; then
        echo "cmake $tool $found is older than $cmake_wanted"
    fi
}

# The Python that makes the virtual environment: new enough, and able to put pip into it.
system_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
        if have $candidate && [ -z "$(python_fault $candidate)" ]; then echo $candidate; return; fi
    done
    return 1
}

# What keeps PYTHON from making it; nothing where it can.
python_fault() {
    found=$("$1" --version 2>&1 | version_in)
    if [ -z "$found" ]; then
        echo "$1 does not run"
    elif ! at_least "$python_wanted" "$found"; then
        echo "$1 $found is older than $python_wanted"
    elif ! "$1" -c 'import venv, ensurepip' 2>/dev/null && ! "$1" -c 'import venv, pip' 2>/dev/null; then
        echo "$1 has no venv with pip (the modules venv and ensurepip)"
    fi
}

missing_python() {
    system_python >/dev/null && return 0
    for candidate in python3 python; do
        if have $candidate; then
            echo "python $(python_fault $candidate)"
            return
        fi
    done
    echo "python there is no python3"
}

missing_libclang() {
    # Left to the build there: it looks where LLVM's installer puts it.
    [ -z "$windows" ] || return 0
    if [ -z "$(any_python)" ]; then
        # It cannot be tried yet; that it is missing can be seen.
        for file in /usr/lib/llvm*/lib/libclang[.-]* /usr/lib/*/libclang[.-]* /usr/lib*/libclang[.-]*; do
            case $file in *-cpp.* | *\**) ;; *) return 0 ;; esac
        done
        echo "libclang there is none"
        return
    fi
    find_libclang >/dev/null 2>"$scratch/error" || echo "libclang $(first_line "$scratch/error")"
}

# What the build must be told to find a libclang that works, as NAME=VALUE lines; none where it finds
# one by itself.
find_libclang() { "$(any_python)" scripts/find-libclang.py "$root"/.venv/lib/python3*/site-packages/clang/native; }

# A Python to run small scripts with: the one that makes the environment, else any that runs.
any_python() {
    system_python && return
    for candidate in python3 python; do
        if have $candidate && $candidate -c 'import subprocess, shlex; shlex.join' 2>/dev/null; then echo $candidate; return; fi
    done
}

first_line() { sed -n '/./{p;q;}' "$1"; }

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
    apk:compiler) echo g++ ;;
    apk:libclang) echo clang-dev ;;
    apk:python) echo python3 ;;
    brew:compiler) echo llvm ;;
    brew:libclang) echo llvm ;;
    *) echo "$2" ;;
    esac
}

package_manager() {
    for candidate in apt-get dnf pacman zypper apk brew; do
        if have $candidate; then echo $candidate; return; fi
    done
}

# The command that installs PACKAGES, without what makes it root's.
install_command() {
    case $1 in
    apt-get) echo "apt-get install -y --no-install-recommends $2" ;;
    dnf) echo "dnf install -y $2" ;;
    pacman) echo "pacman -S --noconfirm --needed $2" ;;
    zypper) echo "zypper --non-interactive install $2" ;;
    apk) echo "apk add $2" ;;
    brew) echo "brew install $2" ;;
    esac
}

# names LINES: the first word of each, in one line.
names() { printf '%s\n' "$1" | sed 's/ .*//' | tr '\n' ' ' | sed 's/ *$//'; }

packages_for() {
    list=
    for tool in $(names "$1"); do list="$list $(package_for "${manager:-none}" "$tool")"; done
    printf '%s\n' "${list# }"
}

# Install what is missing, or say what to install. Root takes the system's packages. Others take
# from PyPI what is there (cmake, ninja for make, libclang), into .venv, and ask sudo for the rest.
install_tools() {
    use_tools
    missing=$(missing_tools)
    [ -n "$missing" ] || return 0
    case " $(names "$missing") " in *" rust "*) die "$(rust_advice)" ;; esac
    manager=$(package_manager)
    if [ "$(id -u)" -eq 0 ] || [ "$manager" = brew ]; then
        install_from_system ""
        install_from_pypi
    else
        install_from_pypi
        if have sudo && { { [ -t 0 ] && [ -t 2 ]; } || sudo -n true 2>/dev/null; }; then install_from_system sudo; fi
    fi
    missing=$(missing_tools)
    [ -z "$missing" ] || die "$(advice)"
    use_tools
}

rust_advice() {
    printf 'Rust %s or newer is needed:\n%s\n' "$rust_wanted" "$(printf '%s\n' "$missing" | sed -n 's/^rust /    /p')"
    if have rustup; then
        printf 'Run: rustup update stable\n'
    else
        printf "Run: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh   (or see https://rustup.rs)\n"
    fi
    printf 'Then run this again.'
}

advice() {
    printf 'still missing:\n'
    printf '%s\n' "$missing" | while read -r tool why; do printf '    %-9s %s\n' "$tool" "$why"; done
    if [ -n "$manager" ]; then
        printf 'Run as root: %s\n' "$(install_command "$manager" "$(packages_for "$missing")")"
    else
        printf 'Install: %s\n' "$(names "$missing")"
    fi
    printf '(a C++17 compiler, make, cmake %s or newer, libclang, Python %s or newer with venv)\n' \
        "$cmake_wanted" "$python_wanted"
    printf 'Then run this again.'
}

# install_from_system [sudo]
install_from_system() {
    # Twice: what could not be tried without another tool is seen the second time.
    for _ in 1 2; do
        missing=$(missing_tools)
        [ -n "$missing" ] && [ -n "$manager" ] || return 0
        packages=$(packages_for "$missing")
        say "installing: $packages"
        printf '%s\n' "$missing" | sed 's/^/    /' >&2
        # shellcheck disable=SC2086
        case $manager in
        apt-get)
            $1 env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 || true
            $1 env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
            ;;
        *)
            command=$(install_command "$manager" "$packages")
            $1 $command >&2
            ;;
        esac || return 0
    done
}

install_from_pypi() {
    missing=$(missing_tools)
    wanted=
    for tool in $(names "$missing"); do
        case $tool in
        cmake | libclang) wanted="$wanted $tool" ;;
        make) wanted="$wanted ninja" ;;
        # Nothing can be fetched without it.
        python) return 0 ;;
        esac
    done
    [ -n "$wanted" ] || return 0
    make_venv
    for tool in $wanted; do
        grep "^$tool==" scripts/build-tools.txt >"$scratch/tool.txt"
        install_packages "$scratch/tool.txt" "$tool from PyPI" || say "$tool could not be installed"
    done
    use_tools
}

# Tell the build about tools that it would not find by itself.
use_tools() {
    [ -z "$windows" ] || return 0
    bin=$root/.venv/bin
    if ! have "${CXX:-c++}" && compiler=$(cxx); then export CXX="$compiler"; fi
    if [ -n "$(missing_cmake)" ] && runs "$bin/cmake"; then export CMAKE="$bin/cmake"; fi
    if [ -n "$(missing_make)" ] && runs "$bin/ninja"; then export CMAKE_GENERATOR=Ninja PATH="$PATH:$bin"; fi
    if [ -n "$(any_python)" ] && lines=$(find_libclang 2>"$scratch/note") && [ -n "$lines" ]; then
        while IFS= read -r line; do export "${line?}"; done <<END
$lines
END
        sed 's/^/note: /' "$scratch/note" >&2
    fi
}

# What use_tools may set, as NAME=VALUE lines.
told() {
    for name in CXX CMAKE CMAKE_GENERATOR LIBCLANG_PATH BINDGEN_EXTRA_CLANG_ARGS PATH; do
        eval "printf '%s=%s\n' $name \"\${$name:-}\""
    done
}
told >"$scratch/told"

# For people who go on without these scripts: what they set, as commands for a shell.
told_the_build() {
    told | while IFS= read -r line; do
        grep -qxF -e "$line" "$scratch/told" || printf "    export %s='%s'\n" "${line%%=*}" "${line#*=}"
    done
}

# The Cargo feature for the GPU this machine can build for, or nothing. FREEHOLD_GPU overrides:
# none, cuda, metal, rocm or vulkan.
gpu_feature() {
    if [ -n "${FREEHOLD_GPU:-}" ]; then
        named_gpu "$FREEHOLD_GPU"
    elif runs nvcc; then
        echo cuda
    elif [ "$(uname -s)" = Darwin ]; then
        echo metal
    elif runs hipcc; then
        echo rocm
    elif runs glslc && vulkan_headers_new_enough; then
        echo vulkan
    fi
}

# The feature for a backend that somebody named.
named_gpu() {
    case $1 in
    none) ;;
    cuda | metal | rocm | vulkan) echo "$1" ;;
    *) die "FREEHOLD_GPU is '$1'; it can be none, cuda, metal, rocm or vulkan" ;;
    esac
}

runs() { "$1" --version >/dev/null 2>&1; }

# llama.cpp's Vulkan backend needs headers of 1.4 (Debian bookworm's 1.3.239 are too old).
vulkan_headers_new_enough() {
    header=${VULKAN_SDK:-/usr}/include/vulkan/vulkan_core.h
    [ -r "$header" ] && grep -q '^#define VK_API_VERSION_1_4' "$header"
}

# $features: options for cargo that pick the GPU. Says to people what was picked.
choose_gpu() {
    # Their installers do not put themselves on the path.
    if ! have nvcc && runs /usr/local/cuda/bin/nvcc; then export PATH="$PATH:/usr/local/cuda/bin"; fi
    if ! have hipcc && runs /opt/rocm/bin/hipcc; then export PATH="$PATH:/opt/rocm/bin"; fi
    feature=$(gpu_feature)
    features=
    if [ -n "$feature" ]; then
        features="--features $feature"
        printf 'GPU backend: %s (FREEHOLD_GPU=none builds for the processor alone)\n' "$feature" >&2
    else
        printf 'GPU backend: none found, building for the processor (FREEHOLD_GPU=cuda|metal|rocm|vulkan to choose)\n' >&2
    fi
}

# Build the program. $freehold is where cargo put it: its own configuration or the environment may
# name another folder than target/release.
build_program() {
    choose_gpu
    say "building (llama.cpp takes some minutes the first time)"
    # shellcheck disable=SC2086
    cargo build --release --locked $features --message-format json-render-diagnostics >"$scratch/build.json"
    freehold=$(sed -n 's/.*"name":"freehold".*"executable":"\([^"]*\)".*/\1/p' "$scratch/build.json" | tail -n 1)
    [ -x "$freehold" ] || die "cargo built no program"
}

# A virtual environment in .venv for the helpers that come as Python packages.
make_venv() {
    fault=$(venv_fault)
    [ -n "$fault" ] || return 0
    system=$(system_python) || die "Python $python_wanted or newer with venv is needed: $(missing_python)"
    if [ -e .venv ] || [ -L .venv ]; then
        say "making .venv anew: $fault"
        rm -rf .venv
    fi
    # Python's own pip; else the pip of the Python that makes it, as Debian without python3-venv has.
    if ! "$system" -m venv .venv 2>"$scratch/error" >&2; then
        rm -rf .venv
        { "$system" -m venv --without-pip .venv && "$system" -m pip --python "$python" --quiet install pip; } \
            2>>"$scratch/error" >&2 || true
    fi
    fault=$(venv_fault)
    [ -z "$fault" ] || { rm -rf .venv; die "cannot make a Python environment in .venv: $fault
$(cat "$scratch/error")"; }
}

# What is wrong with .venv; nothing where it can be used. Its programs name their interpreter by its
# full path, so one that was moved or copied here, or whose Python is gone, is none.
venv_fault() {
    [ -e .venv ] || { echo "there is none"; return; }
    [ -x "$python" ] || { echo "it has no Python"; return; }
    found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || { echo "its Python does not run"; return; }
    at_least "$python_wanted" "$found" || { echo "its Python $found is older than $python_wanted"; return; }
    place=$("${python%/*}/pip" --version 2>/dev/null | sed -n 's/^pip .* from \(.*\) (python.*/\1/p')
    [ -n "$place" ] || { echo "its pip does not run"; return; }
    "$python" -c 'import os, sys
folder, place = map(os.path.realpath, sys.argv[1:])
sys.exit(not place.startswith(folder + os.sep))' .venv "$place" 2>/dev/null || echo "it belongs to another folder"
}

# pip in .venv, whatever the user's own settings say about where to install.
pip() {
    ( unset PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
    exec "$python" -m pip --disable-pip-version-check "$@" )
}

# install_packages REQUIREMENTS WHAT: into .venv, exactly these versions, each checked by its hash.
install_packages() {
    make_venv
    "$python" scripts/has-packages.py "$1" && return 0
    say "installing $2"
    pip install --quiet --only-binary :all: --require-hashes --requirement "$1" >&2
}
