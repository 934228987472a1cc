"""The console script as a process: it serves, tells what to try, and ends when it is told to."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pytest

from api.cli.exits import Exit

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAM: Final = [sys.executable, "-c", "from api.cli import main; main()"]
START_SECONDS: Final = 120


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "LC_ALL": ""}


@contextmanager
def started(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """A process that serves, and the lines it wrote until it did."""
    port = free_port()
    output = folder / f"output-{port}"
    with output.open("w") as writing:
        process = subprocess.Popen(
            [*PROGRAM, *arguments, "--port", str(port)], cwd=folder, env=environment(), stdout=writing, stderr=writing
        )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}/healthz", output)
        with output.open() as reading:
            yield process, read_to_end(reading)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str, output: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, output.read_text()
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(output.read_text())


def read_to_end(reading: IO[str]) -> list[str]:
    """The server answers a moment before the last line is written."""
    lines: list[str] = []
    for _ in range(100):
        lines += reading.readlines()
        if any("Ctrl-C" in line for line in lines):
            break
        time.sleep(0.05)
    return [line.rstrip("\n") for line in lines]


def answer(line: str, token: str) -> object:
    """What a ``curl`` line would get, without a curl."""
    words = iter(shlex.split(line.replace("$TOKEN", token)))
    headers, data, url = {}, None, ""
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            data = next(words).encode()
        elif word.startswith("http"):
            url = word
    with urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30) as response:
        assert response.status in (200, 201)
        return json.load(response)


@pytest.mark.slow
def test_the_demo_does_not_do_what_it_says_or_does_not_stop(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with started(tmp_path, "demo", "--data", str(data)) as (process, lines):
        told = "\n".join(lines)
        assert "新生成" in told
        assert all(user in told for user in ("finance2", "supervisor2", "publisher", "admin"))
        (login,) = re.findall(r"^TOKEN=\$\((curl .*?) \|", told, re.M)
        issued = answer(login, "")
        assert isinstance(issued, dict)
        tries = [line for line in lines if line.startswith("curl ")]
        answers = [answer(line, issued["token"]) for line in tries]
        assert len(answers) == 7
        for line in lines:
            if line.startswith("funding-ledger "):
                arguments = shlex.split(line)[1:]
                subprocess.run([*PROGRAM, *arguments], cwd=tmp_path, env=environment(), check=True, capture_output=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    made = (data / "demo.json").stat().st_mtime_ns
    with started(tmp_path, "demo", "--data", str(data)) as (process, lines):
        assert "沿用已有" in "\n".join(lines)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert (data / "demo.json").stat().st_mtime_ns == made


def test_a_server_that_is_not_the_demo_has_users_or_does_not_stop(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--data", str(tmp_path / "data")) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    listed = subprocess.run(
        [*PROGRAM, "users", "list", "--json", "--data", "data"], cwd=tmp_path, env=environment(), capture_output=True
    )
    assert (listed.returncode, json.loads(listed.stdout)) == (0, [])


def test_a_port_in_use_ends_in_a_traceback(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for command in ("serve", "demo"):
            result = subprocess.run(
                [*PROGRAM, command, "--data", str(tmp_path / "data"), "--port", port],
                cwd=tmp_path,
                env=environment(),
                capture_output=True,
                text=True,
            )
            assert result.returncode == 4
            assert "--port" in result.stderr
            assert "Traceback" not in result.stderr
    assert not (tmp_path / "data").exists()


def test_a_terminal_without_chinese_ends_in_a_traceback(tmp_path: Path) -> None:
    narrow = {**environment(), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    result = subprocess.run([*PROGRAM, "limits", "x"], cwd=tmp_path, env=narrow, capture_output=True, text=True)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_a_demo_takes_a_folder_of_real_facts(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "facts.sqlite").write_bytes(b"precious")
    for options in ([], ["--fresh"]):
        result = subprocess.run(
            [*PROGRAM, "demo", "--data", "data", "--port", str(free_port()), *options],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
        )
        assert result.returncode == 1
    assert (tmp_path / "data" / "facts.sqlite").read_bytes() == b"precious"


def test_output_that_nobody_reads_to_its_end_is_taken_for_a_refusal(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*PROGRAM, "--help"], cwd=tmp_path, env=environment(), stdout=writing, stderr=subprocess.PIPE
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (Exit.UNREAD, b"")
