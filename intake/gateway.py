"""The gateway as its channels see it: take a message in, take a step, ask for a status, look at a case.

Thin and asynchronous: what is slow or pure happens before the unit of work (classifying, places, argon2), what must
hold together happens inside one. Nothing here knows a protocol.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from intake import signin
from intake.admission import Admission
from intake.codes import code_matches, query_code
from intake.effects import Facts
from intake.errors import NotFound, NotSignedIn, TooMany
from intake.feed import Feed
from intake.fields import Reading
from intake.hint import Hint, no_hints
from intake.ledger import is_open
from intake.likely import NoRepeats, Repeats
from intake.merging import answering_number, main_of
from intake.model import CITIZEN, Actor, Case, Inbound, Role
from intake.offers import Offer, offers
from intake.password import hash_password, password_matches
from intake.ports import Clock, Store, Work
from intake.profile import City
from intake.receive import Judged, Received
from intake.records import (
    Attachment,
    Contact,
    Debt,
    HistoryEntry,
    Remark,
    Reply,
    Reporter,
    Request,
    Task,
    User,
)  # fmt: skip
from intake.rules import Rules
from intake.status import Status, joined_history, status_of, status_of_waiting
from intake.usecases import Command, load_case, perform, rate, reveal_contact
from intake.vault import Vault

CODE_WINDOW = timedelta(minutes=15)
MAX_CODE_TRIES_CASE = 10
MAX_CODE_TRIES_ADDRESS = 30


@dataclass(frozen=True, slots=True)
class CaseFile:
    """Everything about one case as its page shows it to one person; contacts are not in it."""

    case: Case
    history: Sequence[HistoryEntry]
    remarks: dict[int, Remark]
    requests: Sequence[Request]
    debts: Sequence[Debt]
    replies: dict[int, Reply]
    tasks: Sequence[Task]
    attachments: Sequence[Attachment]
    reporters: Sequence[Reporter]
    contacts: dict[int, Contact]
    staff: dict[int, User]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, repr=False)
class Gateway:
    """Built once by the wiring. `judge` classifies and looks for danger, `hints` tells a person who types which classes fit
    and why; neither ever raises."""

    store: Store
    city: City
    rules: Rules
    judge: Callable[[str], Judged]
    vault: Vault
    clock: Clock
    feed: Feed
    admission: Admission
    public_url: str = ""
    hints: Callable[[str], tuple[Hint, ...]] = no_hints
    repeats: Repeats = field(default_factory=NoRepeats)
    passwords: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    # Messages in

    async def take_in(self, inbound: Inbound) -> Received:
        """Take in a message of any channel; returns after it is durable."""
        located = replace(inbound, place=self.city.locate(inbound.place))
        return await self.admission.take(located, self.judge(located.text))

    def query_code_of(self, received: Received) -> str:
        return query_code(received.case_no, received.code_epoch, self.vault.code_key)

    # Citizens

    async def status(self, case_no: int | None, code: str, *, address: str) -> Status:
        """The public view; an unknown number, a wrong code and no number at all are told alike. Tries are limited."""
        if spooled := self._spooled(case_no, code):
            return spooled
        await self._check_code(case_no, code, address=address)
        return await self.store.read(lambda work: self._status(work, case_no or 0))

    def _spooled(self, case_no: int | None, code: str) -> Status | None:
        """The status of a report that waits in the spool while the database cannot be written."""
        waiting = self.admission.spooled(case_no) if case_no else None
        if waiting is None or not code_matches(code, waiting.case_no, 0, self.vault.code_key):
            return None
        return status_of_waiting(waiting.case_no, waiting.inbound)

    async def add_as_citizen(self, case_no: int | None, code: str, step: str, text: str, *, address: str) -> None:
        """催办, 补充信息 or 撤诉 by the citizen himself from the status page."""
        await self._check_code(case_no, code, address=address)
        fields = {"text": text} if step == "supplement" else {"opinion": text}
        number = await self.store.read(lambda work: answering_number(work, case_no or 0))
        command = Command(number, step, CITIZEN, fields={name: value for name, value in fields.items() if value})
        await self.perform(command)

    async def rate(self, case_no: int | None, code: str, *, satisfied: bool, address: str) -> None:
        """The citizen's 1 满意 or 2 不满意."""
        await self._check_code(case_no, code, address=address)
        await self.store.write(lambda work: rate(work, answering_number(work, case_no or 0), satisfied=satisfied))

    async def _check_code(self, case_no: int | None, code: str, *, address: str) -> None:
        """Compare in constant time for every case alike; a limit on tries for each case and each address."""
        names = [(f"address:{self.vault.lookup_hash(address, 'address')}", MAX_CODE_TRIES_ADDRESS)]
        if case_no:
            names.append((f"case:{case_no}", MAX_CODE_TRIES_CASE))

        def look(work: Work) -> tuple[Case | None, bool]:
            full = any(work.tries_so_far(name, window=CODE_WINDOW) >= limit for name, limit in names)
            return work.get(Case, case_no) if case_no else None, full

        case, full = await self.store.read(look)
        if full:
            raise TooMany("查询次数过多，请稍后再试。", retry_after_s=int(CODE_WINDOW.total_seconds()))
        matches = code_matches(code, case_no or 0, case.code_epoch if case else 0, self.vault.code_key)
        if not (matches and case is not None):
            await self.store.write(lambda work: [work.count_try(name, window=CODE_WINDOW) for name, _ in names])
            raise NotFound

    def _status(self, work: Work, case_no: int) -> Status:
        """A merged case follows its main case from the merge on, under its own number, place and steps."""
        own = work.get(Case, case_no)
        if own is None:
            raise NotFound
        main = main_of(work, own)
        origin = case_no if main.case_no != case_no else None
        reporters = [r.reporter_id for r in work.find(Reporter, case_no=main.case_no)
                     if r.left_at is None and r.joined_from == origin]  # fmt: skip
        history = work.find(HistoryEntry, case_no=main.case_no)
        if origin is not None:
            history = joined_history(work.find(HistoryEntry, case_no=case_no), history)
        return status_of(
            main, own=own, history=history, debts=work.find(Debt, case_no=main.case_no),
            replies=work.find(Reply, case_no=main.case_no), answers=work.find(Remark, case_no=case_no, kind="answer"),
            taxonomy=self.rules.taxonomy, signature=self.rules.wording.signature, reporter_ids=reporters,
        )  # fmt: skip

    # Staff

    async def perform(self, command: Command) -> Case:
        """Take a step; returns the case after it, durable."""
        return await self.store.write(lambda work: perform(work, command, self.rules))

    async def case_file(self, case_no: int, actor: Actor) -> CaseFile:
        """Everything about a case with what this person may do on it."""
        return await self.store.read(lambda work: self._case_file(work, case_no, actor))

    def _case_file(self, work: Work, case_no: int, actor: Actor) -> CaseFile:
        case = load_case(work, case_no, actor)
        debts, requests = work.find(Debt, case_no=case_no), work.find(Request, case_no=case_no)
        reporters, staff = work.find(Reporter, case_no=case_no), work.find(User)
        facts = Facts(tuple(requests), tuple(debts), tuple(reporters))
        found = [contact for r in reporters if r.contact_id and (contact := work.get(Contact, r.contact_id))]
        open_debts = tuple(debt for debt in debts if is_open(debt))
        reading = Reading(case, self.rules, tuple(staff), open_debts, _all_reachable(open_debts, reporters, found))
        return CaseFile(
            case=case,
            history=work.find(HistoryEntry, case_no=case_no),
            remarks={remark.remark_id: remark for remark in work.find(Remark, case_no=case_no)},
            requests=requests,
            debts=debts,
            replies={reply.debt_id: reply for reply in work.find(Reply, case_no=case_no)},
            tasks=work.find(Task, case_no=case_no),
            attachments=work.find(Attachment, case_no=case_no),
            reporters=reporters,
            contacts={contact.contact_id: contact for contact in found},
            staff={user.user_id: user for user in staff},
            offers=offers(case, actor, facts, reading),
        )

    async def reveal(self, case_no: int, actor: Actor, *, reason: str) -> list[Contact]:
        return await self.store.write(lambda work: reveal_contact(work, case_no, actor, reason=reason))

    async def sign_in(self, name: str, password: str) -> str:
        """A new session's secret; raises NotSignedIn for every kind of mismatch alike, TooMany when locked."""
        user = await self.store.read(lambda work: self._user_to_sign_in(work, name))
        async with self.passwords:
            matches = await asyncio.to_thread(password_matches, user.password_hash if user else "", password)
        if user and not matches:
            await self.store.write(lambda work: signin.count_failure(work, user.user_id))
        return await self.store.write(lambda work: signin.open_session(work, user.user_id if user else 0, matches=matches))

    def _user_to_sign_in(self, work: Work, name: str) -> User | None:
        user = signin.user_named(work, name)
        signin.refuse_locked(user, work)
        # A source's own system comes with a token and never sits at the desk.
        return user if user and user.role is not Role.SOURCE else None

    async def change_password(self, user_id: int, old: str, new: str) -> None:
        """Check the old password, store the new one, end every session."""
        user = await self.store.read(lambda work: work.get(User, user_id))
        async with self.passwords:
            matches = user and await asyncio.to_thread(password_matches, user.password_hash, old)
            if not matches:
                raise NotSignedIn("原密码不正确。")
            new_hash = await asyncio.to_thread(hash_password, new)
        await self.store.write(lambda work: signin.change_password(work, user_id, new_hash))

    def now(self) -> datetime:
        return self.clock()


def _all_reachable(debts: Sequence[Debt], reporters: Sequence[Reporter], contacts: Sequence[Contact]) -> bool:
    """Whether everybody a reply is owed to left a way to reach him."""
    ways = {contact.contact_id for contact in contacts if contact.phone or contact.address}
    owed = {debt.reporter_id for debt in debts}
    return bool(owed) and all(r.contact_id in ways for r in reporters if r.reporter_id in owed)
