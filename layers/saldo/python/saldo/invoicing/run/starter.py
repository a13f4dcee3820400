"""Starts the state machine of invoice runs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from saldo.kernel.clock import Clock
from saldo.kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class RunStarter:
    """One region's run state machine. Starting a run twice is harmless: the second joins or finds nothing to do."""

    step_functions: Any  # boto3's Step Functions client
    state_machine_arn: str
    clock: Clock

    def start(self, entity_id: str, as_of: str, *, dry_run: bool = False) -> str:
        """Begin an execution for a seller and date (or instant); returns its ARN."""
        answer = self.step_functions.start_execution(
            stateMachineArn=self.state_machine_arn,
            name=new_id("run", self.clock()),
            input=json.dumps({"entity_id": entity_id, "as_of": as_of, "dry_run": dry_run}),
        )
        return str(answer["executionArn"])
