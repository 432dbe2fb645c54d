"""The commands about data, `survey`, `validate`, `convert` and `format`: their options, what they call and print.

The work is done in `corpus` and `pairs`; everything printed here that comes from a file is made harmless first.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import reduce
from pathlib import Path

from labutils import machine
from labutils.corpus import sampling, sharded
from labutils.lesson import show
from labutils.lesson.terminal import columns, percent, plain, renew, safe, size
from labutils.pairs import conversion, own, records, templates, validation
from labutils.pairs.validation.problems import ERROR, NOTE, WARNING, Progress, named

# `survey`


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
        part = reduce(sharded.merge, map(read_part, asked.merge))
    else:
        part = sharded.run(asked.source, limit=asked.limit, seed=asked.seed, shard=asked.shard or (0, 1))
    if asked.shard:
        print(json.dumps(part.to_dict()))
    elif asked.json:
        print(json.dumps(sampling.summary(part), indent=1))
    else:
        print(survey_text(sampling.summary(part)))
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


def read_part(path: str) -> sharded.Part:
    """A part that --shard wrote. Raises ValueError naming the file where it is none."""
    try:
        return sharded.from_dict(json.loads(Path(path).read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected what `survey --shard` prints; {error}") from None


def survey_text(found: dict) -> str:
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


def between(row: dict, which: str = "") -> str:
    """An interval. between({"low": 0.1, "high": 0.2}) -> "10.0 to 20.0 %"."""
    return f"{percent(row[f'{which}low'])[:-2]} to {percent(row[f'{which}high'])}"


# `validate`, `convert` and `format`


FORMS = {
    "text": templates.texts,
    "pairs": templates.questions_and_answers,
    "messages": lambda template, pairs: templates.messages(pairs),
}
ROWS = 5  # of one kind that the table shows
SHOWN = 3  # records of which the tokens are shown
SMOLLM2 = 134_515_008  # weights; training takes 6 operations a weight and token (Kaplan et al. 2020)
REACHED = 0.74  # of the speed of a matrix product, measured in training smollm2 in fp32: 169 tokens/s at 184 GFLOP/s
BF16_GAIN = 2.2  # 368 tokens/s there with bf16


def validate_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="pairs, one JSON object a line")
    parser.add_argument("--split-with", metavar="FILE", help="the other side of a split: what leaks between both")
    parser.add_argument("--json", action="store_true", help="a list of objects for programs")
    parser.add_argument("--max-length", type=int, default=512, metavar="N", help="tokens that a pair may have (512)")
    parser.add_argument("--template", default="lecture", help=f"{', '.join(templates.TEMPLATES)}, or a template itself")
    parser.add_argument("--tokens", action="store_true", help="show which tokens are trained instead (model: base)")
    parser.add_argument("--model", metavar="NAME", help="count with this model's tokenizer; else 4 characters a token")
    parser.add_argument("--tokens-per-second", type=float, metavar="N", help="training speed, as `finetune` shows it")
    parser.add_argument("--repair", metavar="OUT", help="write a repaired copy, and OUT.changes.jsonl")


def validate_command(asked: argparse.Namespace) -> int:
    if asked.tokens:
        if other := [name for name in ("repair", "split_with", "json") if getattr(asked, name)]:
            raise ValueError(f"--tokens only shows tokens; leave it or --{other[0].replace('_', '-')} out")
        print("\n".join(token_view(asked)))
        return 0
    if asked.tokens_per_second is not None and not asked.tokens_per_second > 0:
        raise ValueError(f"--tokens-per-second must be above 0, got {asked.tokens_per_second:g}")
    problems = validation.validate(
        asked.file,
        tokenizer=tokenizer(asked.model) if asked.model else None,
        max_length=asked.max_length,
        template=asked.template,
        split_with=asked.split_with,
        tokens_per_second=asked.tokens_per_second or smollm2_speed(),
        on_progress=progress_line(),
    )
    report = validation.repair(asked.file, asked.repair, filter(None, [asked.split_with])) if asked.repair else None
    if asked.json:
        print(json.dumps([as_object(problem) for problem in problems], indent=1))
    else:
        print("\n".join(table(problems)))
        print(f"{plain(Path(asked.file).name)}: {total(problems)}")
        if not asked.tokens_per_second:
            print("minutes: for smollm2, estimated from a matrix product; `finetune` shows the real tokens a second")
    if report:
        print("\n".join(repaired(report)), file=sys.stderr if asked.json else sys.stdout)
    return 1 if any(problem.severity == ERROR for problem in problems) else 0


def token_view(asked: argparse.Namespace) -> Iterator[str]:
    """The tokens of a file's first records, trained and ignored ones line by line, and the totals of the whole file."""
    from labutils.model import chats, models

    lines, found = zip(*own.read_examples(asked.file), strict=True)
    opened = models.open_model(asked.model or "base")
    tokenizer = (chats.prepare(opened) if any("messages" in record for record in found) else opened).tokenizer
    encoded = chats.encode_records(found, asked.template, tokenizer, max_length=asked.max_length)
    kept = [line for i, line in enumerate(lines) if i not in set(encoded.too_long)]
    for line, example in list(zip(kept, encoded.examples, strict=True))[:SHOWN]:
        yield f"line {line}"
        yield from show.token_lines(example, tokenizer)
    labels = [label for example in encoded.examples for label in example["labels"]]
    count = sum(label >= 0 for label in labels)
    yield f"{len(kept):,} records: {len(labels):,} tokens, {count:,} trained ({count / len(labels):.0%})"
    if left := [line for i, line in enumerate(lines) if i in set(encoded.too_long)]:
        yield f"left out, over {asked.max_length} tokens: {named(left)}"


