"""What the READMEs tell a newcomer to type after the demo works as it is printed there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.program import program
from api.cli.speech import Language, Speech
from api.demo.folder import prepare_demo

ROOT = Path(__file__).resolve().parents[2]


def commands(readme: str) -> list[list[str]]:
    """Those about the demo's data, but for the imports, whose files are the reader's own."""
    text = (ROOT / readme).read_text("utf-8").replace("\\\n", " ")
    lines = re.findall(r"^\.venv/bin/funding-ledger (.+--data demo-data)$", text, re.MULTILINE)
    return [shlex.split(line) for line in lines if not line.startswith("import")]


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_a_command_of_the_readme_fails(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepare_demo(Path("demo-data"), fresh=False)
    given = commands(readme)
    assert [words[0] for words in given] == ["quote", "limits", "trace", "sheet"]
    for words in given:
        result = CliRunner().invoke(program(Speech(Language.EN)), words)
        assert result.exit_code == 0, (words, result.output)
