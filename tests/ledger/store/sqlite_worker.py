"""What the SQLite store's tests do in other processes. Run as a program: ``sqlite_worker.py ROLE ARGUMENT…``.

Each role says ``ready`` when it has imported everything, then waits for a line on its standard input.
"""

import json
import sqlite3
import sys

from eventsourcing.dcb.api import DCBAppendCondition, DCBEvent, DCBQuery, DCBQueryItem
from eventsourcing.persistence import IntegrityError

from ledger.store.sqlite import SQLiteDCBRecorder


def tagged(*tags: str) -> DCBQuery:
    return DCBQuery([DCBQueryItem(tags=list(tags))])


def take_a_place(recorder: SQLiteDCBRecorder, room: str, places: int, who: str) -> bool:
    """Take a place in a room while there is one; decide again after a lost race."""
    while True:
        taken = recorder.read(tagged(room))
        head = taken.head
        if len(list(taken)) >= places:
            return False
        try:
            recorder.append([DCBEvent("place-taken", who.encode(), [room])], DCBAppendCondition(tagged(room), head))
        except IntegrityError:
            continue
        return True


def append(path: str, prefix: str, count: str) -> None:
    """Record ``count`` events, and say the tag of each as soon as it is recorded."""
    recorder = SQLiteDCBRecorder(path)
    for number in range(int(count)):
        tag = f"{prefix}-{number}"
        recorder.append([DCBEvent("counted", b"{}", [tag, f"of-{prefix}"])])
        say(tag)
    recorder.close()


def win(path: str, who: str, prizes: str) -> None:
    """Try to be the first to record each prize; say which were won."""
    recorder = SQLiteDCBRecorder(path)
    won = []
    for number in range(int(prizes)):
        prize = f"prize-{number}"
        try:
            recorder.append([DCBEvent("prize-won", who.encode(), [prize])], DCBAppendCondition(tagged(prize)))
            won.append(prize)
        except IntegrityError:
            pass
    recorder.close()
    say(json.dumps(won))


def crowd(path: str, who: str, times: str) -> None:
    """Try again and again to take one of ten places; say how many were taken."""
    recorder = SQLiteDCBRecorder(path)
    say(json.dumps(sum(take_a_place(recorder, "room", 10, who) for _ in range(int(times)))))
    recorder.close()


def start(*paths: str) -> None:
    """Open every store, perhaps as the first to do so, and record one event in each."""
    for path in paths:
        recorder = SQLiteDCBRecorder(path)
        recorder.append([DCBEvent("started", b"{}", ["started"])])
        recorder.close()


def sql(path: str, statement: str) -> None:
    """Run a statement as any SQL client could, and say its error, if any."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(statement)
        say(json.dumps(None))
    except sqlite3.Error as error:
        say(json.dumps(str(error)))
    connection.close()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    say("ready")
    sys.stdin.readline()
    {role.__name__: role for role in (append, win, crowd, start, sql)}[sys.argv[1]](*sys.argv[2:])
