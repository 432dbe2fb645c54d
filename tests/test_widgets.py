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

HOSTILE = "<script>alert(1)</script> & </table>"
HOSTILE_PAIR = {"question": HOSTILE, "answer": HOSTILE}
PROSE = "The heron stands in the water and waits for the fish that it has seen. It is a bird of great patience. " * 6


def text_of(view) -> str:
    """What a reader reads: HTML without its tags."""
    value = getattr(view, "value", None) or view.data
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", value)))


def controls(box: parts.Box) -> list[ipywidgets.Widget]:
    """What can be moved: all that is neither a box nor a view."""
    inside = [child for each in box.children for child in (getattr(each, "children", None) or (each,))]
    return [widget for widget in inside if not isinstance(widget, ipywidgets.HTML)]


def read(box: parts.Box) -> str:
    """What a reader reads of a widget."""
    return text_of(box.children[-1])


def document(text: str, set_name: str = "Python", package: str = "numpy") -> dict:
    return {"text": text, "meta": {"pile_set_name": set_name, "package": package, "license": "BSD-3-Clause"}}


@pytest.fixture
def documents() -> list[dict]:
    mail = "Short. Write to ada.b@plover-club.org." + HOSTILE
    return [document(mail), document(PROSE, "Documentation", "pandas"), document("x = {}", "Python", "pandas")]


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
    boxes = [widgets.corpus(documents), widgets.playground(birds, tokenizer), widgets.explorer(two)]
    boxes += [widgets.before_after(two), widgets.checkpoints([MOMENT])]
    widgets.dashboard(two["before"], bird_examples, Recipe(steps=1, batch=4))
    assert all(1 <= len(controls(box)) <= 3 for box in [*boxes, shown[0]])
    assert all(getattr(control, "description", "") for box in boxes for control in controls(box)), "each has a label"
    told = boxes[0]._repr_mimebundle_()["text/plain"]
    assert told == "corpus viewer: works only while the notebook is running"


@pytest.mark.parametrize(
    "show",
    [
        lambda two, tokenizer: widgets.playground_view("<script>{question}\n{answer}", HOSTILE_PAIR, tokenizer).data,
        lambda two, tokenizer: widgets.explorer_bars(two, HOSTILE).data,
        lambda two, tokenizer: widgets.before_after_table(two, [HOSTILE]).data,
        lambda two, tokenizer: widgets.corpus([document(HOSTILE)]).children[-1].value,
        lambda two, tokenizer: widgets.corpus_table([document(HOSTILE)]).data,
        lambda two, tokenizer: parts.note("warning", HOSTILE),
    ],
)
def test_tags_are_text(two, tokenizer, show):
    shown = show(two, tokenizer)
    assert "<script" not in shown and "alert(1)" in shown


@pytest.mark.parametrize(
    ("show", "words"),
    [
        (lambda: widgets.corpus([]), "no documents"),
        (lambda: widgets.playground([], None), "at least one pair"),
        (lambda: parts.offered([]), "no model to show"),
        (lambda: widgets.checkpoints([{"tokens": 2000, "loss": 8.0}]), "no checkpoint"),
    ],
)
def test_nothing_to_show(show, words):
    with pytest.raises(ValueError, match=words):
        show()


