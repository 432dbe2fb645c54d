"""The formulas by hand and against what papers state; the published runs against each other."""

import math
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labutils.lesson import show
from labutils.model import costs

RUNS = {run.name: run for run in costs.KNOWN}
COUNTS = st.floats(1, 1e14)


@pytest.mark.parametrize(
    ("name", "apart"),
    [("GPT-3 175B", 0.02), ("Llama 3.1 405B", 0.02), ("Chinchilla 70B", 0.03), ("SmolLM2-1.7B", 0.15)],  # "around 1e23"
)
def test_six_n_d_gives_the_stated_flops(name, apart):
    run = RUNS[name]
    assert costs.training_flops(run.weights, run.tokens) == pytest.approx(run.flops, rel=apart)


def test_every_stated_flops_is_tested():
    assert {run.name for run in costs.KNOWN if run.flops} == {
        "GPT-3 175B",
        "Llama 3.1 405B",
        "Chinchilla 70B",
        "SmolLM2-1.7B",
    }


def test_gpt3_in_petaflop_days():
    """Brown et al. 2020, table D.1: 3.64e3 petaflop/s-days of 8.64e19 FLOPs."""
    assert costs.training_flops(174.6e9, 300e9) / 8.64e19 == pytest.approx(3640, rel=0.01)


@pytest.mark.parametrize(
    "run", [run for run in costs.KNOWN if run.device in costs.PEAK_FLOPS], ids=lambda run: run.name
)
def test_stated_hours_use_a_quarter_to_a_half_of_the_peak(run):
    """A slip of one digit in weights, tokens or hours would leave this range."""
    done = costs.training_flops(run.weights, run.tokens)
    assert 0.25 < done / (run.hours * 3600 * costs.PEAK_FLOPS[run.device]) < 0.52


def test_known_runs_are_sorted_and_cited():
    assert [run.name for run in costs.KNOWN if run.tokens is None] == ["GPT-2"] == [costs.KNOWN[0].name]
    flops = [costs.training_flops(run.weights, run.tokens) for run in costs.KNOWN[1:]]
    assert flops == sorted(flops)
    assert len(RUNS) == len(costs.KNOWN)
    assert all(re.search(r" 20\d\d, arXiv \d{4}\.\d{5}\b", run.source) for run in costs.KNOWN[1:])
    assert all(bool(run.hours) == bool(run.device) for run in costs.KNOWN)


def test_an_adapter_saves_a_third_at_most():
    assert costs.training_flops(100, 7) == 4200
    assert costs.training_flops(100, 7, trained=1) == 2814
    assert costs.training_flops(100, 7, trained=100) == 4200
    with pytest.raises(ValueError, match="trained must be at most weights, 100, got 101"):
        costs.training_flops(100, 7, trained=101)


def test_memory_of_gpt2_as_in_zero():
    """Rajbhandari et al. 2019, section 3.1: 1.5 billion weights, 3 GB in 16 bits, take 24 GB to train."""
    assert costs.training_memory(1.5e9, precision="bf16") == (3, 3, 18)
    assert costs.training_memory(1.5e9, precision="bf16").total == 24
    assert costs.training_memory(1.5e9) == (6, 6, 12)


def test_memory_with_adapters_as_in_lora_and_qlora():
    """Hu et al. 2021, section 4.2: GPT-3 from 1.2 TB to 350 GB; Dettmers et al. 2023: 65 billion below 48 GB."""
    assert costs.training_memory(175e9, adapter=18e6, precision="bf16").total == pytest.approx(350, rel=0.01)
    assert costs.training_memory(65e9, adapter=200e6, precision="4 bit").total < 48
    assert costs.training_memory(65e9, precision="bf16").total > 780


@given(COUNTS, st.sampled_from(["fp32", "bf16"]))
def test_sixteen_bytes_a_trained_weight(weights, precision):
    assert costs.training_memory(weights, precision=precision).total == pytest.approx(16 * weights / 1e9)


