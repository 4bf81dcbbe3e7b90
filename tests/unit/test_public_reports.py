"""P1, P2, P6: inputs after public bug reports of people who do this job, through the handlers.

What went wrong in the project that is named, and others of its kind.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from tests.support.fake_gateway import (
    DAY,
    HOUR,
    HTML_PAGE,
    MINUTE,
    GatewayResponse,
    Script,
    json_response,
)
from tests.support.simulation import Simulation

PAY_ID = "2"
FORBIDDEN_PAGE = GatewayResponse(403, b"<html>Forbidden</html>", "text/html")
NOT_FOUND = GatewayResponse(404, b'{"message": "not found"}')


def started(script: Script) -> Simulation:
    """Return the system in front of a gateway that says what *script* returns."""
    return Simulation(script, Random(1))  # noqa: S311 - repeatable, not secret


def item(simulation: Simulation, pay_id: str = PAY_ID) -> dict[str, Any]:
    """Return the stored attributes: texts and numbers."""
    stored = simulation.dynamodb.items[f"P000818#{pay_id}"]
    return {name: next(iter(value.values())) for name, value in stored.items()}


def data(simulation: Simulation) -> dict[str, Any]:
    """Return the data of the one event on the bus."""
    [(_, detail)] = simulation.bus.log
    shown: dict[str, Any] = json.loads(detail)["data"]
    return shown


def paid(**fields: Any) -> GatewayResponse:
    """Return the documented answer of a paid payment."""
    return json_response(PAY_ID, "success", **fields)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda it: it._replace(body=b"\xef\xbb\xbf" + it.body), id="aeson#389"),
        pytest.param(lambda it: it._replace(content_type="text/plain"), id="sdk-python#22"),
        pytest.param(lambda it: it._replace(content_type=""), id="no content type"),
    ],
)
def test_an_odd_wrapping_is_paid(changed: Callable[[GatewayResponse], GatewayResponse]) -> None:
    """haskell/aeson#389, woocommerce/wc-api-python#40, mercadopago/sdk-python#22."""
    simulation = started(lambda *_: changed(paid()))
    simulation.send_order(PAY_ID, expectedAmount="19.99")
    simulation.run(MINUTE)
    assert item(simulation)["status"] == "SUCCEEDED"
    assert data(simulation)["payId"] == PAY_ID


@pytest.mark.parametrize(
    ("trouble", "status"), [(HTML_PAGE, 503), (FORBIDDEN_PAGE, 503), (NOT_FOUND, 502)]
)
def test_trouble_uses_no_attempt(trouble: GatewayResponse, status: int) -> None:
    """Adyen/adyen-java-api-library#1167: three maintenance pages, then paid."""
    simulation = started(lambda _, earlier, __: trouble if earlier < 3 else paid())
    assert simulation.get_payment(PAY_ID) == status
    simulation.send_order(PAY_ID)
    simulation.run(HOUR)
    assert (item(simulation)["status"], item(simulation)["attempt"]) == ("SUCCEEDED", "1")
    assert len(simulation.gateway.log) == 4


@pytest.mark.parametrize(
    ("pay_amount", "expected", "currency", "is_paid"),
    [
        *((text, "19.99", "USD", True) for text in ("US$19.99", "19.99 USD", "$ 19.99", "19.99$")),
        *(("€ 19.99", "19.99", "EUR", True), ("KWD 1.234", "1.234", "KWD", True)),
        *(("JPY 1,000", "1000", "JPY", True), ("1,234", "1234", "USD", True)),
        *(("19,99 €", "19.99", "EUR", False), ("1.234,00 €", "1234", "EUR", False)),
        *(("EUR 1.234", "1234", "EUR", False), ("KWD 1,234", "1234", "KWD", False)),
        *(("HK$19.99", "19.99", "USD", False), ("￥140.00", "140.00", "USD", False)),
        *(("$19.99 USD", "19.99", "USD", False), ("19.99\u00a0€", "19.99", "EUR", False)),
    ],
)
def test_another_amount(pay_amount: str, expected: str, currency: str, *, is_paid: bool) -> None:
    """A person decides, and there is no event; the same amount in another form is paid.

    internetee/auction_center#231, HotcakesCommerce#479, activemerchant#3589,
    paypal/PayPal-PHP-SDK#282.
    """
    simulation = started(lambda *_: paid(payAmount=pay_amount))
    simulation.send_order(PAY_ID, expectedAmount=expected, currency=currency)
    simulation.run(DAY)
    assert item(simulation)["status"] == ("SUCCEEDED" if is_paid else "REVIEW")
    assert len(simulation.bus.log) == is_paid
    if is_paid:
        event = data(simulation)
        shown = (event["payAmount"], event["amount"], event["currency"])
        assert shown == (pay_amount, expected, currency)


@pytest.mark.parametrize(
    "envelope",
    [
        {"Type": "Notification", "TopicArn": "arn:aws:sns:x", "Message": '{"payId": "2"}'},
        {"detail-type": "OrderPlaced", "source": "orders", "detail": {"payId": "2"}},
    ],
)
def test_an_order_in_an_envelope_ends_in_the_dead_letter_queue(envelope: dict[str, Any]) -> None:
    """divviup/prio-server#328, aws/aws-dotnet-messaging#18: it is not opened."""
    simulation = started(lambda *_: paid())
    simulation.queue.put(json.dumps(envelope))
    simulation.run(DAY)
    assert (simulation.gateway.log, len(simulation.queue.dead_letters)) == ([], 1)


@pytest.mark.parametrize("pay_id", ["pi_3Nx:1", "order:A.17~b", "a" * 128, "_"])
def test_an_odd_pay_id_is_followed(pay_id: str) -> None:
    """dj-stripe/dj-stripe#1499, alphagov/pay-connector#5506."""
    simulation = started(lambda it, *_: json_response(it, "success"))
    simulation.send_order(pay_id)
    simulation.run(MINUTE)
    assert (item(simulation, pay_id)["status"], data(simulation)["payId"]) == ("SUCCEEDED", pay_id)
    assert simulation.get_payment(pay_id) == 200
