"""YAML files with a schema number: written whole, moved into place, read with the safe loader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.errors import CacheError, NewerSchemaError


def write_document(path: Path, schema: int, content: dict[str, Any]) -> None:
    """Write ``content`` led by its schema number.

    Args:
        path: The file; readers see the old or the new one, never a mixture.
        schema: The number of the form that ``content`` has.
        content: Plain JSON-like values.
    """
    import yaml

    dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    with open_replaced(path) as file:
        yaml.dump(
            {"schema": schema, **_encodable(content)},
            file,
            Dumper=dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=120,
        )


def read_document(path: Path, schema: int) -> dict[str, Any]:
    """Read a file that `write_document` wrote; it may come from anywhere.

    Args:
        path: The file.
        schema: The newest form that the caller understands.

    Raises:
        CacheError: It is missing, damaged, something else, or from a newer turnkey.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_bytes(), Loader=loader)  # noqa: S506 - a safe loader
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise CacheError(f"{path} cannot be read: {_first_line(error)}") from error
    if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
        raise CacheError(f"{path} is not a file that turnkey wrote.")
    if content["schema"] > schema:
        raise NewerSchemaError(
            f"{path} was written by a newer turnkey (schema {content['schema']}, known {schema}).",
            hint="Update turnkeyml-core to read it.",
        )
    return content


def _encodable(value: Any) -> Any:
    """Escape what no encoding has, such as the bytes of a file's name that are no text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
