"""R1, answered = durable: a server is killed under load, in a loop; whoever got an answer finds it again, once.

kill -9 cannot show a missing flush (the operating system keeps what was written); it shows what a process forgets: facts
answered before they were written, keys that do not outlive the process, stores that cannot be opened again.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from api.service import open_service
from ledger.commands.grant_role import GrantRole
from ledger.roles import SYSTEM

CLIENTS = 4
LIFE_SECONDS = (0.02, 0.25)
"""How long a server lives after its first answer of a round."""

# Starting Python and importing everything takes longer than a round: done once, each server is then a fork of a process
# that has opened nothing yet.
NURSERY = """
import os, sys
from pathlib import Path
from api.server import serve
from api.service import open_service

for _ in sys.stdin:
    server = os.fork()
    if server == 0:
        with open_service(Path(sys.argv[1]), database_url=sys.argv[2] or None) as service:
            serve(service, port=0, on_ready=lambda url: print(os.getpid(), url, flush=True))
        os._exit(0)
    os.waitpid(server, 0)
"""


@dataclass
class Office:
    """Clients that record, and remember what they were told."""

    token: str
    answered: dict[str, bytes] = field(default_factory=dict)
    """Key → the answer's body."""
    unanswered: list[str] = field(default_factory=list)
    """Keys of requests that were sent and not answered: perhaps recorded, perhaps not."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, server: http.client.HTTPConnection, key: str) -> tuple[bytes, bool]:
        """The answer, and whether it was given before. Raises where the server died over it."""
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        server.request("POST", "/api/v1/applications", json.dumps(claim(key)), headers)
        answer = server.getresponse()
        body = answer.read()
        assert answer.status == 201, body
        return body, answer.headers["Idempotency-Replayed"] == "true"

    def record_until_killed(self, url: str, name: str, begun: threading.Event) -> None:
        server = connected(url)
        for number in range(1_000_000):
            key = f"{name}-{number}"
            try:
                body, replayed = self.submit(server, key)
            except (OSError, http.client.HTTPException):
                with self._lock:
                    self.unanswered.append(key)
                return
            assert not replayed, key
            with self._lock:
                self.answered[key] = body
            begun.set()


def claim(key: str) -> dict[str, Any]:
    return {
        "policy": "shenzhen-meddev-2022",
        "rule": "5.2",
        "enterprise": "91440300MA5FX3K72N",
        "enterprise_name": "深圳示例医疗有限公司",
        "item": f"产品{key}",
        "particulars": {"rd_cost": "16000000.00", "special_approval": False},
    }


def connected(url: str) -> http.client.HTTPConnection:
    address = urlsplit(url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)


@contextmanager
def nursery(data: Path, database_url: str | None) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", NURSERY, str(data), database_url or ""]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def born(nursery: subprocess.Popen[str]) -> tuple[int, str]:
    """A new server: its process and its address."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write("\n")
    nursery.stdin.flush()
    said = nursery.stdout.readline().split()
    assert len(said) == 2, "the server did not start again"
    return int(said[0]), said[1]


def repeat(office: Office, url: str, keys: list[str], expected: dict[str, bytes]) -> None:
    """Repeat requests with their keys; what was answered before must be answered with the same bytes."""
    server = connected(url)
    for key in keys:
        body, replayed = office.submit(server, key)
        if key in expected:
            assert replayed, f"an answered fact was lost: {key}"
            assert body == expected[key], key
        office.answered[key] = body
    server.close()


def one_life(office: Office, nursery: subprocess.Popen[str], life: int) -> None:
    """Repeat what the last server left, then record until this one is killed too."""
    pid, url = born(nursery)
    last = [key for key in office.answered if key.startswith(f"life{life - 1}-")]
    left, office.unanswered = office.unanswered, []
    repeat(office, url, left, {})
    repeat(office, url, last, dict(office.answered))
    begun = threading.Event()
    clients = [
        threading.Thread(target=office.record_until_killed, args=(url, f"life{life}-client{number}", begun))
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    assert begun.wait(30)
    time.sleep(random.uniform(*LIFE_SECONDS))
    os.kill(pid, signal.SIGKILL)
    for client in clients:
        client.join(30)
        assert not client.is_alive()


@dataclass(frozen=True, slots=True)
class Killed:
    kills: int
    answered: int
    events: int


def kill_often(folder: Path, kills: int, *, database_url: str | None = None) -> Killed:
    """Serve the data folder (with the facts in that database), kill the server so many times, and compare.

    Raises ``AssertionError`` where anything answered is lost, doubled or answered otherwise.
    """
    with open_service(folder, database_url=database_url) as service:
        service.credentials.add_user("intake", "demo")
        service.ledger.execute(GrantRole(person="intake", role="intake"), actor=SYSTEM, key="role")
        office = Office(service.credentials.issue_token("intake").token)
    with nursery(folder, database_url) as process:
        for life in range(kills):
            one_life(office, process, life)
        pid, url = born(process)
        repeat(office, url, office.unanswered, {})
        os.kill(pid, signal.SIGKILL)

    with open_service(folder, database_url=database_url) as service:
        events = service.reader.events(0, 10_000_000)
        recorded = Counter(event.envelope.key for event in events)
        positions = {event.envelope.key: event.position for event in events}
        service.views.catch_up()
        listed = service.views.cases(page_size=1).total
    del recorded["role"]
    assert set(recorded) == set(office.answered)
    assert set(recorded.values()) == {1}
    assert [event.position for event in events] == list(range(1, len(events) + 1))
    assert all(json.loads(body)["position"] == positions[key] for key, body in office.answered.items())
    assert listed == len(office.answered)
    return Killed(kills, len(office.answered), len(events))
