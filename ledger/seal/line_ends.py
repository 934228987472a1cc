"""Line ends that somebody's program changed on the way: every byte of what is signed or sealed counts, these too."""

from __future__ import annotations

from typing import Final

from ledger.errors import Text

CHANGED: Final = Text(
    zh="换行符在传送中被改动（例如邮件程序或 git 改成了 Windows 的 CRLF），内容无从核对；请对方原样重发，例如压缩后发送",
    en="its line ends were changed in transit (mail programs and git turn them into those of Windows), so nothing in it "
    "can be checked; have it sent again unmodified, for instance zipped",
)
"""Said of an export or a signed note with a carriage return in it: we write none, and JSON and the standard of signed notes
have none within a line."""
