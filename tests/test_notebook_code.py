"""What a notebook teaches in a cell, labutils does: the cell's code is run here and compared with the helper's."""

import ast

import nbformat
import pytest
import torch

from labutils import places
from labutils.corpus import quality
from labutils.model import encoding
from labutils.model.loss import next_token_loss
from labutils.pairs import records, templates


def taught(notebook: str, name: str, **given: object) -> object:
    """The function or value `name` from the notebook cell that defines it, with `given` as its globals."""
    for cell in nbformat.read(places.NOTEBOOKS / f"{notebook}.ipynb", as_version=4).cells:
        if cell.cell_type != "code":
            continue
        for node in ast.parse(cell.source).body:
            names = [node.name] if isinstance(node, ast.FunctionDef) else []
            names += [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]
            if name in names:
                exec(compile(ast.Module([node], []), notebook, "exec"), given)
                return given[name]
    raise LookupError(f"no cell of {notebook} defines {name}")


@pytest.mark.parametrize("counted", [0, 3, 6])
def test_the_loss(counted):
    teach = taught("04_finetuning", "next_token_loss", cross_entropy=torch.nn.functional.cross_entropy)
    logits = torch.randn(2, 7, 11, generator=torch.Generator().manual_seed(0))
    labels = torch.randint(0, 11, (2, 7), generator=torch.Generator().manual_seed(1))
    labels[:, :counted] = -100
    assert torch.equal(teach(logits, labels), next_token_loss(logits, labels))


@pytest.mark.parametrize("keys", [("question", "answer"), ("instruction", "response"), ("input", "output"), ("text",)])
def test_the_key_families(keys):
    record = {key: f"{key} of a pair" for key in keys}
    assert taught("03_finetuning_data", "as_text")(record) == "".join(records.pair(record))


def test_the_template():
    assert taught("03_finetuning_data", "template_qa") == templates.TEMPLATES["lecture"]


@pytest.mark.parametrize(("prompt", "answer"), [("Q: 2+2?\nA:\n", "It is four."), ("", "Tides turn."), ("Hi", "")])
def test_the_labels(tokenizer, prompt, answer):
    taught_here = taught("03_finetuning_data", "encode", tokenizer=tokenizer)
    assert taught_here({"prompt": prompt, "answer": answer}) == encoding.encode(prompt, answer, tokenizer)


@pytest.mark.parametrize("words", [49, 50])
def test_the_rule(words):
    teach = taught("01_pretraining_data", "too_few_words", drop=quality.drop)
    assert (
        teach("word " * words)
        == quality.too_few_words("word " * words)
        == (words == 50, "too few words" * (words < 50))
    )
