"""P2: JSON that can be read in two ways is refused; numbers stay as they were written."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payresult.errors import MalformedJson
from payresult.strict_json import NumberLiteral, dumps, loads

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"payRst":"fail","payRst":"success"}', id="duplicate key"),
        pytest.param(b'{"a":{"b":[{"c":1,"c":1}]}}', id="duplicate key deep inside"),
        pytest.param(b'{"pay\\u0052st":"fail","payRst":"success"}', id="duplicate by escape"),
        pytest.param(b"[NaN]", id="NaN"),
        pytest.param(b"[Infinity]", id="Infinity"),
        pytest.param(b'{"a":-Infinity}', id="-Infinity"),
        pytest.param(b"\xef\xbb\xbf{}", id="byte order mark"),
        pytest.param("\ufeff{}", id="byte order mark in a str"),
        pytest.param("{}".encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param("{}".encode("utf-16-le"), id="UTF-16 without one"),
        pytest.param("{}".encode("utf-32"), id="UTF-32"),
        pytest.param('{"a":"é"}'.encode("latin-1"), id="Latin-1"),
        pytest.param(b'"\xc0\x80"', id="overlong UTF-8"),
        pytest.param(b'"\xed\xa0\x80"', id="surrogate in UTF-8"),
        pytest.param(b"[" * 60_000, id="60,000 opening brackets"),
        pytest.param(b'{"a":' * 12_000, id="12,000 opening braces"),
        pytest.param(b"[" * 30_000 + b"]" * 30_000, id="deep but complete"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"  \n", id="white space"),
        pytest.param(b"{} {}", id="two documents"),
        pytest.param(b'{"a":1', id="cut off"),
        pytest.param(b'"a\nb"', id="raw control character"),
        pytest.param(b"\x00{}", id="leading NUL"),
        pytest.param("[\u0661]".encode(), id="Arabic digit"),
        pytest.param(b"[01]", id="leading zero"),
        pytest.param(b"[1_000]", id="underscore"),
        pytest.param(b"[+1]", id="plus sign"),
        pytest.param(b"{'a':1}", id="single quotes"),
        pytest.param(b"<html></html>", id="HTML"),
    ],
)
def test_an_ambiguous_or_broken_text_is_malformed(data: bytes | str) -> None:
    """One error for all of them, and it quotes nothing of the text."""
    with pytest.raises(MalformedJson) as caught:
        loads(data)
    assert str(caught.value) in {
        "a key occurs twice in one object",
        "NaN and Infinity are not JSON",
        "nested too deeply",
        "not JSON in UTF-8",
    }
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("text", ["0", "-0", "19.90", "1e400", "1E-7", "9" * 5_000, "-0.0"])
def test_a_number_keeps_its_characters(text: str) -> None:
    """No float and no int is made of it, so nothing is rounded; and it equals no text."""
    value = loads(text)
    assert value == NumberLiteral(text)
    assert dumps(value) == text
    assert loads(text) != text
    assert not isinstance(value, str)


def test_every_other_kind_of_value_comes_as_python_has_it() -> None:
    """Objects, arrays, strings, booleans and null are the ordinary types."""
    assert loads('{"a":["b",true,false,null,{}],"ü":""}') == {
        "a": ["b", True, False, None, {}],
        "ü": "",
    }


def test_a_lone_surrogate_comes_through() -> None:
    """JSON can escape half a character; what to do with it is the reader's decision."""
    assert loads(rb'"a\ud83d"') == "a\ud83d"


@settings(max_examples=30)
@given(JSON_VALUES)
def test_dumps_is_compact_and_the_inverse_of_loads(value: Any) -> None:
    """The compact text of json.dumps goes through both without a change."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert dumps(loads(text)) == text


@given(st.binary(max_size=64) | st.text(alphabet='{}[]",:0123456789.-eE+\\uNaInfty \n\ufeff'))
def test_nothing_but_a_value_or_malformed_json_comes_out(data: bytes | str) -> None:
    """No other exception escapes, whatever the bytes."""
    try:
        loads(data)
    except MalformedJson:
        return


def test_a_value_too_deep_to_write_is_malformed() -> None:
    """Dumps has the same one error as loads."""
    value: object = []
    for _ in range(5_000):
        value = [value]
    with pytest.raises(MalformedJson, match="nested too deeply"):
        dumps(value)
