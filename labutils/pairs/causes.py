"""Why a file, a line or a record is not what was expected, in one sentence each, with what to do about it.

Bytes, lines and keys in, sentences out. Reading is for `records` and `own`; telling by line is for `validation`.
"""

import json
import re
from typing import Any, NamedTuple

TABLES = (".csv", ".tsv", ".txt")
PANDAS = "in Python, pandas.read_{0}(FILE).to_json(OUT, orient='records', lines=True) writes JSON Lines"
CSV = "save the sheet as CSV (UTF-8), which `convert` reads"
FOREIGN = (  # how a file begins that is none of JSON Lines, what it is, what to do
    (b"PK\3\4", "a spreadsheet (xlsx, ods) or another zip archive", f"{CSV}; unpack another archive first"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet or document of an older program (xls, doc)", CSV),
    (b"PAR1", "a parquet file", PANDAS.format("parquet")),
    (b"ARROW1", "an Arrow file", PANDAS.format("feather")),
    (b"\x1f\x8b", "a file packed with gzip", "unpack it first: gunzip FILE"),
    (b"BZh", "a file packed with bzip2", "unpack it first: bunzip2 FILE"),
    (b"\xfd7zXZ", "a file packed with xz", "unpack it first: unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "a file packed with zstd", "unpack it first: unzstd FILE"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it first"),
    (b"%PDF", "a PDF", "copy the pairs out of it into a table or JSON Lines"),
    (b"{\\rtf", "a document of a word processor (RTF)", "save it as plain text (UTF-8)"),
    (b"SQLite format 3", "a SQLite database", "export the table as CSV"),
    ((b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5"), "a Python pickle, which may run code",
     "have it written as JSON Lines"),
    (b"version https://git-lfs", "a Git LFS pointer, not the data",
     "fetch the data: git lfs pull, or the download link"),
    ((b"<!", b"<html", b"<head", b"<body", b"<script", b"<title"), "a web page, not data",
     "fetch the raw file, not the page that shows it"),
    (b"<?xml", "an XML document", "write each pair as one JSON object a line, or fetch the file anew"),
)  # fmt: skip
BINARY = re.compile(rb"[\0-\x08\x0e-\x19]")  # what no text holds
READS = "`convert FILE --to question/answer --out OUT` reads it and writes one object a line"


class Cause(NamedTuple):
    """What is wrong, and what to do; `code` is a kind of `validation.problems`."""

    code: str
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.what}; {self.fix}"


def encoding(head: bytes) -> str:
    """The encoding that a file's first bytes tell, by a mark or by zeros: utf-8, or a form of UTF-16 or UTF-32."""
    return json.detect_encoding(head[:4]).removesuffix("-sig")


def foreign(head: bytes, suffix: str = "") -> Cause | None:
    """What a file is by its first bytes and the end of its name, where it is no JSON at all."""
    begins = head.decode(encoding(head), "ignore").lstrip("\ufeff \t\r\n")[:200].lower()
    for mark, what, fix in FOREIGN:
        if head.startswith(mark) or begins.encode().startswith(mark):
            return Cause("foreign_file", f"this is {what}", fix)
    line = begins.partition("\n")[0]
    names = {name.strip(' "\r') for name in re.split("[,;\t|]", line)}
    table = suffix.lower() in (".csv", ".tsv") or ({*ASKED} & names and {*WANTED} & names)
    if table and begins and not begins_json(head):
        fix = READS if suffix.lower() in TABLES else f"give it a name that ends in .csv, and {READS}"
        return Cause("foreign_file", "this is a table (CSV or TSV), not JSON Lines", fix)
    if BINARY.search(head) and encoding(head) == "utf-8" and not begins_json(head):
        return Cause("foreign_file", "this is a binary file, not text", "have it written as JSON Lines or CSV")
    return None


def begins_json(head: bytes) -> bool:
    """Whether a file's first bytes are those of a JSON object or list, in any encoding that they tell."""
    return head.decode(encoding(head), "ignore").lstrip("\ufeff \t\r\n").startswith(("{", "["))


def several_lines(head: bytes) -> Cause | None:
    """Whether a file begins with an object that goes on over several lines."""
    text = head.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    first, _, rest = text.partition("\n")
    if not rest.strip() or not first.startswith("{") or first.rstrip().endswith("}"):
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(text)
        found = "\n" in text[:end]
    except (ValueError, RecursionError):
        found = first.strip() == "{"
    return Cause("several_lines", "one object goes on over several lines", READS) if found else None


def wrapped(record: dict) -> str | None:
    """The key of an object under which all the pairs lie, as its only list of objects. wrapped({"data": [{"question":
    "a"}]}) -> "data".
    """
    lists = [key for key, value in record.items() if _objects(value)]
    return lists[0] if len(lists) == 1 and lists[0] in HOLDERS else None


def _objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


# One line that is no JSON.

BRACKET = re.compile(r",\s*[}\]]")
QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u00ab\u00bb\u2033\u300c\u300d\u300e\u300f\uff02"
CONFLICT = ("<<<<<<<", "=======", ">>>>>>>")
WORDS = re.compile(r"(?:True|False|None|nan)\b")


def no_json(error: json.JSONDecodeError) -> str:
    """Why a line is no JSON, where the mistake is a common one; "" elsewhere. The same words for every such line."""
    text, at, says = error.doc, error.pos, error.msg
    sign, comma = text[at : at + 1], max(0, text.rfind(",", 0, at + 1))
    common = (
        (sign == "'", "it looks like a Python dict: JSON wants double quotes"),
        (sign and sign in QUOTES, "typographic quotes: JSON wants the plain double quote"),
        (sign and sign in "\uff1a\uff0c\uff1b", "a full-width sign: JSON wants a plain colon or comma"),
        (BRACKET.match(text, comma), "a comma before a closing bracket: remove it"),
        (text.startswith(("//", "/*", "#", "```"), at), "a comment: JSON has none, remove it"),
        (text.startswith(CONFLICT, at), "a mark of a conflict in git: keep one side, and remove the marks"),
        (WORDS.match(text, at), "a word of Python: JSON writes true, false and null"),
        (says == "Extra data" and text[at:].lstrip().startswith("{"),
         "two objects on one line: a newline may be missing between them"),
        (text.rstrip().endswith(",") and "\n" not in text.strip(), "a comma follows, as in a list"),
        (says.startswith("Unterminated") or sign == "\n",
         "the line may be cut off, or a text goes on on the next line: write its line breaks as \\n"),
        (not text[at:].strip(), "the line may be cut off"),
        (sign and not sign.isprintable(), "an invisible character: remove it, or in a text write it as an escape"),
        ("escape" in says, "a backslash: JSON wants it doubled"),
        (not text.lstrip().startswith(tuple('{["}],')),
         'a line of plain text: write an object, {"question": "...", "answer": "..."}'),
        (says.startswith("Expecting ','"), 'a comma is missing, or the backslash before a quote inside a text: \\"'),
        (says.startswith("Expecting property"), "a key that is not in plain double quotes"),
        (says == "Extra data", "something stands behind the object: write one object a line and nothing else"),
    )  # fmt: skip
    return next((what for found, what in common if found), "")


# One record whose keys are others.

ASKED = (  # what the side that a model is given is called in the wild, the likeliest first
    "question", "instruction", "input", "prompt", "message", "text", "body", "query", "request", "ticket", "comment",
    "review", "email", "mail", "brief", "description", "sentence", "document", "title", "subject", "source", "user",
    "human", "q", "src", "frage", "pregunta", "domanda", "问题", "質問", "вопрос",
)  # fmt: skip
WANTED = (  # and the side that it shall give
    "answer", "response", "output", "completion", "reply", "label", "queue", "category", "class", "target", "intent",
    "topic", "sentiment", "tag", "keywords", "summary", "translation", "priority", "type", "assistant", "gpt", "a",
    "tgt", "antwort", "respuesta", "réponse", "risposta", "答案", "回答", "ответ",
)  # fmt: skip
BESIDE = (  # what belongs to the prompt and stands beside the pair in many files
    "context", "system", "history", "system_prompt", "passage", "paragraph", "background", "knowledge",
)  # fmt: skip
LABELS = ("label", "sentiment", "intent", "class", "target")  # beside a text they are likelier its answer
HOLDERS = ("data", "rows", "records", "items", "examples", "samples", "pairs", "train", "dataset", "questions")
SEVERAL = ("answers", "responses", "completions", "outputs", "candidates")  # to one prompt, where it is a list
PREFERENCES = (("chosen", "rejected"), ("preferred_output", "non_preferred_output"))
COMPARED = [{f"{name}_{sign}" for sign in two} for name in ("response", "answer") for two in ("ab", "01", "12", "jk")]
CHOSEN = "`convert FILE --chosen --to question/answer --out OUT` makes pairs of the better answers"


def sides(record: dict) -> tuple[str | None, str | None]:
    """The keys that look like the question and the answer. sides({"prompt": "", "response": ""}) -> ("prompt",
    "response"); those of SQuAD have the answer under "answers.text".
    """
    names = {str(key).strip().lower(): key for key in reversed(record)}
    one, other = (next(filter(names.get, known), None) for known in (ASKED, WANTED))
    if other is None and isinstance(record.get("answers"), dict) and "text" in record["answers"]:
        return one and names[one], "answers.text"
    return one and names[one], other and names[other]


def meant(record: dict, formless: bool = True) -> Cause | None:
    """What a record seems to be, or None where it is what its keys say; `formless` where they are those of no form."""
    for better in (better for better, worse in PREFERENCES if better in record and worse in record):
        what = "this is a preference: a better and a worse answer to one prompt, for training with DPO, not on pairs"
        alone = isinstance(record[better], str) and not any(key in record for key in ASKED)
        fix = f'put what both texts begin with under the key "prompt"; then {CHOSEN}' if alone else CHOSEN
        return Cause("preferences", what, fix)
    if any(two <= record.keys() for two in COMPARED):
        what = "this is a comparison: two answers to one prompt, for training by preference, not on pairs"
        return Cause("preferences", what, "keep the better one of each line, under the key answer")
    if {"prompt", "completion"} <= record.keys() and record.get("label") in (0, 1):
        what = 'this is a judged answer: "label" says whether it is a good one, for training with KTO, not on pairs'
        return Cause("preferences", what, "keep the lines whose label is true, and remove the key")
    for two, right in ((("role", "content"), "messages"), (("from", "value"), "conversations")):
        talks = [key for key, talk in record.items() if _objects(talk) and all(name in talk[0] for name in two)]
        if talks and right not in record:
            what = f"{talks[0]!r:.40} holds messages with {two[0]} and {two[1]}"
            also = "".join(f" and {key!r:.40}" for key in talks[1:])
            fix = f'put it{also} into one list under "{right}"' if also else f'rename it to "{right}"'
            return Cause("other_names", what, fix)
        talk = record.get(right)
        inner = talk[0] if talk and isinstance(talk, list) else None
        if isinstance(inner, list) or (isinstance(inner, dict) and {"messages", "conversations"} & {*inner}):
            return Cause("wrapped", f"{right!r} holds several conversations", "write each as one object a line")
        if formless and {*two} <= record.keys():
            fix = f'write each conversation as {{"{right}": [...]}}, one a line'
            return Cause("other_names", "this is one message of a conversation", fix)
    if {"instruction", "input", "response"} <= record.keys() and record["input"]:
        what = "instruction, input and response are those of an Alpaca record with another name"
        return Cause("other_names", what, 'rename "response" to "output"')
    one, other = sides(record)
    if one and other in record and isinstance(record[one], (list, dict)):
        fix = "write rows; in pandas, to_json(OUT, orient='records', lines=True)"
        return Cause("wrapped", f"the file holds columns, not rows: {one!r:.40} has many values", fix)
    if formless and one and other and one != other:
        what = f'no known form; the pair seems to be "{one}" and "{other}"'
        one, other = (name if name == name.strip() else f'"{name}"' for name in (one, other))
        fix = f"`convert FILE --question {one} --answer {other} --to question/answer --out OUT` renames them"
        return Cause("other_names", what, fix)
    if formless and (key := wrapped(record)):
        return Cause("wrapped", f"the pairs lie in a list under {key!r:.40}", READS)
    if formless and one and (key := next((key for key in SEVERAL if isinstance(record.get(key), list)), None)):
        fix = "keep the best one of each line, under the key answer"
        return Cause("preferences", f"{key!r} is a list of answers to one prompt", fix)
    if formless and "error" in record and other is None:
        return Cause("foreign_file", "this is an error that a server sent, not data", "fetch the file anew")
    deeper = [key for key, value in record.items() if isinstance(value, dict) or _objects(value)]
    if formless and deeper and sum(isinstance(value, str) for value in record.values()) < 2:
        what = f"the pairs seem to lie deeper, under {', '.join(f'{key!r:.40}' for key in deeper[:3])}"
        return Cause("wrapped", what, "write the pairs themselves, one object a line")
    return None


# Somebody's data inside a message.


def quoted(text: object, limit: int = 40) -> str:
    """A piece of somebody's data inside a message: cut, on one line, in quotes. quoted("a\\nb") -> '"a\\\\nb"'."""
    text = str(text)
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" if c != "\n" else "\\n" for c in text[:limit])
    return f'"{shown}{"..." if len(text) > limit else ""}"'


def type_name(value: Any) -> str:
    """What a JSON value is, in words. type_name([1]) -> "a list"."""
    names = {list: "a list", dict: "an object", str: "a text", type(None): "null", bool: "true or false"}
    return names.get(type(value), "a number")
