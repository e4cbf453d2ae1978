"""Find a libclang that can read C headers, as the build of llama.cpp's bindings needs.

    python scripts/find-libclang.py [--file] [FOLDER ...]

The build looks where clang-sys looks: in LIBCLANG_PATH alone where that is set, else in the usual
folders, and it takes the highest version. The same libraries are tried here in the same order, then
those in the folders given: each is loaded in a process of its own and reads a file that includes
what llama.h includes. One without headers of its own (a runtime package, the wheel `libclang`) is
tried once more with the C compiler's.

Prints what the build must be told, one NAME=VALUE a line: nothing where it finds that library by
itself. With --file it prints the library. Exits with 1, and why on stderr, where none works.
"""

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys

try:
    import ctypes
except ImportError:  # A Python that was built without it can look, but not try.
    ctypes = None

# What clang-sys looks through, in its order. The tests put another root before them.
ROOT = os.environ.get("FREEHOLD_LIBCLANG_ROOT", "")
FOLDERS = {
    "darwin": [
        "/usr/local/opt/llvm*/lib/llvm*/lib",
        "/Library/Developer/CommandLineTools/usr/lib",
        "/Applications/Xcode.app/Contents/Developer/Toolchains/XcodeDefault.xctoolchain/usr/lib",
        "/usr/local/opt/llvm*/lib",
    ],
}.get(
    sys.platform,
    [
        "/usr/local/llvm*/lib*",
        "/usr/local/lib*/*/*",
        "/usr/local/lib*/*",
        "/usr/local/lib*",
        "/usr/lib*/*/*",
        "/usr/lib*/*",
        "/usr/lib*",
    ],
)
# Where else one may be that the build must be told of.
FURTHER = ["/opt/homebrew/opt/llvm*/lib", "/usr/local/opt/llvm*/lib", "/opt/llvm*/lib"]
NAMES = {"darwin": ["libclang.dylib"]}.get(
    sys.platform, ["libclang.so", "libclang-*.so", "libclang.so.*", "libclang-*.so.*"]
)
ARGUMENTS = "BINDGEN_EXTRA_CLANG_ARGS"
PROBE = b"""#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdbool.h>
size_t probe(FILE *file, bool yes, int64_t number);
"""


def main() -> int:
    if sys.argv[1:2] == ["--try"]:
        return attempt(sys.argv[2], sys.argv[3:])
    only_file = sys.argv[1:2] == ["--file"]
    named = os.environ.get("LIBCLANG_PATH")
    usual = in_usual_folders()
    if named is None:
        own = usual
    else:
        own = in_named(named)
    elsewhere = [f for pattern in FURTHER for f in glob.glob(ROOT + pattern)] + sys.argv[1 + only_file :]
    candidates = unique(own + usual + [file for folder in elsewhere for file in in_folder(folder)])
    faults = []
    for arguments in [[], compilers_headers()]:
        for file in candidates:
            fault = tried(file, arguments)
            if fault is None:
                if only_file:
                    print(file)
                    return 0
                # The build takes the first of those it finds, whether that works or not.
                if not own or file != own[0]:
                    if named is not None:
                        print(f"LIBCLANG_PATH is {named}, where none works: taking {file}", file=sys.stderr)
                    print(f"LIBCLANG_PATH={file}")
                if arguments:
                    given = shlex.split(os.environ.get(ARGUMENTS, ""))
                    print(f"{ARGUMENTS}={shlex.join(given + arguments)}")
                return 0
            faults.append(f"{file}: {fault}")
    where = f"LIBCLANG_PATH is {named}, where there is none, and " if named is not None and not own else ""
    cpp = in_usual_folders(["libclang-cpp.so*"])
    if faults:
        print(f"{where}none works: {'; '.join(unique(faults))}", file=sys.stderr)
    elif cpp:
        print(f"{where}there is only {cpp[0]}, which is another library (Clang's C++ interface)", file=sys.stderr)
    else:
        print(f"{where}there is none{' elsewhere' if where else ''}", file=sys.stderr)
    return 1


def unique(items):
    return list(dict.fromkeys(items))


def in_folder(folder, names=None):
    """Libraries in a folder: by their names, not Clang's C++ interface."""
    found = []
    for name in names or NAMES:
        for file in sorted(glob.glob(os.path.join(glob.escape(folder), name))):
            if names or "-cpp." not in os.path.basename(file):
                found.append(file)
    return found


def in_named(path):
    """What clang-sys takes from LIBCLANG_PATH: a file, or a folder that holds one."""
    if path in in_folder(os.path.dirname(path)):
        return [path]
    return highest_first(in_folder(path))


