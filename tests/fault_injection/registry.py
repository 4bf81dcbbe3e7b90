"""All campaigns and controls, with their sizes."""

from collections.abc import Callable
from functools import partial
from random import Random

from tests.fault_injection import bad_days, broken_designs, broken_states, order_markers
from tests.fault_injection.bad_days import bad_day
from tests.fault_injection.batches import batches
from tests.fault_injection.bulk import bulk, large_bulk
from tests.fault_injection.chaos import chaos
from tests.fault_injection.crashes import POINTS, both_dead, crash_at, stream_dead, sweeper_dead
from tests.fault_injection.fuzz_registry import FUZZ_CAMPAIGNS, FUZZ_CONTROLS
from tests.fault_injection.polling import (
    never_paid,
    outage,
    paid_in_each_pause,
    rate_limited,
    trouble,
)
from tests.fault_injection.process_kills import KILL_POINTS, KillCampaign, soak
from tests.fault_injection.put_events_faults import fail_calls, poison_entries, reject_entries
from tests.fault_injection.races import races
from tests.fault_injection.results import Campaign, CampaignRun, OnProgress, in_groups
from tests.fault_injection.sequences import every_sequence
from tests.fault_injection.stateful_model import TROUBLE, compare_with_model
from tests.fault_injection.sweeper_kills import killed_sweeps
from tests.fault_injection.waiters import waiters_in_an_outage

SEQUENCES = 9330

BAD_DAYS: list[tuple[str, bad_days.Scenario, int, int]] = [
    ("a restart while a late check is under way", bad_days.restart_meets_late_check, 6, 96),
    ("accept while a late check is under way", bad_days.accept_meets_late_check, 6, 96),
    ("accept after day 9, with a hiccup", bad_days.accept_after_nine_days, 4, 96),
    ("accept while the reported text changes", bad_days.accept_of_another_text, 4, 96),
    ("accept, success, the same order again", bad_days.accepted_and_ordered_again, 2, 96),
    ("FAILED, then paid on day 2", bad_days.failed_and_paid_on_day_2, 4, 96),
    ("the event source dead for nine days", bad_days.mapping_dead, 2, 32),
    ("paid before giveUpAt", bad_days.paid_at_the_end, 4, 96),
    ("a hiccup at giveUpAt", bad_days.hiccup_at_the_end, 4, 96),
    ("erased, with a follow-up in the queue", bad_days.erased, 4, 96),
    ("amend against success", bad_days.amend_meets_success, 16, 96),
    ("a crash between write and metric", bad_days.crash_before_metric, 16, 96),
]
"""Name, scenario, and the numbers of tries of a small and of a full run."""

ORDERS: list[tuple[str, bad_days.Scenario, int, int]] = [
    ("registered after the success", order_markers.late_orders, 12, 96),
    ("an amount after the mark", order_markers.amount_after_the_mark, 16, 96),
    ("the first payment erased", order_markers.forgotten, 8, 96),
]

