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
DRAWING = 0.3  # chosen on the photographs' folds and the drawings' validation split: from 0.2 to 0.4 drawings gain, photographs lose nothing


class VisionBridge:
    """Standardised features, and the mean vector of "a photo of a CLASS" under the class probabilities (centred, length 20), to the text
    space. Fitted on captioned photographs; at weight 0.5 on one prototype a class, the classifier's own weights for it; and at weight 0.3 on
    drawings of things and their names. Features are standardised by the photographs (all of them: that takes no captions)."""

    def __init__(self, classes, rows, features, drawings=None):
        """drawings: (features, logits, centred text vectors)."""
        self.classes, self.rows = classes.astype(np.float64), rows.astype(np.float64)
        self.centre = self.classes.mean(0)
        features = features.astype(np.float64)
        self.mean, self.spread = features.mean(0), features.std(0) + 0.1
        length = np.linalg.norm((features - self.mean) / self.spread, axis=1).mean()
        about = self.classes - self.centre
        prototypes = np.concatenate([length * unit((self.rows - self.rows.mean(0)) * self.spread), CLASS_GAIN * unit(about)], 1)
        self.gram = PROTOTYPE**2 * prototypes.T @ prototypes + RIDGE * np.eye(prototypes.shape[1])
        self.right = PROTOTYPE**2 * prototypes.T @ about
        if drawings is not None:
            x = self.columns(*drawings[:2])
            self.gram += DRAWING**2 * x.T @ x
            self.right += DRAWING**2 * x.T @ drawings[2].astype(np.float64)

    def columns(self, features, logits):
        features, logits = features.astype(np.float64), logits.astype(np.float64)
        return np.concatenate([(features - self.mean) / self.spread,
                               CLASS_GAIN * unit(softmax(logits) @ self.classes - self.centre)], 1)

    def fit(self, features, logits, targets):
        """targets: centred text vectors of the photographs."""
        x = self.columns(features, logits)
        self.weight = np.linalg.solve(self.gram + x.T @ x, self.right + x.T @ targets)
        return self

    def __call__(self, features, logits):
        return unit(self.columns(features, logits) @ self.weight).astype(np.float32)

    def influence(self, features, logits):
        """[photographs, columns]: what each photograph's target adds to the weights, (XᵀX + …)⁻¹ x. With it the part of some photographs
        can be taken out of a fitted bridge again (Woodbury), which is how `wire eval` scores photographs by folds."""
        x = self.columns(features, logits)
        return np.linalg.solve(self.gram + x.T @ x, x.T).T

    def network(self):
        """The graph from `features` and `logits` to `embedding`, its `point` before it has length 1, and the regression's `columns`."""
        g = Graph("vision-bridge")
        n, width = len(self.mean), self.weight.shape[1]
        features = g.input("features", ["batch", n])
        logits = g.input("logits", ["batch", len(self.classes)])
        standard = g.op("Div", g.op("Sub", features, g.weight(self.mean)), g.weight(self.spread))
        likely = g.linear(g.op("Softmax", logits, axis=1), self.classes.T.copy(), -self.centre)
        named = g.op("Mul", g.unit(likely), g.weight(np.array([CLASS_GAIN], np.float32)))
        columns = g.op("Concat", standard, named, axis=1)
        point = g.linear(columns, self.weight.T.copy())
        g.output("embedding", g.unit(point), ["batch", width])
        g.output("point", point, ["batch", width])
        g.output("columns", columns, ["batch", n + self.classes.shape[1]])
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
