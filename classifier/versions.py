"""The models of a gateway side by side: the champion that serves, the challenger beside it, and earlier champions.

Files below one folder, moved in one step each, so that a reader sees one whole model or another. Whether a challenger
may be promoted is decided by guard.py; who takes up the change is live.py. A model is named by its version.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from classifier import registry
from classifier.registry import StoredModel
from intake.errors import BadInput

CHALLENGER = "challenger.model"
EARLIER = "earlier"
ACTS = "acts.jsonl"
SHADOW = "shadow"
EARLIER_KEPT = 6


@dataclass(frozen=True, slots=True)
class Act:
    """One change of champion: `step` is promote or rollback, `version` came, `replaced` went (empty for the first)."""

    at: str
    step: str
    version: str
    replaced: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """The models below `folder` (INTAKE_HOME/models). Holds paths only; everything is read when asked."""

    folder: Path

    @property
    def champion(self) -> Path:
        return self.folder / registry.FILE_NAME

    @property
    def challenger(self) -> Path:
        return self.folder / CHALLENGER

    def earlier(self, version: str) -> Path:
        """Where the earlier champion of that version is kept."""
        return self.folder / EARLIER / f"{version}.model"

    def earlier_versions(self) -> list[str]:
        """Versions kept that may be rolled back to, the latest to go first."""
        gone = [act.replaced for act in self.acts() if act.replaced]
        return [version for version in dict.fromkeys(reversed(gone)) if self.earlier(version).exists()]

    def shadow(self, champion: str, challenger: str) -> Path:
        """The shadow record of two versions (shadow.py)."""
        return self.folder / SHADOW / f"{champion}-{challenger}.jsonl"

    def acts(self) -> list[Act]:
        """All changes of champion, oldest first; a line cut short by a crash is left out."""
        path = self.folder / ACTS
        return list(_acts(path.read_text(encoding="utf-8"))) if path.exists() else []

    def promote(self, expected: str, *, at: datetime) -> Act:
        """Make the challenger the champion; `expected` is the version that was judged. Raises BadInput for another."""
        challenger = registry.load(self.challenger)
        if challenger.version != expected:
            raise BadInput("version", "候选模型刚刚换过，请重新比较后再启用。")
        replaced = self._keep_champion()
        os.replace(self.challenger, self.champion)
        return self._write_down(Act(at.isoformat(), "promote", expected, replaced))

    def rollback(self, *, at: datetime) -> Act:
        """Bring back the champion that the present one replaced; raises BadInput where there is none."""
        present = registry.load(self.champion).version
        back = self._replaced_by(present)
        if not back or not self.earlier(back).exists():
            raise BadInput("version", "没有可以退回的旧模型。")
        self._keep_champion()
        draft = self.folder / f".{back}.draft"
        shutil.copyfile(self.earlier(back), draft)
        os.replace(draft, self.champion)
        return self._write_down(Act(at.isoformat(), "rollback", back, present))

    def _replaced_by(self, version: str) -> str:
        """What `version` replaced when it was last promoted, so that rolling back twice goes back two."""
        promoted = [act for act in self.acts() if act.step == "promote" and act.version == version]
        return promoted[-1].replaced if promoted else ""

    def _keep_champion(self) -> str:
        """Copy the champion to the earlier ones; its version, empty where there is none or it cannot be read."""
        try:
            version = registry.load(self.champion).version
        except registry.BadModel:
            return ""
        kept = self.earlier(version)
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            draft = kept.with_suffix(".draft")
            shutil.copyfile(self.champion, draft)
            os.replace(draft, kept)
        return version

    def _write_down(self, act: Act) -> Act:
        with (self.folder / ACTS).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(act)) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        for version in self.earlier_versions()[EARLIER_KEPT:]:
            self.earlier(version).unlink(missing_ok=True)
        return act


def loaded(path: Path) -> StoredModel | None:
    """The model at `path`, or None where there is no file; raises registry.BadModel for a spoilt one."""
    return registry.load(path) if path.exists() else None


def _acts(text: str) -> Iterator[Act]:
    for line in text.splitlines():
        try:
            yield Act(**json.loads(line))
        except (ValueError, TypeError):
            continue
