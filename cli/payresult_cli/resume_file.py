"""What `follow` sent within the last hour, in a file beside the one that it follows.

A payment is in the table only once its message was read; until then this file keeps the same
command from sending the message again.
"""

from collections.abc import Iterable
from pathlib import Path

from payresult_cli.errors import CommandError

TTL_MS = 3_600_000
"""Milliseconds: twice as long as a message may wait before QueueAgeAlarm goes off."""


class ResumeFile:
    """The file ``<followed>.following``: the queue's URL, then time and body of each message."""

    def __init__(self, followed: Path, queue_url: str) -> None:
        self.path = followed.with_name(followed.name + ".following")
        self._queue_url = queue_url

    def read(self, now: int) -> dict[str, int]:
        """Return the bodies that were sent within TTL_MS before *now*, each with its time."""
        try:
            queue_url, *lines = self.path.read_text(encoding="utf-8").splitlines()
            entries = [line.split(" ", 1) for line in lines]
            recent = {body: int(at) for at, body in entries if int(at) > now - TTL_MS}
        except FileNotFoundError:
            return {}
        except ValueError:
            raise CommandError(f"{self.path} was not written by follow: delete it") from None
        if recent and queue_url != self._queue_url:
            raise CommandError(
                f"{self.path} belongs to a follow on another stack ({queue_url}):"
                " finish that one or delete the file"
            )
        return recent

    def start(self, recent: dict[str, int]) -> None:
        """Replace the contents with *recent*. Call it before sending: an error sends nothing."""
        lines = [self._queue_url, *(f"{at} {body}" for body, at in recent.items())]
        self.path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def add(self, bodies: Iterable[str], now: int) -> None:
        """Append messages that the queue took."""
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{now} {body}\n" for body in bodies)

    def delete(self) -> None:
        """Delete the file: all its payments are in the table."""
        self.path.unlink(missing_ok=True)
