"""Rules about the package and the repository as a whole."""

from __future__ import annotations

import ast
import base64
import inspect
import os
import pickle
import re
import subprocess
import sys
import textwrap
import tomllib
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from msgspec.structs import asdict
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.api.transport.http import TRANSPORT_ERRORS
from pulumi_huaweicloud_cbr.base import errors
from pulumi_huaweicloud_cbr.plugin import __main__ as plugin_main
from pulumi_huaweicloud_cbr.resources._arguments.registration import pickle_of

PACKAGE = Path(inspect.getfile(cbr)).parent
REPOSITORY = Path(__file__).parents[2]
SIMULATOR = REPOSITORY / "simulator"
TREES = {PACKAGE: "provider/pulumi_huaweicloud_cbr", SIMULATOR: "simulator"}
"""Each package of layers, and the first line of its tree for contributors."""
PICKLES = REPOSITORY / "tests" / "fixtures" / "pickles"
PROVIDERS = {
    "backup_replication_provider": cbr.BackupReplicationProvider,
    "backup_replication_set_provider": cbr.BackupReplicationSetProvider,
    "replications_complete_provider": cbr.ReplicationsCompleteProvider,
    "vault_replication_provider": cbr.VaultReplicationProvider,
}

MOST_ENTRIES = 8
"""The number of entries on a level that a reader can take in at once."""
MOST_OF_SIMULATOR = 12
"""The same for a folder of the simulator: the API has that many services."""


def test_public_names_are_sorted_and_complete() -> None:
    """`__all__` lists exactly what the package exports, in order."""
    for name in cbr.__all__:
        assert getattr(cbr, name)
    public = {
        name
        for name, value in vars(cbr).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    } - {"annotations", "TYPE_CHECKING"}

    assert sorted(cbr.__all__) == cbr.__all__
    assert public == set(cbr.__all__)


def test_every_error_is_raised_somewhere() -> None:
    """An error class that nothing raises does not belong in the tree."""
    named = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Name) and path != PACKAGE / "base" / "errors.py":
                named.add(node.id)
    classes = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.CbrError)
    }

    assert classes <= named


def all_subclasses(kind: type) -> set[type]:
    """Return a class's subclasses, direct and indirect."""
    found: set[type] = {kind}
    direct: type
    for direct in kind.__subclasses__():
        found |= all_subclasses(direct)
    return found


@pytest.mark.parametrize("kind", sorted(all_subclasses(httpx.RequestError), key=str), ids=str)
def test_every_transport_exception_is_mapped(kind: type[httpx.RequestError]) -> None:
    """Every exception of httpx has a row here. Only the base class itself uses the last one."""
    matching = [row for row in TRANSPORT_ERRORS if issubclass(kind, row[0])]

    assert [] != matching
    if kind not in (httpx.RequestError, httpx.TransportError):
        assert httpx.RequestError is not matching[0][0]


def test_httpx_is_known_in_two_modules() -> None:
    """What sends, and what finds the way by a proxy; no other module imports it, if only a type."""
    users = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names.append(node.module or "")
            if any(name.partition(".")[0] in ("httpx", "httpcore") for name in names):
                users.add(path.relative_to(PACKAGE).as_posix())

    assert {"api/transport/http.py", "api/transport/proxies.py"} == users


def test_transport_table_puts_the_specific_first() -> None:
    """No row is hidden behind a more general one above it."""
    for number, (kind, _) in enumerate(TRANSPORT_ERRORS):
        assert not any(issubclass(kind, above) for above, _ in TRANSPORT_ERRORS[:number])


def folders(package: Path) -> set[str]:
    """Return a package's folders, relative to it."""
    return {
        path.parent.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if path.parent != package
    }


