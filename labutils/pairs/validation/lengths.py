"""How long pairs are in tokens: what does not fit, what all of them cost. The tokenizer is an argument."""

from collections.abc import Callable, Sequence

from labutils.pairs.templates import prompt
from labutils.pairs.validation.problems import Tally
from labutils.pairs.validation.values import Parts

CHARACTERS_A_TOKEN = 4  # English under a vocabulary of some ten thousand; a rough figure for want of a tokenizer
Tokenizer = Callable[[str], Sequence[int]]


class Lengths:
    """Counts the tokens of a file's pairs as training counts them: prompt, answer, end-of-text."""

    def __init__(self, tally: Tally, tokenizer: Tokenizer | None, max_length: int, template: str) -> None:
        self.tally, self.tokenizer, self.max_length, self.template = tally, tokenizer, max_length, template
        self.pairs = self.tokens = 0

    def add(self, number: int, parts: Parts) -> None:
        """Count a pair, and tell what of it does not fit."""
        asked = self._count(prompt(self.template, parts.question)) if parts.question else 0
        total = asked + self._count(parts.answer) + 1
        self.pairs, self.tokens = self.pairs + 1, self.tokens + total
        if total <= self.max_length:
            return
        about = "" if self.tokenizer else "about "
        if asked >= self.max_length:
            cause = f"the prompt alone has {about}{asked:,} tokens, the limit is {self.max_length:,}"
            self.tally.add(number, "nothing_left", cause)
        else:
            cause = f"prompt and answer have {about}{total:,} tokens, the limit is {self.max_length:,}"
            self.tally.add(number, "answer_truncated", cause)

    def finish(self, tokens_per_second: float | None) -> None:
        """Tell the tokens in total, and the minutes that they cost."""
        if not self.pairs:
            return
        how = "" if self.tokenizer else f"about, at {CHARACTERS_A_TOKEN} characters a token: "
        cause = f"{how}{self.tokens:,} tokens in {self.pairs:,} pair{'' if self.pairs == 1 else 's'}"
        if tokens_per_second:
            minutes = self.tokens / tokens_per_second / 60
            cause += f"; {minutes:,.1f} minutes a pass at {tokens_per_second:,.0f} tokens a second"
        self.tally.add(0, "tokens", cause)

    def _count(self, text: str) -> int:
        if self.tokenizer is None:
            return -(-len(text) // CHARACTERS_A_TOKEN)
        return len(self.tokenizer(text.encode("utf-8", "replace").decode()))  # a lone surrogate stops most tokenizers
