"""A draft of the 转派描述 of a confidential case: what the unit needs, without what tells who reported. Pure.

Only a draft: an operator reads it against the report and signs it by dispatching. It errs on the side of leaving out.
"""

import re

from intake.masking import find_personal

_CLAUSES = re.compile(r"[^，,。；;！!？?\n]+[，,。；;！!？?\n]?")
_OWN = re.compile(
    r"我|本人|俺|咱|自己家|住(?![宅户建房])|家里|联系|电话|手机|微信|姓名|名字|回复|告诉|保密|匿名|不要透露|举报人|投诉人|反映人|来电人|楼上|隔壁|对门|邻居"
)
"""Words by which a reporter speaks of himself, of his home or of his wishes."""
_DOORS = re.compile(r"[0-9一二三四五六七八九十]{1,4}(?:单元|门洞|室|户)|(?<=[栋幢座楼号])[0-9]{3,4}(?![0-9号])|[0-9]{1,3}(?:-[0-9]{1,4}){1,2}(?![0-9])")
"""What leads to one door of a house."""


def draft_of(description: str, *, known: tuple[str, ...] = ()) -> str:
    """The description without the clauses that speak of the reporter; empty when nothing is left. `known` are his names
    and numbers, which are never in a draft whatever stands around them."""
    kept = [clause for clause in _CLAUSES.findall(description) if not _tells(clause, known)]
    return _DOORS.sub("", "".join(kept)).strip(" ，,；;\n")


def _tells(clause: str, known: tuple[str, ...]) -> bool:
    return bool(_OWN.search(clause) or find_personal(clause) or any(word and word in clause for word in known))
