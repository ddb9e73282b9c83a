"""Makes `yaml_corpus.json`: mappings, and the text that PyYAML writes for each.

    python make_yaml_corpus.py [count of random mappings] [seed] > yaml_corpus.json

As MLflow 2.17.2 and 3.17.2 write: PyYAML 6.0 with libyaml's dumper, default width.
"""

import json
import random
import sys

import yaml

count = int(sys.argv[1]) if len(sys.argv) > 1 else 250
rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)

words = """
    | yes no on off y n true True FALSE null Null ~ = << 0 1 -1 +1 00 07 08 0o7 0x1F 0xG 0b101
    1_000 _1 1__0 1. .5 -.5 +.5 1.5 1e5 1.0e5 1.0e+5 1.e+5 .inf -.Inf .nan -.nan NaN inf 1:30
    1:60 190:20:30 1:30.5 12e03 0. 0.0_1 . .. ... --- --- -- - -a ? ?a : :a a:b a: #a a#b
    2020-01-01 2020-1-1 2020-01-01T10:00:00Z 2020-01-01t1:00:00.5-5 20-01-01
    !a &a *a |a >a %a @a `a [a] {a} 'a' "a" , ,a a,b \\\\ a\\\\b
    http://x/y?z=1&a=[b] file:///a/b s3://b/k mlflow-artifacts:/0 é 日本語 😀 \u00a0 \u0085
    """.split()
strings = [w.replace("\\\\", "\\") for w in words] + [
    "",
    " ",
    "  ",
    "a b",
    " a",
    "a ",
    "a: b",
    "a :b",
    "a #b",
    "a# b",
    "- a",
    "? a",
    ": a",
    "-\ta",
    "a:\tb",
    "a\t#b",
    "a\nb",
    "a\n",
    "\na",
    "\n",
    "\n\n",
    "a\n\nb\n\n",
    "a \nb",
    "a\n b",
    "a\r\nb",
    "a\rb",
    "a\tb",
    "\ta",
    "a\x00b",
    "\x07\x08\x0b\x0c\x1b\x7f",
    "a\u2028b",
    "a\u2029",
    "a\x85b",
    "\ufeffa",
    "a\ufffeb\uffff",
    "\ud7ff\ue000\ufffd",
    "😀 " * 30,
    "it's",
    "it's: 'quoted'",
    'say "x": y',
    "x" * 200,
    "x" * 79 + " y",
    "long word " * 20,
    "long  double  " * 20,
    "long: word " * 20,
    "long: double  " * 20,
    "a: " + "x" * 100 + " y z",
    "long 'quoted': " * 15,
    "tab\tword " * 20,
    "é: " * 60,
    '{"cols": ["' + '", "'.join("column %d" % i for i in range(40)) + '"]}',
    "# Title\n\n- item: one\n- item: two\n\n```\ncode  \n```\n",
    "2020-01-01 10:00:00",
    "2020-01-01 10:00:00 +01:00",
    "2020-01-01 10:00:00 ",
    "--- a",
    "...a",
    "---a",
    "y: 1",
    "null ",
    "1 ",
    "k" * 127,
    "k" * 128,
    "k" * 129,
    "é" * 64,
    "é" * 65,
    "k: " * 50,
]
pieces = list(" \n\t'\"\\:#-?,[]{}&*!|>%@`~=.0129abcé") + [
    " ",
    "  ",
    "\n\n",
    ": ",
    " #",
    "\r",
    "\x85",
    "\u2028",
    "\x00",
    "\x1b",
    "\u00a0",
    "\ufeff",
    "😀",
    "日",
    "word",
    "x" * 25,
    "word word word ",
    "1e5",
    "0x1",
    "12:30",
]


def text():
    if rng.random() < 0.3:
        return rng.choice(strings)
    return "".join(rng.choice(pieces) for _ in range(rng.choice([1, 2, 3, 4, 8, 20, 60])))


def value(depth=0):
    kind = rng.random()
    if kind < 0.6 or depth > 3:
        return text()
    if kind < 0.7:
        return rng.choice([None, True, False, 0, -5, 1795709433537, 4])
    if kind < 0.75:
        return rng.choice([0.5, 1e17, 1e-05, -2.5e300, 3.0, 1.5e16])
    if kind < 0.85:
        return [value(depth + 1) for _ in range(rng.randrange(4))]
    return {text(): value(depth + 1) for _ in range(rng.randrange(4))}


cases = [{"k": s} for s in strings] + [{s: s} for s in strings] + [{}]
cases += [{"k": [s, {s: s, "b": [s]}], "m": {"n": {"o": s}}} for s in strings[::3]]
cases += [{text(): value() for _ in range(rng.randrange(1, 5))} for _ in range(count)]


def plain(entry):
    # Lone surrogates and values that JSON cannot carry do not occur.
    return json.loads(json.dumps(entry))


print("[")
for number, case in enumerate(cases):
    case = plain(case)
    dumped = yaml.dump(
        case, Dumper=yaml.CSafeDumper, default_flow_style=False, allow_unicode=True, sort_keys=True
    )
    end = "," if number + 1 < len(cases) else ""
    print(json.dumps([case, dumped], ensure_ascii=True) + end)
print("]")
