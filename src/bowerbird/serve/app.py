"""The web application: wires security, API and pages around one library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bowerbird import __version__
from bowerbird.core.errors import BowerbirdError, NotFoundError, UsageError
from bowerbird.serve import (
    api,
    api_access,
    api_account,
    api_admin,
    api_audit,
    api_explain,
    api_library,
    api_people,
    api_records,
    api_saved,
    api_suggest,
    pages,
    pages_admin,
    pages_oidc,
)
from bowerbird.serve.edge import Edge, Forwarded
from bowerbird.serve.openapi import describe, methods_at
from bowerbird.serve.security import Doors, Guard, open_paths, tell_refusal

if TYPE_CHECKING:
    from bowerbird.library import Library

ROUTERS = (
    api.router,
    api_suggest.router,
    api_explain.router,
    api_library.router,
    api_records.router,
    api_account.router,
    api_saved.router,
    api_people.router,
    api_admin.router,
    api_audit.router,
    api_access.router,
    pages.router,
    pages_admin.router,
    pages_oidc.router,
)
"""All routes; each declares who may use it."""

THREADS = 12
"""Calls of the library that run side by side: enough that a slow page image does not hold up a search."""

DESCRIPTION = """Search everything in the library, read what was found, and look after the sources.

Send an API token as `Authorization: Bearer`; what is not its holder's looks like what is not there. Errors are JSON:
`code` is stable, `cause` says what is wrong and `remedy` what to do."""


def create_app(library: Library, *, token: str, worker: bool, edge: Edge | None = None) -> FastAPI:
    """Build the application for a library. `token` is the bearer token; `worker` makes it the library's writer, too.

    `edge` says which names it answers to and whom it believes; without it, what the settings say.

    `app.state.doors.invite()` gives the secret of a one-time link. Raises LockedError at start-up where another process
    is the writer already.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        writer = await anyio.to_thread.run_sync(library.worker) if worker else None
        try:
            if writer is not None:
                await anyio.to_thread.run_sync(partial(writer.start, watch=True))
            library.suggesting.start()
            yield
        finally:
            await anyio.to_thread.run_sync(library.suggesting.close)
            if writer is not None:
                await anyio.to_thread.run_sync(writer.close)

    app = FastAPI(
        title="Bowerbird",
        version=__version__,
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.library = library
    app.state.doors = Doors(token, library.identity)
    edge = edge or Edge.of(library.settings)
    app.add_middleware(Guard, doors=app.state.doors, edge=edge, refuse=pages.refusal)
    app.add_middleware(Forwarded, edge=edge)  # outermost: all else sees the request as the proxy received it
    app.add_exception_handler(BowerbirdError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_error)
    app.add_exception_handler(HTTPException, _answer_error)
    for router in ROUTERS:
        app.include_router(router)
    app.openapi = partial(describe, app, ROUTERS)  # type: ignore[method-assign]  # FastAPI's own way to another description
    app.state.open_paths = open_paths(ROUTERS)
    app.mount("/static", Files(directory=pages.STATIC))
    return app


class Files(StaticFiles):
    """Our own files of the pages; a browser keeps them, and asks each time whether they changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer with a file."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = "no-cache"
        return response


async def _answer_error(request: Request, problem: Exception) -> Response:
    if isinstance(problem, BowerbirdError):
        if problem.status == 403:
            tell_refusal(request, problem)
        return pages.refusal(request, problem, problem.status)
    if isinstance(problem, RequestValidationError):
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        usage = UsageError(f"The request is not of the right form: {where}: {first['msg']}.", "See /api/openapi.json.")
        return pages.refusal(request, usage, usage.status)
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    if status == 404:
        return pages.refusal(request, NotFoundError("There is nothing at this address.", "Go to the search page."), 404)
    usage = UsageError("This address cannot be used in this way.", "See /api/openapi.json.")
    answer = pages.refusal(request, usage, status)
    if status == 405:
        answer.headers["allow"] = ", ".join(methods_at(request.url.path, ROUTERS)) or "GET, HEAD"
    return answer