CAMPAIGNS = [
    *(
        Campaign(f"C1 crash: {point}", in_groups(crash_at(point), 200), 25, 1000)
        for point in POINTS
    ),
    *(
        Campaign(f"C2 SIGKILL: {point}", KillCampaign(point), small, 200)
        for point, small in KILL_POINTS.items()
    ),
    Campaign("C3 stream dead", stream_dead, 60, 1000),
    Campaign("C3 sweeper dead", sweeper_dead, 60, 1000),
    Campaign("C3 both dead, then back", both_dead, 60, 1000),
    Campaign("C4 PutEvents: 1 % refused", reject_entries(0.01), 100, 1000),
    Campaign("C4 PutEvents: 30 % refused", reject_entries(0.3), 100, 1000),
    Campaign("C4 PutEvents: 90 % refused", reject_entries(0.9), 60, 1000),
    Campaign("C4 PutEvents: all calls fail", fail_calls("InternalFailure", 1), 60, 1000),
    Campaign("C4 PutEvents: throttled", fail_calls("ThrottlingException", 0.5), 60, 1000),
    Campaign("C4 PutEvents: time-out after acceptance", fail_calls("timeout", 0.5), 60, 1000),
    Campaign("C4 PutEvents: one in ten is poison", poison_entries(), 60, 1000),
    Campaign("C5 races on one payId", races, 60, 1000),
    Campaign("C6 all operations in random order", compare_with_model, 40, 2000),
    Campaign("C7 every sequence of replies", every_sequence, 258, SEQUENCES),
    Campaign("C13 a payment that never moves", never_paid, 20, 2000),
    Campaign("C13 paid in each pause", paid_in_each_pause, 52, 2600),
    Campaign("C13 outage of two hours", outage, 40, 10_000),
    *(
        Campaign(f"C13 trouble for nine days: {kind}", trouble(TROUBLE[kind]), 3, 200)
        for kind in ("silence", "503", "HTML", "JSON")
    ),
    Campaign("C13 storm of 429", rate_limited, 30, 2000),
    Campaign("C15 batches", batches, 60, 1000),
    Campaign("C23 everything at once", in_groups(chaos, 500), 200, 20_000),
    Campaign("C25 the sweeper killed between claim and send", killed_sweeps, 250, 2000),
    *(Campaign(f"C26 {name}", bad_day(run), small, full) for name, run, small, full in BAD_DAYS),
    Campaign("C26 FAILED, and queued each minute", bad_days.failed_each_minute, 150, 20_000),
    Campaign("C27 order: six payIds at once", order_markers.six_at_once, 20, 1000),
    *(
        Campaign(f"C27 order, crash: {point}", order_markers.OrderCrashes(point), 20, 500)
        for point in order_markers.CRASH_POINTS
    ),
    Campaign("C27 order: answers lost", order_markers.lost_answers, 20, 500),
    *(
        Campaign(f"C27 order: {name}", bad_day(run), small, full)
        for name, run, small, full in ORDERS
    ),
    Campaign("C28 apps that wait in an outage", waiters_in_an_outage, 6, 400),
    *FUZZ_CAMPAIGNS,
    Campaign("C24 soak of one warm worker", soak, 500, 30_000),
    Campaign("C28 customers beside a bulk", bulk, 60, 2000),
    Campaign("C28 customers beside a large bulk", large_bulk, 1000, 100_000),
]


def control(
    name: str, run: Callable[[int, Random, OnProgress], CampaignRun], small: int, full: int
) -> Campaign:
    """Return a campaign that must detect the error of a broken design."""
    return Campaign(f"C14 {name}", run, small, full, control=True)


