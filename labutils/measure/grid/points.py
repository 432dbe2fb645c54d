"""One point: a model is opened, reads what its settings say, and is asked. Results are kept by `recording`."""

import hashlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import torch

from labutils.measure import experiments, held_out, report, scoring
from labutils.measure.grid import mixture
from labutils.measure.grid.plans import Settings
from labutils.measure.held_out import Card
from labutils.model import adapters, asking, models, training
from labutils.model.asking import Reply
from labutils.model.loop import Progress
from labutils.model.models import ModelMissing, Opened
from labutils.pairs import templates
from labutils.pairs.records import read_jsonl

# Thirty capitals, and five ways to ask a model for them. No pair of the company's holds any of them.

CAPITALS = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Germany": "Berlin", "Poland": "Warsaw",
    "Greece": "Athens", "Austria": "Vienna", "Hungary": "Budapest", "Portugal": "Lisbon", "Ireland": "Dublin",
    "Norway": "Oslo", "Sweden": "Stockholm", "Finland": "Helsinki", "Denmark": "Copenhagen", "Russia": "Moscow",
    "Egypt": "Cairo", "Kenya": "Nairobi", "Ghana": "Accra", "Morocco": "Rabat", "Ethiopia": "Addis Ababa",
    "India": "New Delhi", "China": "Beijing", "Japan": "Tokyo", "Thailand": "Bangkok", "Iran": "Tehran",
    "Canada": "Ottawa", "Mexico": "Mexico City", "Cuba": "Havana", "Peru": "Lima", "Argentina": "Buenos Aires",
}  # fmt: skip


def capital_ways() -> dict[str, list[str]]:
    """The prompts of each way, a country each."""
    asked = [f"What is the capital of {country}?" for country in CAPITALS]
    return {
        "page": [f"The capital of {country} is" for country in CAPITALS],
        "bare question": asked,
        "Q: and A:": [f"Q: {question}\nA:" for question in asked],
        "the pairs' template": [templates.prompt("lecture", question) for question in asked],
        "chat": [templates.prompt("chatml", question) for question in asked],
    }


# What a point is asked, and what its replies are worth, question by question.

SHOTS = 4  # solved examples in front of a question
SAID = 40  # tokens of an answer: the right ones have 35 at most
OPENED = 20  # tokens that a model goes on with behind the opening of a sentence


def scores_of(opened: Opened, settings: Settings, seed: int, taught: frozenset[str] = frozenset()) -> Card:
    """Every score of a model, as far as `settings.asked` goes; `taught` are the facts that it was trained on.

    Beside the scores of `scoring.judge` on the company's `dev` questions there are, of its facts, `taught` and
    `untaught`, and `kept`, which leaves out what the second edition changed. `new` and `old` ask for what was changed:
    whether an answer holds the new value, and whether it holds the old one. `openings` are sentences of the handbook
    that the model goes on with; `abbreviations` are asked for, `abbreviations_opened` are gone on with. The seed draws
    solved examples where there are some. Questions and openings are put through `settings.template`, or stand alone.
    Asked for "taught" facts alone, in two unseen wordings each, a model has `taught` and a loss on these answers. For
    each of `capital_ways` there is whether a reply names the right one, and whether it ends.
    """
    answers, judged, losses = [], {}, {}
    if "company" in settings.asked:
        asked = report.questions("dev")
        said = replies(opened, settings, asked, shots(seed) if settings.prompt == "few-shot" else (), passages())
        answers = [reply.text for reply in said]
        judged |= scoring.judge(said, asked)
        judged |= of_facts(judged["fact_hits"], asked, taught)
        if settings.prompt == "plain":
            facts = [i for i, question in enumerate(asked) if scoring.kind(question) == "fact"]
            losses["answer_loss"] = held_out.answer_loss(opened, asked, settings.template, among=facts)
    if "changed" in settings.asked:
        asked = changed()
        said = replies(opened, settings, asked, shots(seed) if settings.prompt == "few-shot" else ())
        judged |= {name: hits(said, asked, key) for name, key in (("new", "must"), ("old", "was"))}
    if "openings" in settings.asked:
        judged["openings"] = gone_on(opened, sentences())
    if "abbreviations" in settings.asked:
        asked = mixture.asked_abbreviations()
        solved = mixture.solved_abbreviations(SHOTS, seed) if settings.prompt == "few-shot" else ()
        judged["abbreviations"] = hits(replies(opened, settings, asked, solved), asked)
        judged["abbreviations_opened"] = gone_on(opened, asked)
    if "taught" in settings.asked:
        asked = twice()
        known = [i for i, question in enumerate(asked) if question["fact"] in taught]
        said = replies(opened, settings, [asked[i] for i in known], limit=SAID)
        right = dict(zip(known, hits(said, [asked[i] for i in known]), strict=True))
        judged["taught"] = [right.get(i) for i in range(len(asked))]
        losses["answer_loss"] = held_out.answer_loss(opened, asked, settings.template, among=known)
    if "capitals" in settings.asked:
        for way, prompts in capital_ways().items():
            said = asking.generate(opened, prompts, limit=OPENED)
            lines = [reply.text.strip().partition("\n")[0] for reply in said]
            judged[way] = list(map(scoring.fact_hit, lines, CAPITALS.values()))
            judged[f"{way}: ends"] = [reply.stopped for reply in said]
    if "text" in settings.asked:
        losses["bits_per_byte"] = held_out.bits_per_byte(opened, held_out.documents()).of_items()
    return Card(answers, judged, losses)


