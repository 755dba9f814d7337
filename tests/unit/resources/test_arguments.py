"""Resources accept an Args object or keywords. Printed code follows a schema of the Args class."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Required, get_origin, get_overloads, get_type_hints

import grpc  # type: ignore[import-untyped]
import pulumi
import pytest
from pulumi._types import resource_types
from pulumi.runtime.proto import provider_pb2
from pulumi.runtime.rpc import translate_output_properties

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.api.wire.answers import Backup
from pulumi_huaweicloud_cbr.plugin import schema
from pulumi_huaweicloud_cbr.plugin.providers import ENTRY_POINTS
from pulumi_huaweicloud_cbr.plugin.servicer import VERSION, DynamicResourceServicer
from pulumi_huaweicloud_cbr.resources._arguments.members import plain_members
from pulumi_huaweicloud_cbr.resources._arguments.reading import ArgumentsError, inputs_of
from tests.e2e.printing_host import python_of
from tools.checks import arguments

PRINTED = Path(__file__).parents[2] / "fixtures" / "printed"

OPTIONS = pulumi.ResourceOptions(protect=True)
PLACE: Any = {"destination_region": "r", "destination_vault_id": "v"}
A_BACKUP = Backup(id="b", created_at="2026-11-20T02:00:11.000000", resource_name="erp")
ONE: Any = {"backup_id": "b", **PLACE}
GIVEN: dict[type[Any], dict[str, Any]] = {
    cbr.BackupReplication: {
        "backup_id": "b",
        "destination_region": "r",
        "destination_vault_id": "v",
        "name": "n",
    },
    cbr.BackupReplicationSet: {
        "backups": ["b"],
        "destination_region": "r",
        "destination_vault_id": "v",
        "keep_newest": 3,
    },
    cbr.VaultReplication: {
        "vault_id": "s",
        "destination_region": "r",
        "destination_vault_id": "v",
        "adopt": False,
    },
    cbr.ReplicationsComplete: {"replications": [], "timeout": "6h"},
}
RESOURCES = pytest.mark.parametrize("kind", GIVEN, ids=lambda kind: kind.__name__)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], Any]]:
    """The call that reaches Pulumi: name, properties, options."""
    registered: list[tuple[str, dict[str, Any], Any]] = []

    def keep(_self: object, _type: str, name: str, props: dict[str, Any], opts: Any) -> None:
        del props["__provider"]
        registered.append((name, props, opts))

    monkeypatch.setattr(pulumi.CustomResource, "__init__", keep)
    return registered


def plain(properties: dict[str, Any]) -> dict[str, Any]:
    """Return properties that can be compared, without outputs, which a program does not set."""
    return {key: value for key, value in properties.items() if not isinstance(value, pulumi.Output)}


@RESOURCES
@pytest.mark.anyio
async def test_both_forms_declare_the_same(
    made: list[tuple[str, dict[str, Any], Any]], kind: type[Any]
) -> None:
    """Each form of Pulumi's own SDKs for inputs and options gives the same resource."""
    form = schema.ARGUMENTS[kind]
    given = GIVEN[kind]

    kind("x", form(**given), OPTIONS)
    kind("x", form(**given), opts=OPTIONS)
    kind("x", args=form(**given), opts=OPTIONS)
    kind(resource_name="x", args=form(**given), opts=OPTIONS)
    kind("x", OPTIONS, **given)
    kind("x", opts=OPTIONS, **given)
    kind("x", None, OPTIONS, **given)
    kind("x", given, OPTIONS)
    kind("x", args=given, opts=OPTIONS)

    (name, properties, options), *others = made
    assert ("x", OPTIONS) == (name, options)
    assert given.items() <= properties.items() or kind is cbr.ReplicationsComplete
    for other in others:
        assert (name, plain(properties), options) == (other[0], plain(other[1]), other[2])


