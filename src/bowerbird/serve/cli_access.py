"""`bowerbird access` and `bowerbird why-visible`: who may read what, and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.core.errors import UsageError
from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_index import PARTIAL
from bowerbird.serve.cli_output import count, out, print_json, printable, say

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.library.oversharing import Overshared
    from bowerbird.library.permissions import RuleFacts
    from bowerbird.store.rules import Mapped

access = typer.Typer(name="access", help="Say who may read what: policies, rules, mappings.", rich_markup_mode=None)
rules = typer.Typer(name="rules", help="Rules on paths of sources.", rich_markup_mode=None)
mappings = typer.Typer(name="mappings", help="Who it is here whom a source names.", rich_markup_mode=None)
access.add_typer(rules)
access.add_typer(mappings)

AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]
Source = Annotated[str, typer.Argument(metavar="SOURCE", help="The source's name.")]
Who = Annotated[str, typer.Argument(metavar="WHO", help="A handle, `group:NAME`, or `public`.")]


def why_visible(
    item: Annotated[str, typer.Argument(metavar="ITEM", help="An item's id, or its path.")],
    user: Annotated[str, typer.Argument(metavar="USER", help="A person's handle or id.")],
    as_json: AsJson = False,
) -> None:
    """Say which entry lets a person read an item, or keeps them out."""
    with current().open() as library:
        permissions = library.permissions
        found = permissions.why_visible(permissions.item_id(item), permissions.person_id(user))
        audience = permissions.who_sees(found.item)
    if as_json:
        from dataclasses import asdict

        print_json({**asdict(found), "audience": asdict(audience)})
        return
    for line in found.lines:
        _line(line)
    _line(f"{count(audience.people, 'person', 'people')} of {audience.active:,} may read it.")


@access.command()
def policy(
    source: Source,
    wanted: Annotated[str, typer.Argument(metavar="[POLICY]", help="private, members, public, or source.")] = "",
    as_json: AsJson = False,
) -> None:
    """Tell who may read a source, or change it."""
    with current().open() as library:
        permissions = library.permissions
        facts = permissions.set_policy(source, wanted) if wanted else permissions.policy(source)
    if as_json:
        from dataclasses import asdict

        print_json(asdict(facts))
        return
    meaning = {
        "private": f"only {facts.owner} may read it",
        "members": "every member may read it",
        "public": "everybody who is signed in may read it",
        "source": "the source says who may read it",
    }
    _line(f"{facts.source}: {facts.policy} ({meaning[facts.policy]})")
    if wanted == "source":
        say("Run `bowerbird sync` now: until the source was asked, nobody reads it but by a rule.")
    for name in facts.unmapped:
        _line(f"nobody here is {name}: `bowerbird access mappings set {facts.source} {name} HANDLE`")


@rules.command("list")
def list_rules(
    source: Annotated[str, typer.Argument(metavar="[SOURCE]", help="The source's name; without it, all.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the rules, by source and path."""
    with current().open() as library:
        found = library.permissions.rules(source)
    if as_json:
        print_json({"rules": [rule_facts(one) for one in found]})
        return
    if not found:
        say("There are no rules: `bowerbird access rules add SOURCE PATH WHO EFFECT` makes one.")
    for one in found:
        _line(f"{one.id}: {told(one)}")


@rules.command("add")
def add_rule(
    source: Source,
    path: Annotated[str, typer.Argument(metavar="PATH", help="A path within the source; `/` is all of it.")],
    who: Who,
    effect: Annotated[str, typer.Argument(metavar="EFFECT", help="allow, deny (wins), or only.")],
    as_json: AsJson = False,
) -> None:
    """Make a rule for everything at or below a path."""
    with current().open() as library:
        made = library.permissions.add_rule(source, "" if path == "/" else path, who, effect)
        _settle(library)
    against = [rule_facts(one) for one in made.conflicts]
    if as_json:
        print_json({"rule": rule_facts(made.rule), "items": made.items, "moved": made.moved, "conflicts": against})
        return
    _line(f"{made.rule.id}: {told(made.rule)}; {count(made.items, 'item')}")
    for one in made.conflicts:
        say(f"It meets the rule {one.id} ({told(one)}): where both hold, the deny wins.")
    if not made.items:
        say("Nothing lies there yet; the rule will hold for what comes.")


