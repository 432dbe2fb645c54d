"""The teacher's command `class`: assignments for nbgrader, the course for a room without network."""

import argparse
from pathlib import Path

from labutils.lesson.classroom import release, wheelhouse


def class_options(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    made = actions.add_parser("release", help="write assignments: starters, hidden tests, points")
    made.add_argument("folder", metavar="DIR", help="a new folder, for the teacher")
    made.add_argument("--notebooks", nargs="+", default=[], metavar="NN", help="only these, such as 03 05")
    made.add_argument("--key", metavar="FILE", help="the key.txt of an earlier release, to make the same numbers again")
    stick = actions.add_parser("wheelhouse", help="copy the course with every package that it needs")
    stick.add_argument("folder", metavar="DIR", help="a new folder, such as one on a stick")


def class_command(asked: argparse.Namespace) -> int:
    if asked.action == "wheelhouse":
        made = wheelhouse.wheelhouse(asked.folder)
        print(
            f"{made}: {wheelhouse.size(made) / 1e9:.1f} GB. In the room: copy it, then in it: python3 -m labutils open"
        )
        return 0
    assignments = release.release(asked.folder, asked.notebooks, asked.key)
    for each in assignments:
        print(f"{each.name}: {len(each.exercises)} exercises, {each.points} points")
    folder = Path(asked.folder)
    print(f"Hand out: {folder / 'release'}. Keep to yourself: {folder / release.KEY}. To grade: docs/class.md")
    return 0
