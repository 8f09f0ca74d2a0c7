import socket

import pytest

from heliograph.cli.serve import CannotServe, address, listening


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("localhost", "http://localhost:80"),
        ("10.1.2.3", "http://10.1.2.3:80"),
    ],
)
def test_the_address_that_is_shown_can_be_used_on_this_machine(host: str, url: str):
    assert address(host, 80) == url


def test_port_0_is_a_free_one():
    with listening("127.0.0.1", 0) as listener:
        assert listener.getsockname()[1] > 0
        socket.create_connection(listener.getsockname(), timeout=5).close()


def test_a_port_that_is_taken_is_refused_with_what_to_do():
    with listening("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotServe, match=r"another program listens there.*--port"), listening("127.0.0.1", port):
            pass


def test_an_address_of_no_machine_is_refused():
    with pytest.raises(CannotServe, match="no address of this machine"), listening("nowhere.invalid", 0):
        pass
    with pytest.raises(CannotServe, match=r"Cannot listen on 192\.0\.2\.1"), listening("192.0.2.1", 0):
        pass
