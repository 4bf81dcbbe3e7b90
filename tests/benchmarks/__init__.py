"""Benchmarks of payresult against a minimal handler and typical ones, and models of its cost."""
