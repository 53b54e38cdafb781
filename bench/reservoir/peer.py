"""What reservoirpy takes for the same work; called by the program beside it.

Arguments: a folder with w.csv (row = target), in.csv, u.csv, and the number of
rounds. For each line on standard input it does one round and answers with a
line of JSON: milliseconds of the steps and of the ridge, and what came out.
"""

import json
import sys
import time

import numpy as np
from reservoirpy.nodes import Reservoir, Ridge

folder = sys.argv[1]
w = np.loadtxt(folder + "/w.csv", delimiter=",")
win = np.loadtxt(folder + "/in.csv").reshape(-1, 1)
u = np.loadtxt(folder + "/u.csv").reshape(-1, 1)
steps, lags, first, last = len(u), 60, 100, 100 + round(0.7 * (len(u) - 100))
targets = np.zeros((steps, lags))
for lag in range(1, lags + 1):
    targets[lag:, lag - 1] = u[:-lag, 0]

for _ in sys.stdin:
    reservoir = Reservoir(W=w, Win=win, bias=0.0, lr=1.0)
    began = time.process_time()
    states = reservoir.run(u)
    stepped = time.process_time()
    x = states / states[first:].std(axis=0)
    readout = Ridge(ridge=1e-6 * (last - first))
    prepared = time.process_time()
    readout.fit(x[first:last], targets[first:last])
    fitted = time.process_time()
    y = readout.run(x[last:])
    capacity = sum(np.corrcoef(y[:, k], targets[last:, k])[0, 1] ** 2 for k in range(lags))
    scored = time.process_time()
    print(json.dumps({
        "steps_ms": 1e3 * (stepped - began), "ridge_ms": 1e3 * (fitted - prepared), "score_ms": 1e3 * (scored - fitted),
        "capacity": float(capacity), "last": [float(v) for v in states[-1]],
    }), flush=True)
