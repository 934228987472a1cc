"""Policies beside those that come with the product: an office's own, in folders of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ledger.errors import PolicyFault, Text
from ledger.policy.registry import BUILT_IN, PolicyRegistry


class PolicyFolderMissing(PolicyFault):
    """What was named as a folder of policies is none: a slip in the name, rather than in a policy."""


def load_policies(directories: Sequence[Path] = ()) -> PolicyRegistry:
    """The built-in policies, and every ``<id>/<version>.toml`` below the directories.

    Raises :class:`~ledger.errors.PolicyFault` for a file that is unsound, and :class:`PolicyFolderMissing` for a directory
    that holds none: somebody meant it to.
    """
    for directory in directories:
        if not directory.is_dir():
            raise PolicyFolderMissing(
                Text(
                    f"没有政策目录{directory}；请核对 --policies",
                    f"there is no policy folder {directory}; see --policies",
                )
            )
        if not any(directory.glob("*/*.toml")):
            raise PolicyFolderMissing(
                Text(
                    f"目录{directory}里没有政策文件；应为 <政策编号>/<版本>.toml，如 qinghe-meddev-2025/1.toml",
                    f"there is no policy in {directory}: a file is <id>/<version>.toml, such as qinghe-meddev-2025/1.toml",
                )
            )
    return PolicyRegistry.load([BUILT_IN, *directories])
