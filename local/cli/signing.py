"""`saldo seller certificate`: under which certificate a seller's invoices and credit notes are signed."""

from __future__ import annotations

from base64 import encodebytes
from pathlib import Path

import click

from local.cli.orders import by, clerk
from local.cli.selling import seller_group
from local.cli.site import Sites, signing_certificates_of
from local.cli.voice import Voice, speaks_json

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@seller_group.group(name="certificate")
def certificate_group() -> None:
    """What documents are signed with; without one they are not signed."""


@certificate_group.command(name="make")
@click.argument("entity_id", metavar="ENTITY")
@by
@click.pass_obj
@speaks_json
def make(sites: Sites, voice: Voice, entity_id: str, person: str) -> None:
    """Make a certificate that nobody vouches for: readers see that nothing was altered, not who the seller is."""
    made = signing_certificates_of(sites.of(entity_id)).make(entity_id, clerk(person))
    words = f"Documents of {entity_id} are signed from now on."
    voice.answer({"entity_id": entity_id, "certificate": _pem(made)}, lambda console: console.print(words))


@certificate_group.command(name="request")
@click.argument("entity_id", metavar="ENTITY")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write it.")
@click.pass_obj
@speaks_json
def request(sites: Sites, voice: Voice, entity_id: str, out: Path) -> None:
    """Write what an authority needs to issue a certificate for the key (PKCS #10)."""
    out.write_text(_pem(signing_certificates_of(sites.of(entity_id)).request(entity_id), "CERTIFICATE REQUEST"))
    voice.answer({"written": str(out)}, lambda console: console.print(f"{out} is for the authority."))


@certificate_group.command(name="put")
@click.argument("entity_id", metavar="ENTITY")
@click.argument("file", type=_FILE)
@by
@click.pass_obj
@speaks_json
def put(sites: Sites, voice: Voice, entity_id: str, file: Path, person: str) -> None:
    """Put the certificate that an authority issued (FILE, PEM or DER) on record."""
    made = signing_certificates_of(sites.of(entity_id)).put(entity_id, file.read_bytes(), clerk(person))
    words = f"Documents of {entity_id} are signed under it from now on."
    voice.answer({"entity_id": entity_id, "certificate": _pem(made)}, lambda console: console.print(words))


def _pem(der: bytes, what: str = "CERTIFICATE") -> str:
    return f"-----BEGIN {what}-----\n{encodebytes(der).decode()}-----END {what}-----\n"
