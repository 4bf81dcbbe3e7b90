"""The whole system on one machine: AWS emulator, deployed template, simulated gateway, demo.

`python -m sandbox` starts it and keeps it running; with `--demo` it exits after the demo.
`environment` starts the parts (`gateway`, `emulator`, `deploy`, `signing_proxy`); read it first.
The tests in `tests/integration` use the same classes. Nothing here imports from `tests`.
"""
