"""Words: the tokenizer that Go shares, and the vocabulary of text tower and language model."""

import json
import re
from collections import Counter
from pathlib import Path

PAD, UNK, CAPTION, GLOSS, EOS, COMMA = range(6)
SPECIALS = ["<pad>", "<unk>", "<caption>", "<gloss>", "<eos>", ","]

# WordNet's lexicographer files of things one can see: animal, artifact, body, food, object, person, plant.
CONCRETE = frozenset((5, 6, 8, 13, 17, 18, 20))

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


def build_vocabulary(data, net, size=6000):
    """Chooses the vocabulary from training pictures, training sounds and WordNet.

    Every word of a training caption, category or sound label comes first (of telephone prompts and extra sounds, none),
    then words by frequency over training keywords (counted once a concept, at least two concepts), the
    glosses of concrete nouns, and those nouns themselves where WordNet's corpus has met them.
    """
    captions, others, keywords = Counter(), Counter(), {}
    for row in read_jsonl(Path(data) / "pictures.jsonl"):
        if row["split"] != "train":
            continue
        for caption in row["captions"]:
            captions.update(tokenize(caption))
        captions.update(tokenize(row["category"] or ""))
        for keyword in row["keywords"]:
            for word in tokenize(keyword):
                keywords.setdefault(word, set()).add(row["concept"])
    for row in read_jsonl(Path(data) / "sounds.jsonl"):
        if row["split"] == "train" and row["source"] != "asterisk" and not row.get("extra"):
            captions.update(w for w in tokenize(row["label"]) if row["kind"] == "effect" or net.lookup(w))
    for synset in net.synsets.values():
        if synset.lexfile in CONCRETE:
            others.update(tokenize(synset.gloss))
    for lemma, senses in net.senses.items():
        if net.tagged[lemma] and net.synsets[senses[0][0]].lexfile in CONCRETE:
            others.update({word: 10 for word in tokenize(lemma.replace("_", " "))})
    for word, concepts in keywords.items():
        if len(concepts) >= 2:
            others[word] += 10 * len(concepts)
    ranked = [w for counts in (captions, others) for w, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    chosen = [w for w in dict.fromkeys(ranked) if w != ","]
    return Vocabulary(SPECIALS + chosen[: size - len(SPECIALS)])
