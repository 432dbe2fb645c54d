"""An exercise on base models: why one goes on with a page instead of answering."""

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


def _page(name: str, order: tuple[int, ...]) -> Exercise:
    words, last, other = SHORT[name]
    return choice(
        "goes_on",
        "A question is a page",
        PRETRAINING,
        f"`base` is given the opening `{name} is short for {words}` and goes on with ` {last}`. Asked `What does "
        f"{name} stand for?`, it writes `What does {other} stand for? What is the difference?` Why?",
        [
            Option(
                "To it, the question opens a page of questions, and it goes on with that page.",
                "what it knows comes out where a page would say it; the habit of answering is what pairs will teach",
            ),
            Option(
                f"It does not know what {name} stands for.",
                f"it does: it ended the opening with `{last}`; the question did not bring that out",
            ),
            Option(
                "It has not read long enough. After some more hours it would answer.",
                "more reading makes it better at going on with pages, and lists of questions are pages, too",
            ),
            Option(
                "The question holds words that it has never read.",
                f"then it could not have gone on so well: it asks about {other}, which is of the same kind",
            ),
        ],
        order,
        hints=(
            f"Did it find `{last}` behind the opening? So what can be missing, and what cannot?",
            "Think of a page on which somebody wrote this question. What stands on the next line of such a page?",
        ),
        vary=lambda draw: _page(
            draw.pick([other for other in SHORT if other != name]),
            tuple(moved(draw, order)),
        ),
    )


goes_on = _page("HTTP", (1, 2, 0, 3))
