"""All campaigns and controls, with their sizes."""

from collections.abc import Callable
from functools import partial
from random import Random

from tests.fault_injection import broken_designs
from tests.fault_injection.batches import batches
from tests.fault_injection.chaos import chaos
from tests.fault_injection.crashes import POINTS, both_dead, crash_at, stream_dead, sweeper_dead
from tests.fault_injection.fuzz_registry import FUZZ_CAMPAIGNS, FUZZ_CONTROLS
from tests.fault_injection.polling import never_paid, outage, paid_in_each_pause, rate_limited
from tests.fault_injection.process_kills import KILL_POINTS, KillCampaign, soak
from tests.fault_injection.put_events_faults import fail_calls, poison_entries, reject_entries
from tests.fault_injection.races import races
from tests.fault_injection.results import Campaign, CampaignRun, OnProgress, in_groups
from tests.fault_injection.sequences import every_sequence
from tests.fault_injection.stateful_model import compare_with_model

SEQUENCES = 9330

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
    Campaign("C6 state machine against a model", compare_with_model, 40, 2000),
    Campaign("C7 every sequence of replies", every_sequence, 258, SEQUENCES),
    Campaign("C13 a payment that never moves", never_paid, 20, 2000),
    Campaign("C13 paid in each pause", paid_in_each_pause, 52, 2600),
    Campaign("C13 outage of two hours", outage, 40, 4000),
    Campaign("C13 storm of 429", rate_limited, 30, 2000),
    Campaign("C15 batches", batches, 60, 1000),
    Campaign("C23 everything at once", in_groups(chaos, 500), 200, 20_000),
    *FUZZ_CAMPAIGNS,
    Campaign("C24 soak of one warm worker", soak, 500, 30_000),
]


def control(
    name: str, run: Callable[[int, Random, OnProgress], CampaignRun], small: int, full: int
) -> Campaign:
    """Return a campaign that must detect the error of a broken design."""
    return Campaign(f"C14 {name}", run, small, full, control=True)


CONTROLS = [
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
    *FUZZ_CONTROLS,
]

SIZES = ("small", "full")


def campaigns_for(size: str) -> list[tuple[Campaign, int]]:
    """Return the campaigns and controls of a run of *size*, each with its number of tries."""
    every = [(each, getattr(each, size)) for each in CAMPAIGNS + CONTROLS]
    return [(campaign, tries) for campaign, tries in every if tries]
