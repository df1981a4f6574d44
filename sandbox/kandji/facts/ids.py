"""Identifiers that are computed from an index, and the index from them: no tables at any fleet size."""

import re
from hashlib import blake2b

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 characters, five bits each, none easily mistaken
ROUNDS = 4
VENDOR = "a4:83:e7:"
UUID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MAC_FORM = re.compile(VENDOR + r"[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2}")


class Shuffle:
    """A keyed permutation of the numbers below `2 ** (2 * half)`: a small Feistel network."""

    def __init__(self, key: str, half: int) -> None:
        digest = blake2b(key.encode(), digest_size=8 * ROUNDS).digest()
        self._keys = [int.from_bytes(digest[at : at + 8], "big") | 1 for at in range(0, len(digest), 8)]
        self._half = half
        self._mask = (1 << half) - 1

    def forth(self, number: int) -> int:
        left, right = number >> self._half, number & self._mask
        for key in self._keys:
            left, right = right, left ^ (((right + 1) * key >> 31) & self._mask)
        return left << self._half | right

    def back(self, number: int) -> int:
        left, right = number >> self._half, number & self._mask
        for key in reversed(self._keys):
            left, right = right ^ (((left + 1) * key >> 31) & self._mask), left
        return left << self._half | right


class Uuids:
    """Version 4 UUIDs of one kind of thing; the 122 free bits hold the shuffled index."""

    def __init__(self, seed: int, kind: str) -> None:
        self._shuffle = Shuffle(f"{seed}/{kind}/uuid", half=61)

    def of(self, index: int) -> str:
        bits = self._shuffle.forth(index)
        digits = f"{bits >> 74:012x}4{bits >> 62 & 0xFFF:03x}{1 << 63 | bits & (1 << 62) - 1:016x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def index(self, text: str) -> int | None:
        """The index behind a UUID, or nothing when it was not made here."""
        if not UUID_FORM.fullmatch(text):
            return None
        number = int(text.replace("-", ""), 16)
        bits = (number >> 80) << 74 | (number >> 64 & 0xFFF) << 62 | number & (1 << 62) - 1
        index = self._shuffle.back(bits)
        return index if index < 1 << 40 and self.of(index) == text else None


class Serials:
    """Ten characters as Apple uses since 2021, without meaning."""

    def __init__(self, seed: int) -> None:
        self._shuffle = Shuffle(f"{seed}/serial", half=25)

    def of(self, index: int) -> str:
        bits = self._shuffle.forth(index)
        return "".join(ALPHABET[bits >> shift & 31] for shift in range(45, -1, -5))

    def index(self, text: str) -> int | None:
        if len(text) != 10 or not set(text) <= set(ALPHABET):
            return None
        bits = 0
        for letter in text:
            bits = bits << 5 | ALPHABET.index(letter)
        return self._shuffle.back(bits)


class Macs:
    """Network addresses of one vendor; 24 bits are enough for sixteen million devices."""

    def __init__(self, seed: int) -> None:
        self._shuffle = Shuffle(f"{seed}/mac", half=12)

    def of(self, index: int) -> str:
        digits = f"{self._shuffle.forth(index):06x}"
        return f"{VENDOR}{digits[:2]}:{digits[2:4]}:{digits[4:]}"

    def index(self, text: str) -> int | None:
        if not MAC_FORM.fullmatch(text):
            return None
        return self._shuffle.back(int(text.removeprefix(VENDOR).replace(":", ""), 16))
