"""Steps whose options are resolved, before a plan connects them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from turnkeyml.errors import PlanError
from turnkeyml.options import option_specs, options_from_values
from turnkeyml.plugins.records import ToolRecord, ToolRole
from turnkeyml.plugins.registry import Registry
from turnkeyml.sequence import Step, flatten, is_installed
from turnkeyml.tool import ChainTool, Contract, FirstTool, Tool


@dataclass(frozen=True)
class Draft:
    """A step whose options are resolved, but which is not yet connected to those before it."""

    record: ToolRecord
    tool: type[ChainTool]
    options: Any
    contract: Contract
    inserted: str | None = None


@dataclass(frozen=True)
class Drafter:
    """Resolves steps one by one."""

    registry: Registry
    shorthand: Mapping[str, Any]

    def draft(self, step: Step, inserted: str | None = None) -> list[Draft]:
        """Load a step's tool, resolve its options and ask for its contract."""
        record = self.registry.tool(step.tool)
        if record.role is ToolRole.MANAGEMENT:
            raise PlanError(f"{record.name!r} stands alone and cannot be part of a chain.")
        tool: type[ChainTool] = record.ref.load_class(
            FirstTool if record.role is ToolRole.FIRST else Tool
        )
        common = {
            spec.name: self.shorthand[spec.info.shorthand]
            for spec in option_specs(tool.Options)
            if spec.info.shorthand is not None and spec.info.shorthand in self.shorthand
        }
        given: Any = options_from_values(tool.Options, {**common, **step.options}, record.name)
        drafts = []
        for each in tool.expand(given, self.registry):
            options = tool.resolve(each, self.registry)
            contract = tool.contract(options, self.registry)
            drafts.append(Draft(record, tool, options, contract, inserted))
        return drafts

    def fill_gap(self, draft: Draft, available: Sequence[str]) -> list[Draft]:
        """Draft the first alternative of a step's default sequence that is wholly installed, and
        that starts from what is there, if one does."""
        found: list[Draft] = []
        for alternative in draft.contract.default_sequence:
            if is_installed(alternative, self.registry):
                name = (
                    alternative if isinstance(alternative, str) else alternative.name or "sequence"
                )
                why = f"default of {draft.record.name}: {name}"
                steps = flatten([alternative], self.registry)
                drafts = [draft for step in steps for draft in self.draft(step, why)]
                if drafts and set(drafts[0].contract.consumes) & set(available):
                    return drafts
                found = found or drafts
        return found