@pytest.mark.usefixtures("made")
@pytest.mark.anyio
async def test_type_checkers_accept_both_forms_and_nothing_else() -> None:
    """`make lint` checks this function: an unneeded `type: ignore` is an error there."""
    one = cbr.BackupReplicationArgs(**ONE)
    cbr.BackupReplication("x", one, OPTIONS)
    cbr.BackupReplication(
        "x", OPTIONS, backup_id="b", destination_region="r", destination_vault_id="v"
    )
    cbr.BackupReplicationSet(
        "x", backups=["b"], destination_region="r", destination_vault_id="v", opts=OPTIONS
    )
    cbr.VaultReplication("x", vault_id="s", destination_region="r", destination_vault_id="v")
    cbr.ReplicationsComplete("x", replications=[], timeout=3600)
    place: cbr.MemberArgsDict = {"backup_id": "b", "name": "n"}
    backups: list[cbr.Members] = [
        [A_BACKUP, "b", pulumi.Output.from_input(A_BACKUP)],
        {"erp": A_BACKUP, "web": "b", "files": place},
        cbr.as_members([A_BACKUP]),
    ]
    for members in backups:
        cbr.BackupReplicationSet("x", backups=members, adopt="any", **PLACE)
    dictionary: cbr.VaultReplicationArgsDict = {
        "vault_id": "s",
        "destination_region": "r",
        "destination_vault_id": "v",
    }
    cbr.VaultReplication("x", dictionary, OPTIONS)

    with pytest.raises(ArgumentsError):
        cbr.BackupReplication("x", one, name="n")  # type: ignore[call-overload]
    with pytest.raises(ArgumentsError):
        cbr.BackupReplication("x", backup_id="b")  # type: ignore[call-overload]
    with pytest.raises(ArgumentsError):
        cbr.VaultReplication("x", one)  # type: ignore[call-overload]
    one.preflight = "often"  # type: ignore[assignment]
    one.adopt = "all"  # type: ignore[assignment]
    place["vault"] = "v"  # type: ignore[typeddict-unknown-key]


def test_typed_dictionaries_follow_the_args_classes() -> None:
    """Run `make tables` if this fails."""
    assert arguments.MODULE.read_text() == arguments.module_text()


@RESOURCES
@pytest.mark.anyio
async def test_options_may_be_omitted(
    made: list[tuple[str, dict[str, Any], Any]], kind: type[Any]
) -> None:
    """This applies to both forms."""
    kind("x", schema.ARGUMENTS[kind](**GIVEN[kind]))
    kind("x", **GIVEN[kind])

    assert [None, None] == [options for _, _, options in made]


@RESOURCES
def test_type_checkers_see_the_keywords_of_the_args_class(kind: type[Any]) -> None:
    """An input of the class that the keywords lack fails here."""
    form = schema.ARGUMENTS[kind]
    by_args, by_keywords = get_overloads(kind.__init__)
    # The names in the types of Pulumi, and in ours.
    named = {**vars(pulumi.output), "Backup": Backup}
    keywords = getattr(cbr, f"{form.__name__}Dict")
    seen = get_type_hints(keywords, localns=named, include_extras=True)

    name = form.__name__
    assert f"{name} | {name}Dict" == inspect.signature(by_args).parameters["args"].annotation
    assert f"Unpack[{name}Dict]" == inspect.signature(by_keywords).parameters["inputs"].annotation
    assert get_type_hints(form, localns=named) == get_type_hints(keywords, localns=named)
    assert {name for name, kind in seen.items() if get_origin(kind) is Required} == {
        field.name for field in fields(form) if field.default is MISSING
    }


