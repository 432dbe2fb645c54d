"""Predictions: asked for before a result, kept in the learner's own folder, shown again beside the result.

`predict` asks, `reveal` answers, `progress` counts; `share` and `merge` are for a class. Nothing leaves the machine but
by `share`. How a prediction is kept is for `keeping`.
"""

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date
from numbers import Integral, Real
from pathlib import Path

import ipywidgets
from IPython.display import display

from labutils import places
from labutils.lesson import show
from labutils.lesson.keeping import Keeping
from labutils.lesson.widgets import parts

ASKS = re.compile(r'\bpredict\((?:\\n",\s*" *)?\\"(\d\d [^"\\]+)\\"')  # in a notebook's file, where quotes are escaped
KEY = re.compile(r"\d\d \S.*")
FOLDED = "Result:"  # the first line, which JupyterLab shows of a folded output
LIMIT = 200  # characters of a prediction
MOST_BYTES = 200_000  # of a learner's file
MOST_ANSWERS = 7  # that a class sees by themselves; the others are counted together
OTHERS = "other answers"
ALIKE = re.compile(r"(?<=\d)[ ,](?=\d{3}(?!\d))|\s+(?=%)")  # 3,000 and 3 000 and 3000; 40 % and 40%
BOX = f"{show.BOX}margin-right:8px"


def predict(key: str, options: Sequence[object] | None = None) -> ipywidgets.Widget:
    """Ask for a prediction: a button for each of the options, or a field to type in.

    `key` names it, its notebook first ("01 documents"). Raises ValueError for a key of another form.
    """
    if not KEY.fullmatch(key):
        raise ValueError(f"expected a key like '01 documents', got {key!r}")
    return _Asked(key, None if options is None else [_words(option) for option in options])


def reveal(key: str, found: object, *more: object) -> "_Revealed":
    """The result beside the prediction: "You predicted 300; the result is 37,093."; then `more`: tables, figures."""
    return _Revealed(_said().get(key), _words(found), more)


