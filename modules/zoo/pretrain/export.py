"""Writes trained networks as modules: ONNX files with fp16 weights, manifests, test vectors.

Every float weight of more than 256 numbers is stored as float16 and widened by a Cast node; all
arithmetic is float32. Test vectors are computed by PyTorch with the same rounded weights.
"""

import copy
import hashlib
import io
import json
import math
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

import language
import sound
from nets import EMBEDDING, fold

OPSET = 13
LARGE = 256  # numbers; smaller weights stay float32
SOURCE = "pretrained by this project with modules/zoo/pretrain"


class ExportedText(nn.Module):
    """A text tower with its word vectors and weights worked out: what the ONNX file computes."""

    def __init__(self, tower):
        super().__init__()
        with torch.no_grad():
            vectors, weights = tower.eval().table()
        self.vectors, self.weights = nn.Parameter(vectors), nn.Parameter(weights)
        self.up, self.down = copy.deepcopy(tower.up), copy.deepcopy(tower.down)
        self.encode = type(tower).encode.__get__(self)

    def forward(self, tokens):
        return self.encode(tokens, self.vectors, self.weights)


@torch.no_grad()
def rounded(module):
    """A copy of a module whose large weights are rounded to float16, as the file stores them."""
    module = copy.deepcopy(module).eval()
    for p in module.parameters():
        if p.numel() > LARGE:
            p.copy_(p.half().float())
    return module


def to_onnx(module, inputs, names, outputs, dynamic, path):
    """Exports, stores large weights as float16, checks and writes the model; returns its operators.

    `outputs` maps each output's name to its shape after the batch."""
    buffer = io.BytesIO()
    torch.onnx.export(module, inputs, buffer, input_names=names, output_names=list(outputs),
                      dynamic_axes=dynamic, opset_version=OPSET, do_constant_folding=True)
    model = onnx.load_from_string(buffer.getvalue())
    lift_constants(model.graph)
    halve(model.graph)
    for value in model.graph.output:
        for dim, size in zip(value.type.tensor_type.shape.dim[1:], outputs[value.name]):
            dim.dim_value = size
    model.producer_name, model.producer_version, model.doc_string = "wire", "1", ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    return sorted({node.op_type for node in model.graph.node})


def lift_constants(graph):
    """Turns Constant nodes into initializers: one operator fewer for an engine."""
    kept = []
    for node in graph.node:
        if node.op_type == "Constant":
            tensor = onnx.TensorProto()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def halve(graph):
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size <= LARGE:
            continue
        name, half = tensor.name, values.astype(np.float16)
        if not np.isfinite(half).all():
            raise ValueError(f"{name} does not fit float16 (largest weight {np.abs(values).max()})")
        tensor.CopyFrom(numpy_helper.from_array(half, name + ".fp16"))
        casts.append(helper.make_node("Cast", [name + ".fp16"], [name], name=name + ".cast", to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)


def wave(*shape, step=0.37, gain=1.0):
    """A test input: gain·sin(step·i) over the flat index i, computed in double precision."""
    return (gain * np.sin(step * np.arange(math.prod(shape)))).astype(np.float32).reshape(shape)


def numbers(tensor, digits=6):
    return [round(float(x), digits) for x in np.asarray(tensor.detach() if torch.is_tensor(tensor) else tensor).ravel()]


def write_json(path, value):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(value, indent=1) + "\n")


def write_manifest(folder, text, files):
    """module.yaml: the given text with the files' checksums in place of @FILES@."""
    sums = "".join(f"  {name}: {hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n" for name in files)
    (folder / "module.yaml").write_text(text.replace("@FILES@\n", sums).replace("@SOURCE@", SOURCE))


def refresh_manifest(folder):
    """Updates the checksums in a module.yaml after a listed file changed."""
    lines, inside = [], False
    for line in (folder / "module.yaml").read_text().splitlines():
        if inside and line.startswith("  "):
            name = line.split(":")[0].strip()
            line = f"  {name}: {hashlib.sha256((folder / name).read_bytes()).hexdigest()}"
        else:
            inside = line == "files:"
        lines.append(line)
    (folder / "module.yaml").write_text("\n".join(lines) + "\n")


def ready(zoo, name):
    folder = Path(zoo) / name
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "CARD.md").exists():
        (folder / "CARD.md").write_text(f"# {name}\n")
    return folder


VISION_LICENSE = "Apache-2.0 (weights; see CARD.md for the licences of the training pictures)"


