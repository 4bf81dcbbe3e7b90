"""P5, P6, P7: C7 each sequence of replies, C13 the schedule of checks, in outages and 429s too."""

from collections import Counter
from itertools import islice, product
from random import Random

from tests.fault_injection.crashes import pay_ids_of, submit_payments
from tests.fault_injection.results import CampaignRun, OnProgress, Run
from tests.support.factories import DELAYS
from tests.support.fake_aws import NEVER
from tests.support.fake_gateway import (
    DAY,
    HOUR,
    HTML_PAGE,
    MINUTE,
    PARTNER,
    SECOND,
    UNAVAILABLE,
    GatewayResponse,
    Script,
    json_response,
)
from tests.support.oracle import Verdict
from tests.support.simulation import START, ClientWrapper, Simulation, unwrapped

MAX_CHECKS = len(DELAYS) + 1
MAX_OUTAGE_QUERIES = 15
MAX_TROUBLE_QUERIES = 72
"""In nine days of unbroken trouble."""

RECOVERY = 17 * MINUTE
"""900 s, the longest distance of the first two hours, with jitter, and the queue."""

OUTAGE = START + 10 * MINUTE, START + 2 * HOUR + 10 * MINUTE
RETRY_AFTER = 1200
"""Seconds."""

MAX_JITTER = 1.2
RUN_TIME = 10 * DAY
REPLIES = ("waiting", "success", "fail", "closed", "invalid", "other")
"""For C7: "fail" is configured as a failed value, "closed" is unknown."""

GROUP_SIZE = 200


class TooManyQueries(BaseException):
    """Ends a run in which the number of queries grows without limit."""


def limited(script: Script, most: int) -> Script:
    """Return *script*, which raises TooManyQueries after four times *most* queries."""

    def answer(pay_id: str, earlier_queries: int, now: int) -> GatewayResponse:
        if earlier_queries > 4 * most:
            raise TooManyQueries
        return script(pay_id, earlier_queries, now)

    return answer


def _waiting(pay_id: str, _earlier_queries: int, _now: int) -> GatewayResponse:
    return json_response(pay_id, "waiting")


def _run(simulation: Simulation, size: int, on_progress: OnProgress) -> None:
    """Submit *size* payments, and run to the end of all checks."""
    submit_payments(simulation, pay_ids_of(size), on_progress)
    simulation.run(RUN_TIME)