class TestCorpus:
    def test_the_next_document_and_back_to_the_first(self, documents):
        box = widgets.corpus(documents)
        *_, onward = controls(box)
        places = []
        for _ in range(4):
            places.append(re.search(r"document (\d) of 3", read(box))[1])
            onward.click()
        assert places == ["1", "2", "3", "1"]
        assert "document 1 of 1" in read(widgets.corpus([{"text": "Tides turn.", "meta": {}}]))

    def test_a_set_is_chosen_and_narrows_the_packages(self, documents):
        box = widgets.corpus(documents)
        sets, packages, onward = controls(box)
        assert [label for label, _ in sets.options] == ["every set (3)", "Documentation (1)", "Python (2)"]
        onward.click()
        packages.value = "numpy"
        assert "document 1 of 1" in read(box)
        sets.value = "Documentation"
        assert [label for label, _ in packages.options] == ["every package (1)", "pandas (1)"]
        assert packages.index == 0 and "document 1 of 1" in read(box) and "The heron stands" in read(box)

    def test_back_to_every_set_and_every_package_the_menus_say_so(self, documents):
        box = widgets.corpus(documents)
        sets, packages, _ = controls(box)
        for menu, other in ((sets, packages), (packages, sets)):
            menu.index = 1
            menu.index = 0
            assert (menu.index, menu.label.split(" (")[0]) == (0, f"every {menu.description}") and other.index == 0
            assert "document 1 of 3" in read(box)
        sets, packages, _ = controls(widgets.corpus(documents[:1]))  # another set with the same packages
        packages.value, sets.value = "numpy", "Python"
        assert packages.index == 0

    def test_the_rules_that_drop_a_document_are_named_with_their_words(self, documents):
        def no_herons(text):
            return quality.drop("heron" in text, "a heron")

        said = read(widgets.corpus(documents))
        assert "✗ dropped: too few words, " in said and "Gopher: between 50 and 100,000 words." in said
        assert "ada.b" not in said and "[e-mail]" in said
        said = read(widgets.corpus(documents[1:], [quality.too_few_words]))
        assert "✓ kept: no rule drops it" in said and "why it is dropped" not in said
        said = read(widgets.corpus(documents[1:], [no_herons]))
        assert "dropped: a heron" in said and "no_herons" in said

    def test_the_table_quotes_little_and_says_why(self, documents):
        said = text_of(widgets.corpus_table(documents))
        assert PROSE[:100] in said and PROSE[:101] not in said and "ada.b" not in said and "[e-mail]" in said
        assert "dropped: too few words" in said and said.count("dropped") + said.count("kept") == 3


class TestPlayground:
    def test_as_it_is_typed(self, birds, tokenizer):
        box = widgets.playground(birds, tokenizer)
        edited, which, _ = controls(box)
        assert edited.continuous_update
        assert "✓ nothing is wrong" in read(box) and "What is the number of plover?⏎" in read(box)
        assert (
            widgets.playground_view("lecture", birds[0], tokenizer).data in box.children[-1].value
        )  # still and moving
        edited.value = "Q: {question}\nA: {answer}"
        assert "⚠ warning: the prompt ends in a space" in read(box) and "Q: What is the number of plover?⏎" in read(box)
        which.value = 2
        assert "heron" in read(box)
        which.value = 99
        assert "raven" in read(box), "the last one"
        edited.value = "Q: {question}\nA: {answe}"
        said = read(box)
        assert "✗ error: the place {answer} is missing" in said and "cannot be filled" in said and "trained" not in said

    def test_the_end_of_text_is_trained_or_warned_of(self, birds, tokenizer):
        def counts():
            return [int(n) for n in re.search(r"trained : (\d+) of (\d+)", read(box)).groups()]

        box = widgets.playground(birds, tokenizer)
        *_, ends = controls(box)
        before = counts()
        assert tokenizer.eos_token in read(box)
        ends.value = False
        assert [n - 1 for n in before] == counts() and tokenizer.eos_token not in read(box)
        assert "⚠ warning: there is no end-of-text" in read(box)

    def test_plain_text_has_no_prompt(self, tokenizer):
        said = text_of(widgets.playground_view("lecture", {"text": "Tides turn."}, tokenizer))
        assert "ignored : 0" in said.replace("&nbsp;", " ")


