"""Unit tests of ``payresult.gateway.client``."""
