"""What every route works with, built once by `api.bootstrap`."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from anyio import CapacityLimiter

from api import fhir_openapi
from api.allowed import Addresses
from api.audit_rows import AuditRows
from api.metrics import Metrics
from api.outside import Outside
from service.access import AUDIT
from service.audit import AuditWriter
from service.audit.details import installation_key
from service.audit.pseudonyms import Pseudonyms
from service.audit.reading import AuditReader
from service.clock import Clock
from service.database import Database
from service.encryption import Cipher
from service.fhir.endpoint import Breaking, Endpoint, Writing
from service.fhir.mapping import Registry
from service.fhir.operations.operation import OPERATIONS
from service.fhir.store_reader import StoreReader
from service.settings import Settings
from service.smart.key_sets import KeySets
from service.smart.known_tokens import KnownTokens
from service.smart.outside import OutsideTokens
from service.smart.registration import Registrar
from service.smart.server import Server

WRITERS = 8
AUTHORIZERS = 8


@dataclass(frozen=True)
class Context:
    """One process: its settings, its database and who writes, reads and audits."""

    settings: Settings
    database: Database
    registry: Registry
    clock: Clock
    reader: StoreReader
    audit: AuditWriter
    server: Server
    writing: Writing
    cipher: Cipher  # for secrets that must be read again
    with_worker: bool = field(default=False, kw_only=True)  # whether it delivers messages, too
    key: bytes = field(repr=False)  # the installation's: FHIR ids and page links are made with it

    @cached_property
    def known_tokens(self) -> KnownTokens:
        return KnownTokens(self.settings.access_token_memory_seconds)

    @cached_property
    def registrar(self) -> Registrar:
        """Who answers software that registers itself."""
        return Registrar(server=self.server, base_url=self.settings.public_base_url)

    @cached_property
    def outside(self) -> Outside:
        """Who looks at tokens of other issuers."""
        fetcher = self.server.fetcher
        return Outside(
            tokens=OutsideTokens(
                fetcher=fetcher,
                key_sets=KeySets(fetcher.get),
                cipher=self.cipher,
                audience=f"{self.settings.public_base_url}/fhir",
                clock=self.clock,
                key=self.key,
            ),
            reader=self.reader,
            limiter=self.server.limiter,
            seconds=self.settings.access_token_memory_seconds,
        )

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """What patients are in audit rows."""
        return Pseudonyms(self.database)

    @cached_property
    def audit_reader(self) -> AuditReader:
        return AuditReader(self.settings.audit_url)

    @cached_property
    def audit_rows(self) -> AuditRows:
        """Who makes the audit rows of requests."""
        words = (*self.registry.by_type, AUDIT, *(each.name for each in OPERATIONS))
        return AuditRows(self.pseudonyms, installation_key(self.key), words)

    @cached_property
    def metrics(self) -> Metrics:
        return Metrics(self.database, self.reader)

    @cached_property
    def fhir_addresses(self) -> Addresses:
        return Addresses(fhir_openapi.paths(self.registry))

    @cached_property
    def writers(self) -> CapacityLimiter:
        """How many threads write at once: on SQLite one, since more would only wait for it."""
        return CapacityLimiter(1 if self.database.sqlite else WRITERS)

    @cached_property
    def authorizers(self) -> CapacityLimiter:
        """How many threads answer token requests at once."""
        return CapacityLimiter(AUTHORIZERS)

    @cached_property
    def endpoint(self) -> Endpoint:
        """The FHIR endpoint of this process."""
        return Endpoint(
            base=f"{self.settings.public_base_url}/fhir",
            registry=self.registry,
            reader=self.reader,
            database=self.database,
            clock=self.clock,
            key=self.key,
            page_size=self.settings.page_size,
            page_limit=max(self.settings.page_size, self.settings.page_size_limit),
            breaking=Breaking(
                lasts=timedelta(minutes=self.settings.break_glass_minutes),
                notice=self.settings.break_glass_notice == "due",
                cipher=self.cipher,
            ),
        )
