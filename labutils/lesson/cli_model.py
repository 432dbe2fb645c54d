"""The commands about models, `pretrain`, `finetune` and `ask`: their options, what they call, what they print.

`labutils.__main__` holds the table of all commands; the work is done in the subpackages before this one.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path

from labutils import machine, places
from labutils.corpus import quality, sources
from labutils.corpus.sources import docstrings
from labutils.lesson.terminal import clock, renew
from labutils.model import adapters, asking, chats, encoding, models, recipes, training
from labutils.model.encoding import train_bpe
from labutils.pairs import own
from labutils.pairs.validation.problems import named

# `pretrain`

LENGTH = 512  # tokens of a block
DOCUMENTED = 1_000  # files whose docstrings are read: about a quarter of a million tokens
PIECES = 8192  # entries of a tokenizer learned from the texts, where the base's is not here


def pretrain_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", metavar="DIR", required=True, help="where the run and its model are kept")
    parser.add_argument("--corpus", metavar="SOURCE", default="installed", help="installed, or a file of documents")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="updates of the weights; without it the corpus is read once")
    length.add_argument("--minutes", type=float, help="as many steps as this machine makes in this time")
    parser.add_argument(
        "--batch", type=int, default=training.PRETRAINING.batch, help=f"blocks of {LENGTH} tokens a step"
    )
    parser.add_argument("--learning-rate", type=float, default=training.PRETRAINING.learning_rate)
    parser.add_argument("--seed", type=int, default=0, help="the fresh weights and the order of the blocks")
    parser.add_argument(
        "--save-steps", "--keep-every", type=int, default=training.PRETRAINING.save_steps, help="steps a checkpoint"
    )
    parser.add_argument("--compiled", action="store_true", help="compile the layers first, for runs of an hour or more")
    parser.add_argument("--resume", action="store_true", help="go on from the newest whole checkpoint")


def pretrain_command(asked: argparse.Namespace) -> int:
    if asked.minutes is not None:
        recipes.check_setting("minutes", asked.minutes)
    texts = corpus(asked.corpus)
    tokenizer = models.open_model("base").tokenizer if models.available("base") else train_bpe(texts, PIECES)
    opened = models.create(tokenizer, seed=asked.seed)
    blocks = encoding.blocks(texts, tokenizer, LENGTH)
    names = ("steps", "batch", "learning_rate", "seed", "save_steps", "compiled")
    recipe = replace(training.PRETRAINING, **{name: getattr(asked, name) for name in names})
    if asked.minutes is not None:
        recipe = replace(recipe, steps=begun(asked) or training.steps_in(asked.minutes, opened, blocks, recipe))
    machine.say(f"{blocks.ids.size:,} tokens, {recipe.total_steps(len(blocks)):,} steps")
    with where_to_go_on(asked.out):
        run = training.pretrain(opened, blocks, recipe, out=asked.out, resume=asked.resume, on_progress=progress_line)
    machine.say(f"\n{asked.out}: {run.tokens:,} tokens read in {run.seconds / 60:.1f} minutes")
    return 0


def corpus(source: str) -> list[str]:
    """The texts to read: of what is installed docstrings, and pages that the rules of `quality` keep; a file whole.

    Raises what `sources.jsonl` raises; ValueError when there is no text.
    """
    if source == "installed":
        pages = sources.installed(sets=("Changelogs", "Documentation", "READMEs"))
        documents = [*quality.kept(pages), *islice(docstrings(), DOCUMENTED)]
        texts = [document["text"] for document in documents]
    else:
        texts = [document["text"] for document in sources.jsonl(source)]
    if not texts:
        raise ValueError(f"{source} holds no text to read")
    return texts


def begun(asked: argparse.Namespace) -> int | None:
    """The steps of the run to go on with: minutes became steps when it began."""
    about = Path(asked.out) / "run.json"
    if not (asked.resume and about.is_file()):
        return None
    return json.loads(about.read_text(encoding="utf-8"))["settings"]["recipe"]["steps"]


# `finetune` and `ask`


MOVING = {
    "all": lambda opened, asked: opened,
    "last": lambda opened, asked: adapters.last_layer_only(opened),
    "lora": lambda opened, asked: adapters.with_lora(
        opened, 8 if asked.rank is None else asked.rank, seed=asked.seed or 0
    ),
}


def finetune_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="pairs or conversations in any form that `convert` knows")
    parser.add_argument("--model", metavar="NAME", default="base", help="a known name, a folder, or a hub id")
    parser.add_argument("--out", metavar="DIR", required=True, help="where the run and its model are kept")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="updates of the weights")
    length.add_argument("--epochs", type=float, help="times that every pair is read")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--weights", choices=MOVING, default="all", help="which of them move; the default is all")
    which.add_argument("--lora", dest="weights", action="store_const", const="lora", help="short for --weights lora")
    parser.add_argument("--rank", type=int, help="of LoRA's adapters; the default is 8")
    parser.add_argument("--batch", type=int, help="pairs an update, of all processes together")
    parser.add_argument("--learning-rate", type=float, help="the highest one")
    parser.add_argument("--replay", type=float, help="share of general text among the tokens: what is kept; 0: none")
    parser.add_argument("--seed", type=int, help="the order of the pairs, and fresh adapters")
    parser.add_argument("--template", help="the prompt template of pairs (lecture); conversations have the model's own")
    parser.add_argument("--save-steps", "--keep-every", type=int, help="steps between two checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from the newest whole checkpoint")
    parser.epilog = "What is not given is what suits a model of this size. "
    parser.epilog += "Several processes share each batch: torchrun --nproc_per_node 2 -m labutils finetune ..."


def finetune_command(asked: argparse.Namespace) -> int:
    if asked.rank is not None and asked.weights != "lora":
        raise ValueError("--rank is that of adapters, so it goes with --lora")
    lines, pairs = taught(asked.file)
    opened = models.open_model(asked.model)
    talks = sum("messages" in pair for pair in pairs)
    if talks:
        chats.prepare(opened)
        if asked.template:
            raise ValueError("conversations are filled into the model's own chat template; leave --template out")
        machine.say(f"{talks:,} conversations: every turn of the assistant is trained, in the model's chat template")
    recipe = replace(recipes.suited(models.weights(opened.model), adapters=asked.weights == "lora"), **given(asked))
    opened = MOVING[asked.weights](opened, asked)
    encoded = chats.encode_records(pairs, asked.template or "lecture", opened.tokenizer)
    if encoded.too_long:
        machine.say(f"left out, over 512 tokens: {named([lines[i] for i in encoded.too_long])} of {asked.file}")
    if asked.weights != "all":
        moving, every = adapters.trained(opened.model), models.weights(opened.model)
        machine.say(f"{moving:,} of {every:,} weights move ({moving / every:.1%})")
    if machine.processes() > 1:
        machine.say(f"{machine.processes()} processes share each batch of {recipe.batch}")
    what = "conversations; ask with --chat" if talks else "pairs"
    with where_to_go_on(asked.out):
        run = training.finetune(
            opened, encoded.examples, recipe, out=asked.out, resume=asked.resume, on_progress=progress_line
        )
    machine.say(f"\n{asked.out}: {len(encoded.examples)} {what}, {run.seconds / 60:.1f} minutes")
    return 0


def taught(path: str) -> tuple[list[int], list[dict]]:
    """The lines and the pairs or conversations of a file to train on; pairs without an answer are named and left out.

    Raises ValueError naming the lines that hold no pair, and where no pair has an answer.
    """
    if machine.processes() > 1:
        places.check_rereadable(path)
    found = own.read_examples(path, tell=machine.say)
    kept = [(line, pair) for line, pair in found if pair.get("answer", pair.get("text", "messages")).strip()]
    if not kept:
        raise ValueError(f"{path}: none of the {len(found)} pairs has an answer; write them, they are what is trained")
    lines, pairs = map(list, zip(*kept, strict=True))
    if empty := sorted({line for line, _ in found}.difference(lines)):
        machine.say(f"left out, no answer: {named(empty)} of {path}")
    return lines, pairs


@contextmanager
def where_to_go_on(out: str) -> Iterator[None]:
    """Around a run: who interrupts it is told how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        machine.say(f"\n{out} keeps the newest checkpoint, if there was one: the same command with --resume goes on")
        raise


