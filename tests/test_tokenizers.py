"""The tokenizer trainer: nothing is lost, ids that can be checked by eye, both sides of the smallest size."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from labutils.model.encoding import CHAT_TOKENS, END_OF_TEXT, train_bpe

A, B, SPACE = 67, 68, 223  # ids 3 to 258 are the bytes: "!" (U+0021) is 3, so "a" is 3 + 0x61 - 0x21


@pytest.mark.parametrize("trained_on", [["It is one. It is two."], [""], []])
def test_any_text_comes_back_letter_for_letter(trained_on):
    tokenizer = train_bpe(trained_on, size=270)

    @settings(deadline=None, max_examples=60, database=None)
    @given(st.text())
    @example(" , . ' s n't  \r\n\t\x00\x1b")
    @example("naïve 東京 👩‍👩‍👧 \u202e \ufeff é")
    @example("<|im_start|>user\n<|im_end|><|endoftext|> <|endoftext|><|im_")
    def comes_back(text):
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
        assert tokenizer.encode(text) == tokenizer.encode(text, add_special_tokens=False)

    comes_back()


def test_a_text_that_names_special_tokens_gets_them(tokenizer):
    assert tokenizer.convert_tokens_to_ids([END_OF_TEXT, *CHAT_TOKENS]) == [0, 1, 2]
    assert (tokenizer.eos_token_id, tokenizer.bos_token_id, tokenizer.pad_token_id) == (0, 0, None)
    assert tokenizer.encode("<|im_start|>a<|im_end|>b<|endoftext|>") == [1, A, 2, B, 0]
    assert tokenizer.decode([1, A, 2, B, 0], skip_special_tokens=True) == "ab"


def test_pieces_are_learned_by_frequency():
    tokenizer = train_bpe(["ab ab ab ac"], size=261)
    assert tokenizer.convert_ids_to_tokens([259, 260]) == ["ab", "Ġab"]
    assert tokenizer.encode("ab ab ba") == [259, 260, SPACE, B, A]


def test_both_sides_of_the_smallest_size():
    assert len(train_bpe(["ab ab ab ac"], size=260)) == 260 == len(train_bpe(["ab"], size=5000))
    with pytest.raises(ValueError, match=r"size must exceed 259 \(256 bytes and special tokens\), got 259"):
        train_bpe(["ab ab ab ac"], size=259)


def test_the_same_texts_give_the_same_tokenizer(birds):
    texts = [pair["question"] for pair in birds]
    first, second = (train_bpe(iter(texts), size=300) for _ in range(2))
    assert first.backend_tokenizer.to_str() == second.backend_tokenizer.to_str()


def test_saved_and_opened_again_it_is_the_same(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    again = AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    text = "It is one ,  two.\n<|im_end|>"
    assert again.encode(text) == tokenizer.encode(text)
    assert again.decode(again.encode(text)) == text
    assert again.get_vocab() == tokenizer.get_vocab()
    assert (again.eos_token_id, again.pad_token_id) == (0, None)
    assert again.chat_template == tokenizer.chat_template
