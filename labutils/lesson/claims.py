"""The lecture's claims, and what was measured of each: boxes at the end of a notebook, and the table of all of them.

The table is made from the outputs that are stored in the notebooks; nothing is measured here.
"""

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from IPython.display import HTML

from labutils import places
from labutils.lesson import show

PAGE = places.ROOT / "docs" / "claims.md"
VERDICTS = ("holds", "does not hold here", "open")  # how what follows begins
CLAIMS = {  # in our words, in the order of "Where finetuning fits in"
    1: "A new model is random: it knows nothing of the world and cannot form words.",
    2: "It learns to guess the next token, and the text itself is the answer: there are no labels.",
    3: "After pretraining it predicts what comes next.",
    4: "The data is a hodgepodge scraped from everywhere, and a lot of cleaning goes into it.",
    5: "What closed models were trained on is not public; open collections are.",
    6: "Pretraining is expensive.",
    7: "A base model does not answer a question: it goes on with the page.",
    8: "Fine-tuning comes after pretraining, can be repeated, and also works on plain text.",
    9: "Fine-tuning needs far less data, because it builds on the base.",
    10: "It has the same objective as pretraining; only the data changes.",
    11: "It updates all weights of the model; there are ways to update fewer.",
    12: "Behaviour changes: answers become consistent and focused, and abilities come out that needed prompts before.",
    13: "The model gains knowledge, and what has become wrong is corrected.",
    14: "Usually it is both at once, behaviour and knowledge.",
    15: "Tasks are extraction, where text becomes shorter, or expansion, where it becomes longer.",
    16: "To know bad, OK and better outputs is the surest sign of success.",
    17: "To begin: find a task that a large model does just OK, collect about 1,000 better pairs, tune a small model.",
    18: "(Not in the lecture:) tuning costs some of what was learned before.",
}


class Found(NamedTuple):
    """What a notebook says of a claim."""

    claim: int
    measured: str
    so: str  # begins with one of VERDICTS
    notebook: str = ""
    cell: int = 0  # among the code cells, from 1


def boxes(found: Mapping[int, tuple[str, str]]) -> HTML:
    """What a notebook has measured of claims, by their numbers: what came out, and what follows for the claim.

    Raises ValueError for an unknown claim, or a conclusion that does not begin with one of VERDICTS.
    """
    for claim, (_, so) in found.items():
        if claim not in CLAIMS or not so.startswith(VERDICTS):
            raise ValueError(f"claim {claim}, {so!r}: expected a claim from 1 to {len(CLAIMS)}, and one of {VERDICTS}")
    kept = [Found(claim, measured, so)._asdict() for claim, (measured, so) in found.items()]
    rows = [
        {"the lecture says": f"{claim}. {CLAIMS[claim]}", "we measured": measured, "so": so}
        for claim, (measured, so) in found.items()
    ]
    marked = re.sub("`([^`<]+)`", r"<code>\1</code>", show.table(rows, None).data)
    return HTML(marked, metadata={"claims": kept})


def stored(folder: Path = places.NOTEBOOKS) -> Iterator[Found]:
    """What stored notebooks say, in their order."""
    for path in sorted(folder.glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate((cell for cell in cells if cell["cell_type"] == "code"), 1):
            for output in cell["outputs"]:
                for kept in output.get("metadata", {}).get("text/html", {}).get("claims", ()):
                    yield Found(**kept)._replace(notebook=path.stem, cell=number)


def page(folder: Path = places.NOTEBOOKS) -> str:
    """The table of all claims as Markdown; a claim that no notebook has measured says so."""
    lines = [
        "# The lecture's claims, and what was measured",
        "",
        'The claims of "Where finetuning fits in" in our words, and what the stored notebooks found. Numbers',
        "differ a little from machine to machine. Brackets: 95 % intervals, over seeds or over questions.",
        "`python3 -m labutils claims` makes this page from the notebooks.",
        "",
        "| | the lecture says | we measured | so | where |",
        "| --: | --- | --- | --- | --- |",
    ]
    found = list(stored(folder))
    for claim, says in CLAIMS.items():
        for one in [each for each in found if each.claim == claim] or [Found(claim, "", "open: not measured")]:
            where = f"[{one.notebook[:2]}](../notebooks/{one.notebook}.ipynb), cell {one.cell}" if one.notebook else ""
            cells = (str(claim), says, one.measured, one.so, where)
            lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def claims_options(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Run the notebooks with `run --store` first."


def claims_command(asked: argparse.Namespace) -> int:
    places.write(PAGE, page())
    print(f"{PAGE.relative_to(places.ROOT)}: {len(CLAIMS)} claims")
    return 0
