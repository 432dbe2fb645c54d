"""Files as people have them: each kind is read rightly, or named once with its cause; legitimate texts stay quiet."""

import json
import re

import pytest

from labutils.corpus.duplicates import fold, told_apart
from labutils.pairs import own
from labutils.pairs.conversion import adapted
from labutils.pairs.own import convert_file
from labutils.pairs.records import read_jsonl, split
from labutils.pairs.validation import repair, validate
from tests.faults import line

PAIR = b'{"question": "Which valve leaks?", "answer": "The left one."}\n'
ONE, TWO = (json.loads(PAIR), {"question": "How long is the hose?", "answer": "Four metres."})
SECOND = json.dumps(TWO).encode() + b"\n"
SAID = [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}]


@pytest.fixture
def put(tmp_path):
    """A function that writes lines into a file: texts, bytes or records."""

    def write(*lines: object, name: str = "a.jsonl"):
        made = [each if isinstance(each, (str, bytes)) else json.dumps(each) + "\n" for each in lines]
        path = tmp_path / name
        path.write_bytes(b"".join(each if isinstance(each, bytes) else each.encode() for each in made))
        return path

    return write


def told(path) -> list:
    """The problems of a file that are more than notes."""
    return [problem for problem in validate(path) if problem.severity != "note"]


def sides(path) -> list[tuple[str, str]]:
    return [(row["question"], row["answer"]) for row in read_jsonl(path)]


# The whole file is of another kind: validate tells one problem, on line 1, and every other reader the same cause.

