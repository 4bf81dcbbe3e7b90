"""The rows: what is compared with what, and how far it is to come.

The names are stable: results are compared over time by them.
"""

from tests.benchmarks.figures import Aim

AIMS = (
    # INIT: from the start of the interpreter until the handler is imported.
    Aim("init_checks_vs_floor", "checks", "floor", 2.2, 1.7),
    Aim("init_api_vs_floor", "api", "floor", 2.6, 2.0),
    Aim("init_publisher_vs_floor", "publisher", "floor", 2.2, 1.7),
    Aim("init_sweeper_vs_floor", "sweeper", "floor", 2.2, 1.7),
    # No aim of ours: above it, what we compare with would be worse than what people deploy.
    Aim("typical_vs_floor", "typical", "floor", 4.2, None),
    # INIT and the first invocation.
    Aim("first_checks_vs_typical", "checks", "typical", 0.50, 0.40),
    Aim("first_checks_vs_typical_as_shipped", "checks", "typical", 0.25, 0.18),
    # Warm.
    Aim("query_overhead_vs_hand_signed", "checks", "hand-signed", 2.0, 1.5),
    Aim("new_tls_connection_cpu", "our context", "ca_certs=", 0.10, None),
    Aim("puts_in_tens_cpu", "in tens", "one by one", 0.13, None),
    # Batches: what cannot be waited for less, 32 at a time, over what it took.
    Aim("batch_10_efficiency", "ideal", "ours", 0.88, 0.93, better="higher"),
    Aim("batch_100_efficiency", "ideal", "ours", 0.95, 0.97, better="higher"),
    Aim("batch_1000_efficiency", "ideal", "ours", 0.94, 0.97, better="higher"),
    # What SQS never hands over at once: a batch is ten. Here each check is written, paid or not.
    Aim("batch_100_checks_efficiency", "ideal", "ours", 0.95, 0.97, better="higher"),
    Aim("batch_1000_checks_efficiency", "ideal", "ours", 0.94, 0.97, better="higher"),
    Aim("batch_100_vs_sequential", "sequential", "ours", 24.0, None, better="higher"),
    # Peak of the process, against 60 MiB and one for each payId at a time.
    Aim("memory_checks_1", "checks", "allowed", 1.0, None, unit="MiB"),
    Aim("memory_checks_10", "checks", "allowed", 1.0, None, unit="MiB"),
    Aim("memory_checks_32", "checks", "allowed", 1.0, None, unit="MiB"),
)
