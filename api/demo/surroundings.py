"""The two hospitals with their facilities, the places, and the people who lead groups."""

from dataclasses import replace
from itertools import islice

from api.demo.data.reading import names, towns
from api.demo.plan import ConnectionPlan, FacilityPlan
from service.commands import CreateFacilitator, CreatePlace, PostalAddress
from service.models.connections import ConsentPolicy
from service.models.groups import Facilitation

HOSPITAL_A = "Hospital A"
HOSPITAL_B = "Hospital B"
FACILITIES = 20
PLACES = 22
STREETS = ("Maple", "Oak", "Elm", "Cedar", "Walnut", "Willow", "Sycamore", "Juniper")
KINDS_OF_FACILITY = ("Family Clinic", "Behavioral Health Clinic", "Outpatient Center")
KINDS_OF_PLACE = ("Community Room", "Public Library", "Meeting House", "Recreation Center")
SILENT_PEERS = 10  # peers who have not agreed to be named to hospitals


def connections() -> tuple[ConnectionPlan, ...]:
    return (
        _connection(HOSPITAL_A, ConsentPolicy.OPT_IN, offset=0),
        _connection(HOSPITAL_B, ConsentPolicy.TREATMENT, offset=1),
    )


def mrn_system(hospital: str) -> str:
    return f"https://{hospital.lower().replace(' ', '-')}.example/mrn"


def _connection(name: str, policy: ConsentPolicy, *, offset: int) -> ConnectionPlan:
    found = tuple(islice(towns(), offset, None, 2))[:FACILITIES]
    return ConnectionPlan(
        name=name,
        mrn_system=mrn_system(name),
        policy=policy,
        facilities=tuple(
            FacilityPlan(
                name=_facility_name(name, town, n), address=_address(town, n + FACILITIES * offset)
            )
            for n, town in enumerate(found)
        ),
    )


def _facility_name(hospital: str, town: PostalAddress, number: int) -> str:
    if number == 0:
        return hospital
    return f"{hospital} {town.city} {KINDS_OF_FACILITY[number % len(KINDS_OF_FACILITY)]}"


def _address(town: PostalAddress, number: int) -> PostalAddress:
    """Return an address that nobody has, with a telephone number kept for fiction."""
    street = STREETS[number % len(STREETS)]
    phone = f"913-555-{101 + number:04d}"
    return replace(town, line=f"{100 + 7 * number} {street} Street", phone=phone)


def places() -> tuple[CreatePlace, ...]:
    found = towns()[-PLACES:]
    return tuple(
        CreatePlace(
            name=f"{town.city} {KINDS_OF_PLACE[n % len(KINDS_OF_PLACE)]}",
            address=_address(town, n),
        )
        for n, town in enumerate(found)
    )


def facilitators() -> tuple[CreateFacilitator, ...]:
    """Return peers and professionals by turns; professionals, and most peers, may be named."""
    found = []
    for number, (family, given) in enumerate(names()):
        peer = number % 2 == 0
        found.append(
            CreateFacilitator(
                family=family,
                given=given,
                kind=Facilitation.PEER if peer else Facilitation.PROFESSIONAL,
                name_is_public=not peer or number >= 2 * SILENT_PEERS,
            )
        )
    return tuple(found)
