"""Tests of acceptance/."""
