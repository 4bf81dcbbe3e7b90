"""make campaigns: SIZE=small|full SEED=... ONLY=<part of a name>."""

import sys

from tests.fault_injection.runner import main

if __name__ == "__main__":
    sys.exit(main())
