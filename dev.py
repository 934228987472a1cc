"""Sets up and runs this checkout, on a machine with nothing but Python 3.11 or later and pip.

    python3 dev.py demo [--port N] [--data DIR] [--fresh]    serve the product with demo data
    python3 dev.py test [pytest arguments]                   all checks, then all tests
    python3 dev.py soak [--only R2,R3] [--quick] [--json F]  the long forms of the reliability checks
    python3 dev.py bench [--only P3,P4] [--quick] [--json F]  the performance goals, each beside its anchor
    python3 dev.py trace [--html FILE]                       clause to number to scenario to result, as a book to sign
    python3 dev.py mutants [--only FILE] [--quick]           do the features notice each change to the rules
    python3 dev.py check [lint format types imports house]   the checks alone
    python3 dev.py lock [--upgrade]                          resolve the dependencies anew

Everything it makes lies in the checkout: .venv holds the environment, .dev what fetches it; both may be
deleted at any time. Packages come from requirements/*.lock and are verified by hash. pip's configuration
(index, mirror, proxy, certificates) and the machine's PIP_*, UV_*, SSL_* and *_PROXY variables are respected.

Standard library only, and this file alone: it runs before anything is installed.
"""

import sys

# Asked before the rest is run, which an older Python can still parse but not carry out.
if sys.version_info < (3, 11):
    sys.exit(
        f"funding-ledger needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable}).\n"
        "Install a newer one and run dev.py with it, for example: python3.12 dev.py"
    )
if sys.platform == "win32":
    sys.exit("funding-ledger runs on Linux and macOS. On Windows, run it inside WSL.")

import argparse
import ast
import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".dev"
STAMP = VENV / "dev-stamp.json"

# Run from inside an environment (perhaps .venv itself), the interpreter underneath is the one to build on.
BASE_PYTHON: str = getattr(sys, "_base_executable", None) or sys.executable

RUN = "run"
TEST = "test"

LINTERS: dict[str, list[str]] = {
    "lint": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports", "--no-cache", "--no-logo"],
}
CHECKS: dict[str, list[str]] = {**LINTERS, "house": ["pytest", "-m", "house", "-q", "-n", "0"]}


class Stop(Exception):
    """Something a person has to put right; the message says what, and the command that does it."""


# --- the commands ---------------------------------------------------------------------------------


def demo(arguments: Sequence[str]) -> int:
    """Serve the product with demo data until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="dev.py demo", description=demo.__doc__)
    parser.add_argument("--port", type=int, metavar="N", help="the port to serve on (default: 8000)")
    parser.add_argument("--data", metavar="DIR", help="where everything that is recorded goes")
    parser.add_argument("--fresh", action="store_true", help="begin with new demo data")
    options = parser.parse_args(arguments)
    prepare(RUN)
    return hand_over("funding-ledger", "demo", *demo_arguments(options))


def demo_arguments(options: argparse.Namespace) -> list[str]:
    """The options as funding-ledger takes them; what was not given is left to its own defaults."""
    arguments = []
    if options.port is not None:
        arguments += ["--port", str(options.port)]
    if options.data is not None:
        arguments += ["--data", options.data]
    if options.fresh:
        arguments += ["--fresh"]
    return arguments


def test(arguments: Sequence[str]) -> int:
    """Run the linters, then the tests; every argument goes to pytest.

    The tests come last and run even when a linter failed, so that one run shows everything that is wrong.
    """
    prepare(TEST)
    failed = run_checks(LINTERS)
    say(f"pytest{' (after failures of: ' + ', '.join(failed) + ')' if failed else ''}")
    tests = run_tool("pytest", *arguments)
    return tests or int(bool(failed))


def soak(arguments: Sequence[str]) -> int:
    """Run the long forms of the reliability checks: kills, power failures, races, faults."""
    prepare(TEST)
    return run_tool("python", "-m", "tests.reliability.soak", *arguments)


def bench(arguments: Sequence[str]) -> int:
    """Measure the performance goals."""
    prepare(TEST)
    return run_tool("python", "-m", "tests.bench.run", *arguments)


def trace(arguments: Sequence[str]) -> int:
    """Run the features, and write docs/traceability.md and the officer's book from what they touched."""
    parser = argparse.ArgumentParser(prog="dev.py trace", description=trace.__doc__)
    book = ROOT / "build" / "traceability.html"
    parser.add_argument("--html", metavar="FILE", type=Path, default=book, help="the book to print and sign")
    options = parser.parse_args(arguments)
    # Ours is made where it is missing; a folder that somebody names is theirs, and perhaps misspelt.
    if options.html != book and not options.html.absolute().parent.is_dir():
        parser.error(f"--html: there is no folder {options.html.parent}; make it first")
    prepare(TEST)
    wanted = ["--traceability", "write", "--traceability-html", str(options.html.absolute())]
    return run_tool("pytest", "-q", "-m", "not http", *wanted, "tests/features/test_features.py")


