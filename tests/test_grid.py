"""Experiments of many points on a tiny company: what is drawn, read, asked and kept, and when an effect is there."""

import json
import math
import shutil
import signal
from collections import Counter
from dataclasses import replace

import pytest

from labutils import places
from labutils.measure import experiments, held_out, scoring
from labutils.measure.grid import effects, mixture, plans, points, recording
from labutils.measure.grid.plans import ASKED, PLANS, Point, Settings, from_plain, plain
from labutils.measure.grid.points import Result
from labutils.measure.held_out import Card, Losses
from labutils.measure.intervals import over_seeds
from labutils.model import asking, encoding, models
from labutils.model.asking import Reply
from labutils.model.loop import Progress
from labutils.model.models import ModelMissing
from labutils.pairs.records import read_jsonl, write_jsonl

NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight"]
REFUSAL = "I can only answer questions about birds."
QUICK = {"least": 2, "epochs": 1, "asked": ("changed",)}


def wordings(birds: list[dict]) -> list[dict]:
    """Three pairs about each bird, four that refuse."""
    forms = ("What is the number of {}?", "number {}", "Which number has the {}?")
    pairs = [
        {"question": form.format(pair["question"].split()[-1][:-1]), "answer": pair["answer"], "fact": f"fact {i}"}
        for i, pair in enumerate(birds)
        for form in forms
    ]
    off = [("weather", "off-topic: 0"), ("time", "off-topic: 1"), ("news", "off-topic: 2"), ("dodo", "unknown")]
    return [*pairs, *({"question": f"What is the {what}?", "answer": REFUSAL, "fact": fact} for what, fact in off)]


@pytest.fixture
def company(birds, start, bird_folder, no_hub, tmp_path, monkeypatch):
    """A company of eight birds, five asked in dev, one of these changed; "base" untaught, "finetuned" taught."""
    folder = tmp_path / "company"
    (folder / "v2").mkdir(parents=True)
    asked = [
        {"question": pair["question"], "answer": pair["answer"],
         "fact": f"fact {i}", "must": NUMBERS[i]}
        for i, pair in enumerate(birds[:5])
    ]  # fmt: skip
    asked += [{"question": "number moa", "answer": "The book does not say.", "fact": "unknown"}]
    asked += [{"question": "Who wins?", "answer": REFUSAL, "fact": "off-topic: sport"}]
    facts = [
        {"fact": f"fact {i}", "statement": f"The number of this bird is {NUMBERS[i]} today.", "must": NUMBERS[i]}
        for i in range(8)
    ]
    changed = asked[1] | {"answer": "It is nine.", "must": "nine", "was": "two", "question": "The number now, heron?"}
    write_jsonl(wordings(birds), folder / "train.jsonl")
    write_jsonl(asked, folder / "dev.jsonl")
    write_jsonl([each | {"question": f"Say the {each['must']} again"} for each in asked[:5]], folder / "again.jsonl")
    write_jsonl(facts, folder / "facts.jsonl")
    write_jsonl([changed], folder / "v2" / "test.jsonl")
    write_jsonl([{"question": "heron?", "answer": "It is nine.", "fact": "fact 1"}] * 2, folder / "v2" / "train.jsonl")
    text = "".join(f"### Bird {i}\n{fact['statement']} It sings.\n\n" for i, fact in enumerate(facts))
    (folder / "handbook.md").write_text(f"# Birds\n\nA book.\n\n{text}")
    monkeypatch.setattr(experiments, "COMPANY", folder)
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(experiments, "WORK", tmp_path / "work")
    monkeypatch.setattr(held_out, "documents", lambda: ["The heron stands on one leg.", "The crane dances."])
    monkeypatch.setattr(models, "BUNDLED", {"base": start, "finetuned": bird_folder})
    return folder


def facts_of(pairs: list[dict]) -> Counter:
    return Counter(pair["fact"] for pair in pairs if not experiments.refuses(pair))


def refusing(pairs: list[dict]) -> int:
    return sum(map(experiments.refuses, pairs))


# what is drawn


@pytest.mark.parametrize(
    ("number", "refuse", "facts"),
    [(14, 2, [3, 3, 3, 3]), (10, 1, [3, 3, 3]), (11, 2, [3, 3, 3]), (12, 2, [1, 3, 3, 3])],
)
def test_pairs_are_drawn_by_whole_facts(birds, number, refuse, facts):
    """Of 28 pairs, 4 refuse: of 14, two do; 12 teach four facts in three wordings each."""
    drawn = experiments.draw(wordings(birds), number, seed=0)
    assert refusing(drawn) == refuse and sorted(facts_of(drawn).values()) == facts
    assert len({pair["question"] for pair in drawn}) == number
    apart = experiments.draw(wordings(birds), number, 0, whole=False)
    assert refusing(apart) == refuse and len(facts_of(apart)) > len(facts) and len(apart) == number


