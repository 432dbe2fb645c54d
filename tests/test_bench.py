"""The benchmarks on a tiny model: rivals read the same tokens, a run goes on, the tables say what was measured."""

import json
import math
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from bench import book as books
from bench import child, clock, page, plan, profile, rivals, tuning
from bench.book import Book
from bench.plan import Bench, Plan
from bench.summary import summary

from labutils.model import costs, loop, models, recipes

ABOUT = {"versions": {"torch": "2"}, "cores": 2, "processor": "Z80"}


@pytest.fixture(scope="module")
def many(bird_examples) -> list[dict]:
    """Fifty-six pairs: two updates of the largest batch."""
    return bird_examples * 7


@pytest.fixture
def tiny(fresh, many, tmp_path) -> str:
    """The folder of a tiny model, whose examples lie in the folder above."""
    path = models.save(fresh(), tmp_path / "tiny")
    tuning.file_of(str(path), tmp_path).write_text(json.dumps({"train": many, "dev": many[:8]}))
    return str(path)


QUICK = ("lecture", "trainer", "trl", "trl packed 512", "ours", "ours, padded")  # the others are variants of these


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in rivals.RIVALS])
def test_every_rival_reads_the_same_tokens(fresh, many, name):
    opened, rival = fresh(), rivals.RIVALS[name]
    before = {key: value.clone() for key, value in opened.model.state_dict().items()}
    counted = clock.Clock(opened.model)
    rival.tune(rivals.Run(opened, many, counted, rate=1e-3), rival.settings)
    end = counted.moments[-1]
    assert end.tokens == sum(len(example["input_ids"]) for example in many)
    assert any(not torch.equal(value, before[key]) for key, value in opened.model.state_dict().items())
    own = rivals.OURS | rivals.PIECES
    if name in own and name != "ours, padded":
        assert end.places - end.tokens < 2 * loop.ROUND * len(counted.moments)
    else:
        assert (end.places == end.tokens) == (name in ("lecture", "trl padding-free 16", "trl packed 512"))
    size = {"lecture": 4, "trl grouped 16": 16, "trl grouped 32": 32}
    size |= dict.fromkeys(own, recipes.FINETUNING_SMALL.batch)
    if "16" not in name and "packed" not in name:
        assert len(counted.moments) == math.ceil(len(many) / size.get(name, 8))
    speed, padding = counted.speed()
    assert speed > 0 and 0 <= padding < 1


@pytest.mark.parametrize(("ids", "tokens"), [([5, 6, 7, 8, 0, 0], 4), ([5, 6, 7, 0, 9, 0], 6), ([5, 6, 0, 0, 0, 9], 6)])
def test_what_fills_up_pairs_end_to_end_is_no_token(ids, tokens):
    layers = Layers()
    counted = clock.Clock(SimpleNamespace(base_model=layers))
    layers(input_ids=torch.tensor([ids]), position_ids=torch.tensor([[0, 1, 0, 1, 0, 1]]))
    counted.step()
    assert counted.moments[-1][1:] == (tokens, 6)


@pytest.fixture
def seconds(monkeypatch) -> list[float]:
    """What the clock reads next, one after the other."""
    times = []
    monkeypatch.setattr(clock.time, "perf_counter", lambda: times.pop(0))
    return times


class Layers(torch.nn.Module):
    """Layers that do nothing but are called."""

    def forward(self, input_ids, attention_mask=None, position_ids=None):
        return input_ids


def test_the_clock_by_hand(seconds):
    layers, losses = Layers(), [3.0, 2.0]
    counted = clock.Clock(SimpleNamespace(base_model=layers), lambda: losses.pop(0), every=10, until=2.5)
    ids, mask = torch.zeros(2, 4, dtype=torch.long), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])
    layers.eval()(input_ids=ids)  # a look is not counted
    layers.train()
    seconds += [100, 101]
    layers(input_ids=ids, attention_mask=mask)
    assert not counted.step()  # 6 tokens: no look yet
    with pytest.raises(ValueError, match="more examples"):
        counted.speed()  # a single update has none
    seconds += [103, 153]
    layers(input_ids=ids)
    assert not counted.step()  # 14 tokens; the look takes fifty seconds and sees 3.0
    seconds += [154]
    layers(input_ids=ids[:1])
    assert not counted.step()  # 18 tokens: the next look is due at 24
    seconds += [156, 200]
    layers(input_ids=ids)
    assert counted.step()  # 26 tokens; 2.0 is enough
    assert counted.moments == [(1, 6, 8), (3, 14, 16), (4, 18, 20), (6, 26, 28)]
    assert counted.looks == [(3, 14, 3.0), (6, 26, 2.0)] and counted.speed() == (20 / 5, 0)


