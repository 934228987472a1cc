"""``users``: who may sign in, and which roles they hold."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import click

from api.cli.beginning import is_new, tell_beginning, tell_begun
from api.cli.options import data_option, json_option, open_existing, policies_named
from api.cli.passwords import ask_password, password_option
from api.cli.screen import Run
from api.cli.speech import Speech
from api.credentials import PASSWORD_LENGTH_MAX
from api.database import database_url
from api.service import Service, open_service
from ledger.commands.grant_role import GrantRole
from ledger.commands.revoke_role import RevokeRole
from ledger.errors import FieldError, LedgerError, Malformed, NotFound, Text
from ledger.people import PERSON_LENGTH_MAX, person_name
from ledger.roles import ROLE_NAMES, SYSTEM, Role

C = TypeVar("C", bound=Callable[..., Any])


def command(speech: Speech) -> click.Group:
    group = click.Group(
        "users",
        short_help=speech("用户与角色", "users and their roles"),
        help=speech(
            "建立、关闭用户，授予、撤销角色，修改密码。谁在何时被授予什么角色，是账本中的事实；密码只以散列保存，不在账本中。\n\n"
            "例：\n\n\b\n  funding-ledger users add wanglan --role finance\n  funding-ledger users list",
            "Add and close users, grant and revoke roles, change passwords. That somebody was given a role is a fact in the "
            "ledger; passwords are kept as hashes, elsewhere.\n\n"
            "Example:\n\n\b\n  funding-ledger users add wanglan --role finance\n  funding-ledger users list",
        ),
    )
    for member in (_add(speech), _grant(speech), _revoke(speech), _close(speech), _list(speech), _password(speech)):
        group.add_command(member)
    return group


def _add(speech: Speech) -> click.Command:
    @click.command(
        "add",
        short_help=speech("建立用户并授予角色", "add a user"),
        help=speech(
            "建立用户，询问其密码，并授予角色（由系统账号经唯一入口记录）。\n\n"
            "例：\n\n\b\n  funding-ledger users add wanglan --role finance --role cashier",
            "Add a user, ask for the password, and grant roles: recorded through the one door, by the actor system.\n\n"
            "Example:\n\n\b\n  funding-ledger users add wanglan --role finance --role cashier",
        ),
    )
    @click.argument("name")
    @_role_option(speech)
    @password_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def add(run: Run, name: str, roles: tuple[str, ...], password_stdin: bool, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        name = _name(name)
        if new := is_new(data):
            tell_beginning(screen, data)
        password = ask_password(speech, from_stdin=password_stdin, confirm=True)
        with open_service(data, database_url=database_url(), policies=policies_named()) as service:
            if new:
                tell_begun(screen, data)
            try:
                service.credentials.add_user(name, password)
            except ValueError as error:
                raise _malformed(error) from error
            try:
                _give(service, name, roles)
            except LedgerError:
                screen.note(_how_to_finish(speech, name, sorted(set(roles) - service.ledger.roles_of(name))))
                raise
        if screen.as_json:
            screen.json({"user": name, "roles": list(roles)})
        else:
            screen.line(speech(f"已建立用户 {name}：", f"added {name}: ") + _names(roles, speech))

    return add


def _grant(speech: Speech) -> click.Command:
    @click.command(
        "grant",
        short_help=speech("授予角色", "grant a role"),
        help=speech(
            "给已有的用户再授予角色。\n\n例：\n\n\b\n  funding-ledger users grant wanglan --role cashier",
            "Grant roles to a user that exists.\n\nExample:\n\n\b\n  funding-ledger users grant wanglan --role cashier",
        ),
    )
    @click.argument("name")
    @_role_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def grant(run: Run, name: str, roles: tuple[str, ...], data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        name = _name(name)
        with open_existing(data) as service:
            if not service.credentials.has_user(name):
                raise _no_user(name)
            _give(service, name, roles)
            held = sorted(service.ledger.roles_of(name))
        if screen.as_json:
            screen.json({"user": name, "roles": held})
        else:
            screen.line(f"{name}: {_names(held, speech)}")

    return grant


def _revoke(speech: Speech) -> click.Command:
    @click.command(
        "revoke",
        short_help=speech("撤销角色", "revoke a role"),
        help=speech(
            "撤销某人的角色；此后其以该角色办理的请求即被拒绝，以前办理的不受影响。\n\n"
            "例：\n\n\b\n  funding-ledger users revoke wanglan --role cashier",
            "Revoke roles. What is asked for in them from now on is refused; what was done stays as it is.\n\n"
            "Example:\n\n\b\n  funding-ledger users revoke wanglan --role cashier",
        ),
    )
    @click.argument("name")
    @_role_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def revoke(run: Run, name: str, roles: tuple[str, ...], data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        name = _name(name)
        with open_existing(data) as service:
            if missing := sorted(set(roles) - service.ledger.roles_of(name)):
                raise NotFound(
                    Text(f"{name}没有角色：{'、'.join(missing)}", f"{name} does not hold: {', '.join(missing)}")
                )
            _take(service, name, roles)
            held = sorted(service.ledger.roles_of(name))
        if screen.as_json:
            screen.json({"user": name, "roles": held})
        else:
            screen.line(f"{name}: {_names(held, speech) or speech('没有角色', 'no role')}")

    return revoke


def _close(speech: Speech) -> click.Command:
    @click.command(
        "close",
        short_help=speech("关闭用户", "close a user"),
        help=speech(
            "关闭离岗人员的用户：立即不能登录，已签发的令牌失效，全部角色撤销。其办理过的事项不变，"
            "用户名也不再给别人；本人返岗时用 users password 重新启用，再授予角色。\n\n"
            "例：\n\n\b\n  funding-ledger users close wanglan",
            "Close the user of somebody who left: sign-in and tokens end at once, and all roles are revoked. What was done "
            "stays as it is, and the name is given to nobody else; should the same person come back, users password opens "
            "it again, and roles are granted anew.\n\n"
            "Example:\n\n\b\n  funding-ledger users close wanglan",
        ),
    )
    @click.argument("name")
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def close(run: Run, name: str, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        name = _name(name)
        with open_existing(data) as service:
            if not service.credentials.knows(name):
                raise _no_user(name)
            # Sign-in first: whatever happens to the roles, nobody acts in them by this name any more.
            service.credentials.close_user(name)
            revoked = sorted(service.ledger.roles_of(name))
            _take(service, name, revoked)
        if screen.as_json:
            screen.json({"user": name, "revoked": revoked})
        else:
            screen.line(
                speech(f"已关闭用户 {name}，撤销角色：", f"closed {name}, roles revoked: ")
                + (_names(revoked, speech) or speech("无", "none"))
            )

    return close


def _list(speech: Speech) -> click.Command:
    @click.command(
        "list",
        short_help=speech("列出用户与角色", "list users and roles"),
        help=speech(
            "列出持有角色的人，由谁、何时授予；以及可登录而无角色的人。\n\n例：\n\n\b\n  funding-ledger users list --json",
            "Who holds which role, by whose grant, since when; and who can sign in without any.\n\n"
            "Example:\n\n\b\n  funding-ledger users list --json",
        ),
    )
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def list_users(run: Run, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        with open_existing(data) as service:
            service.views.catch_up()
            rows = service.views.roles()
            signing_in = service.credentials.users()
        # Somebody may have a password and no role: an addition that was cut off, or whose roles were all revoked.
        roleless = sorted(set(signing_in) - {row.person for row in rows})
        if screen.as_json:
            screen.json(
                [
                    *(
                        {"user": person, "roles": [row.role for row in held], "can_sign_in": person in signing_in}
                        for person, held in groupby(rows, key=lambda row: row.person)
                    ),
                    *({"user": person, "roles": [], "can_sign_in": True} for person in roleless),
                ]
            )
            return
        headings = [
            speech("用户", "user"),
            speech("角色", "role"),
            speech("授予人", "granted by"),
            speech("授予日期", "granted on"),
            speech("可登录", "signs in"),
        ]
        yes, no = speech("是", "yes"), speech("否", "no")
        screen.table(
            speech("用户", "users"),
            headings,
            [
                *(
                    [
                        row.person,
                        speech.said(ROLE_NAMES[row.role]),
                        row.granted_by,
                        row.granted_on.isoformat(),
                        yes if row.person in signing_in else no,
                    ]
                    for row in rows
                ),
                *([person, speech("（无角色）", "(no role)"), "", "", yes] for person in roleless),
            ],
        )

    return list_users


def _password(speech: Speech) -> click.Command:
    @click.command(
        "password",
        short_help=speech("修改密码", "change a password"),
        help=speech(
            "修改用户的密码；其已签发的令牌随之失效。已关闭的用户由此重新启用；"
            "恢复备份后，账本中持有角色而尚无密码的人由此设置密码。"
            "\n\n例：\n\n\b\n  funding-ledger users password wanglan",
            "Change a user's password; tokens issued before end with it. A closed user is open again by it; after a restore "
            "it gives a password to who holds roles and has none.\n\n"
            "Example:\n\n\b\n  funding-ledger users password wanglan",
        ),
    )
    @click.argument("name")
    @password_option(speech)
    @data_option(speech)
    @json_option(speech)
    @click.pass_obj
    def password(run: Run, name: str, password_stdin: bool, data: Path, as_json: bool) -> None:
        screen = run.show(as_json=as_json)
        name = _name(name)
        with open_existing(data) as service:
            # Somebody whose roles are facts, and who has no password here: a backup was restored without them.
            restored = not service.credentials.knows(name)
            if restored and not service.ledger.roles_of(name):
                raise _no_user(name)
            new = ask_password(speech, from_stdin=password_stdin, confirm=True)
            put = service.credentials.add_user if restored else service.credentials.set_password
            try:
                put(name, new)
            except ValueError as error:
                raise _malformed(error) from error
        if screen.as_json:
            screen.json({"user": name})
        else:
            screen.line(speech(f"已修改 {name} 的密码", f"changed the password of {name}"))

    return password


def _role_option(speech: Speech) -> Callable[[C], C]:
    known = "、".join(f"{role}（{ROLE_NAMES[role].zh}）" for role in Role)
    return click.option(
        "--role",
        "roles",
        multiple=True,
        required=True,
        type=click.Choice([role.value for role in Role]),
        metavar="ROLE",
        help=speech(f"角色，可重复：{known}", f"a role, repeatable: {', '.join(Role)}"),
    )


def _give(service: Service, name: str, roles: Sequence[str]) -> None:
    for role in roles:
        # A new key each time: a role that was revoked since may be granted again.
        key = f"users-{secrets.token_hex(8)}"
        service.ledger.execute(GrantRole(person=name, role=role), actor=SYSTEM, key=key)


def _take(service: Service, name: str, roles: Sequence[str]) -> None:
    for role in roles:
        key = f"users-{secrets.token_hex(8)}"
        service.ledger.execute(RevokeRole(person=name, role=role), actor=SYSTEM, key=key)


def _how_to_finish(speech: Speech, name: str, missing: Sequence[str]) -> str:
    options = " ".join(f"--role {role}" for role in missing)
    return speech(
        f"用户 {name} 已建立，但以下角色尚未授予。排除原因后执行：funding-ledger users grant {name} {options}",
        f"{name} was added, but not every role was granted. To finish: funding-ledger users grant {name} {options}",
    )


def _names(roles: Sequence[str], speech: Speech) -> str:
    return speech("、", ", ").join(speech.said(ROLE_NAMES[Role(role)]) for role in roles)


def _no_user(name: str) -> NotFound:
    return NotFound(Text(f"没有用户{name}，可用 users add 建立", f"there is no user {name}; users add makes one"))


def _name(typed: str) -> str:
    try:
        return person_name(typed)
    except ValueError as error:
        told = f"用户名须为1至{PERSON_LENGTH_MAX}个英文字母、数字、汉字或 . _ -，且不能是 {SYSTEM}"
        raise Malformed([FieldError("NAME", "invalid", Text(told, str(error)))]) from error


def _malformed(error: ValueError) -> Malformed:
    """What the credentials say of a password, in both languages."""
    told = Text(f"密码须为1至{PASSWORD_LENGTH_MAX}个字符", str(error))
    return Malformed([FieldError("password", "invalid", told)])