def given(asked: argparse.Namespace) -> dict:
    """The settings of a recipe that the command line states."""
    settings = {field.name: getattr(asked, field.name, None) for field in fields(training.Recipe)}
    return {name: value for name, value in settings.items() if value is not None}


def progress_line(progress: training.Progress) -> None:
    """One line on stderr that writes over itself: step, loss, speed, time left."""
    line = f"step {progress.step}/{progress.steps}  loss {progress.loss:.3f}  {progress.tokens_per_second:.0f} tokens/s"
    renew(f"{line}  {clock(progress.seconds_left)} left")


def ask_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("question", nargs="*", help="one or several questions, each in quotes")
    parser.add_argument("--model", metavar="DIR", default="finetuned", help="a known name, a folder, or a hub id")
    parser.add_argument("--template", help="the prompt template the model was tuned with (lecture)")
    parser.add_argument(
        "--chat", action="store_true", help="the questions are turns of one conversation; none: type them"
    )
    parser.add_argument(
        "--history", metavar="FILE", help="with --chat: its first conversation comes before the questions"
    )
    parser.add_argument("--limit", type=int, default=60, help="most tokens of an answer")
    parser.add_argument("--json", action="store_true", help="a list of objects for programs")


def ask_command(asked: argparse.Namespace) -> int:
    if asked.chat:
        return chat(asked)
    if asked.history or not asked.question:
        raise ValueError("--history goes with --chat" if asked.history else "no question; put one in quotes")
    template = asked.template or "lecture"
    replies = asking.ask(models.open_model(asked.model), asked.question, template=template, limit=asked.limit)
    if asked.json:
        rows = zip(asked.question, replies, strict=True)
        print(json.dumps([{"question": question, **reply._asdict()} for question, reply in rows], indent=1))
    else:
        print("\n".join(reply.text + ("" if reply.stopped else " ...") for reply in replies))
    return 0


