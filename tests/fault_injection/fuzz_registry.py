"""The campaigns with untrusted input: random replies, values, requests, and texts in logs."""

from functools import partial

from tests.fault_injection import api_schema, fuzz_amounts, fuzz_replies, fuzz_signer, log_leaks
from tests.fault_injection.fuzz_coverage import coverage
from tests.fault_injection.fuzz_dates import dates
from tests.fault_injection.fuzz_wire import wire
from tests.fault_injection.results import Campaign

FUZZ_CAMPAIGNS = [
    Campaign("C8 fuzzed replies", fuzz_replies.replies, 10_000, 1_000_000),
    Campaign("C8 replies by coverage", coverage("parser"), 3000, 1_000_000),
    Campaign("C9 amounts", fuzz_amounts.amounts, 5000, 1_000_000),
    Campaign("C9 amounts by coverage", coverage("amount"), 3000, 2_000_000),
    Campaign("C9 dates", dates, 5000, 500_000),
    Campaign("C9 dates by coverage", coverage("date"), 3000, 2_000_000),
    Campaign("C10 faults on the wire", wire, 2, 100),
    Campaign("C11 signatures", fuzz_signer.signatures, 5000, 500_000),
    Campaign("C11 signatures by coverage", coverage("signer"), 3000, 1_000_000),
    Campaign("C16 the API by its document", api_schema.check_schema, 5, 1000),
    Campaign("C18 a canary", log_leaks.leaks, 1, 50),
]

FUZZ_CONTROLS = [
    Campaign(f"C14 {name}", run, small, full, control=True)
    for name, run, small, full in (
        (
            "replies kindly read",
            partial(fuzz_replies.replies, reader=fuzz_replies.read_leniently),
            999,
            9999,
        ),
        (
            "amounts by float",
            partial(fuzz_amounts.amounts, reader=fuzz_amounts.read_as_float),
            10,
            1000,
        ),
        (
            "sign what is joined",
            partial(fuzz_signer.signatures, signer=fuzz_signer.sign_joined),
            9,
            999,
        ),
        (
            "a lax API",
            partial(api_schema.check_schema, change=api_schema.accept_bad_requests),
            0,
            5,
        ),
        (
            "a talkative API",
            partial(api_schema.check_schema, change=api_schema.add_undocumented_field),
            0,
            5,
        ),
        ("log what comes in", partial(log_leaks.leaks, wrap=log_leaks.log_input), 1, 1),
    )
]
