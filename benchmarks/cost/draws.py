"""The draws of `freehold breakeven` in plain numpy, for comparison: same scenario, same triangular
ranges, same month-by-month model (one unit price, whole units by peak load, power, staff, growth,
drift of prices). Prints seconds and the two answers, which must agree within sampling error.

usage: draws.py [DRAWS]
"""

import math
import sys
import time

import numpy as np

DRAWS = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
MONTHS = 60
HOURS = 730.0


def draw(rng, low, likely, high):
    return rng.triangular(low, likely, high, DRAWS)


def main():
    begin = time.perf_counter()
    rng = np.random.default_rng(1)
    requests = draw(rng, 200_000, 300_000, 500_000)
    growth = draw(rng, 0.0, 0.01, 0.02)
    drift = draw(rng, -0.3, -0.1, 0.0)
    purchase = draw(rng, 4000, 5000, 6500)
    tariff = draw(rng, 0.15, 0.22, 0.35)
    decode = draw(rng, 600, 800, 1000)
    inputs, outputs, prefill = 1800.0, 250.0, 5000.0
    per_request = (inputs * 1.0 + outputs * 5.0) / 1e6
    work = inputs / prefill + outputs / decode
    q = (1.0 + drift) ** (1.0 / 12.0)
    # A continuous drift: the mean price over each month.
    factor = np.where(np.abs(q - 1.0) < 1e-12, 1.0, (q - 1.0) / np.log(q))
    grown = np.ones(DRAWS)
    units = np.zeros(DRAWS)
    cloud = np.zeros(DRAWS)
    local = np.zeros(DRAWS)
    payback = np.full(DRAWS, np.inf)
    for month in range(MONTHS):
        load = requests * grown
        needed = np.maximum(1.0, np.ceil(load / (HOURS * 3600.0) * 4.0 * work / 0.7 - 1e-9))
        added = np.maximum(0.0, needed - units)
        units += added
        jump = added * purchase
        busy = np.minimum(load * work / 3600.0, units * HOURS)
        energy = (110.0 * units * HOURS + (750.0 - 110.0) * busy) / 1000.0
        running = energy * tariff + 8.0 * 60.0
        bill = load * per_request * factor
        position = cloud - local - jump
        saving = bill - running
        crosses = np.isinf(payback) & (saving > 0.0) & (position + saving >= 0.0)
        inside = np.clip(-position / np.where(saving > 0.0, saving, 1.0), 0.0, 1.0)
        payback = np.where(crosses, month + inside, payback)
        cloud += bill
        local += jump + running
        grown *= 1.0 + growth
        factor *= q
    cheaper = float(np.mean(local < cloud))
    payback.sort()
    p10, p50, p90 = (float(payback[max(1, math.ceil(share * DRAWS)) - 1]) for share in (0.1, 0.5, 0.9))
    seconds = time.perf_counter() - begin
    print(
        f"numpy, {DRAWS:,} draws: {seconds:.3f} s, P(local cheaper) {cheaper:.3f}, "
        f"payback P10 {p10:.2f}, P50 {p50:.2f}, P90 {p90:.2f}"
    )


main()
