"""Runs models by ONNX's reference implementation: a question a line on standard
input, a reply a line on standard output."""
import base64
import json
import sys

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

for line in sys.stdin:
    q = json.loads(line)
    try:
        model = onnx.load_from_string(base64.b64decode(q["model"]))
        x = np.frombuffer(base64.b64decode(q["input"]), np.float32).reshape(q["shape"])
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(model).run(None, {"v0": x})
        reply = {"outputs": [base64.b64encode(np.ascontiguousarray(y, np.float32).tobytes()).decode() for y in found]}
    except Exception as e:  # what it cannot run is its own affair
        reply = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(reply), flush=True)
