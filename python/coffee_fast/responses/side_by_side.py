"""Several responses at once, with the bits of one after the other."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import NoReturn

from coffee_fast.checks import check_count
from coffee_fast.errors import CoffeeError, InvalidArgumentError, shown
from coffee_fast.responses.base import Response, ResumableOracle
from coffee_fast.responses.request import ResponseRequest, Stopped
from coffee_fast.typing import ProgressCallback

Finished = Callable[[int, Response], None]


def respond_side_by_side(
    requests: Sequence[ResponseRequest],
    num_threads: int = 0,
    progress: ProgressCallback | None = None,
    finished: Finished | None = None,
) -> list[Response]:
    """Train several responses, as many at once as there are threads.

    Each draws from the streams of its own seed alone, so its bits are those of :meth:`ResponseRequest.train` whatever
    the number of threads. Oracles whose ``runs_on_threads`` is not true (torch's, and those that are no
    `ResumableOracle`) are trained one after the other on the calling thread once the others are done.

    Parameters
    ----------
    requests
        What to train.
    num_threads
        Trainings at once, 0 for all cores; each holds its own replay buffer (some 20 MB at the paper's sizes).
    progress
        Called as ``ResponseOracle.respond`` says, but with the phases ``"response (thread 1)"``, ... while several
        are trained at once.
    finished
        Called with the place in ``requests`` and the response, as soon as each is trained. This and ``progress`` are
        called on the calling thread alone.

    Returns
    -------
    list of Response
        In the order of ``requests``.

    Raises
    ------
    CoffeeError
        What one training raised, with its place among the requests; the others are stopped within some 50 ms. So they
        are by Ctrl-C, if this is called on the main thread; their checkpoints remain.

    Examples
    --------
    >>> import coffee_fast as cf
    >>> oracle = cf.DDQN(hidden_sizes=(8,), num_steps=300, replay_capacity=300, min_replay=100)
    >>> opponents, objective = cf.Mixture((cf.UniformRandom(),), [1.0]), cf.responses.ResponseObjective()
    >>> game = cf.load_game("generalized_bargaining")
    >>> requests = [ResponseRequest(oracle, game, opponents, objective, seed, reward_scale=5.0) for seed in (1, 2)]
    >>> first, second = respond_side_by_side(requests, num_threads=2)
    """
    num_threads = check_count("respond_side_by_side: num_threads", num_threads)
    if not isinstance(requests, Sequence) or not all(isinstance(request, ResponseRequest) for request in requests):
        raise InvalidArgumentError(
            f"respond_side_by_side: requests must be a list of ResponseRequest, got {shown(requests)}"
        )
    responses: dict[int, Response] = {}

    def take(place: int, response: Response) -> None:
        responses[place] = response
        if finished:
            finished(place, response)

    on_threads = [place for place, request in enumerate(requests) if _runs_on_threads(request)]
    num_at_once = min(num_threads or _num_cores(), len(on_threads))
    if num_at_once > 1:
        _train_on_threads(requests, on_threads, num_at_once, progress, take)
    for place, request in enumerate(requests):
        if place not in responses:
            try:
                response = request.train(progress)
            except Exception as error:
                _raise_placed(error, place, len(requests))
            take(place, response)
    return [responses[place] for place in range(len(requests))]


def _train_on_threads(
    requests: Sequence[ResponseRequest],
    places: Sequence[int],
    num_threads: int,
    progress: ProgressCallback | None,
    take: Finished,
) -> None:
    """Train on threads that tell the calling one what to call; it alone hears of Ctrl-C."""
    waiting = deque(places)
    calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
    stop = threading.Event()

    def work(thread: int) -> None:
        phase = f"response (thread {thread + 1})"
        report: ProgressCallback | None = None
        if progress:
            report = lambda _, *rest: calls.put(partial(progress, phase, *rest))  # noqa: E731
        while waiting and not stop.is_set():
            try:
                place = waiting.popleft()
            except IndexError:  # another thread was quicker
                break
            try:
                calls.put(partial(take, place, requests[place].train(report, stop.is_set)))
            except Stopped:
                break
            except BaseException as error:
                calls.put(partial(_raise_placed, error, place, len(requests)))
                break
        calls.put(None)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(num_threads)]
    try:
        for thread in threads:
            thread.start()
        num_working = num_threads
        while num_working > 0:
            if (call := calls.get()) is None:
                num_working -= 1
            else:
                call()
    finally:
        stop.set()
        for thread in threads:
            if thread.ident is not None:  # else Ctrl-C came before it was started
                thread.join()


def _raise_placed(error: BaseException, place: int, num_requests: int) -> NoReturn:
    """Raise the error, of the same type, with the place of the response it is of."""
    where = f"response {place + 1} of {num_requests}"
    if isinstance(error, CoffeeError) and num_requests > 1:
        raise type(error)(f"{where}: {error}") from error
    error.add_note(f"in {where}")
    raise error


def _runs_on_threads(request: ResponseRequest) -> bool:
    return isinstance(request.oracle, ResumableOracle) and request.oracle.runs_on_threads


def _num_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
