"""Whether a hub is there, in one line that says what to do instead. What is asked of it is for the notebooks."""

from labutils import machine


def need_hub(instead: str) -> None:
    """Raise ConnectionError, within two seconds, when the hub does not answer; `instead` says what to do then."""
    if not machine.hub_answers():
        raise ConnectionError(f"{machine.hub_endpoint()} does not answer; {instead}")