KNOWN = ", ".join(inputs_of(cbr.BackupReplicationArgs))
WRONG: dict[str, tuple[tuple[Any, ...], dict[str, Any], str]] = {
    "nothing": ((), {}, "backup_id and destination_region and destination_vault_id are missing"),
    "one missing": (
        (),
        {"backup_id": "b", "destination_region": "r"},
        "destination_vault_id is missing",
    ),
    "typing error": (
        (),
        {"backup_id": "b", "destination_region": "r", "destination_vault": "v"},
        "destination_vault is not an input, did you mean destination_vault_id?",
    ),
    "unknown": (
        (),
        {"backup_id": "b", "zone": 1},
        f"zone is not an input; known: {KNOWN}",
    ),
    "options as keywords": (
        (),
        {"backup_id": "b", "protect": True},
        f"protect is not an input; known: {KNOWN}",
    ),
    "a dictionary with too little": (
        ({"backup_id": "b"},),
        {},
        "destination_region and destination_vault_id are missing",
    ),
    "text": (("b",), {}, "args is a str, not a BackupReplicationArgs"),
    "a backup in place of its id": (
        (),
        {**ONE, "backup_id": A_BACKUP},
        "backup_id is a Backup, which is no plain value; pass its id",
    ),
    "bytes": ((), {**ONE, "name": b"n"}, "name is a bytes, which is no plain value"),
    "another's args": (
        (cbr.VaultReplicationArgs(vault_id="s", **PLACE),),
        {},
        "args is a VaultReplicationArgs, not a BackupReplicationArgs",
    ),
    "positional inputs": (("b", "r", "v"), {}, "3 arguments follow the name, at most two can"),
    "both forms": (
        (cbr.BackupReplicationArgs(**ONE),),
        {"name": "n"},
        "name is given beside args",
    ),
    "options twice": ((OPTIONS,), {"opts": OPTIONS}, "opts is given twice"),
    "no options": (
        (cbr.BackupReplicationArgs(**ONE), {"protect": True}),
        {},
        "opts is a dict, not a pulumi.ResourceOptions",
    ),
    "args twice": (
        (cbr.BackupReplicationArgs(**ONE),),
        {"args": cbr.BackupReplicationArgs(**ONE)},
        "opts is a BackupReplicationArgs, not a pulumi.ResourceOptions",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_arguments_are_a_one_line_error(case: str) -> None:
    """The line names the resource, the argument and the right form, without a traceback."""
    positional, keywords, told = WRONG[case]

    with pytest.raises(ArgumentsError) as caught:
        cbr.BackupReplication("erp", *positional, **keywords)

    forms = (
        "; give inputs as keywords (backup_id=..., destination_region=..., "
        "destination_vault_id=...), or all of them in a BackupReplicationArgs, and Pulumi's own "
        "options as opts"
    )
    says_enough = "not an input" in told or "no plain value" in told
    assert f"BackupReplication 'erp': {told}{'' if says_enough else forms}" == str(caught.value)
    assert isinstance(caught.value, pulumi.RunError)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(("given", "told"), [((), "is missing"), ((5,), "is an int, not a text")])
def test_name_of_a_resource_is_required(given: tuple[Any, ...], told: str) -> None:
    """A program that forgets it gets one line as well."""
    made: Any = cbr.VaultReplication
    with pytest.raises(ArgumentsError) as caught:
        made(*given, vault_id="s", **PLACE)

    first = 'give it first: VaultReplication("erp-db", ...)'
    assert f"VaultReplication: the name {told}; {first}" == str(caught.value)


def test_part_that_is_not_plain_is_named() -> None:
    """It may be deep inside a mapping or a list."""
    made: Any = cbr.BackupReplicationSet
    with pytest.raises(ArgumentsError, match=r"backups\['erp'\]\['name'\] is a set, which is no"):
        made("x", backups={"erp": {"backup_id": "b", "name": {1}}}, **PLACE)
    with pytest.raises(
        ArgumentsError, match=r"backups is a generator, which is no plain value; give a list$"
    ):
        made("x", backups=(one for one in "b"), **PLACE)


# -- members --------------------------------------------------------------------------------------

MEMBER = {"backup_id": "b", "created_at": "2026-11-20T02:00:11.000000"}


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ([A_BACKUP], {"erp@2026-11-20T02:00:11": MEMBER}),
        (A_BACKUP, {"erp@2026-11-20T02:00:11": MEMBER}),
        ([A_BACKUP, "other"], ["b", "other"]),
        ({"db": A_BACKUP, "web": "other", "files": MEMBER}, None),
        (["b"], ["b"]),
        ([], []),
        ("b", "b"),
        (5, 5),
    ],
)
@pytest.mark.anyio
async def test_members_are_plain_in_the_state(given: Any, plain: Any) -> None:
    """A `Backup` brings its time along; what is known later is treated alike."""
    if plain is None:
        plain = {"db": MEMBER, "web": "other", "files": MEMBER}

    assert plain == plain_members(given)
    assert plain == await plain_members(pulumi.Output.from_input(given)).future()


@pytest.mark.anyio
async def test_member_may_be_known_later() -> None:
    """Look-ups that take outputs return such backups."""
    later = pulumi.Output.from_input(A_BACKUP)

    assert "b" == await plain_members([later])[0].future()
    assert MEMBER == await plain_members({"db": later})["db"].future()


@pytest.mark.anyio
async def test_wait_takes_one_replication(made: list[tuple[str, dict[str, Any], Any]]) -> None:
    """A single one needs no list, and what replicates nothing is refused in one line."""
    tracked = {"source_region": "r", "records": {"r": "b"}}
    cbr.ReplicationsComplete("x", replications=tracked)
    cbr.ReplicationsComplete("x", replications=[tracked])

    (_, one, _), (_, listed, _) = made
    assert await one["replications"].future() == await listed["replications"].future()
    foreign = object.__new__(pulumi.CustomResource)
    with pytest.raises(ArgumentsError) as caught:
        cbr.ReplicationsComplete("x", replications=foreign)
    assert (
        "ReplicationsComplete 'x': replications has a CustomResource, which replicates nothing; "
        "give resources of this package that replicate, or their tracking"
    ) == str(caught.value)


# -- the schema -----------------------------------------------------------------------------------


