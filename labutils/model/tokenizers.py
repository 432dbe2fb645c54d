"""Byte-level BPE tokenizers: the one of "base", and new ones trained from texts, small and lossless."""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from labutils.places import DATA

END_OF_TEXT = "<|endoftext|>"
CHAT_TOKENS = ["<|im_start|>", "<|im_end|>"]
CHATML = (  # the conversation format of OpenAI's ChatML, which many chat models share
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
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
