"""The verifier for auditors: a certificate is whole, or it says what is wrong and its exit status is not 0."""

from __future__ import annotations

import ast
import base64
import copy
import dataclasses
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from api.evidence import new_key
from ledger.causes import Cause
from ledger.commands.confirm_stage import ConfirmStage
from ledger.commands.release_award import ReleaseAward
from ledger.errors import NotFound, Refusal
from ledger.events import EVENT_TYPES, CaseEvent
from ledger.seal.kept import PUBLIC_KEYS, Keeper
from ledger.seal.merkle import EMPTY, RunReader, consistency_proof, inclusion_proof, leaf_hash
from ledger.seal.note import SignerKey, open_checkpoint, sign_checkpoint
from projections.certificates import Since, certificate
from tests.office import Office

TOOL = Path(__file__).resolve().parents[2] / "tools" / "verify_certificate.py"
Content = dict[str, Any]


@dataclass
class Desk:
    """An office's certificates, and the verifier that an auditor runs on them."""

    content: Content
    other_case: Content
    earlier: Content
    key: str
    folder: Path
    kept: list[bytes]
    """Checkpoints of every size that the log had, signed; the first is of one event."""
    since: list[Content]
    """The certificate, with the proof from each of them."""


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    """Loaded by its path: it is no part of any package."""
    spec = importlib.util.spec_from_file_location("verify_certificate", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("office")
    office = Office(folder)
    keeper = Keeper(folder)
    key = new_key(keeper, "example.gov.cn/funding", lambda n: bytes(range(n)))
    case = office.approved("国械注准20263010001")
    office.pay(case, 2_000_000_00, "流水1")
    earlier = certificate_of(office, keeper, case)
    with pytest.raises(Refusal):
        office.pay(case, 9_000_000_00, "流水2")
    office.give(ReleaseAward(case=case, amount_fen=500_000_00, cause=Cause.WITHDRAWAL), "approver")
    office.claw_back(case, 1_500_000_00)
    office.receive(case, 1_000_000_00, "流水3")
    other = office.approved("国械注准20263010002", rd_cost="1000000.00", special_approval=False)
    office.submit("国械注准20263010003")
    content, other_content = certificate_of(office, keeper, case), certificate_of(office, keeper, other)
    head = office.head()
    kept = [keeper.sign(office.store, size=size) for size in range(1, head + 1)]
    since = [certificate_of(office, keeper, case, note) for note in kept]
    office.close()
    return Desk(content, other_content, earlier, key.encode(), folder, kept, since)


def certificate_of(office: Office, keeper: Keeper, case: str, since: bytes | None = None) -> Content:
    nodes = office.store.nodes()
    signed = keeper.sign(office.store)
    opened = open_checkpoint(signed, keeper.public_keys())
    kept = None if since is None else Since(since, open_checkpoint(since, keeper.public_keys()).checkpoint)
    content: Content = json.loads(json.dumps(certificate(case, office.reader, nodes, signed, opened, kept)))
    return content


def checked(tool: ModuleType, content: Content, key: str, kept: bytes | None = None) -> Any:
    return tool.check(json.dumps(content).encode(), tool.keys_from(key), kept)


def test_a_whole_certificate_is_not_refused(tool: ModuleType, desk: Desk) -> None:
    for content in (desk.content, desk.other_case, desk.earlier):
        verdict = checked(tool, content, desk.key)
        assert f"awd-{verdict.history.case}" == content["award"]
    verdict = checked(tool, desk.content, desk.key)
    assert verdict.refused == 1
    assert desk.content["totals"] == {"awarded": "5500000.00", "paid": "2000000.00", "recovered": "1000000.00"}


WAN = 1_000_000


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Content, str]:
    """1000万元 in stages of 400, 300 and 300, all of it paid."""
    folder = tmp_path_factory.mktemp("staged")
    office, keeper = Office(folder), Keeper(folder)
    key = new_key(keeper, "example.gov.cn/funding", lambda n: bytes(range(n)))
    case = office.approved("装备", rule="3.2", total_investment="25000000.00")
    office.pay(case, 400 * WAN, "流水1")
    office.give(ConfirmStage(case=case, stage=2, reference="进度审计1号"), "reviewer")
    office.pay(case, 300 * WAN, "流水2")
    office.give(ConfirmStage(case=case, stage=3, reference="验收1号", audited_fen=2_500 * WAN), "reviewer")
    office.pay(case, 300 * WAN, "流水3")
    content = certificate_of(office, keeper, case)
    office.close()
    return content, key.encode()


