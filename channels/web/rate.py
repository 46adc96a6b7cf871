"""Limits on how often one address may do something. The only importer of `limits`.

Counts stand in memory: they guard this process against floods, while limits that must hold over restarts (query codes,
passwords) stand in the store. The package's own memory store starts a thread for each burst, so we bring a plain one.
"""

import time
from collections.abc import Callable

from aiohttp import web
from limits import RateLimitItem, parse
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from channels.web.client_address import limit_key
from channels.web.setting import WebSetting
from intake.errors import TooMany

MAX_KEYS = 50_000
"""Beyond this many keys the ended windows are swept out; a flood of addresses must not fill the memory."""


class _Counts(Storage):
    """Fixed windows as `key: [count, end]`, in monotonic seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self._windows: dict[str, tuple[int, float]] = {}

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = self._now()
        count, end = self._windows.get(key, (0, 0.0))
        if end <= now:
            count, end = 0, now + expiry
            self._sweep(now)
        self._windows[key] = (count + amount, end)
        return count + amount

    def get(self, key: str) -> int:
        count, end = self._windows.get(key, (0, 0.0))
        return count if end > self._now() else 0

    def get_expiry(self, key: str) -> float:
        return self._windows.get(key, (0, self._now()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int | None:
        count = len(self._windows)
        self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        self._windows.pop(key, None)

    def _sweep(self, now: float) -> None:
        if len(self._windows) >= MAX_KEYS:
            self._windows = {key: window for key, window in self._windows.items() if window[1] > now}


class Limiter:
    """The limits of the web server by name: report, status, sign_in, api."""

    def __init__(self, setting: WebSetting, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._counts = _Counts(now)
        self._strategy = FixedWindowRateLimiter(self._counts)
        self._items: dict[str, RateLimitItem] = {
            "report": parse(setting.report_limit),
            "status": parse(setting.status_limit),
            "sign_in": parse(setting.sign_in_limit),
            "api": parse(setting.api_limit),
        }

    def count(self, name: str, key: str) -> None:
        """Count one use; raises TooMany with the seconds to wait."""
        item = self._items[name]
        if self._strategy.hit(item, name, key):
            return
        left = self._counts.get_expiry(item.key_for(name, key)) - self._now()
        raise TooMany(retry_after_s=max(1, int(left) + 1))


LIMITER = web.AppKey("limiter", Limiter)


def count_use(request: web.Request, name: str) -> None:
    """Count one use of a limit by this client; raises TooMany."""
    request.app[LIMITER].count(name, limit_key(request))
