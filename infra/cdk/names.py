"""Physical names. Fixed ones let stacks speak of each other's resources without a cycle of exports."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Aws


@dataclass(frozen=True, slots=True)
class Names:
    """Names of one environment in the stack's own region and account."""

    env: str

    def of(self, name: str) -> str:
        return f"saldo-{self.env}-{name.replace('_', '-')}"

    def front_secret(self, region_code: str, label: str) -> str:
        """Both regions' secrets lie in CloudFront's region, so their names say whose they are."""
        return self.of(f"front_{region_code}_{label}")

    def function_arn(self, name: str) -> str:
        return f"arn:{Aws.PARTITION}:lambda:{Aws.REGION}:{Aws.ACCOUNT_ID}:function:{self.of(name)}"

    @property
    def invoice_run_arn(self) -> str:
        machine = self.of("invoice_run")
        return f"arn:{Aws.PARTITION}:states:{Aws.REGION}:{Aws.ACCOUNT_ID}:stateMachine:{machine}"

    @property
    def customer_role(self) -> str:
        """Roles belong to no region, so their names say theirs."""
        return f"{self.of('customer')}-{Aws.REGION}"

    @property
    def customer_role_arn(self) -> str:
        return f"arn:{Aws.PARTITION}:iam::{Aws.ACCOUNT_ID}:role/{self.customer_role}"

    def bucket(self, name: str) -> str:
        return f"{self.of(name)}-{Aws.ACCOUNT_ID}-{Aws.REGION}"
