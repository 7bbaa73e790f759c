from nearnet.sim.conditions import Connected, Peers
from nearnet.sim.steps import Always, Connect, Scenario, Setup, Within, config_of
from nearnet.sim.world import World
from nearnet.wire.messages import PeerInfo


def who(number):
    world = World()
    return PeerInfo(world.key(str(number)).public_key, world.address(number))


def test_steps_are_values_that_read_well():
    assert repr(Connect(0, 1)) == "Connect(node=0, to=1)"
    assert Within(2, Peers(0, 1)) == Within(2, Peers(0, 1)) != Within(3, Peers(0, 1))
    assert Always(2, Peers(0, 1)) != Within(2, Peers(0, 1))
    assert "Connected(node=0, other=1)" in repr(Within(1, Connected(0, 1)))


def test_a_setup_becomes_a_config():
    setup = Setup(boot=(1,), dials=True, blacklist=(2, "9.9.9.9"), blacklist_ips=(3,), archive=True)
    config = config_of(setup, who, {"wait_for_sync_delay": 0.05}, "127.0.0.1:0")
    network = config.network
    assert [node.info for node in network.boot_nodes] == [who(1)]
    assert network.blacklist == ((who(2).addr.ip, 24567), ("9.9.9.9", None), (who(3).addr.ip, None))
    assert (network.max_num_peers, network.addr, config.archive) == (100, "127.0.0.1:0", True)
    assert config.nearnet.timing.wait_for_sync_delay == 0.05
    assert network.experimental.network_config_overrides.outbound_disabled is False


def test_a_setups_own_timing_wins():
    config = config_of(Setup(nearnet={"timing": {"wait_for_sync_delay": 3.0}}), who, {"wait_for_sync_delay": 0.05})
    assert config.nearnet.timing.wait_for_sync_delay == 3.0


def test_labels():
    assert Scenario("name", "title", 1, ()).label == "name"
    assert Scenario("name", "title", 1, (), number=7).label == "7 name"
