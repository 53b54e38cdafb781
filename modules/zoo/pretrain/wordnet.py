"""Meaning from WordNet: a fixed vector per word, so that a word no picture was labelled with still
lies near its relatives.

Each word is described by its senses' synsets, their hypernyms up to the root, related synsets,
lexicographer files and the words of the glosses; tf-idf weights and a truncated singular value
decomposition make dense vectors of these (latent semantic analysis over the WordNet graph).
"""

import math
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import svds

from words import SPECIALS, content_words

DEFAULT_DIR = "/usr/share/wordnet"
_PARTS = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_PART_WEIGHT = {"n": 1.0, "v": 0.5, "a": 0.7, "r": 0.4}
_SUFFIXES = (("ies", "y"), ("ves", "f"), ("ches", "ch"), ("shes", "sh"), ("xes", "x"), ("ses", "s"), ("s", ""),
             ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e"), ("er", ""), ("est", ""))


class Synset:
    __slots__ = ("lexfile", "lemmas", "pointers", "gloss")

    def __init__(self, lexfile, lemmas, pointers, gloss):
        self.lexfile, self.lemmas, self.pointers, self.gloss = lexfile, lemmas, pointers, gloss


class WordNet:
    """The WordNet 3.0 database files (data.*, index.*, cntlist.rev) of a directory."""

    def __init__(self, directory=DEFAULT_DIR):
        self.dir = Path(directory)
        self.synsets, self.senses, self.exceptions = {}, defaultdict(list), {}
        self.tagged = Counter()  # by lemma: senses that occur in WordNet's tagged corpus
        for part, name in _PARTS.items():
            self._read_data(part, self.dir / f"data.{name}")
            self._read_index(part, self.dir / f"index.{name}")
            for line in self._lines(self.dir / f"{name}.exc"):
                fields = line.split()
                self.exceptions.setdefault(fields[0], fields[1])

    @staticmethod
    def _lines(path):
        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if not line.startswith("  "):
                    yield line

    def _read_data(self, part, path):
        for line in self._lines(path):
            head, _, gloss = line.partition("| ")
            f = head.split()
            count = int(f[3], 16)
            lemmas = [f[4 + 2 * i].lower() for i in range(count)]
            at = 4 + 2 * count
            pointers = []
            for i in range(int(f[at])):
                symbol, offset, target = f[at + 1 + 4 * i : at + 4 + 4 * i]
                pointers.append((symbol, ("a" if target == "s" else target) + offset))
            self.synsets[part + f[0]] = Synset(int(f[1]), lemmas, pointers, gloss.strip())

    def _read_index(self, part, path):
        for line in self._lines(path):
            f = line.split()
            count, pointers = int(f[2]), int(f[3])
            tagged = int(f[5 + pointers])
            self.tagged[f[0]] += tagged
            for rank, offset in enumerate(f[6 + pointers : 6 + pointers + count]):
                weight = _PART_WEIGHT[part] * 0.55**rank * (1.0 if tagged else 0.6)
                self.senses[f[0]].append((part + offset, weight))

    def lookup(self, word):
        """Senses (synset, weight) of a word or its base form; empty when WordNet has neither."""
        word = word.replace("-", "_") if word.replace("-", "_") in self.senses else word
        for form in self._forms(word):
            if form in self.senses:
                return self.senses[form]
        return []

    def _forms(self, word):
        yield word
        if word in self.exceptions:
            yield self.exceptions[word]
        if word.endswith("'s"):
            yield word[:-2]
        for suffix, base in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3:
                stem = word[: len(word) - len(suffix)]
                yield stem + base
                if not base and len(stem) > 3 and stem[-1] == stem[-2]:
                    yield stem[:-1]
        for piece in word.replace("'", "-").split("-"):
            if piece != word:
                yield piece

    def hypernyms(self, synset, limit=6):
        """Ancestors of a synset as (synset, depth), nearest first."""
        seen, frontier, depth = {}, [synset], 0
        while frontier and depth < limit:
            depth += 1
            frontier = [t for s in frontier for symbol, t in self.synsets[s].pointers if symbol in ("@", "@i")]
            frontier = [t for t in dict.fromkeys(frontier) if t not in seen]
            seen.update((t, depth) for t in frontier)
        return list(seen.items())

    def features(self, word):
        """The weighted features that describe a word."""
        found = Counter()
        for synset, weight in self.lookup(word)[:5]:
            s = self.synsets[synset]
            found["=" + synset] += weight
            found[f"lex{s.lexfile}"] += 0.5 * weight
            for symbol, target in s.pointers:
                if symbol not in ("@", "@i", "!"):
                    found["=" + target] += 0.4 * weight
            for ancestor, depth in self.hypernyms(synset, 12):
                found["=" + ancestor] += weight * 0.85**depth
                if depth == 1:
                    for w in content_words(self.synsets[ancestor].gloss):
                        found["w:" + w] += 0.15 * weight
            for w in content_words(s.gloss):
                found["w:" + w] += 0.35 * weight
            for lemma in s.lemmas:
                for w in lemma.split("_"):
                    found["w:" + w] += 0.5 * weight
        if found:
            found["w:" + word] += 0.5
        return found


def word_vectors(net, vocabulary, dim=192, extra=12000):
    """[V, dim] float32, unit-variance columns on average; zero rows where WordNet has no entry.

    `extra` further lemmas (the most polysemous nouns, which are the most common ones) are decomposed
    along with the vocabulary, so that the axes reflect the language and not only the captions.
    """
    words = list(vocabulary.tokens)
    have = set(words)
    common = sorted((w for w in net.senses if w.isalpha() and w not in have),
                    key=lambda w: (-sum(weight for _, weight in net.senses[w]), w))
    words += common[:extra]
    described = [net.features(w) if w not in SPECIALS else Counter() for w in words]
    frequency = Counter(name for row in described for name in row)
    columns = {name: i for i, name in enumerate(sorted(n for n, c in frequency.items() if c >= 2))}
    rows, cols, values = [], [], []
    for i, row in enumerate(described):
        for name, weight in row.items():
            if name in columns:
                rows.append(i)
                cols.append(columns[name])
                values.append(weight * math.log(len(words) / frequency[name]))
    matrix = sparse.csr_matrix((values, (rows, cols)), shape=(len(words), len(columns)), dtype=np.float32)
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1)).ravel())
    matrix = sparse.diags(1 / np.maximum(norms, 1e-6)) @ matrix
    u, s, _ = svds(matrix, k=dim, v0=np.ones(min(matrix.shape), np.float32))
    vectors = u * np.sqrt(s)  # flatten the spectrum a little: rare distinctions matter here
    vectors = vectors[: len(vocabulary)]
    known = np.linalg.norm(vectors, axis=1) > 1e-6
    vectors[known] -= vectors[known].mean(0)
    vectors[known] /= np.linalg.norm(vectors[known], axis=1, keepdims=True)
    vectors[~known] = 0
    return (vectors * math.sqrt(dim)).astype(np.float32)
