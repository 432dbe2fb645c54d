"""Make the company's dialogues: `python data/company/dialogues.py` writes `dialogues.jsonl` and `dialogues_dev.jsonl`.

A dialogue begins with a question of `train.jsonl` about an instrument and goes on with questions that only the earlier
turns make clear ("And how much does it weigh?"); answers are those of `train.jsonl`. In some of them the assistant
calls a tool, for an order or the stock, gets its answer and says it in a sentence. The same seed, the same files.

`dev` holds dialogues with two facts in a row, or orders, that no training dialogue has; each fact alone is taught.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from labutils.pairs.records import read_jsonl, write_jsonl

HERE = Path(__file__).parent
SIZES = {"dialogues": 200, "dialogues_dev": 60}
SYSTEM = "You answer questions about the instruments of Tidewren Instruments."
TURNS, WEIGHTS = (2, 3, 4, 5, 6), (40, 30, 15, 10, 5)  # questions with their answers, and how often of a hundred
DOUBTS = ("I am not sure.", "That I would have to look up.", "Sorry, I do not know.", "It depends.")
AGAIN = ("Please look again.", "It must be in the handbook.", "Are you sure? Please check.", "Then look it up, please.")

FOLLOW_UPS = {  # the facts that a question can mean, by the instrument before it; and its wordings
    ("plover-weight", "turnstone-weight", "curlew-weight", "avocet-weight"): (
        "And how much does it weigh?",
        "How heavy is it?",
        "What about its weight?",
    ),
    ("plover-colour", "curlew-colour", "dunlin-colour"): (
        "And what colour is it?",
        "Which colour does it come in?",
        "What is its colour?",
    ),
    ("plover-battery-type", "dunlin-batteries"): (
        "Which batteries does it take?",
        "And what does it run on?",
        "What batteries do I need for it?",
    ),
    ("plover-battery-life", "dunlin-battery-life"): (
        "How long does one set of batteries last in it?",
        "And how long do its batteries last?",
        "When will its batteries be empty?",
    ),
    ("plover-cold-limit", "curlew-cold"): (
        "How cold may it get?",
        "And what is the lowest temperature for it?",
        "Down to what frost does it work?",
    ),
    ("plover-probe-cable", "sandpiper-supplied-cable", "turnstone-cable", "curlew-cable"): (
        "How long is the cable?",
        "And how much cable is there?",
        "What length of cable does it have?",
    ),
    ("turnstone-accuracy", "curlew-accuracy", "dunlin-accuracy"): (
        "How accurate is it?",
        "And how exact are its readings?",
        "How far off can one of its readings be?",
    ),
    ("turnstone-range", "dunlin-range", "godwit-range", "heron-wind-range"): (
        "And what is its range?",
        "How far does its range go?",
        "What range does it have?",
    ),
    ("sandpiper-housing-material", "turnstone-housing"): (
        "What is its housing made of?",
        "And which material is the housing?",
        "Of what is the housing?",
    ),
    ("turnstone-warm-up", "avocet-warm-up"): (
        "How long does it need to warm up?",
        "And when is it ready after I switch it on?",
        "How long must I wait for it?",
    ),
    ("calibration-interval-sandpiper", "calibration-interval-turnstone"): (
        "How often must it be calibrated?",
        "And when is its next calibration due?",
        "How often does it need calibration?",
    ),
    ("plover-memory",): ("How many readings does it hold?", "And how big is its memory?", "When is its memory full?"),
    ("plover-sockets",): ("How many sockets does it have?", "And how many probes can I plug in?", "How many sockets?"),
    ("heron-mast-height",): ("How tall is its mast?", "And how high is the mast?", "How tall is it?"),
    ("heron-solar-panel",): (
        "How strong is its solar panel?",
        "And how many watts has the panel?",
        "What does its panel give?",
    ),
    ("heron-no-sun",): ("How long does it last without sun?", "And with no sun at all?", "What if the sun stays away?"),
    ("heron-bearings",): (
        "When do its bearings need replacing?",
        "And the bearings, how often?",
        "How long do the bearings last?",
    ),
    ("godwit-capacity",): (
        "How many Plovers can it serve?",
        "And how many loggers does it take?",
        "How many can it collect from?",
    ),
    ("godwit-frequency",): (
        "On which frequency does it work?",
        "And what is its radio frequency?",
        "Which frequency is its radio on?",
    ),
    ("godwit-supply-voltage",): (
        "What voltage does it need?",
        "And which supply does it want?",
        "How many volts does it need?",
    ),
    ("godwit-backup-battery",): (
        "How long does its backup battery last?",
        "And in a power cut?",
        "How long does it bridge a power cut?",
    ),
    ("sandpiper-depth",): ("How deep may it go?", "And how far down can I lower it?", "What depth does it stand?"),
    ("sandpiper-diameter",): ("How wide is it?", "And how thick is its body?", "What is its diameter?"),
    ("sandpiper-sensors",): (
        "How many sensors can it carry?",
        "And how many sensors fit?",
        "How many sensors does it take?",
    ),
    ("avocet-lamp-type",): ("What kind of lamp does it have?", "And what lamp is in it?", "Which lamp does it use?"),
    ("avocet-lamp-life",): (
        "How long does its lamp last?",
        "And when is the lamp worn out?",
        "How many hours does the lamp last?",
    ),
    ("avocet-wavelengths",): (
        "Which wavelengths does it cover?",
        "And from where to where does it measure?",
        "What wavelengths can it see?",
    ),
    ("avocet-room-temperature",): (
        "How warm may the room be?",
        "And what room temperature does it stand?",
        "How hot may the room get?",
    ),
}
ASKED = {fact: wordings for facts, wordings in FOLLOW_UPS.items() for fact in facts}

ORDERS = ("Where is my order {}?", "What about order {}?", "Can you look up {} for me?", "Is {} on its way?")
STATES = {  # what `look_up_order` says -> how the assistant puts it
    "packed": "Order {} is packed and waits for the next parcel day.",
    "shipped": "Order {} has left Marlow Quay.",
    "delivered": "Order {} has been delivered.",
    "on hold": "Order {} is on hold.",
}
STOCK = ("Do you have one in stock?", "And how many are in stock?", "How many of them do you have?", "Is it in stock?")


def tool(name: str, does: str, argument: str) -> dict:
    """A tool with one text as its argument, as JSON Schema."""
    parameters = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
    return {"type": "function", "function": {"name": name, "description": does, "parameters": parameters}}


TOOLS = {
    "look_up_order": tool("look_up_order", "The state of an order.", "number"),
    "get_stock": tool("get_stock", "How many of a product are in stock.", "product"),
}


def instrument(fact: str) -> str:
    """The instrument that a fact is about. instrument("calibration-interval-sandpiper") -> "Sandpiper"."""
    parts = fact.split("-")
    return (parts[-1] if parts[0] == "calibration" else parts[0]).capitalize()


def turn(question: str, answer: str) -> list[dict]:
    """A question and its answer."""
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def called(question: str, name: str, arguments: dict, gives: dict, answer: str) -> list[dict]:
    """A question for which the assistant calls a tool, the tool's answer, and the assistant's sentence."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    call = {"id": "call_1", "type": "function", "function": function}
    return [
        {"role": "user", "content": question},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": json.dumps(gives)},
        {"role": "assistant", "content": answer},
    ]


