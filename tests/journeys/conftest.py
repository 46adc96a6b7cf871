"""Real exchanges for the journeys that are telephone calls."""

from tests.asterisk.fixtures import agents, asterisk, exchanges, pbx, pstn, room

__all__ = ["agents", "asterisk", "exchanges", "pbx", "pstn", "room"]
