"""The loss against torch and transformers, and runs of a tiny model: they learn, repeat to the bit, and stop on NaN."""

import math
import tempfile
from pathlib import Path

import pytest
import torch

from labutils import machine
from labutils.model import checkpoints, loss, training
from labutils.model.asking import ask
from labutils.model.encoding import IGNORED, encode_all, pad, pad_id
from labutils.model.loop import ByLength
from labutils.model.loss import mean_loss, next_token_loss, precision
from labutils.model.training import Progress, Recipe, finetune


def weights(opened) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in opened.model.state_dict().items()}


def same(state: dict, other: dict) -> bool:
    return state.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in state.items())


def test_the_loss_by_hand():
    """Three places, three tokens: place 0 guesses label 1, place 1 guesses label 2, place 2 guesses nothing."""
    logits = torch.tensor([[[0.0, 0.0, 0.0], [math.log(2), 0.0, 0.0], [9.0, 9.0, -9.0]]])
    labels = torch.tensor([[2, 1, 0]])
    third, half = -math.log(1 / 3), -math.log(2 / 4)
    assert next_token_loss(logits, labels).item() == pytest.approx((third + half) / 2)
    ignored = torch.tensor([[2, IGNORED, 0]])
    assert next_token_loss(logits, ignored).item() == pytest.approx(half)
    assert next_token_loss(logits, labels, count=1).item() == pytest.approx(third + half)
    assert next_token_loss(logits, labels, count=torch.tensor(4)).item() == pytest.approx((third + half) / 4)


def test_the_first_label_is_never_asked_for():
    logits = torch.randn(2, 4, 7, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[1, 2, 3, 4], [5, 6, IGNORED, IGNORED]])
    other = labels.clone()
    other[:, 0] = IGNORED
    assert torch.equal(next_token_loss(logits, labels), next_token_loss(logits, other))


def test_the_loss_is_that_of_torch_and_of_transformers(fresh, bird_examples):
    model, tokenizer = fresh()
    batch = pad(bird_examples, pad_id(tokenizer))
    with torch.no_grad():
        theirs = model(**batch)
    ours = next_token_loss(theirs.logits, batch["labels"])
    assert ours.item() == pytest.approx(theirs.loss.item(), abs=1e-6)
    guesses, targets = theirs.logits[:, :-1], batch["labels"][:, 1:]
    torchs = torch.nn.functional.cross_entropy(guesses.transpose(1, 2), targets, ignore_index=IGNORED)
    assert ours.item() == pytest.approx(torchs.item(), abs=1e-6)


def test_the_loss_is_computed_in_float32():
    logits = torch.randn(1, 50, 300, generator=torch.Generator().manual_seed(0)).bfloat16()
    labels = torch.arange(50)[None]
    assert next_token_loss(logits, labels).dtype == torch.float32
    assert torch.equal(next_token_loss(logits, labels), next_token_loss(logits.float(), labels))


def test_mean_loss_weighs_every_token_the_same(fresh, fp32):
    opened = fresh()
    short = {"input_ids": [5, 6, 7], "labels": [IGNORED, IGNORED, 7]}
    long = {"input_ids": list(range(40, 60)), "labels": list(range(40, 60))}  # 19 labels count: the first is not asked
    one, many = mean_loss(opened, [short]), mean_loss(opened, [long])
    assert abs(one - many) > 0.01
    expected = pytest.approx((1 * one + 19 * many) / 20, abs=1e-5)
    for batch in (1, 2, 32):
        assert mean_loss(opened, [long, short], batch) == expected


def test_mean_loss_leaves_the_model_as_it_was(fresh, bird_examples):
    opened = fresh()
    before = weights(opened)
    for mode in (True, False):
        opened.model.train(mode)
        mean_loss(opened, bird_examples)
        assert opened.model.training is mode
    assert same(weights(opened), before)
    assert all(parameter.grad is None for parameter in opened.model.parameters())


def test_mean_loss_of_nothing(fresh):
    for examples in ([], [{"input_ids": [5, 6], "labels": [5, IGNORED]}]):
        with pytest.raises(ValueError, match="no label counts in these examples"):
            mean_loss(fresh(), examples)


@pytest.mark.parametrize(
    ("recipe", "examples", "steps"),
    [
        (Recipe(epochs=3, batch=32), 1000, 96),
        (Recipe(epochs=1, batch=8), 8, 1),
        (Recipe(epochs=1, batch=8), 9, 2),
        (Recipe(epochs=0.5, batch=4), 10, 2),
        (Recipe(epochs=0.5, batch=4), 8, 1),
        (Recipe(steps=7, epochs=100), 1000, 7),
        (Recipe(steps=1), 1000, 1),
    ],
)
def test_total_steps(recipe, examples, steps):
    assert recipe.total_steps(examples) == steps


@pytest.mark.parametrize("name", ["steps", "epochs", "batch", "eval_steps", "save_steps"])
def test_a_recipe_of_nothing(name):
    assert getattr(Recipe(**{name: 1}), name) == 1
    assert getattr(Recipe(**{name: 10**9}), name) == 10**9
    for value in (0, -1, 10**9 + 1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"^{name} must be above 0 and at most 1,000,000,000, got {value}$"):
            Recipe(**{name: value})


