"""Entry point of `python -m payresult_cli`, which `cli/payresult` runs."""

import sys

from payresult_cli.app import main

if __name__ == "__main__":
    sys.exit(main())
