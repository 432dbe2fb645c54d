"""The formulas by hand and against what papers state; the published runs against each other."""

import math
import re
import subprocess
import sys

import pytest

from labutils.model import costs

RUNS = {run.name: run for run in costs.KNOWN}


STATED = {"GPT-3 175B": 0.02, "Llama 3.1 405B": 0.02, "Chinchilla 70B": 0.03, "SmolLM2-1.7B": 0.15}  # "around 1e23"


def test_six_n_d_gives_the_stated_flops():
    assert {run.name for run in costs.KNOWN if run.flops} == set(STATED)
    for name, apart in STATED.items():
        run = RUNS[name]
        assert costs.training_flops(run.weights, run.tokens) == pytest.approx(run.flops, rel=apart)


def test_stated_hours_use_a_quarter_to_a_half_of_the_peak():
    """A slip of one digit in weights, tokens or hours would leave this range."""
    for run in (run for run in costs.KNOWN if run.device in costs.PEAK_FLOPS):
        done = costs.training_flops(run.weights, run.tokens)
        assert 0.25 < done / (run.hours * 3600 * costs.PEAK_FLOPS[run.device]) < 0.52, run.name


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


def test_training_is_three_times_reading():
    assert costs.training_flops(5, 7) == 3 * costs.generation_flops(5, 7) == 210
    assert costs.tokens_in(1000, bytes_a_token=4) == 250 and costs.tokens_in(394) == pytest.approx(100)


def test_attention_of_a_large_model_is_a_hundredth_of_a_small_one_a_fifth():
    """Chowdhery et al. 2022, table 3 and its text: PaLM 540B used 45.7 % without attention, 46.2 % with it."""
    share = costs.attention_flops(1, 118, 48 * 256, 2048) / costs.training_flops(540.35e9, 1)
    assert 45.7 * (1 + share) == pytest.approx(46.2, abs=0.05)
    assert costs.attention_flops(10, 6, 256, 512) == 12 * 6 * 256 * 512 * 10
    assert 0.2 < costs.attention_flops(1, 6, 256, 512) / costs.training_flops(7.2e6, 1) < 0.25


def test_twenty_tokens_a_weight():
    """Hoffmann et al. 2022, table 3."""
    for weights, tokens in [(400e6, 8.0e9), (1e9, 20.2e9), (10e9, 205.1e9), (67e9, 1.5e12)]:
        assert costs.compute_optimal_tokens(weights) == pytest.approx(tokens, rel=0.12)


def test_memory_of_gpt2_as_in_zero():
    """Rajbhandari et al. 2019, section 3.1: 1.5 billion weights, 3 GB in 16 bits, take 24 GB to train."""
    assert costs.inference_memory(1.5e9) == 3
    assert costs.training_memory(1.5e9, precision="bf16") == (3, 3, 18, 0)
    assert costs.training_memory(1.5e9, precision="bf16").total == 24
    assert costs.training_memory(1.5e9) == (6, 6, 12, 0)
    assert costs.training_memory(1.5e9, activations=8).total == 32


def test_memory_with_adapters_as_in_lora_and_qlora():
    """Hu et al. 2021, section 4.2: GPT-3 from 1.2 TB to 350 GB; Dettmers et al. 2023: 65 billion below 48 GB."""
    assert costs.training_memory(175e9, adapter=18e6, precision="bf16").total == pytest.approx(350, rel=0.01)
    assert costs.training_memory(65e9, adapter=200e6, precision="4 bit").total < 48
    assert costs.training_memory(65e9, precision="bf16").total > 780
    assert costs.training_memory(2e9, adapter=1e9, precision="8 bit") == (6, 4, 8, 0)
    sizes = {"fp32": 280, "bf16": 140, "8 bit": 70, "4 bit": 35}
    assert {precision: costs.inference_memory(70e9, precision) for precision in costs.BYTES} == sizes
    for precision in ("8 bit", "4 bit"):
        with pytest.raises(ValueError, match=f"fp32 or bf16 where all weights are trained, got '{precision}'"):
            costs.training_memory(1e9, precision=precision)


def test_activations():
    assert costs.activation_memory(1e9, 2, 3) == 34 * 2 * 3
    assert costs.activation_memory(1e9, 2, 3, vocabulary=5) == 34 * 2 * 3 + 20
    with pytest.raises(ValueError, match="vocabulary must not be below 0, got -1"):
        costs.activation_memory(1, 2, 3, -1)