FOREIGN = {
    "xlsx": (b"PK\3\4\x14\0\6\0" + bytes(40), "a spreadsheet"),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1" + bytes(40), "a spreadsheet"),
    "parquet": (b"PAR1\x15\4\x15" + bytes(9), "pandas.read_parquet"),
    "arrow": (b"ARROW1\0\0", "an Arrow file"),
    "gzip": (b"\x1f\x8b\x08\0\0", "gunzip FILE"),
    "bzip2": (b"BZh91AY", "bunzip2"),
    "zstd": (b"\x28\xb5\x2f\xfd\4", "unzstd"),
    "pdf": (b"%PDF-1.7\n", "a PDF"),
    "pickle": (b"\x80\4\x95", "may run code"),
    "pickle 5": (b"\x80\5\x95", "may run code"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0", "a binary file"),
    "sqlite": (b"SQLite format 3\0", "a SQLite database"),
    "page": (b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n", "a web page"),
    "page 2": (b"\xef\xbb\xbf\n  <HTML>\n<head>", "fetch the raw file"),
    "page 3": (b"\n<!-- a -->\n<head><title>403 Forbidden</title></head>\n", "fetch the raw file"),
    "page in UTF-16": ("<!DOCTYPE html>\n".encode("utf-16"), "a web page"),
    "xml": (b'<?xml version="1.0"?>\n<pairs/>', "an XML document"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "git lfs pull"),
    "table": (b"question,answer\nWhich valve?,Left\n", "a table"),
}


@pytest.mark.parametrize(("content", "words"), FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_another_kind_is_named_once(tmp_path, put, labutils, content, words):
    path, other = put(content), put(PAIR, name="other.jsonl")
    (one,) = validate(path)
    assert (one.line, one.code, one.severity) == (1, "foreign_file", "error") and words in one.cause + one.fix
    (unread,) = (p for p in validate(other, split_with=path) if p.code == "unread_other")
    assert "a.jsonl was not compared: this is " in unread.cause
    readers = [lambda: read_jsonl(path), lambda: repair(path, tmp_path / "b.jsonl")]
    for read in readers + [lambda: own.read(path)] * (words != "a table"):
        with pytest.raises(ValueError, match=words):
            read()
    for command in ("convert --to messages --out b.jsonl", "format --out b.jsonl", "finetune --out b"):
        name, *options = command.split()
        code, out, err = labutils(name, path, *options)
        assert (code, out) == (2, "") and f"{path}, line 1: this is " in err and err.count("\n") == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.jsonl", "other.jsonl"]


# JSON in another shape than an object a line: read as it is meant by all that reads; validate names the cause once.

SHAPES = {
    "list": (b"[" + PAIR.rstrip() + b",\n" + SECOND.rstrip() + b"]", "json_list"),
    "several lines": (json.dumps(ONE, indent=2).encode() + b"\n" + json.dumps(TWO, indent=2).encode(), "several_lines"),
    "with commas": (json.dumps(ONE, indent=2).encode() + b",\n" + json.dumps(TWO, indent=2).encode(), "several_lines"),
    "under a key": (json.dumps({"data": [ONE, TWO]}).encode(), "wrapped"),
    "under a key beside others": (json.dumps({"version": 1, "rows": [ONE, TWO]}).encode(), "wrapped"),
    "under a key before others": (json.dumps({"data": [ONE, TWO], "total": {"data": [2]}}).encode(), "wrapped"),
    "under a key behind its like": (json.dumps({"of": {"data": [2]}, "data": [ONE, TWO]}).encode(), "wrapped"),
    "under a key, several lines": (json.dumps({"data": [ONE, TWO], "n": 2}, indent=1).encode(), "several_lines"),
    "UTF-16": ((PAIR + SECOND).decode().encode("utf-16"), "utf16"),
    "UTF-16 without a mark": ((PAIR + SECOND).decode().encode("utf-16-le"), "utf16"),
    "UTF-32 without a mark": ((PAIR + SECOND).decode().encode("utf-32-be"), "utf16"),
    "list in UTF-16": (json.dumps([ONE, TWO], indent=1).encode("utf-16"), "json_list"),
    "list in UTF-16 without a mark": (json.dumps([ONE, TWO]).encode("utf-16-be"), "json_list"),
}


@pytest.mark.parametrize(("content", "code"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("ending", ["json", "txt", "csv"])
def test_json_in_another_shape_is_read(tmp_path, put, content, code, ending):
    path = put(content, name=f"a.{ending}")
    assert read_jsonl(path) == own.read(path).pairs == [ONE, TWO]
    assert convert_file(path, "messages", tmp_path / "b.jsonl") == 2
    assert [p.code for p in told(path)] == [code]


LIST = '{"data": [%s],%s"data": [%s]}'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps(ONE, indent=2) + '\n{\n "question": "Why?",\n "answer": 4\n}', 'line 5: "answer" must be a text'),
        ('{\n "question": "Why?",\n}\n', "line 3: not JSON at column 1: a comma before a closing bracket"),
        ('{\n "data": [\n  {"question": "a", "answer": "b"},\n  {"question": "c", "answer": 4}\n ],\n "n": 2\n}',
         'line 4: "answer" must be a text'),
        (LIST % (json.dumps(ONE), "", json.dumps(TWO)), "line 1: "),
        (LIST % (json.dumps(ONE), "\n", json.dumps(TWO)), "line 1: "),
    ],
)  # fmt: skip
def test_objects_in_another_shape_keep_their_lines(tmp_path, put, content, words):
    with pytest.raises(ValueError, match=words):
        convert_file(put(content, name="a.json"), "messages", tmp_path / "b.jsonl")


# A fault that every line has: told once, with the remedy.

EVERY_LINE = {
    "two objects": (PAIR.rstrip() + SECOND, "two objects on one line"),
    "comma before a bracket": (PAIR.replace(b'"}', b'",}') + SECOND.replace(b'"}', b'", }'), "a comma before"),
    "typographic quotes": (PAIR.decode().replace('"', "\u201d").encode() * 3, "typographic quotes"),
    "guillemets": (b'{"question": "a", \xc2\xabanswer\xc2\xbb: "b"}\n' * 2, "typographic quotes"),
    "brackets": ("{\u300cquestion\u300d: \u300ca\u300d}\n".encode() * 2, "typographic quotes"),
    "full-width": ('{"question"\uff1a "a"}\n'.encode() * 2, "a full-width sign"),
    "backslash": (rb'{"question": "C:\dev"}' + b"\n" + rb'{"question": "\d+"}' + b"\n", "wants it doubled"),
    "quotes inside": (b'{"question": "a "b" c"}\n' * 2, "the backslash before a quote"),
    "keys without quotes": (b'{question: "a"}\n' * 2, "a key that is not in plain double quotes"),
    "semicolons": (PAIR.rstrip() + b";\n" + SECOND.rstrip() + b";\n", "behind the object"),
    "another space": (PAIR.replace(b": ", b":\xc2\xa0") * 2, "an invisible character"),
    "conflict": (b"<<<<<<< HEAD\n=======\n>>>>>>> other\n", "a conflict in git"),
    "fence": (b"```json\n```\n", "a comment"),
    "numbered": (b"1. " + PAIR + b"404: Not Found\n- question: a\n", "a line of plain text"),
    "cut off": (b'{"question": "a"\n{"question":\n', "may be cut off"),
    "Python": (b"{'question': 'a', 'answer': 'b'}\n" * 2, "Python dict"),
    "None": (b'{"question": "a", "answer": None}\n' * 2, "a word of Python"),
    "comment": (b'{"question": "a", // why\n' * 2, "a comment"),
    "plain text": (b"Which valve leaks?\nThe left one.\n", "a line of plain text"),
    "a line break in a text": (b'{"question": "a\n' * 2, "a text goes on on the next line"),
    "commas behind": (PAIR.rstrip() + b",\n" + SECOND.rstrip() + b",\n", "a comma follows"),
}


@pytest.mark.parametrize(("content", "words"), EVERY_LINE.values(), ids=EVERY_LINE)
def test_a_fault_of_every_line_is_told_once(put, content, words):
    (one,) = validate(put(content))
    assert (one.line, one.code) == (1, "not_json") and words in one.cause
    with pytest.raises(ValueError, match=f"line 1: not JSON at column .*{words}"):
        read_jsonl(put(content))


# Other keys: the rename, the command that does it, and that it works.

NAMED = {
    "prompt and response": ({"prompt": "Why?", "response": "So."}, ["--question", "prompt", "--answer", "response"]),
    "query and reply": ({"query": "Why?", "reply": "So."}, ["--question", "query", "--answer", "reply"]),
    "SQuAD": ({"context": "c", "question": "Why?", "answers": {"text": ["So."], "answer_start": [0]}},
              ["--question", "question", "--answer", "answers.text"]),
    "Frage": ({"Frage": "Why?", "Antwort": "So."}, ["--question", "Frage", "--answer", "Antwort"]),
    "message and queue": ({"message": "Why?", "queue": "So."}, ["--question", "message", "--answer", "queue"]),
    "chosen beside a conversation": ({"conversations": [{"from": "human", "value": "Why?"}],
      "chosen": {"from": "gpt", "value": "So."}, "rejected": {"from": "gpt", "value": "No."}}, ["--chosen"]),
    "chosen": ({"prompt": "Why?", "chosen": "So.", "rejected": "No."}, ["--chosen"]),
    "chosen messages": ({"chosen": SAID, "rejected": []}, ["--chosen"]),
    "preferred": ({"input": {"messages": SAID[:1]}, "preferred_output": SAID[1:],
                   "non_preferred_output": [{"role": "assistant", "content": "No."}]}, ["--chosen"]),
}  # fmt: skip


@pytest.mark.parametrize(("record", "options"), NAMED.values(), ids=NAMED)
def test_other_keys_are_named_once_with_a_command_that_works(tmp_path, put, labutils, record, options):
    path, out = put(record, record, record), tmp_path / "b.jsonl"
    (one,) = (p for p in validate(path) if p.severity == "error")
    assert one.code in ("other_names", "preferences") and one.lines == (1, 2, 3) and " ".join(options) in one.fix
    code, _, err = labutils("convert", path, "--to", "question/answer", "--out", out)
    assert code == 2 and " ".join(options) in err and err.count("\n") == 1
    assert (
        labutils("convert", path, "--to", "question/answer", "--out", out, *(word.strip('"') for word in options))[0]
        == 0
    )
    assert sides(out) == [("Why?", "So.")] * 3


def test_the_spaces_of_a_key_are_in_the_command(tmp_path, put, labutils):
    path, to = put({" question ": "Why?", "answer ": "So."}), ("--to", "question/answer", "--out", tmp_path / "b.jsonl")
    assert '--question " question " --answer "answer "' in labutils("convert", path, *to)[2]
    assert labutils("convert", path, *to, "--question", " question ", "--answer", "answer ")[0] == 0


def test_an_instruction_and_its_input_are_both_asked():
    record = {"instruction": "Add.", "input": "2, 2", "chosen": "4", "rejected": "5"}
    assert adapted(record, chosen=True) == {"question": "Add.\n\nInput:\n2, 2", "answer": "4"}


def test_a_row_of_another_form_is_never_an_empty_pair(put):
    more = ({"prompt": "Why?", "completion": "So."}, {"instruction": "Add.", "input": "2, 2", "output": "4"})
    assert [pair["answer"] for pair in own.read(put(ONE, *more)).pairs] == ["The left one.", "So.", "4"]
    with pytest.raises(ValueError, match=r"line 2: neither 'question' nor 'answer'; there are \['query', 'reply'\]"):
        own.read(put(ONE, {"query": "Why?", "reply": "So."}))
    with pytest.raises(ValueError, match="cannot tell which column"):
        own.read(put({"Why is it so?": "It is.", "How long is it?": "Four metres."}))


BESIDE = [  # what beside a preference could be taken in its place, and what is told
    ({"answer": "Other."}, '"answer"'),
    ({"question": "Other?"}, '"question"'),
    ({"instruction": "Other?", "output": "Other."}, "alpaca as well"),
    ({"answer": "So.", "messages": [], "id": 7}, ""),
]


@pytest.mark.parametrize(("more", "words"), BESIDE)
def test_a_preference_and_what_could_be_read_in_its_place(more, words):
    record = {"prompt": "Why?", "chosen": "So.", "rejected": "No.", **more}
    if words:
        with pytest.raises(ValueError, match=f"beside the preference there is {words}"):
            adapted(record, chosen=True)
    else:
        assert adapted(record, chosen=True) == {"question": "Why?", "answer": "So.", **more}


def test_messages_beside_a_preference_of_messages():
    record = {"prompt": "Why?", "chosen": SAID, "rejected": [], "messages": SAID}
    assert adapted(record, chosen=True) == {"messages": SAID}
    for more in ({"messages": SAID[:1]}, {"question": "a", "answer": "b"}):
        with pytest.raises(ValueError, match="only one can count"):
            adapted({**record, **more}, chosen=True)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"conversations": [{"role": "user", "content": "Hi"}]}, 'rename it to "messages"'),
        ({"dialog": [{"from": "human", "value": "Hi"}]}, 'rename it to "conversations"'),
        ({"messages": [{"from": "human", "value": "Hi"}]}, 'rename it to "conversations"'),
        ({"prompt": "Why?", "completion": "So.", "label": False}, "whose label is true"),
        ({"prompt": "Why?", "completion": "So.", "label": 0}, "whose label is true"),
        ({"prompt": SAID[:1], "completion": SAID[1:]}, 'into one list under "messages"'),
        (SAID[0], 'write each conversation as {"messages": [...]}'),
        ({"conversations": [SAID, SAID]}, "write each as one object a line"),
        ({"conversations": [{"messages": SAID}]}, "write each as one object a line"),
        ({"chosen": "Human: Why? AI: So.", "rejected": "Human: Why? AI: No."}, 'under the key "prompt"'),
        ({"question": "Why?", "answers": ["So.", "Thus."]}, "keep the best one"),
        ({"instruction": "Why?", "completions": [{"response": "So."}]}, "keep the best one"),
        ({"error": {"code": 404}}, "fetch the file anew"),
        ({"train": [ONE], "test": [TWO]}, "write the pairs themselves"),
        ({"title": "T", "paragraphs": [{"qas": []}]}, "write the pairs themselves"),
        ({"translation": {"en": "Why?", "de": "Warum?"}}, "write the pairs themselves"),
        ({"question": "Why?", "response_a": "So.", "response_b": "No."}, "keep the better one"),
        ({"instruction": "Add.", "input": "2, 2", "response": "4"}, 'rename "response" to "output"'),
        ({"question": ["Why?", "How?"], "answer": ["a", "b"]}, "orient='records'"),
        ({"question": {"0": "Why?"}, "answer": {"0": "a"}}, "orient='records'"),
        ({"data": {"train": [{"question": "Why?", "answer": "So."}]}}, "write the pairs themselves"),
    ],
)
def test_what_else_keys_may_mean(tmp_path, put, record, words):
    path = put(record)
    assert [words in p.fix for p in validate(path) if p.severity == "error"] == [True]
    for read in (own.read, lambda path: convert_file(path, "text", tmp_path / "b.jsonl")):
        with pytest.raises(ValueError, match=re.escape(words)):
            read(path)