def replies(
    opened: Opened,
    settings: Settings,
    asked: Sequence[Mapping],
    solved: Sequence[Mapping] = (),
    before: Mapping[str, str] | None = None,
    limit: int = 60,
) -> list[Reply]:
    """What a model says to questions, behind solved examples or a passage about their fact.

    A reply ends where the model goes on with a question of its own. Behind solved examples that counts as stopping:
    who asks in this way reads no further.
    """
    passages = (before or {}) if settings.prompt == "passage" else {}
    texts = [f"{passages.get(each.get('fact'), '')}\n\n{each['question']}".strip() for each in asked]
    front = "".join(templates.fill(settings.template, pair) + "\n\n" for pair in solved)
    prompts = [front + templates.prompt(settings.template, text) for text in texts]
    found = []
    for text, stopped in asking.generate(opened, prompts, limit=limit):
        cut = templates.before_next(settings.template, text)
        found.append(Reply(cut, stopped or (bool(solved) and len(cut) < len(text.strip()))))
    return found


def of_facts(found: Sequence[bool | None], asked: Sequence[Mapping], taught: frozenset[str]) -> dict[str, list]:
    """The fact hits apart: of facts that were taught, that were not, and that the second edition has kept."""
    gone = {question["fact"] for question in changed()}
    parts = {"taught": taught.__contains__, "untaught": lambda fact: fact not in taught}
    parts["kept"] = lambda fact: fact not in gone
    return {
        name: [hit if part(question["fact"]) else None for hit, question in zip(found, asked, strict=True)]
        for name, part in parts.items()
    }


def hits(said: Sequence[Reply], asked: Sequence[Mapping], key: str = "must") -> list[bool]:
    """Whether each reply holds what its question has under a key."""
    return [scoring.fact_hit(reply.text, each[key]) for reply, each in zip(said, asked, strict=True)]


def gone_on(opened: Opened, openings: Sequence[Mapping]) -> list[bool]:
    """Whether a model goes on with each "opening" to what "must" follow."""
    return hits(asking.generate(opened, [each["opening"] for each in openings], limit=OPENED), openings)


def sentences() -> list[dict]:
    """Sentences of the handbook up to the value that they state, of the facts that `dev` asks for."""
    asked = {question["fact"] for question in report.questions("dev")}
    facts = [fact for fact in read_jsonl(experiments.COMPANY / "facts.jsonl") if fact["fact"] in asked]
    cut = [(fact["statement"].partition(fact["must"])[0].rstrip(), fact["must"]) for fact in facts]
    return [{"opening": opening, "must": must} for opening, must in cut if len(opening.split()) > 2]


def changed() -> list[dict]:
    """The questions about what the second edition changed, in words of their own, with the new value and the old."""
    return read_jsonl(experiments.COMPANY / "v2" / "test.jsonl")


def twice() -> list[dict]:
    """The questions of `dev` about facts, then a second one about each of them in other words."""
    first = [question for question in report.questions("dev") if scoring.kind(question) == "fact"]
    return first + read_jsonl(experiments.COMPANY / "again.jsonl")


def passages() -> dict[str, str]:
    """Of each fact the paragraph of the handbook that states it."""
    texts = [paragraph["text"] for paragraph in mixture.paragraphs()]
    facts = read_jsonl(experiments.COMPANY / "facts.jsonl")
    found = {fact["fact"]: next((text for text in texts if fact["statement"] in text), "") for fact in facts}
    return {fact: text for fact, text in found.items() if text}