def export_vision(net, zoo):
    folder = ready(zoo, "vision")
    net = rounded(fold(copy.deepcopy(net).to(memory_format=torch.contiguous_format)))
    x = torch.from_numpy(wave(2, 3, 64, 64, gain=2.0))
    operators = to_onnx(net, (x,), ["picture"], {"embedding": (EMBEDDING,), "grid": (16, net.width)},
                        {"picture": {0: "batch"}, "embedding": {0: "batch"}, "grid": {0: "batch"}}, folder / "model.onnx")
    with torch.no_grad():
        embedding, grid = net(x)
    write_json(Path(zoo) / "testdata" / "vision.json", {
        "about": "picture[i] = 2*sin(0.37*i) over the flat index of [2,3,64,64]; tolerance 1e-3 absolute (float32 order of sums)",
        "picture": {"shape": [2, 3, 64, 64], "gain": 2.0, "step": 0.37},
        "embedding": {"shape": [2, 256], "values": numbers(embedding)},
        "grid": {"shape": list(grid.shape), "first": numbers(grid[0, 0, :32]), "last": numbers(grid[1, 15, -32:]),
                 "mean": round(float(grid.mean()), 6), "mean_square": round(float((grid**2).mean()), 6)}})
    write_manifest(folder, f"""format: 1
name: vision
modality: vision
description: A picture becomes a 4x4 grid of features and one embedding in the space it shares with texts.
license: "{VISION_LICENSE}"
source: "@SOURCE@"
card: CARD.md
files:
@FILES@
parts:
  - name: model
    file: model.onnx
inputs:
  - name: picture
    kind: image
    type: float32
    shape: [batch, 3, 64, 64]
    image:
      size: [64, 64]
      fit: pad
      filter: bilinear
      mean: [0.5, 0.5, 0.5]
      std: [0.25, 0.25, 0.25]
      order: rgb
      layout: nchw
      background: "#ffffff"
outputs:
  - name: embedding
    kind: embedding
    type: float32
    shape: [batch, 256]
  - name: grid
    kind: grid
    type: float32
    shape: [batch, 16, {net.width}]
    layout: tokens
""", ["CARD.md", "model.onnx"])
    return operators


def export_text(tower, vocabulary, zoo):
    folder = ready(zoo, "text")
    vocabulary.save(folder / "vocab.txt")
    net = rounded(ExportedText(tower))
    texts = ["a red hat", "dog", "a smiling face with sunglasses"]
    rows = [vocabulary.ids(t, skip_unknown=True) for t in texts]
    width = max(len(r) for r in rows)
    ids = torch.tensor([r + [0] * (width - len(r)) for r in rows])
    operators = to_onnx(net, (ids,), ["tokens"], {"embedding": (EMBEDDING,)},
                        {"tokens": {0: "batch", 1: "words"}, "embedding": {0: "batch"}}, folder / "model.onnx")
    with torch.no_grad():
        embedding = net(ids)
    write_json(Path(zoo) / "testdata" / "text.json", {
        "about": "token ids of three texts, padded with 0; tolerance 1e-4",
        "texts": texts, "tokens": ids.tolist(), "embedding": {"shape": list(embedding.shape), "values": numbers(embedding)}})
    write_manifest(folder, """format: 1
name: text
modality: language
description: Words become one embedding in the space they share with pictures and sounds. A single word's embedding is its word vector.
license: "Apache-2.0 (weights; see CARD.md for the licences of the training texts)"
source: "@SOURCE@"
card: CARD.md
files:
@FILES@
parts:
  - name: model
    file: model.onnx
inputs:
  - name: tokens
    kind: text
    type: int64
    shape: [batch, words]
    text: {vocabulary: vocab.txt, lower: true}
outputs:
  - name: embedding
    kind: embedding
    type: float32
    shape: [batch, 256]
""", ["CARD.md", "model.onnx", "vocab.txt"])
    return operators


