"""Exercises on base models: why one continues a page instead of answering, and which replies are only fluent."""

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet, quoted
from labutils.lesson.exercises.exercise import PRETRAINING, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import Option, choice, moved

LANDS = {  # a capital of each, as `smollm2` states it
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Greece": "Athens", "Norway": "Oslo", "Kenya": "Nairobi",
    "Japan": "Tokyo", "Canada": "Ottawa", "Peru": "Lima",
}  # fmt: skip


def _page(land: str, order: tuple[int, ...]) -> Exercise:
    names = list(LANDS)
    first, last = (names[(names.index(land) + step) % len(names)] for step in (1, 2))
    return choice(
        "goes_on",
        "A question is a page",
        PRETRAINING,
        f"A model continues `The capital of {land} is` with ` {LANDS[land]}`. Given two lines, `What is the "
        f"capital of {first}?` and `What is the capital of {land}?`, it writes a third: `What is the capital of "
        f"{last}?` Why?",
        [
            Option(
                "To it, the lines open a page of questions, and it continues that page.",
                "what it knows comes out where a page would say it; the habit of answering is what pairs can teach",
            ),
            Option(
                f"It does not know the capital of {land}.",
                f"it does: it stated `{LANDS[land]}`; the page of questions did not bring that out",
            ),
            Option(
                "It was not trained long enough. After some more hours it would answer.",
                "more pretraining makes it better at continuing pages, and lists of questions are pages, too",
            ),
            Option(
                "The questions contain words that it never saw in training.",
                f"then it could not have continued so well: it asks about {last}, which is of the same kind",
            ),
        ],
        order,
        hints=(
            f"Did it state `{LANDS[land]}`? So what can be missing, and what cannot?",
            "Think of a page on which somebody wrote these questions. What is on the next line of such a page?",
        ),
        vary=lambda draw: _page(
            draw.pick([other for other in LANDS if other != land]),
            tuple(moved(draw, order)),
        ),
    )


goes_on = _page("Kenya", (1, 2, 0, 3))


SHORT = {  # an abbreviation: its words but the last, the last, others of its kind
    "HTTP": ("Hypertext Transfer", "Protocol", "HTTPS"),
    "USB": ("Universal Serial", "Bus", "PCI"),
    "PDF": ("Portable Document", "Format", "EPS"),
    "XML": ("Extensible Markup", "Language", "HTML"),
    "CPU": ("Central Processing", "Unit", "GPU"),
    "DNS": ("Domain Name", "System", "DHCP"),
    "URL": ("Uniform Resource", "Locator", "URI"),
    "SQL": ("Structured Query", "Language", "CSV"),
    "RAM": ("Random Access", "Memory", "ROM"),
}
ASKED = "What does {name} stand for?"
KINDS = {  # what a reply does: some that do it
    "answers": (
        "It is short for {full}.",
        "{full}, as the manual calls it in its first chapter.",
        "In this book, {name} means {full}.",
    ),
    "goes on": (
        "It is used in most programs today, and all settings of it are explained below.",
        "{name} is a common term, and its meaning is well known to everybody in the field.",
        "The value is set when the program starts. See the next section for the options.",
    ),
    "asks back": ("Which version of it do you use?", "And where is it set?"),
    "repeats": (f"{ASKED} {ASKED} {ASKED}", f"The question is: {ASKED}"),
}
OFTEN = {"answers": 2, "goes on": 2, "asks back": 1, "repeats": 1}


def _replies(seed: int | str, practised: list[str]) -> Exercise:
    draw, right = Draw(f"replies {seed}"), practised
    while right == practised:
        right = draw.shuffled([kind for kind, times in OFTEN.items() for _ in range(times)])
    left = {kind: draw.shuffled(texts) for kind, texts in KINDS.items()}
    rows = []
    for name, kind in zip(draw.some(list(SHORT), len(right)), right, strict=True):
        words = {"name": name, "full": " ".join(SHORT[name][:2])}
        rows.append((ASKED.format(**words), left[kind].pop().format(**words), words["full"]))

    def judge(answer: object) -> str:
        mine = _read(answer, len(rows))
        for i, (said, kind, (question, reply, full)) in enumerate(zip(mine, right, rows, strict=True), 1):
            if said != kind:
                raise NotYet(f"reply {i}, {quoted(reply)}, {_why(said, kind, question, full)}")
        return "two of six answer; the others are just as fluent, so fluency is no measure of answers"

    listed = "\n".join(f"| {i} | {question} | {reply} |" for i, (question, reply, _) in enumerate(rows, 1))
    return Exercise(
        name="six_replies",
        title="Six replies",
        subject=PRETRAINING,
        size="small",
        question=(
            "Here are six made-up replies, each to a question:\n\n"
            f"| | question | reply |\n|---|---|---|\n{listed}\n\n"
            'For each reply, in order, say what it does: `"answers"` (it contains the words asked for), '
            '`"repeats"` (it repeats the question), `"asks back"` (it asks a different question), `"goes on"` '
            "(anything else)."
        ),
        starter='my_kinds = [..., ..., ..., ..., ..., ...]  # such as "answers" or "goes on"',
        answer="my_kinds",
        judge=judge,
        hints=(
            "First find the replies that answer: put your finger on the words that were asked for.",
            "Of the others, look at those with a question mark: is it the question itself, or a new one?",
        ),
        solved=f"my_kinds = {right}".replace("'", '"'),
        wrong=lambda: _wrong(right),
        vary=lambda draw: _replies(draw.number(1, 10**6), right),
    )


def _read(answer: object, count: int) -> list[str]:
    said = [answers.text(each, "texts, one a reply") for each in answers.items(answer, f"a list of {count} texts")]
    said = [each.strip().lower() for each in said]
    if len(said) != count:
        raise NotYet(f"expected {count} texts, one a reply, got {len(said)}")
    if strange := [each for each in said if each not in KINDS]:
        raise NotYet(f"{quoted(strange[0])} is none of the four: `{'`, `'.join(KINDS)}`")
    return said


def _why(said: str, kind: str, question: str, full: str) -> str:
    """Why a reply of one kind is not of the other."""
    if said == "answers":
        return f"is fluent, but which of its words answer {quoted(question)}?"
    return {
        "answers": f"holds what was asked for: {quoted(full)}",
        "repeats": "says the question again and asks nothing new",
        "asks back": "ends in a question that was not there before",
        "goes on": "asks nothing, neither again nor back; it continues a page",
    }[kind]


def _wrong(right: list[str]) -> list[Wrong]:
    def but(kind: str, said: str) -> list[str]:
        """The right answer, with the first reply of one kind taken for another."""
        place = right.index(kind)
        return [*right[:place], said, *right[place + 1 :]]

    return [
        Wrong("fluent counted as answered", but("goes on", "answers"), "is fluent, but which of its words"),
        Wrong("an answer overlooked", but("answers", "goes on"), "holds what was asked for"),
        Wrong("the same question again", but("repeats", "asks back"), "asks nothing new"),
        Wrong("a question overlooked", but("asks back", "goes on"), "was not there before"),
        Wrong("a question imagined", but("goes on", "asks back"), "asks nothing, neither"),
        Wrong("too few", right[:5], "expected 6 texts"),
        Wrong("other words", ["right", *right[1:]], "none of the four"),
    ]


six_replies = _replies("practised", [])
