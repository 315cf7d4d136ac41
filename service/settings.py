"""Every setting, typed; nothing else reads the environment. docs/configuration.md has the table.

https://docs.pydantic.dev/latest/concepts/pydantic_settings/
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal, Self

from limits import RateLimitItem, parse_many
from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

CRISIS_TEXT = (
    "This service is not an emergency system and nobody watches it. In danger now: call 911."
    " In a crisis or thinking of suicide: call or text 988, or text 741741 (Crisis Text Line)."
)


OnLapse = Literal["off", "warn", "stop"]

DEFAULT_OFFER_HOURS = 72
COLLECTOR = re.compile(r"(syslog(\+(tcp|tls|unix))?|https?)://[^\s|#?]+")
ADDRESS = re.compile(r"https?://[^\s|#?\"\\]+")
# 32 bytes in base64: https://github.com/fernet/spec/blob/master/Spec.md#key-format
FERNET = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]=")
DEFAULT_CANONICAL_BASE = "https://alongside.example/fhir"


class Canonical(BaseSettings):
    """What our definitions are named under, and where more are; fixed when the process starts."""

    model_config = SettingsConfigDict(
        env_prefix="ALONGSIDE_", populate_by_name=True, frozen=True, extra="ignore"
    )

    canonical_base: str = DEFAULT_CANONICAL_BASE
    instruments_folder: str | None = Field(default=None, min_length=1)

    @field_validator("canonical_base")
    @classmethod
    def _names(cls, value: str) -> str:
        if not ADDRESS.fullmatch(value):
            raise ValueError("must begin with http:// or https://, without query or fragment")
        return value.rstrip("/")


@dataclass(frozen=True, kw_only=True)
class Oversight:
    """What the operator decided about who leads groups, and about concerns.

    A lapse is a credential that has expired, or supervision that is overdue.
    """

    on_lapse: OnLapse = "warn"
    grace: timedelta = timedelta(0)
    notice: timedelta = timedelta(days=30)
    supervision_interval: timedelta | None = None
    acknowledge_within: timedelta = timedelta(hours=24)


class Settings(Canonical):
    """Read from environment variables that begin with ALONGSIDE_; also DATABASE_URL."""

    database_url: str = Field(
        default="sqlite:///alongside.db",
        validation_alias=AliasChoices("ALONGSIDE_DATABASE_URL", "DATABASE_URL"),
    )
    audit_database_url: str | None = None
    public_base_url: str = "http://127.0.0.1:8000"
    programme_name: str = Field(default="Support group programme", min_length=1)
    offer_hours: int = Field(default=DEFAULT_OFFER_HOURS, ge=1, le=8_760)
    crisis_text: str = Field(default=CRISIS_TEXT, min_length=1)
    crisis_country: str = Field(default="US", pattern="^[A-Z]{2}$")
    access_token_seconds: int = Field(default=300, ge=60, le=3600)
    access_token_memory_seconds: float = Field(default=2.0, ge=0, le=5)
    page_size: int = Field(default=20, ge=1, le=1000)
    page_size_limit: int = Field(default=200, ge=1, le=1000)
    series_weeks: int = Field(default=12, ge=1, le=52)
    jwks_networks: str | None = None
    oauth_address_rate: str = "600/minute"
    oauth_failure_rate: str = "30/minute"
    oauth_client_rate: str = "600/minute"
    client_certificate_header: str | None = Field(default=None, pattern="^[A-Za-z0-9-]+$")
    secrets_keys: SecretStr | None = None
    retention_jurisdiction: str | None = Field(default=None, pattern="^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
    retention_file: str | None = None
    volume_encryption: Literal["asserted"] | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    trusted_proxies: str = "127.0.0.1"
    facilitator_lapse: OnLapse = "warn"
    facilitator_lapse_grace_days: int = Field(default=0, ge=0, le=366)
    credential_notice_days: int = Field(default=30, ge=0, le=366)
    supervision_interval_days: int | None = Field(default=None, ge=1, le=3660)
    audit_keep_months: int | None = Field(default=None, ge=1, le=1200)
    audit_export: str | None = None
    break_glass_minutes: int = Field(default=60, ge=1, le=240)
    break_glass_notice: Literal["off", "due"] = "due"
    concern_acknowledge_hours: int = Field(default=24, ge=1, le=8760)
    safety_policy: Literal["cobalt-strict", "tiers"] = "cobalt-strict"
    safety_policy_file: Path | None = None
    safety_on_call: Literal["required", "named"] = "required"
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_sender: str = "alongside@localhost"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    webhook_networks: str | None = None
    worker_threads: int = Field(default=8, ge=1, le=64)

    @field_validator("public_base_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not ADDRESS.fullmatch(value):
            raise ValueError("must begin with http:// or https://, without query or fragment")
        return value.rstrip("/")

    @field_validator("audit_export")
    @classmethod
    def _collects(cls, value: str | None) -> str | None:
        if value is not None and not COLLECTOR.fullmatch(value):
            raise ValueError(
                "must be as in syslog+tls://logs.example:6514, syslog+unix:///dev/log or https://..."
            )
        return value

    @field_validator("jwks_networks", "webhook_networks")
    @classmethod
    def _networks(cls, value: str | None) -> str | None:
        for each in filter(None, (value or "").split(",")):
            ip_network(each.strip())  # says what is wrong with it
        return value

    @field_validator("oauth_address_rate", "oauth_failure_rate", "oauth_client_rate")
    @classmethod
    def _rate(cls, value: str) -> str:
        try:
            rate_of(value)
        except ValueError:
            raise ValueError("must be as in 60/minute, 5/second or 1000/hour, or off") from None
        return value

    @field_validator("secrets_keys")
    @classmethod
    def _fernet(cls, value: SecretStr | None) -> SecretStr | None:
        for each in filter(None, (value.get_secret_value() if value else "").split(",")):
            if not FERNET.fullmatch(each.strip()):
                raise ValueError("each is 44 characters, as `alongside keys secret` prints them")
        return value

    @model_validator(mode="after")
    def _own_crisis_text(self) -> Self:
        if self.crisis_country != "US" and self.crisis_text == CRISIS_TEXT:
            raise ValueError("crisis_text must be set too: the default is for the US only")
        return self

    @model_validator(mode="after")
    def _mail_is_kept_private(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("smtp_username and smtp_password go together")
        if self.smtp_security == "none" and self.smtp_host and not _is_here(self.smtp_host):
            raise ValueError("smtp_security is none for a mail server on this machine only")
        return self

    @property
    def oversight(self) -> Oversight:
        interval = self.supervision_interval_days
        return Oversight(
            on_lapse=self.facilitator_lapse,
            grace=timedelta(days=self.facilitator_lapse_grace_days),
            notice=timedelta(days=self.credential_notice_days),
            supervision_interval=timedelta(days=interval) if interval else None,
            acknowledge_within=timedelta(hours=self.concern_acknowledge_hours),
        )

    @property
    def audit_url(self) -> str:
        """Return where audit rows go: their own file beside SQLite's, else the same database."""
        if self.audit_database_url is not None:
            return self.audit_database_url
        return audit_url_beside(self.database_url)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def rate_of(text: str) -> RateLimitItem | None:
    """Return the rate that a setting names, ValueError where it is none; `off` is no limit."""
    if text == "off":
        return None
    (found,) = parse_many(text)
    return found


def audit_url_beside(database_url: str) -> str:
    """Return the audit database of this database (ADR 0006)."""
    if not database_url.startswith("sqlite"):
        return database_url
    stem, dot, ending = database_url.rpartition(".")
    if not dot or "/" in ending:
        return database_url + "-audit.db"
    return f"{stem}-audit.{ending}"
