"""make bench: ONLY=<part of a name>; ``--readme`` writes README's table and the plot alone."""

import sys

from tests.benchmarks.bench import main

if __name__ == "__main__":
    sys.exit(main())
