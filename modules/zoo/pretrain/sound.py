"""Trains the sound module against the frozen text tower: log-mel frames → embeddings."""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from nets import Average, Sound
from retrieval import key, pad
from schedule import Schedule, save, set_rate
from words import read_jsonl

RATE, WINDOW, HOP, FFT, MELS, FMIN, FMAX = 16000, 400, 160, 512, 64, 50.0, 8000.0
OFFSET, MEAN, DEVIATION = 1e-6, -8.0, 4.0  # ln(mel + OFFSET), then (x − MEAN) / DEVIATION
SILENCE = (math.log(OFFSET) - MEAN) / DEVIATION
SHARES = {"effect": 3.0, "speech": 1.0, "synthetic-speech": 0.5, "asterisk": 0.4, "extra": 1.0}  # how often a clip is drawn
LONGEST = 800  # frames of a clip that are used: 8 s


def slaney_mel(hz):
    """Slaney's mel scale: linear below 1 kHz, logarithmic above (Slaney 1998, as in librosa)."""
    hz = np.asarray(hz, np.float64)
    return np.where(hz < 1000, hz * 3 / 200, 15 + np.log(np.maximum(hz, 1e-9) / 1000) * 27 / math.log(6.4))


def slaney_hz(mel):
    mel = np.asarray(mel, np.float64)
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * math.log(6.4) / 27))