class RefusalError(Exception):
    """A call that was refused."""


class Context:
    """The context that gRPC passes to a method."""

    def abort(self, code: grpc.StatusCode, message: str) -> None:
        """Refuse the call."""
        raise RefusalError(code, message)


def asked() -> dict[str, Any]:
    """Return the schema as the engine receives it."""
    answer = DynamicResourceServicer().GetSchema(provider_pb2.GetSchemaRequest(), Context())
    document: dict[str, Any] = json.loads(answer.schema)
    return document


def test_schema_has_every_resource_that_can_be_imported() -> None:
    """The schema has each type that the package declares, under the type in states."""
    declared = {
        entry.name.replace(".", ":", 1)[::-1].replace(".", ":", 1)[::-1]
        for entry in entry_points(group=ENTRY_POINTS)
        if entry.value.startswith("pulumi_huaweicloud_cbr:")
    }
    types = {f"pulumi-python:{kind._resource_type_name}" for kind in schema.ARGUMENTS}

    assert declared == types == asked()["resources"].keys()
    assert set(GIVEN) == set(schema.ARGUMENTS)


@RESOURCES
def test_schema_has_the_inputs_of_the_args_class(kind: type[Any]) -> None:
    """The same holds for inputs that are added later, with the required ones.

    A resource's own inputs come before those that the forms share.
    """
    described = asked()["resources"][f"pulumi-python:{kind._resource_type_name}"]
    form = schema.ARGUMENTS[kind]

    assert list(inputs_of(form)) == list(described["inputProperties"])
    assert {field.name for field in fields(form)} == set(described["inputProperties"])
    assert {field.name for field in fields(form) if field.default is MISSING} == set(
        described["requiredInputs"]
    )


def test_schema_gives_an_import_that_works() -> None:
    """The module that printed code imports has the classes under these names."""
    document = asked()
    python = document["language"]["python"]

    assert cbr.__name__ == python["packageName"]
    assert {"dynamic/huaweicloud_cbr": ""} == python["moduleNameOverrides"]
    assert ("pulumi-python", VERSION) == (document["name"], document["version"])
    for token in document["resources"]:
        assert token.rpartition(":")[2] in cbr.__all__


def test_printed_code_is_what_pulumis_generator_prints() -> None:
    """The stand-in of the end-to-end tests prints what Pulumi's generator 3.255 prints.

    The generator received the same source, which the engine made from an import, and this schema.
    """
    source = (PRINTED / "erp-db.pp").read_text()

    assert (PRINTED / "erp-db.txt").read_text() == python_of(source, asked())


@dataclass
class Odd:
    """Inputs of each supported type."""

    text: pulumi.Input[str]
    flag: pulumi.Input[bool] | None
    count: pulumi.Input[int]
    either: pulumi.Input[str | float]
    anything: pulumi.Input[Mapping[str, Any]]
    resources: Sequence[pulumi.Resource | pulumi.Input[dict[str, str]]]
    later: Awaitable[str] | list[str]


@dataclass
class Binary:
    """An input that no state can hold."""

    content: pulumi.Input[bytes]


def test_schema_maps_types() -> None:
    """Outputs and resources as values occur in no state, and in no printed code."""
    text = {"type": "string"}

    assert {
        "text": text,
        "flag": {"type": "boolean"},
        "count": {"type": "integer"},
        "either": {"oneOf": [text, {"type": "number"}]},
        "anything": {"type": "object", "additionalProperties": {"$ref": "pulumi.json#/Any"}},
        "resources": {"type": "array", "items": {"type": "object", "additionalProperties": text}},
        "later": {"type": "array", "items": text},
    } == schema.types_of(Odd)


def test_schema_refuses_unsupported_types() -> None:
    """An input of such a type fails the tests, not an import."""
    with pytest.raises(TypeError, match="no words for <class 'bytes'>"):
        schema.types_of(Binary)


@RESOURCES
def test_outputs_take_every_form_of_their_inputs(kind: type[Any]) -> None:
    """With `--target` and `--exclude`, the engine returns the inputs as a resource's outputs."""
    echoed: dict[str, tuple[Any, ...]] = {
        "backups": (["b"], {"erp": "b"}, {"erp": {"backup_id": "b"}}),
        "adopt": (True, "any"),
        "timeout": ("6h", 3.5),
        "replications": ([], [{"records": {}}]),
    }
    types = resource_types(kind)
    given = {**GIVEN[kind], "preflight": "warn"}
    for field, value in given.items():
        for form in echoed.get(field, (value,)):
            translated = translate_output_properties(form, lambda name: name, types.get(field))
            assert form == translated
