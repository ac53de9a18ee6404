"""`bowerbird people`, `groups` and `token`: who gets in, with which role, and how programs do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.core.errors import NotFoundError
from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_output import count, out, print_json, printable, say

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.library.links import Link
    from bowerbird.store.groups import GroupRow
    from bowerbird.store.people import PersonRow
    from bowerbird.store.sessions import TokenRow

people = typer.Typer(name="people", help="List, invite, suspend people; change their roles.", rich_markup_mode=None)
groups = typer.Typer(name="groups", help="List, make and fill groups.", rich_markup_mode=None)
token = typer.Typer(name="token", help="Make and revoke the API tokens of programs.", rich_markup_mode=None)

Handle = Annotated[str, typer.Argument(metavar="HANDLE", help="What the person signs in with.")]
Role = Annotated[str, typer.Option("--role", help="guest, member, admin or owner.")]
Group = Annotated[str, typer.Argument(metavar="GROUP", help="A group's name, or its id group:SOURCE:NAME.")]
Member = Annotated[str, typer.Argument(metavar="MEMBER", help="A handle, or the id of a group.")]
Whose = Annotated[str, typer.Option("--person", metavar="HANDLE", help="Whose token it is.")]
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


@people.command("list")
def list_people(as_json: AsJson = False) -> None:
    """List everybody with a way in."""
    with current().open() as library:
        rows = library.identity.people.listed()
    if as_json:
        print_json({"people": [person_facts(row) for row in rows]})
        return
    for row in rows:
        ways = [way for way, has in (("password", row.has_password), ("code", row.has_totp)) if has]
        state = "" if row.state == "active" else ", suspended"
        _line(f"{row.handle}: {row.role}{state}, {' and '.join(ways) or 'no password'}, last seen {_day(row.seen)}")


@people.command()
def invite(
    handle: Handle,
    role: Role = "member",
    name: Annotated[str, typer.Option("--name", help="What the person is called.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let somebody in, and print the link by which they set a password."""
    with current().open() as library:
        person, made = library.identity.people.invite(handle, role, name=name)
        _tell_link(library, person, made, as_json)