def test_a_label_beside_a_text_and_a_preference_that_is_not_asked_for(put):
    assert ["--answer label" in p.fix for p in told(put({"text": "Win a prize", "label": "spam"}))] == [True]
    with pytest.raises(ValueError, match=r"a better and a worse answer.*--chosen"):
        own.read(put({"prompt": "Why?", "chosen": "So.", "rejected": "No."}))


# Context beside a pair, and a template that is put on already.


def test_context_beside_a_pair_is_warned_of_and_can_be_taken_in(tmp_path, put, labutils):
    out, asked = tmp_path / "b.jsonl", "In which room does it stand?"
    rows = [{"context": f"The saw stands in room {n}.", "question": asked, "answer": f"Room {n}."} for n in (3, 5)]
    path = put(*rows)
    assert [p.code for p in told(path)] == ["context_beside"]
    assert "--context context" in labutils("format", path, "--out", out)[2]
    assert "context=['context']" in own.read(path).told
    assert own.read(path, context=["context"]).pairs[0]["question"] == f"The saw stands in room 3.\n\n{asked}"
    labutils("convert", path, "--to", "question/answer", "--out", out, "--context", "context")
    assert read_jsonl(out)[1] == {"question": f"The saw stands in room 5.\n\n{asked}", "answer": "Room 5."}
    assert told(put({"instruction": "Why?", "response": "So.", "system": "", "history": []})) == []
    path = put({"system": "Be brief.", "instruction": "Why?", "response": "So."})
    assert "--context system" in labutils("convert", path, "--to", "messages", "--out", tmp_path / "c.jsonl")[2]


