"""The pages and the probes: offline, locked down, and honest about the state of the house."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from api import health
from tests.api.http_office import HttpOffice, SetClock, opened


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing_in_line(office: HttpOffice, path: str) -> None:
    page = office.get(None, path)
    assert page.status_code == 200
    assert not re.search(r"(src|href)=\"(https?:)?//", page.text)
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|style=", page.text)
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    for asset in re.findall(r"(?:src|href)=\"(/assets/[^\"]+)\"", page.text):
        assert office.get(None, asset).status_code == 200, asset


def test_data_may_run_nothing_at_all(office: HttpOffice) -> None:
    answer = office.get(None, "/api/v1/me")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_only_the_demo_names_its_users(tmp_path: Path, clock: SetClock, office: HttpOffice) -> None:
    assert "supervisor2" not in office.get(None, "/").text
    with opened(tmp_path / "demo", clock) as service:
        page = HttpOffice.over(service, clock, demo=True).get(None, "/").text
    assert "supervisor2" in page
    assert "监督检查员" in page


def test_the_process_is_ready_only_while_the_lists_follow_the_log(
    office: HttpOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert office.get(None, "/healthz").json == {"status": "ok"}
    office.service.views.wait_for(office.head, 5)
    ready = office.get(None, "/readyz")
    assert (ready.status_code, ready.json["views"]) == (200, {"position": office.head, "lag": 0})
    monkeypatch.setattr(type(office.service.views), "following", False)
    stopped = office.get(None, "/readyz")
    assert (stopped.status_code, stopped.json["code"]) == (503, "views-stopped")
    monkeypatch.undo()
    monkeypatch.setattr(health, "LAG_MOST", -1)
    behind = office.get(None, "/readyz")
    assert (behind.status_code, behind.json["code"]) == (503, "views-behind")


def test_metrics_count_commands_by_outcome(office: HttpOffice) -> None:
    award = office.approved()
    office.post("finance", f"{award}/disbursements", {"amount": "9000000.00"})
    metrics = office.get(None, "/metrics").text
    assert 'funding_commands_total{command="approve-award",outcome="recorded"} 1.0' in metrics
    assert 'funding_commands_total{command="request-disbursement",outcome="above-award"} 1.0' in metrics
    assert re.search(r"^funding_views_position ", metrics, re.M)
