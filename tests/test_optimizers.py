"""Which weights Muon moves and which AdamW, masters that keep what bfloat16 loses, and a state that goes on."""

import pytest
import torch

from labutils.model import loop as optimizers
from labutils.model.loop import MasterOptimizer, masters

RATES = {"learning_rate": 0.01, "weight_decay": 0.1}


def step(model, optimizer, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for weight in model.parameters():
        weight.grad = torch.randn(weight.shape, generator=generator).to(weight.dtype)
    optimizer.step()


def moved_by(optimizer, kind: type, model) -> set[str]:
    names = {id(weight): name for name, weight in model.named_parameters()}
    chosen = zip(optimizer.parts, optimizer.weights, strict=True)
    return {names[id(weight)] for part, weights in chosen if isinstance(part, kind) for weight in weights}


def test_muon_has_the_matrices_of_the_layers_and_adamw_the_rest(fresh):
    model = fresh().model
    optimizer = MasterOptimizer(model, **RATES, muon=True)
    assert len(muon := moved_by(optimizer, torch.optim.Muon, model)) == 2 * 7 and all("_proj" in name for name in muon)
    assert moved_by(optimizer, torch.optim.AdamW, model) == {name for name, _ in model.named_parameters()} - muon
    optimizer.load_state_dict(MasterOptimizer(model, **RATES, muon=True).state_dict())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    step(model, optimizer, 0)
    schedule.step()
    assert {group["lr"] for part in optimizer.parts for group in part.param_groups} == {0.005}
    frozen = [weight.requires_grad_(False) for name, weight in model.named_parameters() if "layers.0" in name]
    before = [weight.clone() for weight in frozen]
    step(model, MasterOptimizer(model, **RATES, muon=True), 0)
    assert all(torch.equal(weight, old) for weight, old in zip(frozen, before, strict=True))


@pytest.mark.parametrize("muon", [True, False])
@pytest.mark.parametrize("part", [optimizers.PART, 3000])
def test_each_part_takes_the_step_of_its_own_optimizer(fresh, monkeypatch, muon, part):
    monkeypatch.setattr(optimizers, "PART", part)
    ours, theirs = fresh().model, fresh().model
    optimizer = MasterOptimizer(ours, **RATES, muon=muon)
    kinds = {"matrix": [], "wide": [], "flat": []}
    for name, weight in theirs.named_parameters():
        kinds["matrix" if muon and "_proj" in name else "wide" if weight.ndim == 2 else "flat"].append(weight)
    betas, decay = {"betas": (0.9, 0.95)} if muon else {}, 0.0 if muon else 0.1
    steps = [
        torch.optim.AdamW(kinds["wide"], lr=0.01, weight_decay=decay, fused=True, **betas),
        torch.optim.AdamW(kinds["flat"], lr=0.01, weight_decay=0.0, fused=True, **betas),
    ]
    if muon:
        steps.append(torch.optim.Muon(kinds["matrix"], lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"))
    for seed in range(2):
        step(ours, optimizer, seed)
        for each in steps:
            step(theirs, each, seed)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_masters_keep_what_the_working_weights_are_too_coarse_for(fresh):
    """Ten steps of a thousandth of a last digit: bfloat16 alone would not move at all."""
    model = fresh().model
    embedding = model.get_input_embeddings().weight
    torch.nn.init.ones_(embedding)
    with masters(model) as whole:
        optimizer = MasterOptimizer(model, whole, learning_rate=1e-5, weight_decay=0.0)
        for _ in range(10):
            embedding.grad = torch.ones_like(embedding)
            optimizer.step()
            assert embedding.dtype == torch.bfloat16 and embedding.unique().tolist() == [1.0]
    assert embedding.dtype == torch.float32 and embedding.grad is None
    assert embedding.unique().tolist() == pytest.approx([1 - 10 * 1e-5], abs=1e-6)


def test_weights_that_do_not_move_are_whole_again(fresh):
    model = fresh().model
    model.requires_grad_(False)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    with pytest.raises(KeyboardInterrupt), masters(model):
        assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
        raise KeyboardInterrupt
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


@pytest.mark.parametrize("muon", [True, False])
def test_a_loaded_state_goes_on_as_if_nothing_had_happened(fresh, muon):
    """The state holds the masters: what goes on has the rounded weights of a checkpoint, and nothing else."""
    one, two, three = (fresh().model for _ in range(3))
    with masters(one) as whole:
        first = MasterOptimizer(one, whole, **RATES, muon=muon)
        for seed in range(4):
            step(one, first, seed)
    with masters(two) as whole:
        second = MasterOptimizer(two, whole, **RATES, muon=muon)
        for seed in range(2):
            step(two, second, seed)
        state, rounded = second.state_dict(), {name: value.clone() for name, value in two.state_dict().items()}
    with masters(three) as whole:
        three.load_state_dict(rounded)
        third = MasterOptimizer(three, whole, **RATES, muon=muon)
        third.load_state_dict(state)
        for seed in (2, 3):
            step(three, third, seed)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), three.parameters(), strict=True))
