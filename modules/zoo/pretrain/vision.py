"""Trains the vision module and its text tower together, by contrast.

Every picture is compared with a gallery of training concepts, each represented by a text drawn
afresh at every step (a caption, keywords, or both, with words dropped). Beside that loss a picture
must name its words directly: its similarity to single-word embeddings predicts the words of its
captions and keywords and, more softly, their WordNet hypernyms.
"""

import math
from collections import Counter, defaultdict

import numpy as np
import torch
import torch.nn.functional as F

import retrieval
from nets import Average, TextTower, Vision
from pictures import Pictures, augment
from retrieval import key, pad
from schedule import Schedule, save, set_rate
from wordnet import WordNet, word_vectors
from words import SPECIALS, content_words


class Concepts:
    """The training pictures grouped by main caption, with the texts that may stand for each group."""

    def __init__(self, pictures, rows, vocabulary, net):
        self.vocabulary = vocabulary
        self.number, captions, keywords = {}, defaultdict(Counter), defaultdict(Counter)
        self.of_row, self.component = {}, []
        for i in rows:
            row = pictures.rows[i]
            k = key(row["captions"][0])
            c = self.number.setdefault(k, len(self.number))
            if c == len(self.component):
                self.component.append(row["component"])
            self.of_row[i] = c
            captions[c].update(row["captions"][:1] * 2 + row["captions"])
            keywords[c].update(row["keywords"])
            if row["category"]:
                keywords[c].update([w for w in row["category"].replace("/", " ").replace("-", " ").split() if w != "cartoon"])
        self.captions = [self._ids(captions[c]) for c in range(len(self.number))]
        self.keywords = [self._ids(keywords[c]) for c in range(len(self.number))]
        places = {name: i for i, name in enumerate(dict.fromkeys(self.component))}
        self.component = torch.tensor([places[name] for name in self.component])
        self.words, self.targets = self._word_targets(captions, keywords, net)

    def __len__(self):
        return len(self.captions)

    def _ids(self, texts):
        """Distinct texts as id lists with sampling weights."""
        found = [(self.vocabulary.ids(t, skip_unknown=True), n) for t, n in sorted(texts.items())]
        found = [(ids, n) for ids, n in found if ids]
        total = sum(n for _, n in found)
        return [ids for ids, _ in found], np.cumsum([n / total for _, n in found]) if found else None

    def _word_targets(self, captions, keywords, net):
        """Which words a picture of each concept should name: [C, W] rows summing to 1, and the W ids."""
        index, shares, parents = self.vocabulary.index, [], {}
        for c in range(len(self)):
            share = Counter()
            for text, n in captions[c].items():
                for w in content_words(text):
                    share[w] += n / sum(captions[c].values())
            for text in keywords[c]:
                for w in content_words(text):
                    share[w] += 0.5 / max(1, math.sqrt(len(keywords[c])))
            for w in list(share):
                if w not in parents:
                    senses = net.lookup(w)[:1]
                    parents[w] = [(lemma, 0.2 * 0.8**depth) for synset, _ in senses
                                  for ancestor, depth in net.hypernyms(synset, 6)
                                  for lemma in net.synsets[ancestor].lemmas[:2] if lemma in index]
                for lemma, weight in parents[w]:
                    share[lemma] += min(share[w], 1.0) * weight
            shares.append({index[w]: min(n, 1.5) for w, n in share.items() if w in index})
        frequency = Counter(w for share in shares for w in share)
        ids = sorted(w for w in frequency if w >= len(SPECIALS))
        column = {w: j for j, w in enumerate(ids)}
        targets = torch.zeros(len(self), len(ids))
        for c, share in enumerate(shares):
            for w, n in share.items():
                if w in column:
                    targets[c, column[w]] = n * math.log(1 + len(self) / frequency[w])
        return torch.tensor(ids), targets / targets.sum(1, keepdim=True).clamp_min(1e-6)

    def draw(self, concepts, rng):
        """One random text per concept: ids [n, T]."""
        texts = []
        for c in concepts:
            captions, weights = self.captions[c]
            keywords, _ = self.keywords[c]
            dice, ids = rng.random(), []
            if captions and (dice < 0.88 or not keywords):
                ids = list(captions[np.searchsorted(weights, rng.random())])
            if keywords and (dice > 0.72 or not ids):
                for k in rng.integers(0, len(keywords), rng.integers(1, 4)):
                    ids += keywords[k]
            if len(ids) > 1:
                kept = [w for w in ids if rng.random() > 0.1]
                ids = kept or ids
            texts.append(ids[:14])
        return pad(texts)


