"""`upcard new card`: a card that runs, and its case, for its author to change."""

from keyword import iskeyword
from pathlib import Path

from connector.sdk.card import BadCard
from connector.sdk.words import label_of

CARD = '''"""Say what the card does, for the people and agents who will use it."""

from cards.{connector}._client import {client}
from connector import CardInputs, CardOutputs, Text, card, field


class Inputs(CardInputs):
    device_id: str = field("Say what this is")


class Outputs(CardOutputs):
    device_name: Text = field("Say what this is")


@card("{title}")
async def {name}(inputs: Inputs, {connector}: {client}) -> Outputs:
    return Outputs.of(await {connector}.get("devices", inputs.device_id))
'''

CASE = """{
  "inputs": {"device_id": "d1"},
  "upstream": [{"ask": "GET /devices/d1", "answer": {"device_name": "Nora's MacBook Pro"}}],
  "outputs": {"device_name": "Nora's MacBook Pro"}
}
"""

LIST_CARD = '''"""Say what the card lists, for the people and agents who will use it."""

from cards.{connector}._client import {client}
from connector import Cursor, Page, Record, ResultSet, Text, field, list_card


class Item(Record):
    id: Text = field("Say what this is")


@list_card("{title}", ResultSet(first=200, into="results"))
async def {name}(page: Cursor, {connector}: {client}) -> Page[Item]:
    return await {connector}.page(Item, "devices", after=page)
'''

LIST_CASE = """{
  "options": {"result_set": "first_200"},
  "upstream": [{"ask": "GET /devices?limit=200&offset=0", "answer": [{"id": "1"}]}],
  "outputs": {"results": [{"id": "1"}]}
}
"""


def scaffold(root: Path, key: str, *, list_of_records: bool) -> list[str]:
    """Write the card and its case below `root`; returns their paths. Raises BadCard where that cannot be."""
    connector, _, name = key.partition(".")
    if not name.isidentifier() or not name.islower() or name.startswith("_") or iskeyword(name):
        raise BadCard("A card's key is its connector and its name: kandji.find_device")
    if not (root / "cards" / connector / "_client.py").exists():
        raise BadCard(f"There is no connector {connector} here: cards/{connector}/_client.py is missing.")
    words = {"connector": connector, "client": _client(root, connector), "name": name, "title": label_of(name)}
    wanted = {
        f"cards/{connector}/{name}.py": (LIST_CARD if list_of_records else CARD).format(**words),
        f"tests/cards/{connector}/{name}.json": LIST_CASE if list_of_records else CASE,
    }
    for path in wanted:
        if (root / path).exists():
            raise BadCard(f"{path} is there already.")
    for path, content in wanted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    return list(wanted)


def _client(root: Path, connector: str) -> str:
    """The name of the connector's client class, read from its source."""
    lines = (root / "cards" / connector / "_client.py").read_text().splitlines()
    return next(line.split()[1].partition("(")[0] for line in lines if line.startswith("class ") and "(Client[" in line)
