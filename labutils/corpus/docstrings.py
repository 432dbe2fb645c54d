"""What the docstrings of installed packages say in plain English: running text that is on every learner's disk.

The base model read text of this form: a paragraph a line, code and markup left out.
"""

import ast
import inspect
import re
import warnings
from collections import deque
from collections.abc import Iterator

from labutils.corpus import sources

PLAIN = re.compile(r"[A-Z](?:(?!--)[A-Za-z0-9 ,;:.!?'\"()%-])*[.:!?]")  # a sentence without a sign of code or markup
MARKUP = re.compile(r":[\w:]+:`~?\.?([^`<]*)[^`]*`|[`*]+")  # of reStructuredText, around what is said
SAID = re.compile(r"[A-Z](?:(?!--)[A-Za-z0-9 ,;:.!?'\"()%_/=\[\]-])*[.:!?]")  # a sentence that may have such signs
WORDS = 5  # a paragraph has at least so many
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
HOLDS_STATEMENTS = (ast.stmt, ast.ExceptHandler, ast.match_case)


def docstrings(package: str | None = None, *, least: int = 500, seed: int = 0, plain: bool = True) -> Iterator[dict]:
    """Stream the docstrings of a package as documents of at least `least` characters, one a file, tests left out.

    Without a name, those of everything installed; `plain` as for `paragraphs`. Files come in one shuffled order, the
    same for the same seed. Yields what `sources.installed` yields; the first document raises ValueError when the
    package is not installed.
    """
    packages = [package] if package else None
    for document in sources.installed(seed=seed, packages=packages, sets=("Python",)):
        if "/tests/" in document["meta"]["path"]:
            continue
        text = "\n\n".join(dict.fromkeys(paragraphs(document["text"], plain)))
        if len(text) >= least:
            yield {"text": text, "meta": document["meta"] | {"pile_set_name": "Docstrings"}}


def paragraphs(source: str, plain: bool = True) -> Iterator[str]:
    """The plain paragraphs of all docstrings in Python source, each on one line; none where it does not parse.

    paragraphs("'Add up to a sum.\\n\\n>>> add(1, 2)'") -> "Add up to a sum."; where they
    need not be plain, names and signs of code may occur in them, and markup is taken off: nearly three times the text.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in _documented(tree):
        for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(ast.get_docstring(node, clean=False) or "")):
            line = " ".join(paragraph.split())
            line = line if plain else MARKUP.sub(r"\1", line)
            if len(line.split()) >= WORDS and (PLAIN if plain else SAID).fullmatch(line):
                yield line


def _documented(tree: ast.Module) -> Iterator[ast.AST]:
    """What may have a docstring, in the order of `ast.walk`, which looks into expressions, too: a hundred times as many
    nodes, and no docstring among them."""
    nodes = deque([tree])
    while nodes:
        node = nodes.popleft()
        if isinstance(node, DOCUMENTED):
            yield node
        nodes.extend(part for part in ast.iter_child_nodes(node) if isinstance(part, HOLDS_STATEMENTS))
