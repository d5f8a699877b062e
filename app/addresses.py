"""Whose request it is: the address that is believed, and the network that limits count."""

from __future__ import annotations

import ipaddress
import re

_WITH_PORT = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.%\w]+)\]|(?P<v4>[0-9.]+))(?::[0-9]{1,5})?")
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(peer: str, forwarded: str, trusted: tuple[str, ...]) -> str:
    """The nearest address that is not a proxy of ours; what anybody else writes into X-Forwarded-For is not believed."""
    chain = [peer]
    for word in reversed(forwarded.split(",")):
        if not is_within(chain[-1], trusted) or (address := _written(word.strip())) is None:
            break
        chain.append(address)
    return chain[-1]


def _written(word: str) -> str | None:
    """An address as a proxy writes it, with or without a port; None when it is none, and then nobody's word is believed."""
    found = _WITH_PORT.fullmatch(word)
    address = (found["v6"] or found["v4"]) if found else word
    return address if _parsed(address) is not None else None


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
