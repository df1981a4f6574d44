"""SSRF-4 against the published registries: what they list is refused however it is written, and nothing else is.

`special_addresses.csv` has each block with its source and that source's date. It is the oracle here: the guard's own
table has no part in it.
"""

import csv
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Network, collapse_addresses, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.engine.addresses import IP, Allowed, Network, address_allowed, read_address
from connector.sdk.errors import DestinationNotAllowed, InvalidCall

NOTHING = Allowed()

with Path(__file__).with_name("special_addresses.csv").open() as registry:
    BLOCKS = [ip_network(row["block"]) for row in csv.DictReader(registry)]

# What the tests of two guards in wide use say: Svix at 0453fac, Smokescreen at 5222007.
SVIX = [
    "10.254.0.0", "192.168.10.65", "172.16.10.65", "0.1.2.3", "127.0.0.1", "169.254.45.1",
    "255.255.255.255", "192.0.2.255", "198.51.100.65", "203.0.113.6", "100.100.0.0", "192.0.0.0", "192.0.0.255",
    "250.10.20.30", "198.18.0.0", "::1", "::ffff:127.0.0.1", "::ffff:0.0.0.1",
]  # fmt: skip
SMOKESCREEN = [
    "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "100.64.0.100", "100.127.255.254", "127.0.0.1",
    "127.255.255.255", "::1", "169.254.169.254", "255.255.255.255", "ff02:0:0:0:0:0:0:2", "64:ff9b::ac1c:5",
    "64:ff9b::c000:201", "64:ff9b::a00:1", "64:ff9b::808:808", "64:ff9b::ffff:ffff", "64:ff9b::1",
    "2002:c000:201::1", "2002:a00:1::1", "2002:808:808::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:0:1234:5678:9abc:def0:1234:5678", "fc00::1",
]  # fmt: skip
ALLOWED_BY_BOTH = [
    "1.1.1.1", "8.8.8.8", "8.8.4.4", "100.63.255.254", "100.128.0.1", "2001:4860:4860::8888",
    "2606:4700:4700::1111", "::ffff:8.8.8.8",
]  # fmt: skip
STRICTER = ["0:0:0:ffff::1", "64:ff9c::1"]  # Svix and Smokescreen allow these; they lie outside 2000::/3


def is_special(address: IP) -> bool:
    """Whether a registry lists what would be dialled: IPv4 that is written as IPv6 is IPv4."""
    dialled = getattr(address, "ipv4_mapped", None) or address
    return any(dialled in block for block in BLOCKS if block.version == dialled.version)


