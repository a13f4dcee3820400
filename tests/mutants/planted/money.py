"""Bugs in payments, delivery, documents, recovery and the news of them."""

from __future__ import annotations

from tests.mutants.model import Mutant, fire, planted

_DISPUTES: tuple[Mutant, ...] = (
    planted(
        "a line is disputed twice",
        "guard not asked",
        "disputes/rules.py",
        "elif minor > whole - before[line_id]:",
        "elif minor > whole:",
        "tests/simulation/test_disputes.py::test_the_cents_of_a_line_are_in_one_dispute",
    ),
    planted(
        "two disputes of one invoice at the same moment both count",
        "stale version accepted",
        "disputes/records.py",
        'unit.put(item, when={"revision": old.revision})',
        "unit.put(item)",
        "tests/simulation/test_disputes.py::test_two_disputes_at_the_same_moment_do_not_claim_the_same_cents",
    ),
    planted(
        "what is paid stays frozen",
        "two figures that drift apart",
        "invoicing/records.py",
        "disputed = min(header.disputed_minor, left)",
        "disputed = header.disputed_minor",
        "tests/simulation/test_disputes.py::test_what_is_paid_all_the_same_is_no_longer_frozen",
    ),
    planted(
        "a disputed invoice is dunned",
        "missing condition",
        "collections/rules.py",
        "if notice.asked_minor <= 0:",
        "if notice.open_minor <= 0:",
        "tests/simulation/test_disputes.py::test_a_disputed_invoice_is_in_no_letter_and_one_that_is_refused_is_again",
    ),
    planted(
        "a credit note gives more than is disputed",
        "limit forgotten",
        "disputes/rules.py",
        "if not 0 < minor <= dispute.disputed_minor:",
        "if minor <= 0:",
        "tests/simulation/test_disputes.py::test_what_was_refused_meanwhile_is_not_credited_by_the_second_person",
    ),
    planted(
        "a dispute is reopened again and again",
        "missing condition",
        "disputes/rules.py",
        "if dispute.times_reopened:",
        "if dispute.times_reopened > 9:",
        "tests/simulation/test_disputes.py::test_less_than_was_disputed_refuses_the_rest_which_is_reopened_once",
    ),
)

