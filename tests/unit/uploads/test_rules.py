"""Titles, places and states of uploads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saldo.kernel.errors import Refusal
from saldo.uploads import rules
from saldo.uploads.model import MOVES, FileKind, Name, Upload, UploadKind, UploadState

NOW = datetime(2026, 11, 25, 11, tzinfo=UTC)
WAITING = Upload(
    *(Name("acct_eu_1", "inv_1", "upl_1"), UploadKind.EVIDENCE, "org_eu_1", "Photo", UploadState.WAITING),
    *(NOW, "user_eu_1", False, NOW),
)


def test_a_key_leads_back_to_its_upload_and_nothing_else_does() -> None:
    assert rules.name_from(rules.incoming_key(WAITING)) == WAITING.name
    for key in (
        "clean/evidence/acct_eu_1/inv_1/upl_1",
        "incoming/evidence/acct_eu_1/inv_1/../acct_eu_2",
        "incoming/evidence/acct_eu_1/inv_1/upl_1/x",
        "incoming/other/acct_eu_1/inv_1/upl_1",
        "incoming/evidence/acct_eu_1//upl_1",
        "incoming/evidence/acct_eu_1/inv_1/upl_1\n",
    ):
        assert rules.name_from(key) is None, key


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Photo\r\nof it ", "Photo of it"),
        ("a\x00b", "a b"),
        ("fdp.\u202egpj.exe", "fdp. gpj.exe"),
        ("é" * 80, "é" * 80),
    ],
)
def test_a_title_is_one_line_of_what_is_seen(typed: str, kept: str) -> None:
    assert rules.check_title(typed) == kept


@pytest.mark.parametrize("typed", ["", " \u200b ", "x" * 81])
def test_no_title_and_too_long_ones_are_refused(typed: str) -> None:
    with pytest.raises(Refusal) as caught:
        rules.check_title(typed)
    assert caught.value.problems[0].field == "title"


@given(st.sampled_from(UploadState), st.sampled_from(UploadState))
def test_states_move_along_listed_edges_only(here: UploadState, there: UploadState) -> None:
    upload = replace(WAITING, state=here)
    if there in MOVES[here]:
        assert rules.into(upload, there, None).state is there
    else:
        with pytest.raises(Refusal):
            rules.into(upload, there, None)


def test_evidence_is_kept_three_years_and_papers_until_they_are_taken_back() -> None:
    scanning = replace(WAITING, state=UploadState.SCANNING)
    clean = rules.accepted(scanning, FileKind.PDF, 10, "ab")
    assert clean.next_at is not None and (clean.next_at - NOW).days == 1096
    assert rules.accepted(replace(scanning, kind=UploadKind.PAPER), FileKind.PDF, 10, "ab").next_at is None
