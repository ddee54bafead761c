"""Begin a plugin package: files that pass the conformance kit as they are."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from string import Template

from turnkeyml.cache.atomic import TEMPORARY
from turnkeyml.errors import UsageError
from turnkeyml.plugins.registry import CORE, Registry, package_for

PREFIX = "turnkeyml-plugin-"
TOOL_SUMMARY = "Compress an ONNX file; a stand-in for what it will do."
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_LONGEST = 40


@dataclass(frozen=True)
class NewPackage:
    """A plugin package that is to be made.

    Args:
        name: Of what it gives, such as ``my-npu``; the distribution is called after it.
        tool: Whether it gives a tool.
        runtime: Whether it gives a runtime.
    """

    name: str
    tool: bool
    runtime: bool

    @property
    def distribution(self) -> str:
        """What pip calls it."""
        return PREFIX + self.name

    @property
    def module(self) -> str:
        """What Python calls it."""
        return self.distribution.replace("-", "_")


def check_name(package: NewPackage, registry: Registry) -> None:
    """Check that a package can have its name.

    Args:
        package: To be made.
        registry: What is installed.

    Raises:
        UsageError: The name has another form, or something else has it.
    """
    name = package.name
    if name.startswith(PREFIX):
        raise UsageError(
            f"{name!r} begins with {PREFIX}, which is added to the name.",
            hint=f"Give {name.removeprefix(PREFIX)!r}.",
        )
    if not _NAME.match(name) or len(name) > _LONGEST:
        raise UsageError(
            f"{name!r} is no name for a plugin.",
            hint=f"Use small letters and digits, in words joined by hyphens, at most {_LONGEST}.",
        )
    taken = []
    if package.tool:
        found = registry.find_tool(name)
        if found is not None:
            taken.append(f"a tool of {found.provider.distribution}")
        elif name in registry.sequences:
            taken.append(f"a sequence of {registry.sequences[name].provider.distribution}")
        elif owner := package_for("tool", name):
            taken.append(f"a tool of {owner}")
    if package.runtime:
        if name in registry.runtimes:
            taken.append(f"a runtime of {registry.runtimes[name].provider.distribution}")
        elif owner := package_for("runtime", name):
            taken.append(f"a runtime of {owner}")
    if taken:
        raise UsageError(f"{name!r} is {' and '.join(taken)} already.", hint="Give another name.")


def write_package(package: NewPackage, parent: Path) -> list[Path]:
    """Write the files of a package into a folder of its own, which appears whole.

    Args:
        package: With a name that was checked.
        parent: Where the folder is made.

    Returns:
        The files, relative to the folder.

    Raises:
        UsageError: The folder exists, or cannot be made.
    """
    target = parent / package.distribution
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target} exists.", hint="Remove it, or give another name.")
    temporary = parent / f"{TEMPORARY}{secrets.token_hex(6)}"
    made = _files_of(package)
    try:
        for relative, text in made.items():
            path = temporary / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        temporary.rename(target)
    except OSError as error:
        raise UsageError(f"{target} cannot be made: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return sorted(made)


def _files_of(package: NewPackage) -> dict[Path, str]:
    values = _values(package)
    parts = [part for part in ("tool", "runtime") if getattr(package, part)]
    source = Path("src", package.module)
    made = {
        Path("pyproject.toml"): _render("pyproject.toml", values),
        source / "__init__.py": _render("init.py", values),
        source / "py.typed": "",
    }
    for part in parts:
        made[source / f"{part}.py"] = _render(f"{part}.py", values)

    def joined(kind: str) -> str:
        return "".join(_render(f"{kind}_{part}", values) for part in parts)

    rows = "".join(f"| `{source / f'{part}.py'}` | the {part} |\n" for part in parts)
    made[source / "plugin.py"] = _render("plugin.py", {**values, "mapping": joined("mapping")})
    made[Path("README.md")] = _render(
        "README.md", {**values, "usage": joined("usage"), "files": rows}
    )
    classes = ["PluginConformance"]
    classes += ["RuntimeConformance"] if package.runtime else []
    classes += ["ToolConformance"] if package.tool else []
    tests = {"classes": ", ".join(classes), "tests": joined("test").rstrip("\n")}
    made[Path("tests/test_conformance.py")] = _render("test_conformance.py", {**values, **tests})
    return made


def _values(package: NewPackage) -> dict[str, str]:
    camel = "".join(word.capitalize() for word in package.name.split("-"))
    major, minor = (int(part) for part in metadata.version(CORE).split(".")[:2])
    what = " and ".join(part for part in ("tool", "runtime") if getattr(package, part))
    return {
        "name": package.name,
        "distribution": package.distribution,
        "module": package.module,
        "identifier": package.name.replace("-", "_"),
        "tool_class": camel,
        "runtime_class": f"{camel}RT",
        "tool_summary": TOOL_SUMMARY,
        "description": f"The turnkey {what} {package.name}.",
        "core_from": f"{major}.{minor}",
        "core_below": f"{major}.{minor + 1}",
    }


def _render(name: str, values: Mapping[str, str]) -> str:
    template = files("turnkeyml.testing") / "templates" / f"{name}.tmpl"
    return Template(template.read_text("utf-8")).substitute(values)