_NEWS: tuple[Mutant, ...] = (
    planted(
        "an event is noted before its effect",
        "guard written apart from the effect",
        "payments/news.py",
        "            unit.insert(records.event_guard(report.account_id, event, report.payment_id))\n",
        "            guard = records.event_guard(report.account_id, event, report.payment_id)\n"
        '            if store.write_one(Unit("guard").insert(guard)):\n'
        "                return Outcome.DUPLICATE\n",
        *fire("pay: webhooks"),
    ),
    planted(
        "a payment is written over news that came meanwhile",
        "stale version accepted",
        "payments/records.py",
        'unit.put(payment_item(new), when={"version": old.version})',
        "unit.put(payment_item(new))",
        "tests/contexts/payments/test_news.py::test_two_pieces_of_news_of_one_payment_at_the_same_moment_both_count",
    ),
    planted(
        "yen settle a payment in euros",
        "currency forgotten",
        "payments/rules.py",
        "if report.amount.currency != payment.amount.currency:",
        "if not report.amount.currency:",
        "tests/contexts/payments/test_news.py::test_an_event_that_fits_no_payment_of_ours_is_parked_with_the_reason",
    ),
    planted(
        "a payout leaves the bank",
        "swapped debit and credit",
        "payments/rules.py",
        "            Posting(LedgerAccount.BANK, amount.minor),\n"
        "            Posting(LedgerAccount.GATEWAY_CLEARING, -amount.minor),\n",
        "            Posting(LedgerAccount.BANK, -amount.minor),\n"
        "            Posting(LedgerAccount.GATEWAY_CLEARING, amount.minor),\n",
        "tests/contexts/payments/test_news.py::test_a_payout_empties_the_clearing_account",
    ),
    planted(
        "a settlement lies in the bank before it is there",
        "posting to the wrong account",
        "payments/rules.py",
        "Posting(LedgerAccount.GATEWAY_CLEARING, payment.settled_minor),",
        "Posting(LedgerAccount.BANK, payment.settled_minor),",
        "tests/contexts/payments/test_news.py::test_a_settled_payment_is_booked_and_applied_and_has_a_receipt",
        "tests/contexts/payments/test_news.py::test_a_payout_empties_the_clearing_account",
    ),
    planted(
        "a settlement is booked on Greenwich's date",
        "wrong zone",
        "payments/rules.py",
        "        booked_on=local_date(payment.settled_at, payment.booking_zone),\n",
        "        booked_on=payment.settled_at.date(),\n",
        "tests/contexts/payments/test_news.py::test_the_settlement_is_booked_on_the_sellers_date",
    ),
    planted(
        "more is applied than is open",
        "missing limit",
        "payments/rules.py",
        "replace(a, minor=min(a.minor, payables[a.invoice_id].open_minor)) for a in numbered(known, payables)",
        "a for a in numbered(known, payables)",
        "tests/unit/payments/test_rules.py",
    ),
    planted(
        "money that fell short covers every invoice",
        "remainder dropped",
        "payments/rules.py",
        "minor = min(allocation.minor, left)",
        "minor = allocation.minor",
        "tests/unit/payments/test_rules.py",
    ),
    planted(
        "a payment that failed cannot settle after all",
        "state move forgotten",
        "payments/model.py",
        "    _S.FAILED: frozenset({_S.SETTLED}),\n",
        "    _S.FAILED: frozenset(),\n",
        "tests/contexts/payments/test_news.py::test_a_payment_thought_failed_that_settles_after_all_is_money",
    ),
    planted(
        "a payout is booked for each time it is told",
        "missing look",
        "payments/news.py",
        "if payment.paid_out_at is None:",
        "if payment.paid_out_at is None or payment.payout_id == payout.id:",
        "tests/contexts/payments/test_news.py::test_a_payment_paid_out_twice_is_parked_for_people",
        "tests/contexts/payments/test_news.py::test_a_payout_that_comes_before_the_settlement_ends_in_the_same_books",
        "tests/contexts/payments/test_news.py::test_a_payout_empties_the_clearing_account",
    ),
    planted(
        "of a payout's strangers one is kept",
        "key without its payment",
        "payments/records.py",
        '"sk": f"{PARKED}{event_id}#{payment_id}",',
        '"sk": f"{PARKED}{event_id}",',
        "tests/contexts/payments/test_news.py::test_each_payment_of_a_payout_that_is_unknown_is_kept_until_it_is_known",
    ),
    planted(
        "a message that failed is gone",
        "swallowed failure",
        "payments/queue.py",
        'handled.again.append(message["messageId"])',
        "pass",
        "tests/unit/payments/test_queue.py",
    ),
    planted(
        "a settlement leaves no trace",
        "audit record left out",
        "payments/news.py",
        "unit.put(audit_item(AuditRecord(payment.account_id, at, _actor(payment), action, payment.id, before, after)))",
        "pass",
        "tests/simulation/test_simulator.py::test_another_seed_is_another_history",
        "tests/contexts/payments/test_news.py::test_a_settled_payment_is_booked_and_applied_and_has_a_receipt",
    ),
)

_PAYING: tuple[Mutant, ...] = (
    planted(
        "each try at the gateway has a key of its own",
        "retry with a new idempotency key",
        "payments/simulator.py",
        'headers["Idempotency-Key"] = key',
        'headers["Idempotency-Key"] = f"{key}-{id(headers)}"',
        "tests/contexts/payments/test_gateway_simulator.py::test_a_payment_id_opens_one_checkout_for_ever_and_for_nothing_else",
    ),
    planted(
        "a form sent again with other contents is the same payment",
        "idempotency by name alone",
        "payments/opening.py",
        'if guard["content"] != wish.content:',
        'if not guard["content"]:',
        "tests/contexts/payments/test_starting.py::test_the_same_form_with_other_contents_is_refused",
    ),
    planted(
        "an unfinished payment on the last list is never asked about",
        "off by one",
        "payments/sweeping.py",
        "for shard in range(records.SHARDS):",
        "for shard in range(records.SHARDS - 1):",
        "tests/contexts/payments/test_sweep.py::test_a_payment_on_whichever_list_it_waits_is_asked_about",
    ),
    planted(
        "a part of a large payment is left when the process dies",
        "list left too soon",
        "payments/rules.py",
        "if payment.awaits_news or not payment.fully_applied:",
        "if payment.awaits_news:",
        "tests/contexts/payments/test_news.py::test_a_payment_is_on_a_list_until_all_of_it_is_applied_and_has_reached_the_bank",
    ),
    planted(
        "paying less needs no reason",
        "missing condition",
        "payments/rules.py",
        "0 < a.minor < payables[a.invoice_id].undisputed_minor and not",
        "0 > a.minor and not",
        "tests/contexts/payments/test_starting.py::test_paying_less_than_is_open_needs_a_reason_that_is_kept",
    ),
    planted(
        "a webhook of last year counts",
        "age not checked",
        "payments/webhooks.py",
        "if abs(now.timestamp() - int(moment)) > MOST_AGE_S:",
        "if int(moment) - now.timestamp() > MOST_AGE_S:",
        "tests/unit/payments/test_webhooks.py",
    ),
    planted(
        "a signature may be guessed byte by byte",
        "not compared in constant time",
        "payments/webhooks.py",
        'hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))',
        "expected == given",
        "tests/unit/payments/test_webhooks.py",
    ),
    planted(
        "a signature may be carried to another time",
        "field left out of a signature",
        "payments/webhooks.py",
        'hmac.new(secret, moment.encode() + b"." + raw, sha256)',
        "hmac.new(secret, raw, sha256)",
        "tests/unit/payments/test_webhooks.py",
    ),
)

