"""The sealed log: a Merkle tree over the events, and signed checkpoints of it.

``merkle`` is the tree and its proofs (RFC 9162, section 2, the tree of RFC 6962), ``note`` the signed text of a
checkpoint (C2SP signed-note and tlog-checkpoint), ``keys`` the files that hold the signing and the public key,
``kept`` the checkpoint that a data folder keeps, ``rehashing`` the root that it may sign, ``export`` the whole log in one
file, ``sealed_log`` what any log to be checked has, ``verification`` the check of it from its bytes. Only ``keys``,
``kept``, ``export`` and ``durable`` touch a disk; nothing here knows a store. What can go wrong::

    LedgerError
    ├── SealError           evidence that somebody handed in does not hold; never to be trusted, nothing is stopped
    │   ├── ProofWrong      a proof does not lead to the root
    │   ├── NoteMalformed   a note or checkpoint is not in the standard's form
    │   ├── KeyMalformed    the text of a key is not in the standard's form
    │   ├── SignatureWrong  a note is not signed by whom it must be signed
    │   └── ExportMalformed a file is no export, or not a whole one
    ├── Unavailable
    │   └── OutOfReach      a log on a server that does not answer; nothing was found out about it
    └── Fault
        ├── StoreFault      our own tree has a hole or a node of the wrong size
        │   ├── LogDamaged       a part of the log cannot be read
        │   ├── NotAsSealed      the stored hashes are not those of the events; nothing is signed of them
        │   └── LogNotContinued  the log is shorter than what was signed of it, or another; stops the start
        ├── FileFault       a file cannot be written or read, or must not be replaced
        └── KeyFault        a key file is missing, unsafe or unreadable; stops the start
"""

from __future__ import annotations

from ledger.errors import LedgerError


class SealError(LedgerError):
    """Evidence that does not hold: whatever it was to show has not been shown."""

    code = "seal-error"
