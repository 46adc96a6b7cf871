"""Every contact with the outside world: one module for each channel, the web server in web/, Asterisk in phone/.

A channel module `<medium>_<provider>.py` offers KIND, a frozen dataclass Settings and build(settings, http); it is found
here by its file, no list is edited. What it offers is in docs/house.md, A3. Values come from the settings file.
"""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

from intake.errors import Misconfigured

WORDS_OF_YES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def names() -> tuple[str, ...]:
    """The channel modules in this folder."""
    # One underscore: a channel. More of them: parts of one, which may cost much to read and are read when it is built.
    files = (info.name for info in pkgutil.iter_modules(__path__) if info.name.count("_") == 1 and not info.ispkg)
    return tuple(sorted(name for name in files if _is_channel(_module(name))))


def kind_of(name: str) -> str:
    """What a module's channel is called in cases and the outbox (sms, telegram, wechat); raises Misconfigured."""
    if not name.isidentifier() or name not in names():
        raise Misconfigured(f"没有这个渠道：{name[:40]}。可用的有：{'、'.join(names())}。")
    kind: str = _module(name).KIND
    return kind


def kinds_of(chosen: Iterable[str]) -> frozenset[str]:
    """What the chosen modules can send by; two modules of one kind are refused, because replies could not choose.

    Where their settings are given too, with what they offer besides (a module's `also_offers(values)`): template messages.
    """
    kinds: dict[str, str] = {}
    for name in chosen:
        kind = kind_of(name)
        if kind in kinds:
            raise Misconfigured(f"渠道 {kinds[kind]} 和 {name} 都是 {kind}，只能启用一个。")
        kinds[kind] = name
    more = (kind for name in kinds.values() if isinstance(chosen, Mapping) for kind in _also(name, chosen[name]))
    return frozenset((*kinds, *more))


def routes_of(channel: Any) -> tuple[str, ...]:
    """What a built channel sends by: its kind, and what else it offers under `routes`."""
    routes: tuple[str, ...] = getattr(channel, "routes", (channel.kind,))
    return routes


def _also(name: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    offers = getattr(_module(name), "also_offers", None)
    return tuple(offers(values)) if offers else ()


def build(name: str, values: Mapping[str, Any], http: Any, *, shared: Mapping[str, Any] | None = None) -> Any:
    """The channel of a module from its settings; raises Misconfigured naming what is missing, unknown or malformed.

    `shared` are settings of the gateway itself (public_url, area_code) that a channel may want under the same name.
    """
    kind_of(name)
    module = _module(name)
    return module.build(read_settings(name, module.Settings, values, shared=shared), http)


def read_settings(
    name: str, kind: type[Any], values: Mapping[str, Any], *, shared: Mapping[str, Any] | None = None
) -> Any:
    """Values as the module's own Settings. Secrets usually come from the environment."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    if unknown := sorted(values.keys() - fields.keys()):
        raise Misconfigured(f"渠道 {name} 没有这项设置：{unknown[0]}。")
    given = {key: value for key, value in (shared or {}).items() if key in fields} | dict(values)
    hints = get_type_hints(kind)
    for key, field in fields.items():
        needed = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if needed and given.get(key) in (None, ""):
            raise Misconfigured(f"渠道 {name} 缺少设置：{variable(name, key)}。")
    read = {key: _value(hints[key], value, variable(name, key)) for key, value in given.items()}
    try:
        return kind(**read)
    except ValueError as error:
        raise Misconfigured(f"渠道 {name} 的设置有误：{error}") from None


def variable(name: str, key: str) -> str:
    """The environment variable of a channel's setting."""
    return f"INTAKE_CHANNELS__{name}__{key}".upper()


def _value(hint: Any, value: Any, name: str) -> Any:
    try:
        if get_origin(hint) is tuple:
            parts = value.split(",") if isinstance(value, str) else value
            return tuple(
                _value(get_args(hint)[0], part.strip() if isinstance(part, str) else part, name) for part in parts
            )
        if hint is bool:
            return value if isinstance(value, bool) else WORDS_OF_YES[str(value).lower()]
        return hint(value)
    except (ValueError, TypeError, KeyError):
        raise Misconfigured(f"设置 {name} 格式不正确。") from None


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{name}")


def _is_channel(module: ModuleType) -> bool:
    return all(hasattr(module, part) for part in ("KIND", "Settings", "build"))
