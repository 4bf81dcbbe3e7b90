"""Fault-injection campaigns: run the real handlers under faults and check the guarantees.

Read in this order: ``tests.support.simulation`` (the system on a virtual clock) and ``oracle``
(decides what is wrong, shares no code with payresult), ``crashes`` (a first campaign),
``broken_designs`` (controls: designs whose errors must be detected), ``registry`` (all of them).
"""
