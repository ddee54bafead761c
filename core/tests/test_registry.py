"""The registry: healthy plugins by name, broken and conflicting ones set aside."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from core_env import Environment, FakePlugins, run_here, write_distribution

from turnkeyml import builtin
from turnkeyml.errors import ExitCode, PlanError, PluginError, UsageError
from turnkeyml.plugins import hookimpl
from turnkeyml.plugins.registry import load_registry, package_for
from turnkeyml.runtime import BaseRT
from turnkeyml.sequence import Sequence
from turnkeyml.tool import FirstTool, ManagementTool, Tool


def make_tool(tool_name: str, *tool_aliases: str) -> type[Tool]:
    class Made(Tool):
        """Be made."""

        name = tool_name
        aliases = tool_aliases

        def run(self, state, options):
            return state

    return Made


def make_runtime(*devices: str, **more: object) -> dict[str, object]:
    return {"RuntimeClass": "some_module:RT", "supported_devices": list(devices), **more}


def test_with_no_plugin_the_core_has_its_own_commands(plugins: FakePlugins) -> None:
    registry = plugins.registry()
    assert {"version", "plugins", "load-build"} <= set(registry.tools)
    for tool in registry.tools.values():
        assert issubclass(tool.ref.load(), (ManagementTool, FirstTool))
    assert not registry.broken
    assert not registry.conflicts


def test_what_is_installed_is_found_without_being_named() -> None:
    assert "version" in load_registry().tools


def test_a_plugin_gives_its_names(plugins: FakePlugins) -> None:
    plugins.add(
        {
            "tools": [make_tool("alpha", "a")],
            "runtimes": {"rt": make_runtime("dev")},
            "sequences": {"seq": Sequence("alpha")},
            "devices": {"dev": {"parts": {"p": ["c"]}}},
        }
    )
    registry = plugins.registry()
    assert registry.tool("alpha") is registry.tool("a")
    assert registry.runtime("rt").provider.distribution == "fakeplug"
    assert registry.sequences["seq"].name == "seq"
    assert registry.devices["dev"].parts == {"p": ("c",)}
    assert [str(c.provider) for c in registry.contributions][1:] == ["fakeplug 1.2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("raise RuntimeError('no licence\\nfor you')", "RuntimeError: no licence for you"),
        ("import sys; sys.exit('bye')", "SystemExit: bye"),
        ("def (", "SyntaxError: invalid syntax"),
        ("import no_such_dependency", "No module named 'no_such_dependency'"),
        ("implements = 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_a_plugin_that_breaks_at_import_is_set_aside_with_its_traceback(
    text: str, said: str, plugins: FakePlugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brittle_plugin.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    plugins.add_entry_point("brittle_plugin", distribution="brittle", version="0.3")
    plugins.add({"tools": [make_tool("alpha")]})
    registry = plugins.registry()
    (broken,) = registry.broken
    assert broken.reason.startswith("brittle 0.3 (brittle_plugin) cannot be imported: ")
    assert said in broken.reason
    assert "\n" not in broken.reason
    assert broken.details.startswith("Traceback")
    assert registry.tool("alpha")


def test_ctrl_c_while_plugins_are_loaded_is_no_broken_plugin(
    plugins: FakePlugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_plugin.py").write_text("raise KeyboardInterrupt")
    monkeypatch.syspath_prepend(tmp_path)
    plugins.add_entry_point("slow_plugin")
    with pytest.raises(KeyboardInterrupt):
        plugins.registry()


def test_an_entry_point_to_a_missing_module_is_set_aside(plugins: FakePlugins) -> None:
    plugins.add_entry_point("no_such_module_at_all", distribution="ghost")
    (broken,) = plugins.registry().broken
    assert "ghost 1.2 (no_such_module_at_all) cannot be imported" in broken.reason


def test_a_wrong_mapping_is_set_aside_and_gives_nothing(plugins: FakePlugins) -> None:
    plugins.add({"tools": [make_tool("alpha"), 3]})
    registry = plugins.registry()
    (broken,) = registry.broken
    assert "fakeplug 1.2" in broken.reason
    assert "implements['tools'][1]: expected a class" in broken.reason
    assert registry.find_tool("alpha") is None


def test_a_module_without_mapping_and_hooks_is_set_aside(plugins: FakePlugins) -> None:
    plugins.add(None, distribution="forgetful", tools=[make_tool("alpha")])
    (broken,) = plugins.registry().broken
    assert "forgetful 1.2" in broken.reason
    assert "implements" in broken.reason


def test_an_entry_point_to_the_mapping_itself_is_set_aside(plugins: FakePlugins) -> None:
    module = plugins.add({"tools": [make_tool("alpha")]}, distribution="fine")
    plugins.add_entry_point(f"{module}:implements", distribution="too-deep")
    registry = plugins.registry()
    assert registry.tool("alpha")
    (broken,) = registry.broken
    assert "too-deep 1.2" in broken.reason


def test_a_hook_may_give_the_mapping(plugins: FakePlugins) -> None:
    @hookimpl
    def turnkey_implements():
        return {"tools": [make_tool("hooked")]}

    plugins.add(turnkey_implements=turnkey_implements)
    assert plugins.registry().tool("hooked").provider.distribution == "fakeplug"


def test_each_plugin_gets_the_mapping_of_its_own_hook(plugins: FakePlugins) -> None:
    for name in ("one", "two"):

        @hookimpl
        def turnkey_implements(name=name):
            return {"tools": [make_tool(name)]}

        plugins.add(distribution=f"plug-{name}", turnkey_implements=turnkey_implements)
    registry = plugins.registry()
    assert registry.tool("one").provider.distribution == "plug-one"
    assert registry.tool("two").provider.distribution == "plug-two"


def test_a_hook_that_raises_is_set_aside(plugins: FakePlugins) -> None:
    @hookimpl
    def turnkey_implements():
        raise LookupError("no mapping today")

    plugins.add(turnkey_implements=turnkey_implements)
    (broken,) = plugins.registry().broken
    assert "LookupError: no mapping today" in broken.reason


def test_an_unknown_hook_is_set_aside_and_harms_no_other(plugins: FakePlugins) -> None:
    @hookimpl
    def turnkey_step_finnished(state):
        pass

    plugins.add({}, distribution="mistyped", turnkey_step_finnished=turnkey_step_finnished)
    plugins.add({"tools": [make_tool("alpha")]})
    registry = plugins.registry()
    (broken,) = registry.broken
    assert "mistyped 1.2" in broken.reason
    assert "turnkey_step_finnished" in broken.reason
    assert registry.tool("alpha")


def test_a_plugin_that_is_set_aside_listens_to_nothing(plugins: FakePlugins) -> None:
    heard = []

    @hookimpl
    def turnkey_build_finished(state):
        heard.append(state)

    @hookimpl
    def turnkey_step_started(wrong_name):
        heard.append(wrong_name)

    plugins.add(
        {},
        turnkey_build_finished=turnkey_build_finished,
        turnkey_step_started=turnkey_step_started,
    )
    plugins.add({"tools": 3}, distribution="other", turnkey_build_finished=turnkey_build_finished)
    registry = plugins.registry()
    assert len(registry.broken) == 2
    assert "wrong_name" in registry.broken[0].reason
    registry.hooks.hook.turnkey_build_finished(state=None)
    assert heard == []


def test_a_healthy_plugin_listens(plugins: FakePlugins) -> None:
    heard = []

    @hookimpl
    def turnkey_build_finished(state):
        heard.append(state)

    plugins.add(turnkey_build_finished=turnkey_build_finished)
    registry = plugins.registry()
    assert not registry.broken
    registry.hooks.hook.turnkey_build_finished(state="ended")
    assert heard == ["ended"]


def test_second_plugin_with_same_tool_name_is_refused_and_so_is_the_first(
    plugins: FakePlugins,
) -> None:
    plugins.add({"tools": [make_tool("same"), make_tool("left")]}, distribution="one")
    plugins.add({"tools": [make_tool("same"), make_tool("right")]}, distribution="two")
    registry = plugins.registry()
    with pytest.raises(UsageError) as caught:
        registry.tool("same")
    assert caught.value.message == (
        "The tool or sequence 'same' comes from one 1.2 and two 1.2; neither is used. "
        "Uninstall one or two."
    )
    assert registry.tool("left").provider.distribution == "one"
    assert registry.tool("right").provider.distribution == "two"


def test_an_alias_that_is_anothers_name_is_refused_and_other_names_stay(
    plugins: FakePlugins,
) -> None:
    plugins.add({"tools": [make_tool("alpha", "a", "beta")]}, distribution="one")
    plugins.add({"tools": [make_tool("beta", "b")]}, distribution="two")
    registry = plugins.registry()
    with pytest.raises(UsageError, match="'beta' comes from one 1.2 and two 1.2"):
        registry.tool("beta")
    assert registry.tool("alpha").name == "alpha"
    assert registry.tool("a").name == "alpha"


def test_an_alias_that_two_tools_have_is_refused_and_both_tools_stay(plugins: FakePlugins) -> None:
    plugins.add({"tools": [make_tool("alpha", "x")]}, distribution="one")
    plugins.add({"tools": [make_tool("beta", "x")]}, distribution="two")
    registry = plugins.registry()
    with pytest.raises(UsageError, match="'x' comes from one 1.2 and two 1.2"):
        registry.tool("x")
    assert registry.tool("alpha")
    assert registry.tool("beta")


def test_a_sequence_and_a_tool_of_one_name_are_both_refused(plugins: FakePlugins) -> None:
    plugins.add({"tools": [make_tool("same")]}, distribution="one")
    plugins.add({"sequences": {"same": Sequence()}}, distribution="two")
    registry = plugins.registry()
    assert registry.find_tool("same") is None
    assert "same" not in registry.sequences
    assert len(registry.conflicts) == 1


def test_two_runtimes_of_one_name_are_both_refused_and_others_stay(plugins: FakePlugins) -> None:
    plugins.add({"runtimes": {"rt": make_runtime("d"), "l": make_runtime("d")}}, distribution="one")
    plugins.add({"runtimes": {"rt": make_runtime("d"), "r": make_runtime("d")}}, distribution="two")
    registry = plugins.registry()
    with pytest.raises(PlanError, match="runtime 'rt' comes from one 1.2 and two 1.2; neither"):
        registry.runtime("rt")
    assert registry.runtime("l")
    assert registry.runtime("r")


def test_a_plugin_cannot_take_the_name_of_a_core_command_from_the_core_alone(
    plugins: FakePlugins,
) -> None:
    plugins.add({"tools": [make_tool("version")]}, distribution="greedy")
    (conflict,) = plugins.registry().conflicts
    assert {p.distribution for p in conflict.providers} == {"turnkeyml-core", "greedy"}


def test_a_device_is_the_union_of_its_providers(plugins: FakePlugins) -> None:
    plugins.add(
        {"devices": {"d": {"class": "m:D", "parts": {"p1": ["c1"]}, "default_runtimes": ["r1"]}}},
        distribution="one",
    )
    plugins.add(
        {
            "runtimes": {"rt": {**make_runtime(), "supported_devices": {"d": {"p1": ["c2"]}}}},
            "devices": {"d": {"parts": ["p2"], "default_runtimes": ["r2", "r1"]}},
        },
        distribution="two",
    )
    registry = plugins.registry()
    assert not registry.conflicts
    device = registry.devices["d"]
    assert device.parts == {"p1": ("c1", "c2"), "p2": ()}
    assert device.default_runtimes == ("r1", "r2")
    assert device.ref is not None
    assert device.ref.target == "m:D"
    assert [p.distribution for p in device.providers] == ["one", "two"]


def test_a_runtime_alone_makes_its_device_known(plugins: FakePlugins) -> None:
    plugins.add({"runtimes": {"rt": make_runtime("npu")}})
    assert plugins.registry().devices["npu"].ref is None


def test_an_unknown_name_is_answered_with_the_package_that_has_it(plugins: FakePlugins) -> None:
    with pytest.raises(UsageError, match="pip install turnkeyml-plugin-discover"):
        plugins.registry().tool("discover")
    with pytest.raises(UsageError, match="pip install turnkeyml-plugin-onnxrt"):
        plugins.registry().runtime("ort")


def test_an_unknown_name_whose_package_is_broken_says_so(plugins: FakePlugins) -> None:
    plugins.add_entry_point("no_such_module", distribution="turnkeyml-plugin-discover")
    with pytest.raises(UsageError, match="Its package is broken: .*no_such_module"):
        plugins.registry().tool("discover")


def test_an_unknown_name_is_answered_with_the_nearest_or_all(plugins: FakePlugins) -> None:
    plugins.add({"runtimes": {"fast-rt": make_runtime("d"), "slow-rt": make_runtime("d")}})
    registry = plugins.registry()
    with pytest.raises(PlanError, match="Did you mean 'fast-rt'"):
        registry.runtime("fats-rt")
    with pytest.raises(PlanError, match="Installed: fast-rt, slow-rt"):
        registry.runtime("q")


def test_an_unknown_name_may_be_one_of_a_plugin_that_is_left_out(plugins: FakePlugins) -> None:
    plugins.add({"runtimes": {"fast-rt": make_runtime("d")}})
    plugins.add_entry_point("no_such_module", distribution="left-out")
    with pytest.raises(PlanError, match="There is no runtime 'slow-rt'") as caught:
        plugins.registry().runtime("slow-rt")
    assert str(caught.value.hint).endswith(" 1 plugin left out: turnkey plugins says why.")


def test_what_stands_alone_or_belongs_to_others_is_not_offered_for_a_chain(
    plugins: FakePlugins,
) -> None:
    plugins.add_toys()
    for ask in (plugins.registry().tool, plugins.registry().sequence_or_tool):
        with pytest.raises(PlanError) as caught:
            ask("frobnicate")
        assert "compile" in str(caught.value.hint)
        assert "toy-small" in str(caught.value.hint)
        assert "version" not in str(caught.value.hint)


def test_a_class_with_methods_undone_is_refused_with_their_names(plugins: FakePlugins) -> None:
    half = type("Half", (BaseRT,), {})
    plugins.add({"runtimes": {"rt": {"RuntimeClass": half, "supported_devices": ["d"]}}})
    with pytest.raises(PluginError, match=r"expected a class that has device_name\(\), got"):
        plugins.registry().runtime("rt").ref.load_class(BaseRT)


def test_without_any_runtime_the_message_says_that_none_is_installed(plugins: FakePlugins) -> None:
    with pytest.raises(PlanError, match="No runtime is installed"):
        plugins.registry().runtime("q")


def test_packages_of_this_project_are_known_for_messages_only() -> None:
    assert package_for("device", "x86") == "turnkeyml-plugin-x86"
    assert package_for("device", "abacus") is None
    assert package_for("nonsense", "x86") is None


def test_a_damaged_installation_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_distribution(tmp_path, "half-there", "implements = {}")
    (tmp_path / "half_there-1.2.dist-info" / "METADATA").unlink()
    monkeypatch.syspath_prepend(tmp_path)
    registry = load_registry()
    assert "version" in registry.tools


GOOD = """
from turnkeyml.tool import FirstTool
class Fetch(FirstTool):
    "Fetch."
    name = "fetch"
    suffixes = (".fetch",)
    def start(self, source, options, context):
        yield from ()
