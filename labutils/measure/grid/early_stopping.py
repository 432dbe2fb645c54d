"""Early stopping: a model is looked at while it is tuned, until it stops improving; by what, is not known here."""

import threading
from collections.abc import Callable

from labutils.measure.cards import Card
from labutils.model.progress import Progress

STEPS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
WARM_UP = 10  # steps in which the rate rises; then it stays, so that every look is at a run that could end there


class Looks:
    """What a model is worth at STEPS. `best` is the card with the lowest loss on answers; `found` has a list for each
    look: the step, the loss in nats a token, the share of right answers about facts that were taught.

    `stop` is set once `patience` looks in a row were no better, or after the look at step `last`. With a patience of 0
    there are no looks.
    """

    def __init__(
        self,
        ask: Callable[[], Card],
        patience: int,
        on_progress: Callable[[Progress], None],
        last: int = STEPS[-1],
    ):
        self.ask, self.patience, self.on_progress, self.last = ask, patience, on_progress, last
        self.best: Card | None = None
        self.found: list[list[float]] = []
        self.stop = threading.Event()

    def tell(self, now: Progress) -> None:
        """Called behind every step."""
        self.on_progress(now)
        if not self.patience or now.step not in STEPS:
            return
        card = self.ask()
        right = [hit for hit in card.judged["taught"] if hit is not None]
        loss = card.losses["answer_loss"]
        self.found.append([now.step, round(sum(loss.values) / sum(loss.sizes), 4), round(sum(right) / len(right), 4)])
        losses = [loss for _, loss, _ in self.found]
        if losses[-1] == min(losses):
            self.best = card
        if now.step >= self.last or losses.index(min(losses)) < len(losses) - self.patience:
            self.stop.set()
