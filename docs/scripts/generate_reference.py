"""Writes docs/reference from the code: ``python docs/scripts/generate_reference.py [--check]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import tomllib

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REFERENCE = HERE.parent / "reference"
sys.path[:0] = [str(HERE), str(ROOT)]

from command_pages import commands_page, sequences_page, tools_page  # noqa: E402
from contract_pages import (  # noqa: E402
    devices_page,
    errors_page,
    executors_page,
    hooks_page,
    mapping_page,
    python_page,
    runtimes_page,
)
from md_parts import code, page, table  # noqa: E402
from packages import find_packages, project_of  # noqa: E402

from turnkeyml.plugins.registry import GROUP, Registry, load_registry  # noqa: E402


def own_registry() -> Registry:
    """Load the plugins of this repository, and no others that happen to be installed."""
    own = {str(project_of(folder)["name"]) for folder in find_packages()}
    points = [point for point in metadata.entry_points(group=GROUP) if point.dist is not None]
    chosen = [point for point in points if point.dist is not None and point.dist.name in own]
    wanted = {
        str(project["name"]) for project in map(project_of, find_packages()) if GROUP in project.get("entry-points", {})
    }
    missing = wanted - {point.dist.name for point in chosen if point.dist is not None}
    if missing:
        sys.stderr.write(f"Not installed, and so left out: {', '.join(sorted(missing))}.\n")
    return load_registry(chosen)


def environment_page(tables: Mapping[str, Any]) -> str:
    """Describe environment variables."""
    heads = ("variable", "what it does")
    return page(
        "Environment variables",
        "An option on the command line wins over a variable.",
        table(heads, [(code(name), text) for name, text in tables["environment"].items()]),
        "## Of others",
        table(heads, [(code(name), text) for name, text in tables["environment_of_others"].items()]),
        "Variables of pip, uv, PyTorch and the runtimes work as their authors say.",
    )


def files_page(tables: Mapping[str, Any]) -> str:
    """Describe the files of a build and of a cache."""
    heads = ("file", "what it is")

    def rows(name: str) -> list[tuple[str, str]]:
        return [(code(file), text) for file, text in tables[name].items()]

    return page(
        "Files",
        "A build is the folder `<cache>/<script>_<hash>/`. Files are written beside their place and moved into it, so "
        "that none is ever half there. A schema number leads the YAML files; a newer one is refused.",
        "## In a build",
        table(heads, rows("files")),
        "Some tools and runtimes add:",
        table(heads, rows("files_other_tools")),
        "## In the cache",
        table(heads, rows("cache_files")),
        "A build may be deleted with `turnkey cache delete`, or by hand while nothing runs.",
    )


def statistics_page(tables: Mapping[str, Any]) -> str:
    """Describe the statistics by type and unit."""
    titles = {
        "model": "The model (`model`)",
        "step": "Each step (`steps`)",
        "result": "Each result (`results`)",
        "chain": "Each chain (`chains`)",
    }
    parts = [
        "`turnkey_stats.yaml` of a build has four mappings. Keys of steps, results and chains are eight digits, by which "
        "another run adds its own and overwrites nothing. A [report](../report.md) has the same names as columns.",
    ]
    heads = ("key", "type", "unit", "what it is")
    own = {name: rows for name, rows in tables["statistics"].items() if name not in titles}
    for name, title in titles.items():
        parts += [f"## {title}", table(heads, _statistics(tables["statistics"][name]))]
        if name == "step":
            for tool, rows in own.items():
                parts += [f"### Besides: {tool}", table(heads, _statistics(rows))]
    parts.append("Runtimes may add statistics of their own; those of plugins by others are in their documentation.")
    return page("Statistics", *parts)


def _statistics(rows: Mapping[str, list[str]]) -> list[tuple[str, str, str, str]]:
    return [(code(key), kind, unit, text) for key, (kind, unit, text) in rows.items()]


def packages_page() -> str:
    """List the packages of the repository."""
    rows = []
    for folder in find_packages():
        project = project_of(folder)
        rows.append((code(str(project["name"])), code(f"{folder}/"), str(project["description"])))
    extras = project_of(Path("core"))["optional-dependencies"]
    extra_rows = [
        (code(f"turnkeyml-core[{name}]"), ", ".join(code(each) for each in needed)) for name, needed in extras.items()
    ]
    return page(
        "Packages",
        table(("package", "folder", "gives"), rows),
        "## Extras of the core",
        table(("extra", "installs"), extra_rows),
    )


def make_pages() -> dict[str, str]:
    """Make all pages, by file name."""
    tables = tomllib.loads((HERE / "reference.toml").read_text("utf-8"))
    registry = own_registry()
    return {
        "commands.md": commands_page(registry),
        "tools.md": tools_page(registry),
        "sequences.md": sequences_page(registry),
        "runtimes.md": runtimes_page(registry),
        "devices.md": devices_page(registry),
        "executors.md": executors_page(registry),
        "statistics.md": statistics_page(tables),
        "files.md": files_page(tables),
        "environment.md": environment_page(tables),
        "implements.md": mapping_page(tables["mapping"]),
        "hooks.md": hooks_page(),
        "errors.md": errors_page(tables["exit_codes"]),
        "python.md": python_page(),
        "packages.md": packages_page(),
    }


def stale_pages() -> list[str]:
    """Name the pages that differ from what the code says."""
    made = make_pages()
    there = {path.name: path.read_text("utf-8") for path in REFERENCE.glob("*.md")}
    return sorted(name for name in {*made, *there} if made.get(name) != there.get(name))


def main() -> None:
    """Write the pages, or say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if stale")
    if parser.parse_args().check:
        stale = stale_pages()
        sys.exit(f"Stale: {', '.join(stale)}. Run: python docs/scripts/generate_reference.py" if stale else 0)
    REFERENCE.mkdir(exist_ok=True)
    for name, text in make_pages().items():
        (REFERENCE / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