def folders_of_repository() -> set[str]:
    """Return the folders of the repository's top level, and those in `tools`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    found = set()
    for name in listed.split("\0"):
        top, *below = name.split("/")
        if below and not top.startswith("."):
            found.add(top)
        if len(below) > 1 and top == "tools":
            found.add(f"tools/{below[0]}")
    return {folder for folder in found if (REPOSITORY / folder).is_dir()}


PACKAGES = [
    *(PACKAGE / folder for folder in sorted(folders(PACKAGE))),
    *(path.parent for path in sorted(SIMULATOR.rglob("__init__.py"))),
    *(path.parent for path in sorted((REPOSITORY / "tools").rglob("__init__.py"))),
]


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: str(folder.relative_to(REPOSITORY)))
def test_every_folder_says_what_belongs_there(folder: Path) -> None:
    """The first paragraph of its docstring says what belongs there, the second what does not."""
    text = (folder / "__init__.py").read_text()
    docstring = ast.get_docstring(ast.parse(text)) or ""

    assert len(docstring.split("\n\n")) >= 2


def told_in(tree: str) -> list[str]:
    """Return the folders in a document's tree, one per line."""
    told = []
    above: list[str] = []
    for line in textwrap.dedent(tree).splitlines():
        indent, name = re.findall(r"^( *)(\w+)/ ", line)[0]
        above[len(indent) // 2 :] = [name]
        told.append("/".join(above))
    return told


def told_folders(package: Path) -> list[str]:
    """Return the folders in a package's tree for contributors."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    return told_in(text.partition(f"```\n{TREES[package]}/\n")[2].partition("```")[0])


def test_layout_lists_the_folders_that_exist() -> None:
    """The layout names each folder of the top level and each tool, and no other."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    tree = text.partition("\n## Layout\n```\n")[2].partition("```")[0]

    assert sorted(folders_of_repository()) == sorted(told_in(tree))


@pytest.mark.parametrize("package", TREES, ids=TREES.get)
def test_contributing_lists_the_folders_that_exist(package: Path) -> None:
    """The tree for contributors names each folder of the package, and no other."""
    assert sorted(folders(package)) == sorted(told_folders(package))


@pytest.mark.parametrize(
    ("package", "contracts"), [(PACKAGE, 7), (SIMULATOR, 1)], ids=TREES.values()
)
def test_folders_are_listed_in_the_order_that_is_enforced(package: Path, contracts: int) -> None:
    """The tree for contributors has the order of import-linter's contracts."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    enforced = []
    for contract in project["tool"]["importlinter"]["contracts"]:
        for container in contract.get("containers", ()):
            root, *within = container.split(".")
            names = [name for layer in contract["layers"] for name in layer.split(" | ")]
            if root == package.name:
                enforced.append(["/".join((*within, name)) for name in names])

    for layers in enforced:
        known = [folder for folder in layers if folder in folders(package)]
        assert known == [folder for folder in told_folders(package) if folder in layers]
    assert contracts == len(enforced)


STEP = re.compile(r"^\d\. `([\w/]+\.py)`: `([\w.]+)`", re.MULTILINE)


def walks() -> list[list[tuple[str, str]]]:
    """Return the call paths from `create` to the request, as documented: module and name."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    section = text.partition("## From `create` to the request\n")[2].partition("\n## ")[0]
    one, member = (STEP.findall(part) for part in section.split("A member of a set:"))
    shared = one.index(member[-1])
    return [one, [*member, *one[shared + 1 :]]]


def callables_of(module: Path) -> set[str]:
    """Return the functions of a module, and the methods of its classes as `Class.method`."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, functions):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            methods = (each for each in node.body if isinstance(each, functions))
            found |= {f"{node.name}.{each.name}" for each in methods}
    return found


def names_in(module: Path) -> set[str]:
    """Return the names and attributes that the code of a module uses; no comments."""
    nodes = list(ast.walk(ast.parse(module.read_text())))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_call_path_to_the_request_only_goes_down() -> None:
    """Each step exists and names the next one, never back. At most seven modules, each once."""
    for walk in walks():
        modules = [module for module, _ in walk]
        assert len(modules) == len(set(modules)) <= 7
        for module, name in walk:
            assert name in callables_of(PACKAGE / module), f"{module} has no {name}"
        for (module, _), (below, called) in pairwise(walk):
            upwards = module.removesuffix(".py").replace("/", ".")
            assert f"pulumi_huaweicloud_cbr.{upwards} import" not in (PACKAGE / below).read_text()
            assert called.split(".")[-1] in names_in(PACKAGE / module), f"{module}: {called}"


def test_other_names_on_the_call_path_exist() -> None:
    """Each method that a step names besides is one of a class of the package."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    section = text.partition("## From `create` to the request\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(\w+\.(?!py`)\w+)`", section))
    known = {name for path in PACKAGE.rglob("*.py") for name in callables_of(path)}

    assert len(named) > 7
    assert set() == named - known


def test_places_for_a_change_exist() -> None:
    """The documentation names existing files and folders."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    section = text.partition("## Where a change goes\n")[2].partition("\n## ")[0]
    named = re.findall(r"`([\w/]+(?:\.py|/))`", section)

    assert len(named) > 10
    for name in named:
        assert (PACKAGE / name).exists() or (REPOSITORY / name).exists(), name


def entries(folder: Path) -> set[str]:
    """Return the names of our modules and folders in a folder, without `__init__`."""
    return {
        path.stem
        for path in folder.iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists()
    }


def test_levels_have_few_folders() -> None:
    """At most eight folders, and at most eight entries on each level below."""
    top = {folder for folder in folders(PACKAGE) if "/" not in folder}
    crowded = [
        folder for folder in folders(PACKAGE) if len(entries(PACKAGE / folder)) > MOST_ENTRIES
    ]

    assert len(top) <= MOST_ENTRIES
    assert [] == crowded


def test_levels_of_the_simulator_have_few_entries() -> None:
    """At most eight entries at the top, and at most twelve in each folder."""
    crowded = [
        folder
        for folder in folders(SIMULATOR)
        if len(entries(SIMULATOR / folder)) > MOST_OF_SIMULATOR
    ]

    assert len(entries(SIMULATOR)) <= MOST_ENTRIES
    assert [] == crowded


def test_import_is_light() -> None:
    """A program that uses every public name does not pay for the client."""
    loaded = loaded_by("from pulumi_huaweicloud_cbr import *")

    assert "pulumi_huaweicloud_cbr.resources.functions" in loaded
    packages = {name.partition(".")[0] for name in loaded}
    assert set() == packages & {"httpx", "anyio", "tenacity", "httpcore", "pydantic"}


def test_resources_load_when_they_are_used() -> None:
    """The package alone loads nothing, and a program of single replications no other form."""
    package = loaded_by("import pulumi_huaweicloud_cbr")
    single = loaded_by("from pulumi_huaweicloud_cbr import BackupReplication")
    forms = {provider.__module__ for provider in PROVIDERS.values()}

    assert 5 > len([name for name in package if name.startswith("pulumi_huaweicloud_cbr")])
    assert {"pulumi_huaweicloud_cbr.resources.backup_replication"} == single & forms


def loaded_by(line: str) -> set[str]:
    """Return the modules that a line of a program loads beyond Pulumi's own."""
    code = (
        f"import pulumi.dynamic, sys; before = set(sys.modules); {line};"
        "print('\\n'.join(set(sys.modules) - before))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    return set(printed.split())


def test_public_names_are_where_type_checkers_find_them() -> None:
    """The imports that only type checkers read, the table of modules and `__all__` agree."""
    tree = ast.parse(Path(cbr.__file__).read_text(encoding="utf-8"))
    read = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("pulumi_huaweicloud_cbr")
        for alias in node.names
        if alias.asname is None
    }
    at_run_time = {
        name: f"pulumi_huaweicloud_cbr.{module}"
        for module, names in cbr._MODULES.items()
        for name in names
    }

    assert read == at_run_time
    assert sorted(read) == cbr.__all__
    assert set(cbr.__all__) <= set(dir(cbr))
    with pytest.raises(AttributeError, match="has no attribute 'BackupReplications'"):
        _ = cbr.BackupReplications  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", PROVIDERS)
def test_stored_provider_always_loads(name: str) -> None:
    """States of earlier versions name the provider by module and class: both must stay."""
    stored = (PICKLES / f"{name}.b64").read_text().strip()

    loaded = pickle.loads(base64.b64decode(stored))

    assert isinstance(loaded, PROVIDERS[name])
    assert stored == serialize_provider(PROVIDERS[name]())


@pytest.mark.parametrize("name", PROVIDERS)
def test_short_provider_always_loads(name: str) -> None:
    """States name the provider by its public name as well: that must stay too."""
    stored = (PICKLES / f"{name}.short.b64").read_text().strip()

    loaded = pickle.loads(base64.b64decode(stored))

    assert type(loaded) is PROVIDERS[name]
    assert {} == vars(loaded)
    assert stored == pickle_of(PROVIDERS[name])


def test_every_provider_has_its_pickle() -> None:
    """No provider class is published whose path could change unnoticed."""
    published = {
        value
        for value in (getattr(cbr, name) for name in cbr.__all__)
        if inspect.isclass(value) and issubclass(value, ResourceProvider)
    }

    assert set(PROVIDERS.values()) == published
    assert {f"{name}{form}.b64" for name in PROVIDERS for form in ("", ".short")} == {
        path.name for path in PICKLES.iterdir()
    }


def test_configured_provider_holds_no_secret() -> None:
    """A configured provider would not put a secret into a state either."""
    canary = "canary-password-1"
    provider = cbr.BackupReplicationProvider()
    stored = pickle.dumps(provider)
    config = {"huaweicloud:password": canary, "huaweicloud:region": "cn-north-4"}
    provider.configure(ConfigureRequest(Config(config, "p")))

    assert canary.encode() not in stored
    assert canary not in repr(provider.open().settings)
    assert canary not in str(asdict(provider.open().settings))


def test_package_needs_no_plugin() -> None:
    """The engine learns that this package has no plugin to download."""
    assert '{"resource": false}' == (PACKAGE / "pulumi-plugin.json").read_text().strip()


def test_committed_executable_is_the_installed_one(tmp_path: Path) -> None:
    """The executable that `Pulumi.yaml` names here is what `--install` writes elsewhere."""
    committed = REPOSITORY / "plugin" / plugin_main.NAME

    assert 0 == plugin_main.main(["--install", str(tmp_path / "plugin")])
    installed = tmp_path / "plugin" / plugin_main.NAME

    assert committed.read_text() == installed.read_text()
    assert os.access(committed, os.X_OK)
    assert os.access(installed, os.X_OK)
