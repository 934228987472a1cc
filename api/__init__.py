"""How the ledger is asked: REST, command line. Imports the ledger and its projections; nothing imports it."""