def test_the_certificate_of_a_staged_award_is_not_refused(tool: ModuleType, staged: tuple[Content, str]) -> None:
    verdict = checked(tool, *staged)
    assert verdict.history.paid_fen == 1_000 * WAN


def history_of(tool: ModuleType, content: Content, change: Callable[[str, dict[str, Any]], object]) -> Any:
    """The events folded, each with its payload changed: as if a ledger had recorded and sealed them so."""
    history = tool.History(content["case"])
    for one in content["events"]:
        event = tool.event_from(one["position"], one["leaf"])
        change(event.type_name, event.payload)
        history.take(event)
    return history


STAGES_WRONG: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a stage passed over": ("stage-confirmed", lambda p: p.update(stage=p["stage"] + 1)),
    "a stage reached twice": ("stage-confirmed", lambda p: p.update(stage=p["stage"] - 1)),
    "no stage": ("stage-confirmed", lambda p: p.pop("stage")),
    "a stage of no plan": ("award-approved", lambda p: p.pop("payment_plan")),
    "a smaller first stage": (
        "award-approved",
        lambda p: (
            p["payment_plan"]["stages"][0].update(share_ppm=399_999),
            p["payment_plan"]["stages"][2].update(share_ppm=300_001),
        ),
    ),
    "shares that are not the whole": (
        "award-approved",
        lambda p: p["payment_plan"]["stages"][2].update(share_ppm=300_001),
    ),
    "a unit that is none": ("award-approved", lambda p: p["payment_plan"].update(unit_fen=0)),
    "a plan that is none": ("award-approved", lambda p: p.update(payment_plan=[])),
    "more requested than was due": ("disbursement-requested", lambda p: p.update(amount_fen=p["amount_fen"] + 1)),
    "settled above what the audit gives": ("stage-confirmed", lambda p: p.update(final_fen=1_000 * WAN - 1)),
}


@pytest.mark.parametrize("name", STAGES_WRONG)
def test_stages_that_do_not_add_up_do_not_pass(tool: ModuleType, staged: tuple[Content, str], name: str) -> None:
    type_name, change = STAGES_WRONG[name]
    assert history_of(tool, staged[0], lambda kind, payload: None).paid_fen == 1_000 * WAN
    with pytest.raises(tool.NotWhole):
        history_of(tool, staged[0], lambda kind, payload: change(payload) if kind == type_name else None)


def test_no_step_that_the_ledger_can_record_is_unknown_to_the_verifier(tool: ModuleType) -> None:
    steps = {name for name, kind in EVENT_TYPES.items() if issubclass(kind, CaseEvent)}
    assert "stage-confirmed" in steps
    assert steps == tool.STEPS_WITHOUT_MONEY | set(tool.STEPS_WITH_MONEY) | {"application-submitted"}


@pytest.mark.parametrize("place", ["note", "key"])
def test_half_a_character_does_not_crash_the_verifier(tool: ModuleType, desk: Desk, place: str) -> None:
    if place == "key":
        with pytest.raises(tool.NotWhole):
            tool.keys_from("\ud800" + desk.key)
        return
    body, divider, signatures = desk.content["checkpoint"].partition("\n\n")
    for note in (f"{body}\n\ud800{divider}{signatures}", desk.content["checkpoint"].replace("— ", "— \ud800", 1)):
        with pytest.raises(tool.NotWhole):
            checked(tool, {**desk.content, "checkpoint": note}, desk.key)


def test_the_program_does_not_say_whole_by_its_words_alone(desk: Desk, tmp_path: Path) -> None:
    """As an auditor runs it: another directory, nothing of ours to import."""
    whole, wrong = tmp_path / "whole.json", tmp_path / "wrong.json"
    whole.write_text(json.dumps(desk.content), encoding="utf-8")
    wrong.write_text(json.dumps({**desk.content, "award": "awd-0000000000"}), encoding="utf-8")
    run = [sys.executable, "-I", str(TOOL)]
    good = subprocess.run(
        [*run, str(whole), "--key", str(desk.folder / PUBLIC_KEYS)], capture_output=True, cwd=tmp_path
    )
    assert good.returncode == 0, good.stderr
    assert "核对通过 / WHOLE" in good.stdout.decode()
    assert "未证明" in good.stdout.decode()
    bad = subprocess.run([*run, str(wrong), "--key", desk.key], capture_output=True, cwd=tmp_path)
    assert bad.returncode == 1
    assert "NOT whole" in bad.stderr.decode()
    assert bad.stdout == b""
    gone = subprocess.run([*run, "gone.json", "--key", desk.key], capture_output=True, cwd=tmp_path)
    assert gone.returncode == 2
    for key in ("gone.pub", "nonsense", "PRIVATE+KEY+" + desk.key, str(tmp_path)):
        no_key = subprocess.run([*run, str(whole), "--key", key], capture_output=True, cwd=tmp_path)
        assert no_key.returncode == 2
        assert b"No usable key" in no_key.stderr
        assert b"Traceback" not in no_key.stderr
    assert subprocess.run(run, capture_output=True, cwd=tmp_path).returncode == 2