implements = {"tools": [Fetch]}
"""

BROKEN = {
    "raises at import": ("raise RuntimeError('out of luck')", "RuntimeError: out of luck"),
    "exits at import": ("import sys; sys.exit(0)", "cannot be imported: SystemExit"),
    "has a syntax error": ("implements = {", "SyntaxError"),
    "has a wrong mapping": (
        "implements = {'tools': 'fetch'}",
        "implements['tools']: expected a list of tools, got 'fetch' (str)",
    ),
    "has an old API number": (
        "implements = {'api_version': 0}",
        "implements['api_version']: expected 1, got 0 (int)",
    ),
    "has an unknown hook": (
        """
        from turnkeyml.plugins import hookimpl
        implements = {}
        @hookimpl
        def turnkey_what(x): pass
        """,
        "turnkey_what",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_installed_plugin_that_is_broken_leaves_the_rest_working(
    case: str, environment: Environment
) -> None:
    text, said = BROKEN[case]
    environment.install("healthy", GOOD, version="2.0")
    environment.install("broken-plug", textwrap.dedent(text), version="7.7")
    listed = environment.turnkey("plugins")
    assert listed.code == ExitCode.FAILED
    assert "Broken: broken-plug 7.7" in listed.err
    assert said in listed.err
    assert "healthy 2.0\n  tools: fetch" in listed.out
    helped = environment.turnkey("-h")
    assert helped.code == ExitCode.OK
    assert "fetch" in helped.out
    assert "Plugins left out: 1. See: turnkey plugins" in helped.out
    assert not helped.err


def test_two_installed_plugins_with_one_name_leave_the_rest_working(
    environment: Environment,
) -> None:
    environment.install("healthy", GOOD)
    for name in ("left", "right"):
        tools = [
            {"class": "lost:X", "name": "same", "summary": "Same."},
            {"class": "lost:X", "name": f"only-{name}", "summary": f"Only {name}."},
        ]
        environment.install(f"plug-{name}", f"implements = {{'tools': {tools!r}}}")
    listed = environment.turnkey("plugins")
    assert listed.code == ExitCode.FAILED
    assert (
        "Conflict: The tool or sequence 'same' comes from plug-left 1.2 and plug-right 1.2; "
        "neither is used. Uninstall plug-left or plug-right." in listed.err
    )
    helped = environment.turnkey("-h")
    assert "only-left" in helped.out
    assert "only-right" in helped.out
    assert "Same." not in helped.out
    used = environment.turnkey("-i", "x.fetch", "same")
    assert used.code == ExitCode.USAGE
    assert "plug-left 1.2 and plug-right 1.2" in used.err


def test_an_installed_plugin_with_a_lost_class_leaves_the_rest_working(
    environment: Environment,
) -> None:
    tools = [{"class": "lost_module:X", "name": "lost", "summary": "Lost."}]
    environment.install("loser", f"implements = {{'tools': {tools!r}}}", version="4.5")
    environment.install_toys()
    (environment.home / "a.toy").write_text("one 1\n")
    assert environment.turnkey("-h").code == ExitCode.OK
    assert environment.turnkey("a.toy").code == ExitCode.OK
    used = environment.turnkey("lost", "-h")
    assert used.code == ExitCode.USAGE
    assert "loser 4.5 (loser): implements['tools'][0]['class']" in used.err
    assert "Traceback" not in used.err


def test_uninstalling_a_plugin_removes_exactly_its_names(environment: Environment) -> None:
    environment.install("healthy", GOOD)
    before = environment.turnkey("-h").out
    environment.install("extra", GOOD.replace("fetch", "carry").replace("Fetch", "Carry"))
    assert "carry" in environment.turnkey("-h").out
    for file in (environment.own / "extra-1.2.dist-info").iterdir():
        file.unlink()
    (environment.own / "extra-1.2.dist-info").rmdir()
    assert environment.turnkey("-h").out == before


def test_plugins_lists_what_each_package_gives(toys: FakePlugins) -> None:
    listed = run_here("plugins")
    assert listed.code == ExitCode.OK
    assert not listed.err
    own = [tool["name"] for tool in builtin.implements["tools"]]
    assert own[0] == "load-build"
    assert listed.out == textwrap.dedent(
        f"""\
        turnkeyml-core 0
          tools: load-build
          commands: {", ".join(own[1:])}
          executors: in-process, isolated
        toyplug 1.0
          tools: find, load-toy, compile, shrink, act, benchmark
          runtimes: toyrt, toy-live
          sequences: toy-small
          devices: toydev
        """
    )
