"""A figure with its aim, on one line."""


def at_least(what: str, figure: float, aim: float, unit: str = "", *, digits: int = 2) -> None:
    _tell(what, figure, f"at least {aim:,}{unit}", unit, digits, is_met=figure >= aim)


def at_most(what: str, figure: float, aim: float, unit: str = "", *, digits: int = 2) -> None:
    _tell(what, figure, f"at most {aim:,}{unit}", unit, digits, is_met=figure <= aim)


def exactly(what: str, figure: int, aim: int) -> None:
    _tell(what, figure, f"{aim:,}", "", 0, is_met=figure == aim)


def plain(what: str, figure: float, unit: str = "", *, digits: int = 2) -> None:
    """For information: nobody set an aim."""
    print(f"{what}: {figure:,.{digits}f}{unit}", flush=True)


def _tell(what: str, figure: float, aim: str, unit: str, digits: int, *, is_met: bool) -> None:
    print(f"{what}: {figure:,.{digits}f}{unit} (aim {aim}): {'met' if is_met else 'MISSED'}", flush=True)
