"""A provider that is away, as operators see it: a notice beside their work while it lasts, ended when it is back."""

from dataclasses import replace
from datetime import timedelta

from intake.desk_record import Notice
from intake.ports import Work

LASTS = timedelta(hours=12)
"""A notice that nobody ends goes by itself; an outage that goes on puts up the next one."""
CHANNEL_WORDS = {"sms": "短信", "wechat": "微信", "telegram": "Telegram"}


def words_of(channel: str) -> str:
    """What operators read."""
    return f"{CHANNEL_WORDS.get(channel, channel)}暂时无法发出，待发的回复会在恢复后依次自动发出；急需告知的请打电话。"


def begin_notice(work: Work, channel: str) -> None:
    """Put the notice up, once however many gateways see the outage."""
    text = words_of(channel)
    if not _standing(work, text):
        work.add(Notice(work.new_id(), "", text, work.now, work.now + LASTS, 0))


def end_notice(work: Work, channel: str) -> None:
    for notice in _standing(work, words_of(channel)):
        work.change(notice, replace(notice, ended_at=work.now))


def _standing(work: Work, text: str) -> list[Notice]:
    found = work.find(Notice, ended_at=None, text=text)
    return [notice for notice in found if notice.until_at > work.now]
