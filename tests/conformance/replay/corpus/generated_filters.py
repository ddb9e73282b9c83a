"""Searches of runs by filters and orders that a seeded generator makes; `filters.py` makes thousands."""

import random

from grammar import Grammar
from script import Corpus, Script

from corpus._population import populate

CORPUS = Corpus("generated_filters")


@CORPUS.scenario()
def runs(s: Script) -> None:
    s.experiment()
    populate(s)
    grammar = Grammar(random.Random(20260101))
    for number in range(1, 151):
        body = {"experiment_ids": ["{exp}"], "filter": grammar.filter()}
        s.post(f"filter {number:03}", "runs/search", body)
