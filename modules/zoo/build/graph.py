"""ONNX graphs written node by node, so that a file depends on the weights alone and on no exporter's version.

Weights of more than 256 numbers are stored as float16 and widened by a Cast node; all arithmetic is float32.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
LARGE = 256  # numbers; smaller weights stay float32


def halved(values):
    """A weight as the file gives it back: rounded to float16 if it is large."""
    values = np.asarray(values, np.float32)
    return values.astype(np.float16).astype(np.float32) if values.size > LARGE else values


class Graph:
    """Nodes and weights in the order in which they are added; tensors are named by counting."""

    def __init__(self, name):
        self.name, self.nodes, self.weights, self.inputs, self.outputs, self.count = name, [], [], [], [], 0

    def input(self, name, shape, kind=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name, tensor, shape):
        self.nodes.append(helper.make_node("Identity", [tensor], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def fresh(self, what):
        self.count += 1
        return f"{what}_{self.count}"

    def weight(self, values, what="w"):
        """A constant: float arrays become float32 (or float16 and a Cast), integer arrays int64."""
        values, name = np.asarray(values), self.fresh(what)
        if values.dtype.kind in "iub":
            self.weights.append(numpy_helper.from_array(values.astype(np.int64), name))
            return name
        values = values.astype(np.float32)
        if values.size <= LARGE:
            self.weights.append(numpy_helper.from_array(values, name))
            return name
        half = values.astype(np.float16)
        if not np.isfinite(half).all():
            raise ValueError(f"a weight of {self.name} does not fit float16: {np.abs(values).max()}")
        self.weights.append(numpy_helper.from_array(half, name))
        return self.op("Cast", name, to=TensorProto.FLOAT)

    def op(self, kind, *inputs, **attributes):
        """Adds a node with one output and returns the output's name."""
        out = self.fresh(kind.lower())
        self.nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def conv(self, x, weight, bias, stride=1, pads=(0, 0, 0, 0), groups=1):
        kernel = list(weight.shape[2:])
        return self.op("Conv", x, self.weight(weight), self.weight(bias), kernel_shape=kernel, strides=[stride] * len(kernel),
                       pads=list(pads), group=groups)

    def linear(self, x, weight, bias=None):
        """x @ weight.T + bias for [rows, width], the weight as PyTorch keeps it."""
        more = [] if bias is None else [self.weight(bias)]
        return self.op("Gemm", x, self.weight(weight), *more, transB=1)

    def unit(self, x, least=1e-12):
        """Rows of length 1."""
        square = self.op("ReduceSum", self.op("Mul", x, x), self.weight(np.array([-1])), keepdims=1)
        length = self.op("Sqrt", self.op("Add", square, self.weight(np.array([least], np.float32))))
        return self.op("Div", x, length)

    def save(self, path):
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="wire", producer_version="2")
        model.ir_version = 8
        onnx.checker.check_model(model, full_check=True)
        path.write_bytes(model.SerializeToString(deterministic=True))


def fold(weight, gamma, beta, mean, variance, eps):
    """A convolution's weight and bias with the batch normalisation behind it."""
    scale = gamma / np.sqrt(variance + eps)
    return weight * scale[:, None, None, None], beta - mean * scale
