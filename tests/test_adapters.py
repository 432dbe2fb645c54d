"""Fewer weights: how many move, that no other does, that a merged model answers as its adapters do, and their files."""

import json
from dataclasses import asdict

import peft
import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from labutils.model import adapters, checkpoints, models
from labutils.model.adapters import has_lora, last_layer_only, merge, trained, with_lora
from labutils.model.asking import ask
from labutils.model.encoding import encode_all, pad, pad_id
from labutils.model.loss import loss_of, next_token_loss, plain_head
from labutils.model.models import ModelMissing, Opened
from labutils.model.training import Recipe, finetune
from labutils.pairs.records import write_jsonl

RECIPE = Recipe(epochs=6, batch=3, learning_rate=1e-2, save_steps=5)  # 3 steps an epoch, 18 in all
LEARN = Recipe(steps=60, batch=8, learning_rate=5e-3)
KINDS = {"last": last_layer_only, "lora": with_lora}


class Stopped(Exception):
    """What a test stops a run with."""


def begin(opened, examples, out, stop: int = 0, **how):
    """A run that breaks off at a step, where one is given."""

    def tell(progress):
        if progress.step == stop:
            raise Stopped

    return finetune(opened, examples, RECIPE, out=out, on_progress=tell, **how)


@torch.no_grad()
def logits(opened, examples) -> torch.Tensor:
    rows = pad(examples, pad_id(opened.tokenizer))
    rows.pop("labels")
    return opened.model(**rows).logits


def state(opened) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in opened.model.named_parameters()}


def made(out) -> dict[str, bytes]:
    """What a run has made: the bytes of its files of weights."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.safetensors")}


@pytest.fixture(scope="module")
def turned(birds) -> list[dict]:
    """The tiny task with its numbers the other way round."""
    answers = [pair["answer"] for pair in birds][::-1]
    return [pair | {"answer": answer} for pair, answer in zip(birds, answers, strict=True)]


@pytest.fixture(scope="module")
def tuned(bird_folder, turned, tokenizer):
    """A model that had learned the tiny task, and whose adapters turn its answers round. Nobody changes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("labutils.machine.bf16", lambda: False)
        opened = with_lora(models.open_model(bird_folder))
        finetune(opened, encode_all(turned, "lecture", tokenizer).examples, LEARN)
    return opened


