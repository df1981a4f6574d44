"""A mapping file read: every error in it at once, each with its line and its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from io import StringIO
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.constructor import ConstructorError, RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from connector.sdk.errors import Fault, InvalidCall
from connector.sync.mapping.fitting import Step, unfit
from connector.sync.mapping.forms import PARTS
from connector.sync.mapping.mapping import FieldRow
from connector.sync.mapping.mapping import Mapping as MappingFile

LARGEST = 200_000  # characters
MOST = LARGEST // 2  # values: each takes a character, and one that parts it from the next
DEEPEST = 20  # tables and lists in each other: a mapping has six, and some thousands take seconds to read
RECENT = 16  # mappings that are kept, by their text: to read a large file takes a second
SAYS = {
    "missing": "is missing",
    "model_type": "must be a table of keys and values",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "dict_type": "must be a table of keys and values",
    "int_type": "must be a whole number",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be one of: {expected}",
    "wrong": "{why}",
}
FORMS = {
    "from": "must be a path such as os_version or details.volumes[0].capacity",
    "asset_tag": f"must be auto, from-mdm, or text with {', '.join(f'{{{part}}}' for part in PARTS)}",
}


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong with a file."""

    line: int
    at: str
    why: str

    @property
    def sentence(self) -> str:
        return f"{self.at} {self.why}" + ("" if self.why.endswith("?") else ".")


@lru_cache(maxsize=RECENT)
def load(text: str) -> MappingFile:
    """The mapping, or InvalidCall with every problem of the file."""
    found = read(text)
    if isinstance(found, MappingFile):
        return found
    raise InvalidCall.of([Fault(f"line {each.line}: {each.at}", each.sentence) for each in found])


def read(text: str) -> MappingFile | list[Problem]:
    """The mapping, or its problems by line."""
    try:
        tree = parse(text)
    except YAMLError as error:
        return [_unreadable(error)]
    if not isinstance(tree, CommentedMap):
        return [Problem(1, "file", "must be a table of keys and values")]
    if _is_swollen(tree):
        return [Problem(1, "file", "is too large with its aliases filled in")]
    crossed = [Problem(line_of(tree, path), "/".join(map(str, path)), why) for path, why in unfit(tree)]
    try:
        mapping = MappingFile.model_validate(tree)
    except ValidationError as error:
        return sorted({*crossed, *(_problem(each, tree) for each in error.errors())})
    return sorted(crossed) or mapping


def parse(text: str) -> Any:
    """The tree of a YAML text, with comments and lines."""
    if len(text) > LARGEST:
        raise YAMLError(f"must have at most {LARGEST} characters")
    yaml = YAML(typ="rt")
    yaml.max_depth = DEEPEST
    yaml.Constructor = _Constructor
    return yaml.load(StringIO(text))


class _Constructor(RoundTripConstructor):
    """Says where a value is that Python has no number, date or table for, such as 2026-02-30."""

    def construct_non_recursive_object(self, node: Any, tag: str | None = None) -> Any:
        try:
            return super().construct_non_recursive_object(node, tag)
        except (ValueError, LookupError, AttributeError) as error:
            why = "there is no such number, date or table; text is written in quotes"
            raise ConstructorError(None, None, why, node.start_mark) from error


def _is_swollen(tree: Any) -> bool:
    """Whether aliases make more of it than the largest file could say without them."""
    left, count = [tree], 0
    while left and count <= MOST:
        each = left.pop()
        count += 1
        left += each.values() if isinstance(each, Mapping) else each if isinstance(each, list) else ()
    return bool(left)


def _unreadable(error: YAMLError) -> Problem:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    line = mark.line + 1 if mark else 1
    if isinstance(error, MaxDepthExceededError):
        return Problem(line, "file", "is nested too deeply")
    why = str(error.problem if isinstance(error, MarkedYAMLError) else error)
    return Problem(line, "file", f"is no YAML: {why}")


def _problem(detail: ErrorDetails, tree: CommentedMap) -> Problem:
    path = tuple(step for step in detail["loc"] if step != "[key]")
    return Problem(line_of(tree, path), "/".join(str(step) for step in path), _why(detail, path))


def _why(detail: ErrorDetails, path: tuple[Step, ...]) -> str:
    last = str(path[-1]) if path else ""
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(last, _keys(path[:-1]), n=1)
        return "is not a key here" + (f"; did you mean {near[0]}?" if near else "")
    if detail["type"] == "string_pattern_mismatch":
        return FORMS.get(last, "must not hold the sign NUL")
    return SAYS.get(detail["type"], "is not valid").format(**detail.get("ctx", {})).replace("'", "")


def _keys(path: tuple[Step, ...]) -> list[str]:
    """The keys of the table at a path."""
    table: Any = MappingFile
    for step in path:
        if isinstance(step, str) and isinstance(table, type) and issubclass(table, BaseModel):
            table = FieldRow if step == "fields" else table.model_fields[step].annotation
    known = table.model_fields.items() if isinstance(table, type) and issubclass(table, BaseModel) else ()
    return [info.alias or key for key, info in known]


def line_of(tree: Any, path: Sequence[Step]) -> int:
    """The line of what stands at a path, or of the nearest thing around it."""
    line = 1
    for step in path:
        if isinstance(tree, CommentedMap) and step in (tree.lc.data or ()):  # not what it takes from elsewhere by <<
            line = tree.lc.key(step)[0] + 1
        elif isinstance(tree, CommentedSeq) and isinstance(step, int) and step < len(tree):
            line = tree.lc.item(step)[0] + 1
        else:
            break
        tree = tree[step]
    return line
