"""Models by name: what is made, what is saved and opened again to the bit, what is refused and how it is said."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from labutils import machine
from labutils.model import models
from labutils.model.models import ModelMissing, Opened


def half(opened: Opened) -> dict[str, torch.Tensor]:
    """A model's weights as they are after bfloat16, in float32 again."""
    return {key: value.bfloat16().float() for key, value in opened.model.state_dict().items()}


def same(state: dict, other: dict) -> bool:
    return state.keys() == other.keys() and all(torch.equal(value, other[key]) for key, value in state.items())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def saved(fresh, tmp_path):
    """The folder of a tiny model, this test's own."""
    return models.save(fresh(), tmp_path / "saved")


def test_the_same_seed_makes_the_same_weights_and_leaves_the_random_state_alone(fresh):
    before = torch.get_rng_state()
    assert same(fresh(3).model.state_dict(), fresh(3).model.state_dict())
    assert not torch.equal(fresh(3).model.lm_head.weight, fresh(4).model.lm_head.weight)
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_are_counted_by_hand_and_the_shape_follows_the_width(fresh, tokenizer):
    attention, forward, norms = 4 * 64 * 64, 3 * 64 * 192, 2 * 64  # 192: 64 * 8/3 to the next multiple of 64
    embedding = len(tokenizer) * 64  # shared with the output
    model = fresh().model
    assert models.weights(model) == embedding + 2 * (attention + forward + norms) + 64
    assert model.lm_head.weight is model.model.embed_tokens.weight and not model.training
    config = models.create(tokenizer, width=128, layers=1, context=99).model.config
    assert (config.hidden_size, config.intermediate_size, config.num_attention_heads) == (128, 320, 2)
    assert (config.num_hidden_layers, config.max_position_embeddings, config.eos_token_id) == (1, 99, 0)
    for width in (63, 65, 100):
        with pytest.raises(ValueError, match=f"width must be a multiple of 64, got {width}"):
            models.create(tokenizer, width=width)


def test_a_saved_model_opens_as_float32_with_the_same_weights(fresh, tmp_path, tokenizer, capfd):
    opened = fresh()
    saved = models.save(opened, tmp_path / "saved")
    assert opened.model.dtype == torch.float32 and same(opened.model.state_dict(), fresh().model.state_dict())
    with safe_open(saved / "model.safetensors", "pt") as file:
        stored = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    assert {value.dtype for value in stored.values()} == {torch.bfloat16}
    assert sum(value.numel() for value in stored.values()) == models.weights(opened.model), "shared ones once"
    again = models.open_model(saved)
    assert {value.dtype for value in again.model.parameters()} == {torch.float32} and not again.model.training
    assert same(again.model.state_dict(), half(fresh()))
    assert again.model.lm_head.weight is again.model.model.embed_tokens.weight
    assert again.tokenizer.get_vocab() == tokenizer.get_vocab()
    assert again.tokenizer.chat_template == tokenizer.chat_template
    copy = models.save(again, tmp_path / "again")
    assert (copy / "model.safetensors").read_bytes() == (saved / "model.safetensors").read_bytes()
    assert capfd.readouterr() == ("", "")


def test_a_bfloat16_file_of_somebody_else_opens_as_float32(fresh, tmp_path):
    model, tokenizer = fresh()
    model.to(torch.bfloat16).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["dtype"] == "bfloat16"
    opened = models.open_model(tmp_path)
    assert {value.dtype for value in opened.model.state_dict().values()} == {torch.float32}
    assert same(opened.model.state_dict(), half(fresh()))


def test_decoding_settings_of_a_model_are_put_aside(saved):
    theirs = {"repetition_penalty": 9.0, "no_repeat_ngram_size": 2, "top_p": 0.1, "eos_token_id": 5}
    (saved / "generation_config.json").write_text(json.dumps(theirs))
    settings = models.open_model(saved).model.generation_config
    assert (settings.repetition_penalty, settings.no_repeat_ngram_size, settings.top_p) == (None, None, None)
    assert settings.eos_token_id == 0


def test_an_older_model_is_replaced_and_nothing_stays_beside_it(fresh, saved):
    models.save(fresh(1), saved)
    assert same(models.open_model(saved).model.state_dict(), half(fresh(1)))
    assert [path.name for path in saved.parent.iterdir()] == ["saved"]
    (saved.parent / "empty").mkdir()
    assert models.available(str(models.save(fresh(), saved.parent / "empty")))


