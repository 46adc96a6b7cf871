"""Which piece of a long short message this is, from its user data header (3GPP TS 23.040, 9.2.3.24). Pure."""

from intake.model import Part

REF_8, REF_16 = 0x00, 0x08
LENGTHS = {REF_8: 3, REF_16: 4}


def part_of_header(header: bytes) -> Part | None:
    """The piece's place; None for a header that says nothing about pieces, or says nonsense."""
    rest = header[1 : 1 + header[0]] if header else b""
    while len(rest) >= 2:
        kind, length = rest[0], rest[1]
        value, rest = rest[2 : 2 + length], rest[2 + length :]
        if LENGTHS.get(kind) == length == len(value):
            return _part(value[:-2].hex(), total=value[-2], number=value[-1])
    return None


def _part(ref: str, *, total: int, number: int) -> Part | None:
    return Part(ref, number, total) if 1 <= number <= total and total > 1 else None
