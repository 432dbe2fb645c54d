"""What training costs, by stated formulas with sources: the weights of a shape, FLOPs, memory, published runs."""

import math
from typing import NamedTuple

# The shape of a Llama (Touvron et al. 2023, arXiv 2302.13971), and what follows from it before anything is built.


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


def weights_of(shape: Shape) -> int:
    """All weights, a tied embedding counted once. weights_of(SHAPES["Llama 2 7B"]) -> 6738415616."""
    layer = sum(out * into for out, into in matrices(shape).values()) + 2 * shape.width  # its matrices and two norms
    ends = shape.vocabulary * shape.width * (1 if shape.tied else 2)
    return shape.layers * layer + ends + shape.width


def adapter_weights(shape: Shape, rank: int = 8) -> int:
    """The weights of LoRA beside every matrix of every layer: rank x (out + in) each (`adapters.with_lora`).

    adapter_weights(SHAPES["Llama 2 7B"]) -> 19988480, 0.3 % of the model. Raises ValueError for a rank below 1.
    """
    if rank < 1:
        raise ValueError(f"rank must be at least 1, got {rank}")
    return shape.layers * rank * sum(out + into for out, into in matrices(shape).values())


# What they cost. Nothing is measured here: counts and rates are arguments. A FLOP is one multiplication or addition, a
# GB is 10^9 bytes. Every function but `short` raises ValueError for what is not above 0.

BYTES = {"fp32": 4.0, "bf16": 2.0, "8 bit": 1.0, "4 bit": 0.5}  # a weight; the scales of quantized blocks left out
PEAK_FLOPS = {"A100": 312e12, "H100": 989e12}  # a second, dense bf16: NVIDIA's data sheets of the SXM cards
DEEPSEEK = "DeepSeek-AI 2024, arXiv 2412.19437, table 1"
DOLLARS_AN_HOUR = 2.0  # rent of one H800, as reckoned in December 2024: DEEPSEEK
UNITS = (("trillion", 1e12), ("billion", 1e9), ("million", 1e6), ("thousand", 1e3))


class Memory(NamedTuple):
    """What lies in memory during training, in GB."""

    weights: float
    gradients: float
    optimizer: float

    @property
    def total(self) -> float:
        return sum(self)


class Published(NamedTuple):
    """A training run as its makers state it; None: they do not."""

    name: str
    weights: float  # that a token passes through: all of them, unless the name says otherwise
    tokens: float | None
    source: str
    hours: float | None = None  # of all devices together; only the run that counted, no tries before it
    device: str | None = None
    flops: float | None = None
    megawatt_hours: float | None = None
    dollars: float | None = None


LLAMA = "Touvron et al. 2023, arXiv 2302.13971, tables 2 and 15"
BLOOM = "Le Scao et al. 2022, arXiv 2211.05100, table 3; Luccioni et al. 2022, arXiv 2211.02001, table 1"
SMOLLM2 = "Ben Allal et al. 2025, arXiv 2502.02737, section 1"
TINYLLAMA = "Zhang et al. 2024, arXiv 2401.02385: 3,456 hours for each 300 billion tokens"
LLAMA3 = "Grattafiori et al. 2024, arXiv 2407.21783, section 1; hours: its model card"
KNOWN = (  # by 6 N D, the cheapest first
    Published("GPT-2", 1.5e9, None, "Radford et al. 2019, Language Models are Unsupervised Multitask Learners"),
    Published("SmolLM2-135M", 135e6, 2e12, "Ben Allal et al. 2025, arXiv 2502.02737; tokens: its model card"),
    Published("TinyLlama 1.1B", 1.1e9, 3e12, TINYLLAMA, 10 * 3_456, "A100"),
    Published("Pythia 12B", 11.8e9, 300e9, "Biderman et al. 2023, arXiv 2304.01373, table 5", 72_300, "A100"),
    Published("LLaMA 7B", 6.7e9, 1e12, LLAMA, 82_432, "A100", megawatt_hours=36),
    Published("OLMo 7B", 7e9, 2.46e12, "Groeneveld et al. 2024, arXiv 2402.00838, table 1"),
    Published("SmolLM2-1.7B", 1.7e9, 11e12, SMOLLM2, flops=1e23, dollars=250_000),
    Published("GPT-3 175B", 174.6e9, 300e9, "Brown et al. 2020, arXiv 2005.14165, table D.1", flops=3.14e23),
    Published("BLOOM 176B", 176e9, 366e9, BLOOM, 1_082_990, "A100", megawatt_hours=433),
    Published("LLaMA 65B", 65.2e9, 1.4e12, LLAMA, 1_022_362, "A100", megawatt_hours=449),
    Published("Chinchilla 70B", 70e9, 1.4e12, "Hoffmann et al. 2022, arXiv 2203.15556, figure 2", flops=5.76e23),
    Published("Llama 2 70B", 70e9, 2e12, "Touvron et al. 2023, arXiv 2307.09288, table 2", 1_720_320, "A100"),
    Published(
        "DeepSeek-V3, 37 of 671 billion weights a token", 37e9, 14.8e12, DEEPSEEK, 2_664_000, "H800", dollars=5.328e6
    ),
    Published("Llama 3.1 405B", 405e9, 15.6e12, LLAMA3, 30.84e6, "H100", flops=3.8e25),
)


