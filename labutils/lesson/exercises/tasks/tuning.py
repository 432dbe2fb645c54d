"""An exercise on the whole way: tune a model on given pairs, answer questions with it, report what it is worth."""

from collections import Counter

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import OWN_FILE
from labutils.measure.intervals import share, wilson

PRODUCTS = ("Plover", "Heron", "Godwit", "Sandpiper", "Turnstone", "Curlew", "Dunlin", "Avocet")
FAULTS = (
    "the lid does not close", "no light when switched on", "rust on the screws", "a crack in the case",
    "the cable is frayed", "shows an empty battery", "water inside", "the button sticks", "beeps all night",
    "dropped from a boat", "the strap is torn", "will not charge", "chewed by a seal", "the display is dim",
    "smells of smoke", "the clock is an hour late", "the clip is bent", "sand in the socket", "lost its cap",
    "the label has come off", "a loose antenna", "switches itself off", "the lens is scratched", "mud in the sensor",
)  # fmt: skip
HIDDEN = 60
LEAST, MOST = 10, 100  # questions that an honest report of these pairs may stand on


def _tuning(benches: tuple[str, ...], of: dict[str, str], seed: str) -> Exercise:
    mixed = Draw(seed).shuffled([(product, fault) for product in PRODUCTS for fault in FAULTS])
    rows = [{"question": f"{product}: {fault}", "answer": of[product]} for product, fault in mixed]
    trained, hidden = rows[HIDDEN:], rows[:HIDDEN]
    right = [row["answer"] for row in hidden]
    common, times = Counter(right).most_common(1)[0]

    def judge(answer: object) -> str:
        parts = answers.items(answer, "two things: the replies and the report")
        if len(parts) != 2:
            raise NotYet("hand in two things: `my_replies, my_report`")
        replies = [answers.text(each, "a list of texts").strip() for each in answers.items(parts[0], "a list of texts")]
        if len(replies) != HIDDEN:
            raise NotYet(f"expected {HIDDEN} replies, one for each of `questions`, in their order; got {len(replies)}")
        found = share([reply == bench for reply, bench in zip(replies, right, strict=True)])
        if found.low <= times / HIDDEN:
            raise NotYet(
                f"{found.value:.0%} of the replies are right; always saying {common!r} would give "
                f"{times / HIDDEN:.0%}. Read a few replies: do they have the form of the pairs? If so, train for longer"
            )
        _judge_report(answers.items(parts[1], "three numbers, the share and its interval"), found)
        return f"{found.value:.0%} of the hidden answers are right, and your report said what to expect"

    given = {"pairs": trained, "questions": [row["question"] for row in hidden]}
    return Exercise(
        name="tune_and_report",
        title="Tune it and report",
        subject=OWN_FILE,
        size="open",
        question=(
            f"The workshop sends each broken instrument to one of its benches ({', '.join(benches)}). "
            f'`THIS.given()` is a dictionary: `"pairs"` holds {len(trained)} pairs of question and answer, '
            f'`"questions"` {HIDDEN} questions without answers. Keep some of the pairs back, tune '
            "a model on the others, and ask it. "
            "Hand in its replies to the questions, and a report of what share of them will be right: the share on the "
            "pairs that you kept back, and the two ends of its 95 % confidence interval. The check knows the answers."
        ),
        starter="given = THIS.given()\nmy_replies = ...  # a list of texts\nmy_report = ...  # share, low, high",
        answer="my_replies, my_report",
        judge=judge,
        hints=(
            '`finetuned` takes seconds. Encode with `encoding.encode_all(pairs, "lecture", model.tokenizer).examples`, '
            "tune with `training.finetune`, ask with `asking.ask(model, questions, limit=8)`, each reply's `.text`.",
            "The report is about pairs that were not trained on: `intervals.share([...])` of what is right among them "
            "has the share and both ends. A recipe that works: 40 steps, batches of 32, rate 3e-3.",
        ),
        solved="""
            from labutils.measure import intervals
            from labutils.model import asking, encoding, models, training

            given = THIS.given()
            kept, rest = given["pairs"][:40], given["pairs"][40:]
            model = models.open_model("finetuned")
            examples = encoding.encode_all(rest, "lecture", model.tokenizer).examples
            recipe = training.Recipe(steps=40, batch=32, learning_rate=3e-3)
            training.finetune(model, examples, recipe)
            asked = [pair["question"] for pair in kept]
            said = [reply.text for reply in asking.ask(model, asked, limit=8)]
            hits = [reply == pair["answer"] for reply, pair in zip(said, kept)]
            my_report = intervals.share(hits)[:3]
            my_replies = [reply.text for reply in asking.ask(model, given["questions"], limit=8)]
        """,
        wrong=lambda: _wrong(right, common),
        vary=_drawn,
        data=lambda: given,
    )


def _judge_report(parts: list, found) -> None:
    if len(parts) != 3:
        raise NotYet("a report is three numbers: the share, and the two ends of its interval")
    value, low, high = (answers.number(part, "a number between 0 and 1") for part in parts)
    if not 0 <= value <= 1:
        raise NotYet(f"the share must be a number between 0 and 1, got {value:g}")
    if not low <= value <= high:
        raise NotYet("the share lies outside of its interval; the order is share, lower end, upper end")
    narrow, wide = ((high - low) for low, high in (wilson(n * value, n) for n in (MOST, LEAST)))
    if high - low < narrow * 0.9:
        raise NotYet(
            f"an interval from {low:.2f} to {high:.2f} is narrower than these pairs allow; on how many that were kept "
            "back does it stand? At shares near 0 or 1 take Wilson's interval"
        )
    if high - low > wide * 1.1:
        raise NotYet(f"from {low:.2f} to {high:.2f} says little; keep back more pairs")
    if high < found.low or low > found.high:
        raise NotYet(
            f"your report promises {low:.0%} to {high:.0%}, the hidden questions gave {found.value:.0%}. Was it "
            "measured on pairs that were trained on?"
        )


def _wrong(right: list[str], common: str) -> list[Wrong]:
    half = [bench if i % 4 else "bench?" for i, bench in enumerate(right)]
    fair = (1.0, 0.91, 1.0)
    return [
        Wrong("the commonest answer", ([common] * HIDDEN, fair), "always saying"),
        Wrong("replies in another order", (right[1:], fair), f"expected {HIDDEN} replies"),
        Wrong("no report", (right, 1.0), "three numbers"),
        Wrong("a share alone", (right, [1.0]), "a report is three numbers"),
        Wrong("in percent", (right, (100, 91, 100)), "between 0 and 1"),
        Wrong("no width", (right, (1.0, 1.0, 1.0)), "narrower than these pairs allow"),
        Wrong("ends first", (right, (0.8, 0.9, 1.0)), "outside of its interval"),
        Wrong("of three questions", (right, (1.0, 0.44, 1.0)), "keep back more pairs"),
        Wrong("measured on trained pairs", (half, fair), "trained on"),
        Wrong("replies alone", (right,), "hand in two things"),
    ]


def _drawn(draw: Draw) -> Exercise:
    names = draw.shuffled(["red bench", "blue bench", "green bench", "grey bench", "white bench", "black bench"])[:3]
    while True:
        of = {product: draw.pick(names) for product in PRODUCTS}
        if max(Counter(of.values()).values()) <= 3 and set(of.values()) == set(names):
            return _tuning(tuple(names), of, f"pairs {' '.join(of.values())}")


tune_and_report = _drawn(Draw("tune_and_report"))
