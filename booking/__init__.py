"""The residents' booking pages, as one blueprint: the same pages serve residents and, in operator mode, the call centre."""

from booking import door
from booking.applying import visitor
from booking.blueprint import Desk, blueprint

__all__ = ["Desk", "blueprint", "door", "visitor"]
