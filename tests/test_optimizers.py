"""Which weights Muon trains and which AdamW; that the two are one optimizer to a schedule and to a checkpoint."""

import torch

from labutils.model.optimizers import MuonAndAdamW


def make(model, **rates) -> MuonAndAdamW:
    return MuonAndAdamW(model, **{"learning_rate": 0.01, "weight_decay": 0.1} | rates)


def step(model, optimizer, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for weight in model.parameters():
        weight.grad = torch.randn(weight.shape, generator=generator)
    optimizer.step()


def test_muon_has_the_matrices_of_the_layers_and_adamw_the_rest(fresh):
    model = fresh().model
    *muon, adamw = make(model).parts
    names = {id(weight): name for name, weight in model.named_parameters()}
    with_muon = {names[id(weight)] for part in muon for group in part.param_groups for weight in group["params"]}
    with_adamw = {names[id(weight)] for group in adamw.param_groups for weight in group["params"]}
    assert len(with_muon) == 2 * 7 and all("_proj" in name for name in with_muon)
    assert with_adamw == {"model.embed_tokens.weight"} | {name for name in names.values() if "norm" in name}


def test_frozen_weights_are_left_alone(fresh):
    model = fresh().model
    frozen = [weight for name, weight in model.named_parameters() if "layers.0" in name]
    for weight in frozen:
        weight.requires_grad_(False)
    before = [weight.clone() for weight in frozen]
    optimizer = make(model)
    step(model, optimizer, 0)
    assert all(torch.equal(weight, old) for weight, old in zip(frozen, before, strict=True))


def test_each_part_takes_the_step_of_its_own_optimizer(fresh):
    ours, theirs = fresh().model, fresh().model
    step(ours, make(ours), 0)
    matrices = [weight for name, weight in theirs.named_parameters() if "_proj" in name]
    others = [weight for name, weight in theirs.named_parameters() if "_proj" not in name]
    muon = torch.optim.Muon(matrices, lr=0.01, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    adamw = torch.optim.AdamW(others, lr=0.01, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    step(theirs, muon, 0)
    step(theirs, adamw, 0)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


def test_a_schedule_moves_both_rates_also_after_loading(fresh):
    model = fresh().model
    optimizer = make(model)
    optimizer.load_state_dict(make(model).state_dict())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    step(model, optimizer, 0)
    schedule.step()
    assert [group["lr"] for part in optimizer.parts for group in part.param_groups] == [0.005] * 3


def test_a_loaded_state_goes_on_as_if_nothing_had_happened(fresh):
    one, two = fresh().model, fresh().model
    first = make(one)
    for seed in range(4):
        step(one, first, seed)
    second = make(two)
    for seed in range(2):
        step(two, second, seed)
    third = make(two)
    third.load_state_dict(second.state_dict())
    for seed in (2, 3):
        step(two, third, seed)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