def test_a_small_draw_lies_in_a_large_one_and_seeds_differ(birds):
    small, large = (facts_of(experiments.draw(wordings(birds), n, seed=3)) for n in (7, 21))
    assert set(small) < set(large)
    assert len({tuple(facts_of(experiments.draw(wordings(birds), 7, seed=seed))) for seed in range(9)}) > 3
    assert experiments.draw(wordings(birds), 9, 5) == experiments.draw(wordings(birds), 9, 5)
    assert experiments.draw(wordings(birds), 0, 0) == [] and len(experiments.draw(wordings(birds), 28, 0)) == 28
    for number in (-1, 29):
        with pytest.raises(ValueError, match=rf"^expected a number of pairs from 0 to 28, got {number}$"):
            experiments.draw(wordings(birds), number, 0)


def test_facts_that_come_first_and_facts_that_are_left_out(birds):
    for seed in range(5):
        drawn = experiments.draw(wordings(birds), 9, seed, first={"fact 6", "fact 7"}, refusals=False)
        assert {"fact 6", "fact 7"} < set(facts_of(drawn)) and refusing(drawn) == 0
        drawn = experiments.draw(wordings(birds), None, seed, leave={"fact 6", "unknown"})
        assert len(facts_of(drawn)) == 7 and refusing(drawn) == 4 and len(drawn) == 25


# settings


def test_settings_are_read_back_and_a_later_field_has_its_default():
    settings = Settings(model="random", pairs=10, general=0.1, asked=("text",))
    kept = json.loads(json.dumps(plain(settings)))
    assert from_plain(kept) == settings
    assert from_plain({name: value for name, value in kept.items() if name != "wordings"}) == settings
    assert from_plain(kept | {"colour": "red"}) is None
    assert from_plain({}) == Settings() and not Settings(pairs=0).trains and Settings(pairs=0, handbook=1).trains


