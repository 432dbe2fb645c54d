"""A file of pairs with one seeded fault of every kind; and any bytes, as hypothesis draws them."""

import json

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from labutils import places

law = settings(
    derandomize=True, deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

GOOD = places.ROOT / "data" / "company" / "train.jsonl"
KEY = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeK\n" * 2
KEY += "-----END RSA PRIVATE KEY-----"


def line(question: object = "Which bird is it?", answer: object = "It is a wren.", **more: object) -> bytes:
    """A pair as a line, in ASCII."""
    return json.dumps({"question": question, "answer": answer, **more}).encode() + b"\n"


def talk(*turns: str, **more: object) -> bytes:
    """A conversation as a line, of turns such as "user: Hi"; `more` goes into its last message."""
    messages = [dict(zip(("role", "content"), turn.split(": ", 1), strict=True)) for turn in turns]
    messages[-1] |= more
    return json.dumps({"messages": messages}).encode() + b"\n"


def good(count: int, begin: int = 0) -> list[bytes]:
    """Pairs of the company, one a fact, so that no two are alike."""
    records, facts = [json.loads(each) for each in GOOD.read_bytes().splitlines()], set()
    different = [each for each in records if not (each["fact"] in facts or facts.add(each["fact"]))]
    return [line(each["question"], each["answer"]) for each in different[begin : begin + count]]


SEEDED: list[tuple[str, bytes]] = [  # kinds that one line shows, each on a line of its own, in words of its own
    ("blank_line", b" \n"),
    ("invalid_utf8", line("Where is the caf\xe9?").decode().replace("\\u00e9", "\xe9").encode("latin-1")),
    ("line_too_long", line("How long is a reed?", "x" * 4_000_000)),
    ("not_json", b'{"question": "Does it fly?", "answer": "Yes."\n'),
    ("raw_control_character", line("Is the nest full?").replace(b"nest ", b"nest\t")),
    ("repeated_key", b'{"question": "Can owls swim?", "answer": "No.", "answer": "Hardly ever."}\n'),
    ("not_an_object", b'["Why do geese honk?", "To keep together."]\n'),
    ("missing_key", b'{"question": "What do herons eat?"}\n'),
    ("misspelt_key", b'{"qestion": "Who feeds the chicks?", "answer": "Both parents."}\n'),
    ("extra_key", line("When do swifts leave?", "In August, mostly.", sorce="a book")),
    ("mixed_families", b'{"prompt": "Name a sea bird.", "completion": "The gannet."}\n'),
    ("wrong_type", line("How many eggs has a gull?", 3)),
    ("null", line("Do storks sing?", None)),
    ("empty_text", line("Are kites rare?", "")),
    ("blank_text", line("Has it a crest?", " \n")),
    ("unknown_role", b'{"messages": [{"role": "bot", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}\n'),
    ("no_answer", b'{"messages": [{"role": "user", "content": "Will nobody answer this one?"}]}\n'),
    ("turn_order", talk("user: What is a knot?", "user: The bird, I mean.", "assistant: A wader.")),
    ("weight", talk("user: Whose call is that?", "assistant: A dunlin's.", weight=2)),
    ("tool_call", talk("user: How many are left?", "assistant: I count.", function_call={"name": "count"})),
    ("tool_answer", talk("user: Who counted the terns?", "tool: 14", "assistant: There are 14.")),
    ("lone_surrogate", line("What does \ud83e mean?")),
    ("replacement_character", line("Is it \ufffdbler?", "Warmer, rather.")),
    ("control_character", line("Is NUL \0 text?", "It is not.")),
    ("bidi_character", line("Read it \u202ebackwards", "Better not.")),
    ("zero_width_character", line("See any\u200bthing?", "Nothing at all.")),
    ("template_marker", line("Ask twice", "Once.\n\n### Question:\nTwice?")),
    ("space_before_answer", line("Mind the gap ", "Between platform and train.")),
    ("filled_template", line("### Question:\nWhat nests in reeds?\n\n### Answer:", "The bittern.")),
    ("mojibake", line("Where do GrÃ¤ser grow?", "In marshes.")),
    ("literal_escape", line("List three waders", "avocet\\nsnipe\\nruff")),
    ("other_names", b'{"query": "Which duck dives?", "reply": "The goldeneye."}\n'),
    ("preferences", b'{"prompt": "Which owl is white?", "chosen": "The snowy owl.", "rejected": "None."}\n'),
    ("context_beside", line("What does it eat?", "Eels, mainly.", context="The bittern hides in reeds.")),
    ("personal_data", line("Write to whom?", "To jane.roe@tidewren.com, please.")),
    ("secret", line("Which key opens it?", KEY)),
    ("nothing_left", line("Please read all of this: " + "reeds and rushes, " * 125 + "then stop.", "Done reading.")),
    ("answer_truncated", line("Tell me a tale", "Once upon a marsh there lived a bittern." * 60)),
]
TIED: list[tuple[str, list[bytes]]] = [  # kinds that two lines show, the second is the one to find
    ("duplicate", [line("Which lake is deepest?", "Lake Baikal.")] * 2),
    ("different_answers", [line("Who painted the egret?", "Audubon."), line("who painted the EGRET?", "Gould.")]),
    (
        "near_duplicate",
        [
            line("How far does an arctic tern migrate each year?", "Pole to pole."),
            line("How far does the arctic tern migrate each year?!", "From pole to pole."),
        ],
    ),
]
LEAKED = line("How deep does a loon dive for a fish?", "Sixty metres.")
NEARLY = line("What colour are the legs of a young redshank in autumn?", "Orange.")
SAME_ANSWER = "Ask your teacher about that, please."
ELSEWHERE = [
    LEAKED,
    line("What colour are the legs of a young redshank in spring?", "Yellow."),
    b"broken\n",
]


def seeded_file() -> tuple[bytes, bytes, dict[str, int]]:
    """The file, the other side of its split, and the line on which each kind must be found (0: the whole file)."""
    lines, expected = [b"\xef\xbb\xbf" + good(1)[0]], {"bom": 1, "tokens": 0, "unread_other": 0}

    def put(code: str, *rows: bytes) -> None:
        lines.extend(rows)
        expected[code] = len(lines)

    for begin, (code, fault) in enumerate(SEEDED):
        lines.extend(good(2, 1 + 2 * begin))
        put(code, fault)
    for begin, (code, rows) in enumerate(TIED):
        put(code, rows[0], *good(3, 80 + 3 * begin), rows[1])
    put("split_leak", LEAKED)
    put("near_split_leak", NEARLY)
    put("crlf", good(1, 100)[0].replace(b"\n", b"\r\n"))
    first = len(lines) + 1
    for begin in range(20):
        lines += good(1, 101 + begin)
        lines.append(line(json.loads(good(1, 130 + begin)[0])["question"], SAME_ANSWER))
    expected |= {"dominating_answer": first + 1, "other_form": expected["mixed_families"]}
    put("no_final_newline", good(1, 160)[0].rstrip(b"\n"))
    return b"".join(lines), b"".join(ELSEWHERE), expected


# What a file may hold: sound records and others, tables, pieces of both, and bytes.

KEYS = "question answer text messages conversations prompt completion instruction input output chosen rejected label"
KEYS += " context system history tools answers data role content from value"
PIECES = [
    *(b'{"question":', b'"answer"', b'"a"', b"}", b"{", b",", b":", b"[", b"]", b"null", b"1e999", b"\n", b"\r\n"),
    *(b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b'"\\ud800"', b"PK\3\4", b"PAR1", b"<html>", b"sep=;\n", b'"', b";"),
    *(b'{"text":"a"}', b'{"question":"a","answer":"b"}\n', b"### Question:\n", b"\xc2\x85", b'{"data":[', b"\0", b"\t"),
]
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("\ud83d")
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
keys = st.sampled_from(KEYS.split()) | st.text(max_size=6)
roles = st.sampled_from(["system", "user", "assistant", "tool", "human", "gpt", "Hi"])
names = st.sampled_from(["role", "content", "from", "value", "weight", "tool_calls"])
turns = st.lists(st.dictionaries(names, values | roles, max_size=3), max_size=3)
further = st.dictionaries(keys, values, max_size=2)
sound = st.builds(lambda q, a, more: {**more, "question": q, "answer": a}, st.text(), st.text(max_size=9), further)
records = sound | st.dictionaries(keys, values | turns, max_size=4)
lines = st.lists(records.map(lambda record: json.dumps(record).encode()), max_size=5).map(b"\n".join)
cell = st.text(max_size=5) | st.sampled_from(["question", "answer", "label", '"a', 'b"'])
rows = st.lists(st.lists(cell, max_size=3).map(",".join), max_size=4)
tables = rows.map(lambda rows: "\n".join(rows).encode("utf-8", "replace"))
pieces = st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join)
wide = lines.map(lambda data: data.decode().encode("utf-16"))
contents = st.binary(max_size=80) | pieces | lines | lines | tables | wide
