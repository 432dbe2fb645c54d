"""Surveys of made-up documents by hand, parts that merge, the command; sketches and languages that surveys hold."""

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import FileServer
from hypothesis import given, settings
from hypothesis import strategies as st

from labutils import places
from labutils.corpus import sharded, sources, survey
from labutils.corpus.sampling import composition, summary
from labutils.corpus.sharded import Part, SampleSpec, Sizes
from labutils.corpus.survey import (
    DuplicateCounter,
    Lengths,
    NearDuplicates,
    Survey,
    Tally,
    content_hash,
    language,
    rounded,
)
from labutils.lesson import cli_data as command
from labutils.lesson import terminal
from labutils.run import PeakMemory

law = settings(derandomize=True, deadline=None, max_examples=30)
PROSE = "The plover measures wind and rain on the coast of the island.\n"
SMALL = ["idna", "certifi", "six", "h11"]


def document(text: str, name: str | None = "READMEs", package: str | None = "bird") -> dict:
    return {"text": text, "meta": {"pile_set_name": name, "package": package}}


DOCUMENTS = [
    document(PROSE),
    document(PROSE),
    document(PROSE * 3 + "Write to a.b@plover.org or c@plover.org.", package="wren"),
    document("sing = 1\n", "Python"),
    {"text": "Größe", "meta": {}},
]


def test_what_a_survey_counts():
    found = survey.of(DOCUMENTS, tokens=lambda text: len(text.split()))
    assert found.tallies == {
        ("bird", "READMEs"): Tally(2, 124, 2 * 62**2),
        ("wren", "READMEs"): Tally(1, 226, 226**2),
        ("bird", "Python"): Tally(1, 9, 81),
        ("", "(no set)"): Tally(1, 7, 49),
    }
    assert (found.characters.total, found.characters.largest) == (62 + 62 + 226 + 9 + 5, 226)
    assert (found.tokens.total, found.tokens.largest) == (12 + 12 + 41 + 3 + 1, 41)
    assert found.languages == {"en": 3, "unclear": 1}
    assert sorted(found.repeats.counts.values()) == [1, 1, 1, 2]
    assert len(found.alike.texts()) == 4
    assert (found.found, found.holders) == ({"e-mail": 2}, {"e-mail": 1})
    empty = summary(Part(SampleSpec("a.jsonl"), ((0, 1),), survey.of([])))
    assert (empty["documents"], empty["composition"], empty["lengths"]) == (0, [], {"characters": None, "tokens": None})
    assert "all of it; 0 documents" in command.survey_text(empty)


pile = st.lists(
    st.builds(
        document,
        st.sampled_from([PROSE, PROSE * 9, "x", "", "a@plover.org", "\ud800", "<script>\x1b[31m"])
        | st.text(max_size=30),
        st.sampled_from(["Python", "READMEs", None, "\x1b"]),
        st.sampled_from(["bird", "wren", None]),
    ),
    max_size=8,
)


