import pytest

from nearnet.keys import SecretKey
from nearnet.sim.conditions import Connected, NotConnected, Peers
from nearnet.sim.play import Player, made_up_edges, play
from nearnet.sim.steps import Always, Connect, Disconnect, Ping, Scenario, Setup, Start, Unban, Wait, Within

PAIR = Scenario("a pair", "for tests", nodes=2, steps=(Connect(0, 1), Within(5, Connected(0, 1))))


def of(*steps, **options):
    return Scenario("made here", "for tests", options.pop("nodes", 2), steps, **options)


def test_what_holds():
    result = play(PAIR, seed=3)
    assert (result.failure, result.seed) == (None, 3)
    assert result.seconds > 80, "and then it was quiet"


def test_an_expectation_that_is_not_met_says_what_was_seen():
    failure = play(of(Within(5, Connected(0, 1), Peers(0, 1)))).failure
    assert failure == (
        "at 5.000 s, not within 5 s: Connected(node=0, other=1) (seen: None); Peers(node=0, count=1) (seen: 0)"
    )


def test_an_expectation_that_does_not_last():
    failure = play(of(Always(5, NotConnected(0, 1)))).failure
    assert failure is None
    failure = play(of(Connect(0, 1), Always(5, NotConnected(0, 1)))).failure
    assert failure is not None
    assert "not always for 5 s: NotConnected(node=0, other=1)" in failure


def test_within_goes_on_at_the_moment_when_it_holds():
    player = Player(PAIR)
    player.run()
    assert player.world.time < 155, "a connection takes milliseconds, then come the quiet and a minute's watch"


def test_many_nodes_are_looked_at_ten_times_a_second():
    result = play(of(Connect(0, 1), Within(5, Connected(0, 1)), nodes=20))
    assert result.failure is None
    failure = play(of(Within(1, Connected(0, 1)), nodes=20)).failure
    assert failure is not None
    assert failure.startswith("at 1.000 s")


def test_a_fault_of_the_core_is_told_with_its_place():
    def broken(node):
        raise ZeroDivisionError("by hand")

    player = Player(PAIR)
    player.world.nodes[0].make_client = broken
    with pytest.raises(ZeroDivisionError):
        player.run()


def test_commands_that_are_refused_are_part_of_what_happens():
    steps = (Disconnect(0, 1), Ping(0, 1), Unban(0, 1), Connect(0, 0), Wait(1))
    with_them, without = play(of(*steps)), play(of(Wait(1)))
    assert with_them.failure is without.failure is None
    assert with_them.digest != without.digest


def test_nodes_that_start_later():
    late = of(Connect(0, 1), Wait(1), Start(1), Connect(0, 1), Within(5, Connected(0, 1)), later=(1,))
    assert play(late).failure is None


def test_faults_only_where_asked_for():
    assert play(PAIR).faults == {}
    assert play(PAIR, explore=True).faults != {}


def test_steps_from_the_seed_are_written_down():
    made = of(generate=lambda rng, nodes: (Wait(rng.random()), Wait(float(nodes))), quiet=False)
    result = play(made, 4)
    assert result.scenario.generate is None
    assert result.scenario.steps == play(made, 4).scenario.steps != play(made, 5).scenario.steps
    assert result.seconds > 2


def test_made_up_edges():
    edges = made_up_edges(100, "salt")
    assert len({edge.key for edge in edges}) == 100
    assert edges == made_up_edges(100, "salt")
    assert not {edge.key for edge in edges} & {edge.key for edge in made_up_edges(100, "pepper")}


def test_real_signatures():
    player = Player(of(Connect(0, 1), Within(5, Connected(0, 1)), fast=False, setup=Setup()))
    player.run()
    assert type(player.world.nodes[0].key) is SecretKey