def training_flops(weights: float, tokens: float, trained: float | None = None) -> float:
    """FLOPs of training: 6 N D. training_flops(175e9, 300e9) -> 3.15e23.

    For a token, each weight multiplies and adds once forward (2), once backward to hand the error on (2), and once more
    for its own gradient (2): Kaplan et al. 2020, arXiv 2001.08361, section 2.1; Brown et al. 2020, table D.1. Where
    adapters in every layer, `trained` weights together, are all that learns, only these take the last 2. Attention over
    the context is left out, for large models a hundredth. A tied embedding counts once, an untied one at the output.
    """
    trained = weights if trained is None else trained
    _above_0(weights=weights, tokens=tokens, trained=trained)
    if trained > weights:
        raise ValueError(f"trained must be at most weights, {weights}, got {trained}")
    return (4 * weights + 2 * trained) * tokens


def training_memory(weights: float, *, adapter: float | None = None, precision: str = "fp32") -> Memory:
    """GB to train with AdamW, activations left out. training_memory(1e9).total -> 16.0.

    16 bytes a trained weight. In fp32 and under autocast: weight 4, gradient 4, two moments 8. Mixed ("bf16"): weight
    2, gradient 2, and with the optimizer an fp32 copy 4 and the moments 8 (Rajbhandari et al. 2019, ZeRO, arXiv
    1910.02054, section 3.1). With LoRA (Hu et al. 2021, arXiv 2106.09685, section 4.2) the weights lie frozen in
    `precision`, 4 bits as in QLoRA (Dettmers et al. 2023, arXiv 2305.14314), and only the `adapter` weights, in fp32,
    take 16.
    """
    _above_0(weights=weights)
    if precision not in BYTES:
        raise ValueError(f"precision must be one of {', '.join(BYTES)}, got {precision!r}")
    each = BYTES[precision]
    if adapter is not None:
        _above_0(adapter=adapter)
        held, gradients, states = each * weights + 4 * adapter, 4 * adapter, 8 * adapter
    elif each < 2:
        raise ValueError(f"precision must be fp32 or bf16 where all weights are trained, got {precision!r}")
    else:
        held, gradients, states = each * weights, each * weights, (16 - 2 * each) * weights
    return Memory(held / 1e9, gradients / 1e9, states / 1e9)


def beside(weights: float, tokens: float, minutes: float, name: str = "ours") -> list[dict[str, str]]:
    """A run of one's own, then the KNOWN ones, as rows of a table; all FLOPs by the same formula, 6 N D.

    beside(7.2e6, 28e6, 70)[1] -> {"run": "GPT-2", "weights": "1.5 billion", "tokens": "not published", ...}
    """
    _above_0(weights=weights, tokens=tokens, minutes=minutes)
    own = training_flops(weights, tokens)
    first = _row(Published(name, weights, tokens, "this course"), own)
    return [{**first, "stated": f"{short(minutes)} minutes"}, *(_row(each, own) for each in KNOWN)]


def short(number: float) -> str:
    """A count in words, three digits of it. short(7_168_256) -> "7.17 million", short(3.14e23) -> "3.14e23"."""
    number = float(f"{number:.3g}")
    if number >= 1e15:
        return _power(number)
    name, unit = next(((name, unit) for name, unit in UNITS if number >= unit), ("", 1))
    return f"{number / unit:.3g} {name}".rstrip()


def _row(run: Published, own: float) -> dict[str, str]:
    flops = run.tokens and training_flops(run.weights, run.tokens)
    stated = (
        run.hours and f"{run.hours:,.0f} {run.device} hours",
        run.flops and f"{_power(run.flops)} FLOPs",
        run.megawatt_hours and f"{run.megawatt_hours} MWh",
        run.dollars and f"${run.dollars:,.0f}",
    )
    return {
        "run": run.name,
        "weights": short(run.weights),
        "tokens": short(run.tokens) if run.tokens else "not published",
        "FLOPs": _power(flops) if flops else "not published",
        "times ours": short(flops / own) if flops else "",
        "stated": ", ".join(filter(None, stated)),
        "source": run.source,
    }


def _power(number: float) -> str:
    return f"{number:.2e}".replace("e+", "e")


def _above_0(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 < number < math.inf:
            raise ValueError(f"{name} must be a finite number above 0, got {number}")
