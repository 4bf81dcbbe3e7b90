"""Fault-injection campaigns: run the real handlers under faults and check the guarantees.

Read in this order: ``simulation`` (the system on a virtual clock), ``oracle`` (decides what is
wrong, and shares no code with payresult), ``crashes`` (a first campaign), ``broken_designs``
(controls: designs whose errors must be detected), ``registry`` (all campaigns).
"""
