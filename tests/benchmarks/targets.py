"""The comparisons and their targets.

Their names are stable, because results are compared over time by them.
"""

from tests.benchmarks.figures import Comparison

COMPARISONS = (
    # INIT: from the start of the interpreter until the handler is imported.
    Comparison("init_checks_vs_floor", "checks", "floor", 2.75, 2.5),
    Comparison("init_api_vs_floor", "api", "floor", 2.75, 2.5),
    Comparison("init_publisher_vs_floor", "publisher", "floor", 2.0, 1.8),
    Comparison("init_sweeper_vs_floor", "sweeper", "floor", 2.0, 1.8),
    # Not a target for payresult: above it, the typical handler would be unrealistically slow.
    Comparison("typical_vs_floor", "typical", "floor", 4.2, None),
    # INIT and the first invocation.
    Comparison("first_checks_vs_typical", "checks", "typical", 0.62, None),
    Comparison("first_checks_vs_typical_as_shipped", "checks", "typical", 0.30, None),
    # Warm.
    Comparison("query_overhead_vs_hand_signed", "checks", "hand-signed", 2.4, None),
    Comparison("new_tls_connection_cpu", "our context", "ca_certs=", 0.10, None),
    Comparison("puts_in_tens_cpu", "in tens", "one by one", 0.13, None),
    # Batches: the shortest possible wait, with 32 calls at a time, over the time taken.
    Comparison("batch_10_efficiency", "ideal", "ours", 0.85, 0.93, better="higher"),
    Comparison("batch_100_efficiency", "ideal", "ours", 0.95, 0.97, better="higher"),
    Comparison("batch_100_vs_sequential", "sequential", "ours", 24.0, None, better="higher"),
    # Peak of the process, against 60 MiB and one more for each payId of the batch.
    Comparison("memory_checks_1", "checks", "allowed", 1.0, None, unit="MiB"),
    Comparison("memory_checks_10", "checks", "allowed", 1.0, None, unit="MiB"),
    Comparison("memory_checks_32", "checks", "allowed", 1.0, None, unit="MiB"),
)
