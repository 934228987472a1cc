"""Wrong usage is told in Chinese throughout to who reads Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from api.cli.exits import Exit
from api.cli.program import program
from api.cli.speech import Language, Speech

CHINESE = program(Speech(Language.ZH))
ENGLISH_WORDS = re.compile(
    r"\b(is|not|no|a|an|valid|exist|does|unexpected|requires?|missing|got|option|argument|range|such|one|try)\b", re.I
)


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(CHINESE, list(arguments), input=typed)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["limits"], "缺少参数 USCC"),
        (["certificate", "x"], "缺少选项 -o / --out"),
        (["bogus"], "没有命令 bogus"),
        (["limit"], "没有命令 limit；是否指 limits？"),
        (["quote", "--nonsense"], "没有选项 --nonsense"),
        (["quote", "--rul", "5"], "没有选项 --rul；是否指 --rule？"),
        (["limits", "x", "--year", "soon"], "--year 有误：soon 不是整数"),
        (["limits", "x", "--year", "3"], "--year 有误：3 不在范围 2000<=x<=2100 之内"),
        (["checkpoint", "--timeout", "x"], "--timeout 有误：x 不是数"),
        (["checkpoint", "--timeout"], "选项 --timeout 缺少取值"),
        (["quote", "--json=1"], "选项 --json 不带取值"),
        (["limits", "a", "b", "c"], "多余的参数：b c"),
        (["limits", "a", "b"], "多余的参数：b"),
        (["verify", "missing.jsonl"], "EXPORT 有误：文件 missing.jsonl 不存在"),
        (["verify", "--checkpoint", "."], "--checkpoint 有误：文件 . 是目录，应为文件"),
        (["verify", "--data", __file__], f"--data 有误：目录 {__file__} 是文件，应为目录"),
        (["limits", "x", "--lang", "fr"], "--lang 有误：fr 不是可选的值；可选：zh、en"),
        (["users", "add", "x", "--role", "king"], "--role 有误：king 不是可选的值；可选：intake、"),
    ],
)
def test_wrong_usage_is_not_told_in_another_language(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == Exit.MALFORMED
    assert said in result.stderr.replace("[", "").replace("]", "")
    assert result.stderr.splitlines()[-1].startswith("用法见：funding-ledger")


def test_the_way_to_help_names_the_command_that_was_meant() -> None:
    assert "funding-ledger checkpoint --help" in run("checkpoint", "--timeout").stderr
    assert "funding-ledger users add --help" in run("users", "add", "--role").stderr


def commands(group: click.Group, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield (*above, name), command


def test_no_option_put_wrong_meets_a_sentence_without_a_translation(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x", encoding="utf-8")
    tried = 0
    for names, command in commands(CHINESE):
        for parameter in command.params:
            if not isinstance(parameter, click.Option):
                continue
            option = parameter.opts[-1]
            wrong = (f"{option}=x",) if parameter.is_flag else (option, option + "=king", option + "=" + str(tmp_path))
            if not parameter.is_flag and isinstance(parameter.type, click.Path):
                wrong = (option, f"{option}={file if not parameter.type.file_okay else tmp_path}")
            for attempt in wrong:
                result = run(*names, attempt)
                if result.exit_code != Exit.MALFORMED:
                    continue
                tried += 1
                first = result.stderr.splitlines()[0].replace(str(tmp_path), "")
                assert re.search("[\u4e00-\u9fff]", first), (attempt, first)
                assert not ENGLISH_WORDS.search(re.sub(r"--?[a-z-]+", "", first)), (attempt, first)
    assert tried > 60


def test_passwords_that_differ_are_told_in_the_language_of_who_types_them(tmp_path: Path) -> None:
    add = ("users", "add", "wang", "--role", "finance", "--data", str(tmp_path / "data"))
    result = run(*add, typed="one\ntwo\nthree\nthree\n")
    assert result.exit_code == Exit.DONE, result.output
    assert "两次输入的密码不同" in result.stderr
    assert "Error" not in result.stderr
