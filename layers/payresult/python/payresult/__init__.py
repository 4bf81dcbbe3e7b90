"""payresult asks a payment gateway for results and publishes an event once a payment is paid.

Read in this order: ``services.payments`` (the use cases), ``services.check`` (one check),
``domain.decision`` (what a reply means), ``aws.updates`` (what is written, under which condition),
``services.outbox`` (how an event is published). ``bootstrap`` connects them.
"""