def export_language(body, head, vocabulary, zoo):
    folder = ready(zoo, "language")
    vocabulary.save(folder / "vocab.txt")
    body, head = rounded(body), rounded(head)
    hidden = language.HIDDEN
    token, state = torch.tensor([2, 3]), torch.zeros(2, hidden)
    operators = to_onnx(body, (token, state), ["token", "state"], {"hidden": (hidden,), "next_state": (hidden,)},
                        {"token": {0: "batch"}, "state": {0: "batch"}, "hidden": {0: "batch"}, "next_state": {0: "batch"}},
                        folder / "body.onnx")
    operators += to_onnx(head, (state,), ["hidden"], {"logits": (len(vocabulary),)},
                         {"hidden": {0: "batch"}, "logits": {0: "batch"}}, folder / "head.onnx")
    steps, text = [], [2, *vocabulary.ids("a red hat")]
    with torch.no_grad():
        s = torch.zeros(1, hidden)
        for t in text:
            h, s = body(torch.tensor([t]), s)
            logits = head(h)
            top = logits[0].topk(5)
            steps.append({"token": t, "hidden": numbers(h), "top": top.indices.tolist(), "top_logits": numbers(top.values, 5),
                          "log_sum_exp": round(float(torch.logsumexp(logits, 1)), 5)})
    write_json(Path(zoo) / "testdata" / "language.json", {
        "about": "<caption> a red hat, one token a step from a zero state; tolerance 1e-4 (hidden), 1e-3 (logits)", "steps": steps})
    write_manifest(folder, f"""format: 1
name: language
modality: language
description: One word a step; the body turns word and state into a hidden vector, the head turns that into scores of the next word.
license: "Apache-2.0 (weights; see CARD.md for the licences of the training texts)"
source: "@SOURCE@"
card: CARD.md
files:
@FILES@
parts:
  - name: body
    file: body.onnx
  - name: head
    file: head.onnx
inputs:
  - name: token
    kind: tokens
    part: body
    type: int64
    shape: [batch]
  - name: state
    kind: state
    part: body
    type: float32
    shape: [batch, {hidden}]
  - name: head_hidden
    kind: embedding
    part: head
    tensor: hidden
    type: float32
    shape: [batch, {hidden}]
outputs:
  - name: hidden
    kind: embedding
    part: body
    type: float32
    shape: [batch, {hidden}]
  - name: next_state
    kind: state
    part: body
    type: float32
    shape: [batch, {hidden}]
  - name: logits
    kind: logits
    part: head
    type: float32
    shape: [batch, {len(vocabulary)}]
    labels: vocab.txt
states:
  - input: state
    output: next_state
""", ["CARD.md", "body.onnx", "head.onnx", "vocab.txt"])
    return sorted(set(operators))


def export_sound(net, zoo):
    folder = ready(zoo, "sound")
    net = rounded(fold(copy.deepcopy(net)))
    seconds = np.arange(sound.RATE) / sound.RATE
    samples = (0.5 * np.sin(2 * np.pi * (200 + 600 * seconds) * seconds) * np.exp(-3 * seconds)).astype(np.float32)
    frames = sound.logmel(samples)
    x = torch.from_numpy(frames.copy())[None, None]
    operators = to_onnx(net, (x,), ["logmel"], {"embedding": (net.embedding.out_features,), "text_embedding": (EMBEDDING,)},
                        {"logmel": {0: "batch", 3: "frames"}, "embedding": {0: "batch"}, "text_embedding": {0: "batch"}},
                        folder / "model.onnx")
    with torch.no_grad():
        embedding, text = net(x)
        waved = net(torch.from_numpy(wave(1, 1, sound.MELS, 99)))
    write_json(Path(zoo) / "testdata" / "sound.json", {
        "about": "samples[n] = 0.5*sin(2*pi*(200+600*t)*t)*exp(-3*t), t = n/16000, n = 0..15999; log-mel [64, 98]; tolerance 1e-3",
        "logmel": {"shape": list(frames.shape), "frame_0": numbers(frames[:, 0], 5), "frame_49": numbers(frames[:, 49], 5),
                   "frame_97": numbers(frames[:, 97], 5), "mean": round(float(frames.mean()), 6)},
        "embedding": {"shape": list(embedding.shape), "values": numbers(embedding)},
        "text_embedding": {"shape": list(text.shape), "values": numbers(text)},
        "wave": {"about": "the network alone: logmel[i] = sin(0.37*i) over the flat index of [1,1,64,99]",
                 "embedding": numbers(waved[0]), "text_embedding": numbers(waved[1])}})
    write_manifest(folder, f"""format: 1
name: sound
modality: sound
description: A sound's log-mel frames become one embedding, and one in the space shared with texts and pictures. Any number of frames.
license: "Apache-2.0 (weights; see CARD.md for the licences of the training sounds)"
source: "@SOURCE@"
card: CARD.md
files:
@FILES@
parts:
  - name: model
    file: model.onnx
inputs:
  - name: logmel
    kind: sound
    type: float32
    shape: [batch, 1, {sound.MELS}, frames]
    sound:
      rate: {sound.RATE}
      features: logmel
      window: {sound.WINDOW}
      hop: {sound.HOP}
      fft: {sound.FFT}
      taper: hann
      center: false
      power: 2
      mels: {sound.MELS}
      fmin: {sound.FMIN:g}
      fmax: {sound.FMAX:g}
      mel_scale: slaney
      mel_norm: slaney
      log: ln
      offset: {sound.OFFSET:.6f}
      mean: {sound.MEAN:g}
      std: {sound.DEVIATION:g}
      layout: mels-frames
outputs:
  - name: embedding
    kind: embedding
    type: float32
    shape: [batch, {len(embedding[0])}]
  - name: text_embedding
    kind: embedding
    type: float32
    shape: [batch, {len(text[0])}]
""", ["CARD.md", "model.onnx"])
    return operators
