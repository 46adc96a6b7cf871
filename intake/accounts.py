"""Accounts made outside the pages: the profile's at the first start, an administrator's by command."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from intake.errors import BadInput
from intake.model import Role
from intake.ports import Work
from intake.profile import Account
from intake.records import User
from intake.signin import user_named
from intake.workflow import EVERY_UNIT


def has_administrator(work: Work) -> bool:
    return bool(work.find(User, role=Role.ADMINISTRATOR.value, limit=1))


def make_first_accounts(work: Work, accounts: Iterable[Account], *, admin_hash: str) -> str:
    """While there is no administrator: the profile's accounts without passwords, the first administrator with a
    one-time one. Returns the administrator's name, or an empty text when there is one already.
    """
    if has_administrator(work):
        return ""
    held = {user.name for user in work.find(User)}
    missing = [account for account in accounts if account.name not in held]
    administrators = [a.name for a in missing if a.role is Role.ADMINISTRATOR]
    if not administrators:
        missing.append(Account("administrator", "管理员", Role.ADMINISTRATOR))
        administrators = ["administrator"]
    for account in missing:
        first = account.name == administrators[0]
        work.add(User(work.new_id(), account.name, account.display_name, account.role, work.now, account.unit,
                      password_hash=admin_hash if first else "", must_change=first))  # fmt: skip
    return administrators[0]


def add_user(work: Work, *, name: str, role: Role, unit: str, units: Collection[str], password_hash: str,
             sources: Collection[str] = ()) -> User:  # fmt: skip
    """A new user, or a profile's account that never had a password. Refuses a name in use and an unknown unit."""
    if role is Role.UNIT:
        unit = unit or EVERY_UNIT
        if unit != EVERY_UNIT and unit not in units:
            raise BadInput("unit", f"没有这个单位：{unit}")
    if role is Role.SOURCE and unit not in sources:
        raise BadInput("unit", "来源方账号须用 --unit 指明来源，可选：" + "、".join(sources))
    held = user_named(work, name)
    if held is None:
        user = User(work.new_id(), name, name, role, work.now, unit, password_hash=password_hash)
        work.add(user)
        return user
    if held.password_hash:
        raise BadInput("name", f"用户 {name} 已存在，改密码请用 user password。")
    kept_unit = held.unit if role is Role.UNIT and held.role is Role.UNIT and unit == EVERY_UNIT else unit
    changed = replace(held, role=role, unit=kept_unit if role in (Role.UNIT, Role.SOURCE) else "", password_hash=password_hash)
    work.change(held, changed)
    return changed
