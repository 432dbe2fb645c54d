"""The shape of a Llama (Touvron et al. 2023, arXiv 2302.13971), and what follows from it before anything is built: its
weights, those of its adapters. What they cost is for `costs`.
"""

from typing import NamedTuple, Protocol


class Config(Protocol):
    """What a configuration of `transformers` says."""

    num_hidden_layers: int
    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    vocab_size: int
    tie_word_embeddings: bool


class Shape(NamedTuple):
    """The sizes that a Llama is made of."""

    layers: int
    width: int  # numbers that stand for a token between two layers
    inner: int  # numbers that stand for it inside a feed-forward part
    heads: int  # of queries
    shared: int  # of keys and values; each serves heads / shared heads of queries
    vocabulary: int
    tied: bool = False  # whether the output matrix is the embedding


SHAPES = {
    "TinyLlama 1.1B": Shape(22, 2048, 5632, 32, 4, 32_000),  # Zhang et al. 2024, arXiv 2401.02385, and its model card
    "Llama 2 7B": Shape(32, 4096, 11_008, 32, 32, 32_000),  # Touvron et al. 2023, arXiv 2307.09288; `config.json` of
    "Llama 2 70B": Shape(80, 8192, 28_672, 64, 8, 32_000),  # its weights on the hub
}


def of(config: Config) -> Shape:
    """The shape that a model's configuration states: `of(model.config)`.

    Raises ValueError for a model that is no Llama: others have further matrices.
    """
    kind = getattr(config, "model_type", None)
    if kind != "llama":
        raise ValueError(f"expected the configuration of a Llama, got that of {kind!r}; count its weights instead")
    return Shape(
        config.num_hidden_layers,
        config.hidden_size,
        config.intermediate_size,
        config.num_attention_heads,
        config.num_key_value_heads,
        config.vocab_size,
        config.tie_word_embeddings,
    )


def matrices(shape: Shape) -> dict[str, tuple[int, int]]:
    """The matrices of one layer as (out, in), by their names in `transformers`.

    matrices(SHAPES["Llama 2 70B"])["k_proj"] -> (1024, 8192)
    """
    width, inner, narrow = shape.width, shape.inner, shape.width * shape.shared // shape.heads
    return {
        "q_proj": (width, width),
        "k_proj": (narrow, width),
        "v_proj": (narrow, width),
        "o_proj": (width, width),
        "gate_proj": (inner, width),
        "up_proj": (inner, width),
        "down_proj": (width, inner),
    }


def block(shape: Shape) -> int:
    """The weights of one layer: its matrices and two norms."""
    return sum(out * into for out, into in matrices(shape).values()) + 2 * shape.width


def weights(shape: Shape) -> int:
    """All weights, a tied embedding counted once. weights(SHAPES["Llama 2 7B"]) -> 6738415616."""
    ends = shape.vocabulary * shape.width * (1 if shape.tied else 2)
    return shape.layers * block(shape) + ends + shape.width


def adapter(shape: Shape, rank: int = 8) -> int:
    """The weights of LoRA beside every matrix of every layer: rank x (out + in) each (`adapters.with_lora`).

    adapter(SHAPES["Llama 2 7B"]) -> 19988480, 0.3 % of the model. Raises ValueError for a rank below 1.
    """
    if rank < 1:
        raise ValueError(f"rank must be at least 1, got {rank}")
    return shape.layers * rank * sum(out + into for out, into in matrices(shape).values())
