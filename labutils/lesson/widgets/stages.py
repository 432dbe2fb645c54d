"""The models that a widget offers, by name: given open, or opened when they are first asked for."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache

STAGES = ("random", "base", "finetuned", "smollm2")


def offered(models: Mapping[str, object] | Iterable[str] | None) -> tuple[list[str], Callable[[str], object]]:
    """Names, and a function that gives the open model of a name; without models, the stages that are on this machine.

    A mapping's value may be an open model, or the name or folder of one. Raises ValueError when there is no model.
    """
    from labutils.model.models import available, open_model  # brings PyTorch along

    if models is None:
        models = [name for name in STAGES if available(name)]
    given = dict(models) if isinstance(models, Mapping) else {name: name for name in models}
    if not given:
        raise ValueError("no model to show; give names or open models, such as ['base', 'finetuned']")

    @cache
    def opened(name: str) -> object:
        model = given[name]
        if isinstance(model, tuple):
            return model
        return _shared(model) if model in STAGES else open_model(model)

    return list(given), opened


@cache
def _shared(stage: str) -> object:
    """A stage, opened once for all widgets: nobody trains it here, and `smollm2` takes half a gigabyte."""
    from labutils.model.models import open_model

    return open_model(stage)


def template_of(name: str) -> str:
    """How a model of this name is asked: a stage of the report card as it is asked there, others as in the lecture."""
    from labutils.measure.stages import STAGES as CARD

    return CARD[name].template if name in CARD else "lecture"