def test_without_cryptography_it_is_told_what_to_install(desk: Desk, tmp_path: Path) -> None:
    run = [sys.executable, "-I", "-S", str(TOOL), "c.json", "--key", desk.key]
    told = subprocess.run(run, capture_output=True, cwd=tmp_path)
    assert told.returncode == 2
    assert b"Traceback" not in told.stderr
    assert "cryptography 软件包，请先安装" in told.stderr.decode()
    assert b"install it first" in told.stderr


def test_a_mark_that_an_editor_put_before_a_file_spoils_nothing(desk: Desk, tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    (tmp_path / "c.json").write_bytes(mark + json.dumps(desk.since[9]).encode())
    (tmp_path / "kept").write_bytes(mark + desk.kept[9])
    (tmp_path / "log.pub").write_bytes(mark + desk.key.encode())
    run = [sys.executable, "-I", str(TOOL), "c.json", "--key", "log.pub", "--checkpoint", "kept"]
    told = subprocess.run(run, capture_output=True, cwd=tmp_path)
    assert told.returncode == 0, told.stderr


def test_the_key_of_a_witness_beside_the_logs_own_does_not_keep_it_from_being_used(
    tool: ModuleType, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    witness = "witness.example+00000000+" + base64.b64encode(b"\x04" + bytes(32)).decode()
    (tmp_path / "keys").write_text(f"{witness}\n{desk.key}\n", encoding="utf-8")
    keys = tool.keys_from(str(tmp_path / "keys"))
    assert [key.name for key in keys] == ["example.gov.cn/funding"]
    assert "witness.example" in capsys.readouterr().err
    tool.check(json.dumps(desk.content).encode(), keys)
    with pytest.raises(tool.NoKey, match="type 4"):
        tool.keys_from(witness)


def test_the_program_does_not_import_anything_but_the_standard_library_and_cryptography() -> None:
    tree = ast.parse(TOOL.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add((node.module or "").partition(".")[0])
    assert names - set(sys.stdlib_module_names) == {"cryptography"}


def is_whole(tool: ModuleType, content: Content, key: str) -> bool:
    try:
        checked(tool, content, key)
    except tool.NotWhole:
        return False
    return True


def ways(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value and container but the whole."""
    if at:
        yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from ways(inner, (*at, name))


def holder_of(content: Content, way: tuple[Any, ...]) -> Any:
    for step in way[:-1]:
        content = content[step]
    return content


def other(value: Any) -> Any:
    match value:
        case int():
            return value + 1
        case str():
            return value[:-1] + ("A" if value[-1:] != "A" else "B")
        case list():
            return value[1:] if value else ["x"]
    return {**value, "more": 1}


@pytest.mark.parametrize("since", [False, True])
def test_no_value_in_a_certificate_can_be_changed_left_out_or_added(tool: ModuleType, desk: Desk, since: bool) -> None:
    whole = desk.since[12] if since else desk.content
    for way in ways(whole):
        changes: list[Callable[[Any, Any], object]] = [
            lambda holder, name: holder.__setitem__(name, other(holder[name]))
        ]
        changes.append(lambda holder, name: holder.__delitem__(name))
        changes.append(lambda holder, name: holder.__setitem__(name, None))
        for change in changes:
            content = copy.deepcopy(whole)
            change(holder_of(content, way), way[-1])
            # Without it the certificate shows less, and nothing else: who kept a checkpoint is told that it is missing.
            assert not is_whole(tool, content, desk.key) or content == desk.content, way


def test_no_character_of_an_event_can_be_changed(tool: ModuleType, desk: Desk) -> None:
    leaf = desk.content["events"][3]["leaf"]
    for at in range(0, len(leaf), 7):
        content = copy.deepcopy(desk.content)
        content["events"][3]["leaf"] = leaf[:at] + ("0" if leaf[at] != "0" else "1") + leaf[at + 1 :]
        with pytest.raises(tool.NotWhole):
            checked(tool, content, desk.key)


def test_no_step_can_be_left_out_of_the_middle(tool: ModuleType, desk: Desk) -> None:
    events = desk.content["events"]
    for at, event in enumerate(events[:-1]):
        if "command-refused" in event["leaf"][:20]:
            continue
        content = copy.deepcopy(desk.content)
        del content["events"][at]
        with pytest.raises(tool.NotWhole):
            checked(tool, content, desk.key)


@pytest.mark.parametrize("swap", ["order", "twice", "other case", "grant"])
def test_events_in_another_order_or_of_another_matter_do_not_pass(tool: ModuleType, desk: Desk, swap: str) -> None:
    content = copy.deepcopy(desk.content)
    events = content["events"]
    match swap:
        case "order":
            events[1], events[2] = events[2], events[1]
        case "twice":
            events.insert(2, events[1])
        case "other case":
            events.append(desk.other_case["events"][-1])
        case "grant":
            events[0] = {**events[0], "position": 1}
    with pytest.raises(tool.NotWhole):
        checked(tool, content, desk.key)


def test_the_history_up_to_an_earlier_checkpoint_is_whole_and_says_up_to_where(tool: ModuleType, desk: Desk) -> None:
    """What a certificate cannot show: that nothing came later. Its size tells up to where it speaks."""
    verdict = checked(tool, desk.earlier, desk.key)
    assert verdict.checkpoint.size < checked(tool, desk.content, desk.key).checkpoint.size
    mixed = {**desk.content, "checkpoint": desk.earlier["checkpoint"]}
    with pytest.raises(tool.NotWhole):
        checked(tool, mixed, desk.key)


def test_another_key_does_not_vouch(tool: ModuleType, desk: Desk) -> None:
    stranger = SignerKey("example.gov.cn/funding", bytes(32)).verifier.encode()
    other_name = SignerKey("other.example", bytes(range(32))).verifier.encode()
    for key in (stranger, other_name):
        with pytest.raises(tool.NotWhole):
            checked(tool, desk.content, key)
    for text in ("", "x", desk.key[:-4], "PRIVATE+KEY+" + desk.key, desk.key.replace("+", "+0", 1)):
        with pytest.raises(tool.NotWhole):
            tool.keys_from(text or "nothing")


STRANGE = {
    "a name twice": lambda text: text.replace('"version": 1,', '"version": 1, "version": 1,', 1),
    "a fraction": lambda text: text.replace('"version": 1,', '"version": 1.0,', 1),
    "not a number": lambda text: text.replace('"version": 1,', '"version": NaN,', 1),
    "true for one": lambda text: text.replace('"version": 1,', '"version": true,', 1),
    "cut off": lambda text: text[:-2],
    "more after": lambda text: text + "{}",
    "a list": lambda text: "[]",
    "nothing": lambda text: "",
    "deep": lambda text: "[" * 100_000,
    "a surrogate": lambda text: text.replace('"leaf": "[', '"leaf": "\\ud800[', 1),
    "windows line ends": lambda text: text.replace("\\n", "\\r\\n"),
}


@pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE)
def test_strange_json_does_not_pass_and_does_not_crash(
    tool: ModuleType, desk: Desk, change: Callable[[str], str]
) -> None:
    text = change(json.dumps(desk.content))
    with pytest.raises(tool.NotWhole):
        tool.check(text.encode(), tool.keys_from(desk.key))
    with pytest.raises(tool.NotWhole):
        tool.check(b"\xff" + text.encode(), tool.keys_from(desk.key))


def test_a_name_twice_inside_an_event_is_not_read_as_one(tool: ModuleType) -> None:
    with pytest.raises(tool.NotWhole):
        tool.event_from(1, '["a",[],{"envelope":{},"payload":{"amount_fen":1,"amount_fen":2}}]')


def test_a_proof_of_the_wrong_length_or_hash_size_does_not_pass(tool: ModuleType, desk: Desk) -> None:
    proof = desk.content["events"][0]["proof"]
    short = base64.b64encode(bytes(31)).decode()
    for wrong in (proof[:-1], [*proof, proof[0]], [short, *proof[1:]], [], proof[::-1]):
        content = copy.deepcopy(desk.content)
        content["events"][0]["proof"] = wrong
        with pytest.raises(tool.NotWhole):
            checked(tool, content, desk.key)


def test_the_tree_is_not_climbed_otherwise_than_by_the_ledger(tool: ModuleType) -> None:
    leaves = [b"%d" % number for number in range(33)]
    for size in range(1, 34):
        frontier, runs = EMPTY.append([leaf_hash(leaf) for leaf in leaves[:size]])
        reader = RunReader(lambda wanted, runs=runs: {at: runs[at] for at in wanted})
        checkpoint = tool.Checkpoint("o", size, frontier.root)
        for at in range(size):
            proof = list(inclusion_proof(at, size, reader))
            tool.check_inclusion(at + 1, leaves[at], proof, checkpoint)
            with pytest.raises(tool.NotWhole):
                tool.check_inclusion(at + 1, b"x", proof, checkpoint)
            if size > 1:
                with pytest.raises(tool.NotWhole):
                    tool.check_inclusion(at + 1, leaves[at], proof[:-1], checkpoint)


def test_an_application_without_an_award_gets_no_certificate(tmp_path: Path) -> None:
    office = Office(tmp_path)
    keeper = Keeper(tmp_path)
    new_key(keeper, None, lambda n: bytes(n))
    case = office.determined("国械注准20263010001")
    with pytest.raises(NotFound, match="nothing to certify"):
        certificate_of(office, keeper, case)
    office.close()


def test_sums_are_written_as_in_the_rest_of_the_product(tool: ModuleType, desk: Desk) -> None:
    assert "资助5,500,000.00元，已拨付2,000,000.00元，已追回1,000,000.00元" in desk.content["summary"]["zh"]
    told = "\n".join(tool.report(checked(tool, desk.content, desk.key)))
    assert "资助 5,500,000.00 元" in told
    assert "awarded 5,500,000.00 yuan" in told
    assert "5500000.00" not in told


# ---- A checkpoint that the auditor kept from earlier


def forked(tmp_path: Path, size: int) -> bytes:
    """A checkpoint of as many events of another log, by the same key: what others were shown."""
    tmp_path.mkdir()
    office, keeper = Office(tmp_path), Keeper(tmp_path)
    new_key(keeper, "example.gov.cn/funding", lambda n: bytes(range(n)))
    for number in range(size):
        office.submit(f"另一{number}")
    note = keeper.sign(office.store, size=size)
    office.close()
    return note


def test_a_log_that_continues_what_was_kept_is_whole_from_every_size(tool: ModuleType, desk: Desk) -> None:
    for kept, content in zip(desk.kept, desk.since, strict=True):
        verdict = checked(tool, content, desk.key, kept)
        assert verdict.kept.size == verdict.since.size
        assert "continues the checkpoint that you kept" in "\n".join(tool.report(verdict))
    assert checked(tool, desk.content, desk.key, desk.kept[-1]).kept.size == len(desk.kept), "of the same size"


def test_a_forked_log_does_not_pass_a_kept_checkpoint(tool: ModuleType, desk: Desk, tmp_path: Path) -> None:
    for size in (16, 19, len(desk.kept)):
        other = forked(tmp_path / str(size), size)
        assert tool.opened(other.decode(), tool.keys_from(desk.key))[0].size == size, "it is rightly signed"
        with pytest.raises(tool.NotWhole, match="forked"):
            checked(tool, desk.since[size - 1], desk.key, other)
        # And who writes the other checkpoint into the certificate finds no proof that leads to both.
        for proof in (desk.since[size - 1]["since"]["proof"], [], desk.since[3]["since"]["proof"]):
            content = {**desk.content, "since": {"checkpoint": other.decode(), "proof": proof}}
            for kept in (None, other):
                with pytest.raises(tool.NotWhole):
                    checked(tool, content, desk.key, kept)


def test_a_kept_checkpoint_that_cannot_be_compared_is_not_passed_over(tool: ModuleType, desk: Desk) -> None:
    with pytest.raises(tool.NotWhole, match="--since"):
        checked(tool, desk.content, desk.key, desk.kept[9])
    with pytest.raises(tool.NotWhole, match="--since"):
        checked(tool, desk.since[12], desk.key, desk.kept[9])
    with pytest.raises(tool.NotWhole, match="ask for a new certificate"):
        checked(tool, desk.earlier, desk.key, desk.kept[-1])


def test_a_kept_checkpoint_is_not_believed_without_its_signature(tool: ModuleType, desk: Desk) -> None:
    stranger = SignerKey("example.gov.cn/funding", bytes(32))
    opened = open_checkpoint(desk.kept[9], Keeper(desk.folder).public_keys()).checkpoint
    other_log = SignerKey("other.example", bytes(range(32)))
    theirs = sign_checkpoint(dataclasses.replace(opened, origin="other.example"), [other_log])
    for note in (
        sign_checkpoint(opened, [stranger]),
        desk.kept[9].replace(b"\n10\n", b"\n11\n", 1),
        b"",
        b"\xff",
        theirs,
    ):
        with pytest.raises(tool.NotWhole, match="that you kept"):
            checked(tool, desk.since[9], desk.key, note)
    both = tool.keys_from(desk.key) + tool.keys_from(other_log.verifier.encode())
    with pytest.raises(tool.NotWhole, match="different logs"):
        tool.check(json.dumps(desk.since[9]).encode(), both, theirs)


def test_changed_line_ends_are_told_where_they_matter_and_spoil_nothing_else(
    tool: ModuleType, desk: Desk, tmp_path: Path
) -> None:
    """Those of a certificate are none of what was sealed, which lies in its strings; those of a checkpoint were signed."""
    text = json.dumps(desk.since[9], indent=1) + "\n"
    (tmp_path / "c.json").write_bytes(text.replace("\n", "\r\n").encode())
    run = [sys.executable, "-I", str(TOOL), "c.json", "--key", desk.key]
    assert subprocess.run(run, capture_output=True, cwd=tmp_path).returncode == 0
    for ends in (b"\r\n", b"\r"):
        (tmp_path / "kept").write_bytes(desk.kept[9].replace(b"\n", ends))
        told = subprocess.run([*run, "--checkpoint", "kept"], capture_output=True, cwd=tmp_path)
        assert told.returncode == 1
        assert "line ends were changed" in told.stderr.decode()
        assert "换行符在传送中被改动" in told.stderr.decode()
    with pytest.raises(tool.NotWhole, match="line ends were changed"):
        checked(tool, {**desk.content, "checkpoint": desk.content["checkpoint"].replace("\n", "\r\n")}, desk.key)


def test_the_way_between_two_trees_is_not_climbed_otherwise_than_by_the_ledger(tool: ModuleType) -> None:
    leaves = [leaf_hash(b"%d" % number) for number in range(33)]
    roots = [EMPTY.append(leaves[:size])[0].root for size in range(34)]
    for size in range(1, 34):
        runs = EMPTY.append(leaves[:size])[1]
        reader = RunReader(lambda wanted, runs=runs: {at: runs[at] for at in wanted})
        later = tool.Checkpoint("o", size, roots[size])
        for earlier_size in range(1, size + 1):
            earlier = tool.Checkpoint("o", earlier_size, roots[earlier_size])
            proof = list(consistency_proof(earlier_size, size, reader))
            tool.check_consistency(earlier, later, proof)
            wrong = [
                tool.Checkpoint("o", earlier_size, bytes(32)),
                tool.Checkpoint("o", earlier_size - 1, earlier.root),
            ]
            for other in wrong:
                with pytest.raises(tool.NotWhole):
                    tool.check_consistency(other, later, proof)
            bad = [[*proof, bytes(32)], *([proof[:-1], proof[::-1]] if len(proof) > 1 else [])]
            bad += [[*proof[:at], bytes(32), *proof[at + 1 :]] for at in range(len(proof))]
            for other_proof in bad:
                if other_proof == proof:
                    continue
                with pytest.raises(tool.NotWhole):
                    tool.check_consistency(earlier, later, other_proof)
        tool.check_consistency(tool.Checkpoint("o", 0, roots[0]), later, [])
        with pytest.raises(tool.NotWhole):
            tool.check_consistency(later, tool.Checkpoint("o", size - 1, roots[size - 1]), [])


def test_the_program_compares_with_a_kept_checkpoint(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(json.dumps(desk.since[9]), encoding="utf-8")
    (tmp_path / "kept").write_bytes(desk.kept[9])
    (tmp_path / "another").write_bytes(desk.kept[10])
    run = [sys.executable, "-I", str(TOOL), "c.json", "--key", desk.key, "--checkpoint"]
    good = subprocess.run([*run, "kept"], capture_output=True, cwd=tmp_path)
    assert good.returncode == 0, good.stderr
    assert "衔接" in good.stdout.decode()
    for wrong, status in (("another", 1), ("gone", 2)):
        bad = subprocess.run([*run, wrong], capture_output=True, cwd=tmp_path)
        assert bad.returncode == status
        assert b"Traceback" not in bad.stderr
