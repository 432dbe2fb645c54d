"""The course as a site: its parts here; the whole folder, in Chromium with the network off, where it was made.

`LABUTILS_SITE=build/site python -m pytest -m slow tests/test_site.py -k browser` walks through a site that lies there.
"""

import functools
import http.server
import os
import random
import subprocess
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import browser
import nbformat
import pytest

from labutils import offline, places
from labutils.lesson import site
from labutils.model import asking, encoding, models
from labutils.pairs import templates
from labutils.pairs.records import read_jsonl

AXE = site.Package(
    "axe-core",
    "4.14.1",
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ("axe.min.js",),
)
THEMES_OWN = {"label-content-name-mismatch"}  # the theme's search button, myst-nb's "Toggle hidden content"
QUESTIONS = [pair["question"] for pair in read_jsonl(places.DATA / "company" / "dev.jsonl")][:100]
ODD = [
    "", "   ", " a  b\n\n c\t\td  ", "👩‍👩‍👧 🎉x", "微调在哪里？ 权重　全角", "def f(x):\n    return x**2  # ü\r\n",
    "'s 'S don't we'LL I'd", "<|endoftext|><|im_start|>user\nhi<|im_end|> <|endoftext", "\x85\xa0\u2003 \ufeff x\u200b",
    "aaaaaaaaaaaaaaaa", "١٢٣ ½ Ⅷ 12345", "e\u0301 ñ \x1c\x1d a\x1f", "\u2028a\u2029 b", "a\ufeff b \u180e c", "x" * 999,
]  # fmt: skip


# The tokenizer in JavaScript.


def texts() -> list[str]:
    draw = random.Random(0)
    ranges = [(32, 127), (9, 14), (128, 0xD7FF), (0x10000, 0x1FFFF)]
    noise = ["".join(chr(draw.randrange(*draw.choice(ranges))) for _ in range(40)) for _ in range(100)]
    spaces = ["".join(draw.choice(" \n\t\u00a0ab'sé1.") for _ in range(30)) for _ in range(100)]
    return QUESTIONS + ODD + noise + spaces


def test_the_tokenizer_gives_the_same_ids_and_texts():
    browser.need()
    run = """async ([source, json, texts]) => {
        const { Tokenizer } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        const own = new Tokenizer(json);
        const every = texts.map((text) => own.encode(text));
        return every.map((ids) => [ids, own.decode(ids), own.decode(ids.slice(1))]);
    }"""
    sources = [site.SOURCES / "tokenizer.js", places.DATA / "base" / "model" / "tokenizer.json"]
    asked, tokenizer = texts(), encoding.bundled()
    with browser.page() as page:
        found = page.evaluate(run, [*(path.read_text(encoding="utf-8") for path in sources), asked])
    expected = [tokenizer.encode(text, add_special_tokens=False) for text in asked]
    assert found == [[ids, tokenizer.decode(ids), tokenizer.decode(ids[1:])] for ids in expected]


# The graph of a model.


@pytest.fixture(scope="module")
def bird_graph(bird_run):
    from labutils.model import exporting

    return exporting.graph_of(bird_run[0].model)


