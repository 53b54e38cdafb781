"""Training length, learning rate and atomic checkpoints, shared by the three trainings."""

import math
import os
import time

import torch


class Schedule:
    """Progress through a training of `samples` samples that may not last longer than `minutes`.

    Progress is the larger of the two fractions; with minutes = 0 only samples count, and a run is
    reproducible from its seed.
    """

    def __init__(self, samples, minutes=0):
        self.samples, self.minutes, self.start, self.seen = samples, minutes, time.time(), 0

    @property
    def elapsed(self):
        return (time.time() - self.start) / 60

    @property
    def progress(self):
        part = self.seen / self.samples
        return min(1.0, max(part, self.elapsed / self.minutes if self.minutes else 0))

    def rate(self, peak, warmup=0.05, floor=0.01):
        """Learning rate: linear warm-up, then a half cosine."""
        p = self.progress
        if p < warmup:
            return peak * (p + 1e-3) / warmup
        return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * (p - warmup) / (1 - warmup))))


def set_rate(optimizer, rate):
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)


def save(path, state):
    """Writes a checkpoint in one step, so that a stop never leaves half a file."""
    torch.save(state, f"{path}.tmp")
    os.replace(f"{path}.tmp", path)
