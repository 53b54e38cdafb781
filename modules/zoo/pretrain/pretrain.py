#!/usr/bin/python3
"""Pretrains the frozen modules and writes them as ONNX: one command reproduces all of them.

    python3 pretrain.py all --data EXPORT_DIR --out DIR --seed 1

EXPORT_DIR is what `wire data export` writes. Checkpoints go to --out, modules to --zoo.
"""

import argparse
import sys
from pathlib import Path

import torch

import export
import language
import sound
import vision
from wordnet import WordNet
from words import Vocabulary, build_vocabulary

ZOO = Path(__file__).resolve().parent.parent


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("module", choices=["vision", "language", "sound", "all", "export"],
                   help="what to train (vision trains its text tower too); export only rewrites the ONNX files")
    p.add_argument("--data", required=True, help="directory written by `wire data export`")
    p.add_argument("--out", required=True, help="directory for checkpoints")
    p.add_argument("--zoo", default=str(ZOO), help="where the modules' folders are (default: %(default)s)")
    p.add_argument("--wordnet", default="/usr/share/wordnet", help="WordNet 3.0 files (Debian: wordnet-base)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--pictures", type=int, default=800_000,
                   help="vision: views in the first cycle of the learning rate (default: %(default)s)")
    p.add_argument("--again", type=int, default=1_300_000,
                   help="vision: views in a second cycle, from the first's weights; 0: none (default: %(default)s)")
    p.add_argument("--epochs", type=int, default=3, help="epochs of the language model (default: %(default)s)")
    p.add_argument("--sounds", type=int, default=90_000, help="sound windows to hear (default: %(default)s)")
    p.add_argument("--resume", help="vision: start from this checkpoint instead of from nothing")
    p.add_argument("--minutes", type=float, default=0,
                   help="end each training after this time, with its whole learning-rate schedule; 0: no limit")
    return p.parse_args()


def vocabulary_of(args):
    """The vocabulary in --out, or a new one; it is shared by text tower and language model."""
    path = Path(args.out) / "vocab.txt"
    if not path.exists():
        build_vocabulary(args.data, WordNet(args.wordnet)).save(path)
    return Vocabulary.load(path)


def main():
    args = parse()
    torch.set_num_threads(args.threads)
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    vocabulary = vocabulary_of(args)

    def log(line):
        print(line, flush=True)

    def wanted(name):
        return args.module in (name, "all")

    if wanted("vision"):
        start = args.resume
        for views in filter(None, (args.pictures, args.again)):
            vision.train(args.data, vocabulary, out, args.seed, views, args.minutes, resume=start, wordnet=args.wordnet, log=log)
            start = out / "vision.pt"
    if wanted("language"):
        language.train(args.data, vocabulary, out, args.seed, args.epochs, args.minutes, log=log)
    if wanted("sound"):
        _, tower, _ = vision.load(out / "vision.pt")
        sound.train(args.data, vocabulary, tower, out, args.seed, args.sounds, args.minutes, log=log)
    write(args, out, vocabulary, wanted, log)


def write(args, out, vocabulary, wanted, log):
    every = args.module == "export"
    if (wanted("vision") or every) and (out / "vision.pt").exists():
        net, tower, _ = vision.load(out / "vision.pt")
        log(f"vision operators: {export.export_vision(net, args.zoo)}")
        log(f"text operators: {export.export_text(tower, vocabulary, args.zoo)}")
    if (wanted("language") or every) and (out / "language.pt").exists():
        body, head, _ = language.load(out / "language.pt")
        log(f"language operators: {export.export_language(body, head, vocabulary, args.zoo)}")
    if (wanted("sound") or every) and (out / "sound.pt").exists():
        net, _ = sound.load(out / "sound.pt")
        log(f"sound operators: {export.export_sound(net, args.zoo)}")


if __name__ == "__main__":
    sys.exit(main())
