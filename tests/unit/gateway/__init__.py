"""Unit tests of ``payresult.gateway``."""
