"""Small tables of figures: medians, and the least and the most beside them."""

from collections.abc import Sequence
from statistics import median

__all__ = ["median", "print_table", "spread"]


def spread(figures: Sequence[float], *, digits: int = 0) -> str:
    """`5,012 (4,800-5,101)`"""
    middle, least, most = (f"{figure:,.{digits}f}" for figure in (median(figures), min(figures), max(figures)))
    return f"{middle} ({least}-{most})"


def print_table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The first column to the left, figures to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    print(f"\n{title}")
    for name, *figures in (head, *rows):
        aligned = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
        print("  ".join([name.ljust(widths[0]), *aligned]))
