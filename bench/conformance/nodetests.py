"""Writes the node tests of the installed onnx package as folders: nodetests.py DIR

    pip install onnx pillow && python nodetests.py DIR

The package ships what makes them and no longer the files.
"""
import os
import sys

import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases


def serialized(value, info):
    if isinstance(value, onnx.TensorProto):
        return value.SerializeToString()
    kind = info.type.WhichOneof("value")
    write = {"sequence_type": numpy_helper.from_list, "optional_type": numpy_helper.from_optional, "map_type": numpy_helper.from_dict}
    return write.get(kind, numpy_helper.from_array)(value, info.name).SerializeToString()


cases = collect_testcases(None)
for case in cases:
    folder = os.path.join(sys.argv[1], case.name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "model.onnx"), "wb") as f:
        f.write(case.model.SerializeToString())
    for i, (inputs, outputs) in enumerate(case.data_sets):
        data = os.path.join(folder, f"test_data_set_{i}")
        os.makedirs(data, exist_ok=True)
        for side, values, infos in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
            for k, value in enumerate(values):
                with open(os.path.join(data, f"{side}_{k}.pb"), "wb") as f:
                    f.write(serialized(value, infos[k]))
print(f"onnx {onnx.__version__}: {len(cases)} tests")
