"""The four networks, in operators that small engines run: Conv, Relu, Add, GlobalAveragePool, MatMul
and element-wise arithmetic. Batch normalisation exists in training only and is folded for export."""

import math

import torch
import torch.nn.functional as F
from torch import nn

EMBEDDING = 256  # width of the space that pictures, sounds and texts share


def conv_norm(inputs, outputs, kernel, stride=1, pad=None):
    pad = kernel // 2 if pad is None else pad
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, pad, bias=False), nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Two 3×3 convolutions around a shortcut (He et al. 2016). With `pool` a strided shortcut averages
    2×2 cells first (He et al. 2019), which needs even sides; without, it takes every second cell."""

    def __init__(self, inputs, outputs, stride, pool=True):
        super().__init__()
        self.first = conv_norm(inputs, outputs, 3, stride)
        self.second = conv_norm(outputs, outputs, 3)
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            if pool and stride != 1:
                self.shortcut = nn.Sequential(nn.AvgPool2d(stride, count_include_pad=False), *conv_norm(inputs, outputs, 1))
            else:
                self.shortcut = conv_norm(inputs, outputs, 1, stride)

    def forward(self, x):
        y = self.second(F.relu(self.first(x), inplace=True))
        return F.relu(y + self.shortcut(x), inplace=True)


def blocks(stem, stages, pool=True):
    """A stack of stem convolutions (width, stride) and residual blocks (width, stride)."""
    layers, width = [], stem[0][0]
    for outputs, kernel, stride in stem[1:]:
        layers += [conv_norm(width, outputs, kernel, stride), nn.ReLU(inplace=True)]
        width = outputs
    for outputs, stride in stages:
        layers.append(Block(width, outputs, stride, pool))
        width = outputs
    return nn.Sequential(*layers), width


def normalise(x):
    """Rows of unit length, in plain operators."""
    return x / torch.sqrt((x * x).sum(-1, keepdim=True) + 1e-12)


class Vision(nn.Module):
    """Picture [B, 3, 64, 64] (standardised RGB) → embedding [B, 256] of unit length, grid [B, 16, C]."""

    def __init__(self, stem=((3,), (24, 3, 2), (48, 3, 2)), stages=((48, 1), (112, 2), (112, 1), (256, 2), (256, 1))):
        super().__init__()
        self.body, self.width = blocks(stem, stages)
        self.project = nn.Linear(self.width, EMBEDDING)
        self.register_buffer("grid_mean", torch.zeros(self.width))
        self.register_buffer("grid_scale", torch.ones(self.width))

    def features(self, x):
        return self.body(x)

    def embed(self, features):
        return normalise(self.project(F.adaptive_avg_pool2d(features, 1).flatten(1)))

    def forward(self, picture):
        features = self.features(picture)
        grid = features.reshape(-1, self.width, 16).transpose(1, 2)
        return self.embed(features), (grid - self.grid_mean) * self.grid_scale


class TextTower(nn.Module):
    """Token ids [B, T] (0 = padding) → embedding [B, 256] of unit length.

    A word's vector is a shared linear map of its WordNet vector plus a free residual; residuals are
    dropped at random in training, so words that no picture taught still get a fair vector. The
    weighted mean of the words passes a small residual network. Word order does not matter.
    """

    def __init__(self, meaning, weights, residual_dropout=0.3):
        super().__init__()
        size, dim = meaning.shape
        self.register_buffer("meaning", meaning)
        self.map = nn.Linear(dim, EMBEDDING, bias=False)
        nn.init.normal_(self.map.weight, std=1 / math.sqrt(dim))
        self.residual = nn.Parameter(torch.randn(size, EMBEDDING) * 0.1)
        self.weight = nn.Parameter(torch.log(weights.clamp_min(1e-3)))
        self.register_buffer("mask", (weights > 0).float())
        self.up = nn.Linear(EMBEDDING, EMBEDDING)
        self.down = nn.Linear(EMBEDDING, EMBEDDING)
        nn.init.zeros_(self.down.weight)
        self.residual_dropout = residual_dropout

    def table(self):
        """Word vectors [V, 256] and word weights [V, 1] as the exported module stores them."""
        residual = self.residual
        if self.training and self.residual_dropout:
            keep = (torch.rand(len(residual), 1) > self.residual_dropout).float()
            residual = residual * keep / (1 - self.residual_dropout)
        return self.map(self.meaning) + residual, (self.mask * torch.exp(self.weight)).unsqueeze(1)

    def forward(self, ids, table=None):
        return self.encode(ids, *(table or self.table()))

    def encode(self, ids, vectors, weights):
        w = F.embedding(ids, weights)
        x = (F.embedding(ids, vectors) * w).sum(1) / (w.sum(1) + 1e-6)
        return normalise(x + self.down(F.relu(self.up(x))))


class Body(nn.Module):
    """One gated recurrent layer (Cho et al. 2014): token [B], state [B, H] → hidden [B, H], state' [B, H].

    The hidden output is the new state itself; two ports, because they go to different places.
    """

    def __init__(self, vocabulary, width, hidden, dropout=0.25):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=0.1)
        self.cell = nn.GRU(width, hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)

    def sequence(self, tokens):
        """Tokens [B, T] → hidden [B, T, H] from a zero state, for training."""
        return self.dropout(self.cell(self.dropout(self.embedding(tokens)))[0])

    def forward(self, token, state):
        g = self.cell
        inputs = F.linear(self.embedding(token), g.weight_ih_l0, g.bias_ih_l0)
        recurrent = F.linear(state, g.weight_hh_l0, g.bias_hh_l0)
        h = g.hidden_size
        reset = torch.sigmoid(inputs[:, :h] + recurrent[:, :h])
        update = torch.sigmoid(inputs[:, h : 2 * h] + recurrent[:, h : 2 * h])
        new = torch.tanh(inputs[:, 2 * h :] + reset * recurrent[:, 2 * h :])
        state = new + update * (state - new)
        return state, state * 1.0


class Sound(nn.Module):
    """Log-mel window [B, 1, 64, F] → embedding [B, 128] of unit length, text-space embedding [B, 256]."""

    def __init__(self, width=128):
        super().__init__()
        self.body, channels = blocks(((1,), (24, 3, 2)), ((32, 2), (64, 2), (128, 2)), pool=False)
        self.embedding = nn.Linear(channels, width)
        self.project = nn.Linear(width, EMBEDDING)

    def forward(self, logmel):
        x = self.embedding(F.adaptive_avg_pool2d(self.body(logmel), 1).flatten(1))
        return normalise(x), normalise(self.project(F.relu(x)))


@torch.no_grad()
def fold(module):
    """Folds every batch normalisation into the convolution before it (in place); returns the module."""
    for layer in module.modules():
        if isinstance(layer, nn.Sequential) and isinstance(layer[-1], nn.BatchNorm2d):
            conv, norm = layer[-2], layer[-1]
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            conv.weight.mul_(scale[:, None, None, None])
            conv.bias = nn.Parameter(norm.bias - norm.running_mean * scale)
            layer[-1] = nn.Identity()
    return module


class Average:
    """Exponential moving average of a module's parameters and buffers (Polyak averaging)."""

    def __init__(self, module, decay):
        self.decay, self.steps = decay, 0
        self.values = {k: v.detach().clone() for k, v in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in module.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[name].lerp_(value, 1 - decay)
            else:
                self.values[name].copy_(value)
