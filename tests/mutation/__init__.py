"""Mutation testing: break the code in one place at a time, and see a test go red each time."""
