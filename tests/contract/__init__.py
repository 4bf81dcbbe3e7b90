"""Tests of the project's contracts: template, build, events, HTTP API, documents."""
