"""Contract with the gateway: the provider's signature of a request."""

import hashlib

import pytest

from payresult.gateway.signing import sign
from tests.support.signs import SIGNED

PAGE = {
    "partnerCode": "P000818",
    "payId": "20190321192436",
    "tradeTime": "20181031256548",
    "tradeType": "resultQuery",
    "version": "3.0",
}


REALISTIC = PAGE | {"payId": "P0008182020061214140465562", "tradeTime": "1645683857572"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        # The provider's own signs of its examples: "/" is not escaped, and UTF-8 is raw.
        *(pytest.param(*each, id=name) for name, each in SIGNED.items()),
        # Computed by the rule: the page's own sign is a placeholder, the same in four examples.
        pytest.param(PAGE, "1b14a937bc0f0fdbfc0b249ccde42e65", id="resultQuery"),
        pytest.param(REALISTIC, "5d4c8a338769f817e4cd691cc2abaf8a", id="with milliseconds"),
    ],
)
def test_the_sign_is_the_one_of_the_documents(params: dict[str, str], expected: str) -> None:
    """In any order of the parameters: keys are sorted. They stay as they were."""
    before = dict(reversed(params.items()))
    assert sign(before) == expected
    assert list(before.items()) == list(reversed(params.items()))


@pytest.mark.parametrize("extra", [{"mark": ""}, {"sign": "anything"}, {"sign": "", "area": ""}])
def test_empty_values_and_the_sign_itself_do_not_count(extra: dict[str, str]) -> None:
    """Only the non-empty parameters are signed, and never ``sign``."""
    assert sign(PAGE | extra) == sign(PAGE)


def test_every_value_counts() -> None:
    """Another value in any one parameter makes another sign."""
    signs = {sign(PAGE | {name: "other"}) for name in PAGE} | {sign(PAGE)}
    assert len(signs) == len(PAGE) + 1


def test_signs_where_md5_is_refused_as_protection(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python does on a machine in FIPS mode: MD5 only for what is no security."""
    md5 = hashlib.md5

    def fips(data: bytes, *, usedforsecurity: bool = True) -> "hashlib._Hash":
        if usedforsecurity:
            raise ValueError("unsupported hash type")
        return md5(data, usedforsecurity=False)

    monkeypatch.setattr(hashlib, "md5", fips)
    assert sign(PAGE) == "1b14a937bc0f0fdbfc0b249ccde42e65"