@law
@given(pile, pile, pile)
def test_merging_is_counting_together(a, b, c):
    one, other, third = (survey.of(each, tokens=len) for each in (a, b, c))
    before, whole = one.to_dict(), survey.of(a + b + c, tokens=len)
    assert survey.merge(survey.merge(one, other), third) == whole == survey.merge(whole, Survey())
    assert survey.merge(third, survey.merge(other, one)).to_dict() == whole.to_dict() and one.to_dict() == before
    assert survey.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    """Sixty documents of six packages as JSON Lines."""
    path = tmp_path_factory.mktemp("survey") / "documents.jsonl"
    prose = [PROSE, "Der Regenpfeifer misst Wind und Regen.\n", "Le pluvier mesure le vent et la pluie.\n", ""]
    lines = [document(prose[i % 4] * (i % 7), ("Python", "READMEs")[i % 5 < 4], f"package{i % 6}") for i in range(60)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def merged_again(parts: list[Part]) -> Part:
    """Four parts, through JSON, merged two by two."""
    one, other, third, fourth = (sharded.from_dict(json.loads(json.dumps(part.to_dict()))) for part in parts)
    return sharded.merge(sharded.merge(one, other), sharded.merge(third, fourth))


@pytest.mark.parametrize("limit", [None, 23])
def test_four_merged_shards_are_one_run(file, limit):
    whole = sharded.run(file, limit=limit, seed=3, processes=1)
    assert sum(tally.documents for tally in whole.survey.tallies.values()) == (limit or 60)
    shards = [sharded.run(file, limit=limit, seed=3, shard=(i, 4), processes=1) for i in (2, 0, 3, 1)]
    merged = merged_again(shards)
    assert merged == whole and merged.whole and not sharded.merge(*shards[:2]).whole
    assert json.dumps(merged.to_dict()) == json.dumps(whole.to_dict())
    assert json.dumps(summary(merged)) == json.dumps(summary(whole))


@pytest.fixture
def installed(monkeypatch) -> int:
    """Only a few small packages are installed: how many files they list."""
    found = [each for name in SMALL for each in sources.metadata.distributions(name=name)]
    monkeypatch.setattr(sources.metadata, "distributions", lambda: found)
    return len(list(sources.listed()))


def test_shards_of_installed_files_know_the_sizes_of_all(installed):
    how = {"limit": installed // 2, "seed": 1}
    whole = sharded.run(**how, processes=1)
    listed, drawn = list(sources.listed()), list(sources.listed(**how))
    assert sum(row.listed for row in whole.sizes) == sum(file["bytes"] for file in listed)
    assert sum(row.drawn for row in whole.sizes) == sum(file["bytes"] for file in drawn) > 0
    assert sum(row.squares for row in whole.sizes) == sum(file["bytes"] ** 2 for file in drawn)
    shards = [sharded.run(**how, shard=(i, 4), processes=1) for i in (2, 0, 3, 1)]
    merged, one = merged_again(shards), shards[0]
    assert merged == whole and json.dumps(summary(merged)) == json.dumps(summary(whole))
    assert (summary(whole)["shares_of_bytes"], summary(one)["shares_of_bytes"]) == ("listed sizes", "bytes read")
    assert "Shares of bytes are estimated" in command.survey_text(summary(whole)) and one.sizes == ()
    assert "Shares of bytes are estimated" not in command.survey_text(summary(one))


@pytest.mark.parametrize("more", [None, 0, 5])
def test_nothing_is_estimated_where_all_files_are_read(installed, more):
    part = sharded.run(limit=None if more is None else installed + more, processes=1)
    assert part.sizes == () and part.drawn.read == 1
    assert all(row["bytes_draw_low"] == row["bytes_share"] == row["bytes_draw_high"] for row in composition(part))


def test_a_share_of_bytes_is_of_all_that_is_listed():
    """One file a set was drawn; lists say that one set holds nine times as much, and of the other half is text."""
    sizes = (Sizes("p", "Python", 100, 10_000, 900), Sizes("q", "JSON", 200, 40_000, 200))
    found = survey.of([document("x" * 100, "Python", "p"), document("x" * 100, "JSON", "q")])
    rows = {row["set"]: row for row in composition(Part(SampleSpec("installed", 2, 0, 10, sizes), ((0, 1),), found))}
    assert [(rows[name]["bytes"], rows[name]["bytes_share"]) for name in ("Python", "JSON")] == [(100, 0.9), (100, 0.1)]
    assert rows["Python"]["bytes_draw_high"] == 0.9 and rows["XML"]["bytes_high"] == 0
    lone = {row["set"]: row for row in composition(Part(SampleSpec("installed", 2, 0, 10, sizes), ((0, 2),), found))}
    assert lone["Python"]["bytes_share"] == 0.5  # of a part with shards missing, lists say nothing


@pytest.mark.parametrize("plain", [{}, [], {"tallies": 1}, {**Survey().to_dict(), "tallies": [["a"]]}])
def test_json_that_is_no_survey(plain):
    with pytest.raises(ValueError, match=r"^not the JSON of a survey "):
        survey.from_dict(plain)
    for sizes in (1, ["ab"], [["p", "Python", 1, 1]], [["p", "Python", 1, 1, "x"]], [[]]):
        part = Part(SampleSpec("installed", 2, 0, 10), ((0, 1),)).to_dict()
        with pytest.raises(ValueError, match=r"^not the JSON of a part "):
            sharded.from_dict({**part, "drawn": {**part["drawn"], "sizes": sizes}})


def test_processes_do_not_change_a_survey(file):
    of_two = sharded.run(file, limit=23, shard=(1, 2), processes=2, tokens=len)
    assert of_two == sharded.run(file, limit=23, shard=(1, 2), processes=1, tokens=len)
    assert of_two.shards == ((1, 2),) and of_two.survey.tokens.bins


def test_a_far_file_comes_over_the_network_once(file):
    with FileServer(Path(file).read_bytes()) as server:
        far, near = (sharded.run(source, limit=23, processes=2) for source in (server.url, file))
        assert len(server.asked) == 1 and far == replace(near, drawn=replace(near.drawn, source=server.url))
    with FileServer(b'{"text": "a"}\n3\n') as server, pytest.raises(ValueError, match=f"^{server.url}, line 2: "):
        sharded.run(server.url)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [((0, 4), (0, 4), 1), ((0, 4), (0, 2), 1), ((1, 4), (0, 2), 0), ((1, 4), (1, 3), 1), ((0, 1), (2, 3), 1)],
)
def test_no_document_is_counted_twice(one, other, shared):
    first, second = (Part(SampleSpec("a.jsonl"), (shard,)) for shard in (one, other))
    if shared:
        with pytest.raises(ValueError, match=r"^shards \d/\d and \d/\d share documents; "):
            sharded.merge(first, second)
    else:
        assert sharded.merge(first, second).shards == tuple(sorted({one, other}))
    with pytest.raises(ValueError, match=r"^parts of different surveys: ") as raised:
        sharded.merge(first, Part(SampleSpec("a.jsonl", sizes=(Sizes("p", "Python", 1, 1, 1),)), ((1, 2),)))
    assert "Sizes" not in str(raised.value)


def drawn(documents: list[dict], limit: int | None = None, listed: int = 100) -> Part:
    return Part(SampleSpec("a.jsonl", limit, 0, listed), ((0, 1),), survey.of(documents))


def test_a_composition_by_documents_and_by_bytes():
    many = [document("x" * 30, "A", f"p{i % 5}") for i in range(30)]
    rows = composition(drawn([*many, document("x" * 100, "B", "q")]))
    assert [(row["set"], row["documents"], row["bytes"]) for row in rows] == [("A", 30, 900), ("B", 1, 100)]
    assert [row["share"] for row in rows] == [pytest.approx(30 / 31, abs=1e-6), pytest.approx(1 / 31, abs=1e-6)]
    assert [row["bytes_share"] for row in rows] == [0.9, 0.1]
    for row in rows:
        assert row["draw_low"] == row["draw_high"] == row["share"]  # nothing was left out
        assert row["low"] <= row["share"] <= row["high"] and row["low"] < row["high"]
    sample = composition(drawn([document("x", "A"), document("x", "A")], limit=2))
    assert (sample[0]["share"], sample[0]["draw_high"]) == (1.0, 1.0) and 0 < sample[0]["draw_low"] < 1
    part = Part(SampleSpec("installed", 9, 0, 18), ((0, 1),), survey.of([document("x", "Python")] * 9))
    rows = {row["set"]: row for row in composition(part)}  # of all sets but one, none was drawn
    assert next(iter(rows)) == "Python" and set(rows) == set(sources.SETS)
    assert (rows["XML"]["documents"], rows["XML"]["share"]) == (0, 0.0)
    assert 0.1 < rows["XML"]["draw_high"] < 0.2 and rows["XML"]["high"] >= rows["XML"]["draw_high"]


def test_the_rest_of_a_summary():
    herons = "Nobody knows how many herons stand in the shallows."
    texts = [f"{PROSE * 9}and version {i}" for i in range(3)] + [herons] * 2
    found = summary(drawn([document(text, package=f"p{i}") for i, text in enumerate(texts)], limit=5))
    assert found["exact_duplicates"] == {"compared": 5, "copies": 1, "share": 0.2, "sampled": 1.0}
    near = {name: found["near_duplicates"][name] for name in ("compared", "in_groups", "groups", "share")}
    assert near == {"compared": 4, "in_groups": 3, "groups": 1, "share": 0.75}
    assert found["lengths"]["characters"]["largest"] == 9 * 62 + 13 and found["lengths"]["tokens"] is None
    assert found["packages"]["number"] == 5
    assert found["packages"]["most"][0] == {"package": "p0", "documents": 1, "bytes": 9 * 62 + 13}
    assert found["personal"] == {} and found["languages"] == {"en": 5} and json.dumps(found)


@pytest.fixture
def labutils(labutils, monkeypatch):
    """The function that runs a command, on one core."""
    monkeypatch.setattr(sharded.machine, "cores", lambda: 1)
    return labutils


def test_the_command(labutils, file):
    code, out, err = labutils("survey", "--source", file, "--limit", 23, "--seed", 3)
    lines = out.splitlines()
    assert (code, err) == (0, "") and lines[0].endswith(", 6 packages")
    assert "23 of 60 drawn, seed 3; 23 documents, " in lines[0]
    heads = "set  documents  share  whole corpus  other packages  bytes  share  other packages"
    assert re.split("  +", lines[2]) == heads.split("  ")
    assert [line.split()[0] for line in lines[3:5]] == ["READMEs", "Python"]
    code, out, _ = labutils("survey", "--source", file, "--limit", 23, "--seed", 3, "--json")
    assert (code, json.loads(out)) == (0, summary(sharded.run(file, limit=23, seed=3, processes=1)))
    assert list(map(terminal.percent, (0, 0.123, 0.01, 0.0099, 1))) == ["0.0 %", "12.3 %", "1.0 %", "0.99 %", "100.0 %"]


def test_the_command_merges_what_it_wrote(labutils, file, tmp_path):
    paths = [tmp_path / f"{i}.json" for i in range(4)]
    for i, path in enumerate(paths):
        code, out, _ = labutils("survey", "--source", file, "--shard", f"{i}/4")
        path.write_text(out)
    whole = labutils("survey", "--source", file, "--json")
    assert code == 0 and labutils("survey", "--merge", *paths[::-1], "--json") == whole
    assert "only a part: shards 1/2\n" in labutils("survey", "--merge", paths[1], paths[3])[1]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ("--source nowhere.jsonl", "no such file: nowhere.jsonl"),
        ("--source bad.jsonl", "bad.jsonl, line 2: not JSON"),
        ("--source c4", "nothing lists what c4 holds"),
        ("--shard 4/4", "expected I/N with 0 <= I < N, such as 0/4, got '4/4'"),
        ("--shard x", "expected I/N with 0 <= I < N, such as 0/4, got 'x'"),
        ("--limit 0", "limit must be at least 1, got 0"),
        ("--limit x", "invalid int value: 'x'"),
        ("--merge bad.jsonl", "bad.jsonl: expected what `survey --shard` prints; "),
        ("--merge deep.json", "deep.json: expected what `survey --shard` prints; "),
        ("--merge whole.json --limit 5", "--merge takes files alone"),
        ("--merge whole.json whole.json", "shards 0/1 and 0/1 share documents"),
        ("--merge nowhere.json", "no such file: nowhere.json"),
    ],
)
def test_a_refusal_is_one_line(refused, tmp_path, monkeypatch, argv, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jsonl").write_text('{"text": "a"}\n{"text"\n')
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "whole.json").write_text(json.dumps(drawn([]).to_dict()))
    refused(f"survey {argv}", words)


