"""Hiding personal data in what is shown, logged or passed on, and finding it in free text.

Masks are those in common use by hotlines; GB/T 35273-2020 asks for de-identification without fixing a form. Finding
errs on the side of hiding. Who may see the full value is decided elsewhere; nothing here stores or sends anything.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

PersonalKind = Literal["id_card", "phone", "plate", "email", "name"]


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Personal data at text[start:end] of the text as given."""

    start: int
    end: int
    kind: PersonalKind


# One character for one, so that positions found in the folded text hold in the original.
_FOLD = {0xFF01 + i: 0x21 + i for i in range(94)} | {0x3000: 0x20}
_SPOKEN = "零〇○一幺二三四五六七八九"
_SPOKEN_DIGITS = str.maketrans(_SPOKEN, "0001123456789")

_COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|司徒|司空|夏侯|端木|长孙|宇文|轩辕|南宫|呼延|闻人"
_SINGLE = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳鲍史唐费廉岑"
    "薛雷贺倪汤滕殷罗毕郝邬安常乐傅皮卞齐康伍余元卜顾孟黄穆萧尹姚邵湛汪祁毛禹狄米贝臧计伏成戴宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路"
    "娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯管卢莫房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉钮龚程嵇邢裴陆荣翁荀羊甄家封储靳焦"
    "巴牧隗车侯宓蓬全班仰秋仲伊宫宁仇栾甘厉戎祖武符刘景詹束龙叶幸司黎薄印白蒲邰赖卓蔺屠蒙池乔阴胥苍闻莘党翟谭贡劳申冉桑桂濮牛寿边燕冀尚农"
    "温庄晏柴瞿阎连习艾容古易廖庾衡步耿满匡国文寇广东欧沃利蔚隆巩聂晁敖融冷辛阚简饶曾沙丰关查游权盖益岳帅闫肖涂佟"
)
# Everyday words that begin like a surname but name nobody.
_NO_NAME = "申请|申报|申诉|申领|强烈|平时|应当|本来|从未|高层|高楼|关于|由于|对于|经常|常住|常年|安置|安装|包工|管理|解决|应该|连续|全体|全家|单位|路人|路过|家长|家属|于是"
_SURNAME = f"(?!{_NO_NAME})(?:{_COMPOUND}|(?<![关对由至])于|[{_SINGLE}])"
_TITLES = "先生|女士|小姐|老师|师傅|阿姨|大爷|大妈|大哥|大姐|同志"
_HAN = r"\u4e00-\u9fff"
_AFTER = rf"(?=[^{_HAN}*]|$|电话|手机|联系|号码|身份|{_TITLES})"
_AFTER_SURE = rf"(?=[^{_HAN}*]|$|电话|手机|联系|号码|身份|{_TITLES}|[我住家现的在是和与说要想男女])"
_SEPARATOR = r"[ \t]*[:：是为叫]?[ \t]*"

# Both look-behinds keep whole numbers whole: codes of 15 or 16 digits and decimals of coordinates are no telephones.
_NO_DIGIT = r"(?<!\d)(?<!\d\.)"
_MOBILE = rf"{_NO_DIGIT}(?:(?:\+|00)?86[- ]?)?0?1(?=(?:[- ]?\d){{10}}(?!\d))[3-9]\d[- ]?\d{{3,4}}[- ]?\d{{4,5}}"
_LANDLINE = rf"{_NO_DIGIT}(?:(?:\+|00)86[- ]?0?|\(?0)(?:10|2\d|[3-9]\d\d)\)?[- ]?[2-8]\d{{2,3}}[- ]?\d{{4}}(?!\d)"
_LOCAL = r"(?:电话|手机|号码|座机|固话|联系方式|致电|拨打|回电)[^\d\n]{0,6}(?P<data>[2-8]\d{2,3}[- ]?\d{4})(?!\d)"
_PLATE = (
    "[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][ ·•.-]?"
    r"(?=[A-Z]{0,5}\d)[A-HJ-NP-Z\d]{4}(?:[A-HJ-NP-Z\d]{1,2}|[学警挂港澳试超领])(?![A-Z\d])"
)
_EMAIL = r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"

# Earlier rows win where two overlap. The group `data`, where there is one, is what is personal.
_RULES: tuple[tuple[PersonalKind, re.Pattern[str]], ...] = (
    ("id_card", re.compile(r"身份证(?:号码|号)?\D{0,4}(?P<data>\d[\d ]{13,19}[\dX])(?![\dX])", re.I | re.A)),
    ("id_card", re.compile(r"(?<![\dA-Z])(?P<checked>[1-9]\d{16}[\dX])(?![\dA-Z])", re.I | re.A)),
    ("phone", re.compile(_MOBILE, re.A)),
    ("phone", re.compile(_LANDLINE, re.A)),
    ("phone", re.compile(_LOCAL, re.A)),
    ("phone", re.compile(r"\+[1-9](?:[- ]?\d){7,14}(?!\d)", re.A)),
    ("phone", re.compile(f"(?<![{_SPOKEN}])[一幺][三四五六七八九][{_SPOKEN}]{{9}}")),
    ("plate", re.compile(_PLATE, re.I | re.A)),
    ("email", re.compile(_EMAIL)),
    ("name", re.compile(f"{_SURNAME}[{_HAN}]{{0,2}}?(?:{_TITLES})")),
    (
        "name",
        re.compile(
            rf"(?:我叫做?|名叫|名字[叫是]|姓名|联系人){_SEPARATOR}"
            rf"(?P<data>{_SURNAME}[{_HAN}]{_AFTER_SURE}|{_SURNAME}[{_HAN}]{{1,2}}(?!\*))"
        ),
    ),
    (
        "name",
        re.compile(
            rf"(?:我是|本人|[投诉举报来电反映]{{2}}人|诉求人|业主|户主|房主){_SEPARATOR}"
            rf"(?P<data>{_SURNAME}[{_HAN}]{{1,2}}?){_AFTER}"
        ),
    ),
)

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"


