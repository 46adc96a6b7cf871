"""The tables of data/address.toml, compiled, and the expression for what stands behind a name (对面, 往北80米)."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TABLE_FILE = Path(__file__).resolve().parent.parent / "data" / "address.toml"
NUMERALS = "0-9一二三四五六七八九十"

RELATION = re.compile(
    r"的?(?:"
    r"(?:丁字|十字|三岔|三叉|交叉)?(?:交叉路口|交叉口|路口|十字|交汇[处口]?|交界处?|相交处|交会处|交口|岔路口|拐角处?|转角处?|岔口|分流处|汇流处)"
    r"(?:[东西南北]{1,2}[角侧])?(?:处|附近)?"
    rf"|[往向以朝]?正?[东西南北]{{1,2}}(?:方向|[走行面侧边])?(?:大?约|走)?[{NUMERALS}两百]{{1,4}}[多来余]?米(?:左右)?处?"
    r"|[斜正]?对[面过]|隔壁|旁边?|附近|周[边围]|外围|门口|门前|大门口?|[后前侧]门|正门口?|楼[下前后]|[后前下里]面|背后|后身"
    r"|沿[线街]|一带|[一两]侧|[中南北东西]段|延伸段|[尽南北东西]头|[东西南北]{1,2}(?:[侧角边面口段头门端]|出口|入口)|出?入口|出口|出站口|地铁口"
    r"|[东西南北]{1,2}(?=[，,。 ]|$)|之间|两边|路[东西南北](?:侧|边)?|以[东西南北]|[往向朝][东西南北]{1,2}(?:走|方向)?|方向|底下|中间|全线|转弯处|掉头处|[上下]坡段"
    r"|桥[头下底]|路段|[段口头尾旁外前后下内]|边上?|上(?=[，,。 ]|$)"
    r"|(?:人行道|人行步道|步道|盲道|非机动车道|机动车道|辅道|辅路|绿化带|草坪|花坛|院内|院里|地下车库|地下室|单元门口|公交站台?|斑马线)(?:上|内|里|旁边?|边)?"
    r"|[那这](?:边|儿|里|段)|[路街]边|处(?!理)|工地|地块"
    r")"
)


@dataclass(frozen=True, slots=True)
class AddressTable:
    """What the file holds; the meaning of each table stands beside it there."""

    part_of: Mapping[str, str]
    ending: re.Pattern[str]
    alone: frozenset[str]
    pointing: tuple[str, ...]
    before: Mapping[str, str]
    never: frozenset[str]
    late: frozenset[str]
    words: frozenset[str]
    places: frozenset[str]


@cache
def table() -> AddressTable:
    """Read once."""
    held: dict[str, Any] = tomllib.loads(TABLE_FILE.read_text(encoding="utf-8"))
    part_of = {ending: part for part, endings in held["endings"].items() for ending in endings}
    longest_first = sorted(part_of, key=lambda ending: (-len(ending), ending))
    return AddressTable(
        part_of=part_of,
        ending=re.compile(f"(?=({'|'.join(map(re.escape, longest_first))}))"),
        alone=frozenset(held["common"]["alone"]),
        pointing=tuple(held["common"]["pointing"]),
        before=held["common"]["before"],
        never=frozenset(held["never"]["characters"]),
        late=frozenset(held["never"]["late"]),
        words=frozenset(held["never"]["words"]),
        places=frozenset(held["known"]["places"]),
    )
