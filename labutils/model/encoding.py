"""Text -> token ids and labels: tokenizers, what is read of a pair, what is trained, and rows of them side by side."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from labutils.pairs.records import pair
from labutils.pairs.templates import prompt
from labutils.places import DATA

# Byte-level BPE tokenizers: the one of "base", and new ones trained from texts, small and lossless.

END_OF_TEXT = "<|endoftext|>"
CHAT_TOKENS = ["<|im_start|>", "<|im_end|>"]
TOOLS_AS_TEXT = """{# Tools and their calls become text, so that a template behind this needs to know of none. #}
{%- set ns = namespace(turns=[], tools='') -%}
{%- for tool in tools or [] -%}{%- set ns.tools = ns.tools + '\\n' + (tool.function or tool) | tojson -%}{%- endfor -%}
{%- set how = 'Tools, called as <tool_call>{"name": ..., "arguments": {...}}</tool_call>:' -%}
{%- if ns.tools -%}{%- set ns.tools = how + ns.tools -%}{%- endif -%}
{%- if ns.tools and messages and messages[0].role != 'system' -%}
{%- set ns.turns = [{'role': 'system', 'content': ns.tools}] -%}{%- set ns.tools = '' -%}{%- endif -%}
{%- for message in messages -%}
{%- set parts = namespace(text=message.content or '') -%}
{%- if ns.tools and loop.first -%}{%- set parts.text = parts.text + '\\n\\n' + ns.tools -%}{%- endif -%}
{%- for call in message.tool_calls or [] -%}{%- set called = call.function or call -%}
{%- set given = called.arguments if called.arguments is string else called.arguments | tojson -%}
{%- set line = '<tool_call>{"name": ' + called.name | tojson + ', "arguments": ' + given + '}</tool_call>' -%}
{%- set parts.text = parts.text + ('\\n' if parts.text else '') + line -%}{%- endfor -%}
{%- set ns.turns = ns.turns + [{'role': message.role, 'content': parts.text}] -%}
{%- endfor -%}
{%- set messages = ns.turns -%}
"""
CHATML = TOOLS_AS_TEXT + (  # the format of OpenAI's ChatML, which many chat models share; what is trained is marked
    "{%- for message in messages -%}{{ '<|im_start|>' + message.role + '\n' }}"
    "{%- if message.role == 'assistant' -%}{% generation %}{{ message.content + '<|im_end|>' }}{% endgeneration %}"
    "{%- else -%}{{ message.content + '<|im_end|>' }}{%- endif -%}{{ '\n' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\n' }}{%- endif -%}"
)


def bundled() -> PreTrainedTokenizerFast:
    """The tokenizer of "base", without the model."""
    return PreTrainedTokenizerFast.from_pretrained(DATA / "base" / "model")


def train_bpe(texts: Iterable[str], size: int = 4096) -> PreTrainedTokenizerFast:
    """Learn `size` pieces from texts (Sennrich et al. 2016, on bytes as in GPT-2: any text can be written with them).

    The ids 0, 1, 2 are end-of-text and the two marks of a chat. There is no padding token: who fills up a row uses
    end-of-text, and ignores it by its place. Raises ValueError when `size` leaves no room beside the 256 bytes.
    """
    special = [END_OF_TEXT, *CHAT_TOKENS]
    if size <= 256 + len(special):
        raise ValueError(f"size must exceed {256 + len(special)} (256 bytes and special tokens), got {size}")
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=END_OF_TEXT,
        bos_token=END_OF_TEXT,
        additional_special_tokens=CHAT_TOKENS,
        chat_template=CHATML,
        clean_up_tokenization_spaces=False,
    )


# Pairs -> token ids and labels: what is read, what is trained, what is ignored; and rows of them side by side.
#
# An example is a dict of two lists of equal length: `input_ids`, and `labels`, which repeat the ids where the model
# is trained and hold IGNORED elsewhere. The shift by one (predict the *next* token) is the loss's business, not this
# file's.

IGNORED = -100  # the label that torch.nn.functional.cross_entropy passes over
DISTILLED = -101  # the label of a token whose prediction is to stay what it was before the tuning
LENGTHS = 8  # batches have few lengths: torch keeps code for each shape it multiplied, half a GB in 40 steps otherwise
LOSS_ON = ("answer", "everything")


class Encoded(NamedTuple):
    """Examples, and the positions of the records that were left out because they are too long."""

    examples: list[dict]
    too_long: list[int]


def encode(prompt_text: str, answer: str, tokenizer: PreTrainedTokenizerBase, *, loss_on: str = "answer") -> dict:
    """One example: prompt, answer, end-of-text. Labels are the answer's ids and the end-of-text; the prompt is IGNORED.

    Prompt and answer are tokenized apart, because the prompt stands alone when the model is asked. With
    loss_on="everything" the prompt is trained, too. With ids 5 6 | 7 8 and end-of-text 2:
    {"input_ids": [5, 6, 7, 8, 2], "labels": [-100, -100, 7, 8, 2]}.
    """
    if loss_on not in LOSS_ON:
        raise ValueError(f"loss_on must be one of {', '.join(LOSS_ON)}, got {loss_on!r}")
    if tokenizer.eos_token_id is None:
        raise ValueError("the tokenizer has no end-of-text token, so a model could never learn to stop; set eos_token")
    read = prompt_ids(prompt_text, tokenizer)
    written = _ids(answer, tokenizer) + [tokenizer.eos_token_id]
    ignored = [IGNORED] * len(read) if loss_on == "answer" else read
    return {"input_ids": read + written, "labels": ignored + written}


def prompt_ids(prompt_text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The ids of a prompt, the same in training and in asking: no special tokens but those the text itself names.

    Raises ValueError for half of a character pair, which no tokenizer reads.
    """
    return _ids(prompt_text, tokenizer)


def _ids(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        near = text[max(0, error.start - 20) : error.end + 20]
        raise ValueError(f"no UTF-8, or half of a character pair, in {near!r}; write the character anew") from None
    return tokenizer.encode(text, add_special_tokens=False)


def encode_all(
    records: Sequence[dict],
    template: str,
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int = 512,
    loss_on: str = "answer",
) -> Encoded:
    """Examples of all records that fit into `max_length` tokens; the others are named, never cut.

    Plain text (key "text") has an empty prompt, so all of it is trained.
    Raises ValueError when no record fits.
    """
    sides = map(pair, records)
    prompts = ((prompt(template, question) if question else "", answer) for question, answer in sides)
    return fitting([encode(asked, answer, tokenizer, loss_on=loss_on) for asked, answer in prompts], max_length)


def fitting(examples: Sequence[dict], max_length: int) -> Encoded:
    """The examples of at most `max_length` tokens, and the positions of the others. ValueError when none is left."""
    sizes = [len(example["input_ids"]) for example in examples]
    kept = [example for example, size in zip(examples, sizes, strict=True) if size <= max_length]
    if not kept:
        raise ValueError(f"none of the {len(sizes)} records fits into {max_length} tokens (max_length); shorten them")
    return Encoded(kept, [i for i, size in enumerate(sizes) if size > max_length])


class Blocks(Sequence):
    """Rows of equally many token ids, cut from running text: what pretraining reads. Row i is an example, all trained.

    `ids` is an array of shape (rows, length) of 16-bit numbers.
    """

    def __init__(self, ids: np.ndarray):
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, row: int) -> dict:
        ids = self.ids[row].tolist()
        return {"input_ids": ids, "labels": ids}


def blocks(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase, length: int = 512) -> Blocks:
    """Texts one behind the other, an end-of-text after each, cut into rows of `length` tokens; the rest is left out.

    Raises ValueError when the texts do not fill one row, or the vocabulary has more than 65,536 entries.
    """
    if len(tokenizer) > 1 << 16:
        raise ValueError(f"blocks hold 16-bit ids, got a tokenizer of {len(tokenizer):,} entries")
    written = array("H")
    for some in batched(texts, 1000):
        some = [text.encode("utf-8", "replace").decode() for text in some]  # no tokenizer reads half a character pair
        for ids in tokenizer(some, add_special_tokens=False, verbose=False)["input_ids"]:
            written.extend(ids)
            written.append(tokenizer.eos_token_id)
    rows = len(written) // length
    if not rows:
        raise ValueError(f"the texts hold {len(written)} tokens, fewer than one block of {length}")
    return Blocks(np.frombuffer(written, dtype=np.uint16)[: rows * length].reshape(rows, length))


def batched(items: Iterable, size: int) -> Iterator[list]:
    """Items in lists of `size`; the last may be shorter. batched("abc", 2) -> ["a", "b"], ["c"]."""
    items = iter(items)
    while some := list(islice(items, size)):
        yield some


def pad(examples: Sequence[dict], pad_id: int, to_multiple_of: int = 1) -> dict[str, torch.Tensor]:
    """A batch of shape (examples, longest): ids, labels and attention mask, right-padded; no mask if none is.

    Padding is ignored by its place, not by its id, so that a real end-of-text stays trained where pad = end-of-text.
    The longest may be rounded up to a multiple of `to_multiple_of` (see LENGTHS).
    """
    longest = -(-max(len(example["input_ids"]) for example in examples) // to_multiple_of) * to_multiple_of
    if all(len(example["input_ids"]) == longest for example in examples):  # no padding, no mask: faster attention
        return {name: torch.tensor([example[name] for example in examples]) for name in ("input_ids", "labels")}
    rows = {"input_ids": [], "labels": [], "attention_mask": []}
    for example in examples:
        size = len(example["input_ids"])
        empty = longest - size
        rows["input_ids"].append(list(example["input_ids"]) + [pad_id] * empty)
        rows["labels"].append(list(example["labels"]) + [IGNORED] * empty)
        rows["attention_mask"].append([1] * size + [0] * empty)
    return {name: torch.tensor(values) for name, values in rows.items()}


def pad_id(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id to pad with: the tokenizer's own, or end-of-text where it has none, or 0: padding is never used."""
    return next((i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id) if i is not None), 0)
