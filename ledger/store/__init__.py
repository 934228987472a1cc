"""Event stores behind eventsourcing's DCB recorder interface.

``ledger.store.sqlite`` keeps the facts in one SQLite file and is a persistence module of eventsourcing
(``PERSISTENCE_MODULE=ledger.store.sqlite``); ``ledger.store.postgres`` keeps them in a PostgreSQL database
(``PERSISTENCE_MODULE=ledger.store.postgres``). Whatever the store, it raises ``Unavailable`` (repeat with the
same key), ``StoreFault`` (needs a person) or eventsourcing's ``IntegrityError`` (a condition matched).
"""
