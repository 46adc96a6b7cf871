"""What is read beside the case file for the case page: messages and receipts, calls, sounds, looks, links, the order above.

One unit of work. Who may see what of it is decided where it is made into views (case_course.py, case_sound.py …).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from channels.web.desk_sight import Sight
from intake import case_link
from intake.call import Call, CallRecording, Playback, Told
from intake.case_link import Linked
from intake.errors import NotFound
from intake.gateway import CaseFile
from intake.model import Case
from intake.order_desk import OrderSeen, find_order
from intake.ports import Work
from intake.records import DeliveryRow, OutboxRow, View
from intake.recurrence import earlier_cases


@dataclass(frozen=True, slots=True)
class Beside:
    """Everything around one case. `joined` are cases merged into it, `earlier` ones closed here before."""

    outbox: Sequence[OutboxRow] = ()
    deliveries: Sequence[DeliveryRow] = ()
    calls: Sequence[Call] = ()
    told: Sequence[Told] = ()
    recordings: Sequence[CallRecording] = ()
    playbacks: Sequence[Playback] = ()
    views: Sequence[View] = ()
    links: Sequence[Linked] = ()
    joined: Sequence[Case] = ()
    earlier: Sequence[Case] = ()
    order: OrderSeen | None = None


def beside_of(work: Work, file: CaseFile, sight: Sight) -> Beside:
    """Read it; who has no part in the centre's dealings with citizens gets nothing of them."""
    if not sight.ledger:
        return Beside()
    case, number = file.case, file.case.case_no
    outbox = work.find(OutboxRow, case_no=number)
    recordings = work.find(CallRecording, case_no=number)
    return Beside(
        outbox=outbox,
        deliveries=[report for row in outbox for report in work.find(DeliveryRow, outbox_id=row.outbox_id)],
        calls=work.find(Call, case_no=number),
        told=work.find(Told, case_no=number),
        recordings=recordings,
        playbacks=[played for one in recordings for played in work.find(Playback, recording_id=one.recording_id)],
        views=work.find(View, case_no=number),
        links=case_link.links_of(work, number),
        joined=work.find(Case, main_case_no=number),
        earlier=earlier_cases(work, case),
        order=_order(work, case),
    )


def _order(work: Work, case: Case) -> OrderSeen | None:
    if not case.upstream_no:
        return None
    try:
        return find_order(work, case.upstream_source, case.upstream_no)
    except NotFound:
        return None
