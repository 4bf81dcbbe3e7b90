"""`python -m payresult_cli`; `cli/payresult` calls it."""

import sys

from payresult_cli.app import main

if __name__ == "__main__":
    sys.exit(main())
