"""A learner's own file, in the forms in which such files come: read rightly, or refused with what to do."""

import json

import pytest

from labutils.pairs import own
from labutils.pairs.records import split, write_jsonl
from labutils.pairs.validation import validate

PAIR = [{"question": "Hi", "answer": "Hello"}]


@pytest.fixture
def read(tmp_path):
    """A function that writes a file and reads it."""

    def write_and_read(name: str, content: str | bytes, **columns: str) -> own.Own:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return own.read(path, **columns)

    return write_and_read


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "question,answer\nHi,Hello\n"),
        ("a.csv", "question;answer\r\nHi;Hello\r\n\r\n;\r\n"),
        ("a.tsv", "Message\tQueue\nHi\tHello\n"),
        ("a.txt", "text | label\nHi|Hello"),
        ("a.CSV", '\ufeff"review","sentiment"\n"Hi","Hello"\n'),
        ("a.csv", "message,label\nHi,Hello\n".encode("utf-16")),
        ("a.csv", ",input,output\n0,Hi,Hello\n"),
        ("a.csv", "instruction,input,output\nHi,,Hello\n"),
        ("a.jsonl", '{"question": "Hi", "answer": "Hello"}\n'),
        ("a.jsonl", '{"ticket": "Hi", "intent": "Hello"}\n\n'),
        ("a.ndjson", '{"prompt": "Hi", "completion": "Hello"}'),
        ("a.json", '{"data": [{"question": "Hi", "answer": "Hello"}]}'),
        ("a.json", '[{"instruction": "Hi", "input": "", "output": "Hello"}]'),
        ("a.json", '[{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}]'),
        ("a.jsonl", '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}'),
        ("a.jsonl", '{"text": "### Question:\\nHi\\n\\n### Answer:\\nHello"}'),
        ("a.csv", "foo,bar\nHi,Hello\n"),
        (
            "a.csv",
            """conversations\n'[{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]'\n""".replace(
                '"', '""'
            ).replace("'", '"'),
        ),
        ("a.csv", 'question,answer\n"Hi ", Hello\n'),
        ("a.csv", f"{'x' * 60},b\nHi,Hello\n"),  # the longest name of a column
    ],
)
def test_a_pair_is_read_from_every_form(read, name, content):
    assert read(name, content).pairs == PAIR


def test_a_file_of_an_older_spreadsheet_is_read_and_told(read):
    found = read("a.csv", "Meldung;Thema\nTür klemmt;Straße\n".encode("cp1252"))
    assert found.pairs == [{"question": "Tür klemmt", "answer": "Straße"}]
    note = "; it is not UTF-8 and was taken for cp1252: look at its special letters"
    assert found.told.endswith(note)
    assert read("b.csv", "prompt,completion\nTür,zu\n".encode("cp1252")).told.endswith(note)


