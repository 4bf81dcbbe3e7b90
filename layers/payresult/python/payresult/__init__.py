"""payresult: asks a payment gateway for results, and tells the rest of the company what was paid.

Read in this order: ``service`` (the story), ``checker`` (one check), ``decide`` (what a reply
means), ``writes`` (what is kept, under which condition), ``outbox`` (how the event gets out).
``gateway``, ``store``, ``queue`` and ``publisher`` are the edges; ``wiring`` joins them.
"""
