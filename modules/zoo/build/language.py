"""The language module: a gated recurrent layer over words, learned from captions; and the n-gram model it is measured beside."""

import math
import re
from collections import Counter, defaultdict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from graph import LARGE, Graph
from onnx import TensorProto

PAD, UNK, CAPTION, EOS = range(4)
MARKS = ["<pad>", "<unk>", "<caption>", "<eos>"]
WIDTH, HIDDEN, LONGEST = 192, 256, 24

_TOKEN = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*|,")


def tokenize(text):
    """Lower-case runs of letters and digits with inner ' or -, and commas: what datasets.Tokenize does in Go."""
    return _TOKEN.findall(text.lower())


def vocabulary(captions, others, least=3):
    """Marks, then every word of the captions seen `least` times and every word of the other texts, the most frequent first."""
    often, also = Counter(w for t in captions for w in tokenize(t)), Counter(w for t in others for w in tokenize(t))
    words = {w for w, n in often.items() if n >= least} | set(also)
    return MARKS + sorted(words, key=lambda w: (-often[w] - also[w], w))


def numbers(texts, index):
    """Rows of [<caption>, words, <eos>, padding]."""
    rows = [[CAPTION, *(index.get(w, UNK) for w in tokenize(t)[: LONGEST - 2]), EOS] for t in texts]
    out = np.zeros((len(rows), LONGEST), np.int64)
    for line, row in zip(out, rows):
        line[: len(row)] = row
    return out


class Model(nn.Module):
    """Words -> hidden state (the body) -> scores of the next word (the head); the head's last weights are the words' own."""

    def __init__(self, size):
        super().__init__()
        self.words, self.recurrent = nn.Embedding(size, WIDTH), nn.GRU(WIDTH, HIDDEN, batch_first=True)
        self.narrow, self.bias, self.drop = nn.Linear(HIDDEN, WIDTH), nn.Parameter(torch.zeros(size)), nn.Dropout(0.15)
        nn.init.normal_(self.words.weight, std=WIDTH**-0.5)

    def body(self, ids):
        return self.recurrent(self.drop(self.words(ids)))[0]

    def head(self, hidden):
        return F.linear(self.drop(self.narrow(hidden)), self.words.weight, self.bias)

    def loss(self, rows):
        """Mean cross-entropy of the next word over what is neither padding nor unknown, and how many those are."""
        target = rows[:, 1:]
        keep = target > UNK
        return F.cross_entropy(self.head(self.drop(self.body(rows[:, :-1])[keep])), target[keep]), int(keep.sum())


def train(model, rows, epochs, batch=64, rate=4e-3, seed=1, check=None, log=print):
    """AdamW with one warm and cosine cycle; rows of like length share a batch."""
    rng, lengths = np.random.default_rng(seed), (rows != PAD).sum(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.02)
    steps, step = epochs * (len(rows) // batch), 0
    for epoch in range(epochs):
        order, total = rng.permutation(len(rows)), 0.0
        chunks = [c[np.argsort(lengths[c], kind="stable")] for c in np.array_split(order, max(len(rows) // (16 * batch), 1))]
        near = np.concatenate(chunks)
        model.train()
        for k in rng.permutation(len(rows) // batch):
            chosen = near[k * batch : (k + 1) * batch]
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * step / steps))
            value, _ = model.loss(torch.from_numpy(rows[chosen, : lengths[chosen].max()]))
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step, total = step + 1, total + value.item()
        log(f"language: epoch {epoch + 1} of {epochs}, loss {total / (len(rows) // batch):.3f}" + (check(model) if check else ""))
    return model.eval()


@torch.no_grad()
def perplexity(model, rows):
    """Per word and <eos>; unknown words are not counted."""
    model.eval()
    total = count = 0
    for i in range(0, len(rows), 128):
        value, n = model.loss(torch.from_numpy(rows[i : i + 128]))
        total, count = total + value.item() * n, count + n
    return math.exp(total / count)


class Trigrams:
    """Interpolated Kneser-Ney smoothing (Kneser & Ney 1995; Chen & Goodman 1999) of order 3 with one discount an order."""

    def __init__(self, rows, size):
        self.size, self.counts, self.followers = size, [], []
        grams = [Counter(), Counter(), Counter()]
        for row in rows:
            row = [CAPTION, *row[row != PAD].tolist()]
            grams[2].update(zip(row, row[1:], row[2:]))
        # lower orders count what a word follows, not how often
        grams[1].update((b, c) for _, b, c in grams[2])
        grams[0].update((c,) for _, c in grams[1])
        self.grams = grams
        self.discount, self.total, self.kinds = [], [], []
        for gram in grams:
            once, twice = (sum(1 for n in gram.values() if n == k) for k in (1, 2))
            self.discount.append(once / (once + 2 * twice) if once else 0.5)
            total, kinds = defaultdict(int), defaultdict(int)
            for key, n in gram.items():
                total[key[:-1]] += n
                kinds[key[:-1]] += 1
            self.total.append(total)
            self.kinds.append(kinds)

    def probability(self, context, word, order=2):
        if order < 0:
            return 1 / self.size
        context = context[len(context) - order :] if order else ()
        below = self.probability(context[1:], word, order - 1)
        total = self.total[order].get(context, 0)
        if not total:
            return below
        discount = self.discount[order]
        own = max(self.grams[order].get((*context, word), 0) - discount, 0) / total
        return own + discount * self.kinds[order][context] / total * below

    def perplexity(self, rows):
        total = count = 0
        for row in rows:
            row = [CAPTION, *row[row != PAD].tolist()]
            for i in range(2, len(row)):
                if row[i] > UNK:
                    total, count = total + math.log(self.probability((row[i - 2], row[i - 1]), row[i])), count + 1
        return math.exp(-total / count)


@torch.no_grad()
def rounded(model):
    """The model with the weights that the files keep."""
    for p in model.parameters():
        if p.numel() > LARGE:
            p.copy_(p.half().float())
    return model.eval()


def networks(model):
    """Two graphs: from `token` and `state` to `hidden` and `next_state`; from `hidden` to `logits`."""
    w = {k: v.detach().numpy() for k, v in model.state_dict().items()}
    size = len(w["bias"])
    g = Graph("language-body")
    token, state = g.input("token", ["batch"], TensorProto.INT64), g.input("state", ["batch", HIDDEN])
    x = g.linear(g.op("Gather", g.weight(w["words.weight"]), token), w["recurrent.weight_ih_l0"], w["recurrent.bias_ih_l0"])
    h = g.linear(state, w["recurrent.weight_hh_l0"], w["recurrent.bias_hh_l0"])

    def part(t, k):
        return g.op("Slice", t, g.weight(np.array([k * HIDDEN])), g.weight(np.array([(k + 1) * HIDDEN])), g.weight(np.array([1])))

    reset = g.op("Sigmoid", g.op("Add", part(x, 0), part(h, 0)))
    update = g.op("Sigmoid", g.op("Add", part(x, 1), part(h, 1)))
    fresh = g.op("Tanh", g.op("Add", part(x, 2), g.op("Mul", reset, part(h, 2))))
    # (1 - u) fresh + u state
    after = g.op("Add", fresh, g.op("Mul", update, g.op("Sub", state, fresh)))
    g.output("hidden", after, ["batch", HIDDEN])
    g.output("next_state", after, ["batch", HIDDEN])
    head = Graph("language-head")
    hidden = head.input("hidden", ["batch", HIDDEN])
    narrow = head.linear(hidden, w["narrow.weight"], w["narrow.bias"])
    head.output("logits", head.linear(narrow, w["words.weight"], w["bias"]), ["batch", size])
    return g, head