def convert_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="JSON Lines, one JSON list, or a table (CSV, TSV)")
    parser.add_argument(
        "--to", metavar="FORM", choices=conversion.FORMS, required=True, help=", ".join(conversion.FORMS)
    )
    parser.add_argument("--out", metavar="FILE", required=True, help="the file to write")
    parser.add_argument("--template", default="lecture", help='how a pair is written in the form "text"')
    parser.add_argument("--question", metavar="NAME", help="the key or column of the question, of any name")
    parser.add_argument("--answer", metavar="NAME", help="that of the answer; answers.text lies in another object")
    parser.add_argument("--context", metavar="NAME", nargs="+", default=(), help="texts beside a pair, for its prompt")
    parser.add_argument("--chosen", action="store_true", help="of preferences, make pairs of the better answers")
    parser.add_argument("--unfill", metavar="TEMPLATE", default="", help="take a template off questions")


def convert_command(asked: argparse.Namespace) -> int:
    names = ("question", "answer", "context", "chosen", "unfill")
    options = {name: getattr(asked, name) for name in names}
    options["tell"] = lambda told: print(plain(told))
    count = own.convert_file(asked.file, asked.to, asked.out, asked.template, **options)
    print(f"{asked.out}: {count} lines")
    return 0


def format_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="pairs in any form that `convert` knows")
    parser.add_argument("--template", default="lecture", help=f"{', '.join(templates.TEMPLATES)}, or a template itself")
    parser.add_argument("--form", choices=FORMS, default="text", help="one text, prompt and answer, or messages")
    parser.add_argument("--out", metavar="FILE", required=True, help="the file to write")


def format_command(asked: argparse.Namespace) -> int:
    pairs = own.read_pairs(asked.file, tell=lambda told: print(plain(told), file=sys.stderr))
    written = FORMS[asked.form](asked.template, [pair for _, pair in pairs])
    records.write_jsonl(written, asked.out, [asked.file])
    print(f"{asked.out}: {len(written)} lines")
    return 0


def as_object(problem: validation.Problem) -> dict:
    """A problem for programs; "lines" is there where it ties several."""
    fields = problem._asdict()
    return fields if problem.lines else {name: value for name, value in fields.items() if name != "lines"}


def table(problems: list[validation.Problem]) -> Iterator[str]:
    """Problems by kind, errors first: what to do once, then at most ROWS lines, the others counted."""
    order = {ERROR: 0, WARNING: 1, NOTE: 2}
    kinds: dict[tuple[str, str, str], list[validation.Problem]] = {}
    for problem in sorted(problems, key=lambda problem: (order[problem.severity], problem.code, problem.line)):
        kinds.setdefault((problem.severity, problem.code, problem.fix), []).append(problem)
    for (severity, code, fix), found in kinds.items():
        yield f"{severity:<8} {code}: {plain(fix)}"
        for problem in found[:ROWS]:
            where = f"line {problem.line}" if problem.line else "the file"
            yield f"  {where:<12} {plain(problem.cause)}"
        if len(found) > ROWS:
            yield f"  {'':<12} and {len(found) - ROWS:,} more"


def total(problems: list[validation.Problem]) -> str:
    """total([...]) -> "1 error, 0 warnings, 2 notes"."""
    counts = Counter(problem.severity for problem in problems)
    return ", ".join(f"{counts[name]:,} {name}{'' if counts[name] == 1 else 's'}" for name in (ERROR, WARNING, NOTE))


def repaired(report: validation.Report) -> Iterator[str]:
    """What a repair did, and what is left to do by hand."""
    done = ", ".join(f"{code} {count:,}" for code, count in sorted(report.counts.items())) or "none"
    yield f"{plain(str(report.out))}: {report.written:,} of {report.read:,} lines; changes: {done}"
    yield f"every change is listed in {plain(str(report.changes))}; left in the copy: {total(report.left)}"


def progress_line() -> Callable[[Progress], None] | None:
    """What writes one line on stderr that writes over itself; None where stderr is no terminal."""
    if not sys.stderr.isatty():
        return None
    started = time.monotonic()

    def tell(now: Progress) -> None:
        seconds = time.monotonic() - started
        left = seconds * (now.size - now.done) / max(1, now.done)
        line = f"{now.done / 1e6:,.0f} of {now.size / 1e6:,.0f} MB, {now.lines:,} lines, {left:,.0f} s left  "
        renew(line, last=now.done >= now.size)

    return tell


def tokenizer(model: str) -> Callable[[str], list[int]]:
    """The tokenizer of a model by name."""
    from labutils.model import models

    own = models.open_model(model).tokenizer
    return lambda text: own.encode(text, add_special_tokens=False)


def smollm2_speed() -> float:
    """About how many tokens a second smollm2 is trained with here: from the time of a matrix product, in 0.1 s.

    Rough: within a factor of two. The line that `finetune` writes while it runs tells the real speed.
    """
    import numpy as np

    side = 1024
    square = np.ones((side, side), np.float32)
    square @ square
    started = time.perf_counter()
    for _ in range(4):
        square @ square
    rate = 4 * 2 * side**3 / (time.perf_counter() - started)
    gain = BF16_GAIN if machine.cpu_flags() & machine.BF16 else 1
    return rate * REACHED * gain / (6 * SMOLLM2)
