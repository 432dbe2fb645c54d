"""An exercise on base models: why one continues a page instead of answering."""

from labutils.lesson.exercises.choice import Option, choice, moved
from labutils.lesson.exercises.exercise import Exercise
from labutils.lesson.exercises.subjects import PRETRAINING

SHORT = {  # an abbreviation: its words but the last, the last, others of its kind
    "HTTP": ("Hypertext Transfer", "Protocol", "HTTPS"),
    "USB": ("Universal Serial", "Bus", "PCI"),
    "PDF": ("Portable Document", "Format", "EPS"),
    "XML": ("Extensible Markup", "Language", "HTML"),
    "CPU": ("Central Processing", "Unit", "GPU"),
    "DNS": ("Domain Name", "System", "DHCP"),
    "URL": ("Uniform Resource", "Locator", "URI"),
    "SQL": ("Structured Query", "Language", "CSV"),
    "RAM": ("Random Access", "Memory", "ROM"),
}


LANDS = {  # a capital of each, as `smollm2` states it
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Greece": "Athens", "Norway": "Oslo", "Kenya": "Nairobi",
    "Japan": "Tokyo", "Canada": "Ottawa", "Peru": "Lima",
}  # fmt: skip


def _page(land: str, order: tuple[int, ...]) -> Exercise:
    names = list(LANDS)
    first, last = (names[(names.index(land) + step) % len(names)] for step in (1, 2))
    return choice(
        "goes_on",
        "A question is a page",
        PRETRAINING,
        f"A model continues `The capital of {land} is` with ` {LANDS[land]}`. Given two lines, `What is the "
        f"capital of {first}?` and `What is the capital of {land}?`, it writes a third: `What is the capital of "
        f"{last}?` Why?",
        [
            Option(
                "To it, the lines open a page of questions, and it continues that page.",
                "what it knows comes out where a page would say it; the habit of answering is what pairs can teach",
            ),
            Option(
                f"It does not know the capital of {land}.",
                f"it does: it stated `{LANDS[land]}`; the page of questions did not bring that out",
            ),
            Option(
                "It was not trained long enough. After some more hours it would answer.",
                "more pretraining makes it better at continuing pages, and lists of questions are pages, too",
            ),
            Option(
                "The questions contain words that it never saw in training.",
                f"then it could not have continued so well: it asks about {last}, which is of the same kind",
            ),
        ],
        order,
        hints=(
            f"Did it state `{LANDS[land]}`? So what can be missing, and what cannot?",
            "Think of a page on which somebody wrote these questions. What is on the next line of such a page?",
        ),
        vary=lambda draw: _page(
            draw.pick([other for other in LANDS if other != land]),
            tuple(moved(draw, order)),
        ),
    )


goes_on = _page("Kenya", (1, 2, 0, 3))
