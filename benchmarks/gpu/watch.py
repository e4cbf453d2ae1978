"""Power, clocks and memory of GPU 0 twice a second, from NVML, until it is ended: watch.py OUT.csv

A check on the meter of `bench`: the counter of energy beside the power read at the same instant. While
it runs the driver stays awake.
"""

import ctypes, sys, time


class Memory(ctypes.Structure):
    _fields_ = [("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong)]


class Use(ctypes.Structure):
    _fields_ = [("gpu", ctypes.c_uint), ("memory", ctypes.c_uint)]


def main():
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError as problem:
        sys.exit(f"no NVML: {problem}")
    device = ctypes.c_void_p()
    if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(device)):
        sys.exit("NVML has no device")

    def number(name, *before, kind=ctypes.c_uint):
        value = kind()
        failed = getattr(nvml, name)(device, *before, ctypes.byref(value))
        return None if failed else value

    def plain(value):
        return "" if value is None else value.value

    with open(sys.argv[1], "w", buffering=1) as out:
        out.write("unix_s,power_mw,energy_mj,sm_mhz,memory_mhz,temperature_c,used_mib,gpu_percent,memory_percent,throttle\n")
        while True:
            memory = number("nvmlDeviceGetMemoryInfo", kind=Memory)
            use = number("nvmlDeviceGetUtilizationRates", kind=Use)
            row = [
                f"{time.time():.2f}",
                plain(number("nvmlDeviceGetPowerUsage")),
                plain(number("nvmlDeviceGetTotalEnergyConsumption", kind=ctypes.c_ulonglong)),
                plain(number("nvmlDeviceGetClockInfo", 1)),
                plain(number("nvmlDeviceGetClockInfo", 2)),
                plain(number("nvmlDeviceGetTemperature", 0)),
                "" if memory is None else memory.used >> 20,
                "" if use is None else use.gpu,
                "" if use is None else use.memory,
                plain(number("nvmlDeviceGetCurrentClocksThrottleReasons", kind=ctypes.c_ulonglong)),
            ]
            out.write(",".join(map(str, row)) + "\n")
            time.sleep(0.5)


main()
