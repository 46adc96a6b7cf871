"""A speech pack that says every text in a voice of its own: what was synthesised can be found again on a recording, without
the quarter of a gigabyte that the real one takes. It recognises nothing.
"""

import base64
import json
import sys
import zlib
from pathlib import Path

from channels.phone.speech_pack.pack import Pack
from channels.phone.speech_pack.sound import to_alaw
from tests.asterisk import hearing

ASKED = "asked.jsonl"
SCRIPT = """#!{python}
import os
import sys

sys.path.insert(0, os.getcwd())
from tests.asterisk.stand_in_pack import answer_on

answer_on(sys.argv[-1])
"""


def stand_in_pack(folder: Path) -> Path:
    """Make one in `folder`, to be given as INTAKE_SPEECH."""
    pack = Pack(folder)
    for each in (pack.python.parent, pack.kokoro, pack.whisper):
        each.mkdir(parents=True)
    pack.python.write_text(SCRIPT.format(python=sys.executable), encoding="utf-8")
    pack.python.chmod(0o755)
    pack.mark.write_text("stand-in", encoding="utf-8")
    return folder


def said(text: str) -> hearing.Samples:
    """How a text sounds."""
    return hearing.voice(zlib.crc32(text.encode()), 1.0 + 0.1 * len(text))


def asked_of(folder: Path) -> list[str]:
    """The texts that were to be said, in order."""
    path = folder / ASKED
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def answer_on(part: str) -> None:
    """The worker's side of the two pipes (channels/phone/speech_pack/worker.py)."""
    asked_in = Path(sys.argv[0]).parents[2] / ASKED
    print(json.dumps({"ready": part}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        answer: dict[str, object] = {"error": "nothing is recognised here"}
        if part == "synthesis":
            with asked_in.open("a", encoding="utf-8") as file:
                file.write(json.dumps(question["text"]) + "\n")
            answer = {"audio": base64.b64encode(to_alaw(said(question["text"]) / 32768)).decode()}
        print(json.dumps({"id": question["id"], **answer}), flush=True)