def test_context_beside_a_conversation_goes_into_its_system_message():
    briefed = {"messages": [{"role": "system", "content": "Be brief."}, *SAID]}
    assert adapted({"system": "Be brief.", "messages": SAID}, context=["system"]) == briefed
    assert adapted({"history": [], **briefed}, context=["history"]) == briefed
    found = adapted({"context": ["Room", "3."], **ONE}, context=["context"])
    assert found["question"] == "Room\n\n3.\n\nWhich valve leaks?"
    found = adapted({"context": "Room 3.", **briefed}, context=["context"])["messages"]
    assert found == [{"role": "system", "content": "Room 3.\n\nBe brief."}, *SAID]
    with pytest.raises(ValueError, match="a template is taken off the question of a pair, got messages"):
        adapted(briefed, unfill="lecture")


@pytest.mark.parametrize("filled", ["### Question:\nWhy?\n\n### Answer:", "### Question:\nWhy?\n\n### Answer:\n"])
def test_a_filled_template_is_told_once_and_taken_off(tmp_path, put, labutils, filled):
    path = put(*(line(filled.replace("Why", word), f"So {word}.") for word in ("Why", "Where", "When")))
    (one,) = told(path)
    assert (one.code, one.lines) == ("filled_template", (1, 2, 3)) and "--unfill lecture" in one.fix
    out = tmp_path / "b.jsonl"
    assert labutils("convert", path, "--to", "question/answer", "--out", out, "--unfill", "lecture")[0] == 0
    assert [question for question, _ in sides(out)] == ["Why?", "Where?", "When?"]
    with pytest.raises(ValueError, match="the question is not filled into the template 'lecture'"):
        adapted(read_jsonl(out)[0], unfill="lecture")