def chat(asked: argparse.Namespace) -> int:
    """One conversation, turn by turn; what follows a tool call of the model is the tool's answer."""
    if asked.template:
        raise ValueError("--chat asks in the model's own chat template; leave --template out")
    begun = chats.as_conversation(own.read_examples(asked.history)[0][1]) if asked.history else {"messages": []}
    opened, messages, rows = chats.prepare(models.open_model(asked.model)), list(begun["messages"]), []
    role = "tool" if messages and "tool_calls" in messages[-1] else "user"
    for question in asked.question or typed():
        messages.append({"role": role, "content": question})
        reply = chats.reply(opened, messages, begun.get("tools", ()), limit=asked.limit)
        messages.append({"role": "assistant", "content": reply.text})
        role = "tool" if chats.CALL.search(reply.text) else "user"
        rows.append({"question": question, **reply._asdict()})
        if not asked.json:
            print(reply.text + ("" if reply.stopped else " ..."), flush=True)
    if asked.json:
        print(json.dumps(rows, indent=1))
    return 0


def typed() -> Iterator[str]:
    """Lines that somebody types, up to an empty one or the end of the input."""
    if sys.stdin.isatty():
        print("Type a question, or after a tool call the tool's answer; an empty line ends.", file=sys.stderr)
    yield from iter(lambda: sys.stdin.readline().strip(), "")
