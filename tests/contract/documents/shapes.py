"""What the queue and the HTTP API take, and what the API answers, as types for the documents.

Tests hold ``payresult.schemas`` to them.
"""

from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict  # pydantic reads no other before Python 3.12

from payresult.domain.payment import Status
from payresult.schemas.requests import (
    CURRENCY_PATTERN,
    MAX_DIGITS,
    MAX_PAY_IDS,
    ORDER_ID_PATTERN,
    PAY_ID_PATTERN,
)

Time = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        json_schema_extra={"format": "date-time"},
    ),
]
PayId = Annotated[
    str,
    Field(
        pattern=PAY_ID_PATTERN,
        description="The gateway's id of the payment.",
        examples=["20190321192436"],
    ),
]
NOTHING_ELSE = ConfigDict(extra="forbid")


class RegistrationBody(TypedDict):
    """The body of PUT /payments/{payId}: what the payment is for and what it should cost."""

    __pydantic_config__ = NOTHING_ELSE  # type: ignore[misc]  # as pydantic has it for a TypedDict

    orderId: NotRequired[
        Annotated[
            Annotated[str, Field(pattern=ORDER_ID_PATTERN)] | None,
            Field(description="The order that is paid for, as you call it.", examples=["A-17"]),
        ]
    ]
    expectedAmount: NotRequired[
        Annotated[
            str | None,
            Field(
                description="What the payment should come to; with another amount it goes to "
                "REVIEW.",
                examples=["19.99"],
                json_schema_extra={
                    "pattern": r"^(?!0(\.0{1,2})?$)(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$"
                },
            ),
        ]
    ]
    currency: NotRequired[
        Annotated[
            Annotated[str, Field(pattern=CURRENCY_PATTERN)] | None,
            Field(
                description="The ISO 4217 code of the expected amount.",
                examples=["USD"],
            ),
        ]
    ]


class PayIdsBody(TypedDict):
    """1 to 100 payIds: the body of POST /payments/query, and a message of the checks queue."""

    __pydantic_config__ = NOTHING_ELSE  # type: ignore[misc]  # the same

    payIds: Annotated[
        list[PayId],
        Field(min_length=1, max_length=MAX_PAY_IDS, description="A repeated one counts once."),
    ]


class OrderMessage(RegistrationBody):
    """A message of the checks queue from an order service: follow this payment."""

    __pydantic_config__ = NOTHING_ELSE  # type: ignore[misc]  # the same

    payId: PayId


class FollowUpMessage(TypedDict):
    """A message of the checks queue from payresult to itself: the next check of a payment."""

    __pydantic_config__ = NOTHING_ELSE  # type: ignore[misc]  # the same

    payId: PayId
    step: Annotated[
        int,
        Field(
            ge=1,
            lt=10**MAX_DIGITS,
            description="Which check of the payment it asks for.",
            examples=[2],
        ),
    ]


Amount = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,2})?$")]


class Payment(TypedDict):
    """What is known of a payment. Absent means unknown; nothing is ever null."""

    partnerCode: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    payId: PayId
    status: Annotated[
        Status,
        Field(
            description="SUCCEEDED is final. PENDING: not paid yet, as far as the gateway says. "
            "REVIEW: paid, but not the amount that was registered. FAILED: the gateway says so. "
            "UNRESOLVED: not followed any more. All but SUCCEEDED may still become SUCCEEDED."
        ),
    ]
    orderId: NotRequired[Annotated[str, Field(description="As registered.")]]
    expectedAmount: NotRequired[Annotated[str, Field(description="As registered.")]]
    currency: NotRequired[
        Annotated[
            str,
            Field(
                pattern=r"^[A-Z]{3}$",
                description="The registered one, else the one that payAmount names (ISO 4217).",
            ),
        ]
    ]
    amount: NotRequired[
        Annotated[Amount, Field(description="payAmount as a number, if it is one.")]
    ]
    payAmount: NotRequired[Annotated[str, Field(description="Raw, as the gateway wrote it.")]]
    payRst: NotRequired[Annotated[str, Field(description="Raw: the gateway's result.")]]
    payResultDate: NotRequired[
        Annotated[str, Field(description="Raw, in a time zone that the gateway does not tell.")]
    ]
    paidAt: NotRequired[
        Annotated[
            str,
            Field(
                pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}$",
                description="payResultDate with its offset, where the deployment knows the zone.",
                json_schema_extra={"format": "date-time"},
            ),
        ]
    ]
    packageType: NotRequired[Annotated[str, Field(description="Raw: the kind of plan.")]]
    packageUnit: NotRequired[
        Annotated[
            str,
            Field(
                description="What orderPeriod counts.",
                examples=["day", "month", "quarter", "half-year", "year"],
            ),
        ]
    ]
    orderPeriod: NotRequired[Annotated[str, Field(description="Raw: how many of packageUnit.")]]
    servicePlanShowName: NotRequired[Annotated[str, Field(description="Raw: the plan's name.")]]
    checks: Annotated[int, Field(ge=0, description="How many checks are on record.")]
    createdAt: NotRequired[
        Annotated[Time, Field(description="Since when it is stored. Absent: it is not.")]
    ]
    lastCheckedAt: NotRequired[
        Annotated[Time, Field(description="When the gateway was asked last.")]
    ]
    nextCheckAt: NotRequired[
        Annotated[Time, Field(description="When payresult asks next, by itself.")]
    ]
    stale: NotRequired[
        Annotated[
            bool,
            Field(
                description="True: the gateway did not answer just now; this was known before.",
                json_schema_extra={"const": True},
            ),
        ]
    ]


class Problem(TypedDict):
    """What is wrong (RFC 9457). Branch on ``type``, which is stable; there may be new ones."""

    type: Annotated[str, Field(pattern="^urn:payresult:problem:[a-z-]+$")]
    title: str
    status: Annotated[int, Field(ge=400, le=599, description="The HTTP status that goes with it.")]
    detail: Annotated[str, Field(description="For people. Never a text of the gateway.")]
    field: NotRequired[Annotated[str, Field(description="The field of the request it is about.")]]


class Unanswered(TypedDict):
    """A payId of which nothing can be told, and why."""

    payId: PayId
    problem: Problem


class QueryResults(TypedDict):
    """One result for each payId, in the order asked; for a repeated one there is one result."""

    results: list[Payment | Unanswered]
