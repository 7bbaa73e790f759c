"""Who is let in; `test_connections.py` has the rest of the rules by whole connections."""

import pytest
from hand import Core

from nearnet.core.peer.admission import refuse_socket
from nearnet.wire.messages import SocketAddress


@pytest.mark.threat(27)
def test_by_address():
    core = Core(max_num_peers=2, nearnet={"limits": {"pending_connections": 6}}, blacklist=["10.9.9.9"])
    context = core.manager.context

    def refusal(ip):
        return refuse_socket(context, SocketAddress(ip, 1), core.now)

    assert refusal("10.0.0.1") is None
    assert refusal("10.9.9.9") == "blacklist"
    for _ in range(4):
        core.hand(ip="10.0.0.1")
    assert refusal("10.0.0.1") == "pending_per_ip"
    assert refusal("10.0.0.2") is None
    for _ in range(4):
        core.hand(ip="127.0.0.1")
    assert refusal("10.0.0.2") == "pending_connections"
