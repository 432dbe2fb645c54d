"""What all commands print with: tables, numbers for people, lines that renew themselves, and texts made harmless."""

import sys


def columns(cells: list[list[str]]) -> list[str]:
    """Rows of cells with their columns aligned: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in cells
    ]


def plain(text: str, form: str = "\\u{:04x}") -> str:
    """A text on one line that does nothing to a terminal. plain("\\x1b[31m") -> "\\\\u001b[31m"."""
    return "".join(sign if sign.isprintable() else form.format(ord(sign)) for sign in text)


def safe(name: str, limit: int = 40) -> str:
    """A text from outside, cut at `limit`, with control and direction characters as [U+001B]."""
    return plain(name[:limit], "[U+{:04X}]") + ("..." if len(name) > limit else "")


def tell(line: str, limit: int = 200) -> None:
    """A line beside the result, on stderr; what is in it may come from anywhere."""
    print(safe(line, limit), file=sys.stderr, flush=True)


def renew(line: str, last: bool = False) -> None:
    """A line on stderr that the next one writes over, where that is a terminal; the last one stays."""
    print(line, end="\n" if last or not sys.stderr.isatty() else "\r", file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Minutes and seconds. clock(65) -> "1:05"."""
    return "{}:{:02d}".format(*divmod(round(seconds), 60))


def percent(share: float) -> str:
    """A share for people. percent(0.123) -> "12.3 %"; percent(0.00012) -> "0.01 %"."""
    return f"{100 * share:.2f} %" if 0 < share < 0.01 else f"{100 * share:.1f} %"


def size(number: int) -> str:
    """Bytes for people. size(1_500_000) -> "1.5 MB"."""
    return f"{number / 1e6:,.1f} MB" if number >= 50_000 else f"{number / 1e3:,.1f} kB"
