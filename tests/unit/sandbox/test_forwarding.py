"""Contract of FORWARD_TO: where events may be posted, and how long that is tried."""

import pytest

from sandbox.forwarding import (
    MAX_TRIES,
    Destination,
    InvalidDestination,
    parse_destination,
    retry_delay,
)


@pytest.mark.parametrize(
    ("url", "destination"),
    [
        ("http://127.0.0.1:3000/hook", Destination("127.0.0.1", 3000, "/hook")),
        ("http://localhost:3000", Destination("localhost", 3000, "/")),
        ("http://localhost/a?b=c%20d", Destination("localhost", 80, "/a?b=c%20d")),
        ("http://[::1]:65535/", Destination("::1", 65535, "/")),
    ],
)
def test_a_program_on_this_machine_is_a_destination(url: str, destination: Destination) -> None:
    """By HTTP, at any port."""
    assert parse_destination(url) == destination


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:3000/hook",
        "http://10.0.0.1:3000/hook",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:three/",
        "http://127.0.0.1:3000hook",
        "http://127.0.0.1:3000/a b",
        "http://127.0.0.1:3000/a\r\nX: y",
        "http://127.0.0.1:3000/#hook",
        "127.0.0.1:3000/hook",
        "3000",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    """With the name of the variable, and a URL that would be right."""
    with pytest.raises(InvalidDestination, match="FORWARD_TO: must be like http://127"):
        parse_destination(url)


def test_an_event_is_tried_for_five_minutes() -> None:
    """At first often, for a program that is being started."""
    delays = [retry_delay(tries) for tries in range(1, MAX_TRIES)]
    assert delays[:6] == [1, 2, 4, 8, 16, 30]
    assert sum(delays) == 301
