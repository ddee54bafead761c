"""The command `plugins`: what is installed, whether it keeps its contracts, how to begin one."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from turnkeyml.cli.group import HELP_NAMES
from turnkeyml.errors import ExitCode
from turnkeyml.options import option_specs
from turnkeyml.plugins.records import Contribution, ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.tool import ManagementTool

if TYPE_CHECKING:
    from turnkeyml.testing.checking import Section
    from turnkeyml.testing.rules import Verdict


class Plugins(ManagementTool):
    """List the installed plugins, what each gives, and those that are broken.

    Exits with 1 if a plugin is broken or two provide one name.
    """

    name = "plugins"

    @classmethod
    def command(cls, registry: Registry) -> click.Command:
        """Make the command."""

        @click.pass_context
        def show(context: click.Context) -> int:
            return ExitCode.OK if context.invoked_subcommand else list_plugins(registry)

        return click.Group(
            cls.name,
            commands=[_check(registry), _new(registry)],
            callback=show,
            invoke_without_command=True,
            help=cls.__doc__,
            context_settings=HELP_NAMES,
        )


def list_plugins(registry: Registry) -> int:
    """Print what is installed, and give the exit code."""
    for contribution in registry.contributions:
        click.echo(str(contribution.provider))
        for line in describe_contribution(contribution):
            click.echo(f"  {line}")
    for broken in registry.broken:
        click.echo(f"Broken: {broken.reason}", err=True)
        for line in broken.details.splitlines():
            click.echo(f"  | {line}", err=True)
    for conflict in registry.conflicts:
        click.echo(f"Conflict: {conflict}", err=True)
    return ExitCode.FAILED if registry.broken or registry.conflicts else ExitCode.OK


def describe_contribution(contribution: Contribution) -> list[str]:
    """Say what a plugin gives, a line for each kind of thing."""
    rows = {
        "tools": [t.name for t in contribution.tools if t.role is not ToolRole.MANAGEMENT],
        "commands": [t.name for t in contribution.tools if t.role is ToolRole.MANAGEMENT],
        "runtimes": [r.name for r in contribution.runtimes],
        "sequences": [s.name for s in contribution.sequences],
        "devices": [d.family for d in contribution.devices],
        "executors": [e.name for e in contribution.executors],
        "options": [
            spec.flags[0]
            for record in contribution.settings
            for spec in option_specs(record.ref.load_class(object))
        ],
    }
    return [f"{what}: {', '.join(names)}" for what, names in rows.items() if names]


def _check(registry: Registry) -> click.Command:
    def check(names: Sequence[str], look_only: bool) -> int:
        from turnkeyml.testing.checking import distributions, sections

        verdicts: list[Verdict] = []
        chosen = distributions(registry, names)
        with tempfile.TemporaryDirectory(prefix="turnkey-check-") as folder:
            for name in chosen:
                for section in sections(registry, name, Path(folder), run=not look_only):
                    verdicts += _print_section(section)
        return _sum_up(verdicts)

    text = """Check whether installed plugins keep turnkey's contracts.

    Each rule is a line. Tools and runtimes that take ONNX files are run on a small model; the
    others are run by the tests of their own packages. Exits with 1 if a rule is broken. What each
    rule asks is in docs/conformance.md.
    """
    return click.Command(
        "check",
        params=[
            click.Argument(["names"], nargs=-1, metavar="[PACKAGE]..."),
            click.Option(["--look-only"], is_flag=True, help="Run no tool and no runtime."),
        ],
        callback=check,
        help=text,
        context_settings=HELP_NAMES,
    )


def _print_section(section: Section) -> list[Verdict]:
    from turnkeyml.testing.rules import Verdict

    click.echo(section.title)
    verdicts, last = [], ""
    for finding in section.findings():
        verdicts.append(finding.verdict)
        line = f"  {finding.verdict.value:8} {finding.sentence}"
        if finding.verdict is Verdict.SKIPPED:
            line += f": {'as above' if finding.text == last else finding.text}"
            last = finding.text
        click.echo(line)
        if finding.verdict is Verdict.FAILED:
            for text in finding.text.splitlines():
                click.echo(f"           {text}")
    return verdicts


def _sum_up(verdicts: Sequence[Verdict]) -> int:
    from turnkeyml.testing.rules import Verdict

    counts = ", ".join(f"{verdicts.count(one)} {one.value}" for one in Verdict)
    click.echo(f"{len(verdicts)} rules: {counts}")
    return ExitCode.FAILED if Verdict.FAILED in verdicts else ExitCode.OK


def _new(registry: Registry) -> click.Command:
    def new(name: str, tool: bool, runtime: bool, into: Path) -> None:
        from turnkeyml.testing.scaffold import NewPackage, check_name, write_package

        neither = not (tool or runtime)
        package = NewPackage(name, tool or neither, runtime or neither)
        check_name(package, registry)
        made = write_package(package, into)
        folder = into / package.distribution
        click.echo(f"Made {folder}:")
        for path in made:
            click.echo(f"  {path}")
        click.echo("\nNext:")
        click.echo(f"  cd {folder}")
        click.echo("  pip install -e '.[test]' && pytest")
        click.echo(f"  turnkey plugins check {package.distribution}")
        click.echo("Then put the real thing where the comments in src/ say so.")

    text = """Begin a plugin package in ./turnkeyml-plugin-NAME.

    It passes its tests as it is. NAME is what the tool or runtime is called, such as my-npu.
    Without --tool and --runtime the package gives both.
    """
    return click.Command(
        "new",
        params=[
            click.Argument(["name"]),
            click.Option(["--tool"], is_flag=True, help="With a tool."),
            click.Option(["--runtime"], is_flag=True, help="With a runtime."),
            click.Option(
                ["--into"],
                type=click.Path(path_type=Path, file_okay=False, exists=True),
                default=Path(),
                metavar="DIR",
                help="Where the folder is made. [default: the working directory]",
            ),
        ],
        callback=new,
        help=text,
        context_settings=HELP_NAMES,
    )
