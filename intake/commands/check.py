"""`check`: the settings as they are in force, secrets masked, and what is wrong with them or with the city profile."""

import click

from channels.order_webhook import read_setting
from intake.commands.doctor_phone import phone_warnings, voice_warnings
from intake.settings import load_settings, printed
from intake.wiring import city_of


@click.command("check")
def command() -> None:
    """显示当前设置（密文隐去），并检查城市资料。"""
    settings = load_settings()
    for name, value, meaning in printed(settings):
        click.echo(f"{name:28} {value:40} {meaning}")
    city = city_of(settings)
    grids = len(city.areas.areas["grid"])
    click.echo(f"\n城市资料：{city.name}，单位 {len(city.units)} 个，单元网格 {grids} 个，"
               f"启用类别 {len(city.taxonomy.in_use)} 个，派遣规则 {len(city.routing)} 条。")  # fmt: skip
    for source, given in settings.orders.items():
        read_setting(source, given)
    by_phone = [*phone_warnings(settings.phone), *voice_warnings(settings, city)]
    for warning in [*warnings(settings.public_url, secure=settings.secure_cookies), *by_phone]:
        click.echo(f"提醒：{warning}")
    click.echo("设置无误。")


def warnings(public_url: str, *, secure: bool) -> list[str]:
    """What is allowed but should be looked at before citizens use it."""
    found = []
    if not public_url:
        found.append("没有设置 INTAKE_PUBLIC_URL，二维码和查询链接将使用来访的网址。")
    elif public_url.startswith("https://") and not secure:
        found.append("对外使用 HTTPS 时应设置 INTAKE_SECURE_COOKIES=true。")
    return found
