"""All campaigns and controls, with their numbers of tries in a small and in a full run."""

from typing import Any

from tests.fault_injection import api_document, bad_days, fuzz_amounts, fuzz_replies, fuzz_values
from tests.fault_injection import broken_designs as broken
from tests.fault_injection import broken_states as states
from tests.fault_injection import order_markers as orders
from tests.fault_injection.aws_faults import chaos, put_events
from tests.fault_injection.batches import batches
from tests.fault_injection.bulk import bulk, large_bulk
from tests.fault_injection.crashes import POINTS, crash_at, disabled, killed_sweeps
from tests.fault_injection.fuzz_coverage import coverage
from tests.fault_injection.fuzz_wire import wire
from tests.fault_injection.log_leaks import leaks, log_input
from tests.fault_injection.polling import (
    every_sequence,
    never_paid,
    outage,
    paid_in_each_pause,
    rate_limited,
    trouble,
)
from tests.fault_injection.process_kills import KILL_POINTS, kill_at, soak
from tests.fault_injection.races import races
from tests.fault_injection.results import Campaign, Play, in_groups
from tests.fault_injection.stateful_model import compare_with_model
from tests.fault_injection.system import TROUBLE
from tests.fault_injection.waiters import waiters_in_an_outage

CAMPAIGNS = [
    *(Campaign(f"C1 crash: {name}", in_groups(crash_at(name), 200), 25, 1000) for name in POINTS),
    *(Campaign(f"C2 SIGKILL: {name}", kill_at(name), n, 200) for name, n in KILL_POINTS.items()),
    Campaign("C3 stream dead", disabled("stream"), 60, 1000),
    Campaign("C3 sweeper dead", disabled("sweeper"), 60, 1000),
    Campaign("C3 both dead, then back", disabled("stream", "sweeper"), 60, 1000),
    Campaign("C4 PutEvents: 1 % refused", put_events(entries=0.01), 100, 1000),
    Campaign("C4 PutEvents: 30 % refused", put_events(entries=0.3), 100, 1000),
    Campaign("C4 PutEvents: 90 % refused", put_events(entries=0.9), 60, 1000),
    Campaign("C4 PutEvents: all calls fail", put_events(calls=1, code="InternalFailure"), 60, 1000),
    Campaign(
        "C4 PutEvents: throttled", put_events(calls=0.5, code="ThrottlingException"), 60, 1000
    ),
    Campaign(
        "C4 PutEvents: time-out after acceptance", put_events(calls=0.5, code="timeout"), 60, 1000
    ),
    Campaign("C4 PutEvents: one in ten is poison", put_events(poison=10), 60, 1000),
    Campaign("C5 races on one payId", races, 60, 1000),
    Campaign("C6 all operations in random order", compare_with_model, 20, 2000),
    Campaign("C7 every sequence of replies", every_sequence, 258, 9330),
    Campaign("C13 a payment that never moves", never_paid, 20, 2000),
    Campaign("C13 paid in each pause", paid_in_each_pause, 52, 2600),
    Campaign("C13 outage of two hours", outage, 40, 10_000),
    *(
        Campaign(f"C13 trouble for nine days: {kind}", trouble(TROUBLE[kind]), 3, 200)
        for kind in ("silence", "503", "HTML", "JSON")
    ),
    Campaign("C13 storm of 429", rate_limited, 30, 2000),
    Campaign("C15 batches", batches, 60, 1000),
    Campaign("C23 everything at once", in_groups(chaos, 500), 100, 20_000),
    Campaign("C25 the sweeper killed between claim and send", killed_sweeps, 250, 2000),
    Campaign("C26 a restart while a late check is under way", bad_days.restart_meets_check, 6, 96),
    Campaign("C26 accept while a late check is under way", bad_days.accept_meets_check, 6, 96),
    Campaign("C26 accept after day 9, with a hiccup", bad_days.accept_after_nine_days, 4, 96),
    Campaign("C26 accept while the reported text changes", bad_days.accept_of_another_text, 4, 96),
    Campaign("C26 accept, success, the same order again", bad_days.accepted_and_again, 2, 96),
    Campaign("C26 FAILED, then paid on day 2", bad_days.failed_and_paid_on_day_2, 4, 96),
    Campaign("C26 the event source dead for nine days", bad_days.mapping_dead, 2, 32),
    Campaign("C26 paid before giveUpAt", bad_days.paid_at_the_end, 4, 96),
    Campaign("C26 a hiccup at giveUpAt", bad_days.hiccup_at_the_end, 4, 96),
    Campaign("C26 erased, with a follow-up in the queue", bad_days.erased, 4, 96),
    Campaign("C26 amend against success", bad_days.amend_meets_success, 16, 96),
    Campaign("C26 a crash between write and metric", bad_days.crash_before_metric, 16, 96),
    Campaign("C26 FAILED, and queued each minute", bad_days.failed_each_minute, 120, 5000),
    Campaign("C27 order: six payIds at once", orders.six_at_once, 20, 1000),
    *(
        Campaign(f"C27 order, crash: {point}", orders.order_crash_at(point), 20, 500)
        for point in orders.CRASH_POINTS
    ),
    Campaign("C27 order: answers lost", orders.lost_answers, 20, 500),
    Campaign("C27 order: registered after the success", orders.late_orders, 12, 96),
    Campaign("C27 order: an amount after the mark", orders.amount_after_the_mark, 16, 96),
    Campaign("C27 order: the first payment erased", orders.forgotten, 8, 96),
    Campaign("C28 apps that wait in an outage", waiters_in_an_outage, 6, 400),
    Campaign("C8 fuzzed replies", fuzz_replies.replies, 5000, 1_000_000),
    Campaign("C8 replies by coverage", coverage("parser"), 3000, 1_000_000),
    Campaign("C9 amounts", fuzz_amounts.amounts, 5000, 1_000_000),
    Campaign("C9 amounts by coverage", coverage("amount"), 3000, 2_000_000),
    Campaign("C9 dates", fuzz_values.dates, 5000, 500_000),
    Campaign("C9 dates by coverage", coverage("date"), 3000, 2_000_000),
    Campaign("C10 faults on the wire", wire, 2, 100),
    Campaign("C11 signatures", fuzz_values.signatures, 5000, 500_000),
    Campaign("C11 signatures by coverage", coverage("signer"), 3000, 1_000_000),
    Campaign("C16 the API by its document", api_document.check_document, 5, 1000),
    Campaign("C18 a canary", leaks, 1, 25),
    Campaign("C24 soak of one warm worker", soak, 500, 30_000),
    Campaign("C29 customers beside a bulk", bulk, 60, 2000),
    Campaign("C29 customers beside a large bulk", large_bulk, 1000, 100_000),
]

