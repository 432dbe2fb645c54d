"""The course as a folder for any web server, with three models that answer in the page: the command `site`.

Owns the folder: what is fetched for it, its pages (Sphinx with myst-nb), the models, and the one file that opens
without a server. Leaves out the graphs of the models (`model.exporting`) and what the page does (`docs/site`). Needs
the extra `site`, and `npm` the first time.
"""

import argparse
import base64
import hashlib
import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from labutils import places
from labutils.installing import last_lines, say

OUT = places.ROOT / "build" / "site"
SOURCES = places.ROOT / "docs" / "site"
ONE_FILE = "models_in_one_file.html"
MARKS = (ONE_FILE, "models/page.js", "searchindex.js")  # how a folder is known that this command made
OTHERS = (".git", "CNAME")  # what it never makes: a folder with one of them is published from, and stays
STAGES = {"random": "fp16", "base": "fp16", "finetuned": "int8"}  # the smallest storage with the same answers

# What is fetched once from the npm registry: scripts that browsers run, known by the checksum of their archive.


class Package(NamedTuple):
    """A package of the npm registry, and the files of it that are used."""

    name: str
    version: str
    sha512: str  # of the archive, as the registry names it
    files: tuple[str, ...]


RUNTIME = Package(
    "onnxruntime-web",
    "1.30.0",
    "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ==",
    (
        "dist/ort.wasm.bundle.min.mjs",  # for modules
        "dist/ort.wasm.min.js",  # for one file, with the next
        "dist/ort-wasm-simd-threaded.mjs",
        "dist/ort-wasm-simd-threaded.wasm",
    ),
)
MATHS = Package(
    "mathjax",
    "3.2.2",
    "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
    ("es5/tex-svg.js",),
)


def fetched(package: Package) -> dict[str, bytes]:
    """The files of a package by their last names (.js for .mjs, which some servers do not know), from the cache or npm.

    Raises FileNotFoundError without npm, OSError where it fails, ValueError where the archive is another one.
    """
    archive = places.cache() / "npm" / f"{package.name}-{package.version}.tgz"
    if not archive.is_file():
        _pack(package, archive)
    content = archive.read_bytes()
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != package.sha512:
        archive.unlink()
        raise ValueError(f"{archive.name} is not the archive that was expected (its checksum differs); try again")
    with tarfile.open(fileobj=io.BytesIO(content)) as inside:
        read = {name: inside.extractfile(f"package/{name}").read() for name in package.files}
    return {Path(name.replace(".mjs", ".js")).name: content for name, content in read.items()}


