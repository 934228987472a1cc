"""Where in a policy file a fault lies, and where its values come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
    """Where in the file we are: notes faults there, and resolves citations and readings."""

    path: tuple[str | int, ...]
    clause: str | None
    findings: Findings
    form: Form
    readings: Mapping[str, Reading]

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
        return Cited(value, draft.cite, draft.reading)

    def source(self, keys: Sequence[str | int], cite: str | None, reading: str | None) -> None:
        """Check that a cited article and a reading are in the file."""
        if cite is not None and cite != SUPPLEMENT and cite not in self.form.named["articles"]:
            self.note(keys, f"引用的第{cite}条不在articles中", f"cites article {cite}, which is not among the articles")
        if reading is not None and reading not in self.form.named["readings"]:
            self.note(keys, f"引用的口径{reading}不在readings中", f"names reading {reading}, which is not in the file")
