"""What may be asked of the ledger: one file a command, each a pure decision from facts to events or a refusal."""
