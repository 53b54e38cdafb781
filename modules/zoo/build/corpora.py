"""The texts that modules learn from: captions of photographs, five to a picture, and the texts of `wire data export`."""

import json
from pathlib import Path

HELD = 1000  # captions of the last photographs of the file: never learned from


def captions(path):
    """(learned, held): the lines of coco-captions.txt; the five captions of a picture stand together, so the cut falls between pictures."""
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines() if line.strip()]
    return lines[:-HELD], lines[-HELD:]


def photographs(folder):
    """[(file, [captions])] of captions.tsv in a folder of captioned photographs."""
    rows = [line.split("\t") for line in (Path(folder) / "captions.tsv").read_text(encoding="utf-8").splitlines() if line]
    return [(row[0], row[3:]) for row in rows]


def exported(folder, *sources):
    """[(text, split)] of texts.jsonl: "caption", "template", "gloss" or "example"; none of the test split is there."""
    with open(Path(folder) / "texts.jsonl", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    return [(row["text"], row["split"]) for row in rows if row["source"] in sources]


def drawings(folder):
    """Rows of pictures.jsonl that are learned from or validated on, with their place in pictures.npy: neither extras nor the held-out style."""
    with open(Path(folder) / "pictures.jsonl", encoding="utf-8") as lines:
        rows = [json.loads(line) | {"row": i} for i, line in enumerate(lines)]
    return [r for r in rows if r["split"] in ("train", "val") and not r.get("held_style") and not r.get("extra") and r["captions"]]


def sounds(folder):
    """Rows of sounds.jsonl."""
    with open(Path(folder) / "sounds.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]
