"""Where in a policy file a fault lies, and where its values come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from ledger.errors import Text
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.findings import Findings
from ledger.policy.form import Form, key_of
from ledger.policy.model import Reading
from ledger.policy.terms import Cited
from ledger.policy.values import Draft, told


@dataclass(slots=True)
class Place:
    """Where in the file we are: notes faults there, and resolves citations and readings. ``cited_readings`` are those that
    something here named so far, in that order."""

    path: tuple[str | int, ...]
    clause: str | None
    findings: Findings
    form: Form
    readings: Mapping[str, Reading]
    cited_readings: dict[str, None] = field(default_factory=dict)

    def note(self, keys: Sequence[str | int], zh: str, en: str) -> None:
        self.findings.add(key_of(*self.path, *keys), self.clause, Text(zh=zh, en=en))

    def cited(self, name: str, draft: Draft[Any], *below: str) -> Cited[Any]:
        """The value with its source; the reading's own value where the file leaves it to the reading.

        After a fault the value may be None: the entry is not used then.
        """
        keys = (*below, name)
        self.source(keys, draft.cite, draft.reading)
        value = draft.value
        if value is None and draft.reading is not None and draft.reading in self.readings:
            stated = self.readings[draft.reading].value
            try:
                value = draft.parse(stated)
            except ValueError as error:
                why = told(error)
                zh = f"口径{draft.reading}的取值不适用：{why.zh}"
                self.note(keys, zh, f"the value of reading {draft.reading} does not fit: {why.en}")
        self._note_contradiction(keys, draft)
        return Cited(value, draft.cite, draft.reading)

    def _note_contradiction(self, keys: Sequence[str | int], draft: Draft[Any]) -> None:
        """A quantity that is stated beside its reading is the reading's; a word may be one of several that it explains."""
        entry = self.form.readings.get(draft.reading or "")
        if entry is None or draft.written is None:
            return
        with suppress(ValueError):
            written, read = draft.parse(draft.written), draft.parse(entry["value"])
            if type(written) in (int, Fraction, date) and written != read:
                self.note(
                    keys,
                    f"与口径{draft.reading}的取值{entry['value']}不一致：{draft.written}",
                    f"contradicts reading {draft.reading}, whose value is {entry['value']}: {draft.written}",
                )

    def source(self, keys: Sequence[str | int], cite: str | None, reading: str | None) -> None:
        """Check that a cited article and a reading are in the file."""
        if cite is not None and cite != SUPPLEMENT and cite not in self.form.named["articles"]:
            self.note(keys, f"引用的第{cite}条不在articles中", f"cites article {cite}, which is not among the articles")
        elif cite not in (None, SUPPLEMENT, self.clause) and self.clause != SUPPLEMENT:
            self.note(
                keys,
                f"引用的第{cite}条不是本项所属的第{self.clause}条",
                f"cites article {cite}, and the entry carries out article {self.clause}",
            )
        if reading is not None:
            self.cited_readings[reading] = None
        if reading is not None and reading not in self.form.named["readings"]:
            self.note(keys, f"引用的口径{reading}不在readings中", f"names reading {reading}, which is not in the file")
