"""The widgets without a browser: every control moved and its effect read, texts escaped, the same without a kernel."""

import html
import re
import subprocess
import sys
from types import SimpleNamespace

import ipywidgets
import pytest

from labutils.corpus import quality
from labutils.lesson import widgets
from labutils.lesson.widgets import model_widgets as watching
from labutils.lesson.widgets import parts
from labutils.model import models, training
from labutils.model.training import Recipe
from labutils.pairs.templates import TEMPLATES

HOSTILE = "<script>alert(1)</script> & </table>"
PROSE = "The heron stands in the water and waits for the fish that it has seen. It is a bird of great patience. " * 6


def text_of(view) -> str:
    """What a reader reads: HTML without its tags."""
    value = getattr(view, "value", None) or view.data
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", value)))


def controls(box: parts.Box) -> list[ipywidgets.Widget]:
    """What can be moved: all that is neither a box nor a view."""
    inside = [child for each in box.children for child in (getattr(each, "children", None) or (each,))]
    return [widget for widget in inside if not isinstance(widget, ipywidgets.HTML)]


def view_of(box: parts.Box) -> ipywidgets.HTML:
    return box.children[-1]


def document(text: str, set_name: str = "Python", package: str = "numpy") -> dict:
    return {"text": text, "meta": {"pile_set_name": set_name, "package": package, "license": "BSD-3-Clause"}}


@pytest.fixture
def documents() -> list[dict]:
    return [
        document("Short. Write to ada.b@plover-club.org."),
        document(PROSE, "Documentation", "pandas"),
        document("x = {}", "Python", "pandas"),
    ]


@pytest.fixture
def two(bird_run, fresh) -> dict:
    """A model before and after it has learned the tiny task."""
    return {"before": fresh(), "after": bird_run[0]}


@pytest.fixture(autouse=True)
def no_stage_is_open():
    parts._shared.cache_clear()
    yield
    parts._shared.cache_clear()


@pytest.fixture
def shown(monkeypatch) -> list:
    """What the dashboard displays: its button, and the picture as it was last renewed."""
    found = []

    def display(thing, display_id=False):
        found.append(thing)
        return SimpleNamespace(update=lambda new: found.__setitem__(1, new))

    monkeypatch.setattr(watching, "display", display)
    return found


def test_they_start_without_pytorch():
    code = "import sys; from labutils.lesson import widgets; assert not {'torch', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_widget_has_at_most_three_controls(documents, birds, tokenizer, two, shown, bird_examples):
    boxes = [
        widgets.corpus(documents),
        widgets.playground(birds, tokenizer),
        widgets.explorer(two),
        widgets.before_after(two),
        widgets.checkpoints([MOMENT]),
    ]
    widgets.dashboard(two["before"], bird_examples, Recipe(steps=1, batch=4))
    assert all(1 <= len(controls(box)) <= 3 for box in [*boxes, shown[0]])
    assert all(getattr(control, "description", "") for box in boxes for control in controls(box)), "each has a label"


def test_without_a_kernel_a_sentence_stands_in_its_place(documents):
    told = widgets.corpus(documents)._repr_mimebundle_()["text/plain"]
    assert told == "corpus viewer: works only while the notebook is running"


