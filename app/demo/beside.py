"""Work in a second process: one core makes rows while the other hands them to the database."""

from __future__ import annotations

import gc
import marshal
import multiprocessing
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

Message = tuple[str, Any]
Send = Callable[[Message], None]


def beside(produce: Callable[[Send], None]) -> Iterator[Message]:
    """Yields what `produce` sends from its own process, in order.

    The process is a fork, so `produce` may be any closure but must leave open connections alone. Should it fail, its traceback
    goes to stderr and the error is raised here, after its last message.
    """
    fork = multiprocessing.get_context("fork")
    receiving, sending = fork.Pipe(duplex=False)
    child = fork.Process(target=_produce, args=(produce, sending), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of locks held by other threads; we share none
        child.start()
    sending.close()
    try:
        with closing(receiving):
            yield from _messages(receiving)
        child.join()
    finally:
        child.terminate()  # does nothing to a process that has ended
        child.join()
    if child.exitcode:
        raise RuntimeError(f"the process that makes the rows ended with {child.exitcode}")


def _messages(receiving: Any) -> Iterator[Message]:
    while True:
        try:
            data = receiving.recv_bytes()
        except EOFError:
            return
        yield marshal.loads(data)  # noqa: S302 - our own child wrote it a moment ago


def _produce(produce: Callable[[Send], None], sending: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the parent, which ends this process
    gc.disable()  # millions of short-lived rows hold no cycles, and looking for them takes a fifth of the time
    with closing(sending):
        produce(lambda message: sending.send_bytes(marshal.dumps(message)))
