"""What `follow` put onto the queue within the last hour: a file beside the one that it follows.

The table does not know of a message that nobody has read, so for an hour this file does.
"""

from collections.abc import Iterable
from pathlib import Path

from payresult_cli.errors import CommandError

TTL_MS = 3_600_000
"""Milliseconds: an alarm rings when a message waits for half as long (QueueAgeAlarm)."""


class ResumeFile:
    """Bodies of messages that the queue at *queue_url* took, each with when, after its address."""

    def __init__(self, followed: Path, queue_url: str) -> None:
        self.path = followed.with_name(followed.name + ".following")
        self._queue_url = queue_url

    def sent(self, now: int) -> dict[str, int]:
        """Return what was sent within the hour before *now*, and when."""
        try:
            first, *lines = self.path.read_text(encoding="utf-8").splitlines()
            entries = [line.split(" ", 1) for line in lines]
            fresh = {body: int(at) for at, body in entries if int(at) > now - TTL_MS}
        except FileNotFoundError:
            return {}
        except ValueError:
            raise CommandError(f"{self.path} is not what follow writes: delete it") from None
        if fresh and first != self._queue_url:
            raise CommandError(
                f"{self.path} belongs to a follow on another stack ({first}):"
                " finish that one, or delete the file"
            )
        return fresh

    def begin(self, sent: dict[str, int]) -> None:
        """Start anew with what is still fresh; where this cannot be written, nothing is sent."""
        lines = [self._queue_url, *(f"{at} {body}" for body, at in sent.items())]
        self.path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def keep(self, bodies: Iterable[str], now: int) -> None:
        """Note what the queue just took."""
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{now} {body}\n" for body in bodies)

    def end(self) -> None:
        """Delete it: all is in the table."""
        self.path.unlink(missing_ok=True)
