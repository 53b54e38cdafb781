"""Retrieval figures of a contrastive pair of towers on the same galleries for every encoder."""

import numpy as np
import torch

from pictures import is_emoji
from words import content_words, tokenize


def key(text):
    return " ".join(tokenize(text))


def recall(images, texts, gallery, own):
    """R@1, R@10 and the mean cosine to the own caption of images [N, E] against texts [G, E]."""
    scores = images @ texts.T
    target = scores[torch.arange(len(own)), own]
    rank = (scores > target[:, None]).sum(1)
    return {
        "n": len(own), "gallery": len(gallery),
        "r1": round(100 * (rank < 1).float().mean().item(), 1),
        "r10": round(100 * (rank < 10).float().mean().item(), 1),
        "cosine": round(target.mean().item(), 3),
        "cosine_other": round((scores.mean() * len(gallery) - target.mean()).item() / max(1, len(gallery) - 1), 3),
    }


SETS = {
    "emoji of unseen concepts": lambda row, split: row["split"] == split and is_emoji(row) and not row["held_style"],
    "held-out stamps": lambda row, split: row["split"] == split and row["source"] == "stamps",
    "all unseen pictures": lambda row, split: row["split"] == split and not row["held_style"],
    "unseen style, unseen concepts": lambda row, split: row["split"] == split and row["held_style"],
    "unseen style, seen concepts": lambda row, split: row["split"] == "train" and row["held_style"],
}


@torch.no_grad()
def embed_pictures(net, pictures, indices, size=64):
    net.eval()
    parts = [net.embed(net.features(pictures.plain(indices[i : i + 256], size))) for i in range(0, len(indices), 256)]
    return torch.cat(parts)


@torch.no_grad()
def evaluate(net, tower, vocabulary, pictures, split, sets=None, known=None):
    """Figures for every set of a split. `net` is a vision module, or a function from row numbers to
    embeddings. `known`, the words of training captions, adds stamps in two groups: every content word
    seen in training, and some word unseen."""
    tower.eval()
    table = tower.table()
    results = {}
    for name in sets or SETS:
        chosen = pictures.where(lambda row: SETS[name](row, split))
        if not len(chosen):
            continue
        captions = [pictures.rows[i]["captions"][0] for i in chosen]
        gallery = sorted({key(c) for c in captions})
        place = {c: i for i, c in enumerate(gallery)}
        own = torch.tensor([place[key(c)] for c in captions])
        ids = pad([vocabulary.ids(c, skip_unknown=True) for c in gallery])
        texts = tower(ids, table)
        images = embed_pictures(net, pictures, chosen) if isinstance(net, torch.nn.Module) else net(chosen)
        results[name] = recall(images, texts, gallery, own)
        if known is not None and name == "held-out stamps":
            seen = torch.tensor([all(w in known for w in content_words(c)) for c in captions])
            for label, mask in (("all words seen", seen), ("some word unseen", ~seen)):
                if mask.any():
                    results[f"{name}, {label}"] = recall(images[mask], texts, gallery, own[mask])
    return results


def pad(lists, width=None):
    """Lists of ids → int64 [B, T], padded with 0; at least one column."""
    width = width or max(1, max((len(x) for x in lists), default=1))
    out = np.zeros((len(lists), width), np.int64)
    for i, x in enumerate(lists):
        out[i, : len(x[:width])] = x[:width]
    return torch.from_numpy(out)
