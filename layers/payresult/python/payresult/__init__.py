"""payresult asks a payment gateway for results and publishes an event once a payment is paid.

Read in this order: ``services.payments`` (register, look up, wait), ``services.check`` (one check),
``domain.decision`` (what a reply means), ``aws.updates`` (what is written, under which condition),
``services.check_batch`` (the messages of the checks queue), ``services.outbox`` (how an event is
published), ``services.sweeper`` (what each minute does). ``bootstrap`` connects them.
"""
