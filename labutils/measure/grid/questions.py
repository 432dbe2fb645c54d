"""What a point is asked, and what its replies are worth, question by question. Nothing is trained here."""

import random
from collections.abc import Mapping, Sequence

from labutils.measure import experiments, held_out, scoring, stages
from labutils.measure.cards import Card
from labutils.measure.grid import abbreviations, capitals, draws, mixture
from labutils.measure.grid.settings import Settings
from labutils.model import asking
from labutils.model.asking import Reply
from labutils.model.models import Opened
from labutils.pairs import templates
from labutils.pairs.records import read_jsonl

SHOTS = 4  # solved examples in front of a question
SAID = 40  # tokens of an answer: the right ones have 35 at most
OPENED = 20  # tokens that a model goes on with behind the opening of a sentence


def card(opened: Opened, settings: Settings, seed: int, taught: frozenset[str] = frozenset()) -> Card:
    """Every score of a model, as far as `settings.asked` goes; `taught` are the facts that it was trained on.

    Beside the scores of `scoring.judge` on the company's `dev` questions there are, of its facts, `taught` and
    `untaught`, and `kept`, which leaves out what the second edition changed. `new` and `old` ask for what was changed:
    whether an answer holds the new value, and whether it holds the old one. `openings` are sentences of the handbook
    that the model goes on with; `abbreviations` are asked for, `abbreviations_opened` are gone on with. The seed draws
    solved examples where there are some. Questions and openings are put through `settings.template`, or stand alone.
    Asked for "taught" facts alone, in two unseen wordings each, a model has `taught` and a loss on these answers. For
    each of `capitals.ways` there is whether a reply names the right one, and whether it ends.
    """
    answers, judged, losses = [], {}, {}
    if "company" in settings.asked:
        asked = stages.questions("dev")
        said = replies(opened, settings, asked, shots(seed) if settings.prompt == "few-shot" else (), passages())
        answers = [reply.text for reply in said]
        judged |= scoring.judge(said, asked)
        judged |= of_facts(judged["fact_hits"], asked, taught)
        if settings.prompt == "plain":
            facts = [i for i, question in enumerate(asked) if scoring.kind(question) == "fact"]
            found = held_out.answer_loss(opened, [asked[i] for i in facts], settings.template)
            losses["answer_loss"] = found._replace(items=facts)
    if "changed" in settings.asked:
        asked = changed()
        said = replies(opened, settings, asked, shots(seed) if settings.prompt == "few-shot" else ())
        judged |= {name: hits(said, asked, key) for name, key in (("new", "must"), ("old", "was"))}
    if "openings" in settings.asked:
        judged["openings"] = gone_on(opened, sentences())
    if "abbreviations" in settings.asked:
        asked = abbreviations.asked()
        solved = abbreviations.some(SHOTS, seed) if settings.prompt == "few-shot" else ()
        judged["abbreviations"] = hits(replies(opened, settings, asked, solved), asked)
        judged["abbreviations_opened"] = gone_on(opened, asked)
    if "taught" in settings.asked:
        asked = twice()
        known = [i for i, question in enumerate(asked) if question["fact"] in taught]
        said = replies(opened, settings, [asked[i] for i in known], limit=SAID)
        right = dict(zip(known, hits(said, [asked[i] for i in known]), strict=True))
        judged["taught"] = [right.get(i) for i in range(len(asked))]
        found = held_out.answer_loss(opened, [asked[i] for i in known], settings.template)
        losses["answer_loss"] = found._replace(items=known)
    if "capitals" in settings.asked:
        for way, prompts in capitals.ways().items():
            said = asking.generate(opened, prompts, limit=OPENED)
            judged[way] = [
                scoring.fact_hit(reply.text.strip().partition("\n")[0], city)
                for reply, city in zip(said, capitals.KNOWN.values(), strict=True)
            ]
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
    asked = {question["fact"] for question in stages.questions("dev")}
    facts = [fact for fact in read_jsonl(experiments.COMPANY / "facts.jsonl") if fact["fact"] in asked]
    cut = [(fact["statement"].partition(fact["must"])[0].rstrip(), fact["must"]) for fact in facts]
    return [{"opening": opening, "must": must} for opening, must in cut if len(opening.split()) > 2]


def changed() -> list[dict]:
    """The questions about what the second edition changed, in words of their own, with the new value and the old."""
    return read_jsonl(experiments.COMPANY / "v2" / "test.jsonl")


def twice() -> list[dict]:
    """The questions of `dev` about facts, then a second one about each of them in other words."""
    first = [question for question in stages.questions("dev") if scoring.kind(question) == "fact"]
    return first + read_jsonl(experiments.COMPANY / "again.jsonl")


def passages() -> dict[str, str]:
    """Of each fact the paragraph of the handbook that states it."""
    texts = [paragraph["text"] for paragraph in mixture.paragraphs()]
    facts = read_jsonl(experiments.COMPANY / "facts.jsonl")
    found = {fact["fact"]: next((text for text in texts if fact["statement"] in text), "") for fact in facts}
    return {fact: text for fact, text in found.items() if text}


def shots(seed: int) -> list[dict]:
    """Solved examples for the company's questions: facts that `dev` does not ask for, and an off-topic question."""
    asked = {question["fact"] for question in stages.questions("dev")}
    drawn = draws.draw(read_jsonl(experiments.COMPANY / "train.jsonl"), None, seed, leave=asked, wordings=1)
    off_topic = [pair for pair in drawn if scoring.kind(pair) == "off-topic"][:1]
    solved = drawn[: SHOTS - 1] + off_topic
    return random.Random(seed).sample(solved, len(solved))