def session(path: Path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def reply(run, opened: models.Opened, question: str, limit: int = 60) -> asking.Reply:
    """What the page writes: greedy, a pass for the prompt and one for each token, with the cache."""
    from labutils.model import exporting

    past, end = exporting.blank_cache(opened.model).numpy(), opened.tokenizer.eos_token_id
    ids = encoding.prompt_ids(templates.prompt("lecture", question), opened.tokenizer)
    written = []
    while len(written) < limit and end not in written:
        logits, past = run.run(None, {"ids": [ids], "past": past})
        written += (ids := [int(logits.argmax())])
    text = opened.tokenizer.decode(written, skip_special_tokens=True)
    return asking.Reply(templates.before_next("lecture", text), end in written)


@pytest.mark.parametrize(("stored", "bytes_each"), [("fp32", 4), ("fp16", 2), ("int8", 1.125)])
def test_a_small_model_answers_as_in_pytorch(bird_run, bird_graph, birds, tmp_path, fp32, stored, bytes_each):
    from labutils.model import exporting

    opened, questions = bird_run[0], [pair["question"] for pair in birds]
    run = session(exporting.export(opened, tmp_path / "small.onnx", stored, bird_graph))
    assert [reply(run, opened, question) for question in questions] == asking.ask(opened, questions)
    content = (tmp_path / "small.onnx").read_bytes()
    assert len(content) < 160_000 + bytes_each * models.weights(opened.model)
    assert str(places.ROOT).encode() not in content


def test_a_way_of_storing_that_nobody_knows(bird_run, bird_graph, tmp_path):
    from labutils.model import exporting

    with pytest.raises(ValueError, match="one of fp32, fp16, int8, got 'int4'"):
        exporting.export(bird_run[0], tmp_path / "small.onnx", "int4", bird_graph)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("stage", site.STAGES)
def test_a_hundred_answers_in_the_shipped_storage(stage, tmp_path, fp32):
    from labutils.model import exporting

    opened = models.open_model(stage)
    graph = exporting.graph_of(opened.model)
    expected = asking.ask(opened, QUESTIONS)
    for stored, least in (("fp32", 100), (site.STAGES[stage], 95)):
        run = session(exporting.export(opened, tmp_path / "stage.onnx", stored, graph))
        same = sum(reply(run, opened, q) == right for q, right in zip(QUESTIONS, expected, strict=True))
        print(f"{stage}, {stored}: {same} of 100 answers as in PyTorch")
        assert same >= least


# The pages.


class Links(HTMLParser):
    """The addresses and the names in a page, and what it loads by itself."""

    def __init__(self, path: Path):
        super().__init__()
        self.names, self.links, self.loads = set(), set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        has = dict(attrs)
        self.names |= {has[key] for key in ("id", "name") if has.get(key)}
        if tag == "a" and has.get("href"):
            self.links.add(has["href"])
        loads = (
            has.get("href") if tag == "link" and has.get("rel") in ("stylesheet", "preload", "icon") else has.get("src")
        )
        self.loads |= {loads} - {None}


def problems(folder: Path) -> list[str]:
    """Links inside a folder that lead nowhere, and what its pages would load from elsewhere."""
    pages = {path: Links(path) for path in folder.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for address in page.links | page.loads:
            if address.startswith(("http:", "https:", "//", "mailto:", "data:")):
                found += [f"{path.name} loads {address}"] * (address in page.loads and not address.startswith("data:"))
                continue
            target = urlsplit(urljoin(path.as_uri(), address))
            file = Path(unquote(target.path))
            if not file.exists():
                found.append(f"{path.name}: no {address}")
            elif target.fragment and file in pages and unquote(target.fragment) not in pages[file].names:
                found.append(f"{path.name}: no such place {address}")
    return found


@pytest.fixture
def small(tmp_path, make_notebook):
    """A course of two pages, and a function that makes its site: the folder, and what Sphinx warned of."""
    root, static = tmp_path / "course", tmp_path / "static"
    (root / "notebooks").mkdir(parents=True)
    static.mkdir()
    (root / "README.md").write_text("# Birds\n\n[first](notebooks/00_birds.ipynb)\n", encoding="utf-8")
    cell = nbformat.v4.new_code_cell("1 + 1", metadata={"jupyter": {"outputs_hidden": True}})
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/html": "<b>a folded answer</b>"})]
    cells = [nbformat.v4.new_markdown_cell("# A plover\n\n[back](../README.md) $p$"), cell]
    language = {"language_info": {"name": "python"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=language)
    nbformat.write(notebook, root / "notebooks" / "00_birds.ipynb")
    for name in ("course.css", "tex-svg.js"):
        (static / name).write_text("")

    def make(repository: str = "") -> tuple[Path, str]:
        return tmp_path / "site", site.pages(tmp_path / "site", static, tmp_path / "work", repository, root)

    return root, make


def test_a_small_course_as_pages(small):
    root, make = small
    made, warned = make("https://example.org/<course>.git")
    assert (warned, problems(made)) == ("", [])
    notebook = (made / "notebooks" / "00_birds.html").read_text(encoding="utf-8")
    assert "Show code cell output" in notebook and "a folded answer" in notebook
    assert "git clone https://example.org/&lt;course&gt;.git" in notebook and "labutils open" in notebook
    assert (made / "_sources" / "notebooks" / "00_birds.ipynb").read_bytes() == (
        root / "notebooks" / "00_birds.ipynb"
    ).read_bytes()
    assert "The notebooks" in (made / "index.html").read_text(encoding="utf-8")


def test_a_link_that_leads_nowhere_is_seen(small):
    root, make = small
    (root / "README.md").write_text(
        "# Birds\n\n[gone](gone.md) <img src='https://example.org/a.png'>", encoding="utf-8"
    )
    made, warned = make()
    (made / "other.html").write_text('<a href="index.html#no">x</a><a href="no.html">x</a>', encoding="utf-8")
    assert "gone.md" in warned
    assert {"other.html: no such place index.html#no", "other.html: no no.html"} <= set(problems(made))
    assert "index.html loads https://example.org/a.png" in problems(made)


@pytest.mark.parametrize("content", ["{", "[]", '{"cells": [{}]}', '{"cells": [], "nbformat": 99}'])
def test_what_is_no_notebook_is_said_in_one_line(small, content):
    root, make = small
    (root / "notebooks" / "01_broken.ipynb").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^the pages could not be written: [^\n]+$"):
        make()


def test_only_the_courses_own_documents_are_read(small):
    from sphinx.util.matching import get_matching_files

    root, _ = small
    for name in ("notes.md", "docs/notes.md", "notebooks/Untitled.ipynb", "notebooks/00_birds-Copy1.ipynb"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("mine")
    read = functools.partial(get_matching_files, include_patterns=site.READ, exclude_patterns=site.PASSED)
    assert set(read(root)) == {"README.md", "notebooks/00_birds.ipynb"}
    listed = subprocess.run(["git", "ls-files", "*.md", "*.ipynb"], cwd=places.ROOT, capture_output=True, text=True)
    tracked = {name for name in listed.stdout.split() if not name.startswith((".github/", "tests/"))}
    assert tracked - set(read(places.ROOT)) == {"data/company/v2/handbook.md"}  # linked from its README


def test_a_module_becomes_a_classic_script():
    code = site.classic("worker.js") + site.classic("tokenizer.js") + site.classic("page.js")
    assert not [line for line in code.splitlines() if line.startswith(("import", "export"))]
    assert "class Tokenizer" in code and "</script" not in code


def test_the_one_file_has_no_script_of_the_page_beside_its_own(tmp_path):
    names = ["ort.wasm.min.js", "ort-wasm-simd-threaded.js", "ort-wasm-simd-threaded.wasm", "tokenizer.json"]
    for name in [*names, *(f"{stage}.onnx" for stage in site.STAGES)]:
        (tmp_path / name).write_text("")
    body, _, files = site.one_file(tmp_path).partition("</main>")
    assert "Are these the same models?" in body and "<script" not in body and "instead" not in body
    assert files.count("<script>") == 1 and 'type="module"' not in files


WORK = """([ort, code, vocabulary]) => new Promise((go) => {
    const worker = new Worker(URL.createObjectURL(new Blob([ort, code])));
    const found = {};
    worker.onmessage = ({ data }) => {
        found[data.id] = data;
        if (data.id === 5 && !("part" in data)) go([found[4].done, found[5].done]);
    };
    const send = (id, act, more) => worker.postMessage({ id, act, stage: "base", text: "a b", ...more });
    send(1, "begin", { vocabulary });
    send(2, "open");
    send(3, "next", { k: 1 });
    send(4, "write", { limit: 3 });
    worker.postMessage({ act: "stop" });
    send(5, "write", { limit: 3 });
})"""
SLOW_MODEL = """const ort = { env: { wasm: {} }, Tensor: class {}, InferenceSession: { create: async () => ({
    run: () => new Promise((go) => setTimeout(() => go({ logits: { data: new Float32Array(9).fill(1, 7, 8) } }), 50)),
}) } };"""


def test_a_stop_also_stops_what_waits_but_nothing_asked_later():
    browser.need()
    code = site.classic("tokenizer.js") + site.classic("worker.js")
    vocabulary = (places.DATA / "base" / "model" / "tokenizer.json").read_text(encoding="utf-8")
    with browser.page() as page:
        waited, later = page.evaluate(WORK, [SLOW_MODEL, code, vocabulary])
    assert (waited["ids"], waited["stopped"]) == ([], True)
    assert (later["ids"], later["stopped"]) == ([7, 7, 7], False)


def test_an_archive_is_known_by_its_checksum(monkeypatch, tmp_path):
    monkeypatch.setenv("LABUTILS_HOME", str(tmp_path))
    (tmp_path / "npm").mkdir()
    archive = tmp_path / "npm" / "mathjax-3.2.2.tgz"
    archive.write_bytes(b"another one")
    with pytest.raises(ValueError, match=r"mathjax-3.2.2.tgz is not the archive"):
        site.fetched(site.MATHS)
    assert not archive.exists()
    monkeypatch.setattr(site.shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match=r"no npm .* install Node.js"):
        site.fetched(site.MATHS)


@pytest.fixture
def made(tmp_path) -> Path:
    """What is known for a site that the command made."""
    for name in site.MARKS:
        (tmp_path / "made" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "made" / name).write_text("old")
    return tmp_path / "made"


@pytest.mark.parametrize("other", [*site.OTHERS, *(f"no {mark}" for mark in site.MARKS), "a link", "a file"])
def test_other_things_in_the_folder_stay(made, capsys, other):
    out = made
    if other in site.OTHERS:
        (made / other).write_text("mine")
    elif other.startswith("no "):
        (made / other.removeprefix("no ")).unlink()
    elif other == "a link":
        out = made.with_name("link")
        out.symlink_to(made)
    else:
        out = made / site.ONE_FILE
    before = sorted(made.rglob("*"))
    assert site.main([f"--out={out}"]) == 2
    assert "holds other things than a site" in capsys.readouterr().err
    assert sorted(made.rglob("*")) == before


@pytest.mark.parametrize("fails", [False, True])
def test_an_older_site_goes_when_the_new_one_is_whole(made, monkeypatch, capsys, fails):
    def pages(out, *rest):
        if fails:
            raise ValueError("the pages could not be written")
        return ""

    monkeypatch.setattr(site, "fetched", lambda package: {})
    monkeypatch.setattr(site, "export_models", lambda folder: None)
    monkeypatch.setattr(site, "one_file", lambda folder: "new")
    monkeypatch.setattr(site, "pages", pages)
    assert site.main([f"--out={made}"]) == (2 if fails else 0)
    assert (made / site.ONE_FILE).read_text() == ("old" if fails else "new")
    assert (made / "searchindex.js").exists() == fails and list(made.parent.iterdir()) == [made]


# The whole, where it was made.


@pytest.mark.slow
@pytest.mark.index
def test_the_site_is_made_and_walked_through_without_a_network(tmp_path):
    folder = tmp_path / "site"
    assert site.main([f"--out={folder}"]) == 0
    site.fetched(AXE)
    walk = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-s",
        "-p",
        "no:cacheprovider",
        "-m",
        "slow",
        "-k",
        "browser",
        __file__,
    ]
    done = subprocess.run(offline.command(walk), cwd=places.ROOT, env={**os.environ, "LABUTILS_SITE": str(folder)})
    assert done.returncode == 0


@pytest.fixture(scope="module")
def folder() -> Path:
    browser.need()
    if not os.environ.get("LABUTILS_SITE"):
        pytest.skip("no site named in LABUTILS_SITE; the test that makes one names it")
    return Path(os.environ["LABUTILS_SITE"]).absolute()


@pytest.fixture(scope="module")
def served(folder):
    """The site's address on loopback; pages that were not there."""

    class Server(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    handler = functools.partial(Server, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(params=["server", "file"])
def lab(request, folder, served):
    """The page of the models from the server and from the one file, and what it asked for from elsewhere."""
    with browser.page(1200, 900) as page:
        page.set_default_timeout(120_000)
        asked = []
        page.on("request", lambda sent: asked.append(sent.url))
        page.goto(f"{served}docs/site/model.html" if request.param == "server" else (folder / site.ONE_FILE).as_uri())
        yield page
        assert [url for url in asked if not url.startswith((served, "file:", "blob:", "data:"))] == []


def answers(page) -> list[str]:
    page.wait_for_function("!document.querySelector('#ask-button').disabled")
    return [row.strip() for row in page.locator(".lab-answers tbody tr td:nth-child(2)").all_inner_texts()]


@pytest.mark.slow
def test_links_and_loads_browser(folder):
    assert problems(folder) == []


@pytest.mark.slow
def test_three_stages_by_keyboard_in_the_browser(lab, fp32):
    lab.locator("#question").focus()
    lab.keyboard.press("ControlOrMeta+a")
    lab.keyboard.type("What colour is the case of a Plover?")
    lab.evaluate("window.began = performance.now()")
    lab.keyboard.press("Enter")
    lab.wait_for_function("document.querySelector('tr[data-stage=random] td').textContent.length > 2")
    print(f"\n{lab.evaluate('performance.now() - window.began') / 1000:.1f} s to the first token of a cold start")
    shown = answers(lab)
    print(lab.locator(".lab-answers").inner_text())
    for stage, text in zip(site.STAGES, shown, strict=True):
        right = asking.ask(models.open_model(stage), ["What colour is the case of a Plover?"])[0]
        assert text.startswith(right.text) and ("cut after" in text) != right.stopped
    assert "…" not in shown[2]


@pytest.mark.slow
def test_a_stop_and_the_next_token_in_the_browser(lab, fp32):
    lab.locator("#ask-button").click()
    lab.wait_for_function("document.querySelector('tr[data-stage=random] td').textContent.length > 2")
    lab.locator("#stop-button").click()
    assert "(stopped)" in answers(lab)[0] and answers(lab)[2] == ""
    lab.locator("input[value=base]").focus()
    lab.keyboard.press("ArrowRight")  # the stage is a switch: finetuned
    lab.locator("#phrase").press_sequentially("The Plover weighs 640", delay=20)
    right = asking.next_token(models.open_model("finetuned"), "The Plover weighs 640", 1).likeliest[0]
    lab.locator("#bars th", has_text=right.token.strip()).first.wait_for()
    assert lab.locator("#bars tr").count() == 8
    share = float(lab.locator("#bars tr td:last-child").first.inner_text().removesuffix("%"))
    assert abs(share - 100 * right.probability) < 2
    lab.locator("#write-button").click()
    assert lab.locator("#phrase").input_value() == f"The Plover weighs 640{right.token}"


@pytest.mark.slow
def test_a_pair_as_tokens_in_the_browser(lab):
    hostile, tokenizer = "<img src=x onerror=alert(1)>\u202e", encoding.bundled()
    example = encoding.encode(templates.prompt("lecture", "How heavy?"), hostile, tokenizer)
    lab.fill("#pair-question", "How heavy?")
    lab.fill("#pair-answer", hostile)
    lab.locator("#trained", has_text=f"of {len(example['input_ids'])} tokens").wait_for()
    titles = lab.locator("#tokens span").evaluate_all("spans => spans.map((span) => span.title)")
    labels = [f"id {i}, label {label}" for i, label in zip(example["input_ids"], example["labels"], strict=True)]
    assert [title.partition(" (")[0] for title in titles] == labels
    assert lab.locator("#tokens img").count() == 0


@pytest.mark.slow
def test_a_hundred_questions_in_the_browser(served, fp32):
    run = """async (questions) => {
        const { ready, request } = await import(new URL("../../models/page.js", location.href).href);
        await ready("finetuned");
        const out = [], text = (question) => `### Question:\\n${question}\\n\\n### Answer:\\n`;
        for (const q of questions) {
            const tokens = await request("tokens", { text: text(q) });
            const done = await request("write", { stage: "finetuned", text: text(q), limit: 60 });
            out.push([tokens.map((token) => token.id), done.text.trim(), done.ended, done.ids.length / done.seconds]);
        }
        return out;
    }"""
    with browser.page() as page:
        page.goto(f"{served}docs/site/model.html")
        found = page.evaluate(run, QUESTIONS)
    opened = models.open_model("finetuned")
    ids = [encoding.prompt_ids(templates.prompt("lecture", question), opened.tokenizer) for question in QUESTIONS]
    assert [row[0] for row in found] == ids
    expected = asking.ask(opened, QUESTIONS)
    same = sum((text, ended) == right for (_, text, ended, _), right in zip(found, expected, strict=True))
    print(f"\n{same} of 100 answers as in PyTorch; {sorted(row[3] for row in found)[50]:.0f} tokens a second")
    assert same >= 95


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_at_both_widths_in_the_browser(folder, served, theme):
    (axe,) = site.fetched(AXE).values()
    check = "axe.run().then((all) => all.violations.map((one) => [one.impact, one.id, one.nodes[0].html]))"
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.html"))]
    asked, wrong = [], []
    with browser.page(1280, 900) as page:
        page.emulate_media(color_scheme=theme)
        page.on("request", lambda sent: asked.append(sent.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        for name in names:
            page.goto(served + name)
            page.evaluate(axe.decode())
            faults = [fault for fault in page.evaluate(check) if fault[0] in ("serious", "critical")]
            wrong += [(name, *fault) for fault in faults if fault[1] not in THEMES_OWN]
            page.set_viewport_size({"width": 390, "height": 800})
            wrong += [f"{name} is too wide"] * (page.evaluate("document.documentElement.scrollWidth") > 390)
            page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{served}search.html?q=unlabelled")
        page.locator("#search-results a", has_text="Glossary").first.wait_for(timeout=60_000)
        page.goto(f"{served}docs/glossary.html")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert wrong == [] and {urljoin(url, "/") for url in asked} == {served}
    assert (sum(map(int, dark[4:-1].split(","))) < 200) == (theme == "dark")


@pytest.mark.slow
def test_a_browser_that_cannot_says_so_browser(served):
    with browser.page() as page:
        page.add_init_script("delete globalThis.WebAssembly")
        page.goto(f"{served}docs/site/model.html")
        page.get_by_text("This browser cannot run the models: it has no WebAssembly.").wait_for()
        assert page.locator("#ask-button").is_disabled()
