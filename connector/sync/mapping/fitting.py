"""What no single value of a mapping file shows: fields that do not fit together, or not to the systems they name."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from connector.catalog.find import catalog
from connector.sdk.systems import Mdm
from connector.sync.mapping.values import EVEN

Step = str | int
Unfit = Iterator[tuple[tuple[Step, ...], str]]
FILE = "file"  # the asset system that is built in


def kinds(side: Literal["mdm", "assets"]) -> list[str]:
    """The systems that there are on a side."""
    found = [key for key, connector in catalog().connectors.items() if getattr(connector, side)]
    return found if side == "mdm" else [*found, FILE]


def unfit(tree: Mapping[str, Any]) -> Unfit:
    """What is wrong at which path; values that have no right form are left to others."""
    fields: Any = tree.get("fields")
    rows = [(place, row) for place, row in enumerate(fields) if isinstance(row, Mapping)] if _is_list(fields) else []
    used = [(place, row) for place, row in rows if not _is_yes(row.get("skip"))]
    connector = catalog().connectors.get(_kind(tree, "mdm") or "")
    mdm = connector.mdm if connector else None
    yield from _unknown(tree, "mdm")
    yield from _unknown(tree, "assets")
    yield from _twice(used, "to", lambda row: True)
    yield from _twice(used, "from", _writes_back)
    for place, row in used:
        yield from ((("fields", place, key), why) for key, why in (*_unfit(row), *_one_way(row, mdm)))
    yield from ((("assignment", "winner"), why) for why in _odd_winner(tree.get("assignment")))


def _kind(tree: Mapping[str, Any], side: str) -> str | None:
    system = tree.get(side)
    kind = system.get("kind") if isinstance(system, Mapping) else None
    return kind if isinstance(kind, str) and kind else None


def _unknown(tree: Mapping[str, Any], side: Literal["mdm", "assets"]) -> Unfit:
    kind, known = _kind(tree, side), kinds(side)
    if kind and kind not in known:
        yield (side, "kind"), f"must be one of: {', '.join(known)}"


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_yes(value: Any) -> bool:
    return value in (True, "yes")


def _twice(rows: list[tuple[int, Any]], key: str, counts: Any) -> Unfit:
    first: dict[str, int] = {}
    for place, row in rows:
        if isinstance(name := row.get(key), str) and counts(row) and first.setdefault(name, place) != place:
            yield ("fields", place, key), f"is written by two fields (see fields/{first[name]})"


def _writes_back(row: Any) -> bool:
    return row.get("direction") in ("both", "asset_to_mdm")


def _unfit(row: Any) -> Iterator[tuple[str, str]]:
    """What contradicts itself within a field."""
    for key, left in (("from", "column"), ("to", "property")):
        if key not in row:
            yield key, f"is missing; to leave the {left} out, say skip: true"
    if _writes_back(row) and row.get("values"):
        yield "values", "cannot be turned around, so the direction must be mdm_to_asset"
    names = [str(name) for name in row["transform"]] if _is_list(row.get("transform")) else []
    if _writes_back(row) and not EVEN.issuperset(names):
        yield "transform", "cannot be turned around, so the direction must be mdm_to_asset"
    yield from (("winner", why) for why in _odd_winner(row))


def _one_way(row: Any, mdm: type[Mdm] | None) -> Iterator[tuple[str, str]]:
    """Why nothing of a field can go to the MDM."""
    if not _writes_back(row):
        return
    source = row.get("from")
    if _is_yes(row.get("key")):
        yield "direction", "must be mdm_to_asset, because it is the key"
    elif mdm and isinstance(source, str) and not mdm.can.writes(source):
        some = [each.name for each in mdm.properties if mdm.can.writes(each.name)]
        yield "direction", f"must be mdm_to_asset: the MDM lets be written only {', '.join(some) or 'nothing'}"


def _odd_winner(table: Any) -> Iterator[str]:
    given = table if isinstance(table, Mapping) else {}
    winner = {"asset_to_mdm": "asset", "both": None, "none": None}.get(str(given.get("direction")), "mdm")
    if winner and given.get("winner", winner) not in (winner, "hold"):
        yield f"must be {winner} or hold, because values go only from there"
