"""All tests; `sandbox` is the whole system on one machine."""
