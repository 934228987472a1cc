"""The repository itself: imports run one way, lock files are whole and neutral, dev.py decides rightly."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dev

pytestmark = pytest.mark.house

ROOT = Path(__file__).resolve().parent.parent
LOCK_FILES = sorted((ROOT / "requirements").glob("*.lock"))


def tracked_files() -> Iterator[Path]:
    """Every file that git tracks or would add; in a copy without git, every file outside hidden folders."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not path.relative_to(ROOT).parts[0].startswith(".")]
    return (path for path in paths if path.is_file() and "__pycache__" not in path.parts)


def locked(lock_file: str) -> dict[str, str]:
    """Name → version in a lock file."""
    text = (ROOT / "requirements" / lock_file).read_text(encoding="utf-8")
    return {canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)==([\w.+!]+)", text, re.M)}


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- imports --------------------------------------------------------------------------------------


def test_no_import_runs_the_other_way_or_past_its_room() -> None:
    # A process of its own: the linter configures logging for the whole process it runs in, and silences ours.
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


# --- lock files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lock_file", LOCK_FILES, ids=lambda path: path.name)
def test_no_lock_file_names_a_host_or_a_path(lock_file: Path) -> None:
    text = lock_file.read_text(encoding="utf-8")
    assert not re.search(r"://|^\s*--(?!hash=)|@ |^#|(?<!sha256)[:\s](/|\./)", text, re.M)


@pytest.mark.parametrize("lock_file", LOCK_FILES, ids=lambda path: path.name)
def test_no_locked_package_comes_without_a_hash(lock_file: Path) -> None:
    entries = re.split(r"^(?=\w)", lock_file.read_text(encoding="utf-8"), flags=re.M)[1:]
    assert entries
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(
    ("lock_file", "requirements"),
    [
        ("run.lock", lambda project: project["project"]["dependencies"]),
        ("test.lock", lambda project: project["project"]["dependencies"]),
        ("test.lock", lambda project: project["project"]["optional-dependencies"]["postgres"]),
        ("test.lock", lambda project: project["dependency-groups"]["test"]),
        ("test.lock", lambda project: project["dependency-groups"]["lint"]),
        ("build.lock", lambda project: project["build-system"]["requires"]),
        ("bootstrap.lock", lambda project: project["dependency-groups"]["bootstrap"]),
    ],
)
def test_no_requirement_is_missing_from_its_lock_file(lock_file: str, requirements: Any) -> None:
    versions = locked(lock_file)
    for requirement in map(Requirement, requirements(pyproject())):
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {lock_file}: run `python3 dev.py lock`"
        assert requirement.specifier.contains(version), f"{lock_file} is older than pyproject.toml: run `dev.py lock`"


def test_demo_and_tests_never_run_different_versions() -> None:
    run, test = locked("run.lock"), locked("test.lock")
    assert {name: test.get(name) for name in run} == run


# --- files ----------------------------------------------------------------------------------------


def test_no_tracked_file_names_a_folder_of_someones_machine() -> None:
    own = re.escape(f"{ROOT}/") if len(ROOT.parts) > 2 else r"(?!)"
    folder = re.compile(rf"{own}|(?<![\w.])/(?:root|home/\w+|Users/\w+)/")
    found = []
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", errors="ignore")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in folder.finditer(text)]
    assert found == []


# --- dev.py: when is .venv taken as it is? --------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with a finished environment for the demo, and dev.py working there."""
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(dev, "TOOLS", tmp_path / ".dev")
    monkeypatch.setattr(dev, "STAMP", tmp_path / ".venv" / "dev-stamp.json")
    (tmp_path / "requirements").mkdir()
    for name in ("pyproject.toml", *(f"requirements/{name}.lock" for name in dev.LOCKS)):
        (tmp_path / name).write_text(f"# {name}\n", encoding="utf-8")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    write_stamp(dev.RUN)
    return tmp_path


def write_stamp(purpose: str) -> None:
    dev.STAMP.write_text(json.dumps(dev.stamp_for(purpose)), encoding="utf-8")


def test_a_second_start_does_not_install_again(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "build_environment", lambda purpose: pytest.fail("installed again"))
    dev.prepare(dev.RUN)


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements/run.lock", "requirements/build.lock"])
def test_a_changed_requirement_is_not_overlooked(checkout: Path, changed: str) -> None:
    (checkout / changed).write_text("changed", encoding="utf-8")
    assert not dev.is_ready(dev.read_stamp(), dev.RUN)
    assert dev.is_same_place(dev.read_stamp()), "the environment can be brought up to date where it is"


def test_tests_do_not_start_in_an_environment_without_their_tools(checkout: Path) -> None:
    assert not dev.is_ready(dev.read_stamp(), dev.TEST)


def test_a_demo_does_not_rebuild_an_environment_that_tests_use(checkout: Path) -> None:
    write_stamp(dev.TEST)
    assert dev.is_ready(dev.read_stamp(), dev.RUN)


@pytest.mark.parametrize("stamp", ["", "{", "[]", '"run"'])
def test_a_torn_stamp_is_not_trusted(checkout: Path, stamp: str) -> None:
    dev.STAMP.write_text(stamp, encoding="utf-8")
    assert dev.read_stamp() == {}


def test_an_environment_whose_python_is_gone_is_not_reused(checkout: Path) -> None:
    (checkout / ".venv" / "bin" / "python").unlink()
    assert not dev.is_ready(dev.read_stamp(), dev.RUN)


def test_a_moved_checkout_does_not_run_scripts_of_the_old_place(checkout: Path) -> None:
    stamp = {**dev.read_stamp(), "root": "elsewhere"}
    assert not dev.is_ready(stamp, dev.RUN)
    assert not dev.is_same_place(stamp)


