"""What the docs say is so: messages are printed, links lead somewhere, names exist, numbers and pictures are true."""

import ast
import json
import re
from io import BytesIO
from pathlib import Path

import browser
import nbformat
import pictures
import pytest
from PIL import Image
from tokenizers import Tokenizer

from labutils import places
from labutils.__main__ import COMMANDS

README, CHINESE, CONTRIBUTING = (places.ROOT / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md"))
TROUBLE, TRANSCRIPT = (places.ROOT / "docs" / name for name in ("troubleshooting.md", "transcript.zh-CN.md"))
PAGES = (README, CHINESE, CONTRIBUTING, *sorted((places.ROOT / "docs").glob("*.md")))
SOURCES = sorted((places.ROOT / "labutils").rglob("*.py"))


def words(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def fences(text: str, kind: str) -> list[str]:
    """The insides of the fenced blocks of a kind ("" for those without one)."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def rows(text: str, columns: int) -> list[list[str]]:
    """The cells of every table row with so many columns; rulers left out, headers not."""
    found = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in re.findall(r"^\|.*\|$", text, re.M)]
    return [row for row in found if len(row) == columns and not set("".join(row)) <= set("-:| ")]


# Messages


def printed(sources: list[str]) -> set[str]:
    """Every line of text in some modules, docstrings left out; what is filled in when it runs is "…"."""
    found = set()
    for source in sources:
        tree = ast.parse(source)
        bodies = [node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list)]
        docstrings = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
                found |= set("".join(parts).splitlines())
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                found |= set(node.value.splitlines())
    return {re.sub("…+", "…", line) for line in found}


def unknown(messages: str, lines: set[str]) -> list[str]:
    """The lines of a block of messages that stand in no printed line."""
    wanted = [line.strip("… ") for line in messages.splitlines()]
    return [message for message in wanted if not any(message in line for line in lines)]


def test_every_quoted_message_is_printed():
    lines, quoted = printed(list(map(words, SOURCES))), fences(words(TROUBLE), "message")
    assert len(quoted) > 15
    assert [message for block in quoted for message in unknown(block, lines)] == []


def test_a_message_that_is_not_printed_is_seen():
    told = 'raise ValueError(f"{name}: {1} of "\n        f"{name} is here")'
    lines = printed([f'def f(name):\n    """Says that it is gone."""\n    {told}\n'])
    assert unknown("…: … of … is here\n… is here", lines) == []
    assert unknown("it is gone\n…: two of … is here", lines) == ["it is gone", ": two of … is here"]


# Links and names


def slug(heading: str) -> str:
    """The anchor that a page gives to a heading. slug("`.venv` is gone") -> "venv-is-gone"."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def broken_links(path: Path) -> list[str]:
    """Links of a page to files or headings that are not there, and pictures without a word about them."""
    text, problems = re.sub(r"^```.*?^```$", "", words(path), flags=re.M | re.S), []
    for picture, label, target in re.findall(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", text):
        problems += [f"no words for {target}"] if picture and not label else []
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        page = path.parent / file if file else path
        if not page.exists():
            problems.append(f"not there: {target}")
        elif anchor and anchor not in map(slug, re.findall(r"^#+ (.+)$", words(page), re.M)):
            problems.append(f"no such heading: {target}")
    return problems


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere_and_every_command_is_there(path):
    assert broken_links(path) == []
    assert set(re.findall(r"-m labutils ([a-z]+)", words(path))) <= set(COMMANDS)


def test_a_link_that_leads_nowhere_is_seen(tmp_path):
    page, links = tmp_path / "page.md", "[x](#a-b-c) [x](#d) [x](page.md#a-b-c) [x](gone.md) ![](page.md)"
    page.write_text(f"# A `b`, c\n{links} [x](https://example.org)")
    assert broken_links(page) == ["no such heading: #d", "not there: gone.md", "no words for page.md"]


def missing_names(text: str) -> list[str]:
    """Files, and functions as `module.name`, that a page names in backticks and that are not in this house."""
    folders = [places.ROOT / top for top in ("labutils", "tests", "data", "docs")]
    known = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    named, problems = re.findall(r"`([\w./]+)(?:\([^`]*)?`", text), []
    for name in named:
        module, _, inside = name.rpartition(".")
        if re.fullmatch(r"[\w/]+\.(py|md|jsonl)", name):
            there = (places.ROOT / name).exists() or any(path.as_posix().endswith(f"/{name}") for path in known)
            problems += [] if there else [name]
        elif files := [path for path in known if module and path.name == f"{module}.py"]:
            own = rf"^(def {inside}\(|class {inside}\b|{inside}\b.* = )"
            problems += [] if any(re.search(own, words(path), re.M) for path in files) else [name]
    return problems


def test_contributing_names_what_is_there():
    assert missing_names(words(CONTRIBUTING)) == []
    text = "`show.table` and `show.nothing` and `gone.py` in `tests/browser.py`, `parts.Box(name)`"
    assert missing_names(text) == ["show.nothing", "gone.py"]


# A class

CELLS = {  # what must stand in the code cells that docs/class.md names
    ("00", 4): "ask(",
    ("00", 13): "training.finetune(",
    ("02", 16): "training.pretrain(",
    ("03", 19): 'predict("03 trained share"',
    ("03", 20): 'reveal("03 trained share"',
    ("03", 21): "widgets.playground(",
    ("04", 19): "widgets.dashboard(",
    ("05", 41): "CLASS = ",
    ("07", 17): "training.finetune(",
}


def test_a_class_is_sent_to_the_right_cells_and_told_what_fits_into_memory():
    for (number, cell), code in CELLS.items():
        (path,) = places.NOTEBOOKS.glob(f"{number}_*.ipynb")
        sources = [each.source for each in nbformat.read(path, as_version=4).cells if each.cell_type == "code"]
        assert code in sources[cell - 1], (number, cell)
    page = words(places.ROOT / "docs" / "class.md")
    peaks = {name: int(peak.replace(",", "")) for name, peak in rows(page, 2) if re.match(r"\d\d_", name)}
    fit = {name[:2]: 22_000 // peak for name, peak in peaks.items() if "smollm2" not in name}
    assert f"{min(fit.values())} learners" in page and f"{fit['01']} in notebook 01 or {fit['03']} in 03" in page
    most = max(peak for name, peak in peaks.items() if "smollm2" not in name)
    assert f"a notebook needs up to {most / 1000:.1f} GB without `smollm2`" in words(TROUBLE)


# Chinese


def commands(text: str) -> set[str]:
    return {line for block in fences(text, "") for line in block.splitlines()}


def minutes(text: str) -> dict[str, str]:
    """The notebooks of a map, and their minutes."""
    found = [(re.search(r"\d\d_\w+", row[0]), row[2]) for row in rows(text, 3)]
    return {name[0]: time for name, time in found if name}


def test_the_chinese_page_says_what_the_leading_one_says():
    leading, chinese = words(README), words(CHINESE)
    assert commands(chinese) and commands(chinese) <= commands(leading)
    assert minutes(leading) and minutes(leading).items() <= minutes(chinese).items()
    asked = [{row[0] for row in rows(text, 2) if row[0].startswith("`")} for text in (chinese, leading)]
    assert asked[0] and asked[0] <= asked[1]


def test_the_transcript_explains_each_phrase_once_and_sends_to_a_notebook():
    table = [row for row in rows(words(TRANSCRIPT), 4) if row[-1].startswith("`")]
    assert len(table) >= 30 and "推测" not in words(TRANSCRIPT)
    assert len({row[1] for row in table}) == len(table)
    assert {row[-1].strip("`") for row in table} <= {path.name[:2] for path in places.NOTEBOOKS.glob("*.ipynb")}


@pytest.fixture(scope="module")
def sizes():
    """The function that the page on the transcript shows, as a reader would run it."""
    (shown,), names = fences(words(TRANSCRIPT), "python"), {}
    exec(shown, names)
    return names["sizes"]


def test_chinese_in_tokens_as_the_page_says(sizes):
    table = [row for row in rows(words(TRANSCRIPT), 5) if row[1].isdigit()]
    assert len(table) >= 6
    for text, *numbers in table:
        characters, size, tokens, whole = sizes(text.strip("`"))
        assert whole and [str(characters), str(size), str(tokens), f"{tokens / characters:.2f}"] == numbers
    assert {sizes(sign)[1:] for sign in [*map(chr, range(0x4E00, 0xA000, 9)), *"，。？「」"]} == {(3, 3, True)}


def test_what_else_the_page_says_of_the_tokenizer():
    page = words(TRANSCRIPT)
    tokenizer = Tokenizer.from_file(str(places.DATA / "base" / "model" / "tokenizer.json"))
    entries = [tokenizer.decode([id]) for id in range(tokenizer.get_vocab_size())]
    assert f"{len(entries):,} 个条目" in page and not any(re.search(r"[\u3000-\u9fff]", entry) for entry in entries)
    assert {tokenizer.decode([id]) for id in tokenizer.encode("权").ids} == {"\ufffd"}
    context = json.loads(words(places.DATA / "base" / "model" / "config.json"))["max_position_embeddings"]
    assert f"{context} 个词元，只合 {context // 3} 个汉字" in page
    pairs = [json.loads(line) for line in words(places.DATA / "company" / "train.jsonl").splitlines()]
    texts = [pair[side] for pair in pairs for side in ("question", "answer")]
    letters = sum(map(len, texts)) / sum(len(encoded.ids) for encoded in tokenizer.encode_batch(texts))
    assert f"合 {letters:.1f} 个字母，{context} 个词元约合 {round(context * letters, -2):,.0f} 个字母" in page


# Pictures


def test_pictures_are_of_today_and_there_is_no_other():
    for picture in pictures.PICTURES:
        path, cell = pictures.OUT / f"{picture.name}.png", pictures.cell_of(picture)
        assert path.is_file() and path.stat().st_size <= pictures.LARGEST
        assert pictures.remembered(path) == pictures.digest(cell), "run: python tests/pictures.py"
        assert len(picture.alt) > 40
    assert {path.stem for path in pictures.OUT.iterdir()} == {picture.name for picture in pictures.PICTURES}


@pytest.fixture
def shown(tmp_path):
    """A notebook with one cell that has an output, one that has none, and a picture of the first."""
    cells = [nbformat.v4.new_code_cell(f"x = {n}\nlook({n})") for n in range(2)]
    cells[0].outputs = [nbformat.v4.new_output("display_data", {"text/html": "<b>here it is</b>"})]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "05_small.ipynb")
    return pictures.Picture("small", "05_small", "look(0)", "A small picture.")


def test_a_picture_finds_its_cell_or_says_so_and_another_output_is_another_picture(shown, tmp_path):
    cell = pictures.cell_of(shown, tmp_path)
    assert cell.source == "x = 0\nlook(0)"
    for line in ("look(1)", "look(2)", ")"):
        with pytest.raises(ValueError, match=r"change its line in tests/pictures.py"):
            pictures.cell_of(shown._replace(line=line), tmp_path)
    before, cell.execution_count, cell.metadata.tags = pictures.digest(cell), 7, ["x"]
    assert pictures.digest(cell) == before
    cell.outputs[0].data["text/html"] = "<b>here it was</b>"
    assert pictures.digest(cell) != before


def test_a_picture_is_drawn(shown, tmp_path):
    if browser.chromium() is None:
        pytest.skip("no Chromium or Chrome, so no picture was drawn")
    (path,) = pictures.draw([shown], tmp_path / "out", tmp_path)
    assert pictures.remembered(path) == pictures.digest(pictures.cell_of(shown, tmp_path))
    assert 1_000 < path.stat().st_size < pictures.LARGEST


def test_a_picture_that_is_too_large_is_refused(tmp_path):
    png = BytesIO()
    Image.effect_noise((600, 600), 200).save(png, "PNG")
    with pytest.raises(ValueError, match="choose a shorter cell"):
        pictures.keep(png.getvalue(), "x", tmp_path / "noise.png")
    assert list(tmp_path.glob("*.png")) == []
