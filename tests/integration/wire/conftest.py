"""Support: what starts servers and clients for them, over plain TCP and over TLS."""

from collections.abc import Iterator

import pytest
import trustme

from tests.integration.wire.serving import Serve


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority of the tests' own."""
    return trustme.CA()


@pytest.fixture(params=["tcp", "tls"])
def serve(request: pytest.FixtureRequest, authority: trustme.CA) -> Iterator[Serve]:
    """Starts servers and clients for them: each test is run over plain TCP and over TLS."""
    with Serve(authority if request.param == "tls" else None) as serving:
        yield serving


@pytest.fixture
def serve_tls(authority: trustme.CA) -> Iterator[Serve]:
    """The same over TLS only, for what only TLS has."""
    with Serve(authority) as serving:
        yield serving


@pytest.fixture
def serve_tcp() -> Iterator[Serve]:
    """The same over plain TCP only, for what has nothing to do with TLS."""
    with Serve(None) as serving:
        yield serving