@rules.command("remove")
def remove_rule(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="The rule's id.")],
    as_json: AsJson = False,
) -> None:
    """Undo a rule."""
    with current().open() as library:
        gone = library.permissions.remove_rule(rule)
        _settle(library)
    if as_json:
        print_json({"removed": rule_facts(gone)})
    else:
        say(f"The rule is undone: {told(gone)}.")


@mappings.command("list")
def list_mappings(source: Source, as_json: AsJson = False) -> None:
    """List whom a source names, and who that is here."""
    with current().open() as library:
        _tell_mappings(library.permissions.mappings(source), as_json)


@mappings.command("set")
def set_mapping(
    source: Source,
    theirs: Annotated[str, typer.Argument(metavar="THEIRS", help="`user:NAME`, `group:NAME` or `public`.")],
    who: Annotated[str, typer.Argument(metavar="WHO", help="A handle, `group:NAME`, `public`, or `nobody`.")],
    as_json: AsJson = False,
) -> None:
    """Say who it is here whom a source names."""
    with current().open() as library:
        _tell_mappings(library.permissions.set_mapping(source, theirs, "" if who == "nobody" else who), as_json)


@access.command()
def oversharing(
    fix: Annotated[bool, typer.Option("--fix", help="Make the rules that close what was found.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: only tell which rules.")] = False,
    seconds: Annotated[float, typer.Option("--seconds", min=1, help="How long to look.")] = 600.0,
    as_json: AsJson = False,
) -> int:
    """Look for what many can read although its folder, name or content suggests otherwise."""
    if dry_run and not fix:
        raise UsageError("--dry-run says what --fix would do.", "Add --fix.")
    with current().open() as library:
        report = library.permissions.oversharing
        found = report.report("", seconds, _progress)
        wanted = [(one.source, one.path) for one in found.findings]
        fixes = (report.fixes(wanted) if dry_run else report.fix(wanted)) if fix else []
        if fixes and not dry_run:
            _settle(library)
    if as_json:
        from dataclasses import asdict

        print_json({**asdict(found), "fixes": [asdict(one) for one in fixes], "applied": fix and not dry_run})
        return PARTIAL if found.left else 0
    _tell_findings(found)
    for one in fixes:
        verb = "would be" if dry_run else "is"
        _line(f"{verb} only for {one.principal}: {one.source}: {one.prefix} ({count(one.items, 'item')})")
    return PARTIAL if found.left else 0


def rule_facts(rule: RuleFacts) -> dict[str, object]:
    """Return a rule for programs."""
    from dataclasses import asdict

    return asdict(rule)


def told(rule: RuleFacts) -> str:
    """Return a rule in words."""
    place = f"{rule.source}: {rule.prefix}" if rule.prefix else f"all of {rule.source}"
    verb = {"allow": "may read", "deny": "may not read", "only": "and nobody from above may read"}[rule.effect]
    return f"{rule.principal} {verb} {place}"


def _settle(library: Library) -> None:
    from bowerbird.library.permissions import settle

    settle(library)


def _tell_mappings(found: list[Mapped], as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        print_json({"mappings": [asdict(one) for one in found]})
        return
    if not found:
        say("The source names nobody: its policy is not `source`, or it was not synced since.")
    for one in found:
        _line(f"{one.theirs} is {one.principal or 'nobody here'}, in {count(one.scopes, 'scope')}")


def _tell_findings(found: Overshared) -> None:
    for one in found.findings:
        what = f"{count(one.items, 'item')} below" if not one.item else "item"
        _line(
            f"{one.source}: {one.path} ({what}), open to {', '.join(one.to)}, {count(one.people, 'person', 'people')}"
        )
        for sign in one.signs:
            _line(f"   {sign.why}")
    say(f"{count(found.looked, 'item')} that many can read looked at, {count(len(found.findings), 'finding')}.")
    if found.left:
        say(f"{count(found.left, 'item')} not looked at: give more --seconds.")


def _progress(looked: int, total: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{looked:,} of {total:,} looked at ")
        sys.stderr.flush()


def _line(text: str) -> None:
    from rich.text import Text

    out().print(Text(printable(text)))
