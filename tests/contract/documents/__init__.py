"""Writes the documents in events/ that say what the code does, by running the code.

``python -m tests.contract.documents`` writes them; the tests do the same and compare.
"""
