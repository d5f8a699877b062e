"""What is stored. Importing this package maps every table: those named below, and of every other module in this folder."""

from importlib import import_module
from pkgutil import iter_modules

from models.base import Base, Code, Field, metadata
from models.bookings import Channel, Intake, Language, Reservation, ReservationState, Sex, Slot, slot_name
from models.cards import Card, CardHistory, CardNote, CardState
from models.documents import Document, DocumentPage
from models.drafts import BookingDraft, DraftStep, ImportDraft, SentForm
from models.installed import Installed
from models.mails import MailKind, MailState, MailTemplate, Outbox
from models.masters import (
    BookingCategory,
    CodeItem,
    Counter,
    CounterClosure,
    CounterHours,
    DeskPool,
    FeeRule,
    RetentionRule,
    VisitPurpose,
    Weekday,
)
from models.operation_log import ActionClass, MyNumberAccess, OperationLog
from models.operators import Operator, OperatorSession
from models.pickups import PickupCard, PickupTicket
from models.shipments import ItemKind, ReturnReason, Shipment
from models.staff import Employer, Staff, WebSession
from models.translations import Translation
from models.waiting import WaitingEntry, WaitingState

__all__ = [
    "ActionClass",
    "Base",
    "BookingCategory",
    "BookingDraft",
    "Card",
    "CardHistory",
    "CardNote",
    "CardState",
    "Channel",
    "Code",
    "CodeItem",
    "Counter",
    "CounterClosure",
    "CounterHours",
    "DeskPool",
    "Document",
    "DocumentPage",
    "DraftStep",
    "Employer",
    "FeeRule",
    "Field",
    "ImportDraft",
    "Installed",
    "Intake",
    "ItemKind",
    "Language",
    "MailKind",
    "MailState",
    "MailTemplate",
    "MyNumberAccess",
    "OperationLog",
    "Operator",
    "OperatorSession",
    "Outbox",
    "PickupCard",
    "PickupTicket",
    "Reservation",
    "ReservationState",
    "RetentionRule",
    "ReturnReason",
    "SentForm",
    "Sex",
    "Shipment",
    "Slot",
    "Staff",
    "Translation",
    "VisitPurpose",
    "WaitingEntry",
    "WaitingState",
    "WebSession",
    "Weekday",
    "metadata",
    "slot_name",
]

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")  # a table in a new file needs no line here
