"""The policies that this ledger knows: read from files at the start, complete and sound, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Final

from ledger.errors import NotFound, PolicyFault, PolicyNotLoaded, Text
from ledger.policy.building import build, change_days, possible_switches
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.consistency import check
from ledger.policy.findings import Findings
from ledger.policy.form import Form, key_of, read_form, takers
from ledger.policy.model import Interpretation, Pin, Policy

BUILT_IN: Final = Path(__file__).parent / "policies"
"""The directory of the policies that come with the product: ``<id>/<version>.toml``."""


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One version of a policy. ``editions``: from which day on it is read how, earliest first: its own text may switch
    readings. What the office decides later, beside the text, is handed in by who asks.
    """

    path: Path
    editions: tuple[tuple[date, Policy], ...]
    form: Form = field(repr=False, compare=False)
    _read: dict[tuple[date, tuple[Interpretation, ...]], Policy] = field(
        default_factory=dict, repr=False, compare=False
    )

    def as_read_on(self, day: date | None, interpretations: Sequence[Interpretation] = ()) -> Policy:
        """The policy as the office read it on a day; by everything that was decided, where no day is given.

        ``interpretations`` are those recorded, in order; of other versions and of later days they are passed over.
        Raises ``PolicyFault`` where the policy cannot be read so.
        """
        edition, policy = [(since, policy) for since, policy in self.editions if day is None or since <= day][-1]
        in_force = tuple(
            decided
            for decided in interpretations
            if decided.version == policy.version and (day is None or decided.since <= day)
        )
        if not in_force:
            return policy
        if (edition, in_force) not in self._read:
            self._read[edition, in_force] = self._interpreted(policy.sha256, day or date.max, in_force)
        return self._read[edition, in_force]

    def require_takes(self, reading: str, value: str) -> None:
        """Raise ``Unreadable`` where a number of the file that is left to the reading cannot be ``value``."""
        for draft in takers(self.form):
            if draft.reading == reading:
                draft.parse(value)

    def _interpreted(self, sha256: str, day: date, interpretations: tuple[Interpretation, ...]) -> Policy:
        # Not the file's fault, and nobody's start: only what would be wrong is told, to whoever asks.
        findings = Findings()
        policy = build(self.form, day, sha256, findings, interpretations)
        if policy is not None:
            check(policy, self.form, findings)
        if findings.lines:
            lines = findings.lines
            raise PolicyFault(Text(zh="；".join(x.zh for x in lines), en="; ".join(x.en for x in lines)))
        assert policy is not None, "a file without a fault has a policy"
        return policy


