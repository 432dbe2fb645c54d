"""What single exercises hold true to: other right answers, the files they speak of, the code that they stand for."""

import random
import re
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from datasets import Dataset
from sklearn.metrics import f1_score
from test_exercises import answer_of, own_progress  # noqa: F401 (a learner who has done nothing so far)

from labutils.corpus import quality
from labutils.lesson import exercises
from labutils.lesson.exercises import finetuning, finetuning_data, own_task, what_changes
from labutils.lesson.exercises import pretraining_data as corpora
from labutils.lesson.exercises.answers import call
from labutils.lesson.exercises.exercise import Draw, Words
from labutils.lesson.exercises.what_changes import Comparison, hits
from labutils.measure import intervals
from labutils.measure.intervals import paired
from labutils.measure.scoring import fact_hit
from labutils.model.recipes import Recipe
from labutils.pairs import records
from labutils.places import DATA


@pytest.mark.parametrize("seed", range(12))
def test_fair_samples_are_right_for_any_seed(seed):
    drawn = random.Random(seed).sample(exercises.share_of_set.given(), 500)
    hits = sum(row["set"] == "Python" for row in drawn)
    low, high = intervals.wilson(hits, 500)
    error = 1.96 * np.sqrt(hits / 500 * (1 - hits / 500) / 500)
    for answer in (
        (hits / 500, low, high),
        ([np.float64(round(hits / 500, 2)), round(low, 3), round(high, 3)],),
        (hits / 500, hits / 500 - error, hits / 500 + error),
    ):
        assert exercises.share_of_set.check(*answer).right


def by_words(text):
    """Without a pattern: words with a sign inside, peeled."""
    spans, place = [], 0
    for word in re.split(r"(\s+)", text):
        peeled = word.strip("<>,.()")
        local, _, domain = peeled.partition("@")
        if local and "." in domain and domain.split(".")[-1].isalpha():
            start = place + word.index(peeled)
            spans.append([start, start + len(peeled)])
        place += len(word)
    return tuple(spans)


def few_words(text):
    return quality.Verdict(not re.search(r"^\W*(v|version )?\d+\.\d+\.\d+", text, re.I | re.M), "log")


def by_bootstrap(one, other):
    gap = paired(one, other)
    return "better" if gap.low > 0 else "worse" if gap.high < 0 else "cannot tell"


def by_library(right, said):
    return f1_score(right, said, labels=sorted(set(right)), average="macro", zero_division=0.0)


def in_parts(reply, record):
    """Another metric: facts as whole words, and a greeting, on a scale of its own."""
    return 10 * sum(fact_hit(reply, fact) for fact in record["facts"]) * reply.startswith("Dear")


def after(text: str, word: str) -> list[str]:
    words = text.split()
    return [words[i + 1] for i in range(len(words) - 1) if words[i] == word]


def lifted() -> tuple:
    rows = [row for row in exercises.held_out_lift.given() if not row["trained"]]
    return tuple(paired([row["before"] for row in rows], [row["after"] for row in rows]))[:3]


THREE = ("Plover", "Heron", "Curlew")
RIGHT_TOO: dict[str, Callable[[], tuple]] = {
    "shingles": lambda: (0.43,),
    "own_rule": lambda: (few_words,),
    "own_rule ": lambda: (lambda text: tuple(few_words(text)),),
    "mail_spans": lambda: (by_words,),
    "mean_loss": lambda: (lambda chances: round(-float(np.mean(np.log(chances))), 3),),
    "next_word": lambda: (lambda text, word: max(after(text, word), key=after(text, word).count, default=""),),
    "whole_set": lambda: tuple(map(Dataset.from_list, answer_of(exercises.whole_set.solution_cell()))),
    "fair_split": lambda: (records.split(exercises.fair_split.given(), held_out=0.3, same="fact"),),
    "repair_file": lambda: ("\n".join(answer_of(exercises.repair_file.solution_cell())[0]) + "\n",),
    "total_steps": lambda: (Recipe(epochs=5, batch=16).total_steps(842),),
    "own_questions": lambda: ([[asked, must.split()[0]] for asked, must in map(finetuning.ASKED.get, THREE)],),
    "effect_there": lambda: (by_bootstrap,),
    "fair_score": lambda: (by_library,),
    "held_out_lift": lifted,
    "own_metric": lambda: (in_parts,),
}


@pytest.mark.parametrize("case", RIGHT_TOO)
def test_other_right_answers_are_right(case):
    assert getattr(exercises, case.strip()).check(*RIGHT_TOO[case]()).right


def test_near_duplicates_never_tie_two_facts():
    """Otherwise the exercise on splits would have no clear answer."""
    for version in (exercises.fair_split, *(exercises.fair_split.variant(seed) for seed in range(10))):
        pairs = version.given()
        near = finetuning_data.near_pairs([pair["question"] for pair in pairs])
        assert all(pairs[i]["fact"] == pairs[j]["fact"] for i, j, _ in near)


def test_an_endless_function_is_stopped(monkeypatch):
    def forever(text):
        while True:
            pass

    monkeypatch.setattr(corpora, "call", partial(call, seconds=0.3))
    assert "does a loop in it never end" in exercises.own_rule.check(forever).message


@pytest.mark.parametrize(("product", "text", "value", "other"), finetuning.SAID, ids=lambda part: str(part)[:20])
def test_the_handbook_says_what_the_replies_are_judged_by(product, text, value, other):
    about, book = [fact for fact in finetuning.rows("facts") if fact["section"] == product], finetuning.handbook()
    assert sum(fact["must"] == value for fact in about) == 1
    assert not any(fact_hit(fact["statement"], other) for fact in about)
    assert fact_hit(book, other), "what is wrong of one stands in the handbook of another"
    assert not fact_hit(book, text.format(name=product, value=value)), "no reply is copied"
    assert not any(bird.lower() in book.lower() for bird in finetuning.BIRDS), "no handbook knows the invented products"


@pytest.mark.parametrize("product", finetuning.ASKED)
def test_a_question_of_ours_is_in_no_file(product):
    asked, must = finetuning.ASKED[product]
    finetuning.judge_question(Words("own_questions"), product, asked, must)
    for name in ("dev", "test"):
        assert asked not in [row["question"] for row in records.read_jsonl(DATA / "company" / f"{name}.jsonl")]


@pytest.mark.parametrize("margin", [0.0, 0.02, 0.05, 0.1])
def test_a_bootstrap_gives_the_same_verdicts(margin):
    """The exercise must not depend on the way in which the interval is made."""
    asked = Comparison(margin, "up", "down")
    for one, other in (pair for seed in "012" for pair in what_changes.comparisons(margin, Draw(seed))):
        gap = paired(one, other)
        assert asked.verdict(gap.low, gap.high) == asked.right(one, other)
    assert hits(5, 1, 2, 1) == ([False, True, True, True, False], [True, False, False, True, False])


@pytest.mark.parametrize("make", [own_task.emails, own_task.messages])
@pytest.mark.parametrize("seed", range(3))
def test_triples_are_what_they_say(make, seed):
    made = make(Draw(str(seed)), 15)
    assert len(made) == 15
    for i, triple in enumerate(made):
        wanted = triple.record.get("facts") or triple.record["keywords"]
        kept = [sum(fact_hit(text, each) for each in wanted) for text in (triple.ok, triple.better)]
        assert 1 <= kept[0] < kept[1]
        assert (triple.bad == next(iter(triple.record.values()))) == (i % 2 == 0)
        assert triple.bad not in (triple.ok, triple.better)
