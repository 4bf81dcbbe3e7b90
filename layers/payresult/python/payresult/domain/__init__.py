"""Payments and what an answer about one means. Pure: no I/O, no clocks."""
