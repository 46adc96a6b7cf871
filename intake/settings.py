"""Typed settings, read once at the start: environment first, then intake.toml in the home folder, then defaults.

An unknown key in either is an error. Every field is documented here and in docs/settings.md; a test compares the two.
`python -m intake check` prints them masked.
"""

import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from intake.errors import Misconfigured

PREFIX = "INTAKE_"
CONFIG_NAME = "intake.toml"
TABLES = ("channels", "orders", "phone")
"""Settings that are tables: any value in them may be a secret."""
NESTED = tuple(f"{PREFIX}{name}__".upper() for name in TABLES)


class Settings(BaseSettings):
    """What an administrator may set. Names in the environment carry the prefix INTAKE_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    home: Path = Field(Path("var"), description="数据目录：数据库、媒体、模型、密钥都在这里")
    host: str = Field("127.0.0.1", description="监听地址")
    port: int = Field(12319, ge=1, le=65535, description="监听端口")
    public_url: str = Field("", description="市民访问的网址，例如 https://12319.example.gov；用于二维码和查询链接")
    city: str = Field("demo", description="城市资料：data/cities 下的名称，或一个目录的路径")
    database_url: SecretStr = Field(
        SecretStr(""), description="留空用内置 SQLite；多机部署填 postgresql://用户:密码@主机/库名"
    )
    spool: Path | None = Field(None, description="暂存目录，宜放在另一块磁盘；留空为 home/spool")
    speech: Path | None = Field(None, description="语音组件所在目录（make speech 安装）；留空为 ~/.cache/hotline-intake/speech")
    gateway_name: str = Field("gateway-1", pattern=r"^[A-Za-z0-9_.-]{1,40}$", description="本网关的名称，多机时各不相同")
    master_key_file: Path | None = Field(None, description="主密钥文件；留空为 home/keys/master.key，首次启动时生成")
    master_key: SecretStr = Field(
        SecretStr(""), description="主密钥，32 字节的 base64，轮换时以逗号追加新的；留空则用密钥文件"
    )
    trusted_proxies: tuple[str, ...] = Field((), description="可信反向代理的地址段，只相信它们的转发头")
    secure_cookies: bool = Field(False, description="仅经 HTTPS 发送登录凭据；对外服务时应打开")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="日志级别")
    report_limit: str = Field("30/minute", description="每个地址提交反映的限额")
    status_limit: str = Field("60/minute", description="每个地址查询的限额")
    sign_in_limit: str = Field("20/minute", description="每个地址登录的限额")
    api_limit: str = Field("6000/minute", description="每个地址调用接口的限额")
    map_tiles: str = Field(
        "", pattern=r"^(https?://[A-Za-z0-9.-]+(:\d+)?/[^'\"<>;\s]*)?$",
        description="席位地图的底图瓦片网址，含 {z}、{x}、{y}；留空只用城市自己的区划与道路，不访问外网",
    )  # fmt: skip
    reply_due_hours: int = Field(24, ge=1, le=240, description="回复须在多少小时内发出")
    feed_keep: int = Field(100_000, ge=1000, description="变更通知保留的条数")
    channels: dict[str, dict[str, Any]] = Field(
        default_factory=dict, repr=False, description="启用的渠道及其设置；密钥用环境变量 INTAKE_CHANNELS__渠道__名称"
    )
    phone: dict[str, Any] = Field(
        default_factory=dict, repr=False, description="电话：Asterisk 的地址与口令；口令用 INTAKE_PHONE__AMI_SECRET、INTAKE_PHONE__ARI_SECRET"
    )
    orders: dict[str, dict[str, Any]] = Field(
        default_factory=dict, repr=False, description="上级工单来源的推送地址 push_url 和密钥 secret；密钥用 INTAKE_ORDERS__来源__SECRET"
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            ip_network(text)
        return value

    @field_validator("report_limit", "status_limit", "sign_in_limit", "api_limit")
    @classmethod
    def _is_rate(cls, value: str) -> str:
        number, _, unit = value.partition("/")
        if not number.isdigit() or unit not in ("second", "minute", "hour", "day"):
            raise ValueError("write it as 30/minute")
        return value

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls, settings_cls: type[BaseSettings], **sources: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = Path(os.environ.get(f"{PREFIX}CONFIG") or _home() / CONFIG_NAME)
        return (sources["init_settings"], sources["env_settings"], TomlConfigSettingsSource(settings_cls, toml_file=path))

    @property
    def database_path(self) -> Path:
        return self.home / "intake.db"

    @property
    def media(self) -> Path:
        return self.home / "media"

    @property
    def spool_path(self) -> Path:
        return self.spool or self.home / "spool"

    @property
    def key_path(self) -> Path:
        return self.master_key_file or self.home / "keys" / "master.key"

    @property
    def database_place(self) -> Path | str:
        """The SQLite file, or the address of the PostgreSQL database."""
        return self.database_path if self.is_embedded else self.database_url.get_secret_value()

    @property
    def is_embedded(self) -> bool:
        """True for SQLite in the home folder, False for PostgreSQL."""
        return not self.database_url.get_secret_value()


def _home() -> Path:
    return Path(os.environ.get(f"{PREFIX}HOME") or "var")


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raises Misconfigured naming each wrong key and what is wrong with it."""
    unknown = unknown_variables()
    if unknown:
        raise Misconfigured(f"未知的环境变量：{'、'.join(unknown)}")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [f"{PREFIX}{'.'.join(map(str, e['loc'])).upper()}：{e['msg']}" for e in error.errors(include_input=False)]
        raise Misconfigured("设置有误：\n" + "\n".join(lines)) from None


def unknown_variables() -> list[str]:
    """INTAKE_ variables that no field reads: most often a slip of the pen."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    given = (name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known)
    return sorted(name for name in given if not name.upper().startswith(NESTED))


def printed(settings: Settings) -> list[tuple[str, str, str]]:
    """Name, masked value and meaning of every setting, for `check`."""
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        text = ("已设置" if value.get_secret_value() else "未设置") if isinstance(value, SecretStr) else str(value)
        if name in TABLES:
            text = "；".join(f"{key}（{'、'.join(sorted(one))}）" if isinstance(one, dict) else key for key, one in value.items())
        rows.append((f"{PREFIX}{name.upper()}", text, field.description or ""))
    return rows