def mutants(arguments: Sequence[str]) -> int:
    """Change the rules, one thing at a time, and see whether any feature notices."""
    prepare(TEST)
    return run_tool("python", "-m", "tests.mutants.run", *arguments)


def check(arguments: Sequence[str]) -> int:
    """Run the checks that need no running product: all of them, or those named."""
    parser = argparse.ArgumentParser(prog="dev.py check", description=check.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(CHECKS)}")
    names = parser.parse_args(arguments).names or list(CHECKS)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        parser.error(f"no check named {', '.join(unknown)}; there are: {', '.join(CHECKS)}")
    prepare(TEST)
    failed = run_checks({name: CHECKS[name] for name in names})
    say(f"failed: {', '.join(failed)}" if failed else "all checks passed")
    return int(bool(failed))


def lock(arguments: Sequence[str]) -> int:
    """Resolve the dependencies of pyproject.toml into requirements/*.lock."""
    parser = argparse.ArgumentParser(prog="dev.py lock", description=lock.__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that fit")
    options = parser.parse_args(arguments)
    with sole_use():
        uv = installer()
    # test before run, which is held to the same versions: one .venv must serve both.
    for name, sources in LOCKS.items():
        say(f"resolving {lock_file(name).relative_to(ROOT)}")
        run_uv(uv, *compile_arguments(name, sources, upgrade=options.upgrade), local_packages=False)
    return 0


class Command(NamedTuple):
    action: Callable[[Sequence[str]], int]
    usage: str


# A new command is a function above and a line here.
COMMANDS: dict[str, Command] = {
    "demo": Command(demo, "[--port N] [--data DIR] [--fresh]"),
    "test": Command(test, "[pytest arguments]"),
    "soak": Command(soak, "[--only R2,R3] [--quick] [--json FILE] [--seed N]"),
    "bench": Command(bench, "[--only P3,P4] [--quick] [--json FILE] [--document FILE]"),
    "trace": Command(trace, "[--html FILE]"),
    "mutants": Command(mutants, "[--only FILE] [--quick] [--json FILE] [--processes N]"),
    "check": Command(check, f"[{' '.join(CHECKS)}]"),
    "lock": Command(lock, "[--upgrade]"),
}


def main(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        asked_for_help = arguments[:1] in (["-h"], ["--help"], ["help"])
        print(overview(), file=sys.stdout if asked_for_help else sys.stderr)
        return 0 if asked_for_help else 2
    try:
        return COMMANDS[arguments[0]].action(arguments[1:])
    except Stop as stop:
        say(str(stop))
        return 1
    except KeyboardInterrupt:
        say("stopped")
        return 130


def overview() -> str:
    lines = ["usage: python3 dev.py COMMAND", ""]
    for name, command in COMMANDS.items():
        summary = (command.action.__doc__ or "").splitlines()[0]
        lines += [f"  {name} {command.usage}", f"      {summary}"]
    return "\n".join(lines)


# --- running things -------------------------------------------------------------------------------


def run_checks(checks: Mapping[str, Sequence[str]]) -> list[str]:
    """Run every check, and name those that failed."""
    failed = []
    for name, command in checks.items():
        say(name)
        if run_tool(*command) != 0:
            failed.append(name)
    return failed


def run_tool(tool: str, *arguments: str) -> int:
    """Run a program of the environment in the checkout, and return its exit status."""
    return wait_for(subprocess.Popen([tool_path(tool), *arguments], cwd=ROOT))


def wait_for(process: "subprocess.Popen[bytes]") -> int:
    """Wait until the process has ended, also after Ctrl-C, which it gets from the terminal as we do.

    Ending before it would leave its last lines on the next prompt.
    """
    interrupted = False
    while process.returncode is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    return process.returncode


def hand_over(tool: str, *arguments: str) -> NoReturn:
    """Become the program: signals, terminal and exit status are its own from here on."""
    path = tool_path(tool)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(path, [path, *arguments])


def tool_path(tool: str) -> str:
    path = VENV / "bin" / tool
    if not path.exists():
        raise Stop(f"{path.relative_to(ROOT)} is missing. Delete .venv and run dev.py again.")
    return str(path)


def say(text: str) -> None:
    """Report to the person at the terminal; standard output stays the programs'."""
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


# --- the environment ------------------------------------------------------------------------------


def prepare(purpose: str) -> None:
    """Make .venv hold what the purpose needs; quick when it already does."""
    with sole_use():
        if not is_ready(read_stamp(), purpose):
            build_environment(purpose)


def build_environment(purpose: str) -> None:
    uv = installer()
    previous = read_stamp()
    if previous.get("purpose") == TEST:
        # A demo must not take the tools away from someone who also runs the tests.
        purpose = TEST
    wanted = stamp_for(purpose)
    # Without its stamp a half-built environment is never taken for a whole one.
    STAMP.unlink(missing_ok=True)
    if not is_same_place(previous):
        say(f"creating .venv with Python {'.'.join(map(str, sys.version_info[:3]))}")
        run_uv(uv, "venv", "--quiet", "--clear", "--python", BASE_PYTHON, str(VENV))
    say(f"installing what requirements/{purpose}.lock lists")
    run_uv(uv, "pip", "sync", "--quiet", *into_venv(), "--require-hashes", str(lock_file(purpose)))
    install_project(uv)
    STAMP.write_text(json.dumps(wanted, indent=2) + "\n", encoding="utf-8")


def install_project(uv: str) -> None:
    """Install this checkout itself, editable, with a verified build backend."""
    verified = ["--build-constraints", str(lock_file("build")), "--require-build-hashes"]
    run_uv(uv, "pip", "install", "--quiet", *into_venv(), "--no-deps", *verified, "--editable", str(ROOT))


def into_venv() -> list[str]:
    return ["--python", str(VENV / "bin" / "python")]


def stamp_for(purpose: str) -> dict[str, str]:
    """What an environment was built from. A difference in any line means building anew."""
    stamp = {
        "purpose": purpose,
        "root": str(ROOT),
        "python": f"{sys.version} {sys.base_prefix}",
        "pyproject.toml": sha256(ROOT / "pyproject.toml"),
    }
    for name in (RUN, TEST, "build"):
        stamp[f"{name}.lock"] = sha256(lock_file(name))
    return stamp


def read_stamp() -> dict[str, str]:
    """The stamp of the environment that is there; empty when there is none to trust."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and (VENV / "bin" / "python").exists() else {}


def is_ready(stamp: Mapping[str, str], purpose: str) -> bool:
    """Whether the stamped environment serves the purpose; one for tests serves the demo too."""
    return any(stamp == stamp_for(built_for) for built_for in {purpose, TEST})


def is_same_place(stamp: Mapping[str, str]) -> bool:
    """Whether the environment can be brought up to date: its scripts name its place and its Python."""
    wanted = stamp_for(RUN)
    return all(stamp.get(key) == wanted[key] for key in ("root", "python"))


@contextlib.contextmanager
def sole_use() -> Iterator[None]:
    """Let one dev.py at a time change .venv and .dev; the system lets go of the lock if we die."""
    try:
        TOOLS.mkdir(exist_ok=True)
        file = open(TOOLS / "lock", "w", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise Stop(f"{ROOT} must be writable: .venv and .dev are made there ({error.strerror}).") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another dev.py that is installing")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def lock_file(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.lock"


def sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        name = path.relative_to(ROOT)
        raise Stop(f"{name} is missing. Restore it: git checkout -- {name}") from None


# --- the lock files -------------------------------------------------------------------------------

# Lock file -> what is resolved into it.
LOCKS: dict[str, list[str]] = {
    "bootstrap": ["--group", "bootstrap"],
    "build": ["--group", "build"],
    TEST: ["pyproject.toml", "--all-extras", "--group", "dev"],
    RUN: ["pyproject.toml", "--constraints", "requirements/test.lock"],
}


def compile_arguments(name: str, sources: Sequence[str], *, upgrade: bool) -> list[str]:
    """Arguments of uv that resolve for every supported Python and platform and name neither host nor path."""
    return [
        *("pip", "compile", "--quiet", *sources),
        *("--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
        *(["--upgrade"] if upgrade else []),
        *("--output-file", str(lock_file(name).relative_to(ROOT))),
    ]


# --- uv, which installs everything else -----------------------------------------------------------


def installer() -> str:
    """The path of uv: the locked one, fetched with pip if it is not there; else one that the machine has."""
    folder = TOOLS / f"uv-{sha256(lock_file('bootstrap'))[:12]}"
    private = folder / "bin" / "uv"
    if private.exists():
        return str(private)
    pip = find_pip()
    if pip is not None:
        fetch_installer(pip, folder)
        return str(private)
    found = shutil.which("uv")
    if found is not None:
        return found
    raise Stop(missing_pip_message(shutil.which, is_root=os.geteuid() == 0))


@functools.cache
def find_pip() -> list[str] | None:
    """The command that runs pip on the Python underneath, if there is any way to one."""
    pip = [BASE_PYTHON, "-m", "pip"]
    if succeeds(*pip, "--version"):
        return pip
    # The system's Python may come without pip and yet be able to put one into an environment.
    environment = TOOLS / "pip"
    if succeeds(BASE_PYTHON, "-m", "venv", "--clear", str(environment)):
        return [str(environment / "bin" / "python"), "-m", "pip"]
    return None


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def fetch_installer(pip: Sequence[str], folder: Path) -> None:
    """Install uv into a folder of its own: an externally managed Python (PEP 668) is left as it is."""
    say("fetching uv, which installs the rest, into .dev")
    unfinished = Path(tempfile.mkdtemp(dir=TOOLS, prefix="unfinished-"))
    command = [
        *(*pip, "install", "--quiet", "--target", str(unfinished), "--no-deps"),
        *("--only-binary", ":all:", "--require-hashes", "--requirement", str(lock_file("bootstrap"))),
    ]
    try:
        if wait_for(subprocess.Popen(command, env={**os.environ, **pip_environment(os.environ)})) != 0:
            raise Stop(f"pip could not fetch uv (its message is above).\n{NETWORK_HINT}")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


NETWORK_HINT = (
    "Where packages are only reached through a proxy or a mirror, tell pip once; dev.py follows:\n"
    "    python3 -m pip config set global.proxy ADDRESS\n"
    "    python3 -m pip config set global.index-url ADDRESS\n"
    "    python3 -m pip config set global.cert FILE"
)


def missing_pip_message(which: Callable[[str], str | None], *, is_root: bool) -> str:
    """Names pip and the command of this machine's package manager that installs it."""
    commands = {
        "apt-get": "apt-get install python3-pip",
        "dnf": "dnf install python3-pip",
        "zypper": "zypper install python3-pip",
        "apk": "apk add py3-pip",
        "pacman": "pacman -S python-pip",
    }
    command = next((line for manager, line in commands.items() if which(manager)), None)
    missing = f"pip is missing from {BASE_PYTHON}."
    if command is None:
        return f"{missing} Install Python 3.11 or later with pip and run dev.py again."
    return f"{missing} Install it and run dev.py again:\n    {'' if is_root else 'sudo '}{command}"


def run_uv(uv: str, *arguments: str, local_packages: bool = True) -> None:
    """Run uv with this machine's pip configuration.

    A lock file is resolved without local packages: its hashes must be those that everyone else gets.
    """
    settings = pip_settings(pip_configuration())
    if not local_packages:
        settings.pop("find-links", None)
        settings.pop("extra-index-url", None)
    environment = {**uv_environment(settings, os.environ, has_system_certificates()), **os.environ}
    command = [uv, *arguments, *(["--no-index"] if is_true(settings.get("no-index")) else [])]
    if wait_for(subprocess.Popen(command, cwd=ROOT, env=environment)) != 0:
        raise Stop(f"uv {' '.join(arguments[:2])} failed (its message is above).\n{NETWORK_HINT}")


# --- the machine's configuration ------------------------------------------------------------------


@functools.cache
def pip_configuration() -> str:
    """What pip is configured with, as `pip config list` writes it; nothing where there is no pip."""
    pip = find_pip()
    if pip is None:
        return ""
    listing = subprocess.run(
        [*pip, "config", "list"], capture_output=True, check=False, encoding="utf-8", errors="replace"
    )
    return listing.stdout if listing.returncode == 0 else ""


def pip_settings(listing: str) -> dict[str, str]:
    """The settings in force: a variable goes before the section `install`, and that before the global one."""
    by_section: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        name, _, quoted = line.partition("=")
        section, _, key = name.partition(".")
        if section in by_section:
            by_section[section][key] = str(ast.literal_eval(quoted))
    return {**by_section["global"], **by_section["install"], **by_section[":env:"]}


def uv_environment(pip: Mapping[str, str], environ: Mapping[str, str], system_certificates: bool) -> dict[str, str]:
    """pip's settings as the variables that uv reads; uv reads no pip configuration itself.

    The machine's own variables go before these.
    """
    addresses = {
        "UV_DEFAULT_INDEX": pip.get("index-url", ""),
        "UV_EXTRA_INDEX_URL": " ".join(pip.get("extra-index-url", "").split()),
        "UV_FIND_LINKS": ",".join(existing_links(pip.get("find-links", ""))),
        "UV_INSECURE_HOST": " ".join(pip.get("trusted-host", "").split()),
        "SSL_CERT_FILE": pip.get("cert", ""),
        "SSL_CLIENT_CERT": pip.get("client-cert", ""),
        "UV_HTTP_TIMEOUT": pip.get("timeout") or pip.get("default-timeout", ""),
        "HTTPS_PROXY": pip.get("proxy", ""),
        "HTTP_PROXY": pip.get("proxy", ""),
    }
    variables = {name: value for name, value in addresses.items() if value}
    if "UV_INDEX_URL" in environ or "UV_DEFAULT_INDEX" in environ:
        variables.pop("UV_DEFAULT_INDEX", None)
    if "https_proxy" in environ or "ALL_PROXY" in environ or "all_proxy" in environ:
        variables.pop("HTTPS_PROXY", None)
        variables.pop("HTTP_PROXY", None)
    if system_certificates:
        variables["UV_SYSTEM_CERTS"] = "1"
    # Among several indexes pip takes the best version, uv the first index. Hashes decide what is accepted.
    variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    variables["UV_PYTHON_DOWNLOADS"] = "never"
    if not has_usable_home(environ):
        variables["UV_CACHE_DIR"] = str(TOOLS / "cache")
    return variables


def existing_links(value: str) -> list[str]:
    """pip's find-links without folders that are not there: pip warns of them, uv gives up."""
    return [link for link in value.split() if "://" in link or Path(link).expanduser().exists()]


def pip_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Settings that people make for their own work and that would keep pip from a folder of ours."""
    variables = {
        "PIP_USER": "0",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    if not has_usable_home(environ):
        variables["PIP_CACHE_DIR"] = str(TOOLS / "cache")
    return variables


def has_usable_home(environ: Mapping[str, str]) -> bool:
    """Whether caches can go where they usually go; a service user or a container may have no home at all."""
    home = environ.get("HOME", "")
    return bool(home) and os.access(home, os.W_OK)


def has_system_certificates() -> bool:
    """Whether the system keeps a store of certificates, which is where an organisation puts its proxy's."""
    paths = ssl.get_default_verify_paths()
    in_folder = bool(paths.capath) and any(Path(paths.capath).iterdir())
    return sys.platform == "darwin" or bool(paths.cafile) or in_folder


def is_true(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true", "yes", "on")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
