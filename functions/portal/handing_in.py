"""What pages of customers and of staff share about files: the page with the form that goes straight to the bucket,
and how files are handed out."""

from __future__ import annotations

from dataclasses import replace

from functions.portal.answers import Answer, download
from functions.portal.endpoint import security_headers
from saldo.kernel.ids import check_id
from saldo.uploads.model import Name, PostForm, Upload, UploadState
from saldo.uploads.rules import file_name
from saldo.uploads.service import Uploads

KINDS = ".pdf,.png,.jpg,.jpeg,.csv,.txt,.xlsx"
# Of no type: no browser shows it, whatever it holds.
_OPAQUE = "application/octet-stream"


def name_in(owner_id: str, about: str, upload_id: str) -> Name:
    """As a path says it; Refusal `invalid_id` for what cannot be one."""
    subject = about if about in ("certificate", "paper") else check_id(about, "inv")
    return Name(owner_id, subject, check_id(upload_id, "upl"))


def form_of(uploads: Uploads, upload: Upload, came: bool, back: str) -> PostForm | None:
    """The form, while a file is waited for."""
    return uploads.form(upload, back) if upload.state is UploadState.WAITING and not came else None


def leading_to(answer: Answer, form: PostForm | None) -> Answer:
    """The page's form may go to this one bucket; no other page's may."""
    if form is None:
        return answer
    policy = security_headers(form.url)["Content-Security-Policy"]
    return replace(answer, headers={**answer.headers, "Content-Security-Policy": policy})


def handed_out(upload: Upload, content: bytes) -> Answer:
    """An attachment; `nosniff` stands on every answer."""
    return download(content, _OPAQUE, file_name(upload))
