"""Runs ended by hand: at once, behind a whole step, the model kept and openable, and nothing changed where none is."""

import os
import signal
import threading

import pytest
import torch

from labutils.model import adapters, training
from labutils.model.checkpoints import finished
from labutils.model.models import open_model
from labutils.model.training import Recipe

RECIPE = Recipe(steps=8, batch=4, learning_rate=5e-3, save_steps=2)


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def same(opened, other) -> bool:
    ours, theirs = opened.model.state_dict(), other.model.state_dict()
    return all(torch.equal(value, theirs[key]) for key, value in ours.items())


def at(step: int, do):
    """A callback that does something behind one step."""
    return lambda now: do() if now.step == step else None


@pytest.mark.parametrize("step", [0, 3, 8])
def test_it_ends_behind_the_step_with_its_weights(fresh, bird_examples, stop, step, tmp_path):
    """Stopped before the first step, it makes one; stopped at the last, it is a whole run."""
    ours, whole, seen = fresh(), fresh(), {}
    if not step:
        stop.set()
    how = {"stop": stop, "out": tmp_path / "run", "on_progress": at(step, stop.set)}
    run = training.finetune_until(ours, bird_examples, RECIPE, **how)
    step = max(step, 1)

    def look():
        seen.update({key: value.clone() for key, value in whole.model.state_dict().items()})

    expected = training.finetune(whole, bird_examples, RECIPE, on_progress=at(step, look))
    assert [now.loss for now in run.history] == [now.loss for now in expected.history[:step]]
    assert run.tokens == expected.tokens if step == 8 else run.tokens < expected.tokens
    assert all(torch.equal(value.to(seen[key].dtype), seen[key]) for key, value in ours.model.state_dict().items())
    assert not ours.model.training and finished(tmp_path / "run") is (step == 8)
    kept = open_model(tmp_path / "run").model.state_dict()
    assert all(torch.equal(value.bfloat16().float(), kept[key]) for key, value in ours.model.state_dict().items())


def test_a_stopped_run_can_be_gone_on_with(fresh, bird_examples, stop, tmp_path):
    out, ours, whole = tmp_path / "run", fresh(), fresh()
    training.finetune_until(ours, bird_examples, RECIPE, stop=stop, out=out, on_progress=at(5, stop.set))
    assert not finished(out)
    training.finetune(ours, bird_examples, RECIPE, out=out, resume=True)
    training.finetune(whole, bird_examples, RECIPE)
    assert same(ours, whole) and finished(out) and open_model(out)


def test_adapters_are_merged_into_what_is_kept(fresh, bird_examples, stop, tmp_path):
    opened = adapters.with_lora(fresh())
    training.finetune_until(opened, bird_examples, RECIPE, stop=stop, out=tmp_path / "run", on_progress=at(3, stop.set))
    assert (tmp_path / "run" / "adapter").is_dir()
    assert not adapters.has_lora(open_model(tmp_path / "run").model)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
def test_an_interrupt_stops_and_a_second_one_interrupts(fresh, bird_examples, stop):
    before = signal.getsignal(signal.SIGINT)
    run = training.finetune_until(fresh(), bird_examples, RECIPE, stop=stop, on_progress=at(2, interrupt))
    assert len(run.history) == 2 and stop.is_set()
    with pytest.raises(KeyboardInterrupt):
        training.finetune_until(fresh(), bird_examples, RECIPE, stop=stop, on_progress=at(1, interrupt))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_thread_beside_the_main_one_trains_as_well(fresh, bird_examples, stop):
    runs = []

    def train():
        runs.append(training.finetune_until(fresh(), bird_examples, RECIPE, stop=stop))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert len(runs[0].history) == 8


def test_other_errors_come_through(fresh, bird_examples, stop):
    def broken(now):
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        training.finetune_until(fresh(), bird_examples, RECIPE, stop=stop, on_progress=broken)
