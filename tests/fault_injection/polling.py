"""P5, P6, P7: C7 each sequence of replies, C13 the schedule of checks, in outages and 429s too."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice, product

from tests.fault_injection.crashes import pay_ids_of, submit_payments
from tests.fault_injection.results import Play, Run
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
from tests.support.simulation import START, Simulation

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
REPLIES = ("waiting", "success", "fail", "closed", "invalid", "other")
"""For C7: "fail" is configured as a failed value, "closed" is unknown."""

GROUP_SIZE = 200


class TooManyQueries(BaseException):
    """Ends a run in which the number of queries grows without limit."""


def _limited(script: Script, most: int) -> Script:
    """Return *script*, which raises TooManyQueries after four times *most* queries."""

    def answer(pay_id: str, earlier_queries: int, now: int) -> GatewayResponse:
        if earlier_queries > 4 * most:
            raise TooManyQueries
        return script(pay_id, earlier_queries, now)

    return answer


def _follow(run: Run, simulation: Simulation, *, paid: bool = False) -> None:
    """Submit all payments, and run to the end of all checks; *paid*: each of them has an event."""
    try:
        submit_payments(run, simulation)
        simulation.run(10 * DAY)
    except TooManyQueries:
        run.problems.append("the queries go on without limit")
    run.judge(simulation, set(pay_ids_of(run.size)) if paid else set())


def never_paid(run: Run) -> None:
    """No payment is ever paid, and each message is delivered twice: 32 checks, and the end."""
    simulation = run.simulate(
        _limited(lambda pay_id, *_: json_response(pay_id, "waiting"), MAX_CHECKS)
    )
    simulation.queue.redeliver_after = lambda: [run.rng.choice((0, SECOND, 40 * SECOND))]
    _follow(run, simulation)
    run.faults = run.size
    run.problems += _exceeded(simulation, MAX_CHECKS)


def paid_in_each_pause(run: Run) -> None:
    """Each payment is paid in one of the pauses; the next check sends its event."""
    pause = {key: number % len(DELAYS) for number, key in enumerate(pay_ids_of(run.size))}
    paid_at: dict[str, int] = {}

    def script(pay_id: str, earlier_queries: int, now: int) -> GatewayResponse:
        if earlier_queries == pause[pay_id]:
            paid_at[pay_id] = now + 1
        return json_response(pay_id, "success" if earlier_queries > pause[pay_id] else "waiting")

    simulation = run.simulate(script)
    _follow(run, simulation, paid=True)
    events = {json.loads(detail)["data"]["payId"]: at for at, detail in simulation.bus.log}
    for pay_id, at in paid_at.items():
        longest = DELAYS[pause[pay_id]] * MAX_JITTER * SECOND + 2 * MINUTE  # two sweeps
        if not at <= events.get(pay_id, 0) <= at + longest:
            run.problems.append(f"the event of {pay_id} is late")


def outage(run: Run) -> None:
    """The gateway is unavailable for two hours, and everything is paid meanwhile.

    No message becomes a dead letter, and each payment is asked about soon after the end.
    """

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        if OUTAGE[0] <= now < OUTAGE[1]:
            return UNAVAILABLE
        return json_response(pay_id, "success" if now >= OUTAGE[1] else "waiting")

    simulation = run.simulate(script)
    simulation.now = OUTAGE[0] - run.size // 3 * SECOND - MINUTE  # all are registered before it
    _follow(run, simulation, paid=True)
    log = simulation.gateway.log
    failed = Counter(query.pay_id for query in log if query.response is UNAVAILABLE)
    first = {query.pay_id: query.at for query in reversed(log) if query.at >= OUTAGE[1]}
    late = sum(first.get(key, NEVER) > OUTAGE[1] + RECOVERY for key in pay_ids_of(run.size))
    run.faults = failed.total()
    run.problems += [f"{late} not asked about 17 minutes after the end"] * bool(late)
    run.problems += _more(failed, MAX_OUTAGE_QUERIES, "in the outage")
    run.problems += _exceeded(simulation, MAX_CHECKS + MAX_OUTAGE_QUERIES)


def trouble(response: GatewayResponse) -> Play:
    """Return the campaign of nine days in which each answer is *response*.

    Only a meaningful answer uses an attempt, so all kinds of trouble are asked about as often:
    few tries, then a person is called.
    """

    def play(run: Run) -> None:
        simulation = run.simulate(_limited(lambda *_: response, MAX_TROUBLE_QUERIES))
        _follow(run, simulation)
        log = simulation.gateway.log
        first = {query.pay_id: query.at for query in reversed(log)}
        early = Counter(each.pay_id for each in log if each.at < first[each.pay_id] + 2 * HOUR)
        run.faults = len(log)
        run.problems += _more(early, MAX_OUTAGE_QUERIES, "in two hours")
        run.problems += _exceeded(simulation, MAX_TROUBLE_QUERIES)
        for key, item in simulation.dynamodb.items.items():
            called = item["status"] == {"S": "UNRESOLVED"} and "attention" in item
            if not called or item["attempt"] != {"N": "0"}:  # it waits for nobody
                run.problems.append(f"{key}: {item['status']}, attempt {item['attempt']}")

    return play


def rate_limited(run: Run) -> None:
    """Half of the responses are 429 with a Retry-After of 20 minutes; no query is made before."""

    def script(pay_id: str, _earlier_queries: int, now: int) -> GatewayResponse:
        if run.rng.random() < 0.5 and now < START + DAY:
            return GatewayResponse(429, b"{}", retry_after=str(RETRY_AFTER))
        return json_response(pay_id, "success" if now >= START + DAY else "waiting")

    simulation = run.simulate(script)
    _follow(run, simulation, paid=True)
    not_before: dict[str, int] = {}
    for query in simulation.gateway.log:
        if query.at < not_before.get(query.pay_id, 0):
            run.problems.append(f"{query.pay_id} was queried before its Retry-After")
        if query.response.status == 429:
            not_before[query.pay_id] = query.at + RETRY_AFTER * SECOND
    run.faults = len(not_before)
    run.problems += _exceeded(simulation, 5 * MAX_CHECKS)


def _exceeded(simulation: Simulation, most: int) -> list[str]:
    """Return a problem for each payment with more queries, and one for dead letters."""
    dead_letters = len(simulation.queue.dead_letters)
    problems = _more(simulation.gateway.counts, most, "in all")
    return problems + [f"{dead_letters} dead letters"] * bool(dead_letters)


def _more(counts: Mapping[str, int], most: int, when: str) -> list[str]:
    return [f"{key}: {count} queries {when}" for key, count in counts.items() if count > most]


def every_sequence(run: Run) -> None:
    """Run the first sequences, the shortest first; there are 9,330 of up to five replies.

    After its sequence a payment is reported as `waiting`. Each reply is requested with a GET
    directly after the previous one, so that none is too late for a FAILED payment.
    """
    lengths = (product(REPLIES, repeat=length) for length in range(1, 6))
    todo = islice((sequence for group in lengths for sequence in group), run.size)
    scripts = {f"seq-{number}": sequence for number, sequence in enumerate(todo)}

    def script(pay_id: str, earlier_queries: int, _now: int) -> GatewayResponse:
        rest = scripts[pay_id][earlier_queries:]
        reply = rest[0] if rest else "waiting"
        odd = {"invalid": HTML_PAGE, "other": json_response("other", "success")}
        return odd.get(reply) or json_response(pay_id, reply)

    simulation = run.simulate(script)
    pay_ids = list(scripts)
    for start in range(0, len(pay_ids), GROUP_SIZE):
        group = pay_ids[start : start + GROUP_SIZE]
        for pay_id in group:
            simulation.send_order(pay_id)
        for _ in range(5):
            simulation.run(4000)
            for pay_id in group:
                simulation.get_payment(pay_id)
        run.on_progress(start / len(pay_ids))
    simulation.run(12 * DAY)
    run.judge(simulation)
    run.problems += _wrong_statuses(simulation, scripts)


def _wrong_statuses(simulation: Simulation, scripts: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for pay_id, sequence in scripts.items():
        found = simulation.dynamodb.items[f"{PARTNER}#{pay_id}"]["status"]["S"]
        failed = "FAILED" if "fail" in sequence else "EXPIRED"
        if found != ("SUCCEEDED" if "success" in sequence else failed):
            yield f"{'-'.join(sequence)} became {found}"
