"""What comes in and goes out: requests, messages, responses, problems, events."""
