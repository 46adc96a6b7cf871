"""Telling an outage of the database from a fault of ours: the border where foreign exceptions become our own."""

import sqlalchemy as sa

from intake.errors import IntakeError, Unavailable

CONSTRAINTS = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError)


class DatabaseUnavailable(Unavailable):
    """The database cannot be written or read now: full, read-only, locked, stopped, unreachable, no connection free."""


def is_outage(error: BaseException) -> bool:
    """True when trying again later may help, because it is the database's state and not what was asked of it."""
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or not isinstance(error, CONSTRAINTS)
    return isinstance(error, sa.exc.TimeoutError | sa.exc.ResourceClosedError | OSError | TimeoutError)


def told(error: BaseException) -> BaseException:
    """The exception the core is told: DatabaseUnavailable for an outage, any other as it is."""
    if isinstance(error, IntakeError) or not is_outage(error):
        return error
    outage = DatabaseUnavailable()
    outage.__cause__ = error
    return outage
