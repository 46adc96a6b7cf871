"""`asterisk`: what the telephone exchange needs of this gateway."""

from pathlib import Path

import click

from intake.commands.asterisk_files import Folders, Site, render
from intake.settings import load_settings
from intake.wiring import city_of

DEFAULT = Site()


@click.group("asterisk")
def command() -> None:
    """电话交换机（Asterisk）的配置。"""


@command.command("render")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="写入的目录")
@click.option("--name", default=DEFAULT.name, show_default=True, help="这台 Asterisk 的名称，多台时各不相同")
@click.option("--gateway", default=DEFAULT.gateway, show_default=True, help="网关的 FastAGI 地址")
@click.option("--gateway-network", multiple=True, help="网关所在地址段，可多次；只有它们能连 AMI")
@click.option("--control", default=DEFAULT.control, show_default=True, help="AMI 与 ARI 的监听地址")
@click.option("--bind", default=DEFAULT.bind, show_default=True, help="SIP 的监听地址")
@click.option("--sip-port", default=DEFAULT.sip_port, show_default=True, help="SIP 端口")
@click.option("--trunk", default=DEFAULT.trunk, show_default=True, help="中继（运营商或上级交换机）的地址")
@click.option("--trunk-user", default="", help="中继需要注册时的用户名；密码写在 secrets.toml 的 trunk")
@click.option("--existing", is_flag=True, help="已在使用的 Asterisk：不写 SIP 传输和来电识别，来电由原有中继转入 hotline-in")
@click.option("--external", default="", help="位于地址转换之后时的公网地址")
@click.option("--modules", type=click.Path(path_type=Path), default=Folders().modules, show_default=True, help="Asterisk 的模块目录")
def render_command(out: Path, modules: Path, gateway_network: tuple[str, ...], **values: str | bool) -> None:
    """由城市资料生成 Asterisk 的全部配置、提示音和网关的连接设置。"""
    folders = Folders(modules=modules)
    networks = gateway_network or DEFAULT.gateway_networks
    render(city_of(load_settings()), Site(folders=folders, gateway_networks=networks, **values), out)  # type: ignore[arg-type]
    click.echo(f"已写入 {out}：etc（配置）、sounds（提示音）、secrets.toml（密码）、gateway.toml（加入网关的 intake.toml）。")
    click.echo("接入步骤见 docs/telephony.md。")
