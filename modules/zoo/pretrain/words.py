"""Words: the tokenizer that Go shares, and the vocabulary of text tower and language model."""

import json
import re
from collections import Counter
from pathlib import Path

PAD, UNK, CAPTION, GLOSS, EOS, COMMA = range(6)
SPECIALS = ["<pad>", "<unk>", "<caption>", "<gloss>", "<eos>", ","]

_TOKEN = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*|,")
_STOP = frozenset(
    "a an the of and or in on at to with by for from is are be as its it this that into over under not "
    "no up out off his her their your one two who which has have being used".split()
)


def tokenize(text):
    """Splits text into lower-case words ([a-z0-9]+ with inner ' or -) and commas; drops the rest."""
    return _TOKEN.findall(text.lower())


def content_words(text):
    """The words of a text that carry meaning: no commas, no stop words."""
    return [w for w in tokenize(text) if w != "," and w not in _STOP]


class Vocabulary:
    """An ordered list of tokens; the first six are SPECIALS."""

    def __init__(self, tokens):
        self.tokens = list(tokens)
        if self.tokens[: len(SPECIALS)] != SPECIALS:
            raise ValueError(f"a vocabulary starts with {SPECIALS}, not {self.tokens[:len(SPECIALS)]}")
        self.index = {token: i for i, token in enumerate(self.tokens)}

    def __len__(self):
        return len(self.tokens)

    def ids(self, text, skip_unknown=False):
        """Token ids of a text; unknown words become UNK or are skipped."""
        found = [self.index.get(w, UNK) for w in tokenize(text)]
        return [i for i in found if i != UNK] if skip_unknown else found

    def save(self, path):
        Path(path).write_text("\n".join(self.tokens) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        return cls(Path(path).read_text(encoding="utf-8").splitlines())


def read_jsonl(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def build_vocabulary(data, size=6000):
    """Chooses the vocabulary from training material only.

    Every word of a training caption comes first, then words by frequency over training keywords
    (each counted once a concept, at least two concepts), sound labels and WordNet texts.
    """
    data = Path(data)
    captions, others, keywords = Counter(), Counter(), {}
    for row in read_jsonl(data / "pictures.jsonl"):
        if row["split"] != "train":
            continue
        for caption in row["captions"]:
            captions.update(tokenize(caption))
        captions.update(tokenize(row["category"] or ""))
        for keyword in row["keywords"]:
            for word in tokenize(keyword):
                keywords.setdefault(word, set()).add(row["concept"])
    if (data / "sounds.jsonl").exists():
        for row in read_jsonl(data / "sounds.jsonl"):
            if row["split"] == "train" and row.get("source") != "synthetic-speech":
                captions.update(tokenize(row.get("label") or ""))
    for row in read_jsonl(data / "texts.jsonl"):
        if row["split"] == "train":
            (captions if row["source"] == "caption" else others).update(tokenize(row["text"]))
    for word, concepts in keywords.items():
        if len(concepts) >= 2:
            others[word] += 3 * len(concepts)
    chosen = [w for w, _ in sorted(captions.items(), key=lambda item: (-item[1], item[0])) if w != ","]
    chosen = chosen[: size - len(SPECIALS)]
    have = set(chosen)
    for word, _ in sorted(others.items(), key=lambda item: (-item[1], item[0])):
        if len(chosen) + len(SPECIALS) >= size:
            break
        if word not in have and word != ",":
            chosen.append(word)
            have.add(word)
    return Vocabulary(SPECIALS + chosen)
