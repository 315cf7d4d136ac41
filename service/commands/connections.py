"""What can be asked of connections and their facilities."""

from dataclasses import dataclass
from uuid import UUID

from service.models.connections import ConsentAuthority, ConsentPolicy, Environment
from service.models.facts import Address


@dataclass(frozen=True, kw_only=True)
class CreateConnection:
    name: str
    mrn_system: str
    environment: Environment = Environment.TEST
    policy: ConsentPolicy = ConsentPolicy.OPT_IN
    authority: ConsentAuthority = ConsentAuthority.CONFIRM


@dataclass(frozen=True, kw_only=True)
class PostalAddress(Address):
    phone: str | None = None


NOWHERE = PostalAddress()


@dataclass(frozen=True, kw_only=True)
class CreateFacility:
    connection_id: UUID
    name: str
    address: PostalAddress = NOWHERE
    part_of_id: UUID | None = None