def test_a_misspelt_name_is_told_with_what_is_there(read, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file none\.jsonl in [^;]+$"):
        own.read(tmp_path / "none.jsonl")
    read("mine.csv", "question,answer\n1,2\n")
    with pytest.raises(FileNotFoundError, match=r"no file min\.csv in .+/; there is mine\.csv"):
        own.read(tmp_path / "min.csv")


def test_it_says_how_the_file_was_understood(read):
    found = read("mine.csv", "id,message,queue,answer by\n7,Hi,Hello,Ann\n8,Ho,Hello,Bob\n")
    assert found.told == (
        "mine.csv: 2 pairs; 'message' is the question, 'queue' the answer (by their names); "
        "other columns: 'id', 'answer by'"
    )
    assert found.pairs[0] == {"question": "Hi", "answer": "Hello", "id": "7", "answer by": "Ann"}
    assert read("b.csv", "foo,bar\nHi,Hello\n").told.endswith("(the only two columns)")
    assert (
        read("c.jsonl", '{"prompt": "Hi", "completion": "Hello"}').told == "c.jsonl: 1 pair; the form prompt/completion"
    )


def test_columns_can_be_said(read):
    table = "message,queue,reply\nHi,sales,Hello\n"
    assert read("a.csv", table).pairs[0]["answer"] == "Hello", "a reply is likelier than a queue"
    assert read("a.csv", table, answer="queue").pairs[0] == {"question": "Hi", "answer": "sales", "reply": "Hello"}
    assert read("a.csv", table, question="reply", answer="message").pairs[0]["question"] == "Hello"
    assert read("a.csv", "a,b\nHello,Hi\n", question="b").pairs == PAIR
    swapped = '{"question": "Hello", "answer": "Hi"}'
    assert read("a.jsonl", swapped, question="answer", answer="question").pairs == PAIR


def test_cells_stay_as_they_stand(read):
    table = 'question,answer\n"two\nlines, ""quoted""",NA\nNone,1e3\n'
    assert [tuple(pair.values()) for pair in read("a.csv", table).pairs] == [
        ('two\nlines, "quoted"', "NA"),
        ("None", "1e3"),
    ]


@pytest.mark.parametrize("answer", ["    x = 1\n    return x", "    return x + 1\n", "  - b", "\tb", "\u3000b"])
def test_the_indentation_of_code_stays(read, answer):
    pairs = [{"question": "Complete:\ndef f(x):\n", "answer": answer}]
    assert read("a.csv", f'question,answer\n"{pairs[0]["question"]}","{answer}"\n').pairs == pairs
    assert read("a.jsonl", json.dumps(pairs[0])).pairs == pairs


def test_half_of_a_character_pair_is_told_by_its_line_and_the_others_go_on(read, tmp_path):
    """What notebook 06 does with a file of one's own."""
    rows = [
        {"ask": f"Where is the {word}?", "reply": word, "id": i} for i, word in enumerate(["axle", "gauge", "hose"])
    ]
    rows.insert(1, {"ask": "A \ud83d?", "reply": "no", "id": "x\ud83d"})
    mine = read("a.jsonl", "".join(json.dumps(row) + "\n" for row in rows), question="ask", answer="reply")
    path = write_jsonl(({key: row[key] for key in ("question", "answer")} for row in mine.pairs), tmp_path / "b.jsonl")
    assert {fault.line for fault in validate(path) if fault.severity == "error"} == {2}
    parts = split([row for line, row in enumerate(mine.pairs, 1) if line != 2], held_out=0.3, near=[])
    assert sorted(row["answer"] for part in parts.values() for row in part) == ["axle", "gauge", "hose"]


def test_values_that_are_no_text_become_text(read):
    lines = '{"text": "a", "label": 1}\n{"text": "b", "label": true}\n{"text": "c", "label": null}\n{"text": "d"}\n'
    assert [pair["answer"] for pair in read("a.jsonl", lines).pairs] == ["1", "true", "", ""]
    assert read("a.csv", "question,answer\nHi,Hello\nHo,\n").pairs[1] == {"question": "Ho", "answer": ""}


CSV_UTF8 = 'not UTF-8; in a spreadsheet, save it as "CSV UTF-8"'


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", "", "a.xlsx: expected one of .csv, .tsv, .txt, .jsonl, .json, .ndjson; save a table as CSV"),
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "\n\n", "a.csv is empty"),
        ("a.csv", "question,answer\n", "holds no pairs"),
        ("a.jsonl", "\n", "holds no pairs"),
        ("a.csv", "question\nHi\n", "there are 'question'. A pair has two texts"),
        ("a.csv", "foo,bar,baz\n1,2,3\n", "there are 'foo', 'bar', 'baz'"),
        ("a.csv", "question,answer\n1,2\n1,2,3\n", "line 3: 3 columns where the header has 2"),
        ("a.csv", "question,answer\n1\n", "line 2: 1 columns"),
        ("a.csv", 'question,answer\n"a"b,c\n', "line 2: .*a quote inside a quoted text is doubled"),
        ("a.csv", b"question,answer\n1,2\xe9\ncaf\x81,b\n", f"line 2: {CSV_UTF8}"),
        ("a.csv", "question,answer\nTür,zu\n".encode() + b"caf\xe9,b\n", f"line 3: {CSV_UTF8}"),
        ("a.csv", "question,answer\nTür,zu\n".encode("utf-16") + b"x", f"line 3: {CSV_UTF8}"),
        ("a.csv", "answer,answer\n1,2\n", "'answer' occurs twice"),
        ("a.csv", "x" * 61 + ",b\n1,2\n", "looks like a row"),
        ("a.csv", "Which valve leaks?,The left one\nHow long is it?,Four metres\n", "looks like a row"),
        ("a.csv", "Wo steht das.;hier\nWo liegt das.;dort\n", "looks like a row"),
        ("a.csv", "good stuff,praise\nbad stuff,blame\nfine stuff,praise\n", "looks like a row"),
        ("a.csv", "1,2\n3,4\n", "looks like a row"),
        ("a.csv", "Art,Nachricht\nspam,Gewinnen Sie jetzt\nham,Bis morgen am See\n", "'Art' looks like the labels of"),
        ("a.csv", "k,t\nx,aaa bbb\ny,ccc ddd\nx,eee fff\n", "'k' looks like the labels of 't'"),
        ("a.csv", 'en\tde\n"Stop\tHalt\nGo"\tLos\nWait\tWarte\n', "line 2: a quote joins 2 lines that look like rows"),
        ("a.csv", 'en,de\n"Stop,Halt\nGo",Los\n', "line 2: a quote joins 2 lines that look like rows"),
        ("a.csv", 'en,de\nWait,Warte\n"Stop,Halt\nGo,Los\n', "line 3: .* one that opens a text must close"),
        ("a.jsonl", '{"question": "Hi"\n', "line 1: .*may be cut off"),
        ("a.jsonl", "[1]", "line 1: expected an object, got int"),
        ("a.jsonl", '{"message": "Hi", "label": "a"}\n{"message": {}, "label": "a"}',
         "line 2: 'message' must be a text"),
        ("a.jsonl", '{"text": "Once upon a time"}', "line 1: the text does not follow the template"),
        ("a.jsonl", '{"messages": [{"role": "user", "content": "Hi"}]}', "line 1: .*one question and one answer"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_what_to_do(read, name, content, words):
    with pytest.raises(ValueError, match=words) as refused:
        read(name, content)
    assert len(str(refused.value)) < 300


def test_a_column_that_is_not_there(read):
    with pytest.raises(ValueError, match="no column 'reply'; there are 'question', 'answer'"):
        read("a.csv", "question,answer\nHi,Hello\n", answer="reply")
    with pytest.raises(ValueError, match="cannot tell which"):
        read("a.csv", "question,answer\nHi,Hello\n", question="answer", answer="answer")
