"""What is kept in a region: tables, buckets, keys, queues, the bus, the alarm topic and secrets."""

from __future__ import annotations

from typing import Any

from aws_cdk import Aws, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.cdk.backups import BUCKETS, Backups, copies_keys, place_of
from infra.cdk.capacity import capacity_for
from infra.cdk.environments import Environment, Region
from infra.cdk.keys import Keys
from infra.cdk.names import Names
from infra.cdk.watched import Ward, WatchedQueue
from saldo.storage.schema import AGENDA_FIELDS
from saldo.uploads.rules import CLEAN, INCOMING, KEPT

_TEXT = dynamodb.AttributeType.STRING
_EXPORT_DAYS = 400
_MONTH = 31
_IMPORTS_DAYS = 90
# saldo/uploads/rules.py says when the record ends; this is the end of a file whatever the record says.
_UPLOADS_KEPT = {
    f"{INCOMING}/": Duration.days(3),
    **{f"{CLEAN}/{kind}/": Duration.days(kept.days + _MONTH) for kind, kept in KEPT.items() if kept},
}


def _warm(invoices: int) -> dynamodb.WarmThroughput | None:
    """None leaves the table as AWS and its past have made it. What was asked for once is paid once and stays."""
    ready = capacity_for(invoices)
    if ready is None:
        return None
    return dynamodb.WarmThroughput(read_units_per_second=ready.read_units, write_units_per_second=ready.write_units)


def _attribute(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=_TEXT)