class TestCorpus:
    def test_the_next_document_and_back_to_the_first(self, documents):
        box = widgets.corpus(documents)
        *_, onward = controls(box)
        places = []
        for _ in range(4):
            places.append(re.search(r"document (\d) of 3", text_of(view_of(box)))[1])
            onward.click()
        assert places == ["1", "2", "3", "1"]

    def test_a_set_is_chosen_and_narrows_the_packages(self, documents):
        box = widgets.corpus(documents)
        sets, packages, onward = controls(box)
        onward.click()
        packages.value = "numpy"
        assert "document 1 of 1" in text_of(view_of(box))
        sets.value = "Documentation"
        assert [label for label, _ in packages.options] == ["every package (1)", "pandas (1)"]
        assert packages.index == 0 and "document 1 of 1" in text_of(view_of(box))
        assert "The heron stands" in text_of(view_of(box))

    def test_another_set_with_the_same_packages_takes_back_the_package(self, documents):
        box = widgets.corpus(documents[:1])
        sets, packages, _ = controls(box)
        packages.value = "numpy"
        sets.value = "Python"
        assert packages.index == 0

    def test_back_to_every_set_and_every_package_the_menus_say_so(self, documents):
        box = widgets.corpus(documents)
        sets, packages, _ = controls(box)
        for menu, other in ((sets, packages), (packages, sets)):
            menu.index = 1
            menu.index = 0
            assert (menu.index, menu.label.split(" (")[0]) == (0, f"every {menu.description}") and other.index == 0
            assert "document 1 of 3" in text_of(view_of(box))

    def test_the_options_count(self, documents):
        sets, packages, _ = controls(widgets.corpus(documents))
        assert [label for label, _ in sets.options] == ["every set (3)", "Documentation (1)", "Python (2)"]
        assert [label for label, _ in packages.options] == ["every package (3)", "numpy (1)", "pandas (2)"]

    def test_every_rule_that_drops_a_document_is_named_with_its_words(self, documents):
        said = text_of(view_of(widgets.corpus(documents)))
        assert "✗ dropped: too few words, " in said and "Gopher: between 50 and 100,000 words." in said

    def test_a_document_that_no_rule_drops(self, documents):
        said = text_of(view_of(widgets.corpus(documents[1:], [quality.too_few_words])))
        assert "✓ kept: no rule drops it" in said and "why it is dropped" not in said

    def test_a_rule_of_ones_own(self, documents):
        def no_herons(text):
            return quality.drop("heron" in text, "a heron")

        said = text_of(view_of(widgets.corpus(documents[1:], [no_herons])))
        assert "dropped: a heron" in said and "no_herons" in said

    def test_persons_are_masked_and_tags_are_text(self, documents):
        documents[0]["text"] += HOSTILE
        for shown in (view_of(widgets.corpus(documents)), widgets.corpus_table(documents)):
            assert "ada.b" not in text_of(shown) and "[e-mail]" in text_of(shown)
            assert "<script>" not in getattr(shown, "value", getattr(shown, "data", ""))

    def test_documents_without_a_meta(self):
        assert "document 1 of 1" in text_of(view_of(widgets.corpus([{"text": "Tides turn.", "meta": {}}])))

    def test_no_documents(self):
        with pytest.raises(ValueError, match="no documents"):
            widgets.corpus([])

    def test_the_table_quotes_little_and_says_why(self, documents):
        said = text_of(widgets.corpus_table(documents))
        assert PROSE[:100] in said and PROSE[:101] not in said
        assert "dropped: too few words" in said and said.count("dropped") + said.count("kept") == 3


class TestPlayground:
    def test_as_it_is_typed(self, birds, tokenizer):
        box = widgets.playground(birds, tokenizer)
        edited, _, _ = controls(box)
        assert edited.continuous_update
        assert "✓ nothing is wrong" in text_of(view_of(box))
        assert "What is the number of plover?⏎" in text_of(view_of(box))
        edited.value = "Q: {question}\nA: {answer}"
        assert "⚠ warning: the prompt ends in a space" in text_of(view_of(box))
        assert "Q: What is the number of plover?⏎" in text_of(view_of(box))
        edited.value = "Q: {question}\nA: {answe}"
        said = text_of(view_of(box))
        assert "✗ error: the place {answer} is missing" in said and "cannot be filled" in said and "trained" not in said

    def test_another_pair(self, birds, tokenizer):
        box = widgets.playground(birds, tokenizer)
        _, which, _ = controls(box)
        which.value = 2
        assert "heron" in text_of(view_of(box))
        which.value = 99
        assert "raven" in text_of(view_of(box)), "the last one"

    def test_the_end_of_text_is_trained_or_warned_of(self, birds, tokenizer):
        box = widgets.playground(birds, tokenizer)
        *_, ends = controls(box)
        before = [int(n) for n in re.search(r"trained : (\d+) of (\d+)", text_of(view_of(box))).groups()]
        assert tokenizer.eos_token in text_of(view_of(box))
        ends.value = False
        after = [int(n) for n in re.search(r"trained : (\d+) of (\d+)", text_of(view_of(box))).groups()]
        assert [n - 1 for n in before] == after and tokenizer.eos_token not in text_of(view_of(box))
        assert "⚠ warning: there is no end-of-text" in text_of(view_of(box))

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_every_template_of_the_course_by_name(self, birds, tokenizer, name):
        assert "trained" in text_of(widgets.playground_view(name, birds[0], tokenizer))

    def test_still_and_moving_agree(self, birds, tokenizer):
        still = widgets.playground_view("lecture", birds[0], tokenizer)
        assert still.data in view_of(widgets.playground(birds, tokenizer)).value

    def test_tags_are_text(self, birds, tokenizer):
        record = {"question": HOSTILE, "answer": HOSTILE}
        shown = widgets.playground_view("<b>{question}</b>\n{answer}", record, tokenizer).data
        assert "<script" not in shown and "<b>{" not in shown and "&lt;script" in shown

    def test_plain_text_has_no_prompt(self, tokenizer):
        said = text_of(widgets.playground_view("lecture", {"text": "Tides turn."}, tokenizer))
        assert re.search(r"ignored : 0", said.replace("&nbsp;", " "))

    def test_no_records(self, tokenizer):
        with pytest.raises(ValueError, match="at least one pair"):
            widgets.playground([], tokenizer)