def _pack(package: Package, archive: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError(f"no npm to fetch {package.name} with: install Node.js, which brings it, and try again")
    say(f"fetching {package.name} {package.version} from the npm registry (once)")
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as work:
        argv = [npm, "pack", "--silent", f"{package.name}@{package.version}"]
        done = subprocess.run(argv, cwd=work, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"npm did not give {package.name}: {last_lines(done.stderr, 1).strip()}; check the network")
        next(Path(work).glob("*.tgz")).rename(archive)


# The pages.

READ = [  # by name, so that notes and notebooks that somebody has put beside them are not published
    "notebooks/[0-9][0-9]_*.ipynb",
    *("README.md", "README.zh-CN.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/site/model.md"),
    *(f"docs/{name}.md" for name in ("checks", "claims", "class", "clusters", "files", "glossary", "speed", "stage")),
    *("docs/transcript.zh-CN.md", "docs/troubleshooting.md", "data/company/handbook.md"),
    *(f"data/{name}/README.md" for name in ("base", "company", "finetuned", "recorded")),
    *(f"data/tasks/{name}/README.md" for name in ("emails", "support")),
]
PASSED = [".*", "build", "wheels", "tests", "labutils", "notebooks/work", "notebooks/*-Copy*", "screenshots"]
CHAPTERS = {  # the contents at the left: heading -> documents by pattern, in their order
    "The notebooks": "notebooks/*",
    "Try the models": "docs/site/*",
    "Beside the course": "docs/*",
    "Models and data": "data/*",
    "The project": "*",
}
FOLDS = {"source_hidden": "hide-input", "outputs_hidden": "hide-output"}  # JupyterLab's folds, and myst-nb's tags
LICENCE = "Code: Apache-2.0. Prose and data: CC BY 4.0."
STYLE = """
details.run-here { border: 1px solid rgba(128, 128, 128, .5); border-radius: 4px; padding: .3rem .8rem;
  margin: 0 0 1.5rem; }
details.run-here summary { cursor: pointer; }
.cell_output .output { overflow-x: auto; }
html[data-theme="dark"] .bd-content div.cell_output .text_html {  /* they follow the theme by themselves */
  background: transparent !important; color: inherit !important; }
"""
RUN_HERE = """<details class="run-here"><summary>Run it here, or download this page</summary>
<p>With Python 3.11 or newer, two commands bring the course onto your machine and open it in JupyterLab{then}.</p>
<pre tabindex="0">{first}\npython3 -m labutils open</pre>
<p><a href="{source}" download>Download this page</a> as it is stored.</p></details>"""


def settings(static: Path) -> dict:
    """Sphinx's configuration; `static` holds scripts and styles of ours."""
    return {
        "project": "Where finetuning fits in",
        "extensions": ["myst_nb"],
        "root_doc": "README",
        "include_patterns": READ,
        "exclude_patterns": PASSED,
        "nb_execution_mode": "off",  # as they are stored
        "myst_heading_anchors": 4,
        "suppress_warnings": ["misc.highlighting_failure"],  # fences of kind "message" are messages
        "html_theme": "sphinx_book_theme",
        "html_title": "Where finetuning fits in",
        "html_theme_options": {
            "show_toc_level": 2,
            "footer_content_items": ["extra-footer.html"],
            "extra_footer": LICENCE,
        },
        "html_static_path": [str(static)],
        "html_css_files": ["course.css"],
        "html_sourcelink_suffix": "",
        "mathjax_path": "tex-svg.js",
    }


def pages(out: Path, static: Path, work: Path, repository: str = "", root: Path = places.ROOT) -> str:
    """Write the pages into a folder; what Sphinx warned of, such as a link that leads nowhere.

    Raises ValueError, one line, where Sphinx or a notebook fails.
    """
    from sphinx.application import Sphinx

    def read(app, name: str, source: list[str]) -> None:
        source[0] = prepared(app.env.found_docs, name, source[0])

    warned = io.StringIO()
    options = {"confoverrides": settings(static), "status": None, "warning": warned}
    try:
        app = Sphinx(root, None, work / "html", work / "doctrees", "html", **options)
        app.connect("source-read", read)
        app.connect("html-page-context", lambda *found: add_run_here(repository, *found))
        app.build()
    except Exception as problem:  # of many kinds: Sphinx's own, docutils', those of the notebook's reader
        cause = getattr(problem, "orig_exc", None) or problem
        raise ValueError(f"the pages could not be written: {' '.join(str(cause).split())}") from problem
    for template in (work / "html" / "_static").glob("*macros.html"):  # left there by the theme
        template.unlink()
    shutil.copytree(work / "html", out, dirs_exist_ok=True)
    shutil.copy(out / "README.html", out / "index.html")
    return re.sub(r"\x1b\[[\d;]*m", "", warned.getvalue())


def prepared(found: Iterable[str], name: str, text: str) -> str:
    """A document as Sphinx is to read it: the first page with the contents, a notebook with its folds as tags.

    Raises ValueError for a notebook that is none.
    """
    if name == "README":
        return text + contents(found)
    if not name.startswith("notebooks/"):
        return text
    try:
        notebook = json.loads(text)
        for cell in notebook["cells"]:
            folds = cell["metadata"].get("jupyter", {})
            tags = [tag for key, tag in FOLDS.items() if folds.get(key)]
            cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), *tags]
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"{name}.ipynb is no notebook ({problem}); restore it or move it away") from problem
    return json.dumps(notebook)


def contents(found: Iterable[str]) -> str:
    """Sphinx's toctrees for the documents found; one is in the first chapter whose pattern has it."""
    left, parts = set(found) - {"README"}, []
    for heading, pattern in CHAPTERS.items():
        names = sorted(name for name in left if fnmatch(name, pattern))
        left.difference_update(names)
        parts.append("\n".join(["", "```{toctree}", ":hidden:", f":caption: {heading}", "", *names, "```", ""]))
    return "\n".join(parts)


def add_run_here(repository: str, app, name: str, template: str, context: dict, doctree) -> None:
    """Put the two commands and the download behind the title of a page."""
    if "sourcename" not in context or "</h1>" not in context.get("body", ""):
        return
    first = f"git clone {repository} course && cd course" if repository else "cd the-folder-of-the-course"
    then = f"; this page is <code>{html.escape(context['sourcename'])}</code>"
    source = context["pathto"](f"_sources/{context['sourcename']}", True)
    box = RUN_HERE.format(first=html.escape(first), then=then, source=html.escape(source))
    context["body"] = context["body"].replace("</h1>", f"</h1>{box}", 1)