def mel_filters():
    """[MELS, FFT/2+1] triangles of equal area, corners evenly spaced in mel between FMIN and FMAX."""
    corners = slaney_hz(np.linspace(slaney_mel(FMIN), slaney_mel(FMAX), MELS + 2))
    bins = np.arange(FFT // 2 + 1) * RATE / FFT
    rising = (bins[None] - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - bins[None]) / (corners[2:] - corners[1:-1])[:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return triangles * (2 / (corners[2:] - corners[:-2]))[:, None]


_FILTERS = mel_filters().astype(np.float32)
_TAPER = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def logmel(samples):
    """Samples in −1..1 at 16 kHz → standardised log-mel [64, frames].

    Frames start every HOP samples and are not padded: frames = 1 + (n − WINDOW) // HOP; a clip
    shorter than one window is padded with zeros to one. Periodic Hann window, power spectrum.
    """
    samples = np.asarray(samples, np.float32)
    if len(samples) < WINDOW:
        samples = np.pad(samples, (0, WINDOW - len(samples)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP] * _TAPER
    power = np.abs(np.fft.rfft(frames, FFT)).astype(np.float32) ** 2
    return ((np.log(power @ _FILTERS.T + OFFSET) - MEAN) / DEVIATION).astype(np.float32).T


class Sounds:
    """The rows of sounds.jsonl with their log-mel frames [64, up to LONGEST] as float16."""

    def __init__(self, data):
        self.rows = read_jsonl(Path(data) / "sounds.jsonl")
        samples = np.load(Path(data) / "sounds.npy", mmap_mode="r")
        longest = LONGEST * HOP + WINDOW
        self.frames = []
        for row in self.rows:
            clip = samples[row["offset"] : row["offset"] + min(row["samples"], longest)]
            self.frames.append(logmel(clip)[:, :LONGEST].astype(np.float16))
        self.texts = [row["caption"] if row["kind"] == "effect" and row.get("caption") else row["label"] for row in self.rows]


def view(frames, length, rng):
    """A random window [64, length] of a clip, shifted in level, with bands and times masked."""
    x = frames.astype(np.float32)
    if rng.random() < 0.4:  # play faster or slower by resampling the frames
        n = max(1, int(x.shape[1] * math.exp(rng.uniform(-0.2, 0.2))))
        x = x[:, np.linspace(0, x.shape[1] - 1, n).astype(int)]
    if x.shape[1] > length:
        at = rng.integers(0, x.shape[1] - length + 1)
        x = x[:, at : at + length]
    elif x.shape[1] < length:
        at = rng.integers(0, length - x.shape[1] + 1)
        out = np.full((MELS, length), SILENCE, np.float32)
        out[:, at : at + x.shape[1]] = x
        x = out
    x = np.maximum(x + rng.uniform(-0.8, 0.8), SILENCE)  # ± 3.2 nats of power: about ± 14 dB
    if rng.random() < 0.3:  # another pitch, a band up or down
        x = np.roll(x, rng.integers(-2, 3), 0)
    x = x + (rng.standard_normal(x.shape) * rng.uniform(0, 0.12)).astype(np.float32)
    for axis, most in ((0, 10), (1, length // 5)):
        width = rng.integers(0, most + 1)
        at = rng.integers(0, x.shape[axis] - width + 1)
        x[(slice(at, at + width), slice(None)) if axis == 0 else (slice(None), slice(at, at + width))] = SILENCE
    return x


@torch.no_grad()
def text_vectors(tower, vocabulary, texts):
    """Distinct texts → (keys, embeddings [G, 256])."""
    keys = sorted({key(t) for t in texts})
    return keys, tower(pad([vocabulary.ids(k, skip_unknown=True) for k in keys]))


def share_of(row):
    return SHARES["extra"] if row.get("extra") else SHARES.get(row["source"], SHARES[row["kind"]])


def fit(sounds, rows, tower, vocabulary, seed=1, samples=60_000, minutes=0, batch=32, rate=1.5e-3, log=print):
    """Trains a network on those of the given rows whose text has a known word; returns the averaged network."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    rows = np.array([i for i in rows if vocabulary.ids(sounds.texts[i], skip_unknown=True)])
    keys, vectors = text_vectors(tower, vocabulary, [sounds.texts[i] for i in rows])
    place = {k: j for j, k in enumerate(keys)}
    target = {i: place[key(sounds.texts[i])] for i in rows}
    share = np.array([share_of(sounds.rows[i]) for i in rows])
    counts = np.bincount([target[i] for i in rows], minlength=len(keys))
    share = share / np.sqrt([counts[target[i]] for i in rows])
    share /= share.sum()
    net = Sound()
    scale = torch.nn.Parameter(torch.tensor(math.log(16.0)))
    decay = [p for p in net.parameters() if p.ndim > 1]
    free = [p for p in net.parameters() if p.ndim <= 1] + [scale]
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": free, "weight_decay": 0.0}],
                                  lr=rate, betas=(0.9, 0.98))
    mean, schedule, losses, report = Average(net, 0.997), Schedule(samples, minutes), [], 1.0
    soft = F.softmax(12.0 * vectors @ vectors.T, 1)
    while schedule.progress < 1:
        set_rate(optimizer, schedule.rate(rate))
        length = int(rng.choice([64, 96, 128, 192]))
        chosen = rng.choice(rows, batch, p=share)
        x = torch.from_numpy(np.stack([view(sounds.frames[i], length, rng) for i in chosen])).unsqueeze(1)
        own = torch.tensor([target[i] for i in chosen])
        goal = 0.9 * F.one_hot(own, len(keys)) + 0.1 * soft[own]
        # Mixup (Zhang et al. 2018) of neighbours in the batch.
        part = rng.beta(0.3, 0.3, (batch, 1)).astype(np.float32)
        share_own = torch.from_numpy(np.maximum(part, 1 - part))
        order = torch.from_numpy(rng.permutation(batch))
        x = share_own[:, :, None, None] * x + (1 - share_own)[:, :, None, None] * x[order]
        goal = share_own * goal + (1 - share_own) * goal[order]
        net.train()
        _, z = net(x)
        kappa = scale.clamp(max=math.log(40.0)).exp()
        loss = -(goal * F.log_softmax(kappa * z @ vectors.T, 1)).sum(1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decay, 2.0)
        optimizer.step()
        mean.update(net)
        schedule.seen += batch
        losses.append(loss.item())
        if schedule.elapsed > report or schedule.progress >= 1:
            report = schedule.elapsed + 1
            log(f"{schedule.elapsed:6.1f} min {schedule.seen:7d} seen  loss {np.mean(losses[-100:]):.3f} scale {kappa.item():.1f}")
    net.load_state_dict(mean.values)
    return net.eval()


@torch.no_grad()
def naming(net, sounds, rows, tower, vocabulary, gallery=None):
    """How often the nearest of all the sounds' texts is a clip's own: R@1, R@5, R@10, chance.
    A text without a known word cannot be named and counts as missed."""
    keys, vectors = text_vectors(tower, vocabulary, gallery or [sounds.texts[i] for i in rows])
    place = {k: j for j, k in enumerate(keys)}
    ranks = []
    for i in rows:
        if not vocabulary.ids(sounds.texts[i], skip_unknown=True):
            ranks.append(len(keys))
            continue
        x = torch.from_numpy(sounds.frames[i].astype(np.float32))[None, None]
        scores = (net(x)[1] @ vectors.T)[0]
        ranks.append(int((scores > scores[place[key(sounds.texts[i])]]).sum()))
    ranks = np.array(ranks)
    return {**summary(ranks, len(keys)), "ranks": ranks}


def summary(ranks, gallery):
    """R@1, R@5, R@10 and chance in per cent of ranks from 0 among so many texts (a mean, where it varies)."""
    return {"n": len(ranks), "gallery": round(float(gallery)), "chance_r1": round(100 / max(gallery, 1), 1),
            **{f"r{k}": round(100 * float((ranks < k).mean()), 1) for k in (1, 5, 10)}}


def rows_where(sounds, test):
    return np.array([i for i, row in enumerate(sounds.rows) if test(row)], dtype=np.int64)


def is_effect(row):
    """A sound that figures are about: no speech, no extra."""
    return row["kind"] == "effect" and not row.get("extra")


def rows_outside(sounds, held):
    """The rows that share no component with the held ones; of extras those that share no head noun either."""
    parts = {sounds.rows[i]["component"] for i in held}
    nouns = {sounds.rows[i]["label"] for i in held}
    return rows_where(sounds, lambda row: row["component"] not in parts and not (row.get("extra") and row["label"] in nouns))


def train(data, vocabulary, tower, out, seed=1, samples=60_000, minutes=0, log=print):
    """Trains on the training split and reports naming on the validation split."""
    sounds = Sounds(data)
    rows = rows_where(sounds, lambda row: row["split"] == "train")
    log(f"sound: {len(rows)} training clips of {len(sounds.rows)}, "
        f"{sum(p.numel() for p in Sound().parameters()) / 1e6:.2f} M parameters")
    schedule = Schedule(1)
    net = fit(sounds, rows, tower, vocabulary, seed, samples, minutes, log=log)
    figures = {}
    for kind in ("effect", "speech", "synthetic-speech"):
        held = rows_where(sounds, lambda row: row["split"] == "val" and row["kind"] == kind)
        if len(held):
            figures[kind] = naming(net, sounds, held, tower, vocabulary)
            figures[kind].pop("ranks")
    log(f"val {figures}")
    save(f"{out}/sound.pt", {"sound": net.state_dict(), "minutes": schedule.elapsed, "val": figures})
    return net


def folds(data, vocabulary, tower, seed=1, samples=20_000, minutes=0, log=print, keep=None):
    """Five-fold cross-validation over sound effects: every clip is named by a network that never heard
    its component. Ranks are among the texts of the clip's fold, as for unseen pictures, and among the
    texts of all effects, most of which the network was trained to prefer. keep(fold, network) is
    called with each network."""
    sounds = Sounds(data)
    everything = [sounds.texts[i] for i in rows_where(sounds, is_effect)]
    ranks, chance = {"fold": [], "all": []}, []
    for fold in range(5):
        held = rows_where(sounds, lambda row: is_effect(row) and row["fold"] == fold)
        net = fit(sounds, rows_outside(sounds, held), tower, vocabulary, seed + fold, samples, minutes, log=lambda line: None)
        if keep:
            keep(fold, net)
        for name, gallery in (("fold", None), ("all", everything)):
            figures = naming(net, sounds, held, tower, vocabulary, gallery)
            ranks[name].append(figures.pop("ranks"))
            if name == "fold":
                chance.append(figures["gallery"])
            log(f"fold {fold}, texts of {name}: {figures}")
    result = {}
    for name, gallery in (("fold", np.mean(chance)), ("all", len({key(t) for t in everything}))):
        result[f"among the texts of the {'fold' if name == 'fold' else 'whole set'}"] = summary(np.concatenate(ranks[name]), gallery)
    return result


def elsewhere(data, vocabulary, tower, seed=1, samples=60_000, minutes=0, log=print, parts=3):
    """Known things in recordings from elsewhere: the packages of extras are held out in turn, a third at a
    time, and those of their clips are named whose text the network heard from other packages, among the
    texts of all effects that it heard."""
    sounds = Sounds(data)
    packages = sorted({row["source"] for row in sounds.rows if row.get("extra")})
    ranks, galleries = [], []
    for part in range(parts):
        away = set(packages[part::parts])
        rows = rows_where(sounds, lambda row: row["split"] == "train" and row["source"] not in away)
        gallery = {key(sounds.texts[i]) for i in rows
                   if sounds.rows[i]["kind"] == "effect" and vocabulary.ids(sounds.texts[i], skip_unknown=True)}
        held = rows_where(sounds, lambda row: row["source"] in away)
        held = np.array([i for i in held if key(sounds.texts[i]) in gallery])
        net = fit(sounds, rows, tower, vocabulary, seed + part, samples, minutes, log=lambda line: None)
        figures = naming(net, sounds, held, tower, vocabulary, gallery)
        ranks.append(figures.pop("ranks"))
        galleries.append(len(gallery))
        log(f"without {', '.join(sorted(away))}: {figures}")
    return summary(np.concatenate(ranks), np.mean(galleries))


def load(path):
    state = torch.load(path, map_location="cpu")
    net = Sound()
    net.load_state_dict(state["sound"])
    return net.eval(), state