class DataStack(Stack):
    """Everything that must outlive a deployment. Removal keeps it."""

    def __init__(self, scope: Construct, id_: str, target: Environment, region: Region, **stack: Any) -> None:
        super().__init__(scope, id_, **stack)
        self.names = Names(target.name)
        self.region_code = region.code
        self.keys = Keys(self, target.name, copied=copies_keys(target, region.copies))
        self.records = self._records(_warm(target.month_end_invoices))
        self.wrapped_keys = self._wrapped_keys()
        self.access_log = self._access_log()
        self.buckets = {name: self._bucket(name) for name in ("documents", "imports", "usage")}
        # What sellers bring in has names of their customers in it; a file is read once, its report soon after.
        brought = Duration.days(_IMPORTS_DAYS)
        self.buckets["imports"].add_lifecycle_rule(expiration=brought, noncurrent_version_expiration=Duration.days(1))
        # Files of many documents are there to be taken once; what is in them lies in the bucket itself.
        gone: dict[str, Any] = {"expiration": Duration.days(4), "noncurrent_version_expiration": Duration.days(1)}
        self.buckets["documents"].add_lifecycle_rule(prefix="bundles/", **gone)
        self.buckets["uploads"] = self._uploads()
        self.buckets["audit"] = self._bucket("audit", locked_days=target.audit_retention_days)
        # What the parts of a work lay down for each other; nobody wants it once the work is done.
        self.buckets["work"] = self._bucket("work")
        lasts = Duration.days(2)
        self.buckets["work"].add_lifecycle_rule(expiration=lasts, noncurrent_version_expiration=Duration.days(1))
        self.bus = self._bus()
        self.alarms = self._alarm_topic(target.alarm_mail)
        self.ward = Ward(self.names, self.keys, self.alarms)
        self.gateway_events = WatchedQueue(self, "gateway_events", self.ward, visibility_s=360)
        self.usage_batches = WatchedQueue(self, "usage_batches", self.ward, visibility_s=1800)
        self.gateway_secret = self._gateway_secret()
        self.canary_secret = self._canary_secret()
        self.tax_secret = self._tax_secret(target)
        self.mail_identity_arn = self._mail_identity(target)
        if region.copies:
            self.copies_go_to = place_of(target, region.copies)
            kept = [self.buckets[name] for name in BUCKETS]
            Backups(self, target, region, region.copies, self.ward).keep(self.records, self.wrapped_keys, kept)
        self._outputs(region)

    def _records(self, warm: dynamodb.WarmThroughput | None) -> dynamodb.Table:
        """One table; its stream is the outbox of domain events. `warm`: what it and its index take at once."""
        table = dynamodb.Table(
            self,
            "Records",
            table_name=self.names.of("records"),
            partition_key=_attribute("pk"),
            sort_key=_attribute("sk"),
            stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            time_to_live_attribute="expires_at_s",
            warm_throughput=warm,
            **self._table_care(recovery_days=35),
        )
        table.add_global_secondary_index(
            index_name="agenda",
            partition_key=_attribute("agenda_pk"),
            sort_key=_attribute("agenda_on"),
            projection_type=dynamodb.ProjectionType.INCLUDE,
            non_key_attributes=list(AGENDA_FIELDS),
            warm_throughput=warm,
        )
        return table

    def _wrapped_keys(self) -> dynamodb.Table:
        """Data keys of organisations. Backups are short, so that a shredded key is gone within a day."""
        return dynamodb.Table(
            self,
            "WrappedKeys",
            table_name=self.names.of("keys"),
            partition_key=_attribute("pk"),
            **self._table_care(recovery_days=1),
        )

    def _table_care(self, recovery_days: int) -> dict[str, Any]:
        return {
            "billing_mode": dynamodb.BillingMode.PAY_PER_REQUEST,
            "encryption": dynamodb.TableEncryption.CUSTOMER_MANAGED,
            "encryption_key": self.keys.records,
            "point_in_time_recovery_specification": dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True,
                recovery_period_in_days=recovery_days,
            ),
            "deletion_protection": True,
            "removal_policy": RemovalPolicy.RETAIN,
        }

    def _access_log(self) -> s3.Bucket:
        """Where the buckets' access logs go. S3 delivers them only under its own key."""
        return s3.Bucket(
            self,
            "AccessLog",
            bucket_name=self.names.bucket("access-log"),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(_EXPORT_DAYS))],
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _bucket(self, name: str, locked_days: int = 0) -> s3.Bucket:
        """locked_days: how long nobody, not even the account's owner, can change or delete a file; 0 for no lock."""
        lock = s3.ObjectLockRetention.compliance(Duration.days(locked_days)) if locked_days else None
        return s3.Bucket(
            self,
            name.title(),
            bucket_name=self.names.bucket(name),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.keys.records,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            object_lock_enabled=True if lock else None,
            object_lock_default_retention=lock,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            server_access_logs_bucket=self.access_log,
            server_access_logs_prefix=f"{name}/",
            lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7))],
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _uploads(self) -> s3.Bucket:
        """What customers hand in. It tells the default bus of every new file, and forgets by folder: what waited too
        long, and what was kept a month longer than its record says; a version that was deleted is gone a day later."""
        bucket = self._bucket("uploads")
        for name, kept in _UPLOADS_KEPT.items():
            bucket.add_lifecycle_rule(prefix=name, expiration=kept, noncurrent_version_expiration=Duration.days(1))
        bucket.add_lifecycle_rule(prefix="clean/paper/", noncurrent_version_expiration=Duration.days(1))
        resource = bucket.node.default_child
        assert isinstance(resource, s3.CfnBucket)
        # On the resource itself: CDK's own way is a function of its own with rights on every bucket.
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        return bucket

    def _bus(self) -> events.EventBus:
        return events.EventBus(
            self,
            "Bus",
            event_bus_name=self.names.of("events"),
            kms_key=self.keys.messages,
            description="Domain events: what happened to invoices and payments",
        )

    def _alarm_topic(self, mail: str) -> sns.Topic:
        topic = sns.Topic(
            self, "Alarms", topic_name=self.names.of("alarms"), master_key=self.keys.messages, enforce_ssl=True
        )
        if mail:
            topic.add_subscription(subscriptions.EmailSubscription(mail))
        return topic

    def _gateway_secret(self) -> secretsmanager.Secret:
        return secretsmanager.Secret(
            self,
            "GatewaySecret",
            secret_name=self.names.of("gateway"),
            description="Signs and verifies the payment gateway's messages",
            encryption_key=self.keys.messages,
            generate_secret_string=secretsmanager.SecretStringGenerator(exclude_punctuation=True, password_length=48),
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _canary_secret(self) -> secretsmanager.Secret:
        """The password of a user who owns nothing but the canary's account."""
        return secretsmanager.Secret(
            self,
            "CanarySecret",
            secret_name=self.names.of("canary"),
            description="Password of the canary's user",
            encryption_key=self.keys.messages,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                require_each_included_type=True, exclude_characters="\"\\' ", password_length=40
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _tax_secret(self, target: Environment) -> secretsmanager.Secret | None:
        """What the tax service knows the seller by; its value is put in by hand (infra/cdk/README.md)."""
        if not target.tax_service:
            return None
        return secretsmanager.Secret(
            self,
            "TaxSecret",
            secret_name=self.names.of("tax"),
            description=f"Credentials of {target.tax_service}",
            encryption_key=self.keys.messages,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def _mail_identity(self, target: Environment) -> str:
        """The sending domain, with its DKIM keys held by SES."""
        domain = target.mail_from.rpartition("@")[2]
        ses.EmailIdentity(self, "MailDomain", identity=ses.Identity.domain(domain))
        return f"arn:{Aws.PARTITION}:ses:{Aws.REGION}:{Aws.ACCOUNT_ID}:identity/{domain}"

    def _outputs(self, region: Region) -> None:
        told = {
            "RegionCode": region.code,
            "RecordsTable": self.records.table_name,
            "KeysTable": self.wrapped_keys.table_name,
            "EnvelopeKeyArn": self.keys.envelope.key_arn,
            "DetailsKeyArn": self.keys.details.key_arn,
            "DocumentsKeyArn": self.keys.documents.key_arn,
            "DocumentsBucket": self.buckets["documents"].bucket_name,
            "AuditBucket": self.buckets["audit"].bucket_name,
            "ImportsBucket": self.buckets["imports"].bucket_name,
            "UploadsBucket": self.buckets["uploads"].bucket_name,
            "UsageBucket": self.buckets["usage"].bucket_name,
            "BusName": self.bus.event_bus_name,
            "GatewayQueueUrl": self.gateway_events.queue.queue_url,
            "UsageQueueUrl": self.usage_batches.queue.queue_url,
            "GatewaySecretArn": self.gateway_secret.secret_arn,
            "AlarmTopicArn": self.alarms.topic_arn,
        }
        for name, value in told.items():
            CfnOutput(self, name, value=value)
