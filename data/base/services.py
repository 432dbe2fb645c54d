"""Descriptions of web services as texts: botocore's service files (HTML), Google's discovery documents (plain).

The headings are the operations' names in words; a description that only repeats its field's name goes.
"""

import re
from collections.abc import Iterator

from markup import plain, untagged

LEAST_WORDS = 8
DUTY = re.compile(
    r"(?i)^(?:(?:required|optional|output[ -]only|input[ -]only|identifier|immutable|deprecated)\.[ /]*)+"
)


def service(api: dict) -> Iterator[str]:
    """A text for each operation and each shape of a botocore service: a heading in words, then what is said of it."""
    yield untagged(api.get("documentation", ""))
    for name, operation in sorted(api.get("operations", {}).items()):
        if text := untagged(operation.get("documentation", "")):
            yield f"{spaced(name)}\n\n{text}"
    for _, shape in sorted(api.get("shapes", {}).items()):
        said = [shape.get("documentation", "")]
        said += [member.get("documentation", "") for member in shape.get("members", {}).values()]
        yield "\n\n".join(text for text in map(untagged, said) if long_enough(text))


def discovery(api: dict) -> Iterator[str]:
    """A text for each schema and each method of a discovery document: its descriptions."""
    yield "\n\n".join(filter(None, [api.get("title"), api.get("description")]))
    for _, schema in sorted(api.get("schemas", {}).items()):
        yield "\n\n".join(described(schema))
    for _, resource in sorted(api.get("resources", {}).items()):
        yield from ("\n\n".join(described(method)) for method in methods(resource))


def described(node: object) -> Iterator[str]:
    """Every description under a node of a discovery document, its own first."""
    if not isinstance(node, dict):
        return
    if isinstance(said := node.get("description"), str):
        text = plain(re.sub(r"\s(?=[*-] )", "\n", DUTY.sub("", said)))
        if long_enough(text):
            yield text
    for key in ("properties", "parameters", "items", "additionalProperties"):
        if isinstance(inner := node.get(key), dict):
            for child in inner.values() if key in ("properties", "parameters") else [inner]:
                yield from described(child)


def methods(resource: dict) -> Iterator[dict]:
    """The methods of a resource and of the resources in it."""
    yield from (method for _, method in sorted(resource.get("methods", {}).items()))
    for _, inner in sorted(resource.get("resources", {}).items()):
        yield from methods(inner)


def long_enough(text: str) -> bool:
    """Whether a description says more than its field's name: "The ID of the order." does not."""
    return len(text.split()) >= LEAST_WORDS


def spaced(name: str) -> str:
    """spaced("CreateVPCEndpoint") -> "Create VPC endpoint"."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+\w*", name)
    return " ".join([*words[:1], *(word if word.isupper() and len(word) > 1 else word.lower() for word in words[1:])])
