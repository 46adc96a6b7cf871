"""Numbers of records as they come in addresses, headers and forms, read within the bound of the database's whole numbers."""

from aiohttp import web

from intake.errors import IntakeError

MOST_DIGITS = 18
"""Every number of so many digits fits a signed 64-bit column; ours, from leased blocks, never get near it."""


def number_from(word: str) -> int | None:
    """The number written as plain digits; None for anything else, digits of other scripts among it."""
    return int(word) if word.isascii() and word.isdigit() and len(word) <= MOST_DIGITS else None


def number_in(request: web.Request, name: str, *, missing: IntakeError) -> int:
    """The number under `name` in the address; raises `missing`, each page's own words, where there can be no such record."""
    number = number_from(request.match_info[name])
    if number is None:
        raise missing
    return number
