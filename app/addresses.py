"""Whose request it is: the address that is believed, and the network that limits count."""

from __future__ import annotations

import ipaddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(peer: str, forwarded: str, trusted: tuple[str, ...]) -> str:
    """The nearest address that is not a proxy of ours; what anybody else writes into X-Forwarded-For is not believed."""
    chain = [peer, *reversed([word.strip() for word in forwarded.split(",") if word.strip()])]
    return next((address for address in chain if not is_within(address, trusted)), chain[-1])


def is_within(address: str, networks: tuple[str, ...]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in ipaddress.ip_network(word, strict=False) for word in networks)


def limit_key(address: str) -> str:
    """What is counted: an IPv4 address, or the /64 that one household or office has of IPv6."""
    parsed = _parsed(address)
    if parsed is None:
        return "unknown"
    return str(parsed) if parsed.version == 4 else _around(parsed, 64)


def limit_network(address: str) -> str:
    """A wider neighbourhood: the /24 of an IPv4 address, the /64 of IPv6."""
    parsed = _parsed(address)
    if parsed is None:
        return "unknown"
    return _around(parsed, 24 if parsed.version == 4 else 64)


def _around(address: IPAddress, bits: int) -> str:
    """The network of an address. Built from its number, because an IPv6 address may carry the name of an interface (fe80::1%eth0)."""
    network = ipaddress.IPv4Network if address.version == 4 else ipaddress.IPv6Network
    return str(network((int(address), bits), strict=False))


def _parsed(address: str) -> IPAddress | None:
    """IPv4 in the dress of IPv6 (::ffff:203.0.113.7, as a server on both sees it) is IPv4: all of it lies in one /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if parsed.version == 6 else parsed
