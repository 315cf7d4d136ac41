"""Query strings and what they become: the access filter first, then the criteria.

https://hl7.org/fhir/R4/search.html
"""

from dataclasses import replace
from uuid import UUID

import pytest

from fhir_mappings.registry import build_registry
from service.access import Access, Scopes
from service.errors import ForbiddenError, InvalidElementsError, InvalidError
from service.fhir.mapping import Registry
from service.fhir.search import Bounds, audiences, count_statement, page_statement
from service.fhir.search_drivers import chosen
from service.fhir.search_parameters import read_query
from service.fhir.search_plan import Plan, Rules

REGISTRY = build_registry()
AUDIENCE, CEILING = 7, 1


def access(scopes: str = "system/*.rs", *, roster_role: bool = False) -> Access:
    return Access(
        client_id=UUID(int=1),
        client="a",
        audience=AUDIENCE,
        connection_id=UUID(int=2),
        ceiling=CEILING,
        roster_role=roster_role,
        scopes=Scopes(scopes),
    )


def rules(caller: Access | None = None) -> Rules:
    caller = caller or access()
    return Rules(
        base="http://here/fhir",
        now=0,
        page_size=20,
        page_limit=200,
        types=REGISTRY.by_type,
        access=caller,
        where=lambda name: audiences(REGISTRY, name, caller),
    )


def plan(
    name: str, *pairs: tuple[str, str], caller: Access | None = None, strict: bool = True
) -> Plan:
    return read_query(REGISTRY.by_type[name], pairs, rules(caller), strict=strict)


def page(name: str, *pairs: tuple[str, str]) -> tuple[str, tuple[object, ...]]:
    where = audiences(REGISTRY, name, access())
    return page_statement(plan(name, *pairs), where, Bounds(access().limits))


def test_every_statement_begins_with_the_audience_and_the_ceiling():
    for kind in REGISTRY.types:
        where = audiences(REGISTRY, kind.name, access())
        sql, args = page(kind.name)
        begin = f"FROM documents d WHERE d.audience {'=' if len(where) == 1 else 'IN'} "
        assert begin in sql
        assert "NOT d.deleted AND d.confidentiality <= ? AND d.purposes & ? <> 0" in sql
        assert args == (*where, kind.name, *access().limits, 21)
        assert set(where) <= {AUDIENCE, 0}


CHAINS = [
    ("Observation", "patient.name"),
    ("Observation", "encounter.service-provider:Organization.name"),
    ("Observation", "performer:Organization.name:contains"),
    ("Patient", "_has:Observation:patient:code"),
    ("Patient", "_has:Observation:patient:_has:Provenance:target:agent-type"),
    ("Encounter", "_has:Observation:encounter:value-string"),
    ("Provenance", "target:Observation.patient.name"),
    ("Observation", "patient._has:Condition:patient:code"),
]


@pytest.mark.parametrize(("name", "parameter"), CHAINS)
def test_every_document_that_is_joined_passes_the_access_filter(name: str, parameter: str):
    asked = plan(name, (parameter, "x"))
    statements = [asked.conditions[0], *(driver.keys for driver in asked.drivers)]
    for statement in statements:
        for alias in "defgu":
            if f" documents {alias} " in statement.sql:
                after = statement.sql.partition(f" documents {alias} ")[2]
                assert f"{alias}.audience " in after
                if alias != "u":
                    assert f"NOT {alias}.deleted AND {alias}.confidentiality <= ?" in after
        assert statement.sql.count("?") == len(statement.args)


@pytest.mark.parametrize(("name", "parameter"), CHAINS)
def test_a_chain_takes_the_right_to_search_every_type_on_it(name: str, parameter: str):
    caller = access(f"system/{name}.rs")
    with pytest.raises(ForbiddenError, match="does not grant"):
        plan(name, (parameter, "x"), caller=caller, strict=False)


def test_no_chain_leads_to_a_roster_without_its_role():
    pairs = (("subject:Group.type", "person"),)
    with pytest.raises(ForbiddenError):
        plan("Observation", *pairs)
    with pytest.raises(ForbiddenError):
        plan("Patient", ("_has:Group:member:type", "person"))
    assert plan("Observation", *pairs, caller=access(roster_role=True)).conditions


def test_a_chain_without_a_type_leads_to_what_may_be_searched():
    caller = access("system/Observation.rs system/Organization.rs")
    (condition,) = plan("Observation", ("performer.name", "x"), caller=caller).conditions
    assert "Organization" in condition.args
    assert "Practitioner" not in condition.args


@pytest.mark.parametrize(
    "pair",
    [
        ("encounter.part-of.part-of.part-of.status", "finished"),
        (
            "_has:Observation:patient:_has:Observation:focus:_has:Task:focus:_has:Task:part-of:x",
            "x",
        ),
        ("focus.status", "x"),
    ],
)
def test_chains_are_bounded(pair: tuple[str, str]):
    name = "Patient" if pair[0].startswith("_has") else "Observation"
    with pytest.raises((InvalidError, InvalidElementsError), match=r"more than|chained"):
        plan("Task" if pair[0] == "focus.status" else name, pair)


