"""Leave out models on which the same chain was run before, as ``--skip-policy`` says."""

from __future__ import annotations

from turnkeyml.cache.stats import Stats
from turnkeyml.errors import CacheError
from turnkeyml.plan import Plan
from turnkeyml.policy import Skip
from turnkeyml.state import State, Status


def is_skipped(state: State, plan: Plan) -> bool:
    """Tell whether a model is left out, and say so in its state."""
    policy = state.context.policy.skip
    if policy is Skip.NONE or len(plan.steps) == 1:
        return False
    before = _how_it_went(state, plan)
    skipped = before is not None and policy in (Skip.ATTEMPTED, before)
    if skipped and before is not None:
        state.status = Status.SKIPPED
        state.error = (
            f"the same chain was {before.value} before, and --skip-policy is {policy.value}"
        )
    return skipped


def _how_it_went(state: State, plan: Plan) -> Skip | None:
    try:
        entries = Stats.load(state.build).steps
    except CacheError:
        return None
    found = [entries.get(step.identity, {}).get("status") for step in plan.steps[1:]]
    if all(status == Status.SUCCESSFUL.value for status in found):
        return Skip.SUCCESSFUL
    # One that was cut off by a kill still says that it runs.
    return None if found[0] is None else Skip.FAILED
