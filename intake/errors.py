"""The whole exception tree. Two questions are answered by each: whose fault is it, and does trying again help.

    IntakeError
    ├── Refused                the caller's fault, nothing changed, trying again unchanged does not help
    │   ├── BadInput           a field cannot be taken (names the field)
    │   │   ├── BadPayload     a provider's request that cannot be read
    │   │   └── UnknownSubclass
    │   ├── NotAllowed         the person may not do this
    │   ├── NotSignedIn        nobody is signed in
    │   ├── IllegalMove        the state does not allow the move
    │   ├── StaleVersion       somebody else changed the case meanwhile
    │   ├── NotFound           no such thing, or a wrong code: the two are told alike
    │   ├── KeyReused          an Idempotency-Key with another body
    │   └── TooMany            a limit of tries or of requests is reached (says how long to wait)
    ├── SendError              a provider did not take a message; says whether trying again can help
    └── Unavailable            our side cannot serve for now; trying again helps
        └── Misconfigured      a setting is missing or wrong; a person must mend it

`message` is always good plain Chinese for the person who reads it and never repeats what he typed.
"""

from collections.abc import Mapping


class IntakeError(Exception):
    """Root of everything raised on purpose. `message` may be shown to a citizen or operator."""

    code = "error"
    message = "系统暂时无法处理，请稍后再试。"

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.message)
        if message:
            self.message = message


class Refused(IntakeError):
    code = "refused"


class BadInput(Refused):
    """A field cannot be taken as it is. `field` is the name the caller used."""

    code = "bad_input"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class BadPayload(BadInput):
    code = "bad_payload"

    def __init__(self, message: str = "请求内容无法读取。", *, field: str = "body") -> None:
        super().__init__(field, message)


class UnknownSubclass(BadInput):
    code = "unknown_subclass"

    def __init__(self, subclass: str = "") -> None:
        super().__init__("subclass", "没有这个问题类别，请从列表中选择。")
        self.subclass = subclass


class NotAllowed(Refused):
    code = "not_allowed"
    message = "您的岗位没有这项权限。"


class NotSignedIn(Refused):
    code = "not_signed_in"
    message = "请先登录。"


class IllegalMove(Refused):
    """The state does not allow the move; `move` and `state` are stored values."""

    code = "illegal_move"

    def __init__(self, move: str, state: str, message: str = "") -> None:
        super().__init__(message or "案件当前状态不能进行这一步操作。")
        self.move = move
        self.state = state


class StaleVersion(Refused):
    """Somebody changed the case first. `changes` names what changed since the version the caller held."""

    code = "stale_version"
    message = "案件刚被他人修改，请核对后再操作。"

    def __init__(self, *, current_version: int, changes: tuple[Mapping[str, object], ...] = ()) -> None:
        super().__init__()
        self.current_version = current_version
        self.changes = changes


class NotFound(Refused):
    code = "not_found"
    message = "没有找到，或查询码不正确。"


class KeyReused(Refused):
    code = "key_reused"
    message = "这个 Idempotency-Key 已用于另一份内容。"


class TooMany(Refused):
    code = "too_many"
    message = "操作过于频繁，请稍后再试。"

    def __init__(self, message: str = "", *, retry_after_s: int = 60) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SendError(IntakeError):
    """A provider did not take a message. `outcome` is one of outbox.FAILURES, which says whether to try again."""

    code = "send_error"

    def __init__(self, outcome: str, detail: str = "", *, retry_after_s: float | None = None) -> None:
        super().__init__()
        self.outcome = outcome
        self.detail = detail
        self.retry_after_s = retry_after_s


class Unavailable(IntakeError):
    code = "unavailable"


class Misconfigured(Unavailable):
    code = "misconfigured"
    message = "系统设置有误，请联系管理员。"
