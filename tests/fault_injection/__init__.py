"""Fault-injection campaigns: run the real handlers under faults and check the guarantees.

Read in this order: ``tests.support.simulation`` (the system on a virtual clock) and ``oracle``
(decides what is wrong, shares no code with payresult), ``results`` (what a campaign is),
``crashes`` (a first one), ``broken_designs`` (controls: designs whose errors must be detected),
``registry`` (all of them).
"""
