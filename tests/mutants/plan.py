"""What is mutated, which tests have to notice, and what none of them may miss."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "payresult" / "python" / "payresult"

TESTS = {
    "decide": ("decide",),
    "writes": ("writes", "cli_writes"),
    "expressions": ("writes",),
    "store": ("store", "writes"),
    "strictjson": ("strictjson", "gateway_reply"),
    "replies": ("gateway_reply",),
    "fields": ("fields",),
    "events": ("events", "outbox"),
    "publisher": ("outbox",),
    "outbox": ("outbox",),
    "signing": ("signing",),
}
"""By module, the unit tests that are about it, the quickest to notice first."""

WANTED = 0.90
"""How many of all mutants must be killed at least."""

VITAL = {
    "decide": {"is_success", "judge", "amount_matches"},
    "replies": {
        *("MAX_BODY", "_OK", "read_reply", "_check_framing", "_fields", "_check_echo", "_raw"),
    },
    "strictjson": {"_without_duplicates", "_no_constant", "_DECODER", "loads"},
    "fields": {"_AMOUNT", "_SYMBOLS", "parse_amount"},
    "writes": {
        *("NOT_SUCCEEDED", "STATUS_AS_READ", "EVENT_UNSENT", "EVENT_GRACE"),
        *("succeed", "mark_sent", "_identity", "_demand_registration_as_read", "_checked"),
        *("_change_status", "_note"),
    },
}
"""By module, what decides "paid" and makes the two writes of the outbox: all must be killed."""


def path(module: str) -> Path:
    """Return the file of *module*."""
    return LAYER / f"{module}.py"


def code(module: str) -> str:
    """Return what is in it."""
    return path(module).read_text(encoding="utf-8")


def tests(module: str) -> list[str]:
    """Return the files of tests that *module* has to stand."""
    return [str(ROOT / "tests" / "unit" / f"test_{name}.py") for name in TESTS[module]]