class TestExplorer:
    def test_typing_moves_the_bars_and_the_switch_moves_them_again(self, two):
        box = widgets.explorer(two, "What is the")
        stage, text, _ = controls(box)
        assert text.continuous_update
        seen = [box.children[-1].value]
        text.value = "What is the number"
        seen.append(box.children[-1].value)
        stage.value = "after"
        seen.append(box.children[-1].value)
        assert len(set(seen)) == 3 and all(value.count(" %</td>") == 8 for value in seen)
        said = text_of(widgets.explorer_bars(two, "What is the", k=3))
        assert len(re.findall(r"\d+\.\d+ %", said)) == 6 and "as undecided as" in said

    def test_it_writes_its_likeliest_token_until_it_would_end(self, two):
        box = widgets.explorer({"after": two["after"]}, "### Question:\nWhat is the number of heron?\n\n### Answer:\n")
        _, text, write = controls(box)
        for _ in range(30):
            write.click()
        assert text.value.endswith("It is two.")

    def test_a_space_at_the_end_is_warned_of_and_nothing_is_explained(self, two, no_hub):
        box = widgets.explorer(two, "What ")
        _, text, write = controls(box)
        assert "⚠ warning: the phrase ends in a space" in read(box)
        text.value = ""
        assert "at least one token" in read(box)
        write.click()
        assert text.value == ""
        assert "not on this machine" in read(widgets.explorer(["smollm2"]))


class TestStages:
    def test_named_ones_are_opened_once_when_asked_for_and_folders_each_time(self, monkeypatch, two):
        opened = []
        monkeypatch.setattr(models, "open_model", lambda name: opened.append(name) or two["after"])
        names, get = parts.offered(["base", "finetuned"])
        assert names == ["base", "finetuned"] and opened == []
        assert get("base") is get("base") is two["after"] and opened == ["base"]
        for _ in range(2):
            _, get = parts.offered(["base", "work/tuned"])
            get("base"), get("work/tuned")
        assert opened == ["base", "work/tuned", "work/tuned"]
        monkeypatch.setattr(models, "available", lambda name: name in ("random", "smollm2"))
        assert parts.offered(None)[0] == ["random", "smollm2"]

    def test_open_ones_and_folders_in_one_mapping(self, two, bird_folder):
        _, get = parts.offered({"open": two["after"], "folder": bird_folder})
        assert get("open") is two["after"]
        assert get("folder").model.num_parameters() == two["after"].model.num_parameters()
        assert [parts.template_of(name) for name in ("smollm2", "base", "mine")] == ["chatml", "lecture", "lecture"]


class TestBeforeAfter:
    def test_every_model_answers_the_question(self, two, birds):
        questions = [pair["question"] for pair in birds]
        box = widgets.before_after(two, questions)
        assert list(box.children[0].options) == questions
        box.children[0].value = "What is the number of heron?"
        assert "It is two." in read(box) and "before" in read(box) and "after" in read(box)

    def test_the_button_asks_what_stands_there_and_not_twice(self, two, birds, monkeypatch):
        empty = widgets.before_after(two)
        empty.children[1].click()
        assert "press Enter" in read(empty)
        box = widgets.before_after(two, [birds[0]["question"]])
        _, button, view = box.children
        assert "press Enter" in read(box)
        button.click()
        assert "It is one." in read(box)
        monkeypatch.setattr(view, "value", "kept")
        button.click()
        assert view.value == "kept"

    def test_still_and_a_model_that_is_not_here(self, two, no_hub):
        said = text_of(widgets.before_after_table({**two, "smollm2": "smollm2"}, ["What is the number of heron?"]))
        assert "It is two." in said and "not on this machine" in said and "(cut after 60 tokens)" in said


