"""What goes wrong with a hub, in one line that says what to do, and never with the token in it.

huggingface_hub reads the token itself (`HF_TOKEN`, or what `hf auth login` stored); here it is only looked at. What is
asked of a hub is for `hub`.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import huggingface_hub
from datasets.exceptions import DatasetNotFoundError
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

from labutils import machine

Result = TypeVar("Result")


class HubError(ValueError):
    """What a hub refused, in one line that says what to do."""


def need_hub(instead: str) -> None:
    """Raise ConnectionError, within two seconds, when the hub does not answer; `instead` says what to do then."""
    if not machine.hub_answers():
        raise ConnectionError(f"{machine.hub_endpoint()} does not answer; {instead}")


def token() -> str | None:
    """The token of this machine, checked: what a header cannot carry makes an HTTP client repeat it in its error."""
    token = huggingface_hub.get_token()
    if token and not re.fullmatch(r"[!-~]+", token):
        raise HubError("the token holds characters that no token has; set HF_TOKEN anew")
    return token


def clearly(repo_id: str, do: Callable[[], Result]) -> Result:
    """What `do()` gives; what it raises becomes one line, HubError or, where the network fails, ConnectionError.

    Raised outside of the except clause, because the first error holds the request, and with it the token.
    """
    try:
        return do()
    except Exception as error:  # of any kind: huggingface_hub, datasets and their HTTP client each bring their own
        problem = _clear(error, repo_id)
    raise problem


def _clear(error: Exception, repo_id: str) -> Exception:
    endpoint, chain = machine.hub_endpoint(), list(_chain(error))
    status = next((each.response.status_code for each in chain if getattr(each, "response", None) is not None), None)
    if isinstance(error, HubError):
        return error
    if any(isinstance(each, GatedRepoError) for each in chain) or status == 403:
        return HubError(f"{repo_id}: the token is not allowed to do this at {endpoint}; check its rights and the terms")
    if any(isinstance(each, RepositoryNotFoundError | DatasetNotFoundError) for each in chain) or status == 404:
        return HubError(f"{repo_id}: not at {endpoint}, or private and not open to this token; check the name")
    if status == 401:
        return HubError(f"{repo_id}: {endpoint} does not accept the token; set HF_TOKEN anew")
    if status is not None and (status >= 500 or status == 429):
        return ConnectionError(f"{repo_id}: {endpoint} answered {status}; try again later")
    if status is None and any(isinstance(each, ConnectionError | TimeoutError) or _lost(each) for each in chain):
        return ConnectionError(f"{repo_id}: the connection to {endpoint} failed; try again later")
    return HubError(f"{repo_id}: {_scrubbed(f'{type(error).__name__}: {error}')[:300]}")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those behind it."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _lost(error: BaseException) -> bool:
    """Whether an error is of the HTTP client's transport, whichever client huggingface_hub brings."""
    return any(kind.__name__ == "TransportError" for kind in type(error).__mro__)


def _scrubbed(text: str) -> str:
    """A message on one line, without tokens."""
    for secret in filter(None, (os.environ.get("HF_TOKEN", "").strip(), huggingface_hub.get_token())):
        text = text.replace(secret, "***")
    return " ".join(re.sub(r"hf_\w{8,}|(?<=Bearer )\S+", "***", text).split())