@given(COUNTS, st.floats(1, 1e9), st.sampled_from(list(costs.BYTES)))
def test_an_adapter_adds_sixteen_bytes_a_weight_to_what_runs(weights, adapter, precision):
    memory = costs.training_memory(weights, adapter=adapter, precision=precision)
    assert memory.total == pytest.approx((costs.BYTES[precision] * weights + 16 * adapter) / 1e9)


@pytest.mark.parametrize("precision", ["8 bit", "4 bit"])
def test_whole_bytes_are_needed_to_train_all(precision):
    with pytest.raises(ValueError, match=f"fp32 or bf16 where all weights are trained, got '{precision}'"):
        costs.training_memory(1e9, precision=precision)


def test_an_unknown_precision():
    with pytest.raises(ValueError, match="one of fp32, bf16, 8 bit, 4 bit, got 'fp16'"):
        costs.training_memory(1e9, precision="fp16")


FUNCTIONS = [
    (costs.training_flops, ("weights", "tokens", "trained")),
    (costs.training_memory, ("weights", "adapter")),
    (costs.beside, ("weights", "tokens", "minutes")),
]


@pytest.mark.parametrize("wrong", [0, -3, math.nan, math.inf])
@pytest.mark.parametrize(("function", "names"), FUNCTIONS, ids=lambda value: getattr(value, "__name__", None))
def test_what_is_not_above_0_is_refused(function, names, wrong):
    function(**dict.fromkeys(names, 1))
    for name in names:
        with pytest.raises(ValueError, match=f"^{name} must be a finite number above 0, got {wrong}$"):
            function(**{**dict.fromkeys(names, 1), name: wrong})


def test_a_run_beside_the_known_ones():
    rows = costs.beside(1e6, 1e9, 70, name="our base")
    assert rows[0] == {
        "run": "our base",
        "weights": "1 million",
        "tokens": "1 billion",
        "FLOPs": "6.00e15",
        "times ours": "1",
        "stated": "70 minutes",
        "source": "this course",
    }
    assert [row["run"] for row in rows[1:]] == [run.name for run in costs.KNOWN]
    assert (rows[1]["tokens"], rows[1]["FLOPs"], rows[1]["times ours"], rows[1]["stated"]) == (
        "not published",
        "not published",
        "",
        "",
    )
    by_name = {row["run"]: row for row in rows}
    assert by_name["LLaMA 65B"]["stated"] == "1,022,362 A100 hours, 449 MWh"
    assert by_name["Llama 3.1 405B"]["stated"] == "30,840,000 H100 hours, 3.80e25 FLOPs"
    assert by_name["SmolLM2-1.7B"]["stated"] == "1.00e23 FLOPs, $250,000"
    assert by_name["GPT-3 175B"]["times ours"] == "52.4 million"


def test_the_rows_are_a_table():
    assert "DeepSeek-V3" in show.table(costs.beside(7.2e6, 28e6, 70)).data


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (0.05, "0.05"),
        (70, "70"),
        (999.4, "999"),
        (999.6, "1 thousand"),
        (999_600, "1 million"),
        (7_168_256, "7.17 million"),
        (174.6e9, "175 billion"),
        (1.4e12, "1.4 trillion"),
        (9.994e14, "999 trillion"),
        (9.996e14, "1.00e15"),
        (3.14e23, "3.14e23"),
    ],
)
def test_numbers_in_words(number, text):
    assert costs.short(number) == text


@given(st.floats(1e-3, 1e30))
def test_words_say_the_number(number):
    count, _, name = costs.short(number).partition(" ")
    assert float(count) * dict(costs.UNITS).get(name, 1) == pytest.approx(number, rel=0.006)


def test_it_starts_without_the_heavy_libraries():
    code = "import sys, labutils.model.costs; assert not {'torch', 'transformers', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
