"""The handlers that payresult is compared with. Each module is deployed alone."""
