"""Pictures: what the export holds, and augmentation of whole batches with few operations."""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from words import read_jsonl

MEAN, DEVIATION = 0.5, 0.25  # of the standardised input: (rgb in 0..1 − MEAN) / DEVIATION
NOT_EMOJI = ("stamps", "openclipart", "gcompris", "scratch", "fashion")


def is_emoji(row):
    return not row["source"].startswith(NOT_EMOJI)


class Pictures:
    """The rows of pictures.jsonl with their pixels [N, S, S, 4] uint8, memory-mapped."""

    def __init__(self, data):
        self.rows = read_jsonl(Path(data) / "pictures.jsonl")
        self.pixels = np.load(Path(data) / "pictures.npy", mmap_mode="r")
        if len(self.rows) != len(self.pixels):
            raise ValueError(f"{data}: {len(self.rows)} rows but {len(self.pixels)} pictures")

    def where(self, test):
        return np.array([i for i, row in enumerate(self.rows) if test(row)], dtype=np.int64)

    def premultiplied(self, indices):
        """[B, 4, S, S] float in 0..1, colours multiplied by alpha."""
        x = torch.from_numpy(np.ascontiguousarray(self.pixels[indices])).permute(0, 3, 1, 2).float() / 255
        x[:, :3] *= x[:, 3:]
        return x

    def cached(self, indices):
        """The premultiplied pictures [N, 4, S, S] as bytes, for quick access in training."""
        parts = [(self.premultiplied(indices[i : i + 512]) * 255).round().byte() for i in range(0, len(indices), 512)]
        return torch.cat(parts)

    def plain(self, indices, size=64):
        """[B, 3, size, size] standardised, on white: what the module sees in use."""
        x = self.premultiplied(indices)
        if x.shape[-1] != size:
            x = F.interpolate(x, (size, size), mode="bilinear", antialias=True, align_corners=False)
        return standardise(x[:, :3] + (1 - x[:, 3:]))


def standardise(rgb):
    return (rgb.clamp(0, 1) - MEAN) / DEVIATION


def augment(x, mirror, size, rng, strength=1.0):
    """Random views [B, 3, size, size] of premultiplied pictures x [B, 4, S, S].

    mirror [B] says which pictures may be flipped. One affine resampling does crop, zoom, rotation,
    squeeze and flip; colours turn a little around the grey axis; backgrounds are white, plain,
    graded or blotchy; some views lose a rectangle, their colour or their sharpness. A strength below 1
    makes every change smaller and rarer.
    """
    n = len(x)

    def uniform(low, high, *shape):
        return low + (high - low) * torch.rand((n, *shape), generator=rng)

    def chance(p, *shape):
        return (torch.rand((n, *shape), generator=rng) < p).float()

    # Geometry: output coordinates → input coordinates.
    zoom = torch.exp(strength * uniform(math.log(0.7), math.log(1.2)))
    squeeze = torch.exp(strength * uniform(-0.15, 0.15))
    angle = strength * uniform(-0.25, 0.25) * chance(0.5)
    flip = 1 - 2 * chance(0.5) * mirror
    cos, sin = torch.cos(angle) * zoom, torch.sin(angle) * zoom
    room = (1.15 - zoom).abs() * 0.8
    theta = torch.stack([
        torch.stack([cos * squeeze * flip, -sin / squeeze, uniform(-1, 1) * room], 1),
        torch.stack([sin * squeeze * flip, cos / squeeze, uniform(-1, 1) * room], 1),
    ], 1)
    grid = F.affine_grid(theta, (n, 4, size, size), align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    color, alpha = x[:, :3], x[:, 3:]

    # Colour: contrast, saturation and a small turn of hue as one 3×3 matrix.
    turn, saturation = strength * uniform(-0.25, 0.25) * chance(0.4), 1 + strength * uniform(-0.3, 0.3)
    saturation = saturation * (1 - chance(0.05 * strength))
    c, s = torch.cos(turn), torch.sin(turn) / math.sqrt(3)
    third = torch.full((3, 3), 1 / 3)
    skew = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    eye = torch.eye(3)
    matrix = (c * saturation)[:, None, None] * (eye - third) + third + (s * saturation)[:, None, None] * skew
    gain, offset = 1 + strength * uniform(-0.2, 0.2, 1, 1, 1), strength * uniform(-0.08, 0.08, 1, 1, 1)
    color = torch.bmm(matrix, color.flatten(2)).view_as(color)
    color = (color * gain + (offset + 0.5 * (1 - gain)) * alpha).clamp(0, 1)
    color = torch.minimum(color, alpha)

    # Background: white, one colour, or a smooth field of colours.
    plain = torch.rand((n, 3, 1, 1), generator=rng)
    field = F.interpolate(torch.rand((n, 3, 3, 3), generator=rng), (size, size), mode="bilinear", align_corners=False)
    kind = torch.rand((n, 1, 1, 1), generator=rng)
    back = torch.where(kind > 0.35 * strength, torch.ones(1), torch.where(kind > 0.17 * strength, plain, field))
    out = color + (1 - alpha) * back

    # Cutout: a rectangle of noise-free colour.
    axis = torch.linspace(-1, 1, size)
    centre, half = uniform(-0.9, 0.9, 2), uniform(0.15, 0.45, 2)
    inside = ((axis - centre[:, :1]).abs() < half[:, :1]).float()[:, None, :, None] * (
        (axis - centre[:, 1:]).abs() < half[:, 1:]).float()[:, None, None, :]
    inside = inside * chance(0.2 * strength, 1, 1, 1)
    out = out * (1 - inside) + plain * inside

    blurred = F.avg_pool2d(F.pad(out, (1, 1, 1, 1), mode="replicate"), 3, 1)
    soft = chance(0.1 * strength, 1, 1, 1)
    out = out * (1 - soft) + blurred * soft
    return standardise(out).contiguous(memory_format=torch.channels_last)
