"""Bridges: ridge regression from a frozen network's features to the text space, and the small ONNX files that hold them.

All vectors of the text space are centred on a mean of their own kind (captions on captions' mean, class names on class names'),
so that a way of putting things is no part of a meaning.
"""

import numpy as np

from graph import Graph


def unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-12)


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def ridge(x, y, weight):
    """Coefficients [features, width] of the regression of y on x, by the dual when there are fewer rows than columns."""
    if len(x) < x.shape[1]:
        return x.T @ np.linalg.solve(x @ x.T + weight * np.eye(len(x)), y)
    return np.linalg.solve(x.T @ x + weight * np.eye(x.shape[1]), x.T @ y)


CLASS_GAIN, PROTOTYPE, RIDGE = 20, 0.5, 1000  # chosen by the prototype on other photographs


class VisionBridge:
    """Standardised features, and the mean vector of "a photo of a CLASS" under the class probabilities (centred, length 20), to the text
    space. Fitted on captioned photographs and, at half weight, one prototype a class: the classifier's own weights for it."""

    def __init__(self, classes, rows):
        self.classes, self.rows = classes.astype(np.float64), rows.astype(np.float64)
        self.centre = self.classes.mean(0)

    def columns(self, features, logits):
        return np.concatenate([(features - self.mean) / self.spread,
                               CLASS_GAIN * unit(softmax(logits) @ self.classes - self.centre)], 1)

    def fit(self, features, logits, targets):
        """targets: centred text vectors of the photographs."""
        features, logits = features.astype(np.float64), logits.astype(np.float64)
        self.mean, self.spread = features.mean(0), features.std(0) + 0.1
        x = self.columns(features, logits)
        length = np.linalg.norm(x[:, : features.shape[1]], axis=1).mean()
        about = self.classes - self.centre
        prototypes = np.concatenate([length * unit((self.rows - self.rows.mean(0)) * self.spread), CLASS_GAIN * unit(about)], 1)
        self.weight = ridge(np.concatenate([x, PROTOTYPE * prototypes]), np.concatenate([targets, PROTOTYPE * about]), RIDGE)
        return self

    def __call__(self, features, logits):
        return unit(self.columns(features.astype(np.float64), logits.astype(np.float64)) @ self.weight).astype(np.float32)

    def network(self):
        """The graph from `features` and `logits` to `embedding`."""
        g = Graph("vision-bridge")
        n, width = len(self.mean), self.weight.shape[1]
        features = g.input("features", ["batch", n])
        logits = g.input("logits", ["batch", len(self.classes)])
        direct = self.weight[:n] / self.spread[:, None]
        likely = g.linear(g.op("Softmax", logits, axis=1), self.classes.T.copy(), -self.centre)
        named = g.linear(g.unit(likely), CLASS_GAIN * self.weight[n:].T)
        point = g.op("Add", g.linear(features, direct.T.copy(), -self.mean @ direct), named)
        g.output("embedding", g.unit(point), ["batch", width])
        return g


class SoundBridge:
    """Standardised features to the text space, fitted on named sounds."""

    def __init__(self, weight=100.0):
        self.penalty = weight

    def fit(self, features, targets, weights=None):
        features = features.astype(np.float64)
        weights = np.ones(len(features)) if weights is None else weights
        share = (weights / weights.sum())[:, None]
        self.mean = (share * features).sum(0)
        self.spread = np.sqrt((share * (features - self.mean) ** 2).sum(0)) + 1e-3
        x = (features - self.mean) / self.spread
        root = np.sqrt(weights)[:, None]
        self.weight = ridge(root * x, root * targets, self.penalty)
        return self

    def __call__(self, features):
        return unit((features.astype(np.float64) - self.mean) / self.spread @ self.weight).astype(np.float32)

    def network(self):
        """The graph from `features` to `embedding`."""
        g = Graph("sound-bridge")
        direct = self.weight / self.spread[:, None]
        features = g.input("features", ["batch", len(self.mean)])
        g.output("embedding", g.unit(g.linear(features, direct.T.copy(), -self.mean @ direct)), ["batch", self.weight.shape[1]])
        return g
