"""Folders for LD_LIBRARY_PATH: CUDA 13's run-time libraries, the driver's and the compiler's, where the
loader does not find them by itself. Printed with colons; nothing where nothing is missing.

usage: libraries.py [FOLDER...]
They are looked for where pip puts NVIDIA's packages, then where CUDA is installed, then in FOLDER.
"""

import ctypes, glob, os, site, sys

WANTED = ["libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcuda.so.1", "libnvidia-ml.so.1",
          "libgcc_s.so.1", "libstdc++.so.6", "libcrypto.so.3", "libssl.so.3"]


def loads(name):
    # Opened and closed in a process of its own: a library that is open is found again by its name.
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    try:
        ctypes.CDLL(name)
        os._exit(0)
    except OSError:
        os._exit(1)


def places():
    for folder in dict.fromkeys([*sys.path, *site.getsitepackages(), site.getusersitepackages()]):
        yield from sorted(glob.glob(os.path.join(folder or ".", "nvidia", "*", "lib")))
    for pattern in ["/usr/local/cuda/lib64", "/usr/local/cuda-13*/lib64", "/usr/local/cuda*/targets/x86_64-linux/lib",
                    "/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib64",
                    "/opt/*/.venv/lib/python3*/site-packages/nvidia/*/lib",
                    "/usr/lib/wsl/lib"]:
        yield from sorted(glob.glob(pattern))
    yield from sys.argv[1:]


def main():
    missing, found = [name for name in WANTED if not loads(name)], []
    for folder in places():
        here = [name for name in missing if os.path.exists(os.path.join(folder, name))]
        if here:
            found.append(folder)
            missing = [name for name in missing if name not in here]
    if missing:
        print(f"not found: {', '.join(missing)}", file=sys.stderr)
    print(":".join(found))


main()