def never_paid(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """No payment is ever paid, and each message is delivered twice: 32 checks, and the end."""
    simulation = Simulation(limited(_waiting, MAX_CHECKS), rng, wrap=wrap)
    simulation.queue.redeliver_after = lambda: [rng.choice((0, SECOND, 40 * SECOND))]
    try:
        _run(simulation, size, on_progress)
    except TooManyQueries:
        return CampaignRun(size, 0, simulation.verdict(), ("the checks multiply without limit",))
    return CampaignRun(size, size, simulation.verdict(), tuple(_exceeded(simulation, MAX_CHECKS)))


def paid_in_each_pause(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Each payment is paid in one of the pauses; the next check sends its event."""
    pay_ids = pay_ids_of(size)
    pause = {pay_id: number % len(DELAYS) for number, pay_id in enumerate(pay_ids)}
    paid_at: dict[str, int] = {}

    def script(pay_id: str, earlier_queries: int, now: int) -> GatewayResponse:
        if earlier_queries == pause[pay_id]:
            paid_at[pay_id] = now + 1
        return json_response(pay_id, "success" if earlier_queries > pause[pay_id] else "waiting")

    simulation = Simulation(script, rng, wrap=wrap)
    _run(simulation, size, on_progress)
    problems = []
    events = {_pay_id(detail): at for at, detail in simulation.bus.log}
    for pay_id, at in paid_at.items():
        longest = DELAYS[pause[pay_id]] * MAX_JITTER * SECOND + 2 * MINUTE  # two sweeps
        if not at <= events.get(pay_id, 0) <= at + longest:
            problems.append(f"the event of {pay_id} is late")
    return CampaignRun(size, 0, simulation.verdict(set(pay_ids)), tuple(problems))


def outage(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """The gateway is unavailable for two hours, and everything is paid meanwhile.

    No message becomes a dead letter, and each payment is asked about soon after the end.
    """

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        if OUTAGE[0] <= now < OUTAGE[1]:
            return UNAVAILABLE
        return json_response(pay_id, "success" if now >= OUTAGE[1] else "waiting")

    simulation = Simulation(script, rng, wrap=wrap)
    simulation.now = OUTAGE[0] - size // 3 * SECOND - MINUTE  # all are registered before it
    _run(simulation, size, on_progress)
    pay_ids, log = pay_ids_of(size), simulation.gateway.log
    failed = Counter(query.pay_id for query in log if query.response is UNAVAILABLE)
    first = {query.pay_id: query.at for query in reversed(log) if query.at >= OUTAGE[1]}
    problems = [
        f"{key}: {count} queries in the outage"
        for key, count in failed.items()
        if count > MAX_OUTAGE_QUERIES
    ]
    late = sum(first.get(pay_id, NEVER) > OUTAGE[1] + RECOVERY for pay_id in pay_ids)
    problems += [f"{late} of {size} not asked about 17 minutes after the end"] * bool(late)
    problems += _exceeded(simulation, MAX_CHECKS + MAX_OUTAGE_QUERIES)
    return CampaignRun(size, failed.total(), simulation.verdict(set(pay_ids)), tuple(problems))


def trouble(response: GatewayResponse) -> Run:
    """Return the campaign of nine days in which each answer is *response*.

    Only a meaningful answer uses an attempt, so all kinds of trouble are asked about as often:
    few tries, then a person is called.
    """

    def run(
        size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
    ) -> CampaignRun:
        script = limited(lambda *_: response, MAX_TROUBLE_QUERIES)
        simulation = Simulation(script, rng, wrap=wrap)
        try:
            _run(simulation, size, on_progress)
        except TooManyQueries:
            return CampaignRun(size, 0, Verdict(), ("the tries go on without limit",))
        problems = [*_too_eager(simulation), *_not_called(simulation)]
        tries = len(simulation.gateway.log)
        return CampaignRun(size, tries, simulation.verdict(), tuple(problems[:5]))

    return run


def _too_eager(simulation: Simulation) -> list[str]:
    """Return a problem for each payment that is asked about too often."""
    began: dict[str, int] = {}
    early: Counter[str] = Counter()
    for query in simulation.gateway.log:
        first = began.setdefault(query.pay_id, query.at)
        early[query.pay_id] += query.at < first + 2 * HOUR
    problems = [
        f"{key}: {n} queries in two hours" for key, n in early.items() if n > MAX_OUTAGE_QUERIES
    ]
    return problems + _exceeded(simulation, MAX_TROUBLE_QUERIES)


def _not_called(simulation: Simulation) -> list[str]:
    """Return a problem for each payment that waits for nobody, or has used an attempt."""
    return [
        f"{key}: {item['status']}, attempt {item['attempt']}"
        for key, item in simulation.dynamodb.items.items()
        if item["status"]["S"] != "UNRESOLVED"
        or "attention" not in item
        or item["attempt"] != {"N": "0"}
    ]


def rate_limited(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Half of the responses are 429 with a Retry-After of 20 minutes; no query is made before."""

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        if rng.random() < 0.5 and now < START + DAY:
            return GatewayResponse(429, b"{}", retry_after=str(RETRY_AFTER))
        return json_response(pay_id, "success" if now >= START + DAY else "waiting")

    simulation = Simulation(script, rng, wrap=wrap)
    _run(simulation, size, on_progress)
    not_before: dict[str, int] = {}
    problems = _exceeded(simulation, 5 * MAX_CHECKS)
    for query in simulation.gateway.log:
        if query.at < not_before.get(query.pay_id, 0):
            problems.append(f"{query.pay_id} was queried before its Retry-After")
        if query.response.status == 429:
            not_before[query.pay_id] = query.at + RETRY_AFTER * SECOND
    paid = set(pay_ids_of(size))
    return CampaignRun(size, len(not_before), simulation.verdict(paid), tuple(problems))


def _exceeded(simulation: Simulation, most: int) -> list[str]:
    """Return a problem for each payment with more queries, and one for dead letters."""
    counts, dead_letters = simulation.gateway.counts, simulation.queue.dead_letters
    problems = [f"{pay_id}: {count} queries" for pay_id, count in counts.items() if count > most]
    return problems + [f"{len(dead_letters)} dead letters"] * bool(dead_letters)


def _pay_id(detail: str) -> str:
    return detail.partition('"payId":"')[2].partition('"')[0]


def every_sequence(
    size: int, rng: Random, on_progress: OnProgress, wrap: ClientWrapper = unwrapped
) -> CampaignRun:
    """Run the first *size* sequences, the shortest first; there are 9,330 of up to five replies.

    After its sequence a payment is reported as `waiting`. Each reply is requested with a GET
    directly after the previous one, so that none is too late for a FAILED payment.
    """
    lengths = (product(REPLIES, repeat=length) for length in range(1, 6))
    todo = islice((sequence for group in lengths for sequence in group), size)
    scripts = {f"seq-{number}": sequence for number, sequence in enumerate(todo)}

    def script(pay_id: str, earlier_queries: int, _now: int) -> GatewayResponse:
        rest = scripts[pay_id][earlier_queries:]
        reply = rest[0] if rest else "waiting"
        odd = {"invalid": HTML_PAGE, "other": json_response("other", "success")}
        return odd.get(reply) or json_response(pay_id, reply)

    simulation = Simulation(script, rng, wrap=wrap)
    pay_ids = list(scripts)
    for start in range(0, len(pay_ids), GROUP_SIZE):
        group = pay_ids[start : start + GROUP_SIZE]
        for pay_id in group:
            simulation.send_order(pay_id)
        for _ in range(5):
            simulation.run(4000)
            for pay_id in group:
                simulation.get_payment(pay_id)
        on_progress(start / len(pay_ids))
    simulation.run(12 * DAY)
    return CampaignRun(size, 0, simulation.verdict(), tuple(_wrong_statuses(simulation, scripts)))


def _wrong_statuses(simulation: Simulation, scripts: dict[str, tuple[str, ...]]) -> list[str]:
    problems = []
    for pay_id, sequence in scripts.items():
        found = simulation.dynamodb.items[f"{PARTNER}#{pay_id}"]["status"]["S"]
        failed = "FAILED" if "fail" in sequence else "EXPIRED"
        if found != ("SUCCEEDED" if "success" in sequence else failed):
            problems.append(f"{'-'.join(sequence)} became {found}")
    return problems
