"""Numbers that the modules give for made-up inputs, computed by ONNX Runtime, for the tests of other engines."""

import json
import math

import numpy as np
from tokenizers import Tokenizer

import language
import sound
import vision
from encode import session

TEXTS = ["a brown bear standing in the grass", "two dogs", "rooster"]


def wave(*shape, step, gain, base=0.0):
    """base + gain sin(step i) over the flat index i, computed in double precision."""
    return (base + gain * np.sin(step * np.arange(math.prod(shape)))).astype(np.float32).reshape(shape)


def some(array, number=16):
    """The first and the last numbers of an array."""
    flat = [round(float(x), 5) for x in np.asarray(array).ravel()]
    return {"shape": list(array.shape), "first": flat[:number], "last": flat[-number:]}


def run(path, inputs):
    s = session(path)
    return dict(zip([o.name for o in s.get_outputs()], s.run(None, inputs)))


def write(zoo, prefix):
    """testdata/NAME.json of the modules that are there."""
    for name, make in MODULES.items():
        folder = zoo / (prefix + name)
        if (folder / "module.yaml").exists():
            (zoo / "testdata" / f"{prefix}{name}.json").write_text(json.dumps(make(folder), indent=1) + "\n")


def described(about, inputs, outputs):
    return {"about": about, **inputs, "outputs": {k: some(v) for k, v in outputs.items()}}


def of_vision(folder):
    out = run(folder / "net.onnx", {"picture": wave(2, 3, vision.SIDE, vision.SIDE, step=0.37, gain=0.9)})
    out |= run(folder / "bridge.onnx", {k: out[k] for k in ("features", "logits")})
    e = np.exp(out["logits"] - out["logits"].max(1, keepdims=True))
    out["logits"] = e / e.sum(1, keepdims=True)
    out["grid"] = out["grid"].transpose(0, 2, 3, 1).reshape(2, vision.CELLS**2, vision.FEATURES)
    shape = [2, 3, vision.SIDE, vision.SIDE]
    return described("picture[i] = 0.9 sin(0.37 i) over the flat index", {"input": {"shape": shape, "gain": 0.9, "step": 0.37, "base": 0}}, out)


def of_sound(folder):
    shape = (1, 2, sound.BLOCK, sound.BANDS)
    out = run(folder / "net.onnx", {"logmel": wave(*shape, step=0.037, gain=0.3, base=0.4)})
    out |= run(folder / "bridge.onnx", {"features": out["features"]})
    return described("logmel[i] = 0.4 + 0.3 sin(0.037 i) over the flat index",
                     {"input": {"shape": list(shape), "gain": 0.3, "step": 0.037, "base": 0.4}}, out)


def of_text(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = [tokenizer.encode(t).ids for t in TEXTS]
    ids = np.zeros((len(rows), max(map(len, rows))), np.int64)
    for line, row in zip(ids, rows):
        line[: len(row)] = row
    return described("tokens of the texts, padded with 0", {"texts": TEXTS, "tokens": ids.tolist()}, run(folder / "model.onnx", {"tokens": ids}))


def of_language(folder):
    words = (folder / "vocab.txt").read_text().splitlines()
    state, steps = np.zeros((1, language.HIDDEN), np.float32), []
    for word in ["<caption>", "a", "brown", "bear"]:
        token = words.index(word)
        out = run(folder / "body.onnx", {"token": np.array([token]), "state": state})
        state, logits = out["next_state"], run(folder / "head.onnx", {"hidden": out["hidden"]})["logits"][0]
        top = np.argsort(-logits)[:5]
        steps.append({"token": token, "hidden": some(out["hidden"])["first"], "top": top.tolist(), "top_logits": [round(float(logits[i]), 4) for i in top]})
    return {"about": "<caption> a brown bear, a word a step from a zero state", "steps": steps}


MODULES = {"vision": of_vision, "sound": of_sound, "text": of_text, "language": of_language}
