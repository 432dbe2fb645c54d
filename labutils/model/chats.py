"""Conversations: filled into a model's chat template, as ids and labels; asked turn by turn.

What a sound conversation is, is for `pairs.validation.turns`; the loop and the loss are those of pairs.
"""

import re
from collections.abc import Sequence

import torch
from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from labutils.model import asking, encoding
from labutils.model.encoding import CHATML, IGNORED, TOOLS_AS_TEXT, Encoded
from labutils.model.models import Opened
from labutils.pairs import templates

CALL = re.compile(r"<tool_call>.*?</tool_call>", re.DOTALL)  # a tool call that a model wrote as text
PROBE = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]


def prepare(opened: Opened) -> Opened:
    """A model that speaks in turns, changed in place: its tokenizer has a chat template that takes tools, and what ends
    a turn ends its text.

    A model without a chat template gets ChatML, with its two marks where they are new. Saved with the model, the
    template serves `apply_chat_template` and `pipeline`, too. Raises ValueError for a template in which no special
    token ends an answer, as nobody could know where to stop.
    """
    model, tokenizer = opened
    template = tokenizer.get_chat_template() if tokenizer.chat_template else CHATML
    if not tokenizer.chat_template:
        tokenizer.add_tokens(encoding.CHAT_TOKENS, special_tokens=True)
        if len(tokenizer) > model.get_input_embeddings().num_embeddings:
            with torch.random.fork_rng(devices=[]):  # the new rows are drawn: the same each time
                torch.manual_seed(0)
                model.resize_token_embeddings(len(tokenizer))
    tokenizer.chat_template = template if "tool_calls" in template else TOOLS_AS_TEXT + template
    labels = encode({"messages": PROBE}, tokenizer)["labels"]
    end = next(label for label in reversed(labels) if label != IGNORED)
    if end not in _special(tokenizer):
        raise ValueError("the model's chat template has no special token that ends an answer; use pairs and --template")
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(end)
    model.config.eos_token_id = model.generation_config.eos_token_id = end
    return opened


def as_conversation(record: dict) -> dict:
    """A pair as a conversation of two messages; a conversation stays as it is. Raises ValueError for plain text."""
    if "messages" in record:
        return record
    if "question" not in record:
        raise ValueError("plain text among conversations: it has no turns; put it into a file of its own")
    return templates.messages([record])[0]


def fill(messages: Sequence[dict], tokenizer: PreTrainedTokenizerBase, tools: Sequence[dict] = (), *,
         ask: bool = False) -> str:  # fmt: skip
    """The text of a conversation in the chat template; `ask` opens the assistant's next turn.

    Raises ValueError with the template's own words where it refuses the turns.
    """
    how = {"tools": list(tools) or None, "add_generation_prompt": ask, "tokenize": False}
    try:
        return tokenizer.apply_chat_template(list(messages), **how)
    except (TemplateError, TypeError) as error:
        raise ValueError(f"the model's chat template refuses the conversation: {error}") from None


def encode(record: dict, tokenizer: PreTrainedTokenizerBase) -> dict:
    """One example: the ids of `apply_chat_template`. Labels are the assistant's turns, each up to the special token
    that ends it, without those of weight 0; all else is IGNORED.

    A turn begins behind what opens it when the model is asked, so training and asking agree. Raises ValueError for a
    template that writes earlier turns in another way once later ones are there.
    """
    messages, tools = record["messages"], record.get("tools", ())
    text = fill(messages, tokenizer, tools)
    read = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, labels = read["input_ids"], [IGNORED] * len(read["input_ids"])
    special = _special(tokenizer)
    for place, message in enumerate(messages):
        if message["role"] != "assistant" or message.get("weight", 1) == 0:
            continue
        before, whole = (
            fill(messages[:place], tokenizer, tools, ask=True),
            fill(messages[: place + 1], tokenizer, tools),
        )
        if not (text.startswith(whole) and whole.startswith(before)):
            raise ValueError("the model's chat template changes earlier turns when later ones follow; use pairs")
        spans = read["offset_mapping"]
        turn = [i for i, (start, end) in enumerate(spans) if start < len(whole) and end > len(before)]
        last = next((i for i in reversed(turn) if ids[i] in special), turn[-1])
        labels[turn[0] : last + 1] = ids[turn[0] : last + 1]
    return {"input_ids": ids, "labels": labels}


def _special(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    return {id for id, token in tokenizer.added_tokens_decoder.items() if token.special}


def encode_records(
    records: Sequence[dict], template: str, tokenizer: PreTrainedTokenizerBase, *, max_length: int = 512
) -> Encoded:
    """Encode pairs through a template; where there is a conversation among them, all through the chat template.

    Conversations need a tokenizer that went through `prepare`. Raises what `encoding.encode_all` and `encode` raise.
    """
    if not any("messages" in record for record in records):
        return encoding.encode_all(records, template, tokenizer, max_length=max_length)
    examples = [encode(as_conversation(record), tokenizer) for record in records]
    return encoding.fitting(examples, max_length)


# Asking: the next turn of a conversation.


def reply(opened: Opened, messages: Sequence[dict], tools: Sequence[dict] = (), *, limit: int = 60, **how):
    """What a prepared model says next in a conversation, an `asking.Reply`. Settings as in `asking.generate`.

    Raises ValueError where conversation and reply do not fit into what the model reads at once.
    """
    prompt, most = fill(messages, opened.tokenizer, tools, ask=True), opened.model.config.max_position_embeddings
    if (length := len(encoding.prompt_ids(prompt, opened.tokenizer)) + limit) > most:
        raise ValueError(f"the conversation has {length:,} tokens with its reply, the model reads {most:,}; begin anew")
    return asking.generate(opened, [prompt], limit=limit, **how)[0]
