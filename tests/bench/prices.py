"""What AWS charges (us-east-1, on demand, November 2026), in dollars."""

from __future__ import annotations

from dataclasses import dataclass

WRU = 0.625e-6
RRU = 0.125e-6
LAMBDA_REQUEST = 0.20e-6
LAMBDA_GB_S = 13.3334e-6
STANDARD_TRANSITION = 25e-6
EXPRESS_REQUEST = 1e-6
EXPRESS_GB_S = 16.67e-6
EVENT = 1e-6
SQS_REQUEST = 0.40e-6
LOG_GB = 0.50
MAIL = 100e-6
PROVISIONED_GB_S = 3.3334e-6  # kept started, on arm64
WARM_WRITE, WARM_READ = 0.65e-3, 0.13e-3  # a unit a second more than a table has, once
KMS_SIGN = 15e-6  # by an elliptic curve: once a document, when it is made, which a run does not wait for


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run used. `gb_s` is memory × billed duration of all functions, `log_bytes` what they wrote."""

    wru: float
    rru: float
    invocations: int
    gb_s: float
    transitions: int
    express: int
    express_gb_s: float
    events: int
    sqs: float
    log_bytes: int

    @property
    def dollars(self) -> float:
        return (
            self.wru * WRU
            + self.rru * RRU
            + self.invocations * LAMBDA_REQUEST
            + self.gb_s * LAMBDA_GB_S
            + self.transitions * STANDARD_TRANSITION
            + self.express * EXPRESS_REQUEST
            + self.express_gb_s * EXPRESS_GB_S
            + self.events * EVENT
            + self.sqs * SQS_REQUEST
            + self.log_bytes / 1e9 * LOG_GB
        )
