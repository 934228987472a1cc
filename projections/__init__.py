"""What the facts add up to: the guards that may refuse, and the views that are shown. Knows the ledger, never Flask."""
