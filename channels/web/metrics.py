"""Counts and times of this process. The only importer of prometheus-client; health.py shows them.

Labels are channels, route patterns and status codes, never anything a caller typed.
"""

from collections.abc import Callable, Mapping
from functools import cache

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The metrics of one application, in a registry of its own."""

    def __init__(self, listeners: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._reports = Counter("intake_reports", "Reports taken in.", ["channel"], registry=self._registry)
        self._refused = Counter(
            "intake_refused", "What providers delivered and was not taken.", ["channel", "reason"], registry=self._registry
        )
        self._requests = Counter("intake_requests", "Requests answered.", ["route", "status"], registry=self._registry)
        self._seconds = Histogram(
            "intake_request_seconds", "Time to answer.", buckets=BUCKETS_S, registry=self._registry
        )
        gauge = Gauge("intake_listeners", "Open event streams.", registry=self._registry)
        gauge.set_function(lambda: float(listeners()))
        # Looking a child up by its labels costs more than counting, and there are few of them.
        self._child = cache(lambda route, status: self._requests.labels(route, str(status)))

    def show(self, figures: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        """Further figures by their names: what each means, and how to read it."""
        for name, (meaning, read) in figures.items():
            Gauge(name, meaning, registry=self._registry).set_function(read)

    def count_report(self, channel: str) -> None:
        self._reports.labels(channel).inc()

    def count_refused(self, channel: str, reason: str) -> None:
        """`reason` is an error's code, or an outcome of fetching a picture behind `media_`."""
        self._refused.labels(channel, reason).inc()

    def count_request(self, route: str, *, status: int, seconds: float) -> None:
        self._child(route, status).inc()
        self._seconds.observe(seconds)

    def exposition(self) -> bytes:
        """All metrics in the Prometheus text format."""
        return generate_latest(self._registry)


METRICS = web.AppKey("metrics", Metrics)