class TestDashboard:
    RECIPE = Recipe(steps=12, batch=4, learning_rate=5e-3, eval_steps=4)

    def test_it_trains_as_the_plain_call_does_and_is_seen(self, fresh, bird_examples, shown, monkeypatch):
        seen, question, show = [], "What is the number of heron?", watching._Board.shown
        monkeypatch.setattr(watching.live.Pace, "due", lambda pace: True)
        monkeypatch.setattr(watching._Board, "shown", lambda board, head: seen.append(show(board, head)) or seen[-1])
        ours, plain, phrases = fresh(), fresh(), [question, HOSTILE]
        watched = widgets.dashboard(ours, bird_examples, self.RECIPE, phrases=phrases, held_out=bird_examples)
        expected = training.finetune(plain, bird_examples, self.RECIPE, held_out=bird_examples)
        assert [now.loss for now in watched.run.history] == [now.loss for now in expected.history]
        ours, plain = ours.model.state_dict(), plain.model.state_dict()
        assert all((value == plain[key]).all() for key, value in ours.items()) and not watched.stopped
        assert len(watched.samples) == 12 and watched.samples[-1].texts.keys() == {*phrases}
        assert re.search(r"step 3 of 12 · loss \d\.\d{3} · [\d,]+ tokens a second · 0:\d\d left", seen[2])
        assert "held out" in seen[2] and question in seen[2] and "<script>" not in seen[2] + shown[1].data
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

    def test_the_still_picture_has_six_steps_at_most_with_first_and_last(self, bird_run):
        run = bird_run[1]
        samples = [watching.Sample(now.step, now.loss, {HOSTILE: "two"}) for now in run.history]
        still = widgets.dashboard_view(watching.Watched(run, samples, False)).data
        steps = re.findall(r"<tr><td[^>]*>(\d+)</td>", still)
        assert len(steps) == 6 and (steps[0], steps[-1]) == ("1", str(run.history[-1].step)) and "<script>" not in still
        said = text_of(widgets.dashboard_view(watching.Watched(run, [], False)))
        assert "loss" in said and "held out" in said and "step" not in said

    def test_clicks_of_stop_go_where_the_browser_sends_them(self):
        comm = SimpleNamespace(_reply_subshell_for=lambda data, default: None)  # the shell that is busy
        watching._heard_while_busy(SimpleNamespace(comm=comm))
        assert comm._reply_subshell_for is None
        watching._heard_while_busy(SimpleNamespace(comm=None))


MOMENT = {"tokens": 1000, "loss": 9.0, "bits_per_byte": 3.5, "samples": {"The": " heron"}}


class TestCheckpoints:
    ROWS = (MOMENT, {"tokens": 2000, "loss": 8.0}, MOMENT | {"tokens": 3000, "samples": {"The": f" {HOSTILE}"}})

    def test_the_slider_moves_through_the_checkpoints_with_samples(self):
        box = widgets.checkpoints(self.ROWS)
        (slider,) = controls(box)
        assert [label for label, _ in slider.options] == ["1,000 tokens", "3,000 tokens"]
        assert "loss 9.00 nats" in read(box) and "heron" in read(box)
        slider.value = 1
        assert "alert(1)" in read(box) and "<script>" not in box.children[-1].value
        said = text_of(widgets.checkpoints_table(self.ROWS, "The"))
        assert "The heron" in said and said.count("3.50") == 2


class TestParts:
    @pytest.mark.parametrize(("many", "kept"), [(60, 60), (61, 31), (120, 60), (1000, 59)])
    def test_many_columns_are_thinned_out_and_the_last_one_stays(self, many, kept):
        drawn = parts.columns("loss", [1.0] * (many - 1) + [2.0], 2)
        assert drawn.count("width:5px") == kept and drawn.rindex("height:40px") > drawn.rindex("height:20px")

    def test_small_pieces(self):
        assert "width:5px" not in parts.columns("loss", [], 4)
        assert "4.00 → <b>2.00</b>" in parts.columns("loss", [4.0, 2.0], 4)
        for share, shown in [(0.5, "50.0 %"), (0.01, "1.0 %"), (0.0099, "0.99 %"), (1.0, "100.0 %")]:
            assert shown in parts.bars([("a", share)])
        assert "a··⏎<br>b" in parts.lines("a  \nb") and " …" in parts.lines("abc", 2)
        assert all(parts.SIGNS[kind] in parts.note(kind, "words") for kind in parts.SIGNS)
