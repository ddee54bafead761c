"""What the package registers."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from turnkeyml.context import RunContext
from turnkeyml.errors import UsageError
from turnkeyml.options import option_specs
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import Provider
from turnkeyml.plugins.registry import new_plugin_manager
from turnkeyml_plugin_parity import plugin
from turnkeyml_plugin_parity.settings import ParityOptions, settings_of

PROVIDER = Provider("turnkeyml-plugin-parity", "0", "parity", "plugin")


def test_mapping_is_accepted_and_names_the_global_options():
    (settings,) = read_mapping(PROVIDER, plugin.implements).settings
    assert settings.ref.load_class(object) is ParityOptions
    flags = [flag for spec in option_specs(ParityOptions) for flag in (*spec.flags, spec.off_flag)]
    assert [flag for flag in flags if flag] == [
        "--parity",
        "--no-parity",
        "--on-mismatch",
        "--parity-reference",
    ]


def test_listeners_are_hooks_of_turnkey():
    manager = new_plugin_manager()
    manager.register(plugin)
    manager.check_pending()
    callers = {caller.name for caller in manager.get_hookcallers(plugin)}
    assert callers == {"turnkey_job_started", "turnkey_job_finished", "turnkey_step_finished"}


def test_plans_are_remembered_while_their_input_is_worked_on(tmp_path):
    source, plan = SimpleNamespace(path=tmp_path / "a.py"), object()
    plugin.turnkey_job_started(source, plan)
    assert plugin._plans == {source.path: plan}
    plugin.turnkey_job_finished(source)
    plugin.turnkey_job_finished(source)
    assert plugin._plans == {}


def test_settings_have_defaults_and_are_checked():
    def given(**values):
        return settings_of(SimpleNamespace(context=SimpleNamespace(settings=values)))

    assert given() == settings_of(SimpleNamespace(context=object())) == ParityOptions()
    assert given(parity=False, of_another_plugin=3).parity is False
    assert given(on_mismatch="fail").on_mismatch == "fail"
    with pytest.raises(UsageError, match="--on-mismatch takes one of warn, fail"):
        given(on_mismatch="explode")
    assert RunContext(None, None).settings == {}


def test_importing_everything_loads_nothing_heavy():
    code = (
        "import sys, turnkeyml_plugin_parity.plugin, turnkeyml_plugin_parity.listener;"
        "print([m for m in ('numpy', 'onnxruntime', 'onnx', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_listener_is_loaded_only_for_steps_that_make_something():
    code = (
        "import sys; from types import SimpleNamespace as N;"
        "from turnkeyml_plugin_parity import plugin;"
        "plugin.turnkey_step_finished(None, N(path=1), N(), N());"
        "plugin.turnkey_step_finished(N(), N(path=1), N(contract=N(produces=None)), N());"
        "print('turnkeyml_plugin_parity.listener' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
