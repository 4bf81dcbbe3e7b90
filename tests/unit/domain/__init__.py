"""Unit tests of ``payresult.domain``."""
