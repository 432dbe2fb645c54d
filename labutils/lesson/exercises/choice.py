"""Multiple choice: one letter is right, every other one is told why it is not."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from labutils.lesson.exercises.answers import kind
from labutils.lesson.exercises.drawing import Draw
from labutils.lesson.exercises.exercise import Exercise, Wrong
from labutils.lesson.exercises.result import NotYet

LETTERS = "abcdef"


class Option(NamedTuple):
    """What can be chosen, and what is said to those who choose it."""

    text: str
    because: str


def choice(
    name: str,
    title: str,
    subject: str,
    question: str,
    options: Sequence[Option],
    order: Sequence[int],
    *,
    hints: tuple[str, ...],
    vary: Callable[[Draw], Exercise],
) -> Exercise:
    """A small exercise whose answer is a letter. The first of `options` is the right one; they are shown in `order`."""
    placed = [options[i] for i in order]
    letters = LETTERS[: len(placed)]
    right = letters[list(order).index(0)]
    listed = "\n".join(f"- **{letter}** {option.text}" for letter, option in zip(letters, placed, strict=True))

    def judge(answer: object) -> str:
        option = placed[letters.index(letter_of(answer, letters))]
        if option is not options[0]:
            raise NotYet(option.because)
        return option.because

    def wrong() -> list[Wrong]:
        others = zip(letters, placed, strict=True)
        return [Wrong(option.text, letter, option.because) for letter, option in others if letter != right]

    return Exercise(
        name=name,
        title=title,
        subject=subject,
        size="small",
        question=f"{question}\n\n{listed}",
        starter=f"my_answer = ...  # one of {', '.join(f'{letter!r}' for letter in letters)}".replace("'", '"'),
        answer="my_answer",
        judge=judge,
        hints=hints,
        solved=f'my_answer = "{right}"',
        wrong=wrong,
        vary=vary,
    )


def letter_of(answer: object, letters: str) -> str:
    """The letter that was chosen. letter_of(" B) ", "abcd") -> "b"."""
    if not isinstance(answer, str):
        raise NotYet(f"expected a letter in quotes, got {kind(answer)}")
    letter = answer.strip().strip("().").lower()
    if len(letter) != 1 or letter not in letters:
        raise NotYet(f"expected one letter from `{letters[0]}` to `{letters[-1]}` in quotes")
    return letter


def moved(draw: Draw, order: Sequence[int]) -> list[int]:
    """Another order, in which the right option is in another place than before."""
    while True:
        other = draw.shuffled(order)
        if other.index(0) != list(order).index(0):
            return other
