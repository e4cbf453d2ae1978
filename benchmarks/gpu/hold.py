"""Take a GPU's memory, as another program would: hold.py [--leave GIB] [--once-used GIB] [--seconds N].

All but --leave is allocated and held for N seconds. With --once-used it waits until that much is in use
beside its own. --count only says which devices the driver has. Plain allocations of the driver's own
interface; nothing is written to them.
"""

import argparse, ctypes, sys, time

GIB = 1 << 30


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leave", type=float, default=1.0)
    parser.add_argument("--once-used", type=float)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--count", action="store_true")
    args = parser.parse_args()
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as problem:
        sys.exit(f"no driver: {problem}")

    def call(name, *values):
        code = getattr(cuda, name)(*values)
        if code:
            text = ctypes.c_char_p()
            cuda.cuGetErrorName(code, ctypes.byref(text))
            raise SystemExit(f"{name}: {(text.value or b'').decode()} ({code})")

    call("cuInit", 0)
    count, version = ctypes.c_int(), ctypes.c_int()
    call("cuDeviceGetCount", ctypes.byref(count))
    call("cuDriverGetVersion", ctypes.byref(version))
    print(f"the driver has {count.value} devices and CUDA {version.value // 1000}.{version.value % 1000 // 10}", flush=True)
    if args.count:
        return
    device, context = ctypes.c_int(), ctypes.c_void_p()
    call("cuDeviceGet", ctypes.byref(device), 0)
    call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
    call("cuCtxSetCurrent", context)

    def memory():
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return free.value, total.value

    end = time.monotonic() + args.seconds
    before = memory()[0]
    print(f"{before / GIB:.1f} GiB are free", flush=True)
    while args.once_used and before - memory()[0] < args.once_used * GIB:
        if time.monotonic() > end:
            raise SystemExit("nobody used as much")
        time.sleep(0.002)
    held, piece = 0, GIB
    while piece >= 16 << 20:
        address = ctypes.c_uint64()
        if memory()[0] - piece < args.leave * GIB or cuda.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(piece)):
            piece //= 4
        else:
            held += piece
    print(f"holding {held / GIB:.1f} GiB, {memory()[0] / GIB:.1f} GiB are free", flush=True)
    time.sleep(max(0.0, end - time.monotonic()))


main()