def test_speed_and_its_share_of_the_peak(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "matrix", lambda: {"fp32": 1e9, "bf16": 4e9})
    job = {"measure": "speed", "model": tiny, "rival": "trainer", "every": 2, "seed": 0}
    found = child.measure("speed")(job, tmp_path)
    examples = json.loads(tuning.file_of(tiny, tmp_path).read_text())["train"]
    assert found["tokens"] == sum(len(example["input_ids"]) for example in examples[::2])
    weights = models.weights(models.open_model(tiny).model)
    assert found["share"] == pytest.approx(costs.training_flops(weights, found["tokens_a_second"]) / 1e9)
    assert found["megabytes"] is None or found["megabytes"] > 100


def test_the_sections_of_a_step_are_the_step(tiny, tmp_path, monkeypatch):
    def step(self, *given):
        time.sleep(0.02)  # seconds more in each update of the weights
        return whole(self, *given)

    whole = loop.MasterOptimizer.step
    monkeypatch.setattr(loop.MasterOptimizer, "step", step)
    recipe = replace(recipes.FINETUNING, batch=2, learning_rate=1e-3)
    monkeypatch.setattr(recipes, "suited", lambda weights: recipe)
    found = profile.of_a_step({"measure": "profile", "model": tiny}, tmp_path)
    spent = found["milliseconds"]
    assert list(spent) == ["layers and loss", "optimizer", "the rest"] and min(spent.values()) > 0
    assert spent["optimizer"] > 20 and loop.MasterOptimizer.step is step
    assert sum(found["operations"].values()) == pytest.approx(1)
    assert found["operations"]["products of matrices"] > 0.02


def test_a_race_ends_at_its_loss(tiny, tmp_path):
    job = {"model": tiny, "rival": "trainer", "every": 1, "epochs": 4, "look": 1, "held": 1, "rate": 5e-3, "seed": 0}
    whole = tuning.race(job, tmp_path)["looks"]
    assert whole[-1][-1] < whole[0][-1]
    assert [look.seconds for look in whole] == sorted(look.seconds for look in whole)
    ended = tuning.race(job | {"until": whole[1].loss}, tmp_path)["looks"]
    assert len(ended) == 2 and ended[1].loss == whole[1].loss


def test_a_book_goes_on_where_it_was(tmp_path):
    path, asked = tmp_path / "work" / "rows.jsonl", []

    def ask(job: dict) -> dict:
        asked.append(job)
        return {"n": len(asked)}

    assert Book(path, ABOUT).measure({"a": 1}, ask) == {"n": 1}
    with path.open("a") as file:
        file.write('{"job": {"a": 2}, "fou')  # a kill
    book = Book(path, ABOUT)
    assert [book.measure({"a": a}, ask) for a in (1, 2)] == [{"n": 1}, {"n": 2}]
    assert [row["job"] for row in Book(path, ABOUT).found(b=None)] == [{"a": 1}, {"a": 2}] == asked
    assert Book(path, ABOUT).found(a=2)[0]["found"] == {"n": 2}
    with pytest.raises(ValueError, match="another folder"):
        Book(path, {**ABOUT, "cores": 3})


def test_a_job_is_measured_and_one_that_fails_in_its_process_says_why(tmp_path):
    found = child.measure("validation")({"measure": "validation", "megabytes": 0.01}, tmp_path)
    assert found["megabytes"] > 0 and (tmp_path / "pairs_0.01.jsonl").stat().st_size >= 10_000
    assert "KeyError" in books.in_a_fresh_process({"measure": "validation"}, tmp_path)["error"]


@pytest.fixture
def bench(tmp_path) -> Bench:
    """A model "m" with made-up rows: two rounds, TRL's "grouped 16" the fastest, one rate too high for everybody."""
    book = Book(tmp_path / "rows.jsonl", ABOUT)
    made = Bench("m", Plan(1, 16, 1, 1, 10, (1e-3, 1e-2), 1, 4, tuple(rivals.OURS)), book)
    rates = {"lecture": 10, "trainer": 20, "trl": 5, "trl grouped 8": 25, "trl grouped 16": 30}
    rates |= {"ours": 40, "ours, adamw": 50}

    def speed(job: dict) -> dict:
        if job["rival"] not in rates:
            return {"error": "ImportError: no | here"}
        rate = rates[job["rival"]] * (1 + job["seed"])
        about = {"padding": 0.25, "megabytes": None, "share": 0.5, "fp32": 1e9, "bf16": 3e9}
        return {"tokens_a_second": rate, **about}

    def race(job: dict) -> dict:
        if job["rate"] == 1e-2:
            return (
                {"error": "ValueError: the loss became nan"}
                if job["rival"] == "ours"
                else {"looks": [[1, 5, math.nan]]}
            )
        slow = 2 if job["rival"] == "lecture" else 1
        return {"looks": [[10 * slow, 100, 3.0], [20 * slow, 200, 1.2], [30 * slow, 300, 1.0 + slow / 100]]}

    for jobs, ask in (plan.speeds(made, 2), speed), (plan.search(made), race), (plan.races(made, 2), race):
        for job in jobs:
            book.measure(job, ask)
    return made