@pytest.mark.parametrize("function", [costs.training_memory, costs.inference_memory])
def test_an_unknown_precision(function):
    with pytest.raises(ValueError, match="one of fp32, bf16, 8 bit, 4 bit, got 'fp16'"):
        function(1e9, precision="fp16")


@pytest.mark.parametrize("activations", [-1, math.nan, math.inf])
def test_activations_are_a_size(activations):
    with pytest.raises(ValueError, match=f"activations must not be below 0, got {activations}"):
        costs.training_memory(1e9, activations=activations)


def test_minutes():
    assert costs.minutes(6e12, 1e9) == 100
    assert costs.minutes(6e12, 1e9, devices=4, utilisation=0.5) == 50
    with pytest.raises(ValueError, match=r"utilisation must be at most 1, got 1\.5"):
        costs.minutes(1, 1, utilisation=1.5)


def test_price_of_deepseek_and_days_of_llama():
    """DeepSeek-AI 2024, table 1. Touvron et al. 2023, section 2.4: 380 tokens a second on each of 2048 devices."""
    run = next(run for run in costs.KNOWN if run.device == "H800")
    assert costs.price(run.hours) == run.dollars and costs.price(10, dollars_an_hour=3.5) == 35
    run = RUNS["LLaMA 65B"]
    days = costs.minutes(costs.training_flops(run.weights, run.tokens), 6 * run.weights * 380, 2048) / (24 * 60)
    assert days == pytest.approx(21, abs=0.5)


FUNCTIONS = [
    (costs.training_flops, ("weights", "tokens", "trained")),
    (costs.attention_flops, ("tokens", "layers", "width", "context")),
    (costs.generation_flops, ("weights", "tokens")),
    (costs.compute_optimal_tokens, ("weights",)),
    (costs.tokens_in, ("size", "bytes_a_token")),
    (costs.training_memory, ("weights", "adapter")),
    (costs.activation_memory, ("tokens", "layers", "width")),
    (costs.inference_memory, ("weights",)),
    (costs.minutes, ("flops", "flops_a_second", "devices", "utilisation")),
    (costs.price, ("gpu_hours", "dollars_an_hour")),
    (costs.beside, ("weights", "tokens", "minutes")),
]


@pytest.mark.parametrize(("function", "names"), FUNCTIONS, ids=lambda value: getattr(value, "__name__", None))
def test_what_is_not_above_0_is_refused(function, names):
    function(**dict.fromkeys(names, 1))
    for name in names:
        for wrong in (0, -3, math.nan, math.inf):
            with pytest.raises(ValueError, match=f"^{name} must be a finite number above 0, got {wrong}$"):
                function(**{**dict.fromkeys(names, 1), name: wrong})


def test_a_run_beside_the_known_ones():
    rows = costs.beside(1e6, 1e9, 70, name="our base")
    assert list(rows[0]) == ["run", "weights", "tokens", "FLOPs", "times ours", "stated", "source"]
    ours = ["our base", "1 million", "1 billion", "6.00e15", "1", "70 minutes", "this course"]
    assert list(rows[0].values()) == ours and [row["run"] for row in rows[1:]] == list(RUNS)
    assert list(rows[1].values())[2:6] == ["not published", "not published", "", ""]
    by_name = {row["run"]: row for row in rows}
    assert by_name["LLaMA 65B"]["stated"] == "1,022,362 A100 hours, 449 MWh"
    assert by_name["Llama 3.1 405B"]["stated"] == "30,840,000 H100 hours, 3.80e25 FLOPs"
    assert by_name["SmolLM2-1.7B"]["stated"] == "1.00e23 FLOPs, $250,000"
    assert by_name["GPT-3 175B"]["times ours"] == "52.4 million"


WORDS = {0: "0", 0.05: "0.05", 70: "70", 999.4: "999", 999.6: "1 thousand", 999_600: "1 million",
         174.6e9: "175 billion", 7_168_256: "7.17 million", 1.4e12: "1.4 trillion", 9.994e14: "999 trillion",
         9.996e14: "1.00e15"}  # fmt: skip


def test_numbers_in_words():
    assert {number: costs.short(number) for number in WORDS} == WORDS


def test_it_starts_without_the_heavy_libraries():
    code = "import sys, labutils.model.costs; assert not {'torch', 'transformers', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
