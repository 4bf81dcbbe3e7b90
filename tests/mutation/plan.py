"""What is mutated, which tests have to notice, and what none of them may miss."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "payresult" / "python" / "payresult"

TESTS = {
    "domain.decision": ("domain/test_decision",),
    "domain.registration": ("domain/test_decision", "domain/test_registration"),
    "domain.amount": ("domain/test_amount",),
    "domain.reply": ("domain/test_reply",),
    "domain.event": ("schemas/test_events", "services/test_outbox"),
    "aws.updates": ("aws/test_updates", "cli/test_accept", "cli/test_republish"),
    "aws.expressions": ("aws/test_updates",),
    "aws.dynamodb": ("aws/test_dynamodb", "aws/test_updates"),
    "aws.eventbridge": ("services/test_outbox",),
    "schemas.events": ("schemas/test_events", "services/test_outbox"),
    "services.outbox": ("services/test_outbox",),
    "gateway.protocol": ("gateway/test_protocol",),
    "gateway.signing": ("gateway/test_signing",),
    "strict_json": ("test_strict_json", "gateway/test_protocol"),
}
"""By module, the unit tests that are about it, the quickest to notice first."""

WANTED = 0.90
"""How many of all mutants must be killed at least."""

VITAL = {
    "domain.decision": {"is_success", "judge"},
    "domain.registration": {"amount_matches"},
    "domain.amount": {"_AMOUNT", "_SYMBOLS", "parse_amount"},
    "gateway.protocol": {
        *("MAX_BODY", "_OK", "read_reply", "_check_framing", "_fields", "_check_echo", "_raw"),
    },
    "strict_json": {"_without_duplicates", "_no_constant", "_DECODER", "loads"},
    "aws.updates": {
        *("NOT_SUCCEEDED", "STATUS_AS_READ", "EVENT_UNSENT", "EVENT_GRACE"),
        *("succeed", "mark_sent", "_identity", "_demand_registration_as_read", "_checked"),
        *("_change_status", "_note"),
    },
}
"""By module, what decides "paid" and makes the two writes of the outbox: all must be killed."""


def path(module: str) -> Path:
    """Return the file of *module*."""
    return LAYER / f"{module.replace('.', '/')}.py"


def code(module: str) -> str:
    """Return what is in it."""
    return path(module).read_text(encoding="utf-8")


def tests(module: str) -> list[str]:
    """Return the files of tests that *module* has to stand."""
    return [str(ROOT / "tests" / "unit" / f"{name}.py") for name in TESTS[module]]
