"""What the project promises to others: template, build, events, documents."""
