"""The learner's command `pretrain`: its options, what it reads, what it calls."""

import argparse
import json
from dataclasses import replace
from itertools import islice
from pathlib import Path

from labutils import ranks
from labutils.corpus import quality, sources
from labutils.corpus.docstrings import docstrings
from labutils.lesson.commandline import progress_line, where_to_go_on
from labutils.model import encoding, models, recipes, training
from labutils.model.tokenizers import train_bpe

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
    ranks.say(f"{blocks.ids.size:,} tokens, {recipe.total_steps(len(blocks)):,} steps")
    with where_to_go_on(asked.out):
        run = training.pretrain(opened, blocks, recipe, out=asked.out, resume=asked.resume, on_progress=progress_line)
    ranks.say(f"\n{asked.out}: {run.tokens:,} tokens read in {run.seconds / 60:.1f} minutes")
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
