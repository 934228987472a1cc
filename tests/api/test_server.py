"""The real server, in a process of its own: it says when it listens, and ends when it is told to."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.request_size import REQUEST_BYTES_MOST, SERVER_BYTES_MOST
from api.service import open_service
from ledger.commands.grant_role import GrantRole
from ledger.roles import SYSTEM

SERVER = """
import sys
from pathlib import Path
from api.logs import log_to_stderr
from api.server import serve
from api.service import open_service

log_to_stderr()
with open_service(Path(sys.argv[1])) as service:
    serve(service, port=0, on_ready=lambda url: print(url, flush=True))
print("closed", flush=True)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    with open_service(tmp_path) as service:
        service.credentials.add_user("auditor", "demo")
        service.ledger.execute(GrantRole(person="auditor", role="auditor"), actor=SYSTEM, key="k")
    return tmp_path


@pytest.fixture
def server(data: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", SERVER, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def connection(url: str) -> http.client.HTTPConnection:
    address = urlsplit(url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)


def posted(url: str, body: bytes | Iterator[bytes], language: str) -> tuple[int, str, dict[str, Any]]:
    client = connection(url)
    headers = {"Content-Type": "application/json", "Accept-Language": language}
    # An iterator has no length beforehand, and is sent in chunks.
    client.request("POST", "/api/v1/tokens", body, headers, encode_chunked=not isinstance(body, bytes))
    answer = client.getresponse()
    return answer.status, answer.headers["Content-Type"], json.load(answer)


@pytest.mark.parametrize("chunked", [False, True], ids=["by its length", "in chunks"])
def test_a_request_that_is_too_large_is_refused_in_other_words_than_any_other(
    server: subprocess.Popen[str], chunked: bool
) -> None:
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    for size, language in (
        (REQUEST_BYTES_MOST, "zh-CN"),
        (REQUEST_BYTES_MOST + 1, "zh-CN"),
        (REQUEST_BYTES_MOST * 4, "en"),
    ):
        body = json.dumps({"username": "auditor", "password": "x"}).encode().ljust(size)
        sent = (body[at : at + 60_000] for at in range(0, size, 60_000)) if chunked else body
        status, media_type, problem = posted(url, sent, language)
        if size == REQUEST_BYTES_MOST:
            assert (status, problem["code"]) == (401, "invalid-credentials"), problem
            continue
        assert (status, media_type) == (413, "application/problem+json")
        assert (problem["status"], problem["code"]) == (413, "too-large")
        assert "262,144" in problem["detail"], "the limit is named"
        assert ("请分多次提交" if language == "zh-CN" else "several requests") in problem["detail"], "and what to do"


def test_a_flood_is_stopped_by_the_server_before_it_is_read(server: subprocess.Popen[str]) -> None:
    assert server.stdout is not None
    client = connection(server.stdout.readline().strip())
    client.putrequest("POST", "/api/v1/tokens")
    client.putheader("Content-Length", str(SERVER_BYTES_MOST))
    client.endheaders()
    assert client.getresponse().status == 413


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly_with_requests_under_way_answered(
    server: subprocess.Popen[str], number: signal.Signals
) -> None:
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    client = connection(url)
    client.request(
        "POST",
        "/api/v1/tokens",
        json.dumps({"username": "auditor", "password": "demo"}),
        {"Content-Type": "application/json"},
    )
    token = json.load(client.getresponse())["token"]

    answers: list[int] = []

    def wait_for_a_position_that_does_not_come() -> None:
        waiting = connection(url)
        headers = {"Authorization": f"Bearer {token}", "Ledger-Position": "999"}
        waiting.request("GET", "/api/v1/awards", headers=headers)
        answers.append(waiting.getresponse().status)

    under_way = threading.Thread(target=wait_for_a_position_that_does_not_come)
    under_way.start()
    time.sleep(0.5)
    server.send_signal(number)
    said, logged = server.communicate(timeout=30)
    under_way.join(timeout=30)

    assert (server.returncode, said) == (0, "closed\n"), logged
    assert answers == [503]
    lines = [json.loads(line) for line in logged.splitlines()]
    assert [line["event"] for line in lines if line["event"] != "request"] == ["listening", "stopped"]
    assert {line["route"] for line in lines if line["event"] == "request"} == {"/api/v1/tokens", "/api/v1/awards"}
    assert token not in logged
