"""What one model scores: its loss on text that it was not trained on, and its card, with every score of every answer.

Values are kept apart, one a window or a question, so that they have intervals and two models can be compared on them.
"""

import bisect
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

from transformers import PreTrainedTokenizerBase

from labutils.corpus.sources import docstrings
from labutils.measure import scoring
from labutils.measure.intervals import Mean, Score, bootstrap, paired
from labutils.model import asking, encoding
from labutils.model.encoding import END_OF_TEXT
from labutils.model.loss import each_loss
from labutils.model.models import Opened
from labutils.pairs import templates
from labutils.pairs.records import pair

WINDOW = 1500  # bytes: about 400 tokens, so that they fit into the base's 512
SPACES = " \n\t\r"
LOSSES = ("answer_loss", "bits_per_byte")
PACKAGE = "networkx"  # a package that torch brings along, and that the base's corpus leaves out (data/base)


class Losses(NamedTuple):
    """A loss in its parts; the whole of it is sum(values) / sum(sizes)."""

    values: list[float]  # of each window or answer: its loss, in bits or nats
    sizes: list[int]  # of each: its bytes or tokens, which the loss is divided by
    items: list[int]  # of each: the place of its text or question among those that were given

    def of_items(self) -> "Losses":
        """The same with the windows of a text put together, because they are alike: texts were drawn, not windows."""
        sums = {item: [0.0, 0] for item in self.items}
        for value, size, item in zip(*self, strict=True):
            sums[item][0] += value
            sums[item][1] += size
        return Losses([value for value, _ in sums.values()], [size for _, size in sums.values()], list(sums))

    def plain(self) -> dict[str, list]:
        """As JSON holds it, rounded to 0.0001."""
        return self._replace(values=[round(value, 4) for value in self.values])._asdict()

    def score(self) -> Mean:
        """The loss with its interval, had other texts or questions of the same kind been there (the bootstrap)."""
        whole = self.of_items()
        return bootstrap(whole.values, whole.sizes)


def documents(number: int = 64) -> list[str]:
    """Text of the kind that the base model was trained on, from a package left out: on every machine, offline.

    smollm2 may well have been trained on it. Raises ValueError where the package is not installed.
    """
    return [document["text"] for document in islice(docstrings(PACKAGE), number)]


def difference(one: Losses, other: Losses) -> Mean:
    """How much higher the second model's loss is on the same items, with its interval (`intervals.paired`).

    Raises ValueError for other items or sizes: losses per token of two tokenizers cannot be compared.
    """
    if (one.sizes, one.items) != (other.sizes, other.items):
        raise ValueError("expected the same items of the same bytes or tokens; another tokenizer counts other tokens")
    one, other = one.of_items(), other.of_items()
    return paired(one.values, other.values, one.sizes)


def bits_per_byte(
    opened: Opened, texts: Sequence[str], *, size: int = WINDOW, fp32: bool = False, batch: int = 8
) -> Losses:
    """How many bits a model needs to write down each byte of texts: the measure that fits every tokenizer.

    Each text is cut into `windows` of at most `size` bytes, alike for every model. Each window is read alone, behind
    the model's `start_token`; its loss is the sum of -ln p over all its tokens, in bits (nats / ln 2). Bytes are those
    of the text in UTF-8 (Gao et al. 2020, "The Pile", section 3.1). Marks of chats and documents within a text count as
    plain letters. A window of more tokens than the model's context holds is read in parts, each behind a start token: a
    short memory costs. `fp32` takes products in float32 also where the processor has bfloat16: twice the time, all
    digits; `batch` rows are read at the same time.

    Returns bits and bytes of each window; its item is its text. Raises ValueError for no text at all, a text with a
    lone surrogate, or a model with no token to start from.
    """
    start, context = start_token(opened.tokenizer), getattr(opened.model.config, "max_position_embeddings", None)
    cut = [(window, i) for i, text in enumerate(texts) for window in windows(text, size)]
    if not cut:
        raise ValueError("no text to measure bits per byte on")
    examples, of = [], []
    for place, (window, _) in enumerate(cut):
        ids = opened.tokenizer.encode(window, add_special_tokens=False, split_special_tokens=True)
        length = (context or len(ids) + 1) - 1
        parts = [[start, *ids[at : at + length]] for at in range(0, len(ids), length)]
        examples += [{"input_ids": part, "labels": part} for part in parts]
        of += [place] * len(parts)
    bits = [0.0] * len(cut)
    for place, nats in zip(of, each_loss(opened, examples, batch, fp32=fp32)[0], strict=True):
        bits[place] += nats / math.log(2)
    return Losses(bits, [len(window.encode()) for window, _ in cut], [i for _, i in cut])


