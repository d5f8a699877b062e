"""The residents' booking pages, as one blueprint: the same pages serve residents and, in operator mode, the call centre."""

from booking.applying import visitor
from booking.blueprint import blueprint

__all__ = ["blueprint", "visitor"]
