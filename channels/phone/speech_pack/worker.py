"""`python -m channels.phone.speech_pack.worker synthesis|recognition`: the pack's engine behind two pipes, one line of JSON
each way.

Asked {"id", "text", "voice", "speed"}, perhaps with "before" and "after" (then the text is cut out from between them), it
answers {"id", "audio"}; asked {"id", "audio"} it answers {"id", "text", "confidence"}; audio is base64, A-law or WAV. A
question that fails is answered with {"id", "error"}; the end of input is the end of the process, so a gateway that dies
takes its workers with it.
"""

import base64
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from channels.phone.speech_pack.pack import VOICES, pack_at
from channels.phone.speech_pack.sound import levelled, read_sound, to_alaw, trimmed

NICENESS = {"synthesis": 0, "recognition": 15}
"""Somebody waits for synthesis; a draft transcript has time, the calls have not."""
Answer = Callable[[dict[str, Any]], dict[str, Any]]


def synthesis() -> Answer:
    from channels.phone.speech_pack.synthesis import Synthesiser

    engine = Synthesiser(pack_at())

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        voice, speed = asked.get("voice") or VOICES[0], asked.get("speed") or 1.0
        before, after = asked.get("before") or "", asked.get("after") or ""
        if before or after:
            said = engine.say_within(asked["text"], before=before, after=after, voice=voice, speed=speed)
        else:
            said = engine.say(asked["text"], voice=voice, speed=speed)
        return {"audio": base64.b64encode(to_alaw(levelled(trimmed(said, 8000)))).decode()}

    return answer


def recognition() -> Answer:
    from channels.phone.speech_pack.recognition import Recogniser

    engine = Recogniser(pack_at())

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        samples, rate_hz = read_sound(base64.b64decode(asked["audio"]))
        heard = engine.hear(samples, rate_hz)
        return {"text": heard.text, "confidence": round(heard.confidence, 3)}

    return answer


ENGINES: dict[str, Callable[[], Answer]] = {"synthesis": synthesis, "recognition": recognition}


def main(part: str) -> None:
    """Answer until the input ends."""
    os.nice(NICENESS[part])
    # Libraries print; the pipe is ours alone.
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    answer = ENGINES[part]()
    pipe.write(json.dumps({"ready": part}) + "\n")
    pipe.flush()
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        try:
            result = answer(asked)
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}"[:300]}
        pipe.write(json.dumps({"id": asked["id"], **result}) + "\n")
        pipe.flush()


if __name__ == "__main__":
    main(sys.argv[1])
