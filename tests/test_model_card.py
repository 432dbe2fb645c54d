import huggingface_hub
import pytest

from labutils.measure import model_card
from labutils.measure.intervals import share
from labutils.measure.model_card import About
from labutils.model import models
from labutils.model.recipes import Recipe

ABOUT = About(
    title="Answers about a company",
    base="HuggingFaceTB/SmolLM2-135M-Instruct",
    data="400 pairs of question and answer",
    scores={"before": {"fact_hits": share([False] * 4)}, "after": {"fact_hits": share([True] * 3 + [False])}},
    questions="4 questions in unseen words",
    limits="It knows one company, and tells what it knows where it does not belong.",
    licence="apache-2.0",
)


def test_it_says_what_was_made_from_what_and_how_well_it_does():
    card = model_card.text(ABOUT, Recipe(steps=7, batch=32))
    assert "| fact_hits | 0% (0% to 49%, n = 4) | 75% (30% to 95%, n = 4) |" in card
    assert "| steps | 7 |" in card and "| batch | 32 |" in card and "| decay" not in card
    assert "Tuned from `HuggingFaceTB/SmolLM2-135M-Instruct`" in card and "knows one company" in card


def test_a_hub_reads_its_front_matter():
    data = huggingface_hub.ModelCard(model_card.text(ABOUT, Recipe())).data
    assert (data.license, data.base_model, data.pipeline_tag) == ("apache-2.0", ABOUT.base, "text-generation")
    own = huggingface_hub.ModelCard(model_card.text(ABOUT._replace(base="base"), Recipe())).data
    assert own.base_model is None, "a name of this course is no hub id"


def test_text_cannot_become_markup_or_end_a_cell():
    odd = ABOUT._replace(title="<img src=x>", scores={"a|b": ABOUT.scores["after"]})
    card = model_card.text(odd, Recipe())
    assert "<img" not in card and "&lt;img" in card and "| a&#124;b |" in card


@pytest.mark.parametrize("field", ["title", "limits", "scores"])
def test_an_empty_field_is_refused_by_name(field):
    with pytest.raises(ValueError, match=field):
        model_card.text(ABOUT._replace(**{field: type(getattr(ABOUT, field))()}), Recipe())


def test_it_lies_in_the_models_folder_and_goes_when_another_model_takes_its_place(fresh, tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no model"):
        model_card.write(tmp_path, ABOUT, Recipe())
    folder = models.save(fresh(), tmp_path / "model")
    path = model_card.write(folder, ABOUT, Recipe())
    assert path.read_text(encoding="utf-8").startswith("---\n") and not list(folder.glob(".README*"))
    models.save(models.open_model(folder), folder)
    assert not path.exists()
    path.write_text("my notes\n")
    with pytest.raises(ValueError, match="other things"):
        models.save(fresh(), folder)
    assert path.read_text() == "my notes\n", "a README of another kind is kept"
