"""Which Asterisk the tests take: another release than the wanted one is named, never used."""

from pathlib import Path

import pytest

from tests.asterisk import install
from tests.asterisk.install import RELEASE, NoAsterisk


@pytest.mark.parametrize(("offered", "named"), [("Candidate: 1:99.1.0~dfsg-1", "99.1.0~dfsg-1"), ("N: Unable to locate", "none")])
def test_a_suite_that_offers_another_release_is_told_by_its_version(
    offered: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "CACHE", tmp_path)
    monkeypatch.setattr(install, "_apt", lambda work: ["apt-get"])
    monkeypatch.setattr(install, "_run", lambda command: f"asterisk:\n  {offered}\n")
    with pytest.raises(NoAsterisk, match=f"Asterisk {RELEASE}; .* offers version: {named}"):
        install._fetched()


def test_a_release_of_the_cache_is_not_taken_for_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("16.28.0", "22.10.1", "220.1"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "complete").write_text(version)
    monkeypatch.setattr(install, "CACHE", tmp_path)
    found = install._cached()
    assert found is not None
    assert found.version.partition(".")[0] == RELEASE
