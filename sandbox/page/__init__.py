"""The sandbox's page, which `apiUrl` shows in a browser. `pages` serves it; `files` is static."""
