"""The whole system on this machine: emulator, deployed template, simulated gateway, story.

`python -m sandbox` starts it and serves; with `--demo` it ends by itself. Read `run` first:
it joins `gateway`, `emulator`, `stack` and `front`, and the tests in `tests/integration` use
the same classes.
"""
