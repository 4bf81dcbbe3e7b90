"""Contract: the sandbox works whatever AWS settings the user has."""

from pathlib import Path

import pytest

from sandbox.credentials import Credentials


@pytest.mark.parametrize("name", ["AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"])
def test_neither_profile_nor_file_of_the_user_is_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a profile that is not there, or none of AWS's files."""
    file = tmp_path / "config"
    file.write_text("no settings")
    monkeypatch.setenv(name, str(file))
    client = Credentials("http://127.0.0.1:1", name, "secret").client("sqs")
    assert client.meta.region_name == "eu-central-1"
