"""Contract of the proxy: it answers to its own address and to no other."""

import pytest

from sandbox.signing_proxy import own_hosts


@pytest.mark.parametrize(
    ("port", "hosts"),
    [
        (8080, {"127.0.0.1:8080", "localhost:8080"}),
        (80, {"127.0.0.1:80", "localhost:80", "127.0.0.1", "localhost"}),
    ],
)
def test_host_has_the_port_unless_it_is_80(port: int, hosts: set[str]) -> None:
    """Clients leave that one out."""
    assert set(own_hosts(port)) == hosts
