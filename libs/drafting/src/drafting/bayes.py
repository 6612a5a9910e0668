"""A small multinomial naive Bayes classifier over the words and the shape of a mail."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from drafting.cues import CUES
from drafting.language import ALL_STOP_WORDS
from drafting.letter import Kind

WORD = re.compile(r"[^\W\d_]{2,24}")
STEM = 6
"""A word also counts by its first letters, so that 'invoices' and 'Rechnungsnummer' are not strangers."""
READ = 4_000
"""Characters of a mail that are looked at: the kind of a mail shows early, and a long one must not be slow."""
SMOOTHING = 0.3
WEIGHT = ("", "+", "++")
"""A cue counts as three words."""
SHAPES = (
    ("<question>", re.compile(r"\?")),
    ("<no question>", re.compile(r"\A[^?]*\Z")),
    ("<link>", re.compile(r"https?://|www\.", re.I)),
    ("<amount>", re.compile(r"(?:[€$£]|EUR|USD|CHF)\s?\d|\d\s?(?:[€$£]|EUR\b|USD\b|CHF\b)|\d[.,]\d\d\b")),
    ("<percent>", re.compile(r"\d\s?%")),
    ("<shouting>", re.compile(r"!!|\b[A-Z]{4,}\s+[A-Z]{4,}\b")),
)


@dataclass(frozen=True, slots=True)
class Model:
    """What was learned: log probabilities, a token's per kind, `unseen` for a token a kind never had."""

    prior: Mapping[Kind, float]
    seen: Mapping[str, Mapping[Kind, float]]
    unseen: Mapping[Kind, float]


def tokens(subject: str, text: str) -> set[str]:
    """The features of a mail, each once: words, word beginnings, cues and shapes."""
    whole = f"{subject[:300]}\n{text[:READ]}"
    small = whole.lower()
    words = [word for word in WORD.findall(small) if word not in ALL_STOP_WORDS]
    found = set(words)
    found.update(word[:STEM] + "-" for word in words if len(word) > STEM)
    hits = [name for name, cue in CUES if cue.search(small)]
    hits += [name for name, shape in SHAPES if shape.search(whole)]
    found.update(name + mark for name in hits for mark in WEIGHT)
    return found


def learn(examples: Iterable[tuple[Kind, str, str]]) -> Model:
    """Count (kind, subject, text) examples."""
    mails: Counter[Kind] = Counter()
    counts: dict[Kind, Counter[str]] = {kind: Counter() for kind in Kind}
    for kind, subject, text in examples:
        mails[kind] += 1
        counts[kind].update(tokens(subject, text))
    vocabulary = set().union(*counts.values())
    total = {kind: counts[kind].total() + SMOOTHING * len(vocabulary) for kind in mails}
    seen = {token: {k: math.log((counts[k][token] + SMOOTHING) / total[k]) for k in mails} for token in vocabulary}
    return Model(
        prior={kind: math.log(n / mails.total()) for kind, n in mails.items()},
        seen=seen,
        unseen={kind: math.log(SMOOTHING / total[kind]) for kind in mails},
    )


def classify(model: Model, subject: str, text: str) -> dict[Kind, float]:
    """The probability of every kind. A word the model never saw says nothing."""
    score = dict(model.prior)
    for token in tokens(subject, text):
        if (weights := model.seen.get(token)) is not None:
            for kind, weight in weights.items():
                score[kind] += weight
    top = max(score.values())
    shares = {kind: math.exp(value - top) for kind, value in score.items()}
    whole = sum(shares.values())
    return {kind: share / whole for kind, share in shares.items()}


@cache
def trained() -> Model:
    """The model learned from the corpus beside this module, once."""
    corpus = resources.files("drafting").joinpath("corpus.jsonl").read_text("utf-8")
    rows = (json.loads(line) for line in corpus.splitlines())
    return learn((Kind(row["kind"]), row["subject"], row["text"]) for row in rows)
