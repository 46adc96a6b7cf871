"""Telephones that tests hold in their hands: ring 12319, key, speak, hang up; let an operator's telephone answer."""

import itertools
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.asterisk.ami import Ami, Message
from tests.asterisk.exchange import Exchange

COUNT = itertools.count(1)
CITIZEN = "19900000001"


@dataclass
class Telephone:
    """One telephone's part of a call. `heard` and `said` are its recordings, complete once `ended` has returned."""

    exchange: Exchange
    ami: Ami
    tag: str
    channel: str = ""
    caller: str = ""

    @property
    def heard(self) -> Path:
        return self.exchange.monitor / f"{self.tag}-heard.wav"

    @property
    def said(self) -> Path:
        return self.exchange.monitor / f"{self.tag}-said.wav"

    async def find(self) -> str:
        """The leg's name in Asterisk."""
        if not self.channel:
            self.channel = (await self.ami.event("Newchannel", Uniqueid=self.tag))["Channel"]
        return self.channel

    async def idle(self, script: str) -> None:
        """Until a script is carried out."""
        await self.ami.user_event("PhoneIdle", Tag=self.tag, Script=script)

    async def step(self, step: str) -> None:
        await self.ami.user_event("PhoneStep", Tag=self.tag, Step=step)

    async def do(self, script: str) -> None:
        """Give it a new script and wait until it is carried out."""
        await self.begin(script)
        await self.idle(script)

    async def begin(self, script: str) -> None:
        """Give it a new script once the call is up and its first script carried out."""
        channel = await self.find()
        await self.ami.user_event("PhoneIdle", Tag=self.tag)
        await self.ami.act("Setvar", Channel=channel, Variable="SCRIPT", Value=script)
        await self.ami.act("Redirect", Channel=channel, Context="telephone", Exten="run", Priority=1)

    async def hang_up(self) -> None:
        await self.ami.act("Hangup", Channel=await self.find())

    async def ended(self) -> Message:
        return await self.ami.user_event("PhoneEnded", Tag=self.tag)


async def ring(pstn: Exchange, ami: Ami, number: str, *, script: str = "", caller: str = CITIZEN, name: str = "") -> Telephone:
    """A citizen rings `number`; his script starts when somebody or something answers."""
    tag = f"c{os.getpid()}-{next(COUNT)}"
    await ami.act("Originate", f"SCRIPT={script}", Channel=f"PJSIP/{number}@trunk", ChannelId=tag, Context="telephone", Exten="s",
                  Priority=1, CallerID=f'"{name}" <{caller}>', Timeout=60000, Async="true")  # fmt: skip
    return Telephone(pstn, ami, tag, caller=caller)


async def behave(ami: Ami, number: str, behaviour: str, script: str = "") -> None:
    """What the telephone `number` does when it is rung: answer (then its script), ring (until told), busy."""
    await ami.act("DBPut", Family="behaviour", Key=number, Val=behaviour)
    await ami.act("DBPut", Family="script", Key=number, Val=script or "w0")


async def rung(exchange: Exchange, ami: Ami, number: str) -> Telephone:
    """The telephone `number`, when it rings for the first time since the connection was opened."""
    event = await ami.user_event("PhoneRinging", Number=number)
    return Telephone(exchange, ami, event["Tag"], event["Channel"])


async def answer(telephone: Telephone, number: str) -> None:
    """Pick up a telephone that rings."""
    await telephone.ami.act("Redirect", Channel=telephone.channel, Context="answer", Exten=number, Priority=1)
    await telephone.ami.user_event("PhoneAnswered", Tag=telephone.tag)


async def registered(pbx: Ami, *extensions: str) -> None:
    """Until these telephones have registered at the hotline: Asterisk does so within ten seconds, when it pleases."""
    known = set(re.findall(r"Contact:\s+(\d+)/sip:", await pbx.command("pjsip show contacts")))
    for number in set(extensions) - known:
        await pbx.event("ContactStatus", EndpointName=number, ContactStatus="Reachable")