def test_text_from_a_file_is_inert_on_a_terminal(labutils, tmp_path):
    evil = "\x1b[31mred\x07\u202e\ud800<b>\n" * 20
    path = tmp_path / "evil.jsonl"
    path.write_text(json.dumps({"text": evil, "meta": {"pile_set_name": evil, "package": evil, "path": 7}}) + "\n")
    code, out, _ = labutils("survey", "--source", path)
    assert code == 0 and "[U+001B][31mred[U+0007][U+202E]" in out
    assert all(sign.isprintable() for line in out.split("\n") for sign in line)
    assert max(map(len, out.split("\n"))) < 400


# what a survey holds: lengths, repeats, near-duplicates, languages


def filled(sketch, values):
    """A sketch that was given these numbers, contents or texts."""
    for value in values:
        text = (value, value.encode(), content_hash(value.encode())) if isinstance(value, str) else (value,)
        sketch.add(*text)
    return sketch


class Small(DuplicateCounter):
    """Room for four contents."""

    ROOM = 4


class Few(NearDuplicates):
    """Room for three lines of two texts."""

    LINES, TEXTS, BEGINNING = 3, 2, 40


def test_quantiles_of_lengths():
    for n, kept in {0: 0, 127: 127, 128: 128, 129: 128, 130: 130, 1007: 1000, 1008: 1008, 2**40 + 1: 2**40}.items():
        assert rounded(n) == kept and n - kept <= n / 64
    sketch = filled(Lengths(), range(1, 101))
    assert [sketch.quantile(share) for share in (0.0, 0.01, 0.5, 0.95, 1.0)] == [1, 1, 50, 95, 100]
    assert (sketch.total, sketch.largest) == (5050, 100)
    assert Lengths().quantile(0.5) == 0
    assert filled(Lengths(), [1001]).quantile(0.5) == 1000 and filled(Lengths(), [1001]).largest == 1001


