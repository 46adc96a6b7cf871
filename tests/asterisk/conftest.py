"""The three exchanges, for the tests of the harness and of the shipped configuration."""

from tests.asterisk.fixtures import agents, asterisk, exchanges, pbx, pstn, room

__all__ = ["agents", "asterisk", "exchanges", "pbx", "pstn", "room"]