def word_weights(vocabulary, concepts):
    """A first guess of each word's weight in a text: rare words count more; specials count nothing."""
    frequency = Counter(w for texts, _ in concepts.captions for w in {w for ids in texts for w in ids})
    weights = torch.ones(len(vocabulary))
    for w in range(len(vocabulary)):
        weights[w] = 1 / (1 + 25 * frequency.get(w, 0) / len(concepts))
    weights[: len(SPECIALS)] = 0
    return weights


def training_rows(pictures):
    return pictures.where(lambda row: row["split"] == "train" and not row["held_style"])


def sampling_weights(concepts, pictures, rows, extra=0.5):
    """Pictures of concepts drawn in many styles are seen less often each (share ∝ count^0.6), and
    extra pictures, whose captions are mere names of icons, `extra` times as often as others."""
    counts = Counter(concepts.of_row[i] for i in rows)
    weights = np.array([counts[concepts.of_row[i]] ** -0.4 * (extra if pictures.rows[i].get("extra") else 1.0) for i in rows])
    return weights / weights.sum()


def multi_positive(logits, concept, gallery, component):
    """Cross-entropy of images [B, G] whose positives are all gallery texts of the same concept;
    other concepts of the same component (near-duplicates) count neither way."""
    same = concept[:, None] == gallery[None, :]
    near = (component[concept][:, None] == component[gallery][None, :]) & ~same
    logits = logits.masked_fill(near, -1e4)
    log = F.log_softmax(logits, 1)
    return -((log * same).sum(1) / same.sum(1).clamp_min(1)).mean()


