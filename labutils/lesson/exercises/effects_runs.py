"""Exercises on what runs tell: two that differ in one setting, behaviour and facts, the price in what is forgotten."""

from itertools import combinations

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.answers import NotYet
from labutils.lesson.exercises.exercise import EFFECTS, Draw, Exercise, Wrong
from labutils.lesson.exercises.forms import Option, choice, moved

LETTERS = "abcde"
SETTINGS = {  # a column of the table: its two values, and what is asked about it
    "starts from": (("base", "random"), "pretraining"),
    "handbook": (("no", "yes"), "training on the raw handbook"),
    "pairs": (("about other facts", "none"), "being tuned on pairs"),
    "template": (("lecture", "chatml"), "the template"),
}
SCORES = ("facts right", "answers that keep the format", "answers that stop on their own")


def _runs(asked: str, usual: dict[str, int], others: list[str], order: list[int], score: str) -> Exercise:
    """Five runs: the usual settings; with the asked one changed; with two others; with the asked and the third."""
    changes = [[], [asked], [others[0]], [others[1]], [asked, others[2]]]
    rows = [{name: usual[name] ^ (name in changes[i]) for name in SETTINGS} for i in order]
    differ = {
        LETTERS[i] + LETTERS[j]: [name for name in SETTINGS if rows[i][name] != rows[j][name]]
        for i, j in combinations(range(len(rows)), 2)
    }
    right = next(two for two, names in differ.items() if names == [asked])
    about = SETTINGS[asked][1]

    def judge(answer: object) -> str:
        two = _two(answer)
        if two == right:
            return f"they differ in `{asked}` alone, so what differs in the score comes from it, or from chance"
        names = differ[two]
        if len(names) == 1:
            raise NotYet(f"they differ in `{names[0]}` alone; that tells what `{names[0]}` does, not `{asked}`")
        raise NotYet(
            f"they differ in {' and '.join(f'`{name}`' for name in names)}; which of these caused what you see?"
        )

    lines = "\n".join(
        f"| {letter} | {' | '.join(SETTINGS[name][0][row[name]] for name in SETTINGS)} |"
        for letter, row in zip(LETTERS, rows, strict=True)
    )
    return Exercise(
        name="one_setting",
        title="Two runs to compare",
        subject=EFFECTS,
        size="small",
        question=(
            "Five models were trained, for the same number of steps (`chatml` is a chat template):\n\n"
            f"| run | {' | '.join(SETTINGS)} |\n"
            f"|---|{'---|' * len(SETTINGS)}\n{lines}\n\n"
            f"You want to know what *{about}* does to the share of {score}. Which two runs do you compare?"
        ),
        starter='my_two = ...  # two letters, such as "ab"',
        answer="my_two",
        judge=judge,
        hints=(
            "Put two rows on top of each other and mark every column in which they differ. How many marks are allowed?",
            f"Leave out all pairs of rows that agree in `{asked}`; of the others, look for one that agrees in the "
            "rest.",
        ),
        solved=f'my_two = "{right}"',
        wrong=lambda: _wrong_runs(differ, right),
        vary=lambda draw: _drawn_runs(draw, right),
    )


def _two(answer: object) -> str:
    """Two letters in the order of the alphabet, out of a text or a list."""
    parts = answer if isinstance(answer, str) else answers.items(answer, "two letters")
    letters = [answers.text(part, "two letters").strip().lower() for part in parts]
    letters = [letter for letter in letters if letter not in ("", ",", "-")]
    if strange := [letter for letter in letters if letter not in tuple(LETTERS)]:
        raise NotYet(f"{answers.quoted(strange[0])} is no run; expected two letters from `a` to `{LETTERS[-1]}`")
    if len(letters) != 2:
        raise NotYet(f"expected two letters, got {len(letters)}; a comparison takes two runs")
    if letters[0] == letters[1]:
        raise NotYet("that is one run against itself; they agree in everything")
    return "".join(sorted(letters))


def _wrong_runs(differ: dict[str, list[str]], right: str) -> list[Wrong]:
    others = {two: names for two, names in differ.items() if two != right}
    told = {tuple(names): two for two, names in others.items()}  # one for each message
    return [
        *(
            Wrong(two, two, "which of these caused" if len(names) > 1 else "that tells what")
            for names, two in told.items()
        ),
        Wrong("one run", right[0], "a comparison takes two"),
        Wrong("all runs", LETTERS, "got 5"),
        Wrong("the same twice", right[0] * 2, "against itself"),
        Wrong("a run that is not there", f"{right[0]}z", "is no run"),
    ]


def _drawn_runs(draw: Draw, practised: str) -> Exercise:
    """Other runs, in which other letters are right."""
    while True:
        asked, *others = draw.shuffled(list(SETTINGS))
        usual = {name: draw.number(0, 1) for name in SETTINGS}
        made = _runs(asked, usual, others, draw.shuffled(range(5)), draw.pick(SCORES))
        if practised not in made.solved:
            return made


one_setting = _runs(
    "handbook",
    dict.fromkeys(SETTINGS, 0),
    ["pairs", "starts from", "template"],
    [2, 0, 4, 1, 3],
    SCORES[0],
)