def in_usual_folders(names=None):
    folders = []
    if not ROOT:
        prefix = output([os.environ.get("LLVM_CONFIG_PATH", "llvm-config"), "--prefix"]).strip()
        folders += [os.path.join(prefix, part) for part in ("bin", "lib", "lib64")] if prefix else []
        if sys.platform == "darwin":
            developer = output(["xcode-select", "--print-path"]).strip()
            folders += [os.path.join(developer, "Toolchains/XcodeDefault.xctoolchain/usr/lib")] if developer else []
        for variable in ("LD_LIBRARY_PATH", "LIBRARY_PATH"):
            folders += [f for f in os.environ.get(variable, "").split(os.pathsep) if f]
    for pattern in FOLDERS:
        folders += [f for f in sorted(glob.glob(ROOT + pattern)) if os.path.isdir(f)]
    return highest_first([file for folder in folders for file in in_folder(folder, names)])


def highest_first(files):
    """By the version in the name, as clang-sys; those alike in the order they were found."""

    def version(file):
        name = os.path.basename(file)
        match = re.match(r"libclang\.so\.(.*)$", name) or re.match(r"libclang-(.*)...$", name)
        return [int(part) if part.isdigit() else 0 for part in match[1].split(".")] if match else []

    return sorted(unique(files), key=version, reverse=True)


def compilers_headers():
    """Options with which libclang finds the headers that belong to the C compiler."""
    # bindgen asks a clang, where there is one, for all its folders.
    folder = output([os.environ.get("CC", "cc"), "-print-file-name=include"]).strip()
    return ["-isystem", folder] if os.path.isfile(os.path.join(folder, "stddef.h")) else []


def clangs_folders():
    """What bindgen itself adds where there is a clang program."""
    program = os.environ.get("CLANG_PATH") or shutil.which("clang")
    if not program:
        return []
    text = output([program, "-E", "-x", "c", os.devnull, "-v"], stderr=subprocess.STDOUT)
    listed = re.search(r"#include <\.\.\.> search starts here:\n(.*?)End of search list", text, re.S)
    folders = listed[1].split("\n") if listed else []
    return [word for f in folders if f.strip() and "(framework" not in f for word in ("-isystem", f.strip())]


def output(command, stderr=subprocess.DEVNULL):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def tried(file, arguments):
    """What is wrong with a library; None where it reads the headers."""
    given = shlex.split(os.environ.get(ARGUMENTS, ""))
    command = [sys.executable, os.path.abspath(__file__), "--try", file, *given, *arguments, *clangs_folders()]
    if not ctypes:
        return None
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    return lines[0] if lines else "it ends the process that loads it"


def attempt(file, arguments):
    """Load the library and let it read; prints the first error."""

    class Text(ctypes.Structure):
        _fields_ = [("data", ctypes.c_void_p), ("flags", ctypes.c_uint)]

    class Unsaved(ctypes.Structure):
        _fields_ = [("name", ctypes.c_char_p), ("contents", ctypes.c_char_p), ("length", ctypes.c_ulong)]

    pointer, number = ctypes.c_void_p, ctypes.c_uint
    try:
        clang = ctypes.CDLL(file)
    except OSError as error:
        print(error)
        return 1
    for name, result, parameters in [
        ("clang_createIndex", pointer, [ctypes.c_int, ctypes.c_int]),
        ("clang_parseTranslationUnit", pointer, [pointer, ctypes.c_char_p, pointer, ctypes.c_int, pointer, number, number]),
        ("clang_getNumDiagnostics", number, [pointer]),
        ("clang_getDiagnostic", pointer, [pointer, number]),
        ("clang_getDiagnosticSeverity", ctypes.c_int, [pointer]),
        ("clang_getDiagnosticSpelling", Text, [pointer]),
        ("clang_getCString", ctypes.c_char_p, [Text]),
    ]:
        try:
            function = getattr(clang, name)
        except AttributeError:
            print(f"it has no function {name}")
            return 1
        function.restype, function.argtypes = result, parameters
    words = [os.fsencode(argument) for argument in arguments]
    unit = clang.clang_parseTranslationUnit(
        clang.clang_createIndex(0, 0),
        b"probe.h",
        (ctypes.c_char_p * len(words))(*words),
        len(words),
        ctypes.byref(Unsaved(b"probe.h", PROBE, len(PROBE))),
        1,
        0,
    )
    if not unit:
        print("it cannot read C")
        return 1
    for n in range(clang.clang_getNumDiagnostics(unit)):
        diagnostic = clang.clang_getDiagnostic(unit, n)
        if clang.clang_getDiagnosticSeverity(diagnostic) >= 3:
            print(os.fsdecode(clang.clang_getCString(clang.clang_getDiagnosticSpelling(diagnostic))))
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