def train(data, vocabulary, out, seed=1, samples=600_000, minutes=0, batch=192, rate=1.5e-3, gallery=640,
          smooth=0.05, words=0.5, strength=1.0, resume=None, vocabulary_share=1024, small=0.7, wordnet=None, log=print, every=2.0):
    """Trains and returns (vision, tower). `small` is the share of training at 48 px instead of 64,
    `strength` that of augmentation; `resume` is a checkpoint to go on from with a fresh schedule."""
    torch.manual_seed(seed)
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    pictures = Pictures(data)
    rows = training_rows(pictures)
    net = WordNet(wordnet) if wordnet else WordNet()
    concepts = Concepts(pictures, rows, vocabulary, net)
    meaning = torch.from_numpy(word_vectors(net, vocabulary))
    vision, tower = Vision(), TextTower(meaning, word_weights(vocabulary, concepts))
    vision = vision.to(memory_format=torch.channels_last)
    scales = torch.nn.Parameter(torch.tensor([math.log(20.0), math.log(20.0)]))
    mirror = torch.tensor([bool(row["mirror"]) for row in pictures.rows]).float()
    share = sampling_weights(concepts, pictures, rows)
    pixels = pictures.cached(rows)
    place_of = np.full(len(pictures.rows), -1)
    place_of[rows] = np.arange(len(rows))
    concept_of = torch.tensor([concepts.of_row.get(i, -1) for i in range(len(pictures.rows))])
    if resume:
        known = torch.load(resume, map_location="cpu")
        vision.load_state_dict(known["vision"], strict=False), tower.load_state_dict(known["tower"], strict=False)
        scales.data.copy_(known["scales"])
    decay = [p for n, p in list(vision.named_parameters()) + list(tower.named_parameters()) if p.ndim > 1 and n != "residual"]
    free = [p for n, p in list(vision.named_parameters()) + list(tower.named_parameters()) if p.ndim <= 1]
    optimizer = torch.optim.AdamW([
        {"params": decay, "weight_decay": 0.03},
        {"params": free, "weight_decay": 0.0},
        {"params": [tower.residual], "weight_decay": 0.02},
        {"params": [scales], "weight_decay": 0.0, "scale": 3.0},
    ], lr=rate, betas=(0.9, 0.98))
    means = Average(vision, 0.998), Average(tower, 0.998)
    log(f"vision: {len(rows)} pictures, {len(concepts)} concepts, {len(concepts.words)} words, "
        f"{sum(p.numel() for p in vision.parameters()) / 1e6:.2f} M parameters")
    schedule, losses, next_report, history = Schedule(samples, minutes), [], every, []
    while schedule.progress < 1:
        set_rate(optimizer, schedule.rate(rate))
        chosen = rng.choice(rows, batch, p=share)
        size = 48 if schedule.progress < small else 64
        with torch.no_grad():
            views = augment(pixels[place_of[chosen]].float() / 255, mirror[chosen], size, generator, strength)
        concept = concept_of[chosen]
        others = rng.choice(len(concepts), min(gallery, len(concepts)), replace=False)
        texts = np.unique(np.concatenate([concept.numpy(), others]))
        vision.train(), tower.train()
        table = tower.table()
        t = tower(concepts.draw(texts, rng), table)
        goal = concepts.targets[concept]
        shown = (goal > 0).any(0)
        shown[torch.from_numpy(rng.choice(len(shown), min(vocabulary_share, len(shown)), replace=False))] = True
        w = tower(concepts.words[shown][:, None], table)
        z = vision.embed(vision.features(views))
        texts = torch.from_numpy(texts)
        kappa = scales.clamp(max=math.log(60.0)).exp()
        logits = kappa[0] * z @ t.T
        contrast = multi_positive(logits, concept, texts, concepts.component)
        if smooth:  # texts that mean nearly the same share a little of the target
            with torch.no_grad():
                place = torch.searchsorted(texts, concept)
                soft = F.softmax(12.0 * t[place] @ t.T, 1)
            contrast = (1 - smooth) * contrast - smooth * (soft * F.log_softmax(logits, 1)).sum(1).mean()
        present = torch.isin(texts, concept)
        back = multi_positive(logits.T[present], texts[present], concept, concepts.component)
        naming = -(goal[:, shown] * F.log_softmax(kappa[1] * z @ w.T, 1)).sum(1).mean()
        loss = contrast + 0.5 * back + words * naming
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(decay + free, 2.0)
        optimizer.step()
        means[0].update(vision), means[1].update(tower)
        schedule.seen += batch
        losses.append((contrast.item(), back.item(), naming.item()))
        if schedule.elapsed >= next_report or schedule.progress >= 1:
            next_report = schedule.elapsed + every
            c, b, n = np.mean(losses[-100:], 0)
            averaged = averaged_copies(vision, tower, means)
            figures = retrieval.evaluate(*averaged, vocabulary, pictures, "val",
                                         sets=["emoji of unseen concepts", "held-out stamps", "all unseen pictures"])
            log(f"{schedule.elapsed:6.1f} min {schedule.seen:8d} seen {size}px  contrast {c:.3f} back {b:.3f} "
                f"naming {n:.3f} scales {kappa.detach().numpy().round(1)}  "
                + "  ".join(f"{name}: {f['r1']}/{f['r10']} cos {f['cosine']}-{f['cosine_other']}" for name, f in figures.items()))
            history.append({"minutes": round(schedule.elapsed, 1), "seen": schedule.seen, "val": figures})
            save(f"{out}/vision.pt", {"vision": means[0].values, "tower": means[1].values, "tokens": vocabulary.tokens,
                                      "seen": schedule.seen, "minutes": schedule.elapsed, "history": history,
                                      "scales": scales.detach()})
    finish(f"{out}/vision.pt", data, seed)
    return load(f"{out}/vision.pt")


def averaged_copies(vision, tower, means):
    v, t = Vision(), TextTower(tower.meaning, tower.mask)
    v.load_state_dict(means[0].values), t.load_state_dict(means[1].values)
    return v.eval().to(memory_format=torch.channels_last), t.eval()


def load(path):
    """The averaged networks of a checkpoint: (vision, tower, state)."""
    state = torch.load(path, map_location="cpu")
    for part in ("vision", "tower"):
        state[part].pop("centre", None)
    vision, tower = Vision(), TextTower(state["tower"]["meaning"], state["tower"]["mask"])
    vision.load_state_dict(state["vision"]), tower.load_state_dict(state["tower"])
    return vision.eval(), tower.eval(), state


@torch.no_grad()
def finish(path, data, seed=1, count=4000):
    """Measures each grid channel's mean and deviation on training pictures and stores them in the checkpoint."""
    vision, tower, state = load(path)
    pictures = Pictures(data)
    rows = np.array([i for i in training_rows(pictures) if not pictures.rows[i].get("extra")])
    rows = np.random.default_rng(seed).permutation(rows)[:count]
    features = torch.cat([vision.features(pictures.plain(rows[i : i + 256])) for i in range(0, len(rows), 256)])
    cells = features.flatten(2).transpose(1, 2).reshape(-1, vision.width)
    vision.grid_mean.copy_(cells.mean(0))
    vision.grid_scale.copy_(1 / cells.std(0).clamp_min(0.05))
    state["vision"], state["tower"] = vision.state_dict(), tower.state_dict()
    save(path, state)