def progress() -> list[dict[str, str]]:
    """How many predictions this learner made, a row a notebook: {"notebook": "01_small", "predictions": "2 of 7"}.

    How many there are is read from the notebooks' files.
    """
    said, rows = _said(), []
    for path in sorted(places.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")):
        keys = set(ASKS.findall(path.read_text(encoding="utf-8")))
        rows.append({"notebook": path.stem, "predictions": f"{len(keys & said.keys())} of {len(keys)}"})
    return rows


def share(folder: str | Path, name: str) -> Path:
    """Put this learner's predictions, as NAME.json, into a folder such as a stick, in place of earlier ones of theirs.

    Raises ValueError for none, and where something else has that name.
    """
    if not (kept := FILE.read()):
        raise ValueError("no prediction is kept on this machine: make one in a notebook first")
    path, text = Path(folder, f"{name}.json"), json.dumps(kept, indent=1)
    if problem := _not_own(path):
        raise ValueError(f"{path} {problem}: give another name")
    SHARED.change(hashlib.sha256(text.encode()).hexdigest(), lambda _: date.today().isoformat())
    places.write(path, text)
    return path


def _not_own(path: Path) -> str:
    """What a file is that this learner has not shared; empty for one that they have, and where there is none."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        return "is a link or no file"
    if not path.exists() or hashlib.sha256(data := path.read_bytes()).hexdigest() in SHARED.read():
        return ""
    try:
        _file(data)
    except ValueError:
        return "holds something other than predictions"
    return "holds predictions that were not shared from here, of somebody else"


def merge(folder: str | Path) -> tuple[dict[str, list[str]], list[str]]:
    """What the files in a folder predict, by key; and a line for each file that was refused."""
    files, refused = places.gather(folder, ".json", MOST_BYTES, _file)
    keys = sorted({key for kept in files.values() for key in kept})
    return {key: [kept[key] for kept in files.values() if key in kept] for key in keys}, refused


def counted(said: Sequence[str]) -> list[tuple[str, int]]:
    """How many predicted what, the most frequent first: ["3,000", "3000", "7"] -> [("3,000", 2), ("7", 1)]."""
    alike = [ALIKE.sub("", " ".join(each.split()).casefold()) for each in said]
    first = dict(zip(reversed(alike), reversed(said), strict=True))
    most = Counter(alike).most_common()
    rest = sum(count for _, count in most[MOST_ANSWERS:])
    return [(first[each], count) for each, count in most[:MOST_ANSWERS]] + [(OTHERS, rest)] * (rest > 0)


def _file(data: bytes) -> dict[str, str]:
    """The predictions in a file that somebody else wrote. Raises ValueError for any other file."""
    found = {key: _check(kept) for key, kept in FILE.parse(data).items()}
    for key, said in found.items():
        if not KEY.fullmatch(key) or len(key) > LIMIT or len(said) > LIMIT:
            raise ValueError(f"no prediction: {key[:40]!r}")
    if not found:
        raise ValueError("no prediction in it")
    return found


class _Asked(parts.Box):
    """The question's buttons or field; in a stored notebook, its options as text."""

    def __init__(self, key: str, options: Sequence[str] | None):
        self.key, self.options, said = key, options, _said().get(key)
        self.note = parts.View()
        if options is None:
            control = ipywidgets.Text(
                said or "", placeholder="your prediction, then Enter", continuous_update=False,
                layout=ipywidgets.Layout(width="24em"),
            )  # fmt: skip
            control.observe(lambda change: self.keep(change["new"].strip()), names="value")
        else:
            control = parts.row(*map(self._button, options))
        self.controls = [control] if options is None else control.children
        super().__init__("prediction", [control, self.note])
        self.mark(said)

    def keep(self, said: str) -> None:
        """A click, or what was typed: kept, and said to be kept."""
        if said:
            self.mark(said, _keep(self.key, said[:LIMIT]))

    def mark(self, said: str | None, problem: str = "") -> None:
        """Show which prediction is kept."""
        for button in self.controls if self.options is not None else ():
            button.icon = "check" if button.description == said else ""
        kept = f"kept: {said}{problem and f' ({problem})'}; you can still change it"
        self.note.show(show.plain(kept if said else "click one" if self.options else "type it, then press Enter"))

    def _button(self, option: str) -> ipywidgets.Button:
        button = ipywidgets.Button(description=option, layout=ipywidgets.Layout(width="auto"))
        button.on_click(lambda _: self.keep(option))
        return button

    def __repr__(self) -> str:
        return f"your prediction: {' / '.join(self.options) if self.options else '...'}"

    def _repr_mimebundle_(self, **kwargs) -> dict:
        boxes = "".join(f'<span style="{BOX}">{show.plain(option)}</span>' for option in self.options or ("…",))
        still = f'<div style="line-height:2.6">your prediction: {boxes} (run this cell to make it)</div>'
        return super()._repr_mimebundle_(**kwargs) | {"text/html": still}


class _Revealed:
    """A result beside its prediction."""

    def __init__(self, said: str | None, found: str, more: Sequence[object]):
        self.said, self.found, self.more = said, found, more

    def __repr__(self) -> str:
        return self._told(str) if self.said is not None else f"{FOLDED} {self.found}"

    def _repr_html_(self) -> str:
        return f"{FOLDED}\n<div>{self._told(lambda words: f'<b>{show.plain(words)}</b>')}</div>"

    def _told(self, shown: Callable[[str], str]) -> str:
        """What is said, with the words that came from elsewhere made fit to be shown."""
        if self.said is None:
            return shown(self.found)
        if self.said.lower() == self.found.lower():
            return f"You predicted {shown(self.said)}, and that is the result."
        return f"You predicted {shown(self.said)}; the result is {shown(self.found)}."

    def _ipython_display_(self) -> None:
        display({"text/plain": repr(self), "text/html": self._repr_html_()}, raw=True)
        for each in self.more:
            display(_closed(each))


def _closed(shown: object) -> object:
    """A figure, which pyplot then does not show a second time; anything else as it is."""
    if not type(shown).__module__.startswith("matplotlib.") or not hasattr(shown, "figure"):
        return shown
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(shown.figure)
    return shown.figure


def _words(value: object) -> str:
    """A number as it is read, anything else as its text. 37093 -> "37,093"; 0.123456 -> "0.123"; 12.345 -> "12.3"."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    if isinstance(value, Integral) or abs(value) >= 999.5:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _check(kept: dict) -> str:
    """What the file holds of one prediction. Raises AttributeError or TypeError for anything else."""
    if not isinstance(kept.get("said"), str):
        raise TypeError(f"said: {kept.get('said')!r:.40}")
    return kept["said"]


FILE = Keeping("predictions", _check)
SHARED = Keeping("shared", date.fromisoformat)  # the day of each file that was shared, by its SHA-256


def _said() -> dict[str, str]:
    return {key: kept["said"] for key, kept in FILE.read().items()}


def _keep(key: str, said: str) -> str:
    """Why it could not be saved; empty where it was."""
    problem = FILE.change(key, lambda _: {"said": said, "day": date.today().isoformat()})[1]
    return problem and f"could not be saved: {problem}"
