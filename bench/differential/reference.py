"""Runs models by ONNX's reference implementation: a question a line on standard
input, a reply a line on standard output."""
import base64
import json
import sys

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun


class LogSoftmax(OpRun):
    """The reference takes the logarithm of a softmax in float32, which has no
    digits left below exp(-87)."""

    def _run(self, x, axis=-1):
        x = x.astype(np.float64)
        x = x - x.max(axis=axis, keepdims=True)
        return ((x - np.log(np.exp(x).sum(axis=axis, keepdims=True))).astype(np.float32),)


for line in sys.stdin:
    q = json.loads(line)
    try:
        model = onnx.load_from_string(base64.b64decode(q["model"]))
        x = np.frombuffer(base64.b64decode(q["input"]), np.float32).reshape(q["shape"])
        with np.errstate(all="ignore"):
            found = ReferenceEvaluator(model, new_ops=[LogSoftmax]).run(None, {"v0": x})
        reply = {"outputs": [base64.b64encode(np.ascontiguousarray(y, np.float32).tobytes()).decode() for y in found]}
    except Exception as e:  # what it cannot run is its own affair
        reply = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(reply), flush=True)