def test_repeats_are_exact_up_to_their_room():
    sketch = filled(Small(), [1, 2, 3, 4, 1, 1])
    assert (sketch.level, sketch.counts) == (0, {1: 3, 2: 1, 3: 1, 4: 1})
    fuller = filled(Small(), [1, 2, 3, 4, 1, 1, 6])
    assert (fuller.level, fuller.counts) == (1, {2: 1, 4: 1, 6: 1})
    assert filled(Small(), [5, 8, 16, 24, 32, 8, 40, 8]).counts == {16: 1, 32: 1}
    hashes = [content_hash(b"%d" % i) for i in range(DuplicateCounter.ROOM + 1)]
    assert len(hashes) == 65_537 and filled(DuplicateCounter(), hashes[:-1]).level == 0
    sampled = filled(DuplicateCounter(), hashes)
    assert sampled.level == 1 and set(sampled.counts) == {each for each in hashes if each % 2 == 0}


LONG = "a line that is long enough to choose by\n"


def test_texts_that_share_their_lines_are_kept_together():
    one, other, third = LONG + "x", LONG + "y", LONG + "z"
    sketch = filled(Few(), [one, other, one])
    assert sorted(sketch.texts()) == sorted([one[:40], other[:40]]) and len(sketch.kept) == 1
    assert len(filled(Few(), [one, other, third]).texts()) == 2
    assert len(filled(Few(), ["-" * 19 + "\nx", "-" * 19 + "\ny"]).kept) == 2  # 19 characters choose nothing
    assert len(filled(Few(), ["-" * 20 + "\nx", "-" * 20 + "\ny"]).kept) == 1
    texts = [f"line number {i} is a line of its own" for i in range(50)]
    few = filled(Few(), texts).texts()
    assert len(few) == 3 and set(few) <= {text[:40] for text in texts}
    assert len(filled(NearDuplicates(), texts).texts()) == 50


