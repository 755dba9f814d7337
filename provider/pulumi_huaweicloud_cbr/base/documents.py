"""YAML and JSON files that users write, read so that a fault is told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError


def load_document(path: Path, what: str, remedy: str) -> tuple[Any, list[str]]:
    """Return a file's content, and faults: keys that stand twice, as YAML keeps the last one only.

    Args:
        what: what the file is, such as ``estate``.
        remedy: what to do if the file cannot be read.
    Raises:
        ConfigurationError: it cannot be read, or is no YAML. JSON is YAML too.
    """
    # Pulumi's SDK brings it along.
    import yaml

    faults: list[str] = []

    class Loader(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        line = node.start_mark.line + 1
        faults.extend(
            f"{name}: stands twice in the mapping that begins at line {line}"
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        )
        loader.flatten_mapping(node)
        return dict(loader.construct_pairs(node, deep=True))

    Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    doing = f"reading {what} {str(path)!r}"
    try:
        text = path.read_text(encoding="utf-8")
        # A loader of yaml.SafeLoader: it makes plain values only.
        return yaml.load(text, Loader=Loader), faults  # noqa: S506
    except OSError as error:
        raise ConfigurationError(f"{doing}: {error.strerror or error}", remedy=remedy) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{doing}: it is no text in UTF-8", remedy=remedy) from None
    except (yaml.YAMLError, RecursionError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or type(error).__name__
        raise ConfigurationError(
            f"{doing}: {where}not valid YAML: {problem}", remedy="correct that line"
        ) from None
