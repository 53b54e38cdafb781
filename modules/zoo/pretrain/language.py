"""Trains the language module: a small recurrent model of captions and of WordNet's definitions.

Texts come from texts.jsonl alone, whose writer keeps test captions out. Captions and templates start
with <caption>, glosses and examples with <gloss>; all end with <eos>.
"""

import math
from collections import Counter

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from nets import Body
from retrieval import pad
from schedule import Schedule, save, set_rate
from words import CAPTION, EOS, GLOSS, UNK, read_jsonl

WIDTH, HIDDEN, LENGTH = 128, 192, 24
KINDS = {"caption": CAPTION, "template": CAPTION, "gloss": GLOSS, "example": GLOSS}


class Corpus:
    """Token sequences by split: [start, words…, <eos>]; texts that are mostly unknown are left out."""

    def __init__(self, data, vocabulary):
        self.sequences = {"train": [], "val": []}
        for row in read_jsonl(f"{data}/texts.jsonl"):
            ids = vocabulary.ids(row["text"])[: LENGTH - 2]
            if row["split"] not in self.sequences or not ids or ids.count(UNK) > 0.2 * len(ids):
                continue
            self.sequences[row["split"]].append([KINDS[row["source"]], *ids, EOS])

    def of(self, split, start):
        return [s for s in self.sequences[split] if s[0] == start]


def batches(sequences, size, rng):
    """Random batches of sequences of similar length."""
    order = rng.permutation(len(sequences))
    for chunk in range(0, len(order), size * 50):
        near = sorted(order[chunk : chunk + size * 50], key=lambda i: len(sequences[i]))
        groups = [near[i : i + size] for i in range(0, len(near), size)]
        for g in rng.permutation(len(groups)):
            yield pad([sequences[i] for i in groups[g]])


def token_loss(body, head, tokens):
    """Summed cross-entropy (nats) of the next token and the number of tokens it is over: those that are
    neither padding nor unknown, so that the model never learns to say <unk>."""
    target = tokens[:, 1:]
    keep = target > UNK
    logits = head(body.sequence(tokens[:, :-1])[keep])
    target = target[keep]
    return F.cross_entropy(logits, target, reduction="sum"), len(target)


@torch.no_grad()
def perplexity(body, head, sequences):
    body.eval(), head.eval()
    total = count = 0
    for i in range(0, len(sequences), 128):
        loss, n = token_loss(body, head, pad(sequences[i : i + 128]))
        total, count = total + loss.item(), count + n
    return math.exp(total / max(count, 1))


def baseline_perplexities(train, held, size):
    """Unigram and interpolated bigram perplexities, add-one at the unigram; weights fixed beforehand."""
    unigram, bigram = Counter(), Counter()
    context = Counter()
    for s in train:
        unigram.update(t for t in s[1:] if t != UNK)
        bigram.update(zip(s, s[1:]))
        context.update(s[:-1])
    total = sum(unigram.values())
    sums, count = np.zeros(2), 0
    for s in held:
        for a, b in zip(s, s[1:]):
            if b == UNK:
                continue
            one = (unigram[b] + 1) / (total + size)
            trust = context[a] / (context[a] + 5)
            two = trust * bigram[a, b] / max(context[a], 1) + (1 - trust) * one
            sums += np.log([one, two])
            count += 1
    one, two = np.exp(-sums / max(count, 1))
    return {"unigram": round(float(one), 1), "bigram": round(float(two), 1)}


def train(data, vocabulary, out, seed=1, epochs=5, minutes=0, batch=64, rate=3e-3, repeat=4, log=print):
    """Trains for `epochs` and keeps the epoch with the best validation perplexity on captions and
    glosses together (geometric mean). Captions are seen `repeat` times an epoch."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    corpus = Corpus(data, vocabulary)
    captions, glosses = corpus.of("train", CAPTION), corpus.of("train", GLOSS)
    held_captions, held_glosses = corpus.of("val", CAPTION), corpus.of("val", GLOSS)
    body, head = Body(len(vocabulary), WIDTH, HIDDEN), nn.Linear(HIDDEN, len(vocabulary))
    parameters = [*body.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), weight_decay=0.02)
    size = len(glosses) + repeat * len(captions)
    log(f"language: {len(captions)} captions and templates, {len(glosses)} glosses and examples, "
        f"{sum(p.numel() for p in parameters) / 1e6:.2f} M parameters")
    schedule, best, state, epoch = Schedule(size * epochs, minutes), math.inf, None, 0
    while schedule.progress < 1:
        epoch += 1
        total = count = 0
        body.train(), head.train()
        for tokens in batches(glosses + captions * repeat, batch, rng):
            set_rate(optimizer, schedule.rate(rate))
            loss, n = token_loss(body, head, tokens)
            optimizer.zero_grad(set_to_none=True)
            (loss / n).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            total, count = total + loss.item(), count + n
            schedule.seen += len(tokens)
            if schedule.progress >= 1:
                break
        figures = [perplexity(body, head, held) for held in (held_captions, held_glosses) if held]
        log(f"{schedule.elapsed:6.1f} min epoch {epoch} train {math.exp(total / max(count, 1)):.1f} "
            f"val captions {figures[0]:.1f} glosses {figures[-1]:.1f}")
        score = float(np.mean(np.log(figures)))
        if score < best:
            best = score
            state = {"body": body.state_dict(), "head": head.state_dict(), "tokens": vocabulary.tokens,
                     "epoch": epoch, "minutes": schedule.elapsed,
                     "figures": {"captions": round(figures[0], 1), "glosses": round(figures[-1], 1)}}
            save(f"{out}/language.pt", state)
    return load(f"{out}/language.pt")


def load(path):
    """(body, head, state) of a checkpoint."""
    state = torch.load(path, map_location="cpu")
    body, head = Body(len(state["tokens"]), WIDTH, HIDDEN), nn.Linear(HIDDEN, len(state["tokens"]))
    body.load_state_dict(state["body"]), head.load_state_dict(state["head"])
    return body.eval(), head.eval(), state
