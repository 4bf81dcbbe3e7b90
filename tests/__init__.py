"""All tests; `tests.sandbox` is the whole system on one machine."""
