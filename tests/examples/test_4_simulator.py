"""Read this fourth: a network in the simulator, with a seed and with faults.

The simulator runs real cores under virtual time, with latency, broken connections, full disks and crashes. One seed
decides everything that is left to chance, so a run that fails can be played again, event for event. Use it for what
takes many nodes, much time or bad luck. A scenario is a value: the nodes and their settings, the steps, and what must
hold. The project's own scenarios are in `sim/scenarios/`.
"""

from dataclasses import replace

from nearnet.sim.conditions import AllAgree, Peers
from nearnet.sim.network import Conditions, Latency
from nearnet.sim.play import play
from nearnet.sim.steps import Crash, Cut, Heal, Restart, Scenario, Setup, Wait, Within

# Four nodes lose one of them and get it back; then they are cut into two pairs and come together again.
SPLIT = Scenario(
    name="an example",
    title="one of four nodes is killed and restarted; then they are split into two pairs and come together again",
    nodes=4,
    # Every node looks for peers by itself, and starts with the first two as its boot nodes.
    setup=Setup(dials=True, boot=(0, 1)),
    # The seed decides the latency of each connection: the median is 20 ms, and most lie between 10 and 40 ms. On top of
    # this, each chunk of bytes takes up to 30 % longer.
    conditions=Conditions(Latency(0.02, 0.5), jitter=0.3),
    steps=(
        # `Within` waits for conditions, at most so many virtual seconds. The next step follows at the moment when all
        # of them hold.
        Within(60, *(Peers(node, 3) for node in range(4))),
        # The process of node 3 is killed, and starts again with what its store had. Virtual seconds cost nothing.
        Crash(3),
        Wait(5),
        Restart(3),
        Within(60, AllAgree(), *(Peers(node, 3) for node in range(4))),
        # Nothing passes between the pairs any more, and nobody is told so, as in a real partition. Each node has to
        # notice by itself that its connections to the other pair are dead.
        Cut((0, 1), (2, 3)),
        Within(120, *(Peers(node, 1) for node in range(4))),
        # When the way is open again, the pairs find each other, and all four come to hold the same edges.
        Heal(),
        Within(300, AllAgree()),
    ),
    # At the end the player ends all troubles, lets the network come to rest, and checks every invariant of
    # `sim/invariants.py`: both ends agree on each connection, all tables hold the same edges, every routed message
    # finds its way, and so on.
    quiet=True,
)


def test_a_split_network_comes_together_again():
    # `play` returns a result instead of raising. The text of a failure says which step failed, when, and what was the
    # case instead. The seed belongs into the message, because the seed is all that is needed to play the failure again.
    for seed in (1, 2):
        result = play(SPLIT, seed)
        assert result.failure is None, f"seed {seed}: {result.failure}"


def test_it_also_comes_together_with_random_faults():
    # `explore` adds random faults on top of the steps: bytes arrive in odd pieces, timers and the answers of other
    # threads come late, disks fill up. The seed decides which of them strike, and when.
    result = play(SPLIT, seed=7, explore=True)
    assert result.failure is None, result.failure

    # A test of faults must show that there were some, or it would hold on a calm day just as well.
    assert sum(result.faults.values()) > 0


def test_the_seed_decides_all_of_it():
    # The digest is over every event of the run, so equal digests mean equal runs down to the last byte.
    assert play(SPLIT, seed=3).digest == play(SPLIT, seed=3).digest
    assert play(SPLIT, seed=3).digest != play(SPLIT, seed=4).digest


def test_a_network_that_stays_split_is_reported():
    # The last step waits for what cannot be while the cut lasts. This is the proof that the tests above can fail.
    steps = tuple(step for step in SPLIT.steps if not isinstance(step, Heal))
    failure = play(replace(SPLIT, steps=steps, quiet=False), seed=1).failure
    assert failure is not None
    assert "not within 300 s: AllAgree()" in failure
