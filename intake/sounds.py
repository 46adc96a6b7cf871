"""Voice notes of text channels: the sealed file first, then the row that binds it to its case, with the message.

Kept and played back like the telephone's messages (switchboard_audio.py); what was said is the original, the words of the
message only say that there is a note.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from intake.call import CallRecording
from intake.codes import new_secret
from intake.durable import write_whole
from intake.errors import Misconfigured
from intake.model import Case, Inbound, Sound
from intake.ports import Work
from intake.records import Attachment
from intake.sealed_sound import SoundWriter, is_in_chunks, parts, sealed_with
from intake.vault import Vault

NOTE = "voice_note"


def path_of(media: Path, token: str) -> Path:
    """Where the sealed sound of a token lies."""
    return media / token[:2] / f"{token}.sealed"


def keep_sound(vault: Vault, media: Path, body: bytes, *, mime: str) -> Sound:
    """Seal a sound; it is on the disk when this returns. Raises OSError."""
    sound = Sound(new_secret(), hashlib.sha256(body).hexdigest(), mime, len(body))
    write_whole(path_of(media, sound.token), vault.seal(body, f"audio:{sound.token}"))
    return sound


def forget_sounds(media: Path, sounds: Iterable[Sound]) -> None:
    """Delete sounds that no case came to hold."""
    for sound in sounds:
        path_of(media, sound.token).unlink(missing_ok=True)


def reseal_sounds(vault: Vault, media: Path) -> int:
    """Seal every recording anew that is not sealed with the key in use; returns how many. Harmless to repeat and to break off.
    What is erased meanwhile stays erased; what cannot be opened is left for the doctor."""
    done = 0
    for path in media.glob("??/*.sealed"):
        draft = path.with_suffix(".anew")
        try:
            if sealed_with(vault, path):
                continue
            _seal_anew(vault, path, draft)
        except (FileNotFoundError, Misconfigured):
            continue
        if path.exists():
            draft.replace(path)
            done += 1
        draft.unlink(missing_ok=True)
    return done


def _seal_anew(vault: Vault, path: Path, draft: Path) -> None:
    """In the form it has: a long one in chunks, so that none ever stands in memory as a whole."""
    purpose = f"audio:{path.stem}"
    if not is_in_chunks(path):
        write_whole(draft, vault.seal(vault.unseal(path.read_bytes(), purpose), purpose))
        return
    writer = SoundWriter(vault, draft, purpose)
    try:
        for part in parts(vault, path, purpose):
            writer.add(part)
        writer.finish()
    finally:
        writer.discard()


def bind_sounds(work: Work, inbound: Inbound, case_no: int) -> None:
    """A message's voice notes belong to its case, in the unit of work that hears it. Of a case that could not be built yet
    they become attachments later (Audio.show_late)."""
    is_built = work.get(Case, case_no) is not None
    for sound in inbound.sounds:
        number = work.new_id()
        work.add(CallRecording(number, 0, f"note-{number}", NOTE, "", sound.token, inbound.channel, 0, inbound.received_at,
                               sound.sha256, sound.size, sound.mime, work.now, case_no=case_no))  # fmt: skip
        if is_built:
            work.add(Attachment(sound.token, case_no, "recording", sound.sha256, sound.mime, 0, 0, sound.size,
                                inbound.received_at))  # fmt: skip
