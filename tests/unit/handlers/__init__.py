"""Unit tests of the Lambda handlers."""
