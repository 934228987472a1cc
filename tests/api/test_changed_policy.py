"""A policy text that was changed after cases began under it stops the start."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from api.service import open_service
from ledger.commands.grant_role import GrantRole
from ledger.commands.submit_application import SubmitApplication
from ledger.errors import PolicyFault
from ledger.policy.registry import BUILT_IN, PolicyRegistry
from ledger.roles import SYSTEM
from tests.office import ENTERPRISE, POLICY


def test_a_service_does_not_start_on_a_changed_text(tmp_path: Path) -> None:
    policies = tmp_path / "policies"
    shutil.copytree(BUILT_IN, policies)
    with open_service(tmp_path / "data", policies=PolicyRegistry.load([policies])) as service:
        service.ledger.execute(GrantRole(person="intake", role="intake"), actor=SYSTEM, key="1")
        application = SubmitApplication(
            policy=POLICY,
            rule="5.2",
            enterprise=ENTERPRISE,
            enterprise_name="示例医疗科技有限公司",
            item="国械注准20263010001",
            particulars={"rd_cost": "16000000.00", "special_approval": True},
        )
        service.ledger.execute(application, actor="intake", key="2")
    text = policies / POLICY / "1.toml"
    text.write_text(text.read_text().replace("1000万元", "9000万元", 1))
    with pytest.raises(PolicyFault, match=POLICY):
        open_service(tmp_path / "data", policies=PolicyRegistry.load([policies]))
