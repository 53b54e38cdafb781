"""Figures of the modules on what they were not fitted on."""

import numpy as np

from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bridge import SoundBridge, VisionBridge, unit


def pool(vectors, counts):
    """The mean vector of each picture's captions, of length 1."""
    ends = np.cumsum(counts)
    return unit(np.stack([vectors[e - n : e].mean(0) for e, n in zip(ends, counts)]))


def folds(n, k=5):
    """The fold of each of n rows: row i is in fold i mod k."""
    return np.arange(n) % k


def ranks(points, targets):
    """The rank of each point's own target among all targets, by cosine of centred vectors; 1 is best."""
    scores = unit(points - points.mean(0)) @ unit(targets - targets.mean(0)).T
    return (scores >= np.diag(scores)[:, None]).sum(1)


def photographs(features, logits, targets, mean, classes, rows, drawings=None, log=print):
    """Five folds over captioned photographs: each is placed by a bridge that saw none of its fold. Returns points and bridges.

    targets: unit text vectors; mean: the mean text vector."""
    fold, points, bridges = folds(len(features)), np.zeros_like(targets), []
    made = lambda: VisionBridge(classes, rows, features, drawings)
    for k in range(5):
        kept = fold != k
        fitted = made().fit(features[kept], logits[kept], (targets - mean)[kept])
        points[~kept] = fitted(features[~kept], logits[~kept])
        bridges.append(fitted)
    log(retrieval("photographs in five folds", points, targets - mean, fold))
    return points, bridges


def drawn(bridge, features, logits, targets, names, log=print):
    """Drawings that were not learned from, among the names of all of them."""
    every, own = np.unique(names, return_inverse=True)
    vectors = np.stack([targets[np.flatnonzero(own == i)[0]] for i in range(len(every))])
    scores = bridge(features, logits) @ unit(vectors).T
    rank = (scores >= scores[np.arange(len(own)), own][:, None]).sum(1)
    log(f"drawings held out: {len(own)}, own name among {len(every)}: R@1 {np.mean(rank <= 1):.3f}, R@10 {np.mean(rank <= 10):.3f} "
        f"(chance {10 / len(every):.3f})")


def retrieval(what, points, targets, fold=None):
    r = ranks(points, targets)
    cosine = (unit(points) * unit(targets)).sum(1)
    lines = [f"{what}: {len(r)}, R@1 {np.mean(r <= 1):.3f}, R@10 {np.mean(r <= 10):.3f} (chance {1 / len(r):.3f}, {10 / len(r):.3f}), "
             f"cosine {cosine.mean():.3f}"]
    for k in sorted(set(fold)) if fold is not None else []:
        at = fold == k
        lines.append(f"  fold {k + 1}: {at.sum()}, R@1 {np.mean(r[at] <= 1):.3f}, R@10 {np.mean(r[at] <= 10):.3f}, cosine {cosine[at].mean():.3f}")
    return "\n".join(lines)


def agreement(made, taught, mean):
    """How far the cosines of all pairs of texts agree with the teacher's (Pearson): as they are, and both centred; and the mean cosine
    of a text's vector with its teacher's."""
    pairs = np.triu_indices(len(made), 1)
    raw, own, centred = unit(made + mean), unit(made), unit(taught - mean)
    cosines = {name: (x @ x.T)[pairs] for name, x in (("raw", raw), ("own", own), ("taught", taught), ("centred", centred))}
    pearson = lambda a, b: np.corrcoef(cosines[a], cosines[b])[0, 1]
    return (f"Pearson {pearson('raw', 'taught'):.4f}, centred {pearson('own', 'centred'):.4f}, "
            f"centred with the teacher's own {pearson('own', 'taught'):.4f}, "
            f"cosine {(raw * taught).sum(1).mean():.4f}, centred {(own * centred).sum(1).mean():.4f}")


def sound_weights(rows):
    """A recording's weight, so that every name counts as the root of its recordings, and packaged sounds half."""
    names, counts = np.unique([r["name"] for r in rows], return_counts=True)
    often = dict(zip(names, counts))
    return np.array([often[r["name"]] ** -0.5 * (1 if r["source"] == "esc10" else 0.5) for r in rows])


def sound_targets(rows, centre):
    return np.stack([r["target"] for r in rows]) - centre


def sound_centre(rows):
    """The mean vector of the names."""
    return np.stack(list({r["name"]: r["target"] for r in rows}.values())).mean(0)


def fit_sounds(rows, penalty=None):
    """A bridge fitted on the rows whose fold is not negative."""
    rows = [r for r in rows if r["fold"] >= 0]
    bridge = SoundBridge() if penalty is None else SoundBridge(penalty)
    return bridge.fit(np.stack([r["features"] for r in rows]), sound_targets(rows, sound_centre(rows)), sound_weights(rows))


def recordings(rows, log=print, penalty=None):
    """ESC-10 in its five folds: logistic regression on the features, and the nearest of the ten names to a bridge fitted without the fold.
    Returns points and bridges."""
    esc = [r for r in rows if r["source"] == "esc10"]
    x, fold = np.stack([r["features"] for r in esc]), np.array([r["fold"] for r in esc])
    names = sorted({r["name"] for r in esc})
    y = np.array([names.index(r["name"]) for r in esc])
    told = {r["name"]: r["target"] for r in esc}
    labels = np.stack([told[n] for n in names]) - sound_centre(rows)
    points, bridges, right, named = np.zeros((len(esc), labels.shape[1]), np.float32), [], [], []
    for k in range(1, 6):
        out = fold == k
        scale = StandardScaler().fit(x[~out])
        machine = LogisticRegression(C=0.01, max_iter=2000).fit(scale.transform(x[~out]), y[~out])
        right.append(machine.score(scale.transform(x[out]), y[out]))
        bridges.append(fit_sounds([r for r in rows if not (r["source"] == "esc10" and r["fold"] == k)], penalty))
        points[out] = bridges[-1](x[out])
        named.append(np.mean((points[out] @ unit(labels).T).argmax(1) == y[out]))
    show = lambda values: f"{np.mean(values):.4f} ({', '.join(f'{v:.3f}' for v in values)})"
    log(f"ESC-10, {len(esc)} recordings: logistic regression on features {show(right)}; nearest name to the embedding {show(named)}")
    held = [r for r in rows if r["source"] != "esc10" and r["fold"] < 0]
    if held:
        bridge, every = fit_sounds(rows, penalty), sorted({r["name"]: r["target"] for r in rows}.items())
        all_names, vectors = [n for n, _ in every], unit(np.stack([v for _, v in every]) - sound_centre(rows))
        scores = bridge(np.stack([r["features"] for r in held])) @ vectors.T
        own = np.array([all_names.index(r["name"]) for r in held])
        rank = (scores >= scores[np.arange(len(own)), own][:, None]).sum(1)
        log(f"packaged sounds held out: {len(held)}, own name among {len(all_names)}: R@1 {np.mean(rank <= 1):.3f}, R@10 {np.mean(rank <= 10):.3f} "
            f"(chance {10 / len(all_names):.3f})")
    return points, bridges
