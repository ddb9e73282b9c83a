"""Makes filters and orders: valid ones mostly, and some that are nearly so.

The same seed makes the same texts. Names and values come from a vocabulary that the population
knows, so that most filters find something and leave something.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

COMPARE = ("=", "!=", ">", ">=", "<", "<=")
TEXT = ("=", "!=", "LIKE", "ILIKE")
LISTS = ("IN", "NOT IN")
NULLS = ("IS NULL", "IS NOT NULL")
NONSENSE = ("==", "<>", "IN", "LIKE", "IS", "RLIKE", "~", "BETWEEN", ">", "is not")


@dataclass
class Vocabulary:
    """Keys, and for those of texts the values that occur."""

    metrics: list[str]
    numbers: list[str]
    params: dict[str, list[str]]
    tags: dict[str, list[str]]
    texts: dict[str, list[str]]
    """Attributes that are texts."""
    times: dict[str, list[str]]
    """Attributes that are numbers."""
    listed: tuple[str, ...] = ()
    """Attributes that may be compared with lists."""
    datasets: dict[str, list[str]] = field(default_factory=dict)
    singular: bool = True
    """Whether `metric.`, `tag.` and other spellings of an entity are known."""
    nulls: bool = True
    """Whether `IS NULL` is asked."""


SMALL = Vocabulary(
    metrics=["loss", "acc", "m/1", "none"],
    numbers=["0", "0.5", "-3.25", "1", "1e20", "-1e3", "0.25", "1e400"],
    params={
        "lr": ["0.1", "0.01", "1e-3", "100%", "größe"],
        "opt": ["adam", "SGD", "Adam", ""],
        "with space": ["y"],
        "none": ["x"],
    },
    tags={
        "team": ["red", "Red", "blue", "blue_1", "100%", "", "a\\b"],
        "note": ["it's", 'say "x"'],
        "a/b": ["x"],
        "mlflow.runName": ["alpha", "eta 模型"],
    },
    texts={
        "run_name": ["alpha", "beta", "Gamma", "eta 模型"],
        "status": ["FINISHED", "RUNNING", "FAILED"],
        "user_id": ["user0", "user1"],
        "run_id": ["{alpha}", "{beta}", "nope"],
    },
    times={"start_time": ["1700000000003"], "end_time": ["1700000001002"], "created": ["1700000000001"]},
    listed=("run_id",),
    datasets={"name": ["wine", "beer"], "digest": ["1", "2"], "context": ["train", "test"]},
    nulls=False,
)

ENTITIES = {
    "metrics": ("metrics", "metric", "`metrics`"),
    "params": ("params", "param", "parameter", "parameters"),
    "tags": ("tags", "tag"),
    "attributes": ("", "", "attributes.", "attribute.", "attr.", "run."),
    "datasets": ("dataset", "datasets"),
}


class Grammar:
    """Filters and orders over a vocabulary."""

    def __init__(self, rng: random.Random, words: Vocabulary = SMALL) -> None:
        self.rng = rng
        self.words = words

    def filter(self, wrong: float = 0.1) -> str:
        """One to four comparisons; with this probability it is then damaged."""
        rng = self.rng
        count = rng.choice((1, 1, 1, 2, 2, 3, 4))
        joined = self.comparison()
        for _ in range(count - 1):
            joined += rng.choice((" AND ", " and ", " And ", "  AND  ", "\nAND ")) + self.comparison()
        return self._damaged(joined) if rng.random() < wrong else joined

    def order(self, wrong: float = 0.05) -> list[str]:
        """None to three clauses, of different fields unless it is to be wrong."""
        rng = self.rng
        chosen: list[str] = []
        fields: set[str] = set()
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            entity, key = self._sortable()
            if (entity, key) in fields and rng.random() >= wrong:
                continue
            fields.add((entity, key))
            clause = self._name(entity, key) + rng.choice(("", " ASC", " DESC", " desc", " asc"))
            chosen.append(self._damaged(clause) if rng.random() < wrong else clause)
        return chosen

    def comparison(self) -> str:
        """One comparison, which is right but for one in fifteen."""
        rng, words = self.rng, self.words
        entities = [
            name
            for name, keys, weight in (
                ("metrics", words.metrics, 3),
                ("params", words.params, 3),
                ("tags", words.tags, 3),
                ("attributes", words.texts, 3),
                ("times", words.times, 1),
                ("datasets", words.datasets, 2),
            )
            for _ in range(weight if keys else 0)
        ]
        entity = rng.choice(entities)
        if entity in ("metrics", "times"):
            key = rng.choice(words.metrics if entity == "metrics" else list(words.times))
            values = words.numbers if entity == "metrics" else words.times[key]
            operator, value = rng.choice(COMPARE), rng.choice(values)
            entity = "metrics" if entity == "metrics" else "attributes"
        else:
            table = {"params": words.params, "tags": words.tags, "attributes": words.texts, "datasets": words.datasets}
            known = table[entity]
            key = rng.choice(list(known))
            operator, value = self._text_comparison(entity, key, known[key])
        if rng.random() < 1 / 15:
            operator = rng.choice(NONSENSE)
        if rng.random() < 1 / 15:
            value = rng.choice(("5", "'x'", "x", "('a', 'b')", "''", "1.5", "NULL", "'"))
        space = rng.choice((" ", " ", " ", "  ", "\t")) if value or operator.isalpha() else " "
        tight = operator in COMPARE and rng.random() < 0.1
        return f"{self._name(entity, key)}{'' if tight else space}{operator}{'' if tight else space}{value}".rstrip("\t ")

    def _text_comparison(self, entity: str, key: str, values: list[str]) -> tuple[str, str]:
        rng = self.rng
        lists = entity == "datasets" or (entity == "attributes" and key in self.words.listed)
        nulls = self.words.nulls and entity in ("params", "tags")
        operator = rng.choice(TEXT + (LISTS if lists else ()) + (NULLS if nulls else ()))
        if operator in NULLS:
            return self._case(operator), ""
        if operator in LISTS:
            items = [self._quoted(rng.choice(values)) for _ in range(rng.randint(1, 3))]
            return self._case(operator), f"({', '.join(items)})"
        value = rng.choice(values)
        if operator in ("LIKE", "ILIKE"):
            value = self._pattern(value)
        return self._case(operator), self._quoted(value)

    def _pattern(self, value: str) -> str:
        rng = self.rng
        cut = rng.randint(0, len(value))
        made = rng.choice((value, f"%{value[cut:]}", f"{value[:cut]}%", f"%{value[cut:]}%", "%"))
        if made and rng.random() < 0.3:
            at = rng.randrange(len(made))
            made = f"{made[:at]}_{made[at + 1:]}" if "{" not in value else made
        return made.swapcase() if rng.random() < 0.2 and "{" not in value else made

    def _quoted(self, value: str) -> str:
        quote = '"' if "'" in value else "'" if '"' in value else self.rng.choice("''\"")
        return f"{quote}{value}{quote}"

    def _case(self, operator: str) -> str:
        return self.rng.choice((operator, operator, operator.lower(), operator.title()))

    def _name(self, entity: str, key: str) -> str:
        rng = self.rng
        plain = all(letter.isascii() and (letter.isalnum() or letter in "_.") for letter in key)
        shown = key if plain and rng.random() < 0.7 else rng.choice(("`{}`", "`{}`", '"{}"')).format(key)
        if entity == "attributes":
            prefix = rng.choice(ENTITIES[entity] if self.words.singular else ("", "attributes."))
            return f"{prefix}{key}"
        prefix = rng.choice(ENTITIES[entity]) if self.words.singular else entity
        return f"{prefix}.{shown}"

    def _sortable(self) -> tuple[str, str]:
        words = self.words
        fields = [("metrics", key) for key in words.metrics]
        fields += [("params", key) for key in words.params]
        fields += [("tags", key) for key in words.tags]
        # Ids and what holds them are random: nothing can be sorted by them on two servers alike.
        fields += [("attributes", key) for key in words.texts if key not in ("run_id", "model_id", "artifact_uri")]
        fields += [("attributes", key) for key in words.times if key != "created"]
        return self.rng.choice(fields)

    def _damaged(self, text: str) -> str:
        rng = self.rng
        if not text:
            return text
        at = rng.randrange(len(text))
        match rng.randrange(6):
            case 0:
                return text[:at] + text[at + 1 :]
            case 1:
                return text[:at] + rng.choice("'\"`();,.=<>!%&|*+- x1") + text[at:]
            case 2:
                return text[:at]
            case 3:
                return text.replace(" AND ", " OR ", 1)
            case 4:
                words = text.split(" ")
                rng.shuffle(words)
                return " ".join(words)
            case _:
                return text + rng.choice((" AND", " OR x", ";", " --", ")", " NOT", " IN", " 1", " 'x'"))
