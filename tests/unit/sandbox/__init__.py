"""The sandbox's own logic, without an emulator."""