def _behaviour(pairs: int, form: int, known: int, order: tuple[int, ...]) -> Exercise:
    return choice(
        "behaviour_first",
        "Behaviour first",
        EFFECTS,
        f"You tuned `base` on {pairs} pairs about {pairs} of the company's 222 facts. Afterwards {form} of 100 answers "
        f"keep the format, and of 100 questions about the company, all facts taken together, {known} are answered "
        "correctly. What can raise this number most?",
        [
            Option(
                "Write pairs about the other facts.",
                "the form is the same in all pairs, so few are enough; facts differ, and each needs pairs of its own",
            ),
            Option(
                f"Train longer on the same {pairs} pairs: behaviour comes first, facts follow.",
                f"facts that no pair holds do not follow, however long it trains; it would memorize these {pairs}",
            ),
            Option(
                "Write a better prompt: the base was trained on a lot of text and knows the company's facts.",
                "the company is invented, so no training text names these facts; there is nothing to bring out",
            ),
            Option(
                f"Write one more wording of each of the {pairs} questions.",
                "they help when a question about a taught fact is worded differently; the other facts stay unknown",
            ),
        ],
        order,
        hints=(
            "Which part of an answer is the same in all answers, and which is another one in each?",
            f"{pairs} of 222 facts are taught. How many of 100 questions can be right at best?",
        ),
        vary=lambda draw: _drawn_behaviour(draw, order),
    )


def _drawn_behaviour(draw: Draw, order: tuple[int, ...]) -> Exercise:
    pairs = draw.number(12, 60)
    known = max(1, pairs * draw.number(20, 35) // 222)  # of 100 questions, a part of those about taught facts
    return _behaviour(pairs, draw.number(88, 99), known, tuple(moved(draw, order)))


behaviour_first = _behaviour(30, 96, 3, (2, 1, 0, 3))


Row = tuple[int, int, float]  # percent of replay, percent of facts right, bits per byte on unseen text


def _replay(rows: list[Row], before: float, allowed: int) -> Exercise:
    most = max(facts for _, facts, _ in rows)
    best = min((row for row in rows if row[1] >= most - allowed), key=lambda row: row[2])

    def judge(answer: object) -> str:
        share = answers.number(answer, "a share of replay, in percent")
        if 0 < share < 1:
            raise NotYet(f"{share:g} is below one percent; write the number as it is in the table")
        row = next((row for row in rows if row[0] == share), None)
        if row is None:
            raise NotYet(f"no run was made with {share:g} % of replay; take one of the table")
        if row != best:
            raise NotYet(_why_not(row, best, most, allowed))
        return (
            f"facts stay at {best[1]} %, and unseen text takes {best[2]:.2f} bits instead of {rows[0][2]:.2f}; "
            "another use may draw the line elsewhere"
        )

    table = "\n".join(f"| {share} % | {facts} % | {loss:.2f} |" for share, facts, loss in rows)
    return Exercise(
        name="how_much_replay",
        title="How much replay?",
        subject=EFFECTS,
        size="medium",
        question=(
            "A model that is tuned forgets. *Replay* here means general text mixed into the pairs. The number of steps "
            f"stayed the same; before tuning, unseen text took {before:.2f} bits per byte. These numbers are made up "
            "and differ from those in the notebook:\n\n"
            f"| replay | facts right | unseen text, bits per byte |\n|--:|--:|--:|\n{table}\n\n"
            f"Forget as little as possible, but give up at most {allowed} points of the best share of facts. Which "
            "share of replay do you take?"
        ),
        starter="my_replay = ...  # percent, a number of the first column",
        answer="my_replay",
        judge=judge,
        hints=(
            f"The best share of facts is {most} %. Cross out all rows that fall short of it by more than {allowed} "
            "points.",
            "Of the rows that are left, which has forgotten the least, that is, takes the fewest bits on unseen text?",
        ),
        solved=f"my_replay = {best[0]}",
        wrong=lambda: [
            *(Wrong(f"{row[0]} percent", row[0], _why_not(row, best, most, allowed)) for row in rows if row != best),
            Wrong("as a share", best[0] / 100, "below one percent"),
            Wrong("between two rows", best[0] + 0.5, "no run was made"),
            Wrong("the bits", best[2], "no run was made"),
        ],
        vary=lambda draw: _drawn_replay(draw, best[0]),
    )


def _why_not(row: Row, best: Row, most: int, allowed: int) -> str:
    """Why a row is not the best one."""
    share, facts, loss = row
    if facts < most - allowed:
        return (
            f"with {share} % the facts fell to {facts} %, {most - facts} points below the best; {allowed} are allowed"
        )
    if share == 0:
        return f"without replay it forgets the most: {loss:.2f} bits per byte; a little costs hardly a fact"
    return f"with {share} % the facts hold, but so they do at fewer bits than {loss:.2f}; look further down"


def _drawn_replay(draw: Draw, practised: int) -> Exercise:
    """Another table: facts fall from row to row, and so does what is forgotten; another row is best."""
    allowed, before = draw.number(3, 6), draw.number(110, 125)
    shares = [0, *sorted(draw.some([share for share in (4, 5, 8, 10, 15, 25, 30, 40) if share != practised], 4)), 50]
    keep = draw.number(1, 3)  # the last row whose facts are within what is allowed
    facts, loss, rows = draw.number(70, 92), before + draw.number(120, 170), []
    most = facts
    for i, share in enumerate(shares):
        rows.append((share, facts, loss / 100))
        facts = most - draw.number(0, allowed) if i < keep else facts - allowed - draw.number(1, 9)
        loss = before + (loss - before) * draw.number(55, 80) // 100
    return _replay(rows, before / 100, allowed)


how_much_replay = _replay(
    [(0, 84, 2.68), (5, 85, 2.20), (10, 82, 1.92), (20, 80, 1.71), (30, 74, 1.60), (50, 61, 1.45)], 1.16, 5
)