# Tables: read rightly, or asked about.


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        ("question;answer\nWas?;Das.\n".encode("utf-16-le"), [("Was?", "Das.")]),
        ("sep=;\r\nquestion;answer\r\nWhich valve?;Left\r\n", [("Which valve?", "Left")]),
        ("sep=\\t\nquestion\tanswer\na\tb\n", [("a", "b")]),
        ("\n\nQuestion,question,answer\na,b,c\n", [("b", "c")]),
        ("| question | answer |\n|---|:-:|\n| a | b |\n", [("a", "b")]),
        ('"sep=;"\nquestion;answer\na;b\n', [("a", "b")]),
        ("id,question\n1,Why?\n", [("Why?", "1")]),
        ("SEP=\t\nquestion\tanswer\na,b\tc;d\n", [("a,b", "c;d")]),
        ("label,text\nspam,Win a prize now\nham,See you\n", [("Win a prize now", "spam"), ("See you", "ham")]),
        (f"question,answer\nLong?,{'x' * 200_000}\n", [("Long?", "x" * 200_000)]),
        ('question,answer\n"Body of f?","    x = 1\n    return x"\n', [("Body of f?", "    x = 1\n    return x")]),
        ('message,queue\n"Dear, the lamp\nis dark, help",repair\n', [("Dear, the lamp\nis dark, help", "repair")]),
        ('en\tde\n5" nail\t5" Nagel\n"Stop"\tHalt\n', [('5" nail', '5" Nagel'), ("Stop", "Halt")]),
        ("Frage;Antwort\n1+1?;2\n", [("1+1?", "2")]),
    ],
)
def test_a_table_is_read_rightly(tmp_path, put, labutils, content, pairs):
    path, out = put(content, name="a.csv"), tmp_path / "b.jsonl"
    code, shown, _ = labutils("convert", path, "--to", "question/answer", "--out", out)
    assert code == 0 and shown.startswith("a.csv: ") and "is the question" in shown
    assert sides(out) == pairs


def test_a_table_takes_what_is_asked_for(tmp_path, put, labutils):
    path, out = put("prompt,chosen,rejected\nWhy?,So.,No.\n", name="a.csv"), tmp_path / "b.jsonl"
    to = ("--to", "question/answer", "--out", out)
    assert "--chosen" in labutils("convert", path, *to)[2]
    assert labutils("convert", path, "--chosen", *to)[0] == 0
    assert read_jsonl(out) == [{"question": "Why?", "answer": "So."}]
    put("context,question,answer\nRoom 3.,### Question:\\nWhy?,So.\n", name="a.csv")
    assert "'context' seems to belong to the prompt" in labutils("convert", path, *to)[1]
    shown = labutils("convert", path, "--context", "context", *to)[1]
    assert "context" not in shown and read_jsonl(out)[0]["question"].startswith("Room 3.\n\n")
    assert "'answer' is a side of the pair" in labutils("convert", path, "--context", "answer", *to)[2]


@pytest.mark.parametrize("name", ["a.jsonl", "a"])
def test_a_table_of_another_name_is_to_be_named_csv(tmp_path, put, name):
    path = put("question,answer\nWhy?,So.\n", name=name)
    for read in (own.read, lambda path: convert_file(path, "text", tmp_path / "b.jsonl")):
        with pytest.raises(ValueError, match=r"give it a name that ends in \.csv"):
            read(path)


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.csv", 'Q,A,text\n"Why\nso?",Yes.,a\nHow?,No.,b\n', ("3", "lines 4")),
        ("a.jsonl", '{"Q": "a", "A": "b"}\n\n{"Q": "c", "A": "d", "text": "e"}\n', ("3", "Nothing")),
    ],
)
def test_a_fault_in_named_columns_is_told_by_its_line(tmp_path, put, name, content, lines):
    with pytest.raises(ValueError, match=f'{name}, line {lines[0]}: the key "text" is already there.*{lines[1]}'):
        convert_file(put(content, name=name), "text", tmp_path / "b.jsonl", question="Q", answer="A")


def test_columns_that_were_asked_about_can_be_said(put):
    path = put("Art,Nachricht\nspam,Gewinnen Sie jetzt\nham,Bis morgen am See\n", name="a.csv")
    assert own.read(path, "Nachricht", "Art").pairs[0] == {"question": "Gewinnen Sie jetzt", "answer": "spam"}
    path = put("What the customer wrote,Which team it is for\nThe lamp is dark,repair\n", name="a.csv")
    with pytest.raises(ValueError, match="looks like a row"):
        own.read(path)
    assert own.read(path, "What the customer wrote").pairs[0]["answer"] == "repair"


# What differs in a sign, a number, a vowel or a unit is another question; what differs in words is nearly the same.

