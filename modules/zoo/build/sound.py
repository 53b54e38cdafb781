"""The embedding net of aiSFX (Ma & Lerch 2022) from the package's weights: 512 numbers a block of 100 log-mel frames, pooled."""

import numpy as np
import torch

from graph import Graph, fold
from packages import find

RATE, WINDOW, HOP, BANDS = 44100, 2048, 1024, 96
BLOCK, BLOCK_HOP, MAX_BLOCKS = 100, 50, 32  # frames, frames, blocks of one sound at most
TOP = 9.457798957824707  # what its authors divide log10(10^4 x + 1) by
WIDTH = 512
FEATURES = 2 * WIDTH
EPS = 1e-5
NUMBERS = (np.dtypes.Int64DType, np.dtypes.Float64DType)  # types that the checkpoint's counts of classes have


def weights():
    """The package's weights of the embedding net as numpy arrays."""
    path = find("aisfx/models/checkpoint.pth")
    with torch.serialization.safe_globals([(np.core.multiarray.scalar, "numpy.core.multiarray.scalar"), np.dtype, *NUMBERS]):
        state, _ = torch.load(path, map_location="cpu", weights_only=True)
    return {k.removeprefix("embedding_net."): v.numpy() for k, v in state.items() if k.startswith("embedding_net.")}


def network(w):
    """The graph from `logmel` [batch, blocks, frames, bands] to `features` (mean and maximum over the blocks) and `grid` (each block)."""
    g = Graph("aisfx")
    mel = g.input("logmel", ["batch", "blocks", BLOCK, BANDS])
    x = g.op("Reshape", mel, g.weight(np.array([-1, 1, BLOCK, BANDS])))
    for k in range(1, 5):
        for j in (1, 2):
            norm = (w[f"conv_block{k}.bn{j}.{n}"] for n in ("weight", "bias", "running_mean", "running_var"))
            x = g.op("Relu", g.conv(x, *fold(w[f"conv_block{k}.conv{j}.weight"], *norm, EPS), pads=(1, 1, 1, 1)))
        if k < 4:
            x = g.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.op("ReduceMean", x, axes=[3], keepdims=0)
    x = g.op("ReduceMax", x, axes=[2], keepdims=0)
    shape = g.op("Slice", g.op("Shape", mel), g.weight(np.array([0])), g.weight(np.array([2])))
    grid = g.op("Reshape", x, g.op("Concat", shape, g.weight(np.array([WIDTH])), axis=0))
    mean, most = g.op("ReduceMean", grid, axes=[1], keepdims=0), g.op("ReduceMax", grid, axes=[1], keepdims=0)
    g.output("features", g.op("Concat", mean, most, axis=1), ["batch", FEATURES])
    g.output("grid", grid, ["batch", "blocks", WIDTH])
    return g


def licence():
    """The text of the package's licence, CC BY 4.0."""
    package = find("aisfx/models/checkpoint.pth").parents[2]
    return next(package.glob("aisfx-*.dist-info/licenses/LICENSE")).read_text()


SENTENCE = "the sound of {}"  # how a name is put before it becomes a vector


def spoken(folder):
    """The name of an ESC folder: "001 - Dog bark" and "dog-bark" become "dog bark"."""
    return folder.split(" - ")[-1].replace("_", " ").replace("-", " ").lower()


# the classes of ESC-50 (Piczak 2015), as one would say them
NAMES = """dog bark, rooster, pig, cow, frog, cat, hen, insects, sheep, crow, rain, sea waves, fire crackling, crickets, chirping birds,
water drops, wind, pouring water, toilet flush, thunderstorm, baby cry, person sneeze, clapping, breathing, coughing, footsteps, laughing,
brushing teeth, snoring, drinking, door knock, mouse click, keyboard typing, door creak, can opening, washing machine, vacuum cleaner,
clock alarm, clock tick, glass breaking, helicopter, chainsaw, siren, car horn, engine, train, church bells, airplane, fireworks,
hand saw""".replace("\n", " ").split(", ")
SENTENCES = [SENTENCE.format(n) for n in NAMES]