@people.command()
def link(
    handle: Handle,
    without_code: Annotated[
        bool, typer.Option("--without-code", help="Remove the second factor, too: its device is lost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Print a link by which somebody sets a new password; the one before ends."""
    with current().open() as library:
        person = library.identity.people.named(handle)
        made = library.identity.people.link(person.id, without_code=without_code)
        _tell_link(library, person, made, as_json)


@people.command()
def role(
    handle: Handle,
    wanted: Annotated[str, typer.Argument(metavar="ROLE", help="guest, member, admin or owner.")],
    as_json: AsJson = False,
) -> None:
    """Give somebody another role; their sessions end."""
    with current().open() as library:
        changed = library.identity.people.set_role(library.identity.people.named(handle).id, wanted)
    _tell_person(changed, as_json, f"{changed.handle} is {changed.role}.")


@people.command()
def suspend(handle: Handle, as_json: AsJson = False) -> None:
    """Let somebody in no longer: sessions, tokens and links end at once."""
    with current().open() as library:
        changed = library.identity.people.suspend(library.identity.people.named(handle).id)
    _tell_person(changed, as_json, f"{changed.handle} is suspended; sessions, tokens and links have ended.")


@people.command()
def reactivate(handle: Handle, as_json: AsJson = False) -> None:
    """Let somebody in again, by the password or account they had."""
    with current().open() as library:
        changed = library.identity.people.reactivate(library.identity.people.named(handle).id)
    _tell_person(changed, as_json, f"{changed.handle} can sign in again.")


@groups.command("list")
def list_groups(as_json: AsJson = False) -> None:
    """List the groups, and who is directly in them."""
    with current().open() as library:
        known = library.identity.people
        rows = [(row, [member.label for member in known.members(row.id)]) for row in known.groups()]
    if as_json:
        print_json({"groups": [{**group_facts(row), "labels": labels} for row, labels in rows]})
        return
    if not rows:
        say("There are no groups yet: `bowerbird groups make NAME` makes one.")
    for row, labels in rows:
        _line(f"{row.id}: {count(row.members, 'member')}{': ' if labels else ''}{', '.join(labels)}")


@groups.command()
def make(name: Annotated[str, typer.Argument(help="The group's name.")], as_json: AsJson = False) -> None:
    """Make a group; the same name again is no error."""
    with current().open() as library:
        made = library.identity.people.make_group(name)
    _tell_group(made, as_json, f"The group {made.id} is there.")


@groups.command()
def delete(group: Group, as_json: AsJson = False) -> None:
    """Remove a group, with what it was allowed or denied."""
    with current().open() as library:
        library.identity.people.remove_group(_group_id(group))
    _tell({"removed": _group_id(group)}, as_json, f"The group {group} is removed.")


@groups.command()
def add(group: Group, member: Member, as_json: AsJson = False) -> None:
    """Put a person or a group into a group."""
    with current().open() as library:
        principal = _principal(library, member)
        library.identity.people.add_member(_group_id(group), principal)
    _tell({"group": _group_id(group), "member": principal}, as_json, f"{member} is in {group}.")


@groups.command()
def remove(group: Group, member: Member, as_json: AsJson = False) -> None:
    """Take a person or a group out of a group."""
    with current().open() as library:
        principal = _principal(library, member)
        library.identity.people.remove_member(_group_id(group), principal)
    _tell({"group": _group_id(group), "member": principal}, as_json, f"{member} is no longer in {group}.")


@token.command("make")
def make_token(
    name: Annotated[str, typer.Argument(help="What the token is for.")],
    person: Whose = "owner",
    grant: Annotated[list[str] | None, typer.Option("--grant", help="read, write or admin; read if not said.")] = None,
    days: Annotated[int, typer.Option("--days", min=0, max=3650, help="How long; 0: until it is revoked.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Make an API token and print its secret, once."""
    with current().open() as library:
        holder = library.identity.people.named(person)
        row, secret = library.identity.make_token(holder.id, name, grant or ["read"], days)
    if as_json:
        print_json({"token": token_facts(row), "person": holder.handle, "secret": secret})
        return
    _line(secret)
    say(f"It is shown only now. It grants {', '.join(row.grants)} as {holder.handle}.")


@token.command("list")
def list_tokens(person: Whose = "owner", as_json: AsJson = False) -> None:
    """List somebody's API tokens, without their secrets."""
    with current().open() as library:
        rows = library.identity.tokens(library.identity.people.named(person).id)
    if as_json:
        print_json({"tokens": [token_facts(row) for row in rows]})
        return
    for row in rows:
        ends = f"ends {_day(row.ends)}" if row.ends else "does not end"
        _line(f"{row.id}: {row.name}, {', '.join(row.grants)}, last used {_day(row.seen)}, {ends}")


@token.command()
def revoke(
    name: Annotated[str, typer.Argument(metavar="TOKEN", help="The token's id, or its name.")],
    person: Whose = "owner",
    as_json: AsJson = False,
) -> None:
    """Revoke an API token."""
    with current().open() as library:
        holder = library.identity.people.named(person).id
        found = [row.id for row in library.identity.tokens(holder) if name in (row.id, row.name)]
        if not found:
            raise NotFoundError(f"There is no token {name}.", "`bowerbird token list` shows all of them.")
        for one in found:
            library.identity.revoke_token(holder, one)
    _tell({"revoked": found}, as_json, f"{count(len(found), 'token')} revoked.")


def person_facts(row: PersonRow) -> dict[str, object]:
    """Return a person as JSON shows them."""
    shown = ("id", "handle", "name", "role", "state", "has_password", "has_totp")
    return {**{name: getattr(row, name) for name in shown}, "seen": _moment(row.seen)}


def group_facts(row: GroupRow) -> dict[str, object]:
    """Return a group as JSON shows it."""
    return {"id": row.id, "source": row.source, "name": row.name, "members": row.members}


def token_facts(row: TokenRow) -> dict[str, object]:
    """Return a token as JSON shows it, without its secret."""
    times = {"created": _moment(row.created), "seen": _moment(row.seen), "ends": _moment(row.ends)}
    return {"id": row.id, "name": row.name, "grants": list(row.grants), **times}


def _tell(facts: dict[str, object], as_json: bool, message: str) -> None:
    if as_json:
        print_json(facts)
    else:
        say(message)


def _tell_person(row: PersonRow, as_json: bool, message: str) -> None:
    _tell({"person": person_facts(row)}, as_json, message)


def _tell_group(row: GroupRow, as_json: bool, message: str) -> None:
    _tell({"group": group_facts(row)}, as_json, message)


def _tell_link(library: Library, person: PersonRow, link: Link, as_json: bool) -> None:
    address = f"{_address(library)}{link.path}"
    if as_json:
        print_json({"person": person_facts(person), "link": address, "ends": _moment(link.ends)})
        return
    say(f"Give this link to {person.handle}; it sets a password, once, until {_day(link.ends)}:")
    out().print(address, markup=False, soft_wrap=True)


def _address(library: Library) -> str:
    """Return where browsers find the server: by the settings, by the one that runs, or where it would listen."""
    from bowerbird.serve.client import running

    settings = library.settings
    if base := settings.get("base_url", str):
        return base.rstrip("/")
    server = running(library.home)
    return server.url if server else f"http://{settings.get('host', str)}:{settings.get('port', int)}"


def _group_id(group: str) -> str:
    return group if group.startswith("group:") else f"group:local:{group}"


def _principal(library: Library, member: str) -> str:
    return member if member.startswith("group:") else f"user:{library.identity.people.named(member).id}"


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _day(seconds: float | None) -> str:
    return "never" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _line(text: str) -> None:
    out().print(printable(text), markup=False)