CONTROLS = [
    control("a bulk without a rate", partial(large_bulk, rate=1000), 1000, 10_000),
    control(
        "emit on transition, crash",
        crash_at("paid, written", broken_designs.emit_on_transition),
        60,
        200,
    ),
    control(
        "emit on transition, refusals",
        reject_entries(0.3, broken_designs.emit_on_transition),
        60,
        200,
    ),
    control(
        "ignore FailedEntryCount",
        reject_entries(0.3, broken_designs.ignore_failed_entries),
        60,
        200,
    ),
    control("random event ids", crash_at("after PutEvents", broken_designs.random_ids), 60, 200),
    control(
        "record before send", partial(sweeper_dead, wrap=broken_designs.RecordBeforeSend()), 60, 200
    ),
    control("no fence", partial(never_paid, wrap=broken_designs.no_step_condition), 20, 60),
    control(
        "query in an idempotency",
        partial(paid_in_each_pause, wrap=broken_designs.CachedResponses()),
        52,
        200,
    ),
    control(
        "unconditional success", partial(races, wrap=broken_designs.unconditional_success), 30, 200
    ),
    control(
        "believe any answer",
        partial(every_sequence, wrap=broken_designs.no_identity_check),
        258,
        258,
    ),
    control(
        "no sweeper for events", partial(stream_dead, wrap=broken_designs.no_event_sweep), 60, 200
    ),
    control(
        "no watchdog for checks",
        crash_at("before deletion", broken_designs.no_check_sweep),
        25,
        100,
    ),
    control(
        "believe any answer, model",
        partial(compare_with_model, wrap=broken_designs.no_identity_check),
        40,
        200,
    ),
    control(
        "emit on transition, model",
        partial(compare_with_model, wrap=broken_designs.emit_on_transition),
        0,
        500,
    ),
    control(
        "claim all before sending",
        partial(killed_sweeps, wrap=broken_states.ClaimAllFirst()),
        250,
        250,
    ),
    control(
        "claim for ten days", partial(killed_sweeps, wrap=broken_states.claim_for_long), 250, 250
    ),
    control(
        "no attention",
        bad_day(
            bad_days.crash_before_metric,
            broken_states.without_attribute(("attention", "attentionSince"), "checks"),
        ),
        4,
        16,
    ),
    control(
        "no epoch, restart",
        bad_day(bad_days.restart_meets_late_check, broken_states.NO_EPOCH),
        6,
        16,
    ),
    control(
        "no epoch, accept", bad_day(bad_days.accept_meets_late_check, broken_states.NO_EPOCH), 6, 16
    ),
    control(
        "accept keeps giveUpAt",
        bad_day(
            bad_days.accept_after_nine_days,
            broken_states.without_attribute(("giveUpAt",), "operator"),
        ),
        4,
        16,
    ),
    control(
        "accept whatever is reported",
        bad_day(
            bad_days.accept_of_another_text, broken_states.without_condition("reply", "operator")
        ),
        4,
        16,
    ),
    control(
        "forget what was accepted",
        bad_day(
            bad_days.accepted_and_ordered_again,
            broken_states.reading(broken_states.forget_accepted),
        ),
        2,
        16,
    ),
    control(
        "no restart", bad_day(bad_days.failed_and_paid_on_day_2, broken_states.NEVER_RESTART), 4, 16
    ),
    control("no giving up", bad_day(bad_days.mapping_dead, broken_states.no_giving_up), 2, 4),
    control(
        "no check at giveUpAt",
        bad_day(bad_days.paid_at_the_end, broken_states.no_check_at_the_end),
        2,
        16,
    ),
    control("no step", bad_day(bad_days.erased, broken_states.no_step), 4, 16),
    control(
        "amend whatever the status",
        bad_day(bad_days.amend_meets_success, broken_states.without_condition("status", "api")),
        16,
        16,
    ),
    control(
        "keep the whole history",
        partial(bad_days.failed_each_minute, wrap=broken_states.endless_history),
        150,
        300,
    ),
    control(
        "a failure fails the message", partial(outage, wrap=broken_states.fail_in_trouble), 9, 99
    ),
    control(
        "each try is the first",
        trouble(TROUBLE["HTML"], broken_states.reading(broken_states.forget_trouble)),
        2,
        4,
    ),
    control(
        "restart by each redelivery",
        partial(compare_with_model, wrap=broken_states.ALWAYS_RESTART),
        40,
        200,
    ),
    control(
        "no epoch, all operations",
        partial(compare_with_model, wrap=broken_states.NO_EPOCH),
        0,
        500,
    ),
    control("no marker", partial(order_markers.six_at_once, wrap=broken_states.NO_MARKER), 1, 20),
    control(
        "marker read, then written",
        partial(order_markers.six_at_once, wrap=broken_states.READ_THEN_MARK),
        10,
        50,
    ),
    control(
        "marker after the success",
        order_markers.OrderCrashes("checks: after succeed", broken_states.MarkAfterSuccess()),
        20,
        50,
    ),
    control(
        "a duplicate waits for nobody",
        partial(
            order_markers.lost_answers,
            wrap=broken_states.without_attribute(("attention", "attentionSince"), "checks", "api"),
        ),
        10,
        50,
    ),
    control(
        "late orders mark nothing",
        bad_day(order_markers.late_orders, broken_states.NO_MARKER),
        2,
        16,
    ),
    control(
        "forget releases any marker",
        bad_day(order_markers.forgotten, broken_states.release_any_marker),
        2,
        16,
    ),
    control(
        "waiting apps ask without a claim",
        partial(waiters_in_an_outage, wrap=broken_states.without_condition("lastCheckedAt", "api")),
        4,
        16,
    ),
    *FUZZ_CONTROLS,
]

SIZES = ("small", "full")


def campaigns_for(size: str) -> list[tuple[Campaign, int]]:
    """Return the campaigns and controls of a run of *size*, each with its number of tries."""
    every = [(each, getattr(each, size)) for each in CAMPAIGNS + CONTROLS]
    return [(campaign, tries) for campaign, tries in every if tries]
