"""Runs schemathesis over the API of an application, in this process, as somebody or as nobody.

It makes requests from the OpenAPI description, good ones and bad ones, and holds every answer against it: status, form,
type, and that no route answers without the credentials it asks for. Needs the extra `dev`.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bowerbird.library import Library

PASSWORD = "gravel otter seventeen"  # noqa: S105 - of somebody made up
HOST = "testserver"
"""The host that requests are sent to; the application has to answer to it (setting `trusted_hosts`)."""


ACCEPTED = ("2xx", "3xx", "401", "403", "404", "409", "416", "422", "429")
"""Statuses that may answer a request that fits the description; of those of a server none."""

REFUSED = ("400", "401", "403", "404", "405", "409", "413", "414", "422", "429")
"""Statuses that may answer a request that does not fit the description."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How thoroughly (`examples` a route and phase) and how long; the seed makes a run repeatable."""

    examples: int
    seconds: int
    seed: int = 3


@dataclass(slots=True)
class Findings:
    """What a run found: how many requests, statuses of the answers, routes asked, and failures by check."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    routes: set[str] = field(default_factory=set)
    failures: dict[str, list[str]] = field(default_factory=dict)

    @property
    def server_errors(self) -> int:
        """Answers with a status of 500 or more; 503 and 507 say what is the matter, but none is expected."""
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def of(self, check: str) -> list[str]:
        """Return the failures of one check."""
        return self.failures.get(check, [])


def check_api(
    app: Any, token: str, budget: Budget, known: Mapping[str, Sequence[str]], skip: Sequence[str] = ()
) -> Findings:
    """Check every operation of an application's description with all checks.

    `token` is sent as a bearer token, "" for none. `known` are real values for parameters by name (`path.item_id`),
    drawn beside made-up ones. `skip` are regular expressions of operations (`POST /api/purge`) that are left out.
    """
    import schemathesis
    from schemathesis.config import SchemathesisConfig
    from schemathesis.engine import events, from_schema

    schemathesis.engine  # noqa: B018 - makes the package whole for the type checker
    config = SchemathesisConfig.from_dict(_settings(token, budget, known, skip))
    schema = schemathesis.openapi.from_dict(app.openapi(), config=config)
    schema.app = app
    found = Findings()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            _collect(found, event.recorder)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.failures.setdefault("ran", []).append(
                repr(getattr(event, "value", getattr(event, "exception", event)))
            )
    return found


def small_library(library: Library, folder: Path) -> dict[str, str]:
    """Fill a library with a few files, people, a group and a rule; return tokens of an owner, a member and nobody."""
    folder.mkdir(parents=True)
    for number in range(6):
        (folder / f"note-{number}.md").write_text(f"# Note {number}\n\nA walrus was seen at pier {number}.\n")
    source = library.add(str(folder), "Notes")
    library.enqueue("sync")
    worker = library.worker()
    worker.run_until_idle(lambda _: None, threading.Event(), vectors=False)
    worker.close()
    library.permissions.set_policy(source.name, "members", "owner")
    people = library.identity.people
    people.make_group("board", "owner")
    person, link = people.invite("ada", "member", "owner")
    library.identity.set_up(link.secret, PASSWORD)
    people.add_member("group:local:board", f"user:{person.id}", "owner")
    _, member = library.identity.make_token(person.id, "check", ("read", "write"))
    _, owner = library.identity.make_token("owner", "check", ("read", "write", "admin"))
    return {"owner": owner, "member": member, "nobody": ""}


def known_of(library: Library) -> dict[str, list[str]]:
    """Return what the parameters of a library's API could be, for `check_api`."""
    found = [hit.item for hit in library.search("walrus").hits]
    persons = [person.id for person in library.identity.people.listed()]
    names = [source.name for source in library.sources()]
    jobs = [job.id for job in library.status().jobs]
    return {
        "path.item_id": found,
        "query.item": found,
        "path.person": persons,
        "query.person": persons,
        "path.group": ["group:local:board"],
        "path.name": names,
        "path.source": names,
        "query.source": names,
        "path.job_id": jobs,
        "query.q": ["walrus", "type:note", '"pier 3" -note'],
        "query.pipeline": ["words", "hybrid", "typing"],
        "body.location": [source.location for source in library.sources()],
        "body.source": names,
    }


def _settings(token: str, budget: Budget, known: Mapping[str, Sequence[str]], skip: Sequence[str]) -> dict[str, Any]:
    names = {name: name.replace(".", "-") for name in known}
    settings: dict[str, Any] = {
        "seed": budget.seed,
        "max-time": budget.seconds,
        "continue-on-failure": True,
        "generation": {"max-examples": budget.examples, "mode": "all", "no-shrink": True, "database": "none"},
        "dictionaries": {names[name]: {"values": list(values)} for name, values in known.items() if values},
        "parameters": {name: {"dictionary": names[name]} for name, values in known.items() if values},
        "operations": [{"include-name-regex": pattern, "enabled": False} for pattern in skip],
        # rules that no schema can say (a weak password, a handle that is taken) are answered by 422, too
        "checks": {
            "positive_data_acceptance": {"expected-statuses": [*ACCEPTED]},
            "negative_data_rejection": {"expected-statuses": [*REFUSED]},
        },
        "cache": {"enabled": False},
        "warnings": False,
        "headers": {"origin": f"http://{HOST}"},  # that of our own page: open routes ask for it
    }
    if token:
        settings["auth"] = {"openapi": {"token": {"bearer": token}}}
    return settings


def _collect(found: Findings, recorder: Any) -> None:
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is None:
            continue
        status = interaction.response.status_code
        found.requests += 1
        found.statuses[status] += 1
        found.routes.add(recorder.cases[case_id].value.operation.label)
        if status >= 500:
            place = f"{interaction.request.method} {interaction.request.uri}"
            found.failures.setdefault("not_a_server_error", []).append(f"{status} {place}")
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                case = recorder.cases[case_id].value
                said = f"{case.operation.label}: {check.failure_info.failure} <- {case.as_curl_command()[:400]}"
                found.failures.setdefault(check.name, []).append(said)
