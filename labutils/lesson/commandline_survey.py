"""The learner's command `survey`: its options, what it calls, the table it prints.

Text from a corpus reaches the terminal only through `safe`: no control character gets through.
"""

import argparse
import json
from functools import reduce
from pathlib import Path

from labutils.corpus import parts, summary


def survey_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", metavar="SOURCE", default="installed", help="installed, or a file of documents")
    parser.add_argument("--limit", type=int, metavar="N", help="draw N files at random; all without it")
    parser.add_argument("--seed", type=int, default=0, help="of the draw")
    parser.add_argument("--shard", type=shard, metavar="I/N", help="one part of N, from 0, as JSON for --merge")
    parser.add_argument("--merge", nargs="+", metavar="FILE", help="put parts together that --shard wrote")
    parser.add_argument("--json", action="store_true", help="one object for programs")


def survey_command(asked: argparse.Namespace) -> int:
    if asked.merge and (asked.shard or asked.limit or asked.source != "installed"):
        raise ValueError("--merge takes files alone: they name what was surveyed")
    if asked.merge:
        part = reduce(parts.merge, map(read_part, asked.merge))
    else:
        part = parts.run(asked.source, limit=asked.limit, seed=asked.seed, shard=asked.shard or (0, 1))
    if asked.shard:
        print(json.dumps(part.to_dict()))
    elif asked.json:
        print(json.dumps(summary.summary(part), indent=1))
    else:
        print(text(summary.summary(part)))
    return 0


def shard(written: str) -> tuple[int, int]:
    """The shard that "I/N" means. shard("1/4") -> (1, 4)."""
    try:
        i, of = map(int, written.split("/"))
        if 0 <= i < of:
            return i, of
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected I/N with 0 <= I < N, such as 0/4, got {written!r}")


def read_part(path: str) -> parts.Part:
    """A part that --shard wrote. Raises ValueError naming the file where it is none."""
    try:
        return parts.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected what `survey --shard` prints; {error}") from None


def text(found: dict) -> str:
    """A summary for people: head, composition, then a line a subject."""
    note = ["Shares of bytes are estimated from the sizes that the packages list, of all their files."]
    by_list = found["shares_of_bytes"] == "listed sizes"
    table = [*composition(found["composition"]), *(note if by_list else [])]
    return "\n".join([*head(found), "", *table, "", *subjects(found)])


def head(found: dict) -> list[str]:
    """What was read."""
    drawn = f"{found['limit']:,} of {found['listed']:,} drawn, seed {found['seed']}" if found["limit"] else "all of it"
    lines = [
        f"{safe(found['source'])}: {drawn}; {found['documents']:,} documents, {size(found['bytes'])}, "
        f"{found['packages']['number']:,} packages"
    ]
    if found["shards"] != ["0/1"]:
        lines.append(f"only a part: shards {', '.join(found['shards'])}")
    return lines


def composition(rows: list[dict]) -> list[str]:
    """The sets as a table: shares with both intervals."""
    cells = [["set", "documents", "share", "whole corpus", "other packages", "bytes", "share", "other packages"]]
    for row in rows:
        cells.append(
            [safe(row["set"]), f"{row['documents']:,}", percent(row["share"]), between(row, "draw_"), between(row)]
            + [size(row["bytes"]), percent(row["bytes_share"]), between(row, "bytes_")]
        )
    return [
        *columns(cells),
        "95 % confidence intervals: for the corpus sampled, and for other packages like these.",
    ]


def subjects(found: dict) -> list[str]:
    """Lengths, packages, languages, copies, findings: a line each."""
    most = ", ".join(
        f"{safe(row['package'] or '(none)')} {row['documents']:,}" for row in found["packages"]["most"][:5]
    )
    lengths = [
        f"{kind} a document: " + ", ".join(f"{name} {value:,}" for name, value in numbers.items())
        for kind, numbers in found["lengths"].items()
        if numbers
    ]
    same, near = found["exact_duplicates"], found["near_duplicates"]
    spoken = ", ".join(f"{safe(name)} {n:,}" for name, n in list(found["languages"].items())[:8])
    personal = ", ".join(f"{kind} {row['found']:,} in {row['documents']:,}" for kind, row in found["personal"].items())
    return [
        f"most documents: {most}",
        *lengths,
        f"languages of the prose: {spoken or 'no prose'}",
        f"exact copies: {same['copies']:,} of {same['compared']:,} ({percent(same['share'])})",
        f"near-duplicates: {near['in_groups']:,} of {near['compared']:,} looked at, in {near['groups']:,} groups "
        f"({percent(near['low'])} to {percent(near['high'])})",
        f"personal data and secrets (found, in documents): {personal or 'none found'}",
    ]


def columns(cells: list[list[str]]) -> list[str]:
    """Rows of cells with their columns aligned: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in cells
    ]


def safe(name: str, limit: int = 40) -> str:
    """A text from outside on one line of a terminal: control and direction characters visible, cut at `limit`."""
    shown = "".join(sign if sign.isprintable() else f"[U+{ord(sign):04X}]" for sign in name[:limit])
    return shown + ("..." if len(name) > limit else "")


def percent(share: float) -> str:
    """A share for people. percent(0.123) -> "12.3 %"; percent(0.00012) -> "0.01 %"."""
    return f"{100 * share:.2f} %" if 0 < share < 0.01 else f"{100 * share:.1f} %"


def between(row: dict, which: str = "") -> str:
    """An interval. between({"low": 0.1, "high": 0.2}) -> "10.0 to 20.0 %"."""
    return f"{percent(row[f'{which}low'])[:-2]} to {percent(row[f'{which}high'])}"


def size(number: int) -> str:
    """Bytes for people. size(1_500_000) -> "1.5 MB"."""
    return f"{number / 1e6:,.1f} MB" if number >= 50_000 else f"{number / 1e3:,.1f} kB"
