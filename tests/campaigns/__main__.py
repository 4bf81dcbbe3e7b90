"""make campaigns: SIZE=small|full SEED=... ONLY=<part of a name>; two at a time."""

import sys

from tests.campaigns.crew import main

if __name__ == "__main__":
    sys.exit(main())