# The models, and the one file.


def export_models(folder: Path) -> None:
    """Write the three stages and their tokenizer."""
    from labutils.model import exporting, models

    graph = None
    for stage, stored in STAGES.items():
        opened = models.open_model(stage)
        graph = graph or exporting.graph_of(opened.model)
        exporting.export(opened, folder / f"{stage}.onnx", stored, graph)
    shutil.copy(models.folder("base") / "tokenizer.json", folder)


def one_file(folder: Path) -> str:
    """The page of the models with all that it needs inside, for a browser without a server: classic scripts."""
    title, _, body = (SOURCES / "model.md").read_text(encoding="utf-8").partition("\n")
    title = html.escape(title.removeprefix("# "))
    body = re.sub(r'<script\b.*?</script>|<p id="lab-single">.*?</p>', "", body, flags=re.DOTALL)
    code = "\n".join([_text(folder / "ort.wasm.min.js"), *map(classic, ("tokenizer.js", "worker.js"))])
    carried = {"worker.js": code.encode()}
    names = [f"{stage}.onnx" for stage in STAGES]
    for name in ("ort-wasm-simd-threaded.js", "ort-wasm-simd-threaded.wasm", "tokenizer.json", *names):
        carried[name] = (folder / name).read_bytes()
    files = "\n".join(
        f'<script type="text/plain" id="file:{name}">{base64.b64encode(content).decode()}</script>'
        for name, content in carried.items()
    )
    look = (
        ":root { color-scheme: light dark; background: Canvas; color: CanvasText }"
        "body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: auto; padding: 1rem }"
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{look}</style></head>\n'
        f"<body><main><h1>{title}</h1>{body}</main>\n{files}\n"
        f"<script>(() => {{\n{classic('page.js')}}})();</script></body></html>\n"
    )


def classic(name: str) -> str:
    """A module of `docs/site` as a classic script: without its imports and exports."""
    text = re.sub(r"^import .*\n", "", _text(SOURCES / name), flags=re.M)
    return re.sub(r"^export ", "", text, flags=re.M).replace("</script", "<\\/script")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# The command.


def replaceable(out: Path) -> bool:
    """Whether a new site may take this place: nothing there, an empty folder, or a site that this command made."""
    if out.is_symlink() or not out.is_dir():
        return not os.path.lexists(out)
    if any(os.path.lexists(out / name) for name in OTHERS):
        return False
    return not any(out.iterdir()) or all((out / name).is_file() for name in MARKS)


def build(out: Path = OUT, repository: str = "") -> str:
    """Make the folder, whole or not at all; what Sphinx warned of.

    Raises ValueError where `out` is anything but a site that was made here; what `fetched` and `pages` raise.
    """
    if not replaceable(out):
        raise ValueError(f"{out} is a link, or holds other things than a site of the course; name another with --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    with places.swapping(out) as made, tempfile.TemporaryDirectory(dir=out.parent) as work:
        static = Path(work) / "static"
        (models := made / "models").mkdir(parents=True)
        static.mkdir()
        for folder, package in ((models, RUNTIME), (static, MATHS)):
            for name, content in fetched(package).items():
                places.write(folder / name, content)
        places.write(static / "course.css", STYLE)
        for path in SOURCES.glob("*.js"):
            shutil.copy(path, models)
        say("exporting three models")
        export_models(models)
        places.write(made / ".nojekyll", "")  # or GitHub leaves out folders that begin with an underscore
        places.write(made / ONE_FILE, one_file(models))
        say("writing the pages")
        return pages(made, static, Path(work) / "sphinx", repository)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of the command `site`, for this module and for the command line."""
    parser.add_argument("--out", type=Path, default=OUT, help="the folder to make; an older site in it is replaced")
    parser.add_argument("--repository", default="", metavar="URL", help="where each page says the course is had from")


def main(argv: list[str] | None = None) -> int:
    """The command `site`, once its packages are there; 1 where Sphinx warned of something, 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python3 -m labutils site", allow_abbrev=False)
    add_options(parser)
    asked, started = parser.parse_args(argv), time.monotonic()
    try:
        warned = build(asked.out.absolute(), asked.repository)
    except (OSError, ValueError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in asked.out.rglob("*") if path.is_file())
    took = f"{size / 1e6:.0f} MB in {time.monotonic() - started:.0f} s"
    say(f"{warned}{asked.out}: {took}; {ONE_FILE} opens without a server")
    return 1 if warned else 0


if __name__ == "__main__":
    sys.exit(main())
