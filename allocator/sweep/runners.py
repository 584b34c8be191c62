"""Who solves the batches: this process, processes of this machine (joblib), or a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from allocator.problems import Problem, ScenarioError
from allocator.scenario import Scenario
from allocator.sweep.variant import Options, Solved, solve_batch
from allocator.texts import Text

ATTEMPTS = 5  # at a batch that workers take with them when they die
_SETTINGS = ", ".join(f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name in ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY"))
_CERTIFICATES = Text(
    f"Dites où ils sont : {_SETTINGS} (docs/sweep.md).", f"Say where they are: {_SETTINGS} (docs/sweep.md)."
)
Batch = Sequence[tuple[int, Mapping[str, Any]]]


class Runner(Protocol):
    """Hands back each batch's number and what it came to, as they are done: each once, in any order."""

    def __call__(
        self, scenario: Scenario, batches: Mapping[int, Batch], options: Options
    ) -> Iterator[tuple[int, Solved]]: ...


def runner(jobs: int = 1, scheduler: str | None = None) -> Runner:
    """`jobs`: processes of this machine, 0 or less: one for each core. `scheduler`: the address of a Dask scheduler."""
    if scheduler is not None:
        return lambda scenario, batches, options: _dask(scheduler, scenario, batches, options)
    jobs = jobs if jobs > 0 else os.cpu_count() or 1
    return _serial if jobs == 1 else lambda scenario, batches, options: _joblib(jobs, scenario, batches, options)


def _serial(scenario: Scenario, batches: Mapping[int, Batch], options: Options) -> Iterator[tuple[int, Solved]]:
    for number, batch in batches.items():
        yield number, solve_batch(scenario, batch, options)


def _numbered(number: int, solve: Callable[..., Solved], *given: Any) -> tuple[int, Solved]:
    return number, solve(*given)


def _joblib(
    jobs: int, scenario: Scenario, batches: Mapping[int, Batch], options: Options
) -> Iterator[tuple[int, Solved]]:
    """A process that is killed, as a rule for want of memory, takes batches along: half as many processes solve what is
    left, in the end this one alone."""
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    left = dict(batches)
    while left and jobs > 1:
        parallel = Parallel(
            n_jobs=jobs, backend="loky", return_as="generator_unordered", batch_size=1, pre_dispatch=2 * jobs
        )
        asked = [delayed(_numbered)(number, solve_batch, scenario, batch, options) for number, batch in left.items()]
        try:
            for number, solved in parallel(asked):
                del left[number]
                yield number, solved
        except TerminatedWorkerError:
            jobs //= 2
    yield from _serial(scenario, left, options)


def _dask(
    address: str, scenario: Scenario, batches: Mapping[int, Batch], options: Options
) -> Iterator[tuple[int, Solved]]:
    """A worker that dies takes its batches along; the scheduler gives them to another, and each comes back once."""
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port, parse_address
        from distributed.security import Security
    except ImportError:
        raise _cannot(
            Text("la bibliothèque « distributed » manque", "the library “distributed” is missing"),
            Text("pip install 'allocator-fonds-publics[cluster]'", "pip install 'allocator-fonds-publics[cluster]'"),
        ) from None
    try:
        get_address_host_port(address)
        encrypted = {"tcp": False, "tls": True}[parse_address(address)[0]]
    except (ValueError, KeyError):
        wrong = Text(f"« {address} » n'est pas une adresse", f"“{address}” is no address")
        raise _cannot(wrong, Text("par exemple tcp://127.0.0.1:8786", "for example tcp://127.0.0.1:8786")) from None
    security = Security()  # as the settings of Dask say
    try:
        ours = security.get_connection_args("client").get("ssl_context")
    except OSError as error:  # a file that is not there, or no certificate
        said = error.strerror or type(error).__name__
        wrong = Text(f"certificats illisibles ({said})", f"unreadable certificates ({said})")
        raise _cannot(wrong, _CERTIFICATES) from None
    if encrypted and ours is None:
        raise _cannot(Text("tls:// demande des certificats", "tls:// needs certificates"), _CERTIFICATES)
    if security.require_encryption and not encrypted:
        wrong = Text("les réglages de Dask demandent tls://", "the settings of Dask ask for tls://")
        raise _cannot(wrong, _CERTIFICATES)
    try:
        client = Client(address, timeout="5s", set_as_default=False, security=security)
    except (OSError, ValueError, TimeoutError) as error:
        raise _cannot(
            Text(f"aucun ordonnanceur Dask ne répond à {address}", f"no Dask scheduler answers at {address}"),
            Text(
                f"le démarrer : dask scheduler ({type(error).__name__})",
                f"start it: dask scheduler ({type(error).__name__})",
            ),
        ) from None
    with client, client.as_current():
        if not client.scheduler_info()["workers"]:
            raise _cannot(
                Text(f"l'ordonnanceur {address} n'a aucun exécutant", f"the scheduler {address} has no worker"),
                Text(f"en démarrer : dask worker {address}", f"start some: dask worker {address}"),
            )
        yield from _on_cluster(client, scenario, batches, options)


def _on_cluster(
    client: Any, scenario: Scenario, batches: Mapping[int, Batch], options: Options
) -> Iterator[tuple[int, Solved]]:
    """Dask solves again what a dead worker had in hand; what it had done but not handed over, we ask for again."""
    from concurrent.futures import CancelledError

    from distributed import as_completed

    held = client.scatter(scenario, broadcast=True, hash=False)
    attempts = dict.fromkeys(batches, 0)

    def asked(number: int) -> Any:
        attempts[number] += 1
        return client.submit(solve_batch, held, batches[number], options, pure=False)

    futures = {asked(number): number for number in batches}
    coming = as_completed(list(futures))
    for future in coming:
        number = futures.pop(future)
        try:
            solved = future.result()
        except CancelledError:
            if attempts[number] == ATTEMPTS:
                raise
            held = client.scatter(scenario, broadcast=True, hash=False)  # its copies may have gone with the worker
            again = asked(number)
            futures[again] = number
            coming.add(again)
            continue
        yield number, solved
        future.release()


def _cannot(message: Text, remedy: Text) -> ScenarioError:
    return ScenarioError([Problem("--scheduler", message, remedy)])
