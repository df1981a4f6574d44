"""Which addresses may be reached: one strict reading of URLs, the refused networks, and what the operator allows.

Pure: names are looked up in `network`, which asks here about every answer.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import idna

from connector.sdk.errors import DestinationNotAllowed, Fault, InvalidCall

IP = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2048  # characters
LONGEST_NAME = 253  # characters, as the DNS has it
PORTS = frozenset({443})
DEFAULT_PORTS = {"http": 80, "https": 443}
INTERNAL = frozenset({"localhost", "local", "internal"})

# The whole of iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, reachable blocks
# included, and what the registries leave out. Larger entries stand for the smaller ones inside them.
SPECIAL = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared address space (carrier-grade NAT)
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's WireServer; not in the registry
        "169.254.0.0/16",  # link local
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT, a tunnel
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast; RFC 5771
        "240.0.0.0/4",  # class E and broadcast
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID and others
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which embeds IPv4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
# The only IPv6 space that is assigned for the public (RFC 4291); loopback, local, multicast and NAT64 lie outside.
GLOBAL_UNICAST = ip_network("2000::/3")
# Where clouds hand a machine its credentials: AWS, Google and others; AWS over IPv6; Azure; Alibaba.
METADATA = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "168.63.129.16", "100.100.100.200")))

VISIBLE = re.compile(r"[\x21-\x7e]*")
URL = re.compile(r"(https?)://([^/?]*)(?:[/?].*)?", re.IGNORECASE)
AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?")
PORT = re.compile(r"[1-9][0-9]{0,4}")
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
NUMBER = re.compile(r"[0-9]+|0x.*")  # as a last label, some resolvers read the name as an IPv4 address


@dataclass(frozen=True)
class Destination:
    """Where a URL leads: `host` in lower case, without last dot or brackets; `url` byte for byte as it was given."""

    scheme: str
    host: str
    port: int
    url: str


@dataclass(frozen=True)
class Allowed:
    """What an operator allows besides public addresses on 443; port None stands for any port (SSRF-7)."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[tuple[Network, int | None], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Allowed":
        """Read a list like `127.0.0.1:9000,10.0.0.0/8:8443,hooks.internal:*,[::1]:8080`. Raises ValueError."""
        entries = [_entry(entry.strip()) for entry in text.split(",") if entry.strip()]
        hosts = frozenset((host, port) for host, port in entries if isinstance(host, str))
        networks = tuple((network, port) for network, port in entries if not isinstance(network, str))
        return cls(hosts, networks)

    def names(self, host: str, port: int) -> bool:
        """Whether exactly this name or address is listed."""
        host = host.lower().removesuffix(".")
        return (host, port) in self.hosts or (host, None) in self.hosts

    def covers(self, ip: str, port: int) -> bool:
        """Whether this address is listed, or in a listed network; a metadata address has to be listed itself."""
        address = _ip(ip)
        if address is None:
            return False
        if self.names(str(address), port):
            return True
        return address not in METADATA and any(address in block and at in (None, port) for block, at in self.networks)


def read_address(url: object, allowed: Allowed, at: str) -> Destination:
    """Where `url` leads, if it may be called as far as can be told without a lookup (SSRF-2, SSRF-3).

    Raises, at `at`, InvalidCall if it is malformed, DestinationNotAllowed if it leads where nobody allowed it to.
    """
    try:
        destination = _read(url)
    except _Malformed as error:
        raise InvalidCall.of([Fault(at, f"The address {error}.")]) from error
    if not _may_be_called(destination, allowed):
        why = "The destination is not allowed."
        raise DestinationNotAllowed(why, faults=[Fault(at, why)])
    return destination


def address_allowed(ip: str, port: int, allowed: Allowed) -> bool:
    """Whether a connection may be made: to a public address on 443, or to what the operator allows (SSRF-4)."""
    return allowed.covers(ip, port) or (port in PORTS and _is_public(_ip(ip)))


def is_metadata(ip: str) -> bool:
    """Whether a cloud serves credentials at this address."""
    return _ip(ip) in METADATA


class _Malformed(ValueError):
    """Says what is wrong with an address and repeats no part of it."""


def _read(url: object) -> Destination:
    if not isinstance(url, str):
        raise _Malformed("must be text")
    if not 1 <= len(url) <= LONGEST_URL:
        raise _Malformed(f"must be 1 to {LONGEST_URL} characters")
    if not VISIBLE.fullmatch(url) or "\\" in url:
        raise _Malformed("must be visible ASCII characters, without spaces and backslashes")
    if "#" in url:
        raise _Malformed("must not have a fragment")
    parts = URL.fullmatch(url)
    if parts is None:
        raise _Malformed("must begin with https://")
    scheme, authority = parts[1].lower(), parts[2]
    if "@" in authority:
        raise _Malformed("must not have a user name or password")
    host, port = _host_and_port(authority)
    return Destination(scheme, _host(host), DEFAULT_PORTS[scheme] if port is None else _port(port), url)


def _may_be_called(to: Destination, allowed: Allowed) -> bool:
    if allowed.names(to.host, to.port) or allowed.covers(to.host, to.port):
        return True
    if to.scheme != "https" or to.port not in PORTS:
        return False
    address = _ip(to.host)
    return _is_public(address) if address else _is_public_name(to.host)


def _is_public(address: IP | None) -> bool:
    if address is None or any(address in block for block in SPECIAL):
        return False
    return address.version == 4 or address in GLOBAL_UNICAST


def _is_public_name(name: str) -> bool:
    _, dot, last = name.rpartition(".")
    return bool(dot) and last not in INTERNAL


def _ip(text: str) -> IP | None:
    """The address that is dialled for this text: IPv4 written as IPv6 is IPv4. None for a name, and with a zone."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return None if address.scope_id else address.ipv4_mapped or address


def _entry(entry: str) -> tuple[str | Network, int | None]:
    try:
        host, port = _host_and_port(entry)
        where = ip_network(host.strip("[]")) if "/" in host else _host(host)
        return where, None if port == "*" else _port(port or "")
    except ValueError as error:
        raise ValueError(f"'{entry}' is not a host, address or network with a port, like 10.0.0.0/8:8443") from error


def _host_and_port(authority: str) -> tuple[str, str | None]:
    parts = AUTHORITY.fullmatch(authority)
    if parts is None:
        raise _Malformed("must have a valid host name or IP address")
    return parts[1], parts[2]


def _port(text: str) -> int:
    if not PORT.fullmatch(text) or int(text) > 65535:
        raise _Malformed("must have a port from 1 to 65535, or none")
    return int(text)


def _host(text: str) -> str:
    address = _ip(text[1:-1] if ":" in text else text)  # AUTHORITY lets colons in only between brackets
    if address:
        return str(address)
    name = text.lower().removesuffix(".")
    if not _is_name(name):
        raise _Malformed("must have a valid host name or IP address")
    return name


def _is_name(name: str) -> bool:
    labels = name.split(".")
    if len(name) > LONGEST_NAME or NUMBER.fullmatch(labels[-1]):
        return False
    return all(LABEL.fullmatch(label) and (label[:4] != "xn--" or _is_international(label)) for label in labels)


def _is_international(label: str) -> bool:
    try:
        return bool(idna.ulabel(label))
    except UnicodeError:
        return False
