#!/usr/bin/env python3
"""Writes models in the shapes that hubs ship, with PyTorch's gradients.

    python3 gradients.py DIR          small models, inputs, gradients (for the tests)
    python3 gradients.py DIR --real   models of real size, without gradients (for bench/gradients)
    python3 gradients.py DIR --graphs FOLDER…   ONNX files as they are, computed by PyTorch

Weights are random, those of --graphs the files' own: each folder holds model.onnx
and case.json, as bench/engines/models.py writes them. Needs torch and onnx; exports
with TorchScript's exporter.
"""
import json
import math
import os
import sys
import warnings

import torch
from torch import nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")


class SqueezeExcite(nn.Module):
    def __init__(self, c, r):
        super().__init__()
        self.down, self.up = nn.Conv2d(c, r, 1), nn.Conv2d(r, c, 1)

    def forward(self, x):
        s = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.up(F.silu(self.down(s))))


class MBConv(nn.Module):
    """An inverted residual block (Sandler et al. 2018), lite or with squeeze and excitation."""

    def __init__(self, ci, co, expand, kernel, stride, lite):
        super().__init__()
        act = nn.ReLU6 if lite else nn.SiLU
        mid = ci * expand
        layers = [] if expand == 1 else [nn.Conv2d(ci, mid, 1, bias=False), nn.BatchNorm2d(mid), act()]
        layers += [nn.Conv2d(mid, mid, kernel, stride, kernel // 2, groups=mid, bias=False), nn.BatchNorm2d(mid), act()]
        if not lite:
            layers.append(SqueezeExcite(mid, max(1, ci // 4)))
        layers += [nn.Conv2d(mid, co, 1, bias=False), nn.BatchNorm2d(co)]
        self.body, self.skip = nn.Sequential(*layers), ci == co and stride == 1

    def forward(self, x):
        return x + self.body(x) if self.skip else self.body(x)


class EfficientNet(nn.Module):
    def __init__(self, stem, blocks, head, classes, lite):
        super().__init__()
        act = nn.ReLU6 if lite else nn.SiLU
        layers, ci = [nn.Conv2d(3, stem, 3, 2, 1, bias=False), nn.BatchNorm2d(stem), act()], stem
        for expand, co, repeat, stride, kernel in blocks:
            for i in range(repeat):
                layers.append(MBConv(ci, co, expand, kernel, stride if i == 0 else 1, lite))
                ci = co
        layers += [nn.Conv2d(ci, head, 1, bias=False), nn.BatchNorm2d(head), act(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.features, self.classes = nn.Sequential(*layers), nn.Linear(head, classes)

    def forward(self, picture):
        f = self.features(picture)
        return f, self.classes(f)


class Attention(nn.Module):
    def __init__(self, d, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(d, 3 * d), nn.Linear(d, d)

    def forward(self, x, mask):
        b, n, d = x.shape
        q, k, v = (t.view(b, n, self.heads, d // self.heads).transpose(1, 2) for t in self.qkv(x).split(d, dim=2))
        w = q @ k.transpose(-2, -1) / math.sqrt(d // self.heads)
        if mask is not None:
            w = w + mask
        return self.out((F.softmax(w, dim=-1) @ v).transpose(1, 2).reshape(b, n, d))


class Block(nn.Module):
    def __init__(self, d, heads, act, before):
        super().__init__()
        self.attention, self.n1, self.n2, self.before = Attention(d, heads), nn.LayerNorm(d), nn.LayerNorm(d), before
        self.up, self.down, self.act = nn.Linear(d, 4 * d), nn.Linear(4 * d, d), act

    def mlp(self, x):
        return self.down(self.act(self.up(x)))

    def forward(self, x, mask):
        if self.before:
            x = x + self.attention(self.n1(x), mask)
            return x + self.mlp(self.n2(x))
        x = self.n1(x + self.attention(x, mask))
        return self.n2(x + self.mlp(x))


def gelu_tanh(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def quick_gelu(x):
    return x * torch.sigmoid(1.702 * x)


def causal(x):
    n = x.shape[1]
    return torch.triu(torch.full((n, n), -1e9), diagonal=1)


class Bert(nn.Module):
    """Embeddings in, mean-pooled unit vectors out, as MiniLM is used."""

    def __init__(self, d, heads, layers):
        super().__init__()
        self.position, self.norm = nn.Parameter(torch.randn(64, d) * 0.1), nn.LayerNorm(d)
        self.blocks = nn.ModuleList(Block(d, heads, F.gelu, False) for _ in range(layers))

    def forward(self, inputs_embeds, attention_mask):
        x = self.norm(inputs_embeds + self.position[: inputs_embeds.shape[1]])
        m = attention_mask.to(x.dtype)
        hide = (1 - m)[:, None, None, :] * -1e9
        for b in self.blocks:
            x = b(x, hide)
        pooled = (x * m[:, :, None]).sum(1) / m.sum(1, keepdim=True)
        return F.normalize(pooled, dim=-1)


class GPT2(nn.Module):
    def __init__(self, d, heads, layers, words):
        super().__init__()
        self.words, self.position, self.norm = nn.Embedding(words, d), nn.Parameter(torch.randn(128, d) * 0.1), nn.LayerNorm(d)
        self.blocks = nn.ModuleList(Block(d, heads, gelu_tanh, True) for _ in range(layers))

    def forward(self, inputs_embeds):
        x = inputs_embeds + self.position[: inputs_embeds.shape[1]]
        mask = causal(x)
        for b in self.blocks:
            x = b(x, mask)
        return self.norm(x) @ self.words.weight.T


class CLIP(nn.Module):
    """Both towers, their scaled products."""

    def __init__(self, d, heads, layers, patch, side):
        super().__init__()
        n = (side // patch) ** 2
        self.patches, self.cls = nn.Conv2d(3, d, patch, patch, bias=False), nn.Parameter(torch.randn(d) * 0.1)
        self.place, self.pre, self.post = nn.Parameter(torch.randn(n + 1, d) * 0.1), nn.LayerNorm(d), nn.LayerNorm(d)
        self.vision = nn.ModuleList(Block(d, heads, quick_gelu, True) for _ in range(layers))
        self.position, self.final = nn.Parameter(torch.randn(77, d) * 0.1), nn.LayerNorm(d)
        self.text = nn.ModuleList(Block(d, heads, quick_gelu, True) for _ in range(layers))
        self.vp, self.tp = nn.Linear(d, d // 2, bias=False), nn.Linear(d, d // 2, bias=False)

    def forward(self, pixel_values, inputs_embeds):
        x = self.patches(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls.expand(x.shape[0], 1, -1), x], 1) + self.place
        x = self.pre(x)
        for b in self.vision:
            x = b(x, None)
        image = F.normalize(self.vp(self.post(x[:, 0])), dim=-1)
        y = inputs_embeds + self.position[: inputs_embeds.shape[1]]
        mask = causal(y)
        for b in self.text:
            y = b(y, mask)
        text = F.normalize(self.tp(self.final(y)[:, -1]), dim=-1)
        return image, text, 10 * image @ text.T


class Listener(nn.Module):
    """A residual net over log-mel frames, as aiSFX's."""

    def __init__(self, c, d):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d(2))
        self.a = nn.Sequential(nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c), nn.ELU(), nn.Conv2d(c, c, 3, padding=1), nn.BatchNorm2d(c))
        self.b = nn.Sequential(nn.Conv2d(c, 2 * c, 3, 2, 1), nn.LeakyReLU(0.1), nn.AvgPool2d(2))
        self.out = nn.Linear(2 * c, d)

    def forward(self, frames):
        x = self.stem(frames)
        x = self.b(torch.relu(x + self.a(x)))
        return self.out(x.amax(3).mean(2))


class Recurrent(nn.Module):
    def __init__(self, width, d, classes):
        super().__init__()
        self.gru, self.lstm, self.out = nn.GRU(width, d, 2, batch_first=True), nn.LSTM(d, d, bidirectional=True, batch_first=True), nn.Linear(2 * d, classes)

    def forward(self, series, h0):
        x, h = self.gru(series, h0)
        y, _ = self.lstm(x)
        return self.out(y), h


def mask_of(batch, n):
    m = torch.ones(batch, n, dtype=torch.int64)
    m[-1, n - n // 3 :] = 0
    return m


LITE0 = [(1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3), (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)]


def cases(real, batch):
    r = lambda *s: torch.randn(*s)
    if real:
        return {
            "efficientnet-lite0": (EfficientNet(32, LITE0, 1280, 1000, True), {"picture": r(batch, 3, 224, 224)}),
            "efficientnet-b0": (EfficientNet(32, LITE0, 1280, 1000, False), {"picture": r(batch, 3, 224, 224)}),
            "minilm-l6": (Bert(384, 12, 6), {"inputs_embeds": r(batch, 32, 384), "attention_mask": mask_of(batch, 32)}),
            "gpt2-small": (GPT2(768, 12, 12, 50257), {"inputs_embeds": r(batch, 24, 768)}),
            "clip-b32": (CLIP(768, 12, 12, 32, 224), {"pixel_values": r(batch, 3, 224, 224), "inputs_embeds": r(batch, 16, 768)}),
            "listener": (Listener(64, 512), {"frames": r(batch, 1, 96, 100)}),
            "recurrent": (Recurrent(64, 256, 100), {"series": r(batch, 32, 64), "h0": torch.zeros(2, batch, 256)}),
        }
    blocks = [(1, 8, 1, 1, 3), (4, 12, 2, 2, 5), (4, 16, 2, 2, 3)]
    return {
        "efficientnet-lite": (EfficientNet(8, blocks, 32, 10, True), {"picture": r(batch, 3, 40, 40)}),
        "efficientnet": (EfficientNet(8, blocks, 32, 10, False), {"picture": r(batch, 3, 40, 40)}),
        "bert": (Bert(48, 4, 3), {"inputs_embeds": r(batch, 9, 48), "attention_mask": mask_of(batch, 9)}),
        "gpt2": (GPT2(48, 4, 3, 101), {"inputs_embeds": r(batch, 9, 48)}),
        "clip": (CLIP(32, 4, 2, 8, 24), {"pixel_values": r(batch, 3, 24, 24), "inputs_embeds": r(batch, 7, 32)}),
        "listener": (Listener(8, 12), {"frames": r(batch, 1, 24, 26)}),
        "recurrent": (Recurrent(6, 10, 5), {"series": r(batch, 7, 6), "h0": r(2, batch, 10)}),
    }


def written(t):
    kind = {torch.float32: "float32", torch.float64: "float32", torch.int64: "int64"}[t.dtype]
    return {"type": kind, "shape": list(t.shape), "data": t.detach().reshape(-1).tolist()}


# ONNX graphs, operator by operator in PyTorch: those of the models that the tests name.


def pool_pads(x, a, value):
    p = a.get("pads", [0] * 4)
    return F.pad(x, (p[1], p[3], p[0], p[2]), value=value)


def conv(a, x, w, b=None):
    p = a.get("pads", [0] * 4)
    return F.conv2d(F.pad(x, (p[1], p[3], p[0], p[2])), w, b, a.get("strides", 1), 0, a.get("dilations", 1), a.get("group", 1))


def gemm(a, x, w, b=None):
    x, w = x.T if a.get("transA") else x, w.T if a.get("transB") else w
    y = a.get("alpha", 1.0) * x @ w
    return y if b is None else y + a.get("beta", 1.0) * b


def sliced(a, x, starts, ends, axes=None, steps=None):
    starts, ends = starts.tolist(), ends.tolist()
    for i, axis in enumerate(range(len(starts)) if axes is None else axes.tolist()):
        n, step = x.shape[axis], 1 if steps is None else steps.tolist()[i]
        x = x.index_select(axis, torch.tensor(range(n)[starts[i] : ends[i] : step], dtype=torch.int64))
    return x


def split(a, x, sizes=None):
    axis = a.get("axis", 0)
    n = len(a["outputs"])
    return x.split(sizes.tolist() if sizes is not None else -(-x.shape[axis] // n), axis)


def reduced(f):
    def run(a, x, axes=None):
        axes = axes.tolist() if axes is not None else a.get("axes") or list(range(x.dim()))
        return f(x, axes, bool(a.get("keepdims", 1)))
    return run


def reshape(a, x, shape):
    return x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape.tolist())])


def unsqueeze(a, x, axes=None):
    axes = axes.tolist() if axes is not None else a["axes"]
    for axis in sorted(i % (x.dim() + len(axes)) for i in axes):
        x = x.unsqueeze(axis)
    return x


def softmax(a, x):
    if a["opset"] >= 13:
        return x.softmax(a.get("axis", -1))
    axis = a.get("axis", 1)
    return x.reshape(math.prod(x.shape[:axis]), -1).softmax(-1).reshape(x.shape)


KINDS = {1: torch.float64, 6: torch.int64, 7: torch.int64, 9: torch.bool}
OPERATORS = {
    "Add": lambda a, x, y: x + y, "Sub": lambda a, x, y: x - y, "Mul": lambda a, x, y: x * y, "Div": lambda a, x, y: x / y if x.is_floating_point() else x // y,
    "Sum": lambda a, *xs: sum(xs), "Pow": lambda a, x, y: x ** y, "Max": lambda a, x, y: torch.maximum(x, y), "Identity": lambda a, x: x, "Dropout": lambda a, x, *_: x,
    "Relu": lambda a, x: x.relu(), "Erf": lambda a, x: x.erf(), "Tanh": lambda a, x: x.tanh(), "Sigmoid": lambda a, x: x.sigmoid(), "Cast": lambda a, x: x.to(KINDS[a["to"]]),
    "Clip": lambda a, x, lo=None, hi=None: x.clamp(lo, hi), "Conv": conv, "Gemm": gemm, "MatMul": lambda a, x, y: x @ y, "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdim=True), "MaxPool": lambda a, x: F.max_pool2d(pool_pads(x, a, -math.inf), a["kernel_shape"], a.get("strides", 1)),
    "AveragePool": lambda a, x: F.avg_pool2d(x, a["kernel_shape"], a.get("strides", 1)),  # without padding
    "BatchNormalization": lambda a, x, s, b, m, v: F.batch_norm(x, m, v, s, b, eps=a.get("epsilon", 1e-5)), "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "LayerNormalization": lambda a, x, s, b=None: F.layer_norm(x, s.shape, s, b, a.get("epsilon", 1e-5)), "Softmax": softmax, "Reshape": reshape, "Unsqueeze": unsqueeze,
    "ReduceMax": reduced(lambda x, d, k: x.amax(d, k)), "ReduceMean": reduced(lambda x, d, k: x.mean(d, k)), "ReduceSum": reduced(lambda x, d, k: x.sum(d, k)),
    "ReduceL2": reduced(lambda x, d, k: x.square().sum(d, k).sqrt()), "Shape": lambda a, x: torch.tensor(x.shape), "Slice": sliced, "Split": split,
    "Transpose": lambda a, x: x.permute(a.get("perm") or list(range(x.dim()))[::-1]),
    "Gather": lambda a, x, i: x.index_select(a.get("axis", 0), i.reshape(-1) % x.shape[a.get("axis", 0)]).reshape(x.shape[: a.get("axis", 0)] + i.shape + x.shape[a.get("axis", 0) + 1 :]),
}


def values(graph):
    import numpy as np
    from onnx import numpy_helper
    as64 = lambda t: torch.tensor(np.array(numpy_helper.to_array(t)).astype({"f": "float64"}.get(numpy_helper.to_array(t).dtype.kind, "int64")))
    env = {t.name: as64(t) for t in graph.initializer}
    for n in graph.node:
        if n.op_type == "Constant":
            env[n.output[0]] = as64(n.attribute[0].t)
    return env


def compute(model, given):
    """Runs a graph in float64; what given names is not computed."""
    from onnx import helper
    env = {**values(model.graph), **given, "": None}
    for n in model.graph.node:
        if all(o in env for o in n.output):
            continue
        a = {x.name: helper.get_attribute_value(x) for x in n.attribute}
        a["outputs"], a["opset"] = n.output, model.opset_import[0].version
        if n.op_type not in OPERATORS:
            raise SystemExit(f"{n.op_type} is not written")
        ys = OPERATORS[n.op_type](a, *(env[i] for i in n.input))
        for name, y in zip(n.output, ys if isinstance(ys, tuple) else (ys,)):
            env.setdefault(name, y)
    return env


def graphs(out, folders):
    import onnx
    import shutil
    torch.manual_seed(1)
    for folder in folders:
        name = os.path.basename(os.path.normpath(folder))
        model = onnx.load(os.path.join(folder, "model.onnx"))
        with open(os.path.join(folder, "case.json")) as f:
            described = json.load(f)["inputs"]
        inputs, feeds = {}, []
        for k, d in described.items():
            if d["type"] == "float32":
                inputs[k] = torch.randn(d["shape"], dtype=torch.float64) * d.get("scale", 0.5)
            elif d.get("fill") is not None:
                inputs[k] = torch.full(d["shape"], int(d["fill"]))
            else:
                inputs[k] = torch.randint(d["below"], d["shape"])
        tables = {t.name for t in model.graph.initializer}
        tokens = next((n for n in model.graph.node if n.op_type == "Gather" and n.input[0] in tables and n.input[1] in inputs), None)
        if tokens is not None and "ids" in tokens.input[1]:  # vectors in place of tokens
            feeds = [tokens.output[0]]
            inputs[feeds[0]] = compute(model, inputs)[feeds[0]].clone()
        inputs = {k: v.float().double() if v.is_floating_point() else v for k, v in inputs.items()}  # as they are written
        xs = {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in inputs.items()}
        env = compute(model, xs)
        outputs = [o.name for o in model.graph.output if env[o.name].is_floating_point() and env[o.name].requires_grad]
        ds = {o: torch.randn_like(env[o]).float().double() for o in outputs}
        sum((env[o] * ds[o]).sum() for o in outputs).backward()
        shutil.copy(os.path.join(folder, "model.onnx"), os.path.join(out, name + ".onnx"))
        case = {"model": name + ".onnx", "feeds": feeds, "inputs": {k: written(v) for k, v in inputs.items()}, "outputs": {o: written(env[o]) for o in outputs},
                "dOutputs": {o: written(d) for o, d in ds.items()}, "dInputs": {k: written(v.grad) for k, v in xs.items() if v.is_floating_point()}}
        with open(os.path.join(out, name + ".json"), "w") as f:
            json.dump(case, f)


def main():
    if "--graphs" in sys.argv:
        return graphs(sys.argv[1], sys.argv[3:])
    out, real = sys.argv[1], "--real" in sys.argv
    for batch in (1, 8) if real else (2,):
        torch.manual_seed(1)
        for name, (model, inputs) in cases(real, batch).items():
            if real:
                name = f"{name}-batch{batch}"
            model.eval()
            for m in model.modules():
                if isinstance(m, nn.BatchNorm2d):
                    m.running_mean.uniform_(-0.1, 0.1)
                    m.running_var.uniform_(0.8, 1.2)
            names = list(inputs)
            with torch.no_grad():
                ys = model(*inputs.values())
            ys = ys if isinstance(ys, tuple) else (ys,)
            outputs = [f"out{i}" for i in range(len(ys))]
            path = os.path.join(out, name + ".onnx")
            torch.onnx.export(model, tuple(inputs.values()), path, dynamo=False, opset_version=17, input_names=names, output_names=outputs)
            case = {"model": name + ".onnx", "inputs": {k: written(v) for k, v in inputs.items()}}
            if not real:
                xs = {k: v.clone().requires_grad_(v.is_floating_point()) for k, v in inputs.items()}
                got = model(*xs.values())
                got = got if isinstance(got, tuple) else (got,)
                ds = [torch.randn_like(y) for y in got]
                sum((y * d).sum() for y, d in zip(got, ds)).backward()
                case["outputs"] = {n: written(y) for n, y in zip(outputs, got)}
                case["dOutputs"] = {n: written(d) for n, d in zip(outputs, ds)}
                case["dInputs"] = {k: written(v.grad) for k, v in xs.items() if v.is_floating_point()}
            with open(os.path.join(out, name + ".json"), "w") as f:
                json.dump(case, f)


main()
