"""Unit tests of ``payresult.services``."""
