from nearnet.keys import PublicKey
from nearnet.wire.messages import PeerInfo, SocketAddress


def test_texts():
    assert str(SocketAddress("1.2.3.4", 5)) == "1.2.3.4:5"
    assert str(SocketAddress("::1", 5)) == "[::1]:5"
    peer = PublicKey(bytes(33))
    assert str(PeerInfo(peer, SocketAddress("1.2.3.4", 5), "near")) == f"{peer}@1.2.3.4:5@near"
    assert str(PeerInfo(peer)) == str(peer)
