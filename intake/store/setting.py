"""What every unit of work is given besides its connection: vault, clock, number blocks, the words function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

import sqlalchemy as sa

from intake.store.blocks import Blocks
from intake.store.work import Work
from intake.vault import Vault


@dataclass(frozen=True, slots=True)
class StoreSetting:
    """Shared by both databases. `words` cuts text for the search index; `zone` decides which day a number carries."""

    vault: Vault
    clock: Callable[[], datetime]
    zone: tzinfo
    words: Callable[[str], Sequence[str]]
    blocks: Blocks = field(default_factory=Blocks)

    def work(self, connection: sa.Connection) -> Work:
        self.vault.refresh()  # one stat call a group, so that a running gateway follows a rotation of keys
        return Work(connection, vault=self.vault, blocks=self.blocks, now=self.clock(), words=self.words)

    def leases(self) -> list[tuple[str, int]]:
        """The number blocks that are needed now and this gateway does not hold yet."""
        return self.blocks.wanted(self.clock().astimezone(self.zone))

    def take_case_no(self) -> int:
        """The next 受理编号 of today, from memory; raises Unavailable when none is left and none can be leased."""
        return self.blocks.take_case_no(self.clock().astimezone(self.zone).date())
