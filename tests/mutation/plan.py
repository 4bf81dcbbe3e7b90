"""The modules that are mutated, their tests, and the functions in which no mutant may survive."""

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
    "gateway.protocol": ("gateway/test_protocol", "gateway/test_request"),
    "gateway.signing": ("gateway/test_signing",),
    "strict_json": ("test_strict_json", "gateway/test_protocol"),
}
"""By module, its unit tests; those that fail fastest first."""

MIN_KILLED = 0.90
"""The share of all mutants that must be killed."""

CRITICAL = {
    "domain.decision": {"is_success", "status_of_reply"},
    "domain.registration": {"amount_matches"},
    "domain.amount": {"_AMOUNT", "_SYMBOLS", "parse_amount"},
    "gateway.protocol": {
        *("MAX_BODY", "_OK", "read_reply", "_check_framing", "_fields", "_check_echo", "_raw"),
    },
    "strict_json": {"_without_duplicates", "_no_constant", "_DECODER", "loads"},
    "aws.updates": {
        *("NOT_SUCCEEDED", "STATUS_AS_READ", "EVENT_UNSENT", "EVENT_GRACE_MS"),
        *("succeed", "mark_sent", "_identity", "_require_registration_unchanged"),
        *("_record_check", "_change_status", "_append_history"),
    },
}
"""By module, what decides "paid" and makes the two writes of the outbox: no mutant may survive."""


def path(module: str) -> Path:
    """Return the file of *module*."""
    return LAYER / f"{module.replace('.', '/')}.py"


def code(module: str) -> str:
    """Return the source of *module*."""
    return path(module).read_text(encoding="utf-8")


def tests(module: str) -> list[str]:
    """Return the test files of *module*."""
    return [str(ROOT / "tests" / "unit" / f"{name}.py") for name in TESTS[module]]
