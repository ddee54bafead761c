"""YAML files with a schema number and a digest: written whole, moved into place, read strictly."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from turnkeyml.cache.atomic import open_replaced
from turnkeyml.cache.strict_yaml import parse_yaml
from turnkeyml.errors import CacheError, NewerSchemaError

_AGAIN = "Run the command that made it once more, or put a copy of the file back."
_DIGEST = re.compile(rb"# sha256 ([0-9a-f]{64})\n")


def write_document(path: Path, schema: int, content: dict[str, Any]) -> None:
    """Write ``content`` led by its schema number.

    The first line has the digest of all that follows, so that a reader knows whether a byte of it
    has changed.

    Args:
        path: The file; readers see the old or the new one, never a mixture.
        schema: The number of the form that ``content`` has.
        content: Plain JSON-like values.
    """
    body = yaml_text({"schema": schema, **_encodable(content)}).encode()
    with open_replaced(path, "wb") as file:
        file.write(f"# sha256 {hashlib.sha256(body).hexdigest()}\n".encode())
        file.write(body)


def yaml_text(content: Any) -> str:
    """Write plain JSON-like values as YAML that `parse_yaml` reads back exactly."""
    import yaml

    fast: Any = getattr(yaml, "CSafeDumper", None)
    text: str = yaml.dump(
        content,
        Dumper=fast or yaml.SafeDumper,
        sort_keys=False,
        # PyYAML's own emitter loses the rarer line breaks (NEL, say) unless it escapes them.
        allow_unicode=fast is not None,
        default_flow_style=False,
        width=120,
    )
    return text


def read_document(path: Path, schema: int) -> dict[str, Any]:
    """Read a file that `write_document` wrote; it may come from anywhere.

    Args:
        path: The file.
        schema: The newest form that the caller understands.

    Raises:
        CacheError: It is missing, damaged, something else, or from a newer turnkey.
    """
    try:
        raw = path.read_bytes()
        content = parse_yaml(raw)
    except (OSError, ValueError) as error:
        raise CacheError(f"{path} cannot be read: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("schema"), int):
        raise CacheError(f"{path} is not a file that turnkey wrote.", hint=_AGAIN)
    if content["schema"] > schema:
        raise NewerSchemaError(
            f"{path} was written by a newer turnkey (schema {content['schema']}, known {schema}).",
            hint="Update turnkeyml-core to read it.",
        )
    found = _DIGEST.match(raw)
    if found and hashlib.sha256(raw[found.end() :]).hexdigest() != found[1].decode():
        raise CacheError(
            f"{path} is not as turnkey wrote it: it was damaged or edited.", hint=_AGAIN
        )
    return content


def _encodable(value: Any) -> Any:
    """Escape what no encoding has, such as the bytes of a file's name that are no text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, (list, tuple)) else value
