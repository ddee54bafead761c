"""What tools are given besides their options: the registry, the cache, a way to speak."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from turnkeyml.cache.staging import Staging
from turnkeyml.policy import RunPolicy
from turnkeyml.state import ModelInfo, State

if TYPE_CHECKING:
    from turnkeyml.cache import Cache
    from turnkeyml.inputs import Source
    from turnkeyml.plugins.registry import Registry


@dataclass(frozen=True)
class RunContext:
    """What a running command has at hand.

    Args:
        registry: What is installed.
        cache: Where builds are kept.
        notes: Sentences for the user about the input being worked on.
        first_step: Name and identity of the step that starts the chain.
        policy: What the user decided for the whole command.
        build_name: Of the build, where the user chose one.
        staging: A folder for what the first step writes; None: it writes into the build itself.
    """

    registry: Registry
    cache: Cache
    notes: list[str] = field(default_factory=list)
    first_step: tuple[str, str] = ("", "")
    policy: RunPolicy = field(default_factory=RunPolicy)
    build_name: str | None = None
    staging: Path | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        """Values of the global options that plugins add, by name."""
        return self.policy.settings

    def note(self, text: str) -> None:
        """Say one sentence to the user, under the status of this input."""
        self.notes.append(text)

    def new_state(
        self,
        source: Source,
        model: ModelInfo,
        *,
        selected: bool = True,
        ordinal: int = 0,
        labels: Mapping[str, tuple[str, ...]] | None = None,
    ) -> State:
        """Make the state of one model, with a build directory of its own.

        Args:
            source: The input that it was found in.
            model: What is known of it.
            selected: Whether it goes through the rest of the chain.
            ordinal: Counts models of one input that have the same hash, from 0.
            labels: By default those of the source.
        """
        if self.build_name is None:
            known = source.path, model.digest, ordinal, source.parameters
            claim = partial(self.cache.claim, *known)
        else:
            claim = partial(self.cache.named, self.build_name)
        build = claim()
        state = State(
            build,
            source,
            model,
            self,
            labels=source.labels if labels is None else labels,
            selected=selected,
            staging=None
            if self.staging is None
            else Staging(self.staging / secrets.token_hex(6), claim),
        )
        if source.parameters:
            state.stats.save("script_parameters", dict(source.parameters))
        state.begin_step(*self.first_step, consumes=())
        return state
