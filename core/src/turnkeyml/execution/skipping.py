"""Leave out models on which the same chain was run before, as ``--skip-policy`` says."""

from __future__ import annotations

from turnkeyml.cache.stats import Stats
from turnkeyml.errors import CacheError
from turnkeyml.outcomes import Status
from turnkeyml.plan import Plan
from turnkeyml.policy import Skip
from turnkeyml.state import State

_WORDS = {Skip.SUCCESSFUL: "ended well", Skip.FAILED: "failed or was cut off"}


def is_skipped(state: State, plan: Plan) -> bool:
    """Tell whether a model is left out, and say so in its state."""
    policy = state.context.policy.skip
    if policy is Skip.NONE or len(plan.steps) == 1:
        return False
    before = _how_it_went(state, plan)
    skipped = before is not None and policy in (Skip.ATTEMPTED, before)
    if skipped and before is not None:
        state.status = Status.SKIPPED
        state.skipped = (
            f"the same chain {_WORDS[before]} before, and --skip-policy is {policy.value}"
        )
    return skipped


def _how_it_went(state: State, plan: Plan) -> Skip | None:
    try:
        chain = Stats.load(state.build).chains.get(plan.steps[-1].identity)
    except CacheError:
        return None
    if chain is None:
        return None
    # One that was cut off by a kill still says that it runs.
    return Skip.SUCCESSFUL if chain.get("status") == Status.SUCCESSFUL.value else Skip.FAILED