_CONTROLS: tuple[tuple[str, Play, Any, int, int], ...] = (
    ("emit on transition, crash", crash_at("paid, written"), broken.emit_on_transition, 20, 200),
    ("emit on transition, refusals", put_events(entries=0.3), broken.emit_on_transition, 20, 200),
    ("emit on transition, model", compare_with_model, broken.emit_on_transition, 0, 500),
    ("ignore FailedEntryCount", put_events(entries=0.3), broken.ignore_failed_entries, 60, 200),
    ("random event ids", crash_at("after PutEvents"), broken.random_ids, 20, 200),
    ("unconditional success", races, broken.unconditional_success, 10, 200),
    ("believe any answer", every_sequence, broken.no_identity_check, 42, 258),
    ("believe any answer, model", compare_with_model, broken.no_identity_check, 40, 200),
    ("no sweeper for events", disabled("stream"), broken.no_sweep_for("EVENT"), 60, 200),
    ("record before send", disabled("sweeper"), broken.record_before_send(), 60, 200),
    ("no fence", never_paid, broken.no_step_condition, 20, 60),
    ("query in an idempotency", paid_in_each_pause, broken.cached_responses(), 20, 200),
    ("no watchdog for checks", crash_at("before deletion"), broken.no_sweep_for("CHECK"), 25, 100),
    ("a failure fails the message", outage, broken.fail_in_trouble, 9, 99),
    ("each try is the first", trouble(TROUBLE["HTML"]), states.forget_trouble, 1, 4),
    ("claim all before sending", killed_sweeps, states.claim_all_first(), 130, 250),
    ("claim for ten days", killed_sweeps, states.claim_for_long, 130, 250),
    ("restart by each redelivery", compare_with_model, states.always_restart, 40, 200),
    ("no epoch, all operations", compare_with_model, states.no_epoch, 0, 500),
    ("keep the whole history", bad_days.failed_each_minute, states.endless_history, 112, 300),
    ("waiting apps ask without a claim", waiters_in_an_outage, states.no_claim, 4, 16),
    ("a bulk without a rate", large_bulk, 1000, 1000, 10_000),
    ("no marker", orders.six_at_once, states.no_marker, 1, 20),
    ("marker read, then written", orders.six_at_once, states.read_then_mark, 10, 50),
    ("marker after the success", orders.after_success, states.mark_after_success(), 20, 50),
    ("a duplicate waits for nobody", orders.lost_answers, states.nobody_waits, 10, 50),
    ("no attention", bad_days.crash_before_metric, states.no_attention, 4, 16),
    ("no epoch, restart", bad_days.restart_meets_check, states.no_epoch, 6, 16),
    ("no epoch, accept", bad_days.accept_meets_check, states.no_epoch, 6, 16),
    ("accept keeps giveUpAt", bad_days.accept_after_nine_days, states.keep_time, 4, 16),
    ("accept whatever is reported", bad_days.accept_of_another_text, states.accept_anything, 4, 16),
    ("forget what was accepted", bad_days.accepted_and_again, states.forget_accepted, 2, 16),
    ("no restart", bad_days.failed_and_paid_on_day_2, states.never_restart, 4, 16),
    ("no giving up", bad_days.mapping_dead, states.no_giving_up, 1, 4),
    ("no check at giveUpAt", bad_days.paid_at_the_end, states.no_check_at_the_end, 1, 16),
    ("no step", bad_days.erased, states.no_step, 1, 16),
    ("late orders mark nothing", orders.late_orders, states.no_marker, 2, 16),
    ("forget releases any marker", orders.forgotten, states.release_any_marker, 4, 16),
    ("amend whatever the status", bad_days.amend_meets_success, states.amend_anything, 16, 16),
    ("replies kindly read", fuzz_replies.replies, fuzz_replies.read_leniently, 99, 9999),
    ("amounts by float", fuzz_amounts.amounts, fuzz_amounts.read_as_float, 10, 1000),
    ("sign what is joined", fuzz_values.signatures, fuzz_values.sign_joined, 9, 999),
    ("a lax API", api_document.check_document, api_document.accept_bad_requests, 0, 5),
    ("a talkative API", api_document.check_document, api_document.add_undocumented_field, 0, 5),
    ("log what comes in", leaks, log_input, 1, 1),
)
CONTROLS = [
    Campaign(f"C14 {name}", play, small, full, design)
    for name, play, design, small, full in _CONTROLS
]
"""Each must detect the error of a broken design."""

SIZES = ("small", "full")


def campaigns_for(size: str) -> list[tuple[Campaign, int]]:
    """Return the campaigns and controls of a run of *size*, each with its number of tries."""
    every = [(each, getattr(each, size)) for each in CAMPAIGNS + CONTROLS]
    return [(campaign, tries) for campaign, tries in every if tries]