class TestExplorer:
    def test_typing_moves_the_bars_and_the_switch_moves_them_again(self, two):
        box = widgets.explorer(two, "What is the")
        stage, text, _ = controls(box)
        assert text.continuous_update
        seen = [view_of(box).value]
        text.value = "What is the number"
        seen.append(view_of(box).value)
        stage.value = "after"
        seen.append(view_of(box).value)
        assert len(set(seen)) == 3 and all(value.count(" %</td>") == 8 for value in seen)

    def test_it_writes_its_likeliest_token_until_it_would_end(self, two):
        box = widgets.explorer({"after": two["after"]}, "### Question:\nWhat is the number of heron?\n\n### Answer:\n")
        _, text, write = controls(box)
        for _ in range(30):
            write.click()
        assert text.value.endswith("It is two.")

    def test_the_numbers_are_there_beside_the_bars(self, two):
        said = text_of(widgets.explorer_bars(two, "What is the", k=3))
        assert len(re.findall(r"\d+\.\d+ %", said)) == 6 and "as undecided as" in said

    def test_a_space_at_the_end_is_warned_of_and_nothing_is_explained(self, two):
        box = widgets.explorer(two, "What ")
        assert "⚠ warning: the phrase ends in a space" in text_of(view_of(box))
        controls(box)[1].value = ""
        assert "at least one token" in text_of(view_of(box))
        controls(box)[2].click()
        assert controls(box)[1].value == ""

    def test_a_model_that_is_not_here_says_so(self, no_hub):
        assert "not on this machine" in text_of(view_of(widgets.explorer(["smollm2"])))

    def test_tags_are_text(self, two):
        assert "<script>" not in widgets.explorer_bars(two, HOSTILE).data


class TestStages:
    def test_named_ones_are_opened_once_and_when_asked_for(self, monkeypatch, two):
        opened = []
        monkeypatch.setattr(models, "open_model", lambda name: opened.append(name) or two["after"])
        names, get = parts.offered(["base", "finetuned"])
        assert names == ["base", "finetuned"] and opened == []
        assert get("base") is get("base") is two["after"] and opened == ["base"]

    def test_a_stage_is_shared_by_all_widgets_and_a_folder_is_not(self, monkeypatch, two):
        opened = []
        monkeypatch.setattr(models, "open_model", lambda name: opened.append(name) or two["after"])
        for _ in range(2):
            _, get = parts.offered(["base", "work/tuned"])
            get("base"), get("work/tuned")
        assert opened == ["base", "work/tuned", "work/tuned"]

    def test_open_ones_and_folders_in_one_mapping(self, two, bird_folder):
        _, get = parts.offered({"open": two["after"], "folder": bird_folder})
        assert get("open") is two["after"]
        assert get("folder").model.num_parameters() == two["after"].model.num_parameters()

    def test_without_any_those_on_this_machine(self, monkeypatch):
        monkeypatch.setattr(models, "available", lambda name: name in ("random", "smollm2"))
        assert parts.offered(None)[0] == ["random", "smollm2"]

    def test_no_model_at_all(self):
        with pytest.raises(ValueError, match="no model to show"):
            parts.offered([])

    def test_how_they_are_asked(self):
        assert [parts.template_of(name) for name in ("smollm2", "base", "mine")] == ["chatml", "lecture", "lecture"]


