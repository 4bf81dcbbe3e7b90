"""P1, P5: a payment that DynamoDB did not read fails alone; it never passes for one not stored."""

import pytest

from payresult.domain.payment import CheckMessage
from payresult.errors import ReadIncomplete
from payresult.schemas.responses import problem_of
from tests.support.factories import NOW, PARTNER, reply
from tests.support.memory_table import HoldsBack
from tests.support.tables import Table
from tests.support.world import World


@pytest.fixture
def world(table: Table) -> World:
    """A World with three registered payments, of which ``b`` cannot be read."""
    world = World(table)
    for pay_id in "abc":
        world.register(pay_id)
    world.now = NOW + 5000
    world.dependencies["table"] = HoldsBack(world.dependencies["table"], f"{PARTNER}#b")
    return world


def test_the_others_of_a_look_up_are_answered(world: World) -> None:
    """The gateway is not asked about the one that was not read."""
    outcomes = {each.pay_id: each for each in world.get("a", "b", "c")}
    assert isinstance(outcomes["b"].error, ReadIncomplete)
    assert [outcomes[pay_id].error for pay_id in "ac"] == [None, None]
    assert sorted(pay_id for pay_id, _ in world.asked) == ["a", "c"]


def test_a_registration_is_to_be_sent_again(world: World) -> None:
    """503: it might contradict what is stored."""
    with pytest.raises(ReadIncomplete) as unread:
        world.register("b", expected_amount="19.99")
    assert problem_of(unread.value).status == 503


def test_only_its_message_is_delivered_again(world: World) -> None:
    """The other checks of the batch are made."""
    outcomes = world.follow(*(CheckMessage(pay_id, step=1) for pay_id in "abc"))
    assert [type(each.error) for each in outcomes] == [type(None), ReadIncomplete, type(None)]
    assert sorted(pay_id for pay_id, _ in world.asked) == ["a", "c"]


def test_only_its_event_waits(world: World) -> None:
    """The publisher reports the record, and the stream delivers it again."""
    world.says = lambda pay_id: reply(payId=pay_id)
    world.follow(*(CheckMessage(pay_id, step=1) for pay_id in "ac"))
    published = world.outbox.publish("abc")
    assert (published.sent, published.refused, [*published.unread]) == (2, {}, ["b"])