def test_a_rate_that_is_none():
    for rate in (0, -1, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"learning_rate must be above 0 and at most 1e\\+38, got {rate}"):
            Recipe(learning_rate=rate)


def test_every_epoch_reads_every_example_once_in_an_order_of_its_own():
    lengths = [5, 3, 9, 3, 7, 4, 8, 2, 6, 1]
    orders = []
    for seed, epoch in [(0, 0), (0, 1), (1, 0), (0, 0)]:
        torch.manual_seed(epoch + 10 * len(orders))  # the global random state has no say
        sampler = ByLength(lengths, 2, seed)
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert orders[0] == orders[3]
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_a_run_reads_every_example_once_an_epoch_in_changing_order(fresh, bird_examples, monkeypatch):
    read, rows_of = [], {str(example["input_ids"]): row for row, example in enumerate(bird_examples)}

    class Spy(training.DataCollatorWithFlattening):
        def __call__(self, rows):
            read.extend(rows_of[str(row["input_ids"])] for row in rows)
            return super().__call__(rows)

    monkeypatch.setattr(training, "DataCollatorWithFlattening", Spy)
    finetune(fresh(), bird_examples, Recipe(epochs=3, batch=3))
    epochs = [read[start : start + 8] for start in (0, 8, 16)]
    assert len(read) == 24 and all(sorted(epoch) == list(range(8)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_a_tiny_task_is_learned(bird_run, bird_examples, birds, fp32):
    opened, run = bird_run
    assert run.history[0].loss > 4 > 0.1 > run.history[-1].loss
    assert run.history[0].held_out > 4 > 0.1 > run.history[-1].held_out
    replies = ask(opened, [pair["question"] for pair in birds])
    assert replies == [(pair["answer"], True) for pair in birds]


def test_progress_is_told_step_by_step(fresh, bird_examples):
    opened, told = fresh(), []
    recipe = Recipe(steps=7, batch=3, eval_steps=3)
    run = finetune(opened, bird_examples, recipe, held_out=bird_examples[:2], on_progress=told.append)
    assert run.history == told
    assert [(p.step, p.steps) for p in told] == [(step, 7) for step in range(1, 8)]
    assert [p.step for p in told if p.held_out is not None] == [1, 3, 6, 7]
    assert told[-1].seconds_left == 0 and all(p.seconds_left > 0 and p.tokens_per_second > 0 for p in told[:-1])
    assert told[-1].held_out == pytest.approx(mean_loss(opened, bird_examples[:2]), rel=1e-3)
    assert isinstance(told[0], Progress) and run.seconds > 0


def test_tokens_are_counted_without_padding(fresh, bird_examples):
    once = sum(len(example["input_ids"]) for example in bird_examples)
    assert finetune(fresh(), bird_examples, Recipe(epochs=2, batch=3)).tokens == 2 * once


@pytest.mark.parametrize("loss_on", ["answer", "everything"])
def test_the_first_loss_is_the_mean_over_the_batchs_trained_tokens(fresh, birds, tokenizer, fp32, loss_on):
    opened = fresh()
    examples = encode_all(birds, "{question}{answer}", tokenizer, loss_on=loss_on).examples
    before = mean_loss(opened, examples)
    run = finetune(opened, examples, Recipe(steps=1, batch=8))
    assert run.history[0].loss == pytest.approx(before, abs=1e-4)


def test_the_same_seed_ends_in_the_same_bits_and_another_does_not(fresh, bird_examples):
    ends = []
    for seed in (1, 1, 2):
        opened = fresh()
        torch.manual_seed(len(ends))  # what happened before in the process has no say
        run = finetune(opened, bird_examples, Recipe(epochs=2, batch=3, seed=seed))
        ends.append((weights(opened), [p.loss for p in run.history]))
    assert same(ends[0][0], ends[1][0]) and ends[0][1] == ends[1][1]
    assert not same(ends[0][0], ends[2][0])


def test_weights_are_trained_in_place_and_stay_float32(fresh, bird_examples):
    opened = fresh()
    before = weights(opened)
    finetune(opened, bird_examples, Recipe(steps=2))  # the first step of a warm-up has the rate 0
    assert {parameter.dtype for parameter in opened.model.parameters()} == {torch.float32}
    assert not any(torch.equal(value, before[key]) for key, value in weights(opened).items())
    assert not opened.model.training


def test_a_trained_model_is_called_as_it_was_before(fresh, bird_examples, monkeypatch):
    """The Trainer wraps `forward` in autocast; left there, a loss in float32 would be one in bfloat16."""
    monkeypatch.setattr(machine, "bf16", lambda: True)
    opened = fresh()
    for _ in range(2):
        finetune(opened, bird_examples, Recipe(steps=1))
        assert "forward" not in vars(opened.model) and "_original_forward" not in vars(opened.model)
    ids = torch.tensor([[5, 6, 7]])
    assert opened.model(ids).logits.equal(type(opened.model).forward(opened.model, ids).logits)
    own = opened.model.forward
    opened.model.forward = own
    with pytest.raises(ValueError, match="the loss became"):
        finetune(opened, bird_examples, Recipe(steps=20, batch=8, learning_rate=1e30))
    assert vars(opened.model)["forward"] is own and "_original_forward" not in vars(opened.model)


def test_pairs_are_read_end_to_end_and_the_model_keeps_its_own_attention(fresh, fp32):
    opened, seen = fresh(), []
    rows = [{"input_ids": list(range(5, 5 + n)), "labels": list(range(5, 5 + n))} for n in (20, 4)]
    before = mean_loss(opened, rows)
    hook = opened.model.base_model.register_forward_pre_hook(
        lambda layers, args, named: seen.append((layers.config._attn_implementation, named["input_ids"].shape)),
        with_kwargs=True,
    )
    with hook:
        run = finetune(opened, rows, Recipe(steps=1, batch=2), held_out=rows)
    assert {(loss.END_TO_END, (1, 32)), (loss.END_TO_END, (1, 16)), ("sdpa", (2, 24))} <= set(seen)
    assert opened.model.config._attn_implementation == "sdpa" and run.tokens == 24
    assert run.history[0].loss == pytest.approx(before, rel=1e-5)


def test_a_model_that_cannot_read_end_to_end_is_trained_on_padded_rows_alike(fresh, bird_examples, fp32, monkeypatch):
    rows, ends = fresh(), fresh()
    recipe = Recipe(steps=3, batch=len(bird_examples))
    end_to_end = finetune(ends, bird_examples, recipe)
    monkeypatch.setattr(training, "reads_end_to_end", lambda model: False)
    padded = finetune(rows, bird_examples, recipe)
    assert padded.tokens == end_to_end.tokens
    losses = [[progress.loss for progress in run.history] for run in (padded, end_to_end)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_looking_at_held_out_examples_does_not_change_the_run(fresh, bird_examples):
    looked, blind = fresh(), fresh()
    finetune(looked, bird_examples, Recipe(steps=4, batch=3, eval_steps=1), held_out=bird_examples)
    finetune(blind, bird_examples, Recipe(steps=4, batch=3))
    assert same(weights(looked), weights(blind))


def test_nothing_is_left_behind_without_a_folder(fresh, bird_examples, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    finetune(fresh(), bird_examples, Recipe(steps=2, save_steps=1))
    assert list(Path(tmp_path).rglob("*")) == []
    assert capfd.readouterr() == ("", "")


def test_memory_is_given_back_before_a_run_and_when_it_is_over(fresh, bird_examples, monkeypatch):
    """Ended or stopped, after its last step: the next run of the same kernel begins where this one began."""
    told = []
    monkeypatch.setattr(checkpoints, "give_memory_back", lambda: told.append("given back"))

    def stop(progress):
        told.append(progress.step)
        if progress.step == 1:
            raise KeyboardInterrupt

    finetune(fresh(), bird_examples, Recipe(steps=1), on_progress=lambda progress: told.append(progress.step))
    with pytest.raises(KeyboardInterrupt):
        finetune(fresh(), bird_examples, Recipe(steps=5), on_progress=stop)
    assert [each for each in told if each != 0] == ["given back", 1, "given back"] * 2


def test_no_examples(fresh, tmp_path):
    with pytest.raises(ValueError, match="no examples to train on"):
        finetune(fresh(), [], out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number_stops_the_run(fresh, bird_examples, tmp_path):
    opened = fresh()
    with torch.no_grad():
        opened.model.model.embed_tokens.weight[5:] = math.nan
    with pytest.raises(ValueError, match=r"the loss became nan at step 1: .*\(now 0\.0003; try a tenth\)"):
        finetune(opened, bird_examples, out=tmp_path, recipe=Recipe(save_steps=1))
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]  # no checkpoint of it


def test_a_learning_rate_that_explodes_stops_the_run(fresh, bird_examples):
    with pytest.raises(ValueError, match=r"the loss became (nan|inf) at step \d+: .*now 1e\+30"):
        finetune(fresh(), bird_examples, Recipe(steps=20, batch=8, learning_rate=1e30))


def test_a_batch_in_which_no_label_counts_stops_the_run(fresh):
    silent = [{"input_ids": [5, 6, 7], "labels": [IGNORED] * 3}]
    with pytest.raises(ValueError, match=r"became nan at step 1: .* or an example has no label that counts"):
        finetune(fresh(), silent, Recipe(steps=1))


@pytest.mark.parametrize(("device", "wide", "on"), [("cpu", True, True), ("cpu", False, False), ("cuda", False, True)])
def test_precision_asks_the_processor(monkeypatch, device, wide, on):
    monkeypatch.setattr(machine, "bf16", lambda: wide)
    monkeypatch.setattr(torch, "autocast", lambda device, dtype, enabled, cache_enabled: (device, dtype, enabled))
    assert precision(device) == (device, torch.bfloat16, on)
