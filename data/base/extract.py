"""What a file of a package says in plain English: pages, docstrings, descriptions of services, release notes.

A file's name decides how it is read. Markup goes, paragraphs come out on one line each, code in pages goes with the
markup. Which files to read is for `reading`, which texts are good enough is for `selection`.
"""

import ast
import gzip
import inspect
import io
import json
import warnings
import zlib
from collections.abc import Iterable, Iterator

import yaml

from markup import plain, untagged
from services import discovery, service

BLOCK = 3000  # characters: short descriptions are packed into documents of about this size
BIGGEST = 200_000_000  # bytes of a packed file, unpacked
PAGES = (".md", ".rst", ".txt", ".mdx", ".inc")
UNREADABLE = (  # what parsers raise on files that are not what their names say
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, OSError, RecursionError, SyntaxError,
    TypeError, ValueError, yaml.YAMLError, zlib.error,
)  # fmt: skip


def documents(path: str, content: bytes) -> list[str]:
    """The English texts of one file, by its name; none of a file that is not what its name says.

    documents("a/open.rst", b"Open\\n====\\n\\nOpen a *file*.") -> ["Open\\n\\nOpen a file."]
    """
    try:
        return list(texts(path.rsplit("/", 1)[-1].lower(), content))
    except UNREADABLE:
        return []


def texts(name: str, content: bytes) -> Iterator[str]:
    """The texts of a file with this name. Raises what UNREADABLE lists."""
    if name.endswith(".gz"):
        name, content = name[:-3], unpacked(content)
    text = content.decode("utf-8", errors="replace").replace("\r\n", "\n")
    if name == "service-2.json":
        yield from packed(service(json.loads(text)))
    elif name.endswith(".json"):
        yield from packed(discovery(json.loads(text)))
    elif name.endswith((".html", ".htm")):
        yield from packed([untagged(text)])
    else:
        yield plain(marked_up(name, text))


def unpacked(content: bytes) -> bytes:
    """The content of a gzip file. Raises ValueError when it is larger than BIGGEST."""
    with gzip.open(io.BytesIO(content)) as file:
        found = file.read(BIGGEST + 1)
    if len(found) > BIGGEST:
        raise ValueError(f"over {BIGGEST:,} bytes unpacked")
    return found


def marked_up(name: str, text: str) -> str:
    """The running text of a file, still marked up: the docstrings of code, the strings of a release note, a page."""
    if name.endswith((".py", ".pyi")):
        return "\n\n".join(docstrings(text))
    if name.endswith((".yaml", ".yml")):
        return "\n\n".join(strings(yaml.load(text, Loader=yaml.CSafeLoader)))
    if name.endswith(".ipynb"):
        return "\n\n".join(notebook(json.loads(text)))
    return text if name.endswith(PAGES) else ""


def docstrings(code: str) -> Iterator[str]:
    """All docstrings of a module in order, without their indentation. Raises SyntaxError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(code)
    for node in walk(tree):
        body = getattr(node, "body", [])
        first = body[0].value if body and isinstance(body[0], ast.Expr) else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield inspect.cleandoc(first.value)


def walk(node: ast.AST) -> Iterator[ast.AST]:
    """Modules, classes and functions in the order of the file."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node
    for child in getattr(node, "body", []):
        if isinstance(child, ast.AST):
            yield from walk(child)


def strings(node: object) -> Iterator[str]:
    """The texts of a release note, in order, the names of its sections aside."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list | dict):
        for child in node if isinstance(node, list) else node.values():
            yield from strings(child)


def notebook(book: dict) -> Iterator[str]:
    """The text cells of a notebook."""
    yield from ("".join(cell["source"]) for cell in book.get("cells", []) if cell["cell_type"] == "markdown")


def packed(blocks: Iterable[str]) -> Iterator[str]:
    """Texts joined until they make a document: a hundred short ones give a few of about BLOCK characters."""
    held, size = [], 0
    for block in filter(None, blocks):
        held.append(block)
        size += len(block)
        if size >= BLOCK:
            yield "\n\n".join(held)
            held, size = [], 0
    if held:
        yield "\n\n".join(held)
