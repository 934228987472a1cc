"""What is said where a command begins a ledger, or makes the folder of one: whoever mistyped ``--data`` must notice.

The first ``users add``, ``serve`` or ``keys`` on a new machine is one command and no more: there is nothing to set up
before it, and the READMEs promise as much. So none of them refuses a folder without a ledger. But the same command in a
folder that was mistyped would give a role, or the key that auditors are told, to a ledger that nobody uses, and the real
one would go without. Hence it is said, to standard error and with the whole path: before a password is asked for, so that
whoever meant another folder can stop while nothing is made; and afterwards what the new folder holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from api.cli.screen import Screen
from api.database import CREDENTIALS, FACTS, database_url
from api.service import VIEWS


def is_new(data: Path) -> bool:
    """Whether the folder holds no ledger yet; of one whose facts lie in a database, none of its users."""
    return not (data / (CREDENTIALS if database_url() else FACTS)).is_file()


def tell_beginning(screen: Screen, data: Path) -> None:
    """Before a ledger is begun in a folder that :func:`is_new`."""
    where = data.absolute()
    if database_url():
        zh = f"目录{where}里还没有账本的用户，将在此新建（事实在数据库中）。"
        en = f"There are no users of a ledger in {where} yet: they are put there (the facts lie in the database)."
    else:
        zh = f"目录{where}里还没有账本，将在此新建。"
        en = f"There is no ledger in {where} yet: a new one is begun there."
    screen.note(
        screen.speech(
            f"{zh}如果要用的是已有的账本，请停止（Ctrl-C），用 --data 指明它的目录。",
            f"{en} If you mean one that exists, stop (Ctrl-C) and name its folder with --data.",
        )
    )


def tell_begun(screen: Screen, data: Path) -> None:
    """After it."""
    where = data.absolute()
    zh_facts, en_facts = ("", "") if database_url() else (f"事实 {FACTS}、", f"the facts ({FACTS}), ")
    screen.note(
        screen.speech(
            f"已在{where}新建：{zh_facts}用户 {CREDENTIALS}、清单 {VIEWS}。",
            f"New in {where}: {en_facts}the users ({CREDENTIALS}), the lists ({VIEWS}).",
        )
    )


def tell_key_alone(screen: Screen, data: Path, made: Sequence[str]) -> None:
    """After a key was made for a folder that :func:`is_new`; ``made`` are the files put into it."""
    where = data.absolute()
    screen.note(
        screen.speech(
            f"目录{where}里还没有账本，只有刚生成的密钥（{'、'.join(made)}）。如果是为已有的账本生成密钥，"
            "请删去，用 --data 指明该账本的目录后重新生成。",
            f"There is no ledger in {where} yet, only what was made now ({', '.join(made)}). If the key is for a "
            "ledger that exists, delete it, and make one with --data naming that ledger's folder.",
        )
    )
