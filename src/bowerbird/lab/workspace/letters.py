"""Mail: single messages with attachments (RFC 5322, MIME) and mailboxes (mbox, RFC 4155)."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from bowerbird.core.records import Person
from bowerbird.lab.workspace.markup import to_html
from bowerbird.lab.workspace.story import DOMAIN, Calendar, Piece, listed


def message(piece: Piece, people: Mapping[str, Person], made: Mapping[str, bytes]) -> bytes:
    """Render a piece as one .eml; `attach` names files made before, `html: yes` adds an HTML face."""
    mail = _mail(piece.fields, piece.body, people, piece.when)
    if "html" in piece.fields:
        mail.add_alternative(f"<html><body>{to_html(piece.body)}</body></html>", subtype="html")
    for path in listed(piece.fields.get("attach", ""), ";"):
        media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        main, _, sub = media_type.partition("/")
        mail.add_attachment(made[path], maintype=main, subtype=sub, filename=path.rpartition("/")[2])
    _bound(mail)
    return mail.as_bytes()


def mailbox(piece: Piece, people: Mapping[str, Person], calendar: Calendar) -> tuple[bytes, tuple[str, ...]]:
    """Render a piece whose body is a run of `=== MM-DD HH:MM from > to` messages; returns bytes and subjects.

    The first line of each message is its subject; an answer quotes nothing and refers to the message before it.
    """
    out: list[bytes] = []
    subjects: list[str] = []
    before = ""
    for part in re.split(r"^=== ", piece.body, flags=re.MULTILINE)[1:]:
        head, _, text = part.partition("\n")
        sender, _, to = head[12:].partition(" > ")
        subject, _, body = text.partition("\n")
        when = calendar.moment(head[:11])
        mail = _mail({"from": sender, "to": to, "subject": subject}, body.strip("\n") + "\n", people, when)
        if before:
            mail["In-Reply-To"] = mail["References"] = before
        before = str(mail["Message-ID"])
        subjects.append(subject)
        quoted = re.sub(rb"^(>*From )", rb">\1", mail.as_bytes(), flags=re.MULTILINE)
        out.append(f"From {people[sender].address} {when:%a %b %d %H:%M:%S %Y}\n".encode() + quoted + b"\n")
    return b"".join(out), tuple(subjects)


def _mail(fields: Mapping[str, str], body: str, people: Mapping[str, Person], when: datetime) -> EmailMessage:
    mail = EmailMessage(policy=policy.default.clone(max_line_length=200))
    mail["From"] = _address(people[fields["from"]])
    for header in ("to", "cc"):
        if fields.get(header):
            mail[header.title()] = ", ".join(_address(people[short]) for short in listed(fields[header], ","))
    mail["Subject"] = fields["subject"]
    mail["Date"] = format_datetime(when)
    mark = hashlib.sha256(f"{when}{fields['subject']}{body}".encode()).hexdigest()[:20]
    mail["Message-ID"] = f"<{mark}@{DOMAIN}>"
    mail.set_content(body, cte="8bit")
    return mail


def _address(person: Person) -> str:
    return formataddr((person.name, person.address), charset="utf-8")


def _bound(mail: EmailMessage) -> None:
    """Give every multipart a boundary of its own that is the same each time."""
    mark = hashlib.sha256(str(mail["Message-ID"]).encode()).hexdigest()[:16]
    for i, part in enumerate(mail.walk()):
        if part.is_multipart():
            part.set_boundary(f"=-{mark}-{i}")
