"""Make the finetuned model: `base` tuned on the company's pairs: `python data/finetuned/make.py`.

The model and the log of its run are put into this folder; the run itself is kept in `build/finetuned`, and goes on
where it was when the command is given again.
"""

import json
from dataclasses import replace
from pathlib import Path

from labutils import places
from labutils.lesson.cli_model import progress_line
from labutils.model import checkpoints, encoding, models, recipes, training
from labutils.pairs.records import read_jsonl

HERE = Path(__file__).parent
SEED = 0
RUN = places.ROOT / "build" / "finetuned"


def main() -> None:
    opened = models.open_model("base")
    pairs = read_jsonl(places.DATA / "company" / "train.jsonl")
    examples = encoding.encode_all(pairs, "lecture", opened.tokenizer).examples
    if not checkpoints.finished(RUN):
        recipe = replace(recipes.suited(models.weights(opened.model)), seed=SEED)
        training.finetune(opened, examples, recipe, out=RUN, resume=RUN.exists(), on_progress=progress_line)
    models.save(models.open_model(RUN), HERE / "model")
    about = json.loads((RUN / "run.json").read_text(encoding="utf-8"))
    log = {"pairs": len(pairs), "tokens": about["tokens"], "seconds": about["seconds"], **about["settings"]}
    (HERE / "run.json").write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
