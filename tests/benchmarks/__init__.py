"""How long payresult takes, beside the least that is possible and beside what people write."""
