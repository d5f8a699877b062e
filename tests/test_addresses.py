"""Whose request it is, and which neighbourhood a limit counts."""

from __future__ import annotations

import pytest

from app.addresses import client_address, is_within, limit_key, limit_network


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("", "192.0.2.1"),
        ("203.0.113.7", "203.0.113.7"),
        ("1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.9", "203.0.113.7"),
        ("203.0.113.7, ::ffff:10.0.0.9", "203.0.113.7"),
        ("10.0.0.8, 10.0.0.9", "10.0.0.8"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::7]:443, 10.0.0.9", "2001:db8::7"),
        ("nonsense", "192.0.2.1"),
        ("203.0.113.7, 123456789018, 10.0.0.9", "10.0.0.9"),
    ],
)
@pytest.mark.parametrize("peer", ["192.0.2.1", "::ffff:192.0.2.1"])
def test_the_nearest_untrusted_address_is_the_client(peer: str, chain: str, found: str) -> None:
    assert client_address(peer, chain, ("192.0.2.1", "10.0.0.0/24")) == (peer if found == "192.0.2.1" else found)


def test_nobody_is_believed_who_is_no_proxy_of_ours() -> None:
    assert client_address("192.0.2.1", "203.0.113.7", ("10.0.0.0/24",)) == "192.0.2.1"


@pytest.mark.parametrize(
    ("address", "key", "network"),
    [
        ("203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:0:1::7", "2001:db8:0:1::/64", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/64"),
        ("::1", "::/64", "::/64"),
        ("nonsense", "unknown", "unknown"),
    ],
)
def test_a_limit_counts_a_caller_or_a_neighbourhood(address: str, key: str, network: str) -> None:
    assert (limit_key(address), limit_network(address)) == (key, network)


@pytest.mark.parametrize(
    ("address", "networks", "is_in"),
    [
        ("10.0.0.9", ("10.0.0.0/24",), True),
        ("::ffff:10.0.0.9", ("10.0.0.0/24",), True),
        ("10.0.1.9", ("10.0.0.0/24", "2001:db8::/32"), False),
        ("2001:db8::9", ("10.0.0.0/24", "2001:db8::/32"), True),
        ("nonsense", ("0.0.0.0/0",), False),
        ("", ("0.0.0.0/0", "::/0"), False),
    ],
)
def test_an_address_lies_in_a_network_in_whatever_dress(address: str, networks: tuple[str, ...], is_in: bool) -> None:
    assert is_within(address, networks) is is_in