def test_a_link_stays_and_the_folder_that_it_names_is_replaced(fresh, saved):
    link = saved.with_name("link")
    link.symlink_to(saved.name, target_is_directory=True)
    models.save(fresh(1), link)
    assert same(models.open_model(saved).model.state_dict(), half(fresh(1)))
    assert link.is_symlink() and sorted(path.name for path in saved.parent.iterdir()) == ["link", "saved"]


@pytest.mark.parametrize("breaks", ["weights", "tokenizer", "swap"])
def test_a_save_that_breaks_off_leaves_the_old_model(fresh, saved, monkeypatch, breaks):
    before, opened = contents(saved), fresh(1)
    rename = Path.rename

    def disk_full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    def swap(path, target):
        return disk_full() if path.name.endswith(".part") else rename(path, target)

    if breaks == "swap":
        monkeypatch.setattr(Path, "rename", swap)
    else:
        part = opened.model if breaks == "weights" else opened.tokenizer
        monkeypatch.setattr(type(part), "save_pretrained", disk_full)
    with pytest.raises(OSError, match="No space left"):
        models.save(opened, saved)
    assert contents(saved) == before
    assert [path.name for path in saved.parent.iterdir()] == ["saved"]


def test_what_holds_other_things_is_refused(fresh, saved, tmp_path):
    notes, file = tmp_path / "notes", tmp_path / "file"
    notes.mkdir()
    for path in (notes / "diary.txt", saved / "card.md", file):
        path.write_text("mine")
    crowded = models.save(fresh(), tmp_path / "crowded")
    (crowded / "pictures").mkdir()
    for folder in (notes, saved, crowded, file):
        before = sorted(folder.rglob("*"))
        with pytest.raises(ValueError, match="choose another folder"):
            models.save(fresh(1), folder)
        assert sorted(folder.rglob("*")) == before and file.read_text() == "mine"


def test_the_folder_of_a_run_opens_its_model(fresh, tmp_path):
    run = tmp_path / "run"
    assert not models.available(str(run))
    models.save(fresh(), run / "model")
    assert models.available(str(run)) and models.folder(str(run)) == run / "model"
    assert same(models.open_model(run).model.state_dict(), half(fresh()))


def test_an_unknown_name_and_one_that_is_not_here(no_hub, tmp_path, fresh, monkeypatch):
    words = r"neither a known name \(random, base, finetuned, smollm2\) nor a folder, nor in reach on a hub"
    for name in ("smollm3", "no/such/folder"):
        with pytest.raises(ModelMissing, match=words):
            models.open_model(name)
    with pytest.raises(ModelMissing, match=r"holds no model: expected a folder with config\.json and"):
        models.open_model(tmp_path)
    assert not models.available("smollm2")
    with pytest.raises(ModelMissing, match="not on this machine; fetch it once: python3 -m labutils fetch smollm2"):
        models.open_model("smollm2")
    models.save(fresh(2), no_hub / "smollm2")
    assert models.available("smollm2") and same(models.open_model("smollm2").model.state_dict(), half(fresh(2)))
    for memory, enough in ((5e9, False), (6e9, True)):
        monkeypatch.setattr(models.machine, "memory", lambda memory=memory: memory)
        assert models.available("smollm2", to_tune=True) == enough and models.available("base", to_tune=True)


def test_a_mistyped_folder_is_not_looked_up_on_a_hub(monkeypatch, tmp_path):
    (tmp_path / "build").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(machine, "hub_answers", lambda: pytest.fail("the hub was asked"))
    with pytest.raises(ModelMissing, match="no model 'tunde' in the folder build"):
        models.open_model("build/tunde")


def test_a_pickle_is_never_opened(fresh, saved):
    (saved / "model.safetensors").unlink()
    torch.save(fresh().model.state_dict(), saved / "pytorch_model.bin")
    with pytest.raises(ModelMissing, match=r"cannot be opened: .*model\.safetensors"):
        models.open_model(saved)


def test_code_in_a_models_folder_is_never_run(saved, tmp_path):
    ran = tmp_path / "ran"
    (saved / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Model: pass\nclass Config: pass\n")
    config = json.loads((saved / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoModelForCausalLM": "evil.Model", "AutoConfig": "evil.Config"}}
    (saved / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelMissing, match=r"cannot be opened: .*custom code"):
        models.open_model(saved)
    assert not ran.exists()


@pytest.mark.parametrize("broken", ["config.json", "model.safetensors"])
def test_a_broken_file_is_said_in_one_line(saved, broken):
    whole = (saved / broken).read_bytes()
    (saved / broken).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelMissing) as problem:
        models.open_model(saved)
    assert str(problem.value).startswith(f"{saved} cannot be opened: ")
    assert "\n" not in str(problem.value)
    (saved / broken).write_bytes(whole)
    models.open_model(saved)
