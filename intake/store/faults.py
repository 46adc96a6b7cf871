"""Telling an outage of the database from a fault of ours: the border where foreign exceptions become our own."""

import sqlalchemy as sa

from intake.errors import IntakeError, Unavailable

CONSTRAINTS = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError)
COLLISIONS = ("40P01", "40001", "25P02")
RAISED = "P0001"
"""PostgreSQL's raise_exception: one of our own triggers refused (triggers.py), which trying again does not change."""


class DatabaseUnavailable(Unavailable):
    """The database cannot be written or read now: full, read-only, locked, stopped, unreachable, no connection free."""


def is_outage(error: BaseException) -> bool:
    """True when trying again later may help, because it is the database's state and not what was asked of it."""
    if isinstance(error, sa.exc.DBAPIError):
        if getattr(error.orig, "sqlstate", "") == RAISED or is_collision(error):
            return False
        return error.connection_invalidated or not isinstance(error, CONSTRAINTS)
    return isinstance(error, sa.exc.TimeoutError | sa.exc.ResourceClosedError | OSError | TimeoutError)


def is_collision(error: BaseException) -> bool:
    """True when two transactions met (deadlock, serialisation, an aborted one): doing it again at once is right."""
    return isinstance(error, sa.exc.DBAPIError) and getattr(error.orig, "sqlstate", None) in COLLISIONS


def told(error: BaseException) -> BaseException:
    """The exception the core is told: DatabaseUnavailable for an outage, any other as it is."""
    if isinstance(error, IntakeError) or not is_outage(error):
        return error
    outage = DatabaseUnavailable()
    outage.__cause__ = error
    return outage