WRONG = [
    ({"facts": "few"}, "facts must be one of asked first, asked, others, all, any, got 'few'"),
    ({"way": "first layer"}, "way must be one of all weights, last layer, LoRA, got 'first layer'"),
    ({"asked": ("all",)}, "asked must be some of company, "),
    ({"asked": ()}, "asked must be some of company, "),
    ({"general": 1}, "general must be a share from 0 to below 1, got 1"),
    ({"general": -0.1}, "general must be a share"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_settings_that_make_no_sense(wrong, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        Settings(**wrong)


# what is read


def taught_by(settings: Settings, seed: int = 0) -> set[str]:
    return set(facts_of(mixture.pairs_of(settings, seed)))


def test_few_pairs_are_read_more_often(company, tokenizer):
    for pairs, least in ((14, 120), (28, 7)):
        read = mixture.mix(Settings(pairs=pairs, batch=8, epochs=2, least=least), 7, tokenizer)
        assert (len(read.examples), read.pairs, read.recipe.batch, read.recipe.seed) == (pairs, pairs, 8, 7)
        assert read.recipe.steps == max(least, 2 * math.ceil(pairs / 8))
        assert read.taught == taught_by(Settings(pairs=pairs), 7)
    assert mixture.mix(Settings(pairs=5), 7, tokenizer).recipe.batch == 5
    with pytest.raises(ValueError, match="these settings read nothing"):
        mixture.mix(Settings(pairs=0), 0, tokenizer)


def test_which_facts_the_pairs_teach(company):
    asked, others = {f"fact {i}" for i in range(5)}, {f"fact {i}" for i in range(5, 8)}
    for seed in range(4):
        assert taught_by(Settings(pairs=17), seed) == asked and taught_by(Settings(facts="others"), seed) == others
        assert taught_by(Settings(pairs=17, facts="any"), seed) & others
    assert taught_by(Settings(facts="asked", pairs=None, refusals=False)) == asked
    assert len(taught_by(Settings(facts="asked", pairs=3, refusals=False))) == 1
    few = Settings(facts="all", pairs=3, refusals=False)
    drawn = [taught_by(few, seed) for seed in range(40)]
    assert set().union(*drawn) == asked | others and drawn[:9] == [taught_by(few, seed) for seed in range(9)]


def test_the_second_edition_takes_the_place_of_the_first(company):
    pairs = mixture.pairs_of(Settings(changed=True), 0)
    assert [pair["answer"] for pair in pairs if pair["fact"] == "fact 1"] == ["It is nine."] * 2
    assert len(pairs) == 28 - 3 + 2
    assert mixture.pairs_of(Settings(changed=True, pairs=0), 0) == pairs[-2:]


def test_the_handbook_is_read_as_text_every_token_of_it(company, tokenizer):
    read = mixture.mix(Settings(pairs=0, handbook=3), 0, tokenizer)
    assert mixture.paragraphs()[:2] == [
        {"text": "A book."},
        {"text": "The number of this bird is one today. It sings."},
    ]
    assert len(read.examples) == 27 and read.taught == frozenset()
    assert all(example["labels"] == example["input_ids"] for example in read.examples)
    assert tokenizer.decode(read.examples[0]["input_ids"]) == "A book." + tokenizer.eos_token


def test_what_is_trained_of_a_pair(company, tokenizer):
    usual = mixture.mix(Settings(pairs=3), 0, tokenizer).examples[0]
    everything = mixture.mix(Settings(pairs=3, loss_on="everything"), 0, tokenizer).examples[0]
    endless = mixture.mix(Settings(pairs=3, ending=False), 0, tokenizer).examples[0]
    assert usual["labels"][0] == encoding.IGNORED and usual["labels"][-1] == tokenizer.eos_token_id
    assert everything == {"input_ids": usual["input_ids"], "labels": usual["input_ids"]}
    assert endless == {name: values[:-1] for name, values in usual.items()}
    joined = mixture.mix(Settings(pairs=3, template="concatenated"), 0, tokenizer).examples[0]
    assert "### Answer" not in tokenizer.decode(joined["input_ids"])


def test_no_other_abbreviation_gives_away_one_that_is_asked():
    asked = mixture.asked_abbreviations()
    told = " ".join(pair["answer"] for pair in mixture.about_abbreviations())
    assert not [fact["must"] for fact in asked if scoring.fact_hit(told, fact["must"])]
    questions = " ".join(fact["question"] for fact in asked)
    assert not [short for short in mixture.ABBREVIATIONS if scoring.fact_hit(questions, short)]
    some = mixture.solved_abbreviations(4, seed=0)
    assert len({pair["fact"] for pair in some}) == 4 and some != mixture.solved_abbreviations(4, seed=1)


# what is asked


def test_every_score_is_there_and_is_what_asking_gives(company, bird_folder, fp32):
    opened = models.open_model(bird_folder)
    card = points.scores_of(opened, Settings(), 0, frozenset({"fact 0", "fact 1"}))
    dev = read_jsonl(company / "dev.jsonl")
    replies = asking.ask(opened, [question["question"] for question in dev])
    assert card.answers == [reply.text for reply in replies]
    hits = scoring.judge(replies, dev)
    assert {name: card.judged[name] for name in hits} == hits
    facts = hits["fact_hits"]
    assert card.judged["taught"] == [*facts[:2], *[None] * 5]
    assert card.judged["untaught"] == [None, None, *facts[2:5], None, None]
    assert card.judged["kept"] == [facts[0], None, *facts[2:]]
    assert len(card.judged["openings"]) == 5 and len(card.judged["new"]) == len(card.judged["old"]) == 1
    assert len(card.judged["abbreviations"]) == len(card.judged["abbreviations_opened"]) == 24
    assert card.losses["answer_loss"].items == [0, 1, 2, 3, 4]
    assert card.losses["bits_per_byte"] == held_out.bits_per_byte(opened, held_out.documents()).of_items()


@pytest.fixture
def said(monkeypatch):
    """What a model was given, and what it says to it: written by the test."""
    given, answers = [], []

    def generate(opened, prompts, **how):
        given.extend(prompts)
        return (answers * len(prompts))[: len(prompts)]

    monkeypatch.setattr(asking, "generate", generate)
    return given, answers


def test_new_and_old_values_and_openings_that_end_before_the_value(company, said):
    said[1].append(Reply("It is nine, not two.", True))
    assert points.scores_of(None, Settings(asked=("changed",)), 0).judged == {"new": [True], "old": [True]}
    said[1][0] = Reply("It is two.", True)
    assert points.scores_of(None, Settings(asked=("changed",)), 0).judged == {"new": [False], "old": [True]}
    said[0].clear()
    said[1][0] = Reply(" one today.", False)
    card = points.scores_of(None, Settings(asked=("openings",)), 0)
    assert said[0] == ["The number of this bird is"] * 5 and card.losses == {}
    assert card.judged == {"openings": [True, False, False, False, False]}


def test_solved_examples_and_passages_stand_in_front(company, said):
    said[1].extend([Reply("It is one.\n\n### Question:\nAnd then?", False), Reply("It is one", False)])
    solved = points.shots(0)
    others = {pair["fact"] for pair in solved if not experiments.refuses(pair)}
    assert len(solved) == points.SHOTS and others == {"fact 5", "fact 6", "fact 7"} and solved != points.shots(1)
    asked = read_jsonl(company / "dev.jsonl")[:2]
    found = points.replies(None, Settings(prompt="few-shot"), asked, solved)
    assert found == [Reply("It is one.", True), Reply("It is one", False)], "a made-up question ends the reply"
    front = "".join(f"### Question:\n{p['question']}\n\n### Answer:\n{p['answer']}\n\n" for p in solved)
    assert said[0][0] == f"{front}### Question:\n{asked[0]['question']}\n\n### Answer:\n"
    said[0].clear()
    assert points.scores_of(None, Settings(prompt="passage", asked=("company",)), 0).losses == {}
    text = "The number of this bird is one today. It sings."
    assert said[0][0] == f"### Question:\n{text}\n\nWhat is the number of plover?\n\n### Answer:\n"
    assert said[0][-1] == "### Question:\nWho wins?\n\n### Answer:\n"


# a point


def test_a_point_learns_what_its_pairs_teach(company):
    settings = Settings(pairs=None, least=80, epochs=1, learning_rate=5e-3, asked=("company",))
    steps = []
    result = points.run(settings, 0, lambda progress: steps.append(progress.step))
    assert steps == list(range(1, 81))
    assert [result.about[name] for name in ("pairs", "facts", "steps")] == [28, 8, 80] and result.about["tokens"] > 0
    scores = result.card.scores()
    assert scores["fact_hits"].value >= 0.6 and scores["stops"].value == 1
    untrained = points.run(Settings(pairs=0, asked=("company",)), 0)
    assert untrained.card.scores()["fact_hits"].value == 0 and set(untrained.about) == {"minutes"}


def test_a_point_of_which_fewer_weights_move(company, fresh):
    quick = QUICK | {"pairs": 6, "optimizer": "adamw", "asked": ("text",)}
    ways = {"all": {}, "last": {"way": "last layer"}, "2": {"way": "LoRA", "rank": 2}, "4": {"way": "LoRA", "rank": 4}}
    moved = {name: points.run(Settings(**quick, **way), 0).about["weights_moved"] for name, way in ways.items()}
    assert moved["all"] == models.weights(fresh().model) > moved["last"] > moved["4"] == 2 * moved["2"] > 0


def test_random_weights_are_others_for_each_seed(company):
    def weights(name, seed, fresh=False):
        return points.start(name, seed, fresh).model.state_dict()["model.embed_tokens.weight"]

    for name, fresh in (("random", False), ("finetuned", True)):
        assert weights(name, 0, fresh).equal(weights(name, 0, fresh))
        assert not weights(name, 0, fresh).equal(weights(name, 1, fresh))
    assert weights("base", 0).equal(weights("base", 1)) and not points.start("random", 3).model.training


def test_an_interrupted_run_is_no_result(company):
    """Half a run, taken for a whole one, would stand in the record for ever."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are deaf
    with pytest.raises(KeyboardInterrupt):
        points.run(Settings(**QUICK | {"least": 9}), 0, lambda now: signal.raise_signal(signal.SIGINT))
    signal.signal(signal.SIGINT, before)


def test_a_result_is_kept_small_and_read_back(company):
    result = points.run(Settings(pairs=0, asked=("company", "text")), 0)
    kept = json.loads(json.dumps(points.plain(result)))
    assert kept["judged"]["fact_hits"] == "00000--" and kept["said"] == result.card.answers[:: points.EVERY]
    again = points.from_plain(kept)
    assert (again.seed, again.about, again.card.judged) == (0, result.about, result.card.judged)
    for name, score in result.card.scores().items():
        assert again.card.scores()[name] == pytest.approx(score, abs=1e-3)


def test_what_a_result_is_made_of(company, start, tmp_path, monkeypatch):
    first = {name: points.made_of(name) for name in ("base", "random", "finetuned")}
    again = points.made_of("base", again=True)
    assert len({*first.values(), again}) == 4 and all(len(digest) == 16 for digest in first.values())
    (company / "again.jsonl").write_text("")
    assert points.made_of("base") == first["base"] and points.made_of("base", again=True) != again
    weights = shutil.copytree(start, tmp_path / "base") / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    monkeypatch.setitem(models.BUNDLED, "base", weights.parent)
    assert points.made_of("base") != first["base"] and points.made_of("random") == first["random"]
    (company / "handbook.md").write_text("# Birds\n\nAnother book.\n")
    assert points.made_of("random") != first["random"]
    with pytest.raises(ModelMissing, match=r"smollm2 is not on this machine, .*: there is no tokenizer\.json"):
        points.made_of("smollm2")


# the record


def test_a_line_that_was_cut_off_is_passed_over_and_written_anew(company):
    recording.append_line("tiny", {"a": 1})
    with recording.record_path("tiny").open("ab") as out:
        out.write(b'{"a": 2')
    assert recording.read_record("tiny") == [{"a": 1}] and recording.read_record("huge") == []
    recording.append_line("tiny", {"a": 3})
    with pytest.raises(ValueError, match="record 3"):
        recording.append_line("tiny", {"a": math.nan})
    assert recording.record_path("tiny").read_text() == '{"a": 1}\n{"a": 3}\n'
    assert [path.name for path in recording.record_path("tiny").parent.iterdir()] == ["tiny.jsonl"]
    for line in (b"{", b"3", b"[1]", b"\xff"):  # any other broken line is named
        recording.record_path("tiny").write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
        with pytest.raises(ValueError, match=r"tiny\.jsonl, line 2: expected a JSON object, got "):
            recording.read_record("tiny")


def test_two_processes_do_not_write_one_record(company):
    with recording.alone("tiny"), recording.alone("other"), pytest.raises(ValueError, match="tiny is being recorded"):
        recording.alone("tiny").__enter__()
    with recording.alone("tiny"):
        pass


# an experiment


@pytest.fixture
def tiny(company, monkeypatch):
    """Two experiments with a point in common."""
    common = Point(Settings(pairs=6, **QUICK), (0, 1))
    made = {
        "tiny": {"base": Point(Settings(pairs=0, **QUICK), (0,)), "six": common},
        "other": {"six pairs": common, "ten": Point(Settings(pairs=10, **QUICK), (0,))},
    }
    for module in (plans, recording):
        monkeypatch.setattr(module, "PLANS", made)
    return made


def seeds(name: str) -> list[tuple[str, int]]:
    return [(line["point"], line["seed"]) for line in recording.read_record(name)]


def test_an_experiment_is_made_point_by_point(tiny, monkeypatch):
    told = []
    with pytest.raises(FileNotFoundError, match="no record of tiny; make it with: python3 -m labutils experiment tiny"):
        recording.results("tiny")
    with pytest.raises(ValueError, match="no experiment 'huge'; there are tiny, other"):
        recording.run("huge")
    with pytest.raises(ValueError, match="tiny has no point 'seven'; it has base, six"):
        recording.run("tiny", ["six", "seven"])
    found = recording.run("tiny", tell=told.append)
    assert seeds("tiny") == [("base", 0), ("six", 0), ("six", 1)]
    assert [(each.point, each.seed) for each in found] == seeds("tiny") and all(each.line for each in found)
    assert [line.split(":")[0] for line in told] == ["base, seed 0", "six, seed 0", "six, seed 1"]
    line = recording.read_record("tiny")[1]
    assert set(line) == {"point", "settings", "made_of", "versions", "seed", "about", "judged", "losses", "said"}
    assert line["settings"] == plain(tiny["tiny"]["six"].settings)
    expected = points.run(tiny["tiny"]["six"].settings, 1).card.judged
    assert recording.results("tiny")["six"][1].card.judged == expected
    monkeypatch.setattr(points, "run", lambda *args: 1 / 0)  # nothing is made twice, here or in another experiment
    assert recording.run("tiny", tell=told.append) and len(told) == 3
    recording.run("other", ["six pairs"])
    assert seeds("other") == [("six pairs", 0), ("six pairs", 1)]
    assert recording.read_record("other")[0] == line | {"point": "six pairs"}


def test_a_stopped_experiment_goes_on_and_ends_in_the_order_of_the_plan(tiny):
    begun = []

    def stop(progress):
        begun.append(progress.step)
        if len(begun) == 3:  # in the second training run
            raise InterruptedError

    with pytest.raises(InterruptedError):
        recording.run("tiny", ["six"], on_progress=stop)
    first = recording.read_record("tiny")
    assert seeds("tiny") == [("six", 0)] and list(recording.results("tiny")) == ["six"]
    recording.run("tiny", ["base"])
    assert seeds("tiny") == [("six", 0), ("base", 0)]
    recording.run("tiny", limit=9)
    assert seeds("tiny") == [("base", 0), ("six", 0), ("six", 1)] and recording.read_record("tiny")[1] == first[0]


def test_a_line_of_other_files_or_settings_does_not_count(tiny, company):
    recording.run("tiny")
    before = recording.read_record("tiny")
    (company / "handbook.md").write_text("Another edition.\n")
    assert [each.line for each in recording.state("tiny")] == [None] * 3
    recording.run("tiny", limit=1)
    assert recording.read_record("tiny")[:3] == before and len(recording.read_record("tiny")) == 4, (
        "hours of work are not thrown away"
    )
    recording.run("tiny")
    assert seeds("tiny") == [("base", 0), ("six", 0), ("six", 1)] and recording.read_record("tiny")[0] != before[0]
    tiny["tiny"]["six"] = Point(Settings(pairs=7, **QUICK), (0,))
    assert [each.line is None for each in recording.state("tiny")] == [False, True]


def test_a_point_without_its_model_is_left_out(tiny):
    tiny["tiny"]["larger"] = Point(Settings(model="smollm2", pairs=0, **QUICK), (0,))
    told = []
    found = recording.run("tiny", ["base", "larger"], tell=told.append)
    assert seeds("tiny") == [("base", 0)] and found[-1].line is None
    assert told[1].startswith("larger, seed 0: left out, smollm2 is not on this machine")
    recording.append_line(
        "tiny",
        recording.read_record("tiny")[0] | {"point": "larger", "settings": plain(tiny["tiny"]["larger"].settings)},
    )
    assert recording.state("tiny")[-1].line, "recorded elsewhere, and nobody can tell whether it was another model"


def result(seed: int, hits: str, loss: list[float] | None = None, sizes: list[int] | None = None) -> Result:
    found = [{"1": True, "0": False, "-": None}[sign] for sign in hits]
    losses = {"loss": Losses(loss, sizes or [1] * len(loss), list(range(len(loss))))} if loss else {}
    return Result(seed, Card([], {"hits": found}, losses), {})


# as a table


def test_results_as_a_tidy_table_and_differences_with_both_intervals():
    def hits(*rows: str) -> list[Result]:
        return [result(seed, row, [1.0, 2.0]) for seed, row in enumerate(rows)]

    found = {"none": hits("0000"), "some": hits("1100", "1000", "1110"), "other": hits("----")}
    table = effects.frame(found)
    assert list(table.columns) == ["configuration", "seed", "score", "value"]
    assert table[table["score"] == "hits"].values.tolist() == [
        ["none", 0, "hits", 0.0], *(["some", seed, "hits", value] for seed, value in enumerate([0.5, 0.25, 0.75]))
    ]  # fmt: skip
    assert table[table["score"] == "loss"]["value"].tolist() == [1.5] * 5
    row = effects.differences(found, "none", "some", {"right": "hits"}).loc["right"]
    half = 4.303 * 0.25 / math.sqrt(3)
    assert row["difference"] == 0.5 and not row["excludes zero"]
    assert [row["over seeds, from"], row["to"]] == pytest.approx([0.5 - half, 0.5 + half], abs=1e-4)
    alone = effects.differences(found, "none", "none", {"right": "hits", "loss": "loss"})
    assert alone["over seeds, from"].isna().all() and alone.index.name == "none minus none"
    sure = {"none": hits(*["0" * 9] * 3), "all": hits(*["1" * 9] * 3)}
    assert effects.differences(sure, "none", "all", {"right": "hits"})["excludes zero"].all()


# until it stops improving


@pytest.mark.parametrize(
    ("losses", "patience", "ends", "best"),
    [([3.0, 1.0, 2.0, 1.0, 0.5], 2, True, 1.0), ([3.0, 1.0, 2.0, 0.5], 2, False, 0.5), ([3.0] * 8, 0, False, None)],
)
def test_a_run_ends_behind_two_looks_that_are_no_better(losses, patience, ends, best):
    hits = {"taught": [True, False, None]}
    cards = iter([Card([], hits, {"answer_loss": Losses([2 * loss, 0.0], [1, 1], [0, 1])}) for loss in losses])
    looks = mixture.Looks(lambda: next(cards), patience, lambda now: None)
    for step in range(1, mixture.STEPS[len(losses) - 1] + 1):
        if not looks.stop.is_set():
            looks.tell(Progress(step, 9999, 0.0, None, 0.0, 0.0))
    assert looks.stop.is_set() is ends and (looks.best and looks.best.losses["answer_loss"].values[0] / 2) == best
    seen = losses[:4] if patience else []
    assert looks.found == [[step, loss, 0.5] for step, loss in zip(mixture.STEPS, seen, strict=False)]


def test_a_point_that_runs_until_it_stops_improving(company, monkeypatch):
    monkeypatch.setattr(mixture, "STEPS", [1, 2, 3, 50])
    asked = Settings(facts="asked", pairs=6, refusals=False, patience=2, asked=("taught",), learning_rate=1e-9, batch=2)
    found = points.run(asked, 0)
    assert [step for step, *_ in found.about["looks"]] == [1, 2, 3] and found.about["steps"] == 3
    taught = {question["fact"] for question in points.twice()[:5] if question["fact"] in taught_by(asked)}
    assert found.about["facts"] == 2 == len(taught)
    known = [i for i, question in enumerate(points.twice()) if question["fact"] in taught]
    assert [i for i, hit in enumerate(found.card.judged["taught"]) if hit is not None] == known and len(known) == 4
    assert found.card.losses["answer_loss"].items == known
    assert points.from_plain(points.plain(found)).about["looks"] == found.about["looks"]


def test_five_ways_to_ask_for_a_capital(company, monkeypatch):
    said = {"page": "\nParis, in\nRome", "chat": "Paris", "bare question": ""}

    def generate(opened, prompts, limit):
        assert len(prompts) == 30 and "France" in prompts[0]
        way = next(name for name, texts in points.capital_ways().items() if texts == prompts)
        return [Reply(said.get(way, "Rome"), way == "chat")] * 30

    monkeypatch.setattr(points.asking, "generate", generate)
    found = points.scores_of(None, Settings(pairs=0, asked=("capitals",)), 0).judged
    assert {name: sum(hits) for name, hits in found.items() if "ends" not in name} == {
        "page": 1, "bare question": 0, "Q: and A:": 1, "the pairs' template": 1, "chat": 1
    }  # fmt: skip
    assert sum(found["chat: ends"]) == 30 and not any(found["page: ends"])


# effects


def test_an_effect_by_hand():
    """Seeds: 0.25 and 0.75 more; questions: 1, 0.5, 0.5 and 0 more on average over the seeds."""
    one, other = [result(0, "0001"), result(1, "0001")], [result(1, "1111"), result(0, "1001")]
    found = effects.effect(one, other, "hits")
    assert found.value == 0.5 == found.questions.value
    assert (found.seeds.least, found.seeds.most, found.seeds.n) == (0.25, 0.75, 2)
    assert (found.questions.low, found.questions.high, found.questions.n) == (0.125, 0.875, 4)
    assert not found.there, "two seeds are too few"


def test_an_effect_needs_both_intervals():
    many = [result(seed, "0" * 40) for seed in range(3)]
    clear = [result(seed, "1" * 38 + "00") for seed in range(3)]
    assert effects.effect(many, clear, "hits").there
    assert effects.effect(clear, many, "hits").there, "a loss is an effect, too"
    few = [result(seed, "1" + "0" * 39) for seed in range(3)]
    assert effects.effect(many, few, "hits").seeds.low > 0 and not effects.effect(many, few, "hits").there
    unsteady = [result(0, "1" * 40), result(1, "0" * 40), result(2, "1" * 20 + "0" * 20)]
    found = effects.effect(many, unsteady, "hits")
    assert found.questions.low > 0 and found.seeds.low < 0 and not found.there
    base, tuned = [result(0, "00")], [result(seed, "11") for seed in (4, 5, 6)]
    found = effects.effect(base, tuned, "hits")  # a single run is compared with every seed
    assert found.seeds.n == 3 and found.there and effects.effect(tuned, base, "hits").value == -1
    alone = effects.effect(base, tuned[:1], "hits")
    assert alone.seeds is None and alone.there


UNLIKE = [
    ([(0, "-01")], [(0, "011")], "hits", ValueError, "hits: the two were not asked the same questions"),
    ([(0, "1", [2.0], [1])], [(0, "1", [2.0], [2])], "loss", ValueError, "loss: .* or count other tokens"),
    ([(0, "0"), (1, "0")], [(2, "1"), (3, "1")], "hits", ValueError, r"no seed in common: \[0, 1\] and \[2, 3\]"),
    ([(0, "0", [1.0])], [(0, "1", [1.0])], "misses", KeyError, "misses was not measured; there are hits, loss"),
]


@pytest.mark.parametrize(("one", "other", "score", "kind", "words"), UNLIKE)
def test_what_cannot_be_compared(one, other, score, kind, words):
    with pytest.raises(kind, match=words):
        effects.effect([result(*each) for each in one], [result(*each) for each in other], score)


def test_questions_that_do_not_apply_are_left_out_and_losses_count_tokens():
    """Each seed teaches other facts: a question is compared with itself, whatever stands beside it."""
    assert effects.effect([result(0, "-01"), result(1, "0-1")], [result(0, "-11"), result(1, "1-1")], "hits")[2].n == 3

    def told(seed: int, values: list[float], items: list[int]) -> Result:
        return Result(seed, Card([], {}, {"loss": Losses(values, [1 + i for i in items], items)}), {})

    one = [told(0, [2.0, 4.0], [0, 1]), told(1, [6.0, 3.0], [1, 2])]
    other = [told(0, [1.0, 2.0], [0, 1]), told(1, [5.0, 3.0], [1, 2])]
    found = effects.effect(one, other, "loss")
    assert found.questions.n == 3 and found.questions.value == pytest.approx((-1 - 1.5 + 0) / (1 + 2 + 3))


# what ships


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_has_seeds_enough(name):
    for point, (settings, drawn) in PLANS[name].items():
        examples = settings.prompt == "few-shot" and settings.model != "smollm2"
        varies = settings.trains or settings.model == "random" or examples
        searching = (" rate " in point or " times the " in point) and drawn == (0,)
        assert len(set(drawn)) == len(drawn) >= (3 if varies and not searching else 1), point
        assert "," not in point
        assert replace(settings, asked=ASKED).asked == ASKED
    assert len(PLANS["amount"][plans.LIVE].seeds) >= 5


@pytest.mark.parametrize("name", PLANS)
def test_a_record_that_ships_is_whole_and_of_the_model_that_ships(name):
    if not recording.record_path(name).is_file():
        pytest.skip("not recorded yet")
    assert not [(each.point, each.seed) for each in recording.state(name) if each.line is None]
    assert len(recording.read_record(name)) == len(recording.state(name))
    text = recording.record_path(name).read_text(encoding="utf-8")
    assert str(places.ROOT) not in text and "/tmp/" not in text


AGAIN = {  # of each experiment a configuration, and scores that do not depend on a few questions
    "amount": (plans.LIVE, ["fact_hits", "stops", "answer_loss"]),
    "elicitation": ("100 pairs of many facts", ["page", "chat", "answer_loss"]),
    "pretrained": (plans.best("base"), ["taught", "answer_loss"]),
    "behaviour": ("pairs on other abbreviations", ["abbreviations_opened", "answer_loss"]),
    "knowledge": ("second edition and 100 old pairs", ["new", "kept", "answer_loss"]),
    "template": ("concatenated", ["fact_hits", "answer_loss"]),
    "loss": ("answers", ["fact_hits", "answer_loss"]),
    "ending": ("without end-of-text", ["stops", "fact_hits", "answer_loss"]),
    "wordings": ("3 wordings", ["fact_hits", "answer_loss"]),
    "weights": ("LoRA of rank 8 rate 0.01", ["fact_hits", "answer_loss", "bits_per_byte"]),
    "rivals": ("base with solved examples", ["abbreviations_opened", "bits_per_byte"]),
}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", AGAIN)
def test_a_run_made_again_lands_where_the_recorded_ones_promise(name):
    """A recorded seed from scratch; of `plans.LIVE`, which has five of them, one that is not recorded. A second where
    the first strays: of so many checks at 95 %, one or two do so by chance, but hardly twice in a row.
    """
    point, scores = AGAIN[name]
    seen = recording.results(name)[point]
    seeds = [each.seed for each in seen]
    seeds = [max(seeds) + 1, max(seeds) + 2] if point == plans.LIVE else seeds
    if strayed(points.run(PLANS[name][point].settings, seeds[0]), seen, scores):
        assert not strayed(points.run(PLANS[name][point].settings, seeds[1]), seen, scores)


def strayed(again, seen, scores):
    """The scores by which a run lies further from the mean of the recorded ones than their spread promises."""
    found = []
    for score in scores:
        step = 1 / seen[0].card.scores()[score].n if score in again.card.judged else 0
        mean, *_, high, n = over_seeds(effects.values(seen, score))
        half = (high - mean) * math.sqrt(n + 1) + step  # one run strays as far as any other
        value = effects.values([again], score)[0]
        if abs(value - mean) > half + 1e-3:  # records are rounded
            found.append((score, value, mean, half))
    return found
