"""A feature file as data: what Gherkin read, with the line of everything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gherkin.parser import Parser

from ledger.money import parse_policy_amount
from tests.features.parse_types import AMOUNT

PLACEHOLDER: Final = re.compile(r"<(.+?)>")


@dataclass(frozen=True, slots=True)
class Line:
    """A step as written: ``role`` is given, when or then; a 并且 takes that of the step before it."""

    number: int
    keyword: str
    role: str
    text: str
    table: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True)
class Examples:
    """例子; ``lines`` are those of the rows."""

    number: int
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]

    def columns(self) -> Iterator[Sequence[str]]:
        yield from zip(*self.rows, strict=True) if self.rows else ()


@dataclass(frozen=True, slots=True)
class Background:
    number: int
    description: str
    steps: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Scene:
    """A 场景 or 场景大纲 with what its 规则 and 功能 say about it."""

    number: int
    keyword: str
    name: str
    description: str
    clause: str
    steps: Sequence[Line]
    background: Sequence[Line]
    examples: Sequence[Examples]

    def renderings(self) -> Iterator[Sequence[Line]]:
        """The steps, those of the backgrounds first, as each row of the examples makes them."""
        steps = [*self.background, *self.steps]
        rows = [dict(zip(e.header, row, strict=True)) for e in self.examples for row in e.rows]
        for row in rows or [{}]:
            yield [
                Line(s.number, s.keyword, s.role, _filled(s.text, row), [[_filled(c, row) for c in r] for r in s.table])
                for s in steps
            ]

    def texts(self) -> Iterator[tuple[int, str]]:
        yield self.number, self.name
        for step in self.steps:
            yield step.number, step.text
            yield from ((step.number, cell) for row in step.table for cell in row)
        for examples in self.examples:
            yield from ((examples.number, cell) for row in [examples.header, *examples.rows] for cell in row)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A 规则."""

    number: int
    name: str
    description: str
    tags: Sequence[str]
    scenes: Sequence[Scene]


@dataclass(frozen=True, slots=True)
class Book:
    """A feature file, read."""

    file: str
    number: int
    name: str
    description: str
    tags: Sequence[str]
    chapters: Sequence[Chapter]
    stray: Sequence[Scene]
    backgrounds: Sequence[Background]

    @property
    def scenes(self) -> Iterator[Scene]:
        yield from self.stray
        for chapter in self.chapters:
            yield from chapter.scenes

    def amounts(self) -> set[int]:
        return {
            parse_policy_amount(found)
            for scene in self.scenes
            for _, text in scene.texts()
            for found in re.findall(AMOUNT, text)
        }


_ROLES: Final = {"假如": "given", "当": "when", "那么": "then"}


def read_book(file: str, text: str) -> Book:
    """Raises ``CompositeParserException`` where Gherkin cannot read it."""
    feature: Any = Parser().parse(text)["feature"]
    backgrounds: list[Background] = []
    chapters, stray = [], []
    for child in feature["children"]:
        if "background" in child:
            backgrounds.append(_background(child["background"]))
        elif "rule" in child:
            chapters.append(_chapter(child["rule"], backgrounds))
        else:
            stray.append(_scene(child["scenario"], [], ""))
    return Book(
        file, _line(feature), feature["name"], feature["description"], _tags(feature), chapters, stray, backgrounds
    )


def _chapter(rule: Any, backgrounds: list[Background]) -> Chapter:
    """A 规则; its own 背景 is added to ``backgrounds``, where that of the whole file stands first."""
    clause = next((tag.removeprefix("@clause:") for tag in _tags(rule) if tag.startswith("@clause:")), "")
    before = [step for background in backgrounds[:1] for step in background.steps]
    scenes = []
    for child in rule["children"]:
        if "background" in child:
            backgrounds.append(_background(child["background"]))
            before = [*before, *backgrounds[-1].steps]
        else:
            scenes.append(_scene(child["scenario"], before, clause))
    return Chapter(_line(rule), rule["name"], rule["description"], _tags(rule), scenes)


def _background(its: Any) -> Background:
    return Background(_line(its), its["description"], _steps(its))


def _scene(scenario: Any, background: Sequence[Line], clause: str) -> Scene:
    examples = [
        Examples(
            _line(its),
            [cell["value"] for cell in its["tableHeader"]["cells"]] if its.get("tableHeader") else [],
            [[cell["value"] for cell in row["cells"]] for row in its.get("tableBody", [])],
            [_line(row) for row in its.get("tableBody", [])],
        )
        for its in scenario["examples"]
    ]
    return Scene(
        _line(scenario), scenario["keyword"], scenario["name"], scenario["description"], clause,
        _steps(scenario), list(background), examples,
    )  # fmt: skip


def _steps(parent: Any) -> list[Line]:
    steps: list[Line] = []
    for its in parent["steps"]:
        keyword = its["keyword"].strip()
        role = _ROLES.get(keyword) or (steps[-1].role if steps else "")
        table = [[cell["value"] for cell in row["cells"]] for row in its.get("dataTable", {}).get("rows", [])]
        steps.append(Line(_line(its), keyword, role, its["text"], table))
    return steps


def _line(node: Any) -> int:
    return int(node["location"]["line"])


def _tags(node: Any) -> list[str]:
    return [tag["name"] for tag in node["tags"]]


def _filled(text: str, row: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: row.get(found[1], found[0]), text)