_DELIVERY: tuple[Mutant, ...] = (
    planted(
        "a letter is handed over before it is noted",
        "intent not recorded first",
        "delivery/service.py",
        "self._record(copy, old, begun, letter)",
        "pass",
        "tests/contexts/delivery/test_delivery.py::test_a_sender_that_crashed_in_between_is_noticed_when_its_time_is_over",
        "tests/contexts/delivery/test_delivery.py::test_a_lost_answer_reads_unknown_is_tried_once_more_and_then_left_to_people",
        "tests/contexts/delivery/test_delivery.py::test_stopped_at_any_write_and_repeated_a_document_ends_as_sent",
    ),
    planted(
        "two senders of one letter",
        "missing condition on a write",
        "delivery/records.py",
        'when={"status": old.status.value, "attempts": old.attempts})',
        "when={})",
        "tests/contexts/delivery/test_delivery.py::test_of_two_senders_of_one_letter_one_sends",
    ),
    planted(
        "a sender is given up while it is still at it",
        "< for >",
        "delivery/rules.py",
        "and now - delivery.attempt_at >= LEASE",
        "and now - delivery.attempt_at <= LEASE",
        "tests/contexts/delivery/test_delivery.py::test_a_sender_that_crashed_in_between_is_noticed_when_its_time_is_over",
    ),
    planted(
        "a letter is sent again for ever",
        "missing limit",
        "delivery/rules.py",
        "if unknown.lost_answers < MOST_LOST_ANSWERS:",
        "if unknown.lost_answers:",
        "tests/contexts/delivery/test_delivery.py::test_a_lost_answer_reads_unknown_is_tried_once_more_and_then_left_to_people",
    ),
)

_DOCUMENTS: tuple[Mutant, ...] = (
    planted(
        "an old invoice is addressed to the customer of today",
        "today's facts on a frozen document",
        "documents/service.py",
        "buyer = self._accounts.profile(account_id, header.buyer_profile)",
        "buyer = self._accounts.profile(account_id, self._accounts.account(account_id).profile_version)",
        "tests/contexts/documents/test_documents.py::test_an_invoice_stays_addressed_as_it_was_issued_when_the_profile_changes",
    ),
    planted(
        "a draft can be read",
        "missing condition",
        "documents/service.py",
        "if header is None or header.status in _UNSHOWN:",
        "if header is None:",
        "tests/contexts/documents/test_documents.py::test_a_draft_has_no_document_and_reads_as_if_it_were_not_there",
    ),
    planted(
        "an old invoice names the seller as it is today",
        "today's facts on a frozen document",
        "documents/service.py",
        "seller = self._accounts.entity_as(header.entity_id, body.seller_facts)",
        "seller = self._accounts.entity(header.entity_id)",
        "tests/contexts/documents/test_documents.py::test_an_invoice_names_the_seller_as_it_was_when_it_was_issued",
    ),
    planted(
        "what credit paid is asked for once more",
        "term forgotten",
        "documents/rules.py",
        "paid_minor=sum(c.minor for c in body.credits if not c.before_tax),",
        "paid_minor=0,",
        "tests/unit/documents/test_layout.py",
        "tests/unit/documents/test_rules.py",
    ),
)

