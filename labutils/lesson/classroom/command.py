"""The command `class`: its actions, what they call, what they print."""

import argparse
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from labutils import places
from labutils.lesson import predictions, show
from labutils.lesson.classroom import release, submissions, wheelhouse
from labutils.lesson.terminal import clock, columns, renew, safe, tell

BAR = 40  # signs of a bar that stands for all


def class_options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(act: Callable, folder: str, about: str) -> argparse.ArgumentParser:
        made = actions.add_parser(act.__name__.removesuffix("_action"), help=about, description=about)
        made.set_defaults(act=act)
        made.add_argument("folder", metavar="DIR", type=Path, help=folder)
        return made

    course = "the folder that `class release` wrote"
    made = add(release_action, "a new folder, for the teacher", "write assignments: starters, hidden tests, points")
    made.add_argument("--notebooks", nargs="+", default=[], metavar="NN", help="only these, such as 03 05")
    made.add_argument("--key", metavar="FILE", help="the key.txt of an earlier release, to make the same numbers again")
    made.add_argument("--learners", metavar="FILE", help="a class list, a name a line: each gets other numbers")
    made = add(handout_action, course, "write the assignments of more learners, where each has other numbers")
    made.add_argument("names", nargs="+", metavar="NAME")
    made = add(collect_action, course, "copy notebooks that came back, NAME/NN/NOTEBOOK, to where they are graded")
    made.add_argument("source", metavar="FROM", type=Path, help="a folder or a stick")
    made = add(autograde_action, course, "grade what was handed in, several submissions at once")
    made.add_argument("number", metavar="NN", help="the assignment, such as 05")
    made.add_argument("--jobs", type=int, metavar="N", help="how many at once; one for each core without it")
    made.add_argument("--again", action="store_true", help="also what is graded already")
    made = add(answers_action, course, "print the right answers of a learner")
    made.add_argument("name", metavar="NAME")
    made.add_argument("number", metavar="NN", help="the assignment, such as 05")
    made = add(predictions_action, "a folder or a stick with the files of a class", "what the class has predicted")
    made.add_argument("prediction", nargs="?", metavar="KEY", help="of which question, such as '01 documents'")
    made.add_argument("--share", metavar="NAME", help="put your own predictions there, under this name")
    made.add_argument("--out", metavar="FILE", help="draw it, for the projector, into a .png or .svg file")
    add(wheelhouse_action, "a new folder, such as one on a stick", "copy the course with every package that it needs")


def class_command(asked: argparse.Namespace) -> int:
    return asked.act(asked)


def tell_left_out(lines: Sequence[str]) -> None:
    for line in lines:
        tell(f"left out: {line}", 210)


def release_action(asked: argparse.Namespace) -> int:
    assignments = release.release(asked.folder, asked.notebooks, asked.key, asked.learners)
    for each in assignments:
        print(f"{each.name}: {len(each.exercises)} exercises, {each.points} points")
    out = asked.folder / (release.HANDOUT if asked.learners else "release")
    print(f"Hand out: {out}. Keep to yourself: {asked.folder / release.KEY}. To grade: docs/class.md")
    return 0


def handout_action(asked: argparse.Namespace) -> int:
    made = release.hand_out(asked.folder, release.check_names(asked.names))
    print("\n".join([*map(str, made), f"{len(made)} new; what was handed out before stays as it is"]))
    return 0


def collect_action(asked: argparse.Namespace) -> int:
    new, refused = submissions.collect(asked.folder, asked.source)
    tell_left_out(refused)
    print("\n".join([*map(safe, new), f"{len(new)} collected that are new"]))
    return 0


def autograde_action(asked: argparse.Namespace) -> int:
    if asked.jobs is not None and asked.jobs < 1:
        raise ValueError(f"--jobs must be at least 1, got {asked.jobs}")

    def progress(done: int, total: int, seconds_left: float) -> None:
        renew(f"{done} of {total} graded, about {clock(seconds_left)} left", last=done == total)

    done = submissions.autograde(asked.folder, asked.number, asked.jobs, progress, again=asked.again)
    failed = {name: why for name, why in done.items() if why}
    tell_left_out([f"{name}: {why}" for name, why in failed.items()])
    marks = submissions.marks(asked.folder, asked.number)
    print("\n".join(columns([["learner", "points"], *([name, f"{marks[name][0]:g}"] for name in marks)])))
    return 1 if failed else 0


def answers_action(asked: argparse.Namespace) -> int:
    (name,) = release.check_names([asked.name])
    for exercise, code in release.answers(asked.folder, name, asked.number).items():
        print(f"# {exercise}\n{code}\n")
    return 0


def predictions_action(asked: argparse.Namespace) -> int:
    if asked.share:
        (name,) = release.check_names([asked.share])
        print(f"{predictions.share(asked.folder, name)}: your predictions")
        return 0
    found, refused = predictions.merge(asked.folder)
    tell_left_out(refused)
    if not found:
        raise ValueError(f"no predictions in {asked.folder}; each learner puts them there with --share NAME")
    if asked.prediction is None:
        print("\n".join(columns([["prediction", "learners"], *([safe(key), str(len(found[key]))] for key in found)])))
        return 0
    if asked.prediction not in found:
        raise ValueError(f"nobody predicted {asked.prediction!r}; there are {safe(', '.join(found), 300)}")
    counts = [(safe(said), count) for said, count in predictions.counted(found[asked.prediction])]
    print("\n".join(histogram(counts)))
    if asked.out:
        draw(counts, asked.prediction, Path(asked.out))
    return 0


def histogram(counts: Sequence[tuple[str, int]]) -> list[str]:
    """The lines for a terminal: "80 % of you said 3,000", then a bar for each answer."""
    total, width = sum(count for _, count in counts), max(len(said) for said, _ in counts)
    (said, most), *_ = counts
    bars = [f"{said:<{width}}  {'█' * round(BAR * count / total)} {count / total:.0%}" for said, count in counts]
    return [f"{100 * most / total:.0f} % of you said {said} ({most} of {total}).", "", *bars]


def draw(counts: Sequence[tuple[str, int]], title: str, path: Path) -> None:
    """The picture for the projector. Raises ValueError for another kind of file."""
    if path.suffix not in (".png", ".svg"):
        raise ValueError(f"--out must end in .png or .svg, got {path.name}")
    from matplotlib.figure import Figure

    figure, total = Figure(figsize=(12, 1.2 + 0.8 * len(counts)), layout="constrained"), sum(n for _, n in counts)
    axes = figure.subplots()
    bars = axes.barh(range(len(counts)), [100 * count / total for _, count in counts], color=show.BLUE)
    axes.bar_label(bars, fmt="%.0f %%", padding=5, fontsize=22)
    words = {"fontsize": 22, "parse_math": False}  # shown as they are, never set as formulas
    axes.set_yticks(range(len(counts)), [said for said, _ in counts], **words)
    axes.set_title(f"{title} (n = {total})", **words)
    axes.set(xlim=(0, 110), xticks=[])
    axes.invert_yaxis()
    with places.writing(path) as out, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # signs that the font lacks become boxes
        figure.savefig(out, format=path.suffix[1:])


def wheelhouse_action(asked: argparse.Namespace) -> int:
    made = wheelhouse.wheelhouse(asked.folder)
    size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
    print(f"{made}: {size / 1e9:.1f} GB. In the room: copy it, then in it: python3 -m labutils open")
    return 0