class TestBeforeAfter:
    def test_every_model_answers_the_question(self, two, birds):
        questions = [pair["question"] for pair in birds]
        box = widgets.before_after(two, questions)
        asked, _, view = box.children
        assert list(asked.options) == questions
        asked.value = "What is the number of heron?"
        assert "It is two." in text_of(view)
        assert "before" in text_of(view) and "after" in text_of(view)

    def test_the_button_asks_what_stands_there_and_not_twice(self, two, birds, monkeypatch):
        box = widgets.before_after(two, [birds[0]["question"]])
        _, button, view = box.children
        assert "press Enter" in text_of(view)
        button.click()
        assert "It is one." in text_of(view)
        monkeypatch.setattr(view, "value", "kept")
        button.click()
        assert view.value == "kept"

    def test_nothing_is_asked_without_a_question(self, two):
        box = widgets.before_after(two)
        box.children[1].click()
        assert "press Enter" in text_of(box.children[2])

    def test_an_answer_that_does_not_end_is_said_to_be_cut(self, two):
        said = text_of(widgets.before_after_table({"before": two["before"]}, ["What is the number of heron?"]))
        assert "(cut after 60 tokens)" in said

    def test_still_and_a_model_that_is_not_here(self, two, no_hub):
        said = text_of(widgets.before_after_table({**two, "smollm2": "smollm2"}, ["What is the number of heron?"]))
        assert "It is two." in said and "not on this machine" in said

    def test_tags_are_text(self, two):
        assert "<script>" not in widgets.before_after_table(two, [HOSTILE]).data


class TestDashboard:
    RECIPE = Recipe(steps=12, batch=4, learning_rate=5e-3, eval_steps=4)

    def test_it_trains_as_the_plain_call_does(self, fresh, bird_examples, shown):
        ours, plain = fresh(), fresh()
        phrases = ["What is the number of heron?"]
        watched = widgets.dashboard(ours, bird_examples, self.RECIPE, phrases=phrases, held_out=bird_examples)
        expected = training.finetune(plain, bird_examples, self.RECIPE, held_out=bird_examples)
        assert [now.loss for now in watched.run.history] == [now.loss for now in expected.history]
        ours, plain = ours.model.state_dict(), plain.model.state_dict()
        assert all((value == plain[key]).all() for key, value in ours.items())
        assert not watched.stopped

    def test_losses_speed_and_what_it_writes_are_seen(self, fresh, bird_examples, shown, monkeypatch):
        monkeypatch.setattr(watching.live.Pace, "due", lambda pace: True)
        seen, question = [], "What is the number of heron?"
        monkeypatch.setattr(watching._Board, "shown", _noting(watching._Board.shown, seen))
        watched = widgets.dashboard(fresh(), bird_examples, self.RECIPE, phrases=[question], held_out=bird_examples)
        assert len(watched.samples) == 12 and watched.samples[-1].texts.keys() == {question}
        assert re.search(r"step 3 of 12 · loss \d\.\d{3} · [\d,]+ tokens a second · 0:\d\d left", seen[2])
        assert "held out" in seen[2] and question in seen[2]
        assert "✓ done. " in text_of(shown[1]) and controls(shown[0])[0].disabled

    def test_stop_ends_it_and_the_model_is_kept_and_opens(self, fresh, bird_examples, shown, monkeypatch, tmp_path):
        opened, tell = fresh(), watching._Board.tell

        def press(board, now):
            if now.step == 5:
                controls(shown[0])[0].click()
            tell(board, now)

        monkeypatch.setattr(watching._Board, "tell", press)
        watched = widgets.dashboard(opened, bird_examples, self.RECIPE, out=tmp_path / "run")
        assert watched.stopped and [now.step for now in watched.run.history] == [1, 2, 3, 4, 5]
        assert "stopped at step 5; the model is kept" in text_of(shown[1])
        assert controls(shown[0])[0].description == "stopped"
        assert models.open_model(tmp_path / "run").model.num_parameters() == opened.model.num_parameters()

    def test_an_error_is_told_and_raised(self, fresh, shown):
        silent = [{"input_ids": [1, 2], "labels": [-100, -100]}]
        with pytest.raises(ValueError):
            widgets.dashboard(fresh(), silent, Recipe(steps=2, batch=1))
        assert "✗ error: the run broke off" in text_of(shown[1])

    def test_phrases_gone_on_from_and_escaped(self, fresh, bird_examples, shown):
        opened = fresh()
        watched = widgets.dashboard(opened, bird_examples, Recipe(steps=1, batch=4), phrases=[HOSTILE], template=None)
        assert "<script>" not in shown[1].data + widgets.dashboard_view(watched).data

    def test_the_still_picture_has_six_steps_at_most_with_first_and_last(self, bird_run):
        _, run = bird_run
        samples = [watching.Sample(now.step, now.loss, {"heron?": "two"}) for now in run.history]
        still = widgets.dashboard_view(watching.Watched(run, samples, False)).data
        steps = re.findall(r"<tr><td[^>]*>(\d+)</td>", still)
        assert len(steps) == 6 and (steps[0], steps[-1]) == ("1", str(run.history[-1].step))

    def test_the_still_picture_without_samples(self, bird_run):
        said = text_of(widgets.dashboard_view(watching.Watched(bird_run[1], [], False)))
        assert "loss" in said and "held out" in said and "step" not in said

    def test_clicks_of_stop_go_where_the_browser_sends_them(self):
        comm = SimpleNamespace(_reply_subshell_for=lambda data, default: None)  # the shell that is busy
        watching._heard_while_busy(SimpleNamespace(comm=comm))
        assert comm._reply_subshell_for is None
        watching._heard_while_busy(SimpleNamespace(comm=None))