@pytest.mark.parametrize(
    "pair",
    [
        ("code:above", "x"),
        ("code:exact", "x"),
        ("subject:Practitioner", "x"),
        ("date:not", "2026"),
        ("value-quantity:exact", "1"),
        ("code.text", "x"),
        ("subject:Device.name", "x"),
        ("patient.nothing", "x"),
        ("nothing", "x"),
        ("_id:not", "x"),
        ("_has:Nothing:patient:code", "x"),
        ("_has:Encounter:patient:nothing", "x"),
        ("_has:Encounter:status:status", "x"),
        ("_has:Practitioner:name:name", "x"),
        ("code-value-quantity:not", "x$1"),
        ("code:", "x"),
        ("_lastUpdated:exact", "2026"),
        ("_content", "x"),
        ("_text", "x"),
        ("_filter", "x"),
        ("_query", "x"),
        ("_list", "x"),
    ],
)
def test_what_is_not_executed_is_refused_or_named(pair: tuple[str, str]):
    with pytest.raises(InvalidElementsError):
        plan("Observation", pair)
    (problem,) = plan("Observation", pair, strict=False).ignored
    assert problem.code == "not-supported"


@pytest.mark.parametrize(
    "pair",
    [
        ("code:missing", "yes"),
        ("code:missing", "true,false"),
        ("code:in", "http://not/known"),
        ("code-value-quantity", "x"),
        ("code-value-quantity", "x$y"),
        ("_has:Observation", "x"),
        ("_has:Observation:patient", "x"),
        ("patient", ","),
        ("code", "a\x00b"),
        ("code", ",".join("x" * 501)),
        ("value-string", "\u0301"),
        ("_lastUpdated:missing", "x"),
    ],
)
def test_a_wrong_value_is_refused(pair: tuple[str, str]):
    with pytest.raises(InvalidError):
        plan("Observation", pair, strict=False)


def test_a_search_has_bounds():
    many = ",".join(str(year) for year in range(1500, 2000))
    with pytest.raises(InvalidError, match="more than 50 parameters"):
        plan("Observation", *(("code", "x"),) * 51)
    with pytest.raises(InvalidError, match="values"):
        plan("Observation", *(("date", many),) * 50)


def test_a_type_is_sought_where_it_can_be():
    assert audiences(REGISTRY, "Observation", access()) == (AUDIENCE,)
    assert audiences(REGISTRY, "Questionnaire", access()) == (0,)
    assert audiences(REGISTRY, "Organization", access()) == (AUDIENCE, 0)
    assert audiences(Registry((), ()), "Nothing", access()) == (AUDIENCE,)


def test_the_horizon_bounds_pages_and_counts():
    timed = plan("Patient", ("_lastUpdated", "ge2026"))
    for statement in (page_statement, count_statement):
        sql, args = statement(timed, (AUDIENCE,), Bounds(access().limits, until=5))
        assert "d.last_updated < ?" in sql
        assert 5 in args


@pytest.mark.parametrize(
    ("pair", "timed"),
    [
        (("_lastUpdated", "ge2026"), True),
        (("_sort", "_lastUpdated"), True),
        (("_sort", "-date"), False),
        (("date", "ge2026"), False),
        (("encounter._lastUpdated", "ge2026"), False),
    ],
)
def test_only_searches_by_last_updated_are_bounded(pair: tuple[str, str], timed: bool):
    assert plan("Observation", pair).timed is timed


def test_ids_are_those_that_clients_know():
    located = replace(rules(), locate=lambda name, shown: f"{name}!{shown}")
    kind = REGISTRY.by_type["Observation"]

    def args(*pair: str) -> tuple[object, ...]:
        return read_query(kind, [pair], located, strict=True).conditions[0].args

    assert args("_id", "a,b") == ("Observation!a", "Observation!b")
    assert args("patient", "1") == args("patient", "Patient/1") == ("Patient!1",)
    assert args("patient", "http://here/fhir/Patient/1") == ("Patient!1",)
    assert args("has-member", "Observation/1") == (
        "has-member", "Observation!1", "Observation",
    )  # fmt: skip
    assert args("encounter", "http://there/Encounter/1") == (
        "encounter", "http://there/Encounter/1", "",
    )  # fmt: skip


def test_a_search_begins_with_what_is_few():
    assert chosen(plan("Patient", ("gender", "male"))) is None
    assert chosen(plan("Patient", ("gender", "male"), ("identifier", "s|1"))) is not None
    assert chosen(plan("Patient", ("identifier", "s|"))) is None
    assert chosen(plan("Observation", ("patient", "1"), ("identifier", "s|1"))) is None
    assert chosen(plan("Observation", ("patient.identifier", "s|1"))) is not None
    assert chosen(plan("Observation", ("performer:Organization.identifier", "s|1"))) is None
