"""An exercise on the price: how much general text has to be mixed in, so that little is forgotten."""

from labutils.lesson.exercises import answers
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet
from labutils.lesson.exercises.subjects import EFFECTS

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
            raise NotYet(_why(row, best, most, allowed))
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
            *(Wrong(f"{row[0]} percent", row[0], _why(row, best, most, allowed)) for row in rows if row != best),
            Wrong("as a share", best[0] / 100, "below one percent"),
            Wrong("between two rows", best[0] + 0.5, "no run was made"),
            Wrong("the bits", best[2], "no run was made"),
        ],
        vary=lambda draw: _drawn(draw, best[0]),
    )


def _why(row: Row, best: Row, most: int, allowed: int) -> str:
    """Why a row is not the best one."""
    share, facts, loss = row
    if facts < most - allowed:
        return (
            f"with {share} % the facts fell to {facts} %, {most - facts} points below the best; {allowed} are allowed"
        )
    if share == 0:
        return f"without replay it forgets the most: {loss:.2f} bits per byte; a little costs hardly a fact"
    return f"with {share} % the facts hold, but so they do at fewer bits than {loss:.2f}; look further down"


def _drawn(draw: Draw, practised: int) -> Exercise:
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
