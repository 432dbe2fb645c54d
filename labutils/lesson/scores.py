"""The rows of a report card -> the cells of a table and the notes under it, for a notebook and a terminal alike."""

from collections.abc import Callable, Mapping, Sequence


def percent(value: float, low: float, high: float) -> str:
    return f"{value:.0%} ({100 * low:.0f} to {100 * high:.0f})"


def number(value: float, low: float, high: float) -> str:
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


FORMS: Mapping[str, tuple[str, Callable[[float, float, float], str]]] = {
    "fact_hits": ("facts right", percent),
    "exact": ("right word for word", percent),
    "format": ("keeps the format", percent),
    "stops": ("stops by itself", percent),
    "refuses_off_topic": ("off-topic refused", percent),
    "refuses_real": ("real questions refused (less is better)", percent),
    "abstains": ("what nobody can know: not answered", percent),
    "answer_loss": ("loss on right answers, nats a token (less is better)", number),
    "bits_per_byte": ("held-out text, bits a byte (less is better)", number),
}


def cells(rows: Sequence) -> list[dict[str, str]]:
    """A row of cells a score, a column a stage, both in the order in which they come; `n` is how many were counted.

    Rows have stage, score, value, low, high, n, recorded, as `measure.report.Row`. A score that a stage lacks is "-".
    Row("base", "stops", 0.5, 0.2, 0.8, 8) -> {"score": "stops by itself", "base": "50% (20 to 80)", "n": "8"}
    """
    heads = {row.stage: f"{row.stage} (recorded)" if row.recorded else row.stage for row in rows}
    found = {(row.score, row.stage): row for row in rows}
    table = []
    for score in dict.fromkeys(row.score for row in rows):
        label, form = FORMS.get(score, (score, number))
        shown = {stage: found.get((score, stage)) for stage in heads}
        counts = sorted({row.n for row in shown.values() if row})
        values = {heads[stage]: form(row.value, row.low, row.high) if row else "-" for stage, row in shown.items()}
        table.append({"score": label, **values, "n": " or ".join(f"{n:,}" for n in counts)})
    return table


def notes(rows: Sequence) -> list[str]:
    """What a reader of the card has to know, a sentence each; only what these rows need."""
    stages, scores = {row.stage for row in rows}, {row.score for row in rows}
    smollm2 = any(stage.startswith("smollm2") for stage in stages)
    said = ["In brackets: the 95 % confidence interval, over questions or texts."]
    if any(row.recorded for row in rows):
        said.append("Columns marked recorded were measured earlier; they are in data/recorded/report.json.")
    if smollm2:
        said.append("smollm2 was already tuned to follow instructions by its makers.")
    if smollm2 and "answer_loss" in scores:
        said.append("Its tokens are others, so its loss a token is not to be compared with that of the others.")
    if smollm2 and "bits_per_byte" in scores:
        said.append("It may have been trained on the text that the base was not.")
    return said
