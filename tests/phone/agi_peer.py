"""A scripted Asterisk at the other end of FastAGI: it answers as Asterisk 22 does, types keys and speaks when told to.

What the script gives: for each question and each recording one entry, in order. Keys "", a string, or "h" for a hang-up; for a
recording `Spoken(seconds, key)`.
"""

import asyncio
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Spoken:
    seconds: float
    key: str = ""
    gone: bool = False


@dataclass
class AgiPeer:
    """One caller. `variables` are his channel's; `heard` the sounds played to him; `commands` everything he was sent.
    `hangs_up_at` is the command (counted from 1) in which he hangs up; 0: only when the script says so."""

    script: deque[str | Spoken]
    variables: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    files: dict[str, float] = field(default_factory=dict)
    gone: bool = False
    typed: str = ""
    hangs_up_at: int = 0

    async def call(self, port: int, path: str, *arguments: str, **header: str) -> None:
        """Connect, and play Asterisk until the gateway closes the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        values = {"agi_request": f"agi://127.0.0.1/{path}", "agi_uniqueid": "1.1", "agi_callerid": "19900001234",
                  "agi_calleridname": "unknown"} | header  # fmt: skip
        values |= {f"agi_arg_{n}": value for n, value in enumerate(arguments, 1)}
        writer.write("".join(f"{name}: {value}\n" for name, value in values.items()).encode() + b"\n")
        while line := (await reader.readline()).decode().rstrip("\n"):
            self.commands.append(line)
            if len(self.commands) == self.hangs_up_at:
                self.gone = True
                break  # AGIEXITONHANGUP, in the middle of a command
            reply = self.answer(line)
            writer.write(f"{reply}\n".encode())
            if self.gone and "result=-1" in reply:
                break  # AGIEXITONHANGUP
        writer.close()

    def answer(self, line: str) -> str:
        if line.startswith("SET VARIABLE"):
            name, value = quoted(line)
            self.variables[name] = value
            return "200 result=1"
        if line.startswith("GOSUB"):
            context, _, _, arguments = quoted(line)
            return {"hotline-say": self._say, "hotline-tell": self._tell, "hotline-take": self._take}[context](arguments)
        if line.startswith("GET FULL VARIABLE"):
            name = quoted(line)[0].strip("${}")
            return f"200 result=1 ({self.variables[name]})" if name in self.variables else "200 result=1 ()"
        return "200 result=0" if line == "ANSWER" else "510 Invalid or unknown command"

    def _say(self, arguments: str) -> str:
        sounds, most, wait, _ = arguments.split(",")
        self.heard += [sound for sound in sounds.split("&") if sound]
        listens = float(wait) > 0.5
        if not self.typed and listens:
            entry = self.script.popleft() if self.script else "h"
            assert isinstance(entry, str), "a key was wanted, not speech"
            if entry == "h":
                self.gone = True
                return "200 result=-1"
            self.typed = entry
        keys, ended = self._taken(int(most), listens=listens)
        self.variables["GW_READ"] = f"{'OK' if ended else 'TIMEOUT'}:{keys}"
        return "200 result=0 Gosub complete"

    def _tell(self, arguments: str) -> str:
        self.heard += arguments.split("&")
        self.typed = ""  # nobody listens to keys meanwhile
        return "200 result=0 Gosub complete"

    def _taken(self, most: int, *, listens: bool) -> tuple[str, bool]:
        if not listens:
            return "", False
        if self.typed.startswith("#"):
            self.typed = self.typed[1:]
            return "#", True
        keys, ended, _ = self.typed[:most].partition("#")
        self.typed = self.typed[len(keys) + len(ended):]
        return keys, bool(ended) or len(keys) == most

    def _take(self, arguments: str) -> str:
        entry = self.script.popleft() if self.script else Spoken(0, gone=True)
        assert isinstance(entry, Spoken), "speech was wanted, not a key"
        path, _, longest = arguments.split(",")
        self.files[path] = entry.seconds
        if entry.gone:
            self.gone = True
            return "200 result=-1"
        status = {"": "SILENCE", "0": "OPERATOR"}.get(entry.key, "DTMF")
        status = "TIMEOUT" if entry.seconds >= float(longest) else status
        seconds = entry.seconds + (status == "SILENCE")
        self.variables["GW_TAKE"] = f"{status}:{44 + int(seconds * 16000)}:{path}"
        return "200 result=0 Gosub complete"


def quoted(line: str) -> Sequence[str]:
    return re.findall(r'"((?:[^"\\]|\\.)*)"', line)
