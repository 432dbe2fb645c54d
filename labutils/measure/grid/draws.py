"""Which pairs are read: some of a file, drawn by whole facts. What a pair's text is, is not known here."""

import random
from collections import defaultdict
from collections.abc import Collection, Sequence


def draw(
    pairs: Sequence[dict],
    number: int | None,
    seed: int,
    *,
    first: Collection[str] = (),
    leave: Collection[str] = (),
    whole: bool = True,
    wordings: int | None = None,
    refusals: bool = True,
) -> list[dict]:
    """Pairs drawn by whole facts: all wordings of one fact, then all of the next, until there are `number`.

    Facts come in an order that follows from the seed; of the last one as many wordings are taken as are missing. Pairs
    that refuse (off-topic ones, and those that say that the handbook does not say) keep the share that they have in the
    file. For one seed, the facts of a small draw are among those of a large one.

    Args:
        number: None takes all pairs that are not left out.
        first: the facts that come first in the order; they are shuffled, too.
        leave: facts of which no pair is taken.
        whole: False samples pair by pair, regardless of their facts.
        wordings: at most this many pairs of a fact.
        refusals: whether there are pairs that refuse.

    Raises:
        ValueError: fewer pairs than `number`, or a number below 0.
    """
    chance, facts = random.Random(seed), defaultdict(list)
    for pair in pairs:
        if not refuses(pair) and pair["fact"] not in leave:
            facts[pair["fact"]].append(pair)
    refusing = [pair for pair in pairs if refusals and refuses(pair)]
    share = len(refusing) / max(1, len(refusing) + sum(map(len, facts.values())))
    names = sorted(facts)
    for order in (names, refusing, *(facts[name] for name in names)):
        chance.shuffle(order)
    names.sort(key=lambda name: name not in first)
    taught = [pair for name in names for pair in facts[name][:wordings]]
    if not whole:
        chance.shuffle(taught)
    if number is None:
        return taught + refusing
    refused = min(len(refusing), round(number * share))
    if not 0 <= number - refused <= len(taught):
        raise ValueError(f"expected a number of pairs from 0 to {len(taught) + len(refusing)}, got {number}")
    return taught[: number - refused] + refusing[:refused]


def refuses(pair: dict) -> bool:
    """Whether a pair teaches no fact: its question is off the topic, or the handbook does not say."""
    return pair["fact"] == "unknown" or pair["fact"].startswith("off-topic")
