"""A model -> an ONNX file for the browser: one pass with its cache of keys and values, and small weights.

Owns the graph and how its weights are stored. Leaves out the page that runs it (`docs/site`) and the folder that it
lies in (`lesson.site`). Needs the extra `site`.
"""

import logging
import warnings
from pathlib import Path

import numpy as np
import torch
from transformers import DynamicCache

from labutils import places
from labutils.model.models import Opened

GROUP = 32  # weights that share a scale in int8
STORED = ("fp32", "fp16", "int8")


class Step(torch.nn.Module):
    """One pass: new ids and what the model kept of those before -> logits behind the last, and the longer cache."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, past: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids of shape (1, new); cache of shape (2 * layers, 1, heads, old, head width), keys and values in turn."""
        cache = DynamicCache()
        for layer, (keys, values) in enumerate(past.unflatten(0, (-1, 2))):
            cache.update(keys, values, layer)
        where = past.shape[3] + torch.arange(ids.shape[1])[None]
        out = self.model(ids, past_key_values=cache, position_ids=where, use_cache=True, logits_to_keep=1)
        kept = [part for layer in out.past_key_values.layers for part in (layer.keys, layer.values)]
        return out.logits[0, -1], torch.stack(kept)


def blank_cache(model: torch.nn.Module, old: int = 0) -> torch.Tensor:
    """A cache of zeros for `old` tokens; with none, what the first pass is given."""
    config = model.config
    return torch.zeros(2 * config.num_hidden_layers, 1, config.num_key_value_heads, old, config.head_dim)


def graph_of(model: torch.nn.Module):
    """The ONNX graph of a model with its weights under their names; models of the same shape can share it (half a
    minute). Inputs `ids` and `past`, outputs `logits` of shape (vocabulary,) and `present`, as in `Step`.
    """
    model.set_attn_implementation("eager")
    past = blank_cache(model, 5)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of packages that nobody needs here
    with torch.inference_mode(), warnings.catch_warnings(action="ignore"):
        made = torch.onnx.export(
            Step(model).eval(),
            (torch.tensor([[0, 1, 2]]), past),
            dynamo=True,
            optimize=False,  # or weights are folded into nameless constants; the runtime folds when it opens the file
            verbose=False,
            input_names=["ids", "past"],
            output_names=["logits", "present"],
            dynamic_shapes={"ids": {1: torch.export.Dim("new")}, "past": {3: torch.export.Dim("old", min=0)}},
        )
    graph = made.model_proto
    del graph.graph.value_info[:], graph.graph.metadata_props[:]
    for node in graph.graph.node:  # lines of the code that made each, with the folders of this machine
        del node.metadata_props[:]
    return graph


def export(opened: Opened, path: str | Path, stored: str = "fp32", graph=None) -> Path:
    """Write a model as ONNX, with a graph of its shape (`graph_of`) where there is one.

    The weights are stored in float32, in float16 (half the size; what `models.save` has rounded to bfloat16 hardly
    changes), or in eight bits with a scale for every GROUP of them (a quarter). The products are float32 in any case:
    the runtime turns stored weights back once, when it opens the file.

    Raises ValueError for another way of storing.
    """
    if stored not in STORED:
        raise ValueError(f"stored must be one of {', '.join(STORED)}, got {stored!r}")
    made = type(graph := graph or graph_of(opened.model))()
    made.CopyFrom(graph)
    _fill(made.graph, {f"model.{name}": value.numpy() for name, value in opened.model.state_dict().items()}, stored)
    places.write(path, made.SerializeToString())
    return Path(path)


def _fill(graph, weights: dict[str, np.ndarray], stored: str) -> None:
    """Put weights into a graph by their names; matrices become smaller constants, and the nodes that turn them back."""
    from onnx import numpy_helper

    nodes = []
    for constant in list(graph.initializer):
        if constant.name not in weights:
            continue
        matrix, shrink = weights[constant.name], {"fp16": _halves, "int8": _eighths}.get(stored)
        graph.initializer.remove(constant)
        new, some = [numpy_helper.from_array(matrix, constant.name)], []
        if shrink and matrix.ndim == 2:
            new, some = shrink(constant.name, matrix)
        graph.initializer.extend(new)
        nodes += some
    nodes += graph.node
    del graph.node[:]
    graph.node.extend(nodes)


def _halves(name: str, matrix: np.ndarray) -> tuple[list, list]:
    from onnx import TensorProto, helper, numpy_helper

    half = numpy_helper.from_array(matrix.astype(np.float16), f"{name}.fp16")
    return [half], [helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT)]


def _eighths(name: str, matrix: np.ndarray) -> tuple[list, list]:
    from onnx import TensorProto, helper, numpy_helper

    groups = matrix.reshape(-1, GROUP)
    scales = np.maximum(abs(groups).max(1, keepdims=True), 1e-12).astype(np.float32) / 127
    parts = {"int8": np.rint(groups / scales).astype(np.int8), "scale": scales, "shape": np.array(matrix.shape)}
    constants = [numpy_helper.from_array(part, f"{name}.{kind}") for kind, part in parts.items()]
    nodes = [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.whole"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.whole", f"{name}.scale"], [f"{name}.groups"]),
        helper.make_node("Reshape", [f"{name}.groups", f"{name}.shape"], [name]),
    ]
    return constants, nodes
