"""make bench: ONLY=<part of a name>; ``--readme`` only writes README's table and the plot."""

import sys

from tests.benchmarks.bench import main

if __name__ == "__main__":
    sys.exit(main())