def is_id_number(text: str) -> bool:
    """Whether 18 characters form a citizen identity number: a real birthday and the check digit of GB 11643-1999."""
    if not re.fullmatch(r"[1-9]\d{16}[\dXx]", text, re.ASCII):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _ID_WEIGHTS, strict=True))
    return _ID_CHECK[total % 11] == text[17].upper()


def find_personal(text: str) -> tuple[Span, ...]:
    """Personal data in free text, in order and without overlaps; positions count characters of `text` itself.

    Kinds: id_card, phone, plate, email, name (introduced by words such as 我叫 or 联系人, or followed by 先生, 女士 …).
    Hotlines, 400 numbers, grid codes and case numbers are not personal. Linear in the length of the text.
    """
    taken = bytearray(len(text))
    spans: list[Span] = []
    for span in _candidates(text.translate(_FOLD)):
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            spans.append(span)
    return tuple(sorted(spans))


def _candidates(folded: str) -> Iterator[Span]:
    for kind, pattern in _RULES:
        for found in pattern.finditer(folded):
            groups = found.groupdict()
            if "checked" in groups and not is_id_number(groups["checked"]):
                continue
            start, end = found.span("data") if "data" in groups else found.span()
            yield Span(start, end, kind)


def mask_text(text: str) -> str:
    """The text with everything `find_personal` finds replaced by its mask."""
    pieces: list[str] = []
    done = 0
    for span in find_personal(text):
        pieces += (text[done : span.start], _MASKS[span.kind](text[span.start : span.end]))
        done = span.end
    return "".join((*pieces, text[done:]))


def mask_phone(number: str) -> str:
    """138****1234 for a mobile number in any written form, ****1234 for other numbers.

    Public short codes and 400/800/106 lines are shown as they are; what has no digits becomes ****.
    """
    if re.fullmatch(r"(?:1\d\d)?\*{4}\d{4}", number):
        return number
    digits = re.sub(r"\D", "", number.translate(_FOLD).translate(_SPOKEN_DIGITS), flags=re.ASCII)
    if found := re.fullmatch(r"(?:00)?(?:86)?0?(1[3-9]\d)\d{4}(\d{4})", digits):
        return f"{found.group(1)}****{found.group(2)}"
    if re.fullmatch(r"[19]\d{2,5}|[48]00\d{7}|106\d{5,}", digits):
        return digits
    if len(digits) < 7:
        return "****" if number.strip() else ""
    return "****" + digits[-4:]


def mask_name(name: str) -> str:
    """张* for 张三, 欧阳* for 欧阳修, 张*先生 for 张三先生; a bare surname with a title, or 市民, stays."""
    found = re.fullmatch(rf"(.*?)({_TITLES}|市民|群众|匿名|居民)?", name.strip(), re.DOTALL)
    core, title = (found.group(1).strip(), found.group(2) or "") if found else (name.strip(), "")
    if not core or (title and re.fullmatch(f"{_COMPOUND}|.", core)):
        return core + title
    surname = re.match(f"(?:{_COMPOUND})(?=.)", core)
    return (surname.group() if surname else core[0]) + "*" + title


def mask_id(number: str) -> str:
    """First and last character of an identity number, stars between; shorter than eight characters only stars."""
    compact = re.sub(r"\s", "", number.translate(_FOLD))
    if len(compact) < 8:
        return "*" * len(compact)
    return compact[0] + "*" * (len(compact) - 2) + compact[-1]


def mask_plate(plate: str) -> str:
    """苏E***45: place of registration and the last two characters."""
    compact = re.sub(r"[ ·•.-]", "", plate.translate(_FOLD))
    return compact[:2] + "*" * max(0, len(compact) - 4) + compact[-2:]


def mask_email(address: str) -> str:
    """z***@example.org: the first character and the domain."""
    local, _, domain = address.translate(_FOLD).partition("@")
    return f"{local[:1]}***@{domain}"


_NUMERAL = "一二三四五六七八九十百零〇甲乙丙丁"
# Where what stands inside a building begins: unit, floor or room; a bare room number; the later parts of 3-2-501.
_INDOORS = re.compile(
    rf"(?:[\dA-Za-z{_NUMERAL}]{{1,6}}|[东西中南北])(?:单元|门洞|梯|层|楼|室|户|房(?!地产))"
    r"|(?<=[栋幢座楼院号弄])[ -]?\d{2,5}(?![\d号栋幢弄座米])"
    r"|(?<=\d)(?:-\d{1,5})+(?![\d号栋幢弄米])"
)


def mask_address(address: str) -> str:
    """The address down to the building: unit, floor and room are cut off (幸福里3栋2单元501室 gives 幸福里3栋)."""
    folded = address.translate(_FOLD)
    found = _INDOORS.search(folded)
    return address[: found.start()].rstrip(" ,，-") if found else address.strip()


_MASKS: Mapping[PersonalKind, Callable[[str], str]] = {
    "id_card": mask_id,
    "phone": mask_phone,
    "plate": mask_plate,
    "email": mask_email,
    "name": mask_name,
}
