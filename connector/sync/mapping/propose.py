"""Guesses for a mapping file: each with its reason, unsure ones skipped, and no line that is there is changed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from connector.sdk.errors import Fault, InvalidCall
from connector.sdk.inventory import Kind, Named
from connector.sync.mapping.mapping import Mapping
from connector.sync.mapping.mapping_file import load, parse
from connector.sync.mapping.synonyms import are_same, names, plain

SURE = 0.75
LIKELY = 0.45  # below it the nearest column is not worth a word
LIKE: dict[Kind, set[Kind]] = {"number": {"number", "text"}, "boolean": {"boolean", "text"}, "date": {"date", "text"}}
BARE = r"(?!(?:yes|no|on|off|true|false|null|y|n)$)[A-Za-z_][\w.]*"


@dataclass(frozen=True)
class Guess:
    """A property, the column it may belong to, and why."""

    source: Named
    column: Named
    score: float
    why: str


@dataclass(frozen=True)
class Strangers:
    """What a mapping file says nothing about."""

    properties: tuple[Named, ...]
    columns: tuple[Named, ...]


def check(text: str, properties: Iterable[Named], columns: Iterable[Named]) -> Strangers:
    """What is new on either side since the file was written; of a label with a NUL no file can say anything."""
    mapping: Mapping = load(text)
    sources, targets = {row.from_ for row in mapping.fields}, {row.to for row in mapping.fields}
    return Strangers(
        tuple(sorted(each for each in properties if each.name not in sources)),
        tuple(sorted(each for each in columns if each.name not in targets and "\0" not in each.name)),
    )


def propose(text: str, properties: Iterable[Named], columns: Iterable[Named]) -> str:
    """The file with a line for everything new on either side; lines that are there stay to the letter."""
    new = check(text, properties, columns)
    sure = {guess.source: guess for guess in _best(guesses(new.properties, new.columns)) if guess.score >= SURE}
    used = {guess.column for guess in sure.values()}
    mapped = [_mapped(sure[each]) for each in new.properties if each in sure]
    left = sorted((each for each in new.properties if each not in sure), key=lambda each: (_is_detail(each), each))
    skipped = [_skipped(each, new.columns) for each in left]
    return _inserted(text, [*mapped, *skipped, *(_left(each) for each in new.columns if each not in used)])


def guesses(properties: Iterable[Named], columns: Iterable[Named]) -> list[Guess]:
    """Every pair with its score, best first; of two alike, the one that takes no request for each device."""
    some = tuple(columns)
    found = [guess(source, column) for source in properties for column in some]
    return sorted(found, key=lambda each: (-each.score, _is_detail(each.source), each.source, each.column))


def _is_detail(source: Named) -> bool:
    return source.name.startswith("details.")


def guess(source: Named, column: Named) -> Guess:
    """How likely a property belongs to a column."""
    score, why = _by_name(source.name, column.name)
    if column.kind not in LIKE.get(source.kind, {column.kind}):
        return Guess(source, column, score / 2, f"{why}, but {source.kind} is not {column.kind}")
    return Guess(source, column, score, why)


def _by_name(path: str, label: str) -> tuple[float, str]:
    if path == label:
        return 1.0, "the same key"
    known, other = names(path), plain(label)
    if other in known:
        return 0.95, "the same name"
    if any(are_same(name, other) for name in known):
        return 0.9, "a synonym"
    like = max(SequenceMatcher(None, name, other).ratio() for name in known)
    return round(like * 0.89, 2), f"a similar name ({like:.2f})"


def _best(found: Iterable[Guess]) -> list[Guess]:
    """Each property and each column once."""
    kept: list[Guess] = []
    sources: set[Named] = set()
    columns: set[Named] = set()
    for each in found:
        if each.source not in sources and each.column not in columns:
            kept.append(each)
            sources.add(each.source)
            columns.add(each.column)
    return kept


def _mapped(found: Guess) -> str:
    parts = [f"to: {_scalar(found.column.name)}", f"from: {_scalar(found.source.name)}", "direction: mdm_to_asset"]
    return f"- {{ {', '.join([*parts, *_traits(found)])} }}  # {found.why}"


def _traits(found: Guess) -> list[str]:
    """What the meaning of a column asks for."""
    name, traits = plain(found.column.name), []
    if are_same(name, "serialnumber"):
        traits.append("key: true")
    if are_same(name, "macaddress"):
        traits.append("transform: [mac_colons]")
    if are_same(name, "capacity"):
        traits.append("transform: [size_gb]")
    return traits if found.source.kind == "text" else [*traits, f"type: {found.source.kind}"]


def _skipped(source: Named, columns: tuple[Named, ...]) -> str:
    nearest = next(iter(guesses([source], columns)), None)
    if nearest is None:
        why = "no column is left"
    elif nearest.score < LIKELY:
        why = "no column is like it"
    else:
        why = f"unsure: nearest is {_scalar(nearest.column.name)}, {nearest.why}"
    return f"- {{ from: {_scalar(source.name)}, skip: true }}  # {why}"


def _left(column: Named) -> str:
    return f"- {{ to: {_scalar(column.name)}, skip: true }}  # no property is surely this"


def _scalar(text: str) -> str:
    if re.fullmatch(BARE, text, re.ASCII):
        return text
    signs = (f"\\{sign}" if sign in '"\\' else sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in text)
    return f'"{"".join(signs)}"'


def _inserted(text: str, new: list[str]) -> str:
    """The text with these lines at the end of its fields."""
    tree, lines = parse(text), text.removesuffix("\n").split("\n")
    fields = tree["fields"]
    if not new:
        return text
    if not fields:
        start = tree.lc.key("fields")[0]
        return _joined([*lines[:start], "fields:", *(f"  {line}" for line in new), *lines[start + 1 :]])
    if fields.fa.flow_style():
        raise InvalidCall.of([Fault("fields", "Write fields as a list with one line for each field.")])
    later = [tree.lc.key(key)[0] for key in tree if tree.lc.key(key)[0] > fields.lc.item(0)[0]]
    end = min(later, default=len(lines))
    while not lines[end - 1].strip() or lines[end - 1].startswith("#"):
        end -= 1
    blanks = " " * (fields.lc.item(0)[1] - 2)
    return _joined([*lines[:end], *(f"{blanks}{line}" for line in new), *lines[end:]])


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"
