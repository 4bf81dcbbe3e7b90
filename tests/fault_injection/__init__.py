"""Campaigns: break the system in every way we can think of, and let somebody else look at it.

Read in this order: ``stage`` (the system, on a clock of its own), ``history`` (who judges, and
shares no code with it), ``crashes`` (a first campaign), ``controls`` (wrong designs that must
be caught), ``plan`` (all campaigns).
"""
