"""An exercise on comparisons: two runs that differ in one setting tell what that setting does."""

from itertools import combinations

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import EFFECTS

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
        wrong=lambda: _wrong(differ, right),
        vary=lambda draw: _drawn(draw, right),
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


def _wrong(differ: dict[str, list[str]], right: str) -> list[Wrong]:
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


def _drawn(draw: Draw, practised: str) -> Exercise:
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
