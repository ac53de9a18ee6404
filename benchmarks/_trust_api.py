"""schemathesis over the whole API, with all checks: as an owner, as a member, and without credentials."""

from __future__ import annotations

from _harness import Setup, scratch

from bowerbird.core.settings import Settings
from bowerbird.lab.measuring import Figure
from bowerbird.testing.api_check import HOST, Budget, Findings, check_api, known_of, small_library

QUICK = Budget(examples=4, seconds=60)
LONG = Budget(examples=60, seconds=300)


def api(setup: Setup) -> list[Figure]:
    """Ask every route as each kind of asker, in process; count what should not be."""
    found = {who: _ask(setup, who) for who in ("owner", "member", "nobody")}
    requests = sum(one.requests for one in found.values())
    routes = min(len(one.routes) for one in found.values())
    errors = sum(one.server_errors for one in found.values())
    ignored = sum(len(one.of("ignored_auth")) for one in found.values())
    others = {check for one in found.values() for check, said in one.failures.items() if said} - {"not_a_server_error"}
    for who, one in found.items():
        for check, said in one.failures.items():
            setup.log(f"{who}: {check}: {len(said)}, first: {said[0]}")
    note = f"{requests:,} requests to {routes} operations as owner, member and nobody"
    return [
        Figure("api-server-errors", errors, 0, "==", "", note),
        Figure("api-ignored-auth", ignored, 0, "==", "", "answers with 2xx to requests without valid credentials"),
        Figure("api-failed-checks", len(others), 0, "==", "", ", ".join(sorted(others)) or "of all checks"),
    ]


def _ask(setup: Setup, who: str) -> Findings:
    from bowerbird.library import Library
    from bowerbird.serve.app import create_app

    settings = Settings({"trusted_hosts": HOST})
    with scratch(f"api-{who}") as place, Library.open(place / "home", settings) as library:
        token = small_library(library, place / "notes")[who]
        app = create_app(library, token="not used here", worker=False)
        return check_api(app, token, QUICK if setup.quick else LONG, known_of(library))