def _noting(shown, seen: list):
    return lambda board, head: seen.append(shown(board, head)) or seen[-1]


MOMENT = {"tokens": 1000, "loss": 9.0, "bits_per_byte": 3.5, "samples": {"The": " heron"}}


class TestCheckpoints:
    ROWS = (MOMENT, {"tokens": 2000, "loss": 8.0}, MOMENT | {"tokens": 3000, "samples": {"The": f" {HOSTILE}"}})

    def test_the_slider_moves_through_the_checkpoints_with_samples(self):
        box = widgets.checkpoints(self.ROWS)
        (slider,) = controls(box)
        assert [label for label, _ in slider.options] == ["1,000 tokens", "3,000 tokens"]
        assert "loss 9.00 nats" in text_of(view_of(box)) and "heron" in text_of(view_of(box))
        slider.value = 1
        assert "alert(1)" in text_of(view_of(box)) and "<script>" not in view_of(box).value

    def test_the_table(self):
        said = text_of(widgets.checkpoints_table(self.ROWS, "The"))
        assert "The heron" in said and said.count("3.50") == 2

    def test_without_samples(self):
        with pytest.raises(ValueError, match="no checkpoint"):
            widgets.checkpoints(self.ROWS[1:2])


class TestParts:
    @pytest.mark.parametrize(("values", "count", "last"), [([], 0, "-"), ([4.0, 2.0], 2, "4.00 → <b>2.00</b>")])
    def test_columns(self, values, count, last):
        drawn = parts.columns("loss", values, 4)
        assert drawn.count("width:5px") == count and last in drawn

    @pytest.mark.parametrize(("many", "kept"), [(60, 60), (61, 31), (120, 60), (1000, 59)])
    def test_many_columns_are_thinned_out_and_the_last_one_stays(self, many, kept):
        drawn = parts.columns("loss", [1.0] * (many - 1) + [2.0], 2)
        assert drawn.count("width:5px") == kept and drawn.rindex("height:40px") > drawn.rindex("height:20px")

    @pytest.mark.parametrize(
        ("share", "shown"), [(0.5, "50.0 %"), (0.01, "1.0 %"), (0.0099, "0.99 %"), (1.0, "100.0 %")]
    )
    def test_small_shares_have_a_digit_more(self, share, shown):
        assert shown in parts.bars([("a", share)])

    def test_ends_of_lines_are_seen(self):
        assert "a··⏎<br>b" in parts.lines("a  \nb") and " …" in parts.lines("abc", 2)

    @pytest.mark.parametrize("kind", parts.SIGNS)
    def test_a_note_says_its_kind_without_colour(self, kind):
        assert parts.SIGNS[kind] in parts.note(kind, "words") and "&lt;i&gt;" in parts.note(kind, "<i>")