parts = st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=4)
MADE = [
    (Lengths, lambda i: i * 37),
    (Small, lambda i: i),
    (Few, lambda i: f"{LONG * (i % 2)}the text of the number {i % 13}\n{i}"),
]


@law
@given(parts, st.randoms(use_true_random=False))
@pytest.mark.parametrize(("kind", "value"), MADE, ids=["lengths", "repeats", "alike"])
def test_parts_in_any_order_are_the_whole(kind, value, parts, random):
    def merged(sketches):
        whole = kind()
        for sketch in sketches:
            whole = kind.from_dict(json.loads(json.dumps(whole.merge(sketch).to_dict())))
        return whole

    whole = filled(kind(), [value(i) for part in parts for i in part]).to_dict()
    sketches = [filled(kind(), map(value, part)) for part in parts]
    assert merged(sketches).to_dict() == whole
    random.shuffle(sketches)
    assert merged([merged(sketches[:2]), merged(sketches[2:])]).to_dict() == whole


TEXTS = {
    "The plover measures wind and rain on the coast.": "en",
    "Der Regenpfeifer misst Wind und Regen an der Küste.": "de",
    "Le pluvier mesure le vent et la pluie sur la côte.": "fr",
    "千鳥は海岸で風と雨を測定します。そして毎日その結果を送ります。": "ja",
    "https://plover.org/the/wind <b> 12 + 12 = 24 </b>": "unclear",
    "a" * 19: "unclear",
    "": "unclear",
    "the wind and the rain fell": "en",
    "the wind and the rain, oh": "unclear",  # nineteen letters
    "12 " * 3000 + "the wind of the coast and the rain": "unclear",  # too far behind
}


def test_the_language_of_a_text():
    assert {text: language(text) for text in TEXTS} == TEXTS and language("x" * 10**6) != ""


@pytest.mark.slow
def test_twenty_thousand_documents_in_minutes_and_a_gigabyte():
    """The command as a learner types it; pages that its processes share are counted once each."""
    argv = [sys.executable, "-m", "labutils", "survey", "--limit", "20000", "--json"]
    started = time.monotonic()
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=places.ROOT) as ran:
        watch = PeakMemory(ran.pid)
        watch.start()
        found = json.loads(ran.stdout.read())
    seconds, megabytes = time.monotonic() - started, watch.stop()
    print(f"{seconds:.1f} s, {megabytes:.0f} MB, {found['documents']} documents")
    assert found["documents"] > 0.9 * min(found["limit"], found["listed"])
    assert seconds < 600 and megabytes < 1000