def within(block: Network) -> Iterator[IP]:
    """The first address of a block, the last one, and one in the middle."""
    yield block[0]
    yield block[-1]
    yield block[block.num_addresses // 2]


def beside(block: Network) -> Iterator[IP]:
    """The addresses just outside a block that no other block has."""
    kind, first, last = type(block[0]), int(block[0]), int(block[-1])
    found = [number for number in (first - 1, last + 1) if 0 <= number < 2**block.max_prefixlen]
    return (address for number in found if not is_special(address := kind(number)))


def embedded(address: IP) -> Iterator[str]:
    """An IPv4 address inside IPv6, in every way but as a mapped one."""
    dotted, number = str(address), int(address)
    high, low = number >> 16, number & 0xFFFF
    yield from (f"::{dotted}", f"::ffff:0:{dotted}")  # compatible, translated
    yield from (f"64:ff9b::{dotted}", f"64:ff9b:1::{dotted}")  # NAT64
    yield from (f"2002:{high:x}:{low:x}::1", f"2001:0:808:808:0:0:{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}")  # 6to4, Teredo


IPV4 = [block for block in BLOCKS if isinstance(block, IPv4Network)]
IPV6 = [block for block in BLOCKS if isinstance(block, IPv6Network)]
REFUSED = sorted({str(address) for block in BLOCKS for address in within(block)})
PUBLIC = sorted({str(address) for block in BLOCKS for address in beside(block)})
EMBEDDED = sorted(
    {text for block in IPV4 for address in (*within(block), *beside(block)) for text in embedded(address)}
)


def test_the_registry_is_whole() -> None:
    """SSRF-4: both registries, and all of IPv6 but its global unicast space."""
    outside = IPv6Network("::/0").address_exclude(IPv6Network("2000::/3"))

    assert (len(IPV4), len(IPV6)) == (28, 43)
    assert set(outside) <= set(collapse_addresses(IPV6))


@pytest.mark.parametrize("ip", [*REFUSED, *SVIX, *SMOKESCREEN, *STRICTER])
def test_a_special_address_is_refused(ip: str) -> None:
    """SSRF-4: first, last and middle of every block of the registries, and what two other guards refuse."""
    assert not address_allowed(ip, 443, NOTHING)


@pytest.mark.parametrize("ip", [*PUBLIC, *ALLOWED_BY_BOTH])
def test_an_address_beside_a_special_block_is_allowed(ip: str) -> None:
    """SSRF-4: nothing is refused that is not listed."""
    assert address_allowed(ip, 443, NOTHING)


@pytest.mark.parametrize("ip", EMBEDDED)
def test_an_embedded_address_is_refused(ip: str) -> None:
    """SSRF-4: whatever IPv4 address is in it, a public one as well."""
    assert not address_allowed(ip, 443, NOTHING)


NEAR = st.sampled_from([*REFUSED, *PUBLIC]).map(ip_address)
ADDRESSES = st.ip_addresses() | NEAR | st.ip_addresses(v=6, network="2000::/3")


@settings(max_examples=300)
@given(ADDRESSES)
def test_an_address_is_allowed_where_no_registry_lists_it(address: IP) -> None:
    """SSRF-4: and only there; mapped into IPv6 it is the same address."""
    again = f"::ffff:{address}" if isinstance(address, IPv4Address) else address.exploded

    found = {address_allowed(text, 443, NOTHING) for text in (str(address), again)}

    assert found == {not is_special(address)}


def octal(address: IP) -> str:
    return ".".join(f"0{part:o}" for part in address.packed)


def hexadecimal(address: IP) -> str:
    return ".".join(f"0x{part:x}" for part in address.packed)


def full_width(address: IP) -> str:
    return str(address).translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


NOTATIONS: list[Callable[[IP], str]] = [
    str, octal, hexadecimal, full_width,
    lambda address: str(int(address)),
    lambda address: f"0x{int(address):x}",
    lambda address: f"0{int(address):o}",
    lambda address: f"{address.packed[0]}.{int(address) & 0xFFFFFF}",
    lambda address: f"[{address}]",
    lambda address: f"[::ffff:{address}]",
    lambda address: f"[{address}%25eth0]",
    lambda address: f"[::{address}%eth0]",
    lambda address: f"user@{address}",
    lambda address: f"example.com@{address}",
    lambda address: f"{address}@example.com",
    lambda address: f"{address}\\@example.com",
    lambda address: f"{address}.",
    lambda address: f"\t{address}",
    lambda address: str(address).replace(".", "\u3002"),
    lambda address: str(address).replace(".", ".\t", 1),
    lambda address: str(address).replace(".", "%2e"),
    lambda address: f"{address}\0.example.com",
    lambda address: f"{address}#.example.com",
]  # fmt: skip


@settings(max_examples=400)
@given(st.ip_addresses(v=4) | NEAR.filter(lambda address: address.version == 4), st.sampled_from(NOTATIONS))
@example(IPv4Address("127.0.0.1"), octal)
@example(IPv4Address("127.0.0.1"), full_width)
def test_no_notation_leads_to_a_special_address(address: IP, notation: Callable[[IP], str]) -> None:
    """SSRF-2, SSRF-3, SSRF-4: octal, hexadecimal, one number, other digits and dots, users, zones, tabs.

    What is let through is a name, or an address in its plain form that no registry lists.
    """
    try:
        host = read_address(f"https://{notation(address)}/", NOTHING, "url").host
    except (InvalidCall, DestinationNotAllowed):
        return

    assert ip_address(host) == address
    assert not is_special(address)


@settings(max_examples=200)
@given(st.text("0123456789abcdefxX.:[]%@\\\t\uff11\u3002", min_size=1, max_size=30))
@example("[::ffff:7f00:1]")
@example("[2001:db8::1]")
def test_no_text_leads_to_a_special_address(host: str) -> None:
    """SSRF-2, SSRF-4: also where nobody has thought of the notation; names have no address here."""
    try:
        found = read_address(f"https://{host}/", NOTHING, "url").host
    except (InvalidCall, DestinationNotAllowed):
        return

    assert not (found.replace(".", "").isdecimal() or ":" in found) or not is_special(ip_address(found))
