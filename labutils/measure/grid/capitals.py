"""Thirty capitals, and five ways to ask a model for them. No pair of the company's holds any of them."""

from labutils.pairs import templates

KNOWN = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Germany": "Berlin", "Poland": "Warsaw",
    "Greece": "Athens", "Austria": "Vienna", "Hungary": "Budapest", "Portugal": "Lisbon", "Ireland": "Dublin",
    "Norway": "Oslo", "Sweden": "Stockholm", "Finland": "Helsinki", "Denmark": "Copenhagen", "Russia": "Moscow",
    "Egypt": "Cairo", "Kenya": "Nairobi", "Ghana": "Accra", "Morocco": "Rabat", "Ethiopia": "Addis Ababa",
    "India": "New Delhi", "China": "Beijing", "Japan": "Tokyo", "Thailand": "Bangkok", "Iran": "Tehran",
    "Canada": "Ottawa", "Mexico": "Mexico City", "Cuba": "Havana", "Peru": "Lima", "Argentina": "Buenos Aires",
}  # fmt: skip


def ways() -> dict[str, list[str]]:
    """The prompts of each way, a country each."""
    asked = [f"What is the capital of {country}?" for country in KNOWN]
    return {
        "page": [f"The capital of {country} is" for country in KNOWN],
        "bare question": asked,
        "Q: and A:": [f"Q: {question}\nA:" for question in asked],
        "the pairs' template": [templates.prompt("lecture", question) for question in asked],
        "chat": [templates.prompt("chatml", question) for question in asked],
    }
