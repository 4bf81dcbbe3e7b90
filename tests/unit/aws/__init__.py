"""Unit tests of ``payresult.aws``."""
