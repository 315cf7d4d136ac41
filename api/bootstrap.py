"""Builds what a process works with: one registry, one database, one audit writer."""

from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlmodel import Session, select

from api.context import Context
from fhir_mappings import patient, questionnaire_response, structure
from fhir_mappings.conformance import definitions
from fhir_mappings.registry import build_registry
from service import canonical, instruments, migrations
from service.audit import open_audit, prepare
from service.clock import Clock, system_clock
from service.database import Database
from service.encryption import Cipher
from service.enrollments.waitlist import OFFER_HOURS
from service.fhir.audiences import identifier_key
from service.fhir.endpoint import Writing
from service.fhir.mapping import Registry
from service.fhir.projection import DocumentProjector
from service.fhir.publication import publish
from service.fhir.reindex import Progress, reindex
from service.fhir.store_reader import open_reader
from service.models.aggregates import Aggregate
from service.models.groups import Programme
from service.models.screening import Instrument
from service.settings import Settings, rate_of
from service.smart.fetching import Fetcher, networks_of
from service.smart.limiting import Limiter, Rates
from service.smart.server import Server
from service.standing import OVERSIGHT

INSTALLATION = Aggregate("installation", "1")


class NotInstalledError(RuntimeError):
    """The database has no tables yet, or cannot be reached."""


def build(settings: Settings, clock: Clock = system_clock, *, key: bytes | None = None) -> Context:
    """Return the context of a process; `key` is the installation's, read where it is not given.

    Raises:
        ValueError: the canonical base is not the one that the process started with.
        NotInstalledError: the key cannot be read.
    """
    if settings.canonical_base != canonical.BASE:
        raise ValueError("ALONGSIDE_CANONICAL_BASE is read once, when the process starts")
    database, registry = open_database(settings, clock), build_registry()
    return Context(
        settings=settings,
        database=database,
        registry=registry,
        clock=clock,
        reader=open_reader(settings.database_url),
        audit=open_audit(settings.audit_url),
        server=_server(settings, database, clock, registry),
        writing=Writing(
            validate=structure.validate,
            validate_profile=structure.validate_profile,
            to_command=questionnaire_response.to_command,
            to_correction=questionnaire_response.to_correction,
            to_patient=patient.to_command,
            recognises=questionnaire_response.is_known,
            crisis_text=settings.crisis_text,
        ),
        cipher=cipher_of(settings),
        key=_key(database) if key is None else key,
    )


def _server(settings: Settings, database: Database, clock: Clock, registry: Registry) -> Server:
    return Server(
        database,
        base_url=settings.public_base_url,
        seconds=settings.access_token_seconds,
        clock=clock,
        fetcher=Fetcher(networks_of(settings.jwks_networks)),
        limiter=Limiter(rates_of(settings)),
        registry=registry,
    )


def rates_of(settings: Settings) -> Rates:
    """Return how often the authorization server may be asked."""
    return Rates(
        address=rate_of(settings.oauth_address_rate),
        failures=rate_of(settings.oauth_failure_rate),
        client=rate_of(settings.oauth_client_rate),
    )


def cipher_of(settings: Settings) -> Cipher:
    """Return what secrets that must be read again are encrypted by."""
    keys = settings.secrets_keys
    return Cipher(keys.get_secret_value() if keys else "")


def _key(database: Database) -> bytes:
    try:
        return database.read(identifier_key)
    except (DBAPIError, NoResultFound) as error:
        raise NotInstalledError(
            "the database cannot be read or has no tables yet: run `alongside migrate`"
        ) from error


def open_database(settings: Settings, clock: Clock = system_clock) -> Database:
    """Return the database with the projector that keeps its documents true."""
    projector = DocumentProjector(build_registry(), clock, f"{settings.public_base_url}/fhir")
    info = {OVERSIGHT: settings.oversight, OFFER_HOURS: settings.offer_hours}
    return Database(settings.database_url, projector=projector, clock=clock, info=info)


def install(
    settings: Settings, clock: Clock = system_clock, progress: Progress | None = None
) -> None:
    """Bring the database to the newest revision, with the rows that every installation has.

    `progress` is told how many documents of an older index are indexed anew, of how many.
    """
    migrations.upgrade(settings.database_url)
    prepare(settings.audit_url)
    database = open_database(settings, clock)
    try:
        ensure_programme(database, settings.programme_name)
        publish_instruments(database)
        require_instruments(database)
        publish_definitions(database)
        base = f"{settings.public_base_url}/fhir"
        reindex(database, build_registry(), base=base, progress=progress)
    finally:
        database.close()


def ensure_programme(database: Database, name: str) -> None:
    """Add the programme's row where there is none."""

    def work(session: Session) -> None:
        if session.exec(select(Programme.id)).first() is None:
            session.add(Programme(name=name))

    database.unit_of_work(work, INSTALLATION)


def publish_instruments(database: Database) -> None:
    """Add a row for each version of a questionnaire, so that its Questionnaire is served."""

    def work(session: Session) -> None:
        published = set(session.exec(select(Instrument.name, Instrument.version)).all())
        for each in instruments.all_versions():
            if (each.id, each.version) not in published:
                session.add(Instrument(name=each.id, version=each.version))

    database.unit_of_work(work, INSTALLATION)


def require_instruments(database: Database) -> None:
    """Raise NotInstalledError where a questionnaire that was published is not defined any more."""

    def work(session: Session) -> set[tuple[str, str]]:
        return set(session.exec(select(Instrument.name, Instrument.version)).all())

    defined = {(each.id, each.version) for each in instruments.all_versions()}
    if lost := sorted(database.read(work) - defined):
        names = ", ".join(" ".join(each) for each in lost)
        raise NotInstalledError(
            f"there is no definition of {names}: its file has to be in the folder that"
            " ALONGSIDE_INSTRUMENTS_FOLDER names"
        )


def publish_definitions(database: Database) -> None:
    """Serve what our codes, extensions, identifier systems and operations mean."""
    publish(database, build_registry(), definitions.definitions(), INSTALLATION)
