"""What payresult is compared with. Each module is deployed by itself, so none imports another."""
