"""The sandbox's story, played from outside against a stack on AWS: `make acceptance STACK=…`.

``__main__`` is the entry point, ``deployment`` puts a simulated gateway and a subscriber's queue
beside the stack and takes them away again, ``target`` is how the cases see the system, ``story``
and ``faults`` are the cases, ``report`` writes the table. docs/acceptance.md says what it proves.
"""
