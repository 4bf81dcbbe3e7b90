"""Mutation testing: change the code in one place at a time; a test must fail each time."""