APART = [
    ("What is C++?", "What is C#?"), ("What is C?", "What is C++?"), ("What is .NET?", "What is net?"),
    ("How many watts are 5 mW?", "How many watts are 5 MW?"), ("Convert 3kb to bits", "Convert 3kB to bits"),
    ("What does -n do in sed?", "What does -N do in sed?"), ("Was bedeutet Masse?", "Was bedeutet Maße?"),
    ("What is 2+3?", "What is 2-3?"), ("What is x²?", "What is x³?"), ("How big is unit 12?", "How big is unit 13?"),
    ("What says section 3.2.1?", "What says section 3.2.2?"), ("Is a < b then?", "Is a > b then?"),
    ("दिन का अर्थ बताओ", "दान का अर्थ बताओ"), ("กา แปลว่าอะไร", "กี แปลว่าอะไร"), ("What costs $5?", "What costs €5?"),
    ("مَن كتب هذا الكتاب", "مِن كتب هذا الكتاب"), ("What is the drug Co?", "What is the drug CO?"),
    ("Complete def f(x):", "Complete def g(x):"), ("What is f'(x)?", "What is f(x)?"), ("Is i++ ok?", "Is ++i ok?"),
    ("What is [] in it?", "What is {} in it?"), ("Is a / b big?", "Is b / a big?"), ("What is !=?", "What is =?"),
    ("Find α in it", "Find β in it"), ("Is x₁ < 3?", "Is x₂ < 3?"), ("Is A ∪ B big?", "Is A ∩ B big?"),
    ("What does vitamin A do in the body?", "What does vitamin E do in the body?"),
    ("When did World War I end in Europe?", "When did World War II end in Europe?"),
    ("When was Henry VII crowned king of England?", "When was Henry VIII crowned king of England?"),
    ("Convert 255 from base 10 to base 16, please", "Convert 255 from base 16 to base 10, please"),
    ("How many inches are 5 mm, to two places?", "How many inches are 5 cm, to two places?"),
    ("What wavelength has a wave of 5 kHz in air?", "What wavelength has a wave of 5 MHz in air?"),
    ("How do I address a letter to Mr Brown?", "How do I address a letter to Mrs Brown?"),
    ("What is the derivative of sin(x) by x, please?", "What is the derivative of asin(x) by x, please?"),
    ("What is (2+3)*4 in whole numbers?", "What is 2+(3*4) in whole numbers?"),
    ("What is f(x+1) for a line, in general?", "What is f(x)+1 for a line, in general?"),
    ("What is 10-(3-2) in whole numbers?", "What is 10-3-2 in whole numbers?"),
    ("Does this run?\nfor i in range(3):\nprint(i)", "Does this run?\nfor i in range(3):\n    print(i)"),
    ("What does 😀 mean?", "What does 😭 mean?"), ("What is 𝄞 called in a score?", "What is 𝄢 called in a score?"),
    ("Whose flag is 🇩🇰 there?", "Whose flag is 🇳🇴 there?"), ("How does ♘ move on it?", "How does ♗ move on it?"),
    ("Which letter is ⠓ in Braille?", "Which letter is ⠑ in Braille?"),
    ("Decode the Morse code -.-. for me", "Decode the Morse code -..- for me"),
    ("What does . match in a regular expression?", "What does ? match in a regular expression?"),
    ("How is the sound ʃ made with the tongue?", "How is the sound ʒ made with the tongue?"),
    ("Где находится точка А на этом чертеже?", "Где находится точка Б на этом чертеже?"),
    ("How do you pronounce あ in Japanese?", "How do you pronounce い in Japanese?"),
    ("Từ má trong tiếng Việt có nghĩa là gì?", "Từ mà trong tiếng Việt có nghĩa là gì?"),
    ("第一次世界大战是什么时候结束的？", "第二次世界大战是什么时候结束的？"),
    ("한국어로 말은 영어로 무엇이라고 합니까 알려 주세요?", "한국어로 물은 영어로 무엇이라고 합니까 알려 주세요?"),
    ("What is the opposite of 'dark'?", "What is the opposite of 'dear'?"),
    ("Comment dit-on « chat » en anglais ?", "Comment dit-on « chant » en anglais ?"),
]  # fmt: skip
SAME = [
    ("How tall is it?", "how tall is it"), ("Who painted the egret?", "who painted the EGRET?"),
    ("What's the e-mail?", "Whats the email"), ("How heavy is the PL-30?", "how heavy is the pl-30"),
    ("WHY IS IT RED", "why is it red"), ("שָׁלוֹם לך", "שלום לך"), ("Where does an arctic tern nest?",
     "Where does the arctic tern nest?"), ("What is 'Plover'?", "What is Plover?"),
    ("Why? It's red", "its red why"), ("I am a pump", "i am A pump"), ("Où est la gare ?", "Ou est la gare?"),
    ("Where is my parcel? 😊", "Where is my parcel?"), ("What does print() do?", "What does print do?"),
    ("Hello , where is it ? Thanks", "Hello, where is it? Thanks"), ("请给我一个例子", "请给我例子"),
    ("How heavy is pump 12 in room 5?", "In room 5, how heavy is pump 12?"), ("Is the TV on?", "Is the television on?"),
    ("What is (2+3)*4 in it?", "What is (2 + 3) * 4 in it?"), ('What is "x"? Thanks', 'What is "x", thanks'),
]  # fmt: skip


@pytest.mark.parametrize(("pairs", "apart"), [(APART, True), (SAME, False)], ids=["apart", "same"])
def test_what_tells_two_questions_apart(put, pairs, apart):
    assert [told_apart(*pair) for pair in pairs] == [apart] * len(pairs)
    for one, other in pairs if apart else ():
        found = validate(put(line(one, "a")), split_with=put(line(other, "b"), name="b.jsonl"))
        assert {p.severity for p in found} == {"note"}, (one, other)
    assert fold("Who painted the EGRET?") == fold("who painted the egret?")


