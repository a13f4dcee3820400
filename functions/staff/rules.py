"""Which roles of staff may do what: the one list that routes refer to."""

from __future__ import annotations

from saldo.access.model_staff import StaffRole as R
from saldo.access.rules_staff import ALL

READ = ALL
WORK_ON_ORDERS = frozenset({R.SUPPORT, R.AR_ANALYST})
ASK_FOR_CREDITS = frozenset({R.SUPPORT, R.COLLECTOR, R.AR_ANALYST})
CHANGE_DETAILS = frozenset({R.SUPPORT, R.AR_ANALYST})
DECIDE_PROMISES = frozenset({R.COLLECTOR, R.AR_ANALYST})
ANSWER_TICKETS = frozenset({R.SUPPORT, R.COLLECTOR, R.AR_ANALYST})
SETTLE_DIFFERENCES = frozenset({R.AR_ANALYST, R.FINANCE_APPROVER})
JUDGE_CERTIFICATES = frozenset({R.AR_ANALYST, R.FINANCE_APPROVER})
PUBLISH_PAPERS = frozenset({R.AR_ANALYST, R.ADMINISTRATOR})
RUN_INVOICES = frozenset({R.AR_ANALYST})
JUDGE_DRAFTS = frozenset({R.AR_ANALYST, R.FINANCE_APPROVER})
CHANGE_SELLER = frozenset({R.AR_ANALYST, R.ADMINISTRATOR})
REVIEW_ACCESS = frozenset({R.ADMINISTRATOR})
SEE_ACCESS = frozenset({R.ADMINISTRATOR, R.AUDITOR})
SEE_AUDIT = frozenset({R.AUDITOR, R.ADMINISTRATOR, R.FINANCE_APPROVER})
EXPORT_AUDIT = frozenset({R.AUDITOR})
ACT_FOR_CUSTOMERS = frozenset({R.SUPPORT, R.COLLECTOR})
