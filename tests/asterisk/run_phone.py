"""`make run-phone`: the gateway and a real Asterisk together on this machine, to be tried out with two softphones.

Not an installation: for that see docs/telephony.md. Ctrl-C ends both. Further words go to the gateway (`--no-train`).
"""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

from intake.model import Role
from intake.profile import City
from intake.settings import load_settings
from intake.telephones import Telephones, load_telephones
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
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        exchange.start()
        explain(exchange, city, secret, people(city, secret))
        serve(exchange)
    except KeyboardInterrupt:
        pass  # asked to end before the gateway was up
    finally:
        exchange.stop()
        print("网关和 Asterisk 都已停止。")


def people(city: City, password: str) -> list[str]:
    """An operator and a shift leader of the profile who can sign in at the desk; their accounts as lines to be told."""
    lines = []
    for role, words in ((Role.OPERATOR, "受理员"), (Role.SHIFT_LEADER, "值班长")):
        name = next((account.name for account in city.accounts if account.role is role), f"phone-{role.value}")
        command = [sys.executable, "-m", "intake", "user", "add", name, "--role", role.value, "--password-stdin"]
        made = subprocess.run(command, input=f"{password}\n", text=True, capture_output=True, check=False)
        lines.append(f"{words}：账号 {name}，密码 {password if made.returncode == 0 else '（此前已设）'}")
    return lines


def is_free(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.bind(("0.0.0.0", port))
        return True
    return False


def serve(exchange: Exchange) -> None:
    """The gateway beside it, until it ends or Ctrl-C, which reaches both of us."""
    environment = os.environ | {"INTAKE_PHONE": json.dumps(exchange.phone_settings())}
    gateway = subprocess.Popen([sys.executable, "-m", "intake", "serve", *sys.argv[1:]], env=environment)
    with suppress(KeyboardInterrupt):
        gateway.wait()
    with suppress(KeyboardInterrupt):
        # Ctrl-C has reached it already, a word from elsewhere has not; twice does no harm.
        gateway.send_signal(signal.SIGINT)
        gateway.wait()


def explain(exchange: Exchange, city: City, secret: str, people: list[str]) -> None:
    """How to register and how to ring."""
    telephones = load_telephones(city.folder)
    secrets = exchange.secrets()["extensions"]
    numbers = "、".join(line.number for line in city.lines)
    print(f"\n电话已就绪。SIP 服务器：{own_address()}:{exchange.sip_port}（UDP）。在两部软电话（如 Linphone、MicroSIP）上各登记一个：\n")
    for extension in telephones.extensions:
        print(f"  受理员  用户名 {extension.number:8} 密码 {secrets[extension.number]}  （{extension.name}）")
    print(f"  市民    用户名 {CITIZEN:8} 密码 {secret}")
    print("\n1. 受理员在浏览器登录工作台（网址见下），点右上角“☎ 离线”，填面前电话的分机号签入，再点“示闲”：")
    print("".join(f"     {line}\n" for line in people), end="")
    print(f"2. 市民的软电话拨 {numbers}：受理员的分机振铃，浏览器弹屏。值班长用分机 {leader(telephones)} 签入后可监听。")
    print(f"3. 没有人签入时可以留言；停掉网关再拨，听到的是本地应急流程。Asterisk 的日志：{exchange.folders.log / 'messages'}\n")


def leader(telephones: Telephones) -> str:
    return telephones.leaders[0].number if telephones.leaders else telephones.extensions[0].number


def own_address() -> str:
    """The address other machines reach this one at; asks the routing table and sends nothing."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    main()