def shared_instruction(count: int) -> list[dict]:
    topics = ["parcel", "relay", "invoice", "cable", "lamp", "poster", "window", "soup", "ferry", "gate", "hose", "saw"]
    said = "You are a careful clerk. Read the message below and say which of the seven queues it belongs to.\n\n"
    return [{"question": f"{said}The {topics[i]} is late", "answer": topics[-i]} for i in range(count)]


def test_a_shared_instruction_makes_no_group(put):
    assert told(put(*(line(**row) for row in shared_instruction(12)))) == []
    assert len(split(shared_instruction(12), held_out=0.2)["test"]) == 3
    words = ["dog", "dogs", "river", "table", "window", "flower", "horse", "bread", "moon", "chair", "car", "care"]
    both = [line(f"Translate into {name}: {word}", word) for name in ("Spanish", "French", "Dutch") for word in words]
    assert told(put(*both)) == []
    again = (
        line("Translate into Dutch: the dark river in the forest"),
        line("Translate into Dutch: dark river in the forest"),
    )
    assert [p.code for p in told(put(*both, *again))] == ["near_duplicate"]
    with pytest.raises(ValueError, match="near-duplicate questions stay on one side"):
        split(shared_instruction(2), held_out=0.2)


# Legitimate pairs in many scripts and notations: nothing is told of them, and a repair leaves their bytes.

LEGITIMATE = r"""
What is a plover?|A wading bird.
Wie groß ist die Straße?|Sie ist 5 m breit und 1,2 km lang.
¿Cuánto cuesta el niño?|«No se vende», dijo.
Où est l'œuvre d'art ?|À Noël, elle était là-bas : c'est sûr.
Qual é a capital?|A MAÇÃ está em São Paulo; “AMANHÔ, disse.
Gdzie jest łódź?|Żółta łódź leży w porcie.
İstanbul nerede?|Iğdır'ın batısında.
Bạn tên là gì?|Tôi tên là Nguyễn.
Hol van az őz?|Az erdőben, a tűz mögött.
Πού είναι ο πύργος;|Στην Αθήνα.
Где находится насос?|Слева от клапана.
Որտե՞ղ է կամուրջը|Գետի վրա։
სად არის ხიდი?|მდინარეზე.
מָה הַתַּאֲרִיךְ?|12.5.2024‏
מה שמך?|שמי דנה ‎(Dana)‎.
أين الكتاب؟|في المَكتَبة.
چند PDF‌ها را باز کنم؟|همهٔ فایل‌های PDF‌ها را باز کنید.
یک مرد 20‌ساله چه می‌خواهد؟|او کار می‌خواهد.
کتاب کہاں ہے؟|میز پر ہے۔
दिन का अर्थ बताओ|दिवस
क्‍या यह शर्त्‌ है?|हाँ, यह है।
বইটি কোথায়?|টেবিলের উপর।
புத்தகம் எங்கே?|மேசையில்.
పుస్తకం ఎక్కడ?|బల్ల మీద.
ಪುಸ್ತಕ ಎಲ್ಲಿದೆ?|ಮೇಜಿನ ಮೇಲೆ.
പുസ്തകം എവിടെ?|മേശപ്പുറത്ത് അവൻ‍.
පොත කොහෙද?|මේසය උඩ ශ්‍රී.
หนังสืออยู่​ที่ไหน|อยู่​บน​โต๊ะ
ປຶ້ມ​ຢູ່​ໃສ|ຢູ່​ເທິງ​ໂຕະ
ស្នប់​ទឹក​នៅ​ឯណា?|នៅ​ខាង​ឆ្វេង​ជិត​ជញ្ជាំង។
စာအုပ်​ဘယ်မှာလဲ|စားပွဲ​ပေါ်မှာ။
དེབ་ག་པར་ཡོད།|ཅོག་ཙེའི་སྒང་ལ།
ᠪᠠᠶᠢᠨ᠎ᠠ ᠤᠤ?|ᠲᠡᠶᠢᠮᠦ ᠪᠣᠯ᠎ᠤᠭᠰᠠᠨ᠃
መጽሐፉ የት ነው?|ጠረጴዛው ላይ።
书在哪里？|在桌子上。
本はどこですか。|机の上です。　はい。
책은 어디에 있어요?|책상 위에 있어요.
ᎭᏢ ᎪᏪᎵ?|ᎦᏍᎩᎶᎩ.
What is C++?|A language with classes; C is older, C# is by Microsoft.
F# pipe?|[1;2] |> List.map f <| x
Haskell choice?|p <|> q
Generic in Rust?|fn f<'a, T: Into<&'a str>>(x: T) -> Vec<T>
Here document?|cat <<EOF⏎hi⏎EOF
SQL?|SELECT * FROM t WHERE a='b' AND c <> 4;
Regex?|^\s*\[INST\]\d+$
Jinja?|{{ question }} {% if x %}
Decorator?|@pytest.mark.parametrize
LaTeX?|$\nu = \frac{\alpha}{\nabla}$ and \begin{align}x\end{align}
Greek maths?|∀x ∈ ℝ: x² ≥ 0 ⇒ √(x²) = |x|
Power of 5 MW against 5 mW?|A ratio of 10⁹.
Temperature?|−40 °C = −40 °F; ±0.5 µm
Chess?|1. e4 e5 2. Nf3 Nc6 3. Bb5 a6 ♔
Chemistry?|2 H₂O → 2 H₂ + O₂; Co is no CO
Which section?|See 3.2.1.4 of the standard and § 12.4.40.2
Which OID?|1.3.6.1 is an arc; also 2.5.4.3 and 1.3.6.1.4.1.311.21.20
Which version?|Release 10.15.7.1 of 2024-01-02T10:00:00Z
Which ISBN and UUID?|978-3-16-148410-0, 123e4567-e89b-12d3-a456-426614174000
Which path?|C:\new\names or /usr/lib/x86_64
Strike it?|<s>old</s> price
A family and a flag?|👨‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 ☕️
כמה זה עולה ב-⁨Amazon⁩?|המחיר ב-⁦Amazon⁩ הוא ‏120 ש״ח.
من كتب ‪Harry Potter‬؟|كتبته ‫ج. ك. رولينغ‬.
Comment nomme-t-on « Â » ?|C'est un « A » avec un accent ; «Â» aussi.
Which energy has a photon?|It is h\nu, and (\nabla) is nabla.
Which line end has Windows?|Windows uses \r\n, Unix uses \n.
Any line break as a regex?|(?:\r\n|\r|\n)
Newlines for commas in sed?|s/,/\n/g
Mean magnetisation?|<|m|> for each site
Which multicast address has mDNS?|224.0.0.251; SSDP has 239.255.255.250.
Classes of IPv4?|A: 1.0.0.0 to 126.255.255.255, B: 128.0.0.0 to 191.255.255.255
Which enzyme is fatty acid synthase?|EC 2.3.1.85
¿Qué versión?|La versión 4.8.0.76.
"""