def read_policy(path: Path) -> PolicyFile:
    """Read and check one policy file.

    Raises ``PolicyFault`` that tells every fault with file, key and clause.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PolicyFault(Text(zh=f"无法读取政策文件{path}：{error}", en=f"cannot read {path}: {error}")) from error
    findings = Findings(str(path))
    form = read_form(content, findings)
    sha256 = hashlib.sha256(content).hexdigest()
    editions = []
    for since in [date.min, *change_days(form)]:
        policy = _edition(form, since, sha256, findings)
        if policy is not None:
            editions.append((since, policy))
    findings.raise_any()
    for switch in possible_switches(form):
        _edition(form, date.max, sha256, findings, (switch,))
    findings.raise_any()
    assert editions, "a file without a fault has an edition"
    return PolicyFile(path, tuple(editions), form)


def _edition(
    form: Form, since: date, sha256: str, findings: Findings, switched: Sequence[Interpretation] = ()
) -> Policy | None:
    found = Findings(findings.file)
    policy = build(form, since, sha256, found, switched)
    if policy is not None:
        check(policy, form, found)
    findings.include(found)
    return policy


class PolicyRegistry:
    """Every version of every policy, by id. Immutable once loaded."""

    def __init__(self, files: Iterable[PolicyFile]) -> None:
        """Raises ``PolicyFault`` where two files hold the same version of a policy, or where the versions of one do not
        begin in the order of their numbers.

        A version may begin while the one before is in force: it replaces that for new applications. There may be days
        between two versions: nothing was in force then.
        """
        self._files: dict[str, dict[int, PolicyFile]] = {}
        for file in files:
            policy = file.as_read_on(None)
            other = self._files.setdefault(policy.id, {}).setdefault(policy.version, file)
            if other is not file:
                raise PolicyFault(
                    Text(
                        zh=f"{file.path}：policy.version（附则）：与{other.path}都是{policy.id}第{policy.version}版",
                        en=f"{file.path}: policy.version (article 附则): it and {other.path} are both "
                        f"version {policy.version} of {policy.id}",
                    )
                )
        for policy_id in self._files:
            self._require_in_order(policy_id)

    @classmethod
    def load(cls, directories: Iterable[Path] = (BUILT_IN,)) -> PolicyRegistry:
        """Read every ``<id>/<version>.toml`` below the directories.

        Raises ``PolicyFault`` that tells the faults of all files together, where any has one.
        """
        files, faults = [], []
        for path in (path for directory in directories for path in sorted(Path(directory).glob("*/*.toml"))):
            try:
                files.append(_read_in_its_place(path))
            except PolicyFault as fault:
                faults.append(fault.text)
        if faults:
            raise PolicyFault(Text(zh="\n".join(f.zh for f in faults), en="\n".join(f.en for f in faults)))
        return cls(files)

    def _require_in_order(self, policy_id: str) -> None:
        """Else a version would be replaced before it began, and nobody could apply under it."""
        files = [self._files[policy_id][version] for version in self.versions(policy_id)]
        for older, newer in pairwise(files):
            first, second = (file.as_read_on(None).validity.start for file in (older, newer))
            if second <= first:
                raise PolicyFault(
                    Text(
                        zh=f"{newer.path}：policy.effective_from（附则）：自{second}起施行，应晚于上一版本{older.path}的{first}",
                        en=f"{newer.path}: policy.effective_from (article 附则): it begins on {second}; it must be after "
                        f"{first}, when the version before begins, {older.path}",
                    )
                )

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._files)

    def versions(self, policy_id: str) -> tuple[int, ...]:
        """The versions of a policy, oldest first; empty where there is no such policy."""
        return tuple(sorted(self._files.get(policy_id, ())))

    def get(
        self,
        policy_id: str,
        version: int | None = None,
        *,
        on: date | None = None,
        interpretations: Sequence[Interpretation] = (),
    ) -> Policy:
        """A policy as read on a day, by its text and by the ``interpretations`` recorded beside it.

        Without a version: the newest in force on the day; without a day too, the newest. Raises ``NotFound``.
        """
        if version is not None and version in self.versions(policy_id):
            return self._files[policy_id][version].as_read_on(on, interpretations)
        if version is None:
            for policy in self._newest_first(policy_id, on, interpretations):
                if on is None or on in policy.validity:
                    return policy
        raise self._not_found(policy_id, version, on)

    def file(self, policy_id: str, version: int) -> PolicyFile:
        """One version as its file tells it, whatever was decided beside it. Raises ``NotFound``."""
        if version not in self.versions(policy_id):
            raise self._not_found(policy_id, version, None)
        return self._files[policy_id][version]

    def begun(self, policy_id: str, *, on: date, interpretations: Sequence[Interpretation] = ()) -> Policy:
        """The newest version in force on a day; where none is any more, the newest whose validity has begun.

        Raises ``NotFound``.
        """
        policies = list(self._newest_first(policy_id, on, interpretations))
        for policy in (*(p for p in policies if on in p.validity), *(p for p in policies if p.validity.start <= on)):
            return policy
        raise self._not_found(policy_id, None, on)

    def _newest_first(
        self, policy_id: str, on: date | None, interpretations: Sequence[Interpretation]
    ) -> Iterator[Policy]:
        for version in reversed(self.versions(policy_id)):
            yield self._files[policy_id][version].as_read_on(on, interpretations)

    def _not_found(self, policy_id: str, version: int | None, on: date | None) -> NotFound:
        """Names what there is instead: the versions of the policy, or else the policies."""
        zh = f"没有政策{policy_id}" + (f"第{version}版" if version is not None else "")
        en = f"there is no policy {policy_id}" + (f", version {version}" if version is not None else "")
        if version is None and on is not None:
            zh, en = f"{zh}在{on}有效的版本", f"{en} in force on {on}"
        if known := self.versions(policy_id):
            zh = f"{zh}；现有{'、'.join(f'第{each}版' for each in known)}"
            return NotFound(Text(zh=zh, en=f"{en}; there is version {', '.join(map(str, known))}"))
        return NotFound(Text(zh=f"{zh}；现有政策：{'、'.join(self.ids)}", en=f"{en}; there is {', '.join(self.ids)}"))

    def current(self) -> tuple[Policy, ...]:
        """The newest version of every policy, as read now."""
        return tuple(self.get(policy_id) for policy_id in self._files)

    def pinned(self, pin: Pin, *, on: date | None = None, interpretations: Sequence[Interpretation] = ()) -> Policy:
        """The version that an application is pinned to, as read on a day. Raises ``PolicyFault`` as ``check_pin``."""
        self.check_pin(pin.policy_id, pin.version, pin.sha256)
        return self.get(pin.policy_id, pin.version, on=on, interpretations=interpretations)

    def require_loaded(self, versions: Iterable[tuple[str, int]]) -> None:
        """Raise ``PolicyNotLoaded``, naming each of the ``versions`` (policy id, version) that is not here."""
        if missing := [(policy_id, number) for policy_id, number in versions if number not in self.versions(policy_id)]:
            raise PolicyNotLoaded(missing)

    def check_pin(self, policy_id: str, version: int, sha256: str) -> None:
        """Raise ``PolicyFault`` where the text that a decision was taken under is gone or was changed."""
        self.require_loaded([(policy_id, version)])
        file = self._files[policy_id][version]
        now = file.as_read_on(None).pin
        if now != Pin(policy_id, version, sha256):
            raise PolicyFault(
                Text(
                    zh=f"{file.path}：policy.version（附则）：{policy_id}第{version}版的文本在作出决定后被改动（现为{now.sha256}，"
                    f"决定时为{sha256}）。请恢复原文，另立新版本。",
                    en=f"{file.path}: policy.version (article 附则): the text of version {version} of {policy_id} "
                    "changed after decisions were taken "
                    f"under it (now {now.sha256}, then {sha256}); restore it, and make a new version instead",
                )
            )


def built_in_policies() -> PolicyRegistry:
    """The policies that come with the product."""
    return PolicyRegistry.load([BUILT_IN])


def _read_in_its_place(path: Path) -> PolicyFile:
    """A file whose place says what it holds: ``<id>/<version>.toml``."""
    file = read_policy(path)
    policy = file.as_read_on(None)
    findings = Findings(str(path))
    for key, stated, named, zh, en in (
        ("id", policy.id, path.parent.name, "所在目录名", "its folder's name"),
        ("version", str(policy.version), path.stem, "文件名", "the file's name"),
    ):
        if stated != named:
            text = Text(
                zh=f"应与{zh}{named!r}一致，而写的是{stated!r}；应放在{policy.id}/{policy.version}.toml",
                en=f"not {en} {named!r}: {stated!r}; its place is {policy.id}/{policy.version}.toml",
            )
            findings.add(key_of("policy", key), SUPPLEMENT, text)
    findings.raise_any()
    return file