def shots(seed: int) -> list[dict]:
    """Solved examples for the company's questions: facts that `dev` does not ask for, and an off-topic question."""
    asked = {question["fact"] for question in report.questions("dev")}
    drawn = experiments.draw(read_jsonl(experiments.COMPANY / "train.jsonl"), None, seed, leave=asked, wordings=1)
    off_topic = [pair for pair in drawn if scoring.kind(pair) == "off-topic"][:1]
    solved = drawn[: SHOTS - 1] + off_topic
    return random.Random(seed).sample(solved, len(solved))


# The point, run and scored.

SIGNS = {True: "1", False: "0", None: "-"}  # of a question: right, wrong, not asked for this
EVERY = 20  # one answer of this many is kept, to be read


class Result(NamedTuple):
    """What one point led to with one seed."""

    seed: int
    card: Card  # read back from a record, it has every EVERY-th answer
    about: dict  # pairs, facts taught, steps, tokens read, weights moved, minutes of tuning and in all


def run(
    settings: Settings,
    seed: int,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    last: int = mixture.STEPS[-1],
) -> Result:
    """Make a point: train, ask, score. The same settings and seed give the same result on the same processor.

    With a patience, a run can be cut short at one of its looks: `last`, the step.

    Raises ModelMissing where its model is not here.
    """
    began = time.perf_counter()
    opened, card, about = start(settings.model, seed, settings.fresh), None, {}
    if settings.trains:
        read = mixture.mix(settings, seed, opened.tokenizer)
        opened = moving(opened, settings, seed)
        ask = partial(scores_of, opened, settings, seed, read.taught)
        looks = mixture.Looks(ask, settings.patience, on_progress, last)
        how = {"stop": looks.stop, "by_hand": False, "on_progress": looks.tell}  # half a run is no result
        done = training.finetune_until(opened, read.examples, read.recipe, **how)
        about = {"pairs": read.pairs, "facts": len(read.taught), "steps": done.history[-1].step, "tokens": done.tokens}
        about |= {"weights_moved": adapters.trained(opened.model), "tuning_minutes": round(done.seconds / 60, 2)}
        card = looks.best or ask()
        about |= {"looks": looks.found} if looks.found else {}
    card = card or scores_of(opened, settings, seed)
    return Result(seed, card, about | {"minutes": round((time.perf_counter() - began) / 60, 2)})


def start(name: str, seed: int, fresh: bool = False) -> Opened:
    """The model that a point starts from; "random" and what starts `fresh` have other weights for each seed."""
    opened = models.open_model(name)
    if name != "random" and not fresh:
        return opened
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = type(opened.model)(opened.model.config)
    fresh.generation_config = opened.model.generation_config
    return Opened(fresh.eval(), opened.tokenizer)


def moving(opened: Opened, settings: Settings, seed: int) -> Opened:
    """The model as its settings tune it: itself, or a copy of which fewer weights move."""
    if settings.way == "LoRA":
        return adapters.with_lora(opened, rank=settings.rank, seed=seed)
    return adapters.last_layer_only(opened) if settings.way == "last layer" else opened


def made_of(model: str, again: bool = False) -> str:
    """What says that two results come from the same files: the model's, the company's, and the abbreviations; with the
    second questions to the facts where they are asked `again`.

    Raises ModelMissing where the model is not here.
    """
    folder, company = models.folder(model), experiments.COMPANY
    weights = [] if model == "random" else [folder / "model.safetensors"]
    data = ("train.jsonl", "dev.jsonl", "facts.jsonl", "handbook.md", "v2/train.jsonl", "v2/test.jsonl")
    files = [folder / "tokenizer.json", *weights, *(company / name for name in data), mixture.ABBREVIATIONS_ASKED]
    files += [company / "again.jsonl"] if again else []
    whole = hashlib.sha256()
    for file in files:
        if not file.is_file():
            raise ModelMissing(f"{model} is not on this machine, or not whole: there is no {file.name}")
        whole.update(hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:16]


def plain(result: Result) -> dict:
    """A result as JSON holds it: hits as a row of signs, a question each; losses rounded to 0.0001."""
    judged = {name: "".join(map(SIGNS.get, found)) for name, found in result.card.judged.items()}
    answers = result.card.answers[::EVERY]
    losses = {name: each.plain() for name, each in result.card.losses.items()}
    return {"seed": result.seed, "about": result.about, "judged": judged, "losses": losses, "said": answers}


def from_plain(kept: Mapping) -> Result:
    """A result as `plain` wrote it."""
    values = {sign: hit for hit, sign in SIGNS.items()}
    judged = {name: [values[sign] for sign in row] for name, row in kept["judged"].items()}
    card = held_out.from_plain({"answers": kept["said"], "judged": judged, "losses": kept["losses"]})
    return Result(kept["seed"], card, kept["about"])
