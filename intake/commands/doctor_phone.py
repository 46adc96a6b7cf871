"""`doctor` and `check`, the telephone's part: settings that cannot work, and whether each Asterisk takes our passwords."""

from collections.abc import Mapping
from typing import Any

from channels.phone import PhoneSettings, Server, read_settings
from channels.phone.speech_pack.pack import pack_at
from intake.doctor import Finding
from intake.errors import Misconfigured
from intake.phone_profile import PhoneBook
from intake.profile import City
from intake.settings import Settings

NAME = "电话"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
AMI_WORDS = {
    "refused": "AMI 拒绝登录：请核对 ami_user、ami_secret 与 manager.conf 的 secret，以及 permit 是否包括网关的地址",
    "unreachable": "连不上 AMI {host}:{port}：Asterisk 没有运行，或地址、端口、防火墙有误",
}
ARI_WORDS = {
    "refused": "ARI 拒绝口令：请核对 ari_user、ari_secret 与 ari.conf，否则录音取不回来",
    "unreachable": "连不上 ARI {ari}：http.conf 没有启用，或地址有误，录音将取不回来",
}


async def phone_findings(given: Mapping[str, Any]) -> list[Finding]:
    """One for each Asterisk; none where no telephone is set up."""
    try:
        phone = read_settings(given)
    except Misconfigured as error:
        return [Finding(NAME, error.message, wrong=True)]
    if phone is None:
        return []
    # Read here only: a gateway without a telephone needs none of it.
    import aiohttp

    from channels.phone.probe import probe

    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        probed = [(server, await probe(server, http)) for server in phone.servers]
    return [_finding(server, ami=each.ami, ari=each.ari) for server, each in probed]


def _finding(server: Server, *, ami: str, ari: str) -> Finding:
    wrong = [AMI_WORDS[ami].format(host=server.host, port=server.ami_port)] if ami else []
    wrong += [ARI_WORDS[ari].format(ari=server.ari)] if ari else []
    return Finding(f"{NAME} {server.name}", "；".join(wrong) or "AMI 和 ARI 可以登录", wrong=bool(wrong))


def phone_warnings(given: Mapping[str, Any]) -> list[str]:
    """What can be read from the settings alone. Raises Misconfigured for settings that cannot be read."""
    phone = read_settings(given)
    return [*_without_ari(phone), *_not_reachable(phone), *_open_door(phone)] if phone else []


def voice_warnings(settings: Settings, city: City) -> list[str]:
    """A city that wants its replies told by machine where no machine can say them."""
    phone = read_settings(settings.phone)
    if phone is None or not PhoneBook(city).rules().voice.enabled:
        return []
    missing = [] if pack_at(settings.speech).is_installed() else ["没有安装语音包（make speech）"]
    missing += [] if phone.speech_url else ["没有设置 phone 的 speech_url"]
    return [f"城市资料启用了自动语音答复，但{'，也'.join(missing)}：答复都会转给话务员。"] if missing else []


def _without_ari(phone: PhoneSettings) -> list[str]:
    return [f"电话 {server.name} 没有设置 ari_secret，录音将取不回来。" for server in phone.servers if not server.ari_secret]


def _not_reachable(phone: PhoneSettings) -> list[str]:
    remote = [server.name for server in phone.servers if server.host not in LOOPBACK]
    if remote and phone.agi_host in LOOPBACK:
        return [f"Asterisk {remote[0]} 在另一台机器上，agi_host 却是 {phone.agi_host}，它连不到网关。"]
    return []


def _open_door(phone: PhoneSettings) -> list[str]:
    if any(peer.endswith("/0") for peer in phone.agi_peers):
        return ["agi_peers 放行了所有地址，而 FastAGI 没有口令：谁都可以冒充电话交换机。请只写 Asterisk 的地址。"]
    return []