def test_the_order_of_a_run_the_loss_to_reach_and_the_rate_that_does(bench):
    order = [(row["job"]["seed"], row["job"]["rival"]) for row in bench.book.found(measure="speed")]
    tried = ["trl grouped 8", "trl grouped 16", "trl padding-free 16", "trl packed 512"]
    rounds = [["lecture", "trainer", "trl", *some, "ours", "ours, adamw"] for some in (tried, ["trl grouped 16"])]
    assert order == [(seed, rival) for seed, some in enumerate(rounds) for rival in (*some, *rivals.PIECES)]
    raced = [row["job"] for row in bench.book.found(measure="race") if "until" in row["job"]]
    assert [job["rival"] for job in raced] == rounds[1] * 2 and {job["seed"] for job in raced} == {1, 2}
    assert plan.fastest(bench) == "trl grouped 16"
    assert plan.target(bench) == 1.05  # the lecture's 1.02 and 2 % make 1.0404
    assert {plan.rate_of(rival, bench) for rival in plan.racers(bench)} == {1e-3}
    assert [plan.plan_of(recipes.SMALL + i) for i in (-1, 0)] == [plan.SMALL, plan.LARGE]


def test_the_summary_and_its_page(bench, tmp_path):
    rest = Book(tmp_path / "rest.jsonl", ABOUT)
    for job, found in zip(plan.without_model(1), ({"documents": 90, "megabytes": 2}, {"megabytes": 4}), strict=True):
        rest.measure(job, lambda job, found=found: found)
    spent = {"layers and loss": 30.0, "optimizer": 8.0, "the rest": 2.0}
    for jobs, ask in (
        (plan.asking(bench, 1), lambda job: {"replies": job["batch"] ** 0.5}),
        (plan.profiles(bench), lambda job: {"milliseconds": spent, "operations": {"other": 1.0}}),
    ):
        for job in jobs:
            bench.book.measure(job, ask)
    found = summary([bench], rest)
    by_name = {row["rival"]: row for row in found["models"]["m"]["speed"]}
    assert by_name["trainer"]["tokens_a_second"] == [30, 20, 40]
    ratios = {"ours": [2, 2, 2], "ours, adamw": [2.5, 2.5, 2.5]}  # within a round the noise of the rounds is gone
    assert by_name["trainer"]["ratios"] == ratios and by_name["trl packed 512"]["tokens_a_second"] is None
    raced = {row["rival"]: row["seconds"] for row in found["models"]["m"]["race"]}
    assert (raced["lecture"], raced["ours"]) == ([60, 60, 60], [30, 30, 30])

    path = tmp_path / "speed.md"
    path.write_text("words")
    with pytest.raises(ValueError, match="once each"):
        page.keep(found, path)
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    page.keep(found, path)
    text = path.read_text()
    assert text.startswith(f"before\n{page.BEGIN}\nZ80, 2 cores; torch 2.\n") and text.endswith(f"{page.END}\nafter\n")
    assert json.loads((tmp_path / "speed.json").read_text()) == found
    for part in (
        "| `Trainer` defaults | batches of 8, padded, fp32 | 30 (20 to 40) | 2.00 x | 2.50 x |",
        "| TRL, best settings | batches of 16 of like lengths, bf16 | 45 (30 to 60) |",
        "does not run here: ImportError: no / here",
        "| the lecture's recipe | 0.001 | 2 of 2 | 300 | 60.0 | 2.0 x |",
        "| `ask`, `m` | 1.0 replies one by one, 5.7 replies in batches: 5.7 x |",
        "| optimizer | 8 ms | 20% |",
    ):
        assert part in text, part
    course = page.PAGE.read_text(encoding="utf-8")
    assert course.count(page.BEGIN) == course.count(page.END) == 1
