from nearnet.core.runtime.actions import Close, Event, Notify, PauseReading, Persist, Write
from nearnet.core.runtime.journal import Journal


def test_actions_and_events_stay_in_their_order_and_rows_come_last() -> None:
    journal = Journal()
    journal.write("Peers", b"k", b"v")
    journal.add(PauseReading(1), Close(2, "by command"))
    journal.notify("behind", None, queued=5)
    journal.write("Peers", b"gone", None)
    rows = (Write("Peers", b"k", b"v"), Write("Peers", b"gone", None))
    assert journal.take() == [
        PauseReading(1),
        Close(2, "by command"),
        Notify(Event("behind", None, {"queued": 5})),
        Persist(rows),
    ]
    assert journal.take() == []


def test_a_row_is_written_once_and_as_it_is_at_the_end() -> None:
    journal = Journal()
    row = [b"first"]
    journal.changed("Peers", b"k", lambda: row[0])
    journal.changed("Peers", b"k", lambda: row[0])
    journal.changed("Peers", b"gone", lambda: None)
    row[0] = b"last"
    assert journal.take() == [Persist((Write("Peers", b"k", b"last"), Write("Peers", b"gone", None)))]


def test_one_urgent_row_has_all_of_its_input_committed_at_once() -> None:
    journal = Journal()
    journal.write_all([Write("Peers", b"a", b"1"), Write("PeerDialect", b"a", b"borsh")])
    journal.changed("Peers", b"b", lambda: b"2", urgent=True)
    (persist,) = journal.take()
    assert isinstance(persist, Persist)
    assert (persist.urgent, len(persist.writes)) == (True, 3)
    journal.write("Peers", b"c", b"3")
    assert journal.take() == [Persist((Write("Peers", b"c", b"3"),))]