def test_a_failed_installation_is_not_taken_for_a_finished_one(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(uv: str, *arguments: str) -> None:
        raise dev.Stop("no network")

    monkeypatch.setattr(dev, "installer", lambda: "uv")
    monkeypatch.setattr(dev, "run_uv", broken)
    with pytest.raises(dev.Stop):
        dev.prepare(dev.TEST)
    assert dev.read_stamp() == {}


# --- dev.py: what it says and passes on -----------------------------------------------------------


@pytest.mark.parametrize(
    ("manager", "is_root", "command"),
    [
        ("apt-get", False, "    sudo apt-get install python3-pip"),
        ("apt-get", True, "    apt-get install python3-pip"),
        ("dnf", False, "    sudo dnf install python3-pip"),
    ],
)
def test_a_missing_pip_is_not_reported_without_the_command_that_installs_it(
    manager: str, is_root: bool, command: str
) -> None:
    message = dev.missing_pip_message(lambda name: name if name == manager else None, is_root=is_root)
    assert message.splitlines()[0].startswith("pip is missing")
    assert message.splitlines()[1] == command


def test_no_pip_and_no_known_package_manager_still_says_what_to_do() -> None:
    assert "Install Python 3.11 or later with pip" in dev.missing_pip_message(lambda name: None, is_root=True)


def test_without_pip_and_uv_the_start_stops_instead_of_crashing(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "find_pip", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(dev.Stop, match="pip is missing"):
        dev.installer()


def test_pips_settings_are_not_read_in_the_wrong_order() -> None:
    listing = "\n".join(
        [
            ":env:.timeout='30'",
            "global.timeout='10'",
            "global.index-url='one'",
            "install.index-url='two'",
            "global.find-links='\\na\\nb'",
            "freeze.timeout='5'",
            "a line of some later pip",
        ]
    )
    assert dev.pip_settings(listing) == {"timeout": "30", "index-url": "two", "find-links": "\na\nb"}


def test_a_mirror_that_pip_knows_is_not_unknown_to_uv(tmp_path: Path) -> None:
    pip = {
        "index-url": "mirror",
        "cert": "ca.pem",
        "find-links": f"{tmp_path} {tmp_path}/gone",
        "trusted-host": "a\nb",
    }
    variables = dev.uv_environment(pip, {"HOME": str(tmp_path)}, system_certificates=False)
    assert variables["UV_DEFAULT_INDEX"] == "mirror"
    assert variables["SSL_CERT_FILE"] == "ca.pem"
    assert variables["UV_FIND_LINKS"] == str(tmp_path), "a folder that is gone stops uv, though not pip"
    assert variables["UV_INSECURE_HOST"] == "a b"
    assert "UV_CACHE_DIR" not in variables


def test_uvs_own_index_is_not_overruled_by_pips() -> None:
    variables = dev.uv_environment({"index-url": "pips"}, {"UV_INDEX_URL": "uvs"}, system_certificates=False)
    assert "UV_DEFAULT_INDEX" not in variables


@pytest.mark.parametrize("home", [{}, {"HOME": ""}, {"HOME": "/nonexistent"}])
def test_a_missing_home_does_not_stop_the_caches(home: dict[str, str]) -> None:
    variables = dev.uv_environment({}, home, system_certificates=False)
    assert variables["UV_CACHE_DIR"] == str(dev.TOOLS / "cache")
    assert dev.pip_environment(home)["PIP_CACHE_DIR"] == str(dev.TOOLS / "cache")


def test_demo_options_do_not_get_lost_on_the_way(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_over: list[tuple[str, ...]] = []
    monkeypatch.setattr(dev, "hand_over", lambda *words: handed_over.append(words))
    dev.demo(["--port", "8123", "--data", "一个 folder", "--fresh"])
    dev.demo([])
    assert handed_over == [
        ("funding-ledger", "demo", "--port", "8123", "--data", "一个 folder", "--fresh"),
        ("funding-ledger", "demo"),
    ]


@pytest.mark.parametrize(("linter", "tests", "status"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (1, 5, 5), (0, 5, 5)])
def test_no_failure_is_hidden_by_a_later_success(
    monkeypatch: pytest.MonkeyPatch, linter: int, tests: int, status: int
) -> None:
    ran: list[str] = []

    def run_tool(tool: str, *arguments: str) -> int:
        ran.append(tool)
        return tests if tool == "pytest" else linter

    monkeypatch.setattr(dev, "prepare", lambda purpose: None)
    monkeypatch.setattr(dev, "run_tool", run_tool)
    assert dev.test(["-x"]) == status
    assert ran[-1] == "pytest", "the closing line is pytest's"


def test_ctrl_c_does_not_end_in_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(purpose: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dev, "prepare", interrupted)
    assert dev.main(["demo"]) == 130
    assert capsys.readouterr().err == "dev.py: stopped\n"


def test_an_unknown_command_does_not_start_anything(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["dmeo"]) == 2
    told = capsys.readouterr().err
    assert [name for name in dev.COMMANDS if name not in told] == []


def test_a_second_dev_py_does_not_install_into_the_same_environment(checkout: Path) -> None:
    attempt = "import fcntl, sys\nwith open(sys.argv[1], 'w') as file: fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    command = [sys.executable, "-c", attempt, str(checkout / ".dev" / "lock")]
    with dev.sole_use():
        assert b"BlockingIOError" in subprocess.run(command, capture_output=True, check=False).stderr
    assert subprocess.run(command, check=False).returncode == 0