@pytest.fixture(scope="module")
def whole(start, bird_examples, tmp_path_factory):
    """The folder of a run with adapters that nobody stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    finetune(with_lora(models.open_model(start)), bird_examples, RECIPE, out=out)
    return out


def test_how_many_weights_move_of_6_9_million():
    """Six layers, 256 wide, 704 inside, a vocabulary of 8192: every number can be worked out by hand."""
    size = {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 6, "num_attention_heads": 4}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=8192, tie_word_embeddings=True, **size))
    opened = Opened(model, None)
    block = 4 * 256 * 256 + 3 * 256 * 704 + 2 * 256
    assert trained(model) == models.weights(model) == 8192 * 256 + 6 * block + 256 == 6_917_376
    last = last_layer_only(opened).model
    assert trained(last) == block + 256 == 803_584 and models.weights(last) == 6_917_376
    lora = with_lora(opened, 8).model
    assert trained(lora) == 6 * 8 * (4 * (256 + 256) + 3 * (256 + 704)) == 236_544
    assert models.weights(lora) == 6_917_376 + 236_544
    assert trained(with_lora(opened, 1).model) == 236_544 // 8
    assert trained(with_lora(opened, 8, targets=["q_proj", "v_proj"]).model) == 6 * 8 * 2 * (256 + 256)
    assert trained(model) == 6_917_376 and not has_lora(model)  # the model itself is left alone


def moving(model) -> set[str]:
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


def test_the_last_layer_of_other_architectures(fresh):
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    for tied in (True, False):  # an output matrix of its own belongs to the last layer
        whole = LlamaForCausalLM(LlamaConfig(vocab_size=50, tie_word_embeddings=tied, **size))
        found = moving(last_layer_only(Opened(whole, None)).model)
        last = {
            n for n, _ in whole.named_parameters() if "layers.1." in n or n in ("model.norm.weight", "lm_head.weight")
        }
        assert found == last and ("lm_head.weight" in found) is not tied
    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_positions=16, n_embd=32, n_layer=3, n_head=2))
    found = {name.rsplit(".", 1)[0] for name in moving(last_layer_only(Opened(model, None)).model)}
    assert all(name.startswith("transformer.h.2.") or name == "transformer.ln_f" for name in found) and len(found) == 7
    no_blocks = Opened(torch.nn.Linear(2, 2), None)
    no_blocks.model.config = model.config
    with pytest.raises(ValueError, match="no list of 3 blocks in this Linear"):
        last_layer_only(no_blocks)


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_the_weights_that_may_move_do(fresh, bird_examples, kind):
    opened = KINDS[kind](fresh())
    before, may = state(opened), moving(opened.model)
    finetune(opened, bird_examples, Recipe(steps=4, batch=8, learning_rate=1e-2))
    moved = {name for name, weight in state(opened).items() if not torch.equal(weight, before[name])}
    assert moved == may and sum(before[name].numel() for name in moved) == trained(opened.model)
    assert adapters.settings(fresh().model) == {}


def test_untrained_adapters_change_nothing_and_their_seed_decides(fresh, bird_examples):
    opened = fresh()
    torch.manual_seed(1)  # has no say
    one, same, other = (with_lora(opened, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(logits(one, bird_examples), logits(opened, bird_examples))
    assert all(torch.equal(a, b) for a, b in zip(state(one).values(), state(same).values(), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(state(one).values(), state(other).values(), strict=True))


def test_the_loss_stays_without_logits_where_nothing_counts(tuned, bird_examples, fp32):
    assert plain_head(tuned.model)
    rows = pad(bird_examples, pad_id(tuned.tokenizer))
    labels = rows.pop("labels")
    slopes = []
    for loss in (
        next_token_loss(tuned.model(**rows, use_cache=False).logits, labels),
        loss_of(tuned.model, rows, labels),
    ):
        loss.backward()
        slopes.append({n: w.grad.clone() for n, w in tuned.model.named_parameters() if w.grad is not None})
        tuned.model.zero_grad()
    assert slopes[0].keys() == slopes[1].keys() and len(slopes[0]) == 2 * 2 * 7
    for name, slope in slopes[0].items():
        torch.testing.assert_close(slopes[1][name], slope, rtol=1e-3, atol=1e-6, msg=name)


def test_a_merged_model_answers_as_its_adapters_do(tuned, bird_examples, turned, fp32):
    merged = merge(tuned)
    ours, theirs = logits(merged, bird_examples), logits(tuned, bird_examples)
    assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()
    assert has_lora(tuned.model) and not has_lora(merged.model)
    assert trained(merged.model) == models.weights(merged.model) == models.weights(tuned.model) - trained(tuned.model)
    replies = ask(merged, [pair["question"] for pair in turned])
    assert replies == ask(tuned, [pair["question"] for pair in turned]) == [(pair["answer"], True) for pair in turned]
    assert trained(with_lora(merged).model) == trained(tuned.model), "it can be tuned again"


def test_a_merged_model_stands_alone(fresh, bird_examples):
    """Also after training, where the Trainer has put another `forward` on the model."""
    opened = with_lora(fresh())
    finetune(opened, bird_examples, Recipe(steps=2, batch=8))
    merged = merge(opened)
    before = logits(merged, bird_examples)
    with torch.no_grad():
        for weight in opened.model.parameters():
            weight.zero_()
    assert torch.equal(logits(merged, bird_examples), before)


def test_adapters_go_to_a_folder_and_come_back_also_to_peft(tuned, bird_folder, bird_examples, tmp_path, fp32):
    folder = adapters.save_adapter(tuned, tmp_path / "adapter")
    files = ["adapter_config.json", "adapter_model.safetensors", "base.json"]
    assert sorted(path.name for path in folder.iterdir()) == files
    assert json.loads((folder / "base.json").read_text())["model"] == str(bird_folder)
    size = (folder / "adapter_model.safetensors").stat().st_size
    assert 2 * trained(tuned.model) < size < 2 * trained(tuned.model) + 6_000  # two bytes a weight, and their names
    again = adapters.open_adapter(folder)
    assert trained(again.model) == trained(tuned.model) and not again.model.training
    for name, weight in state(tuned).items():
        assert torch.equal(state(again)[name], weight.bfloat16().float() if "lora_" in name else weight), name
    given = adapters.open_adapter(folder, models.open_model(bird_folder))
    assert torch.equal(logits(given, bird_examples), logits(again, bird_examples))
    plain = AutoModelForCausalLM.from_pretrained(bird_folder, dtype=torch.float32)
    theirs = Opened(peft.PeftModel.from_pretrained(plain, folder).eval(), again.tokenizer)
    assert torch.equal(logits(theirs, bird_examples), logits(again, bird_examples))
    adapters.save_adapter(again, folder)  # in its own place


def test_adapters_over_another_model_are_refused(tuned, fresh, tokenizer, tmp_path):
    folder = adapters.save_adapter(tuned, tmp_path / "adapter")
    with pytest.raises(ValueError, match=r"were trained on other weights, those of .*model"):
        adapters.open_adapter(folder, fresh(seed=1))
    (folder / "base.json").unlink()  # as of another hand
    assert has_lora(adapters.open_adapter(folder, fresh(seed=1)).model)
    with pytest.raises(ValueError, match=r"adapter do not fit: .*size mismatch|do not fit: Error\(s\) in loading"):
        adapters.open_adapter(folder, models.create(tokenizer, width=128, layers=2))
    with pytest.raises(ValueError, match="do not fit: they stand beside other matrices"):
        adapters.read_adapter(with_lora(fresh(), targets=["q_proj"]).model, folder)


def test_adapters_of_a_model_that_was_never_saved(fresh, tmp_path):
    opened = fresh()
    folder = adapters.save_adapter(with_lora(opened), tmp_path / "adapter")
    with pytest.raises(ModelMissing, match="was never saved, so it must be given"):
        adapters.open_adapter(folder)
    assert has_lora(adapters.open_adapter(folder, opened).model)
    again = models.open_model(models.save(opened, tmp_path / "model"))  # rounded to bfloat16, but the same model
    assert has_lora(adapters.open_adapter(folder, again).model)


def test_folders_without_adapters(tuned, tmp_path):
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "adapter_config.json").write_text("{}")
    (tmp_path / "pickled" / "adapter_model.bin").write_bytes(b"\x80\x04N.")
    for folder in (tmp_path, tmp_path / "nowhere", tmp_path / "pickled"):
        with pytest.raises(ModelMissing, match="holds no adapters: expected a folder with"):
            adapters.open_adapter(folder)
    folder = adapters.save_adapter(tuned, tmp_path / "adapter")
    (folder / "adapter_model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(ValueError, match="do not fit"):
        adapters.open_adapter(folder)
    (folder / "diary.txt").write_text("mine")
    (tmp_path / "pickled" / "diary.doc").write_text("mine")
    with pytest.raises(ValueError, match="holds other things than adapters"):
        adapters.save_adapter(tuned, tmp_path / "pickled")


def test_models_that_are_no_plain_models_are_refused(tuned, fresh, tmp_path):
    with pytest.raises(ValueError, match=r"the model has adapters: merge them \(adapters.merge\) or save them alone"):
        models.save(tuned, tmp_path / "model")
    folder = adapters.save_adapter(tuned, tmp_path / "adapter")
    with pytest.raises(ModelMissing, match="holds adapters without their model; open the merged model of the run"):
        models.open_model(folder)
    for refuse in (with_lora, last_layer_only):
        with pytest.raises(ValueError, match="has adapters"):
            refuse(tuned)
    for refuse in (merge, lambda opened: adapters.save_adapter(opened, tmp_path / "none")):
        with pytest.raises(ValueError, match="the model has no adapters"):
            refuse(fresh())
    with pytest.raises(ValueError, match="rank must be at least 1, got 0"):
        with_lora(fresh(), 0)
    with pytest.raises(ValueError, match="not found in the base model"):
        with_lora(fresh(), targets=["poem"])


def test_a_run_keeps_its_adapters_and_a_merged_model(whole, start, bird_examples, fp32):
    assert sorted(path.name for path in whole.iterdir()) == ["adapter", "model", "run.json"]
    merged, apart = models.open_model(whole), adapters.open_adapter(whole / "adapter")
    assert not has_lora(merged.model)
    difference = (logits(merged, bird_examples) - logits(apart, bird_examples)).abs().max()
    assert difference < 0.1  # the merged matrices are rounded to bfloat16
    settings = json.loads((whole / "run.json").read_text())["settings"]
    assert settings["recipe"] == asdict(RECIPE)
    assert settings["lora"]["rank"] == 8 and settings["lora"]["alpha"] == 16 and len(settings["lora"]["targets"]) == 7
    assert settings["trained"] == trained(apart.model) < settings["weights"] == models.weights(apart.model)


@pytest.mark.parametrize("stopped_at", [2, 13])
def test_a_stopped_run_with_adapters_goes_on_to_the_same_bytes(start, whole, bird_examples, tmp_path, stopped_at):
    out = tmp_path / "run"
    with pytest.raises(Stopped):
        begin(with_lora(models.open_model(start)), bird_examples, out, stopped_at)
    for checkpoint in out.glob("checkpoint-*"):
        assert (checkpoint / adapters.WEIGHTS).is_file() and not (checkpoint / "model.safetensors").exists()
    run = begin(with_lora(models.open_model(start)), bird_examples, out, resume=True)
    assert run.history[0].step == stopped_at // 5 * 5 + 1
    assert made(out) == made(whole) and len(made(out)) == 2


def test_a_run_is_not_gone_on_with_in_another_model(start, fresh, bird_examples, tmp_path):
    out, opened = tmp_path / "run", models.open_model(start)
    with pytest.raises(Stopped):
        begin(with_lora(opened), bird_examples, out, 6)
    lora = [with_lora(opened, 4), with_lora(opened, alpha=8), with_lora(opened, targets=["q_proj", "v_proj"])]
    for other in [opened, last_layer_only(opened), *lora, with_lora(fresh(seed=1))]:
        with pytest.raises(ValueError, match="resume needs the same"):
            begin(other, bird_examples, out, resume=True)
    assert not checkpoints.finished(out)


@pytest.mark.parametrize(
    ("options", "way", "kept"),
    [
        (["--weights", "last"], last_layer_only, ["model", "run.json"]),
        (["--weights", "lora", "--rank", "2"], lambda opened: with_lora(opened, 2), ["adapter", "model", "run.json"]),
    ],
)
def test_the_command_moves_fewer_weights(labutils, turned, bird_folder, tmp_path, options, way, kept):
    pairs, out = write_jsonl(turned, tmp_path / "pairs.jsonl"), tmp_path / "run"
    code, _, err = labutils("finetune", pairs, "--model", bird_folder, "--out", out, "--steps", 2, *options)
    assert code == 0 and sorted(path.name for path in out.iterdir()) == kept
    model = way(models.open_model(bird_folder)).model
    assert f"{trained(model):,} of {models.weights(model):,} weights move" in err
    assert json.loads((out / "run.json").read_text())["settings"]["trained"] == trained(model)
    assert labutils("ask", "What?", "--model", out)[0] == 0
    assert labutils("ask", "What?", "--model", out / "adapter")[0] == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--rank 4", "--rank is that of adapters, so it goes with --lora"),
        ("--weights last --rank 4", "--rank is that of adapters, so it goes with --lora"),
        ("--lora --rank 0", "rank must be at least 1, got 0"),
        ("--lora --weights last", "not allowed with argument"),
        ("--weights most", "invalid choice: 'most'"),
    ],
)
def test_weights_that_cannot_be_asked_for(refused, birds, bird_folder, tmp_path, options, words):
    pairs = write_jsonl(birds, tmp_path / "pairs.jsonl")
    refused(f"finetune {pairs} --model {bird_folder} --out {tmp_path / 'run'} {options}", words)
    assert not (tmp_path / "run").exists()
