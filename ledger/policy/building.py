"""From the tables of a policy file to a :class:`Policy`: what the names in it refer to, and what the readings say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from ledger.calendar import window_of_months
from ledger.policy.citation import SUPPLEMENT
from ledger.policy.findings import Findings
from ledger.policy.form import Entry, Form
from ledger.policy.model import Article, EvidenceKind, EvidenceUse, Interpretation, Limit, Policy, Reading, Rule
from ledger.policy.place import Place
from ledger.policy.rule_building import RuleBuilder
from ledger.policy.terms import Cited


def build(
    form: Form, on: date, sha256: str, findings: Findings, interpretations: Sequence[Interpretation] = ()
) -> Policy | None:
    """The policy as read on a day: by its own text, and by what the office decided beside it (``interpretations``).

    Notes every fault of meaning within an entry; such an entry is left out. None where the head of the file is at fault.
    """
    readings = _readings(form, on, interpretations, findings)
    limits = {name: limit for name in form.limits if (limit := _limit(name, form, readings, findings))}
    rules = {rule_id: rule for rule_id in form.rules if (rule := _rule(rule_id, form, readings, limits, findings))}
    articles = {number: Article(number, **entry) for number, entry in form.articles.items()}
    evidence = dict(_evidence(form, readings, findings))
    if form.header is None:
        return None
    head, before = form.header, len(findings.lines)
    place = Place(("policy",), SUPPLEMENT, findings, form, readings)
    since = place.cited("effective_from", head["effective_from"])
    months = place.cited("validity", head["validity"])
    decided = {name: place.cited(key, head[key]) for name, key in _HEAD.items()}
    if len(findings.lines) > before:
        return None
    return Policy(
        id=head["id"],
        version=head["version"],
        number=head["number"],
        title=head["title"],
        interpreted_by=head["interpreted_by"],
        validity=window_of_months(since.value, months.value),
        **decided,
        articles=articles,
        stages={name: entry["label"] for name, entry in form.stages.items()},
        evidence=evidence,
        limits=limits,
        rules=rules,
        readings=readings,
        sha256=sha256,
    )


_HEAD: Final = {
    "rounding_fen": "rounding",
    "restoring_causes": "restoring_causes",
    "windows_run_on": "recognised_windows",
    "funded_from_start": "earliest_period",
    "stacking": "other_funding",
    "plan_years_ahead": "plan_years_ahead",
}
"""What the head of the file decides, by the policy's own name for it."""


def change_days(form: Form) -> list[date]:
    """The days on which a reading is switched, in order."""
    return sorted({switch["since"] for entry in form.readings.values() for switch in entry.get("switched", ())})


def possible_switches(form: Form) -> Iterator[Interpretation]:
    """Each other option of each reading whose value something takes, as if it were decided: none may break the file."""
    for name, entry in form.readings.items():
        if name not in form.valued:
            continue
        for option in entry.get("options", {}):
            if option != entry["value"]:
                yield Interpretation(0, name, option, date.max, "—", "—", "—")


def _readings(
    form: Form, on: date, interpretations: Sequence[Interpretation], findings: Findings
) -> dict[str, Reading]:
    built: dict[str, Reading] = {}
    for name, entry in form.readings.items():
        place = Place(("readings", name), entry["article"], findings, form, {})
        place.source(("article",), entry["article"], None)
        options = entry.get("options", {})
        for position, value in enumerate([entry["value"], *(s["value"] for s in entry.get("switched", ()))]):
            if options and value not in options:
                keys = ("switched", position - 1, "value") if position else ("value",)
                place.note(keys, f"{value!r}不在options中", f"{value!r} is not among the options")
        switched = [*entry.get("switched", ()), *(_switch(i) for i in interpretations if i.reading == name)]
        built[name] = _reading(name, entry, [s for s in switched if s["since"] <= on], name in form.valued)
    return built


def _switch(decided: Interpretation) -> Entry:
    return {key: getattr(decided, key) for key in ("value", "since", "decided_by", "why", "document")}


def _reading(name: str, entry: Entry, switched: list[Entry], switchable: bool) -> Reading:
    """As switched last; of one day's switches, the one that was decided last."""
    current: Entry = {key: entry.get(key) for key in ("value", "since", "decided_by", "why", "document")}
    for switch in sorted(switched, key=lambda s: s["since"]):
        current = dict(switch)
    options = entry.get("options", {})
    answer = entry["answer"] if current["value"] == entry["value"] else options.get(current["value"], current["value"])
    return Reading(
        id=name,
        article=entry["article"],
        question=entry["question"],
        answer=answer,
        alternatives=tuple(entry.get("alternatives", ())),
        options=options,
        fixed=entry.get("fixed"),
        switchable=switchable or "followed_by" in entry,
        followed_by=entry.get("followed_by"),
        **current,
    )


def _evidence(
    form: Form, readings: Mapping[str, Reading], findings: Findings
) -> Iterator[tuple[EvidenceKind, Cited[EvidenceUse]]]:
    for name, entry in form.evidence.items():
        place = Place(("evidence", name), entry["clause"], findings, form, readings)
        place.source(("clause",), entry["clause"], None)
        if name in set(EvidenceKind):
            yield EvidenceKind(name), place.cited("used", entry["used"])
        else:
            known = ", ".join(EvidenceKind)
            place.note((), f"未知的证据种类，可用：{known}", f"no kind of evidence; the kinds are {known}")


def _limit(name: str, form: Form, readings: Mapping[str, Reading], findings: Findings) -> Limit | None:
    entry, before = form.limits[name], len(findings.lines)
    place = Place(("limits", name), entry["clause"], findings, form, readings)
    place.source(("clause",), entry["clause"], None)
    limit = Limit(
        name=name,
        label=entry["label"],
        clause=entry["clause"],
        ceiling_fen=place.cited("ceiling", entry["ceiling"]),
        cap_year=place.cited("cap_year", entry["cap_year"]),
    )
    return limit if len(findings.lines) == before else None


def _rule(
    rule_id: str, form: Form, readings: Mapping[str, Reading], limits: Mapping[str, Limit], findings: Findings
) -> Rule | None:
    entry, before = form.rules[rule_id], len(findings.lines)
    place = Place(("rules", rule_id), entry["article"], findings, form, readings)
    rule = RuleBuilder(rule_id, entry, place, limits).build()
    return rule if len(findings.lines) == before else None