def test_what_is_legitimate_stays_quiet(tmp_path, put):
    pairs = [row.replace("⏎", "\n").split("|", 1) for row in LEGITIMATE.strip().split("\n")]
    code = [("Complete:\ndef f(x):\n", "    return x + 1\n"), ("Go on:\n- a\n", "  - b\n"), ("Print?", 'print("a\\n")')]
    path = put(*(line(*pair) for pair in [*pairs, *code]))
    assert len(pairs) == 72
    assert [p for p in validate(path) if p.code != "tokens"] == []
    assert repair(path, tmp_path / "b.jsonl").counts == {}
    assert (tmp_path / "b.jsonl").read_bytes() == path.read_bytes()


NOTED = {
    "mojibake": ["Im GrÃ¼nen", "5 Â°C", "itâ€™s", "Ð¿Ñ€Ð¸", "5 Â£"],
    "literal_escape": ["one\\ntwo", "First.\\n\\nThen."],
    "template_marker": ["So.</s>", "<s>So.", "[INST] r0, r1"],
    "personal_data": ["Our hotline: +49 30 901820", "Card 4111 1111 1111 1111"],
}


@pytest.mark.parametrize(("code", "answer"), [(code, answer) for code, answers in NOTED.items() for answer in answers])
def test_what_is_noted(put, code, answer):
    found = validate(put(line(answer=answer)))
    assert [(p.code, p.severity) for p in found if p.code != "tokens"] == [(code, "note")]


@pytest.mark.parametrize("answer", ["at 91.198.174.192", "Ring +49 30 901820"])
def test_what_is_more_than_noted(put, answer):
    assert told(put(line(answer=answer)))


# What comes from a shell.


def test_a_line_end_in_a_template_from_a_shell(tmp_path, put, labutils):
    options = ["--template", r"Q: {question}\nA: {answer}", "--out", tmp_path / "b.jsonl"]
    assert labutils("format", put(PAIR), *options)[0] == 0
    assert read_jsonl(tmp_path / "b.jsonl") == [{"text": "Q: Which valve leaks?\nA: The left one."}]


@pytest.mark.parametrize(
    "argv",
    [
        ["ask", "caf\udce9?", "--model", "{start}"], ["ask", "why?", "--template", "\udce9", "--model", "{start}"],
        ["validate", "caf\udce9.jsonl"], ["validate", "{file}", "--template", "\udce9{question}{answer}"],
        ["convert", "{file}", "--to", "text", "--out", "{out}", "--question", "caf\udce9"],
        *(["finetune", "{file}", "--model", "{start}", "--out", "{out}", option, value]
          for option in ("--epochs", "--learning-rate", "--replay") for value in ("inf", "nan", "-1", "1e999")),
        ["finetune", "{file}", "--out", "{out}", "--template", "caf\udce9{question}{answer}", "--model", "{start}"],
        ["pretrain", "--corpus", "{file}", "--out", "{out}", "--minutes", "inf"],
    ],
)  # fmt: skip
def test_arguments_that_make_no_sense_are_one_line(tmp_path, labutils, start, argv):
    (tmp_path / "a.jsonl").write_bytes(PAIR)
    names = {"{start}": str(start), "{file}": str(tmp_path / "a.jsonl"), "{out}": str(tmp_path / "out")}
    code, out, err = labutils(*(names.get(word, word) for word in argv))
    assert (code, out, err.count("\n")) == (2, "", 1) and err.startswith("error: ")
    assert [each.name for each in tmp_path.iterdir()] == ["a.jsonl"]
