#!/usr/bin/python3
"""Measures the shipped modules: the weights are read from the ONNX files themselves.

    python3 evaluate.py vision   --data EXPORT_DIR [--split test] [--checkpoints DIR]
    python3 evaluate.py language --data EXPORT_DIR
    python3 evaluate.py sound    --data EXPORT_DIR [--folds [--export DIR] | --elsewhere]

--export writes each fold's network as a module, DIR/fold-K/sound, for `wire eval --folds --fold-modules DIR`.
With --checkpoints the same figures are computed with the unrounded float32 weights too.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn

import language
import retrieval
import sound
import vision
from export import ExportedText, export_sound
from nets import Body, Sound, TextTower, Vision, fold
from pictures import Pictures
from words import CAPTION, GLOSS, Vocabulary, content_words

ZOO = Path(__file__).resolve().parent.parent


def weights(path):
    """The float initializers of an ONNX file by name, float16 widened."""
    return {t.name.removesuffix(".fp16"): torch.from_numpy(numpy_helper.to_array(t).astype(np.float32))
            for t in onnx.load(str(path)).graph.initializer if t.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)}


def fill(module, path):
    """Loads an ONNX file's weights into the folded module that wrote it."""
    found, names = weights(path), module.state_dict().keys()
    missing = [n for n in names if n not in found]
    if missing:
        raise SystemExit(f"{path}: lacks {missing[:3]}; export it with this version of pretrain.py")
    module.load_state_dict({n: found[n] for n in names})
    return module.eval()


def shipped_vision(zoo):
    return fill(fold(Vision()), zoo / "vision" / "model.onnx")


def shipped_text(zoo):
    found = weights(zoo / "text" / "model.onnx")
    tower = ExportedText(TextTower(torch.zeros(2, 1), torch.ones(2)))
    tower.vectors, tower.weights = nn.Parameter(found["vectors"]), nn.Parameter(found["weights"])
    for name in ("up", "down"):
        getattr(tower, name).load_state_dict({"weight": found[f"{name}.weight"], "bias": found[f"{name}.bias"]})
    tower.table = lambda: None
    plain = tower.forward
    tower.forward = lambda ids, table=None: plain(ids)
    return tower.eval()


def known_words(pictures):
    return {w for row in pictures.rows if row["split"] == "train" for c in row["captions"] for w in content_words(c)}


@torch.no_grad()
def ridge_on_pixels(pictures, tower, vocabulary, strength=30.0):
    """A baseline that sees little: ridge regression from 8×8 pixels to the caption's embedding."""
    def pixels(rows):
        small = [F.interpolate(pictures.plain(rows[i : i + 256]), (8, 8), mode="area").flatten(1) for i in range(0, len(rows), 256)]
        x = torch.cat(small)
        return torch.cat([x, torch.ones(len(x), 1)], 1)

    rows = vision.training_rows(pictures)
    texts = tower(retrieval.pad([vocabulary.ids(pictures.rows[i]["captions"][0]) for i in rows]))
    x = pixels(rows)
    weights = torch.linalg.solve(x.T @ x + strength * torch.eye(x.shape[1]), x.T @ texts)
    return lambda chosen: F.normalize(pixels(chosen) @ weights, dim=1)


def vision_figures(args, zoo):
    pictures, vocabulary = Pictures(args.data), Vocabulary.load(zoo / "text" / "vocab.txt")
    result = {"shipped (float16 weights)": retrieval.evaluate(
        shipped_vision(zoo), shipped_text(zoo), vocabulary, pictures, args.split, known=known_words(pictures))}
    ridge = ridge_on_pixels(pictures, shipped_text(zoo), vocabulary)
    result["ridge on 8x8 pixels"] = retrieval.evaluate(ridge, shipped_text(zoo), vocabulary, pictures, args.split)
    if args.checkpoints:
        net, tower, _ = vision.load(Path(args.checkpoints) / "vision.pt")
        result["float32"] = retrieval.evaluate(net, tower, vocabulary, pictures, args.split, known=known_words(pictures))
    return result


def language_figures(args, zoo):
    vocabulary = Vocabulary.load(zoo / "language" / "vocab.txt")
    corpus = language.Corpus(args.data, vocabulary)
    body = fill(Body(len(vocabulary), language.WIDTH, language.HIDDEN), zoo / "language" / "body.onnx")
    head = fill(nn.Linear(language.HIDDEN, len(vocabulary)), zoo / "language" / "head.onnx")
    sets = {"captions": CAPTION, "glosses": GLOSS}
    result = {}
    for name, start in sets.items():
        held, train = corpus.of("val", start), corpus.of("train", start)
        result[name] = {"texts": len(held), "shipped (float16 weights)": round(language.perplexity(body, head, held), 1),
                        **language.baseline_perplexities(train, held, len(vocabulary))}
        if args.checkpoints:
            plain = language.load(Path(args.checkpoints) / "language.pt")[:2]
            result[name]["float32"] = round(language.perplexity(*plain, held), 1)
    return result


def sound_figures(args, zoo):
    vocabulary = Vocabulary.load(zoo / "text" / "vocab.txt")
    tower = shipped_text(zoo)
    if args.folds:
        keep = args.export and (lambda fold, net: export_sound(net, Path(args.export) / f"fold-{fold}"))
        return sound.folds(args.data, vocabulary, tower, samples=args.samples, keep=keep,
                           log=lambda line: print(line, file=sys.stderr, flush=True))
    if args.elsewhere:
        return sound.elsewhere(args.data, vocabulary, tower, samples=args.samples,
                               log=lambda line: print(line, file=sys.stderr, flush=True))
    sounds = sound.Sounds(args.data)
    nets = {"shipped (float16 weights)": fill(fold(Sound()), zoo / "sound" / "model.onnx")}
    if args.checkpoints:
        nets["float32"] = sound.load(Path(args.checkpoints) / "sound.pt")[0]
    result = {}
    for label, net in nets.items():
        for kind in sorted({row["kind"] for row in sounds.rows}):
            rows = sound.rows_where(sounds, lambda row: row["split"] == args.split and row["kind"] == kind)
            if len(rows):
                figures = sound.naming(net, sounds, rows, tower, vocabulary)
                figures.pop("ranks")
                result.setdefault(label, {})[kind] = figures
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("module", choices=["vision", "language", "sound"])
    p.add_argument("--data", required=True, help="directory written by `wire data export`")
    p.add_argument("--split", default="test", choices=["val", "test"], help="split of vision and sound (default: %(default)s)")
    p.add_argument("--zoo", default=str(ZOO), help="where the modules' folders are (default: %(default)s)")
    p.add_argument("--checkpoints", help="directory of checkpoints, to compare with float32 weights")
    p.add_argument("--folds", action="store_true", help="sound: train and measure five folds instead")
    p.add_argument("--elsewhere", action="store_true",
                   help="sound: train and measure three times without some packages of extras instead")
    p.add_argument("--export", help="sound --folds: write each fold's network as a module into this directory")
    p.add_argument("--samples", type=int, default=20_000,
                   help="sound --folds, --elsewhere: windows to hear in each training (default: %(default)s)")
    p.add_argument("--threads", type=int, default=2)
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    figures = {"vision": vision_figures, "language": language_figures, "sound": sound_figures}[args.module]
    print(json.dumps(figures(args, Path(args.zoo)), indent=1))


if __name__ == "__main__":
    main()