def windows(text: str, size: int = WINDOW) -> Iterator[str]:
    """A text in pieces of at most `size` bytes of UTF-8, cut in front of the last white space that leaves them so, or
    between two letters where there is none. list(windows("one two three", 9)) -> ["one two", " three"].

    Raises ValueError for a size under 4, which some letters do not fit into, and for a lone surrogate.
    """
    if size < 4:
        raise ValueError(f"a window needs at least 4 bytes, got {size}")
    ends, at = list(accumulate(len(sign.encode()) for sign in text)), 0  # the bytes up to each letter's end
    while at < len(text):
        before = ends[at - 1] if at else 0
        end = bisect.bisect_right(ends, before + size)
        if end < len(text) and text[end] not in SPACES:
            space = max(text.rfind(sign, at + 1, end) for sign in SPACES)
            end = space if space > at else end
        yield text[at:end]
        at = end


def start_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that a text begins behind: end-of-text, which stands between two documents in pretraining, where the
    vocabulary has one by the name <|endoftext|>; else the tokenizer's BOS, or EOS (of a chat model, often marks that no
    page begins with). Raises ValueError where there is none: a first token that nothing stands before has no
    probability.
    """
    ids = (tokenizer.get_vocab().get(END_OF_TEXT), tokenizer.bos_token_id, tokenizer.eos_token_id)
    found = [id for id in ids if id is not None]
    if not found:
        raise ValueError(f"the tokenizer has no token to start from: no {END_OF_TEXT}, no BOS, no EOS")
    return found[0]


def answer_loss(
    opened: Opened,
    questions: Sequence[Mapping],
    template: str = "lecture",
    *,
    among: Sequence[int] | None = None,
    fp32: bool = False,
    batch: int = 32,
) -> Losses:
    """The loss of fine-tuning on the right answers to questions: nats per token of answer and end-of-text, the
    question given. Comparable between models of one tokenizer; another one's tokens are longer or shorter.

    An item is a question; only those at the places `among` are taken, if these are given. Raises ValueError for no
    questions, and what `records.pair` and `templates.prompt` raise.
    """
    items = list(range(len(questions)) if among is None else among)
    if not items:
        raise ValueError("no questions to measure an answer loss on")
    asked = [pair(questions[i]) for i in items]
    examples = [encoding.encode(templates.prompt(template, each), right, opened.tokenizer) for each, right in asked]
    nats, tokens = each_loss(opened, examples, batch, fp32=fp32)
    return Losses(nats, tokens, items)


class Card(NamedTuple):
    """What one model scored."""

    answers: list[str]  # of each question
    judged: dict[str, list[bool | None]]  # of each score whether each answer has it, as from `scoring.judge`
    losses: dict[str, Losses]  # of LOSSES, where there was something to measure them on

    def scores(self) -> dict[str, Score]:
        """Every score with its 95 % interval: Wilson's for shares, the bootstrap's for losses."""
        return {**scoring.shares(self.judged), **{name: losses.score() for name, losses in self.losses.items()}}

    def plain(self) -> dict:
        """The card as JSON holds it: the scores, and what they were made of. Losses are rounded to 0.0001."""
        scores = {name: list(score) for name, score in self.scores().items()}
        losses = {name: each.plain() for name, each in self.losses.items()}
        return {"scores": scores, "answers": self.answers, "judged": self.judged, "losses": losses}


def from_plain(plain: Mapping) -> Card:
    """A card as `Card.plain` wrote it."""
    losses = {name: Losses(**parts) for name, parts in plain["losses"].items()}
    return Card(plain["answers"], plain["judged"], losses)


def measure(
    opened: Opened,
    questions: Sequence[Mapping],
    texts: Sequence[str] = (),
    *,
    template: str = "lecture",
    fp32: bool = False,
) -> Card:
    """Ask a model all questions and score what it says.

    Questions are records as `scoring.judge` takes them; the answer loss is taken of those of fact. `texts` are running
    text that the model was not trained on, for bits per byte; none, and there is no such score. `fp32` takes losses
    without bfloat16 (answers are written as `asking` always does). Raises ValueError for no questions, or an unknown
    template.
    """
    if not questions:
        raise ValueError("no questions to ask")
    replies = asking.ask(opened, [question["question"] for question in questions], template=template)
    known = [i for i, question in enumerate(questions) if scoring.kind(question) == "fact" and "answer" in question]
    losses = {}
    if known:
        losses["answer_loss"] = answer_loss(opened, questions, template, among=known, fp32=fp32)
    if texts:
        losses["bits_per_byte"] = bits_per_byte(opened, texts, fp32=fp32)
    return Card([reply.text for reply in replies], scoring.judge(replies, questions), losses)