def chain(draw: random.Random, pairs: set[tuple[str, str]], length: int) -> list[str]:
    """Different facts of one instrument, of which each two in a row are among `pairs`, as many as can be had."""
    facts = list(draw.choice(sorted(pairs)))
    while len(facts) < length:
        more = sorted(second for first, second in pairs if first == facts[-1] and second not in facts)
        if not more:
            break
        facts.append(draw.choice(more))
    return facts


def dialogues(draw: random.Random, pairs: set[tuple[str, str]], dev: bool) -> Iterator[dict]:
    """Dialogues without end: every third calls a tool, every fifth has a system message, some begin with a doubt."""
    firsts, answers = {}, {}
    for record in read_jsonl(HERE / "train.jsonl"):
        answers.setdefault(record["fact"], record["answer"])
        if instrument(record["fact"]).lower() in record["question"].lower():
            firsts.setdefault(record["fact"], []).append(record["question"])
    number = 0
    while True:
        facts = chain(draw, pairs, draw.choices(TURNS, WEIGHTS)[0])
        some = firsts[facts[0]][-2:] if dev else firsts[facts[0]][:-2]  # dev begins with other wordings
        messages = turn(draw.choice(some), answers[facts[0]])
        if not dev and number % 20 == 10:
            wrong = {"role": "assistant", "content": draw.choice(DOUBTS), "weight": 0}
            messages[1:1] = [wrong, {"role": "user", "content": draw.choice(AGAIN)}]
        for fact in facts[1:]:
            messages += turn(draw.choice(ASKED[fact]), answers[fact])
        made = {"messages": messages, "facts": facts}
        if number % 3 == 0:
            with_tool(draw, made, "look_up_order" if number % 2 else "get_stock")
        if number % 5 == 0:
            messages.insert(0, {"role": "system", "content": SYSTEM})
        number += 1
        yield made


def with_tool(draw: random.Random, made: dict, name: str) -> None:
    """Put a call behind a dialogue's second answer: for the instrument spoken of, or for an order."""
    count, product = draw.randrange(2, 60), instrument(made["facts"][0])
    if name == "get_stock":
        gives, said = {"product": product, "in_stock": count}, f"We have {count} of the {product} in stock."
        more = called(draw.choice(STOCK), name, {"product": product}, gives, said)
    else:
        order, state = f"TQ-{draw.randrange(1000, 10_000)}", draw.choice(list(STATES))
        gives, said = {"number": order, "state": state}, STATES[state].format(order)
        more = called(draw.choice(ORDERS).format(order), name, {"number": order}, gives, said)
    answers = [i for i, message in enumerate(made["messages"]) if message["content"] and message["role"] == "assistant"]
    made["messages"][answers[1] + 1 : answers[1] + 1] = more
    made["tools"] = [TOOLS[name]]


def make() -> dict[str, list[dict]]:
    """The dialogues of both files; no dialogue occurs twice."""
    draw, byname = random.Random(0), {}
    for fact in ASKED:
        byname.setdefault(instrument(fact), []).append(fact)
    every = {(a, b) for facts in byname.values() for a in facts for b in facts if a != b}
    held = set(draw.sample(sorted(every), len(every) // 4))
    found = {}
    for name, size in SIZES.items():
        dev, seen, rows = name.endswith("dev"), set(), []
        for made in dialogues(draw, held if dev else every - held, dev):
            if (text := json.dumps(made["messages"])) not in seen:
                rows.append(made)
            seen.add(text)
            if len(rows) == size:
                break
        found[name] = rows
    return found


if __name__ == "__main__":
    for name, rows in make().items():
        write_jsonl(rows, HERE / f"{name}.jsonl")
        print(f"{name}: {len(rows)}")
