"""The sandbox's page: what `apiUrl` shows in a browser. `pages` serves it; the files are plain."""