_RECOVERY: tuple[Mutant, ...] = (
    planted(
        "a restored backup brings a shredded key back",
        "missing condition",
        "recovery/drill.py",
        "if now is None or now.shredded_at:",
        "if now is None:",
        "tests/contexts/recovery/test_shredding.py::test_sealed_fields_are_gone_from_the_live_table_and_from_a_restored_copy_and_totals_reconcile",
    ),
    planted(
        "an entry that was changed is taken for the same",
        "swallowed difference",
        "recovery/rules.py",
        "elif now.print != entry.print:",
        "elif now.entity_id != entry.entity_id:",
        "tests/contexts/recovery/test_drill.py::test_an_entry_lost_or_changed_is_found",
    ),
    planted(
        "a dead letter is thrown away before it is sent on",
        "effect after its guard",
        "recovery/dead_letters.py",
        "        except Exception as error:\n",
        '        except Exception as error:\n            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])\n',  # noqa: E501
        "tests/functions/test_dead_letters.py::test_a_message_that_its_receiver_does_not_take_stays_where_it_is",
    ),
    planted(
        "only copies are deleted, and what else is named",
        "missing condition",
        "recovery/copies.py",
        '        assert MARK in name, "only copies are deleted"\n',
        "",
        "tests/contexts/recovery/test_drill.py::test_nothing_but_a_copy_is_ever_deleted",
    ),
)

_REMINDERS: tuple[Mutant, ...] = (
    planted(
        "a letter asks for what was paid meanwhile",
        "missing condition on a write",
        "collections/records.py",
        "unit.require(header_key(reminder.account_id, notice.invoice_id), when=as_read)",
        "unit.require(header_key(reminder.account_id, notice.invoice_id))",
        "tests/simulation/test_reminders.py::test_an_invoice_that_changes_while_the_day_is_decided_comes_the_next_day",
    ),
    planted(
        "two senders change one letter",
        "stale version accepted",
        "collections/records.py",
        'return unit.put(reminder_item(new), when={"revision": old.revision})',
        "return unit.put(reminder_item(new))",
        "tests/simulation/test_reminders.py::test_two_senders_of_one_letter_do_not_both_withdraw_it",
    ),
    planted(
        "letters go out on Saturdays",
        "< for <=",
        "collections/rules.py",
        "return on.weekday() >= _SATURDAY",
        "return on.weekday() > _SATURDAY",
        "tests/unit/collections",
    ),
    planted(
        "letters come a day closer than agreed",
        "off-by-one day",
        "collections/rules.py",
        "on < case.last_on + timedelta(days=max(policy.gap_days, 1)):",
        "on < case.last_on + timedelta(days=policy.gap_days - 1):",
        "tests/unit/collections",
    ),
)

_CHECKED: tuple[Mutant, ...] = (
    planted(
        "one number may be missing",
        "off by one",
        "insight/checks_across.py",
        "elif missing := _missing(n + 1, m, reserved):",
        "elif missing := _missing(n + 2, m, reserved):",
        "tests/simulation/test_invariants.py::test_planted_damage_is_named[8-everything-a_single_number_left_out]",
    ),
    planted(
        "dollars on account cover euros applied",
        "currency forgotten",
        "insight/checks_owner.py",
        "unapplied[entry.currency] -= p.minor",
        'unapplied["EUR"] -= p.minor',
        "tests/simulation/test_invariants.py::test_planted_damage_is_named"
        "[13-everything-more_applied_than_was_paid_while_another_currency_lies_there]",
    ),
    planted(
        "a receipt's audit record stands for a payout's",
        "key without its kind",
        "insight/checks_owner.py",
        "if action and subject not in by_runs and (action, subject) not in owner.audited:",
        "if action and subject not in by_runs and subject not in {subject for _, subject in owner.audited}:",
        "tests/simulation/test_invariants.py",
    ),
)

_TOLD: tuple[Mutant, ...] = (
    planted(
        "a draft is told as issued",
        "missing condition",
        "integration/rules.py",
        '_NOT_YET = ("draft", "void")',
        '_NOT_YET = ("void",)',
        "tests/unit/integration/test_events.py",
    ),
    planted(
        "an invoice is told as paid with each later change",
        "state for change of state",
        "integration/rules.py",
        'if old is not None and new["status"] == "paid" != old["status"]:',
        'if old is not None and new["status"] == "paid":',
        "tests/unit/integration/test_events.py",
    ),
    planted(
        "two events of one payment have one id",
        "key without its kind",
        "integration/rules.py",
        "id=f\"evt_{fingerprint(name, new['payment_id'], at.isoformat())}\",",
        "id=f\"evt_{fingerprint(new['payment_id'])}\",",
        "tests/unit/integration/test_events.py",
    ),
)

MUTANTS: tuple[Mutant, ...] = (
    *_NEWS,
    *_PAYING,
    *_DELIVERY,
    *_DOCUMENTS,
    *_RECOVERY,
    *_REMINDERS,
    *_CHECKED,
    *_TOLD,
    *_DISPUTES,
)
