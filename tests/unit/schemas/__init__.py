"""Unit tests of ``payresult.schemas``."""
