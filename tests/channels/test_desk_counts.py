"""Every tab of the queue counts what its list holds, whatever was done: random days on both databases."""

import random
from collections.abc import Iterator

from channels.web.desk_filter import Wish, filter_of
from channels.web.desk_tabs import Tab, counters_of, tabs_for
from intake.call import CallBack
from intake.feed import Feed
from intake.gateway import Gateway
from intake.model import Actor, Case, Role
from intake.ports import Work
from intake.profile import City
from intake.queue import PAGE_MAX
from intake.receive import Judged, receive
from intake.records import Debt, Request, Task
from intake.vault import Vault
from intake.wiring import AnyStore
from tests.core.test_random_walks import STAFF, Walker
from tests.core.test_usecases import JUDGED
from tests.fakes import FakeClock
from tests.make import PHONE, make_inbound


def walker_of(role: Role) -> Actor:
    """The first person of a post among those who walk (test_random_walks)."""
    return Actor(10 * STAFF.index(role) + 1, f"{role.value}1", role)


CHANNELS = ("web", "phone", "upstream", "sms")
STEPS = 100
PEOPLE = tuple(walker_of(role) for role in (Role.OPERATOR, Role.SHIFT_LEADER, Role.DISPATCHER))


def listed(work: Work, tab: Tab, actor: Actor) -> Iterator[Case]:
    """All pages of a tab."""
    wanted = filter_of(Wish(tab=tab.name), actor, now=work.now)
    assert wanted is not None
    after = ""
    while True:
        page = work.queue(wanted, after=after, limit=PAGE_MAX)
        yield from page.cases
        after = page.next
        if not after:
            return


def open_things(work: Work, tab: Tab, case: Case) -> int:
    """How many things of a tab are open on a case; a tab of cases alone counts each case once."""
    kinds = [name.partition(":") for name in tab.needs if name != "lacking"]
    count = 0
    for of, _, kind in kinds:
        if of == "task":
            count += len(work.find(Task, case_no=case.case_no, state="open", kind=kind))
        elif of == "request":
            count += len(work.find(Request, case_no=case.case_no, state="pending", kind=kind))
        else:
            count += len(work.find(Debt, case_no=case.case_no, end=""))
    return count if kinds else 1


async def test_each_tab_counts_what_it_lists(either_store: AnyStore, city: City, vault: Vault, clock: FakeClock) -> None:
    seed = random.Random().randrange(10**6)
    print("seed", seed)
    dice, rules = random.Random(seed), city.rules()
    gateway = Gateway(either_store, city, rules, lambda _: JUDGED, vault, clock, Feed(either_store), admission=None)  # type: ignore[arg-type]
    walker = Walker(either_store, gateway, clock, dice, [])
    for count in range(12):
        message = make_inbound(channel=dice.choice(CHANNELS), phone=PHONE if count % 3 else "", wants_reply=bool(count % 2))
        judged = JUDGED if count % 4 else Judged()
        walker.numbers.append((await either_store.write(lambda work, a=message, b=judged: receive(work, a, b, rules))).case_no)
    for _ in range(STEPS):
        await walker.step()

    def counted(work: Work) -> list[tuple[str, str, int, int]]:
        found = []
        for actor in PEOPLE:
            for tab in tabs_for(actor):
                names = counters_of(tab, actor)
                kept = sum(work.kept(list(names)).values())
                shown = sum(open_things(work, tab, case) for case in listed(work, tab, actor))
                shown += len([one for one in work.find(CallBack) if one.is_open]) if tab.name == "callback" else 0
                found.append((actor.name, tab.name, kept, shown))
        return found

    told = await either_store.read(counted)
    assert [one for one in told if one[2] != one[3]] == []
    assert sum(shown for *_, shown in told) > 0
