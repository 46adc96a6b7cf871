"""What happens to an outgoing message: the states of its row, the outcomes of sending, and the pure retry policy.

A row waits, is claimed by one gateway, and is then sent, put off, or given up. Nothing here sends; courier.py does.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

WAITING, CLAIMED, SENT, DELIVERED, FAILED, UNKNOWN = "waiting", "claimed", "sent", "delivered", "failed", "unknown"
CLAIM_LENGTH = timedelta(minutes=2)
"""A claim older than this belongs to a gateway that died: no send takes so long (courier.SEND_TIMEOUT_S)."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A named way in which sending fails. `unsure` when the provider may have taken the message all the same."""

    name: str
    words: str
    retry: bool = False
    unsure: bool = False
    opts_out: bool = False


FAILURES: dict[str, Failure] = {
    failure.name: failure
    for failure in (
        Failure("throttled", "服务商限流", retry=True),
        Failure("unavailable", "服务商暂时不可用", retry=True),
        Failure("timeout", "服务商没有应答", retry=True),
        Failure("unknown", "不知是否已发出", unsure=True),
        Failure("refused", "服务商拒绝"),
        Failure("bad_address", "号码或账号无效"),
        Failure("opted_out", "对方已退订", opts_out=True),
        Failure("window_closed", "超出会话时限"),
        Failure("not_following", "对方未关注或未订阅"),
        Failure("too_long", "内容超长"),
        Failure("no_channel", "渠道未启用"),
        Failure("no_voice", "没有语音合成，不能自动播报"),
    )
}
OF_AN_OUTAGE = ("unavailable", "timeout")
"""What a message was put off for while its provider was away; it need not wait any longer once he is back."""
OUTCOMES = ("delivered", "failed", "accepted")
"""What a delivery report may say; `accepted` only confirms that the provider has it."""
DELAYS = tuple(timedelta(seconds=s) for s in (15, 60, 300, 900, 3600, 3 * 3600, 6 * 3600))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do after a failure: try again at `next_at`, or (None) take the next route; `unsure` asks a person."""

    next_at: datetime | None
    unsure: bool = False


def after_failure(outcome: str, *, attempts: int, now: datetime, retry_after_s: float | None = None) -> Verdict:
    """The pure retry policy. `attempts` counts this one; a provider's own waiting time is obeyed when it is longer."""
    failure = FAILURES.get(outcome, FAILURES["refused"])
    if failure.unsure:
        return Verdict(None, unsure=True)
    if not failure.retry or attempts > len(DELAYS):
        return Verdict(None)
    wait = max(DELAYS[attempts - 1], timedelta(seconds=retry_after_s or 0))
    return Verdict(now + wait)
