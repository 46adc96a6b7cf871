"""`make run-phone`: the gateway and a real Asterisk together on this machine, to be tried out with two softphones.

Not an installation: for that see docs/telephony.md. Ctrl-C ends both.
"""

import json
import os
import socket
import subprocess
import sys
from contextlib import suppress

from intake.profile import City
from intake.settings import load_settings
from intake.telephones import load_telephones
from intake.wiring import city_of
from tests.asterisk.exchange import CONTROL, Exchange, free_port
from tests.asterisk.install import installation

CITIZEN = "citizen"
SIP_PORT = 5060
ACCOUNT = """
; A softphone that plays a citizen: whatever it dials arrives as if it came from the public network.
[{name}](hotline-telephone)
context = hotline-in
auth = {name}
aors = {name}
callerid = "" <000000000001>

[{name}]
type = auth
auth_type = userpass
username = {name}
password = {secret}

[{name}](hotline-register)
"""


def main() -> None:
    print("正在准备 Asterisk 22（首次需要下载约 40 MB）…")
    found = installation()
    settings = load_settings()
    city = city_of(settings)
    exchange = Exchange("hotline", found, "0.0.0.0", keep_in=settings.home.resolve() / "phone")
    if is_free(SIP_PORT):
        exchange.sip_port = SIP_PORT
    exchange.lay_out(city, sip_port=exchange.sip_port, gateway=f"{CONTROL}:{free_port(CONTROL)}")
    secret = exchange.secrets()["ami"][:12]
    exchange.add("hotline/pjsip.conf", ACCOUNT.format(name=CITIZEN, secret=secret))
    exchange.start()
    try:
        explain(exchange, city, secret)
        serve(exchange)
    finally:
        exchange.stop()


def is_free(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.bind(("0.0.0.0", port))
        return True
    return False


def serve(exchange: Exchange) -> None:
    """The gateway beside it, until it ends or Ctrl-C, which reaches both of us."""
    environment = os.environ | {"INTAKE_PHONE": json.dumps(exchange.phone_settings())}
    gateway = subprocess.Popen([sys.executable, "-m", "intake", "serve"], env=environment)
    with suppress(KeyboardInterrupt):
        gateway.wait()
    gateway.wait()


def explain(exchange: Exchange, city: City, secret: str) -> None:
    """How to register and how to ring."""
    telephones = load_telephones(city.folder)
    secrets = exchange.secrets()["extensions"]
    numbers = "、".join(line.number for line in city.lines)
    print(f"\n电话已就绪。SIP 服务器：{own_address()}:{exchange.sip_port}（UDP）。在两部软电话（如 Linphone、MicroSIP）上各登记一个：\n")
    for extension in telephones.extensions:
        print(f"  受理员  用户名 {extension.number:8} 密码 {secrets[extension.number]}  （{extension.name}）")
    print(f"  市民    用户名 {CITIZEN:8} 密码 {secret}")
    print(f"\n1. 受理员在工作台登录，用分机号签入并示闲；2. 市民的软电话拨 {numbers}。")
    print(f"没有人签入时可以留言；停掉网关再拨，听到的是本地应急流程。Asterisk 的日志：{exchange.folders.log / 'messages'}\n")


def own_address() -> str:
    """The address other machines reach this one at; asks the routing table and sends nothing."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    main()
