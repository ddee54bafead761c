"""The `implements` mapping: every wrong form is refused with who, where, expected and got."""

from __future__ import annotations

from typing import Any

import pytest
from core_env import FakePlugins

from turnkeyml.errors import PluginError
from turnkeyml.plugins.hookspecs import API_VERSION
from turnkeyml.plugins.mapping import read_mapping
from turnkeyml.plugins.records import MappingError, Provider, ToolRole
from turnkeyml.runtime import BaseRT
from turnkeyml.sequence import Sequence
from turnkeyml.tool import Tool

PROVIDER = Provider("acme-tools", "3.1", "main", "acme_tools.plugin")


class Good(Tool):
    """Do good.

    At length.
    """

    name = "good"
    aliases = ("well",)

    def run(self, state, options):
        return state


class NameLess(Tool):
    """Have no name."""

    def run(self, state, options):
        return state


class OddName(Good):
    name = "odd name"


class OddAliases(Good):
    aliases = "well"


class GoodRT(BaseRT):
    def device_name(self) -> str:
        return "Good"


def runtime(**changes: Any) -> dict[str, Any]:
    entry = {"RuntimeClass": GoodRT, "supported_devices": {"x"}, **changes}
    return {"runtimes": {"rt": {k: v for k, v in entry.items() if v is not ...}}}


def tool(**changes: Any) -> dict[str, Any]:
    entry = {"class": "a.b:C", "name": "good", **changes}
    return {"tools": [{k: v for k, v in entry.items() if v is not ...}]}


WRONG = [
    (None, "implements", "a mapping with text keys", "None (NoneType)"),
    (["tools"], "implements", "a mapping with text keys", "['tools'] (list)"),
    ({1: []}, "implements", "a mapping with text keys", "{1: []} (dict)"),
    ({"tool": []}, "implements", "keys among api_version", "'tool' (str)"),
    ({"api_version": 0}, "implements['api_version']", str(API_VERSION), "0 (int)"),
    ({"api_version": API_VERSION + 1}, "implements['api_version']", str(API_VERSION), "(int)"),
    ({"api_version": "1"}, "implements['api_version']", str(API_VERSION), "'1' (str)"),
    ({"tools": {}}, "implements['tools']", "a list of tools", "{} (dict)"),
    ({"tools": "good"}, "implements['tools']", "a list of tools", "'good' (str)"),
    ({"tools": [3]}, "implements['tools'][0]", "a class or text", "3 (int)"),
    ({"tools": [Good, "good"]}, "implements['tools'][1]", "'package.module:Name'", "'good' (str)"),
    ({"tools": [int]}, "implements['tools'][0]", "a subclass of AnyTool", "(type)"),
    ({"tools": [NameLess]}, "implements['tools'][0].name", "a name of letters", "None (NoneType)"),
    ({"tools": [OddName]}, "implements['tools'][0].name", "a name of letters", "'odd name' (str)"),
    ({"tools": [OddAliases]}, "implements['tools'][0].aliases", "a list of names", "'well' (str)"),
    (tool(clas="x"), "implements['tools'][0]", "keys among aliases, class", "'clas' (str)"),
    (tool(**{"class": ...}), "implements['tools'][0]['class']", "a class", "None (NoneType)"),
    (tool(**{"class": "a.b.C"}), "implements['tools'][0]['class']", "a class", "'a.b.C' (str)"),
    (tool(name=...), "implements['tools'][0]['name']", "a name", "None (NoneType)"),
    (tool(name="-x"), "implements['tools'][0]['name']", "a name", "'-x' (str)"),
    (tool(name="x\n"), "implements['tools'][0]['name']", "a name", r"'x\n' (str)"),
    (tool(aliases="a"), "implements['tools'][0]['aliases']", "a list of names", "'a' (str)"),
    (tool(aliases=["a", 2]), "implements['tools'][0]['aliases'][1]", "a name", "2 (int)"),
    (tool(summary=3), "implements['tools'][0]['summary']", "text", "3 (int)"),
    (tool(role="last"), "implements['tools'][0]['role']", "one of first, step", "'last' (str)"),
    (tool(role=["step"]), "implements['tools'][0]['role']", "one of first", "['step'] (list)"),
    ({"runtimes": []}, "implements['runtimes']", "a mapping with text keys", "[] (list)"),
    ({"runtimes": {"r t": {}}}, "implements['runtimes']['r t']", "a name", "'r t' (str)"),
    ({"runtimes": {"rt": GoodRT}}, "implements['runtimes']['rt']", "a mapping", "(ABCMeta)"),
    (runtime(RuntimeClass=...), "implements['runtimes']['rt']", "the key 'RuntimeClass'", "list"),
    (runtime(RuntimeClass=3), "implements['runtimes']['rt']['RuntimeClass']", "a class", "3 (int)"),
    (runtime(RuntimeClass=GoodRT.device_name), "['RuntimeClass']", "a class", "(function)"),
    (
        runtime(supported_devices=...),
        "implements['runtimes']['rt']",
        "the key 'supported_devices'",
        "(list)",
    ),
    (runtime(supported_devices="x"), "['rt']['supported_devices']", "a list of names", "'x' (str)"),
    (runtime(supported_devices=[7]), "['rt']['supported_devices'][0]", "a name", "7 (int)"),
    (runtime(supported_devices={7, "x"}), "['rt']['supported_devices'][0]", "a name", "7 (int)"),
    (
        runtime(supported_devices={"f": {"p": "c1"}}),
        "['supported_devices']['f']['p']",
        "a list of names",
        "'c1' (str)",
    ),
    (
        runtime(supported_devices={"f": {7: []}}),
        "['supported_devices']['f'][7]",
        "a name",
        "7 (int)",
    ),
    (runtime(supported_devices=[]), "['rt']['supported_devices']", "at least one", "[] (list)"),
    (runtime(supported_devices={}), "['rt']['supported_devices']", "at least one", "{} (dict)"),
    (runtime(supported_devices={"f": "p"}), "['supported_devices']['f']", "a list", "'p' (str)"),
    (runtime(supported_devices=..., devices=5), "['rt']['devices']", "a list of names", "5 (int)"),
    (runtime(build_required="yes"), "['rt']['build_required']", "True or False", "'yes' (str)"),
    (runtime(docker_required=1), "['rt']['docker_required']", "True or False", "1 (int)"),
    (runtime(status_stats="a"), "['rt']['status_stats']", "a list of names", "'a' (str)"),
    (runtime(requirement_check=3), "['rt']['requirement_check']", "a callable", "3 (int)"),
    (runtime(default_sequence=3), "['rt']['default_sequence'][0]", "a Sequence", "3 (int)"),
    (runtime(default_sequence=["a", Good]), "['default_sequence'][1]", "a Sequence", "(ABCMeta)"),
    (runtime(environment=["A=1"]), "['rt']['environment']", "a mapping", "['A=1'] (list)"),
    (runtime(environment={"A": 1}), "['rt']['environment']['A']", "text", "1 (int)"),
    (runtime(consumes=("a",)), "['rt']['consumes']", "a name", "('a',) (tuple)"),
    (runtime(extra=1), "implements['runtimes']['rt']", "keys among RuntimeClass", "'extra' (str)"),
    ({"sequences": [Sequence()]}, "implements['sequences']", "a mapping", "(list)"),
    ({"sequences": {"s": ["a"]}}, "implements['sequences']['s']", "a Sequence", "['a'] (list)"),
    ({"sequences": {"s": {"steps": 1}}}, "implements['sequences']['s']", "keys among", "'steps'"),
    ({"sequences": {"s": {"summary": ""}}}, "implements['sequences']['s']", "a Sequence", "None"),
    ({"devices": {"d"}}, "implements['devices']", "a mapping with text keys", "(set)"),
    ({"devices": {"d": GoodRT}}, "implements['devices']['d']", "a mapping", "(ABCMeta)"),
    ({"devices": {"d": {"class": 1}}}, "implements['devices']['d']['class']", "a class", "1 (int)"),
    ({"devices": {"d": {"part": []}}}, "implements['devices']['d']", "keys among class", "'part'"),
    ({"devices": {"d": {"parts": 3}}}, "implements['devices']['d']['parts']", "a list", "3 (int)"),
    (
        {"devices": {"d": {"default_runtimes": "ort"}}},
        "implements['devices']['d']['default_runtimes']",
        "a list of names",
        "'ort' (str)",
    ),
]


@pytest.mark.parametrize(
    ("implements", "place", "expected", "got"), WRONG, ids=lambda value: str(value)[:40]
)
def test_a_wrong_value_is_refused_with_who_where_expected_and_got(
    implements: object, place: str, expected: str, got: str
) -> None:
    with pytest.raises(MappingError) as caught:
        read_mapping(PROVIDER, implements)
    message = caught.value.message
    assert message.startswith("acme-tools 3.1 (acme_tools.plugin): implements")
    where, _, rest = message.partition(": expected ")
    assert where.endswith(place)
    before, _, after = rest.partition(", got ")
    assert expected in before
    assert got in after
    assert caught.value.hint == "Correct the plugin, or run: pip uninstall acme-tools"


def test_a_long_wrong_value_is_shortened() -> None:
    with pytest.raises(PluginError) as caught:
        read_mapping(PROVIDER, ["x" * 10_000])
    assert len(caught.value.message) < 300


def test_a_class_alone_gives_name_aliases_summary_and_role() -> None:
    (record,) = read_mapping(PROVIDER, {"tools": [Good]}).tools
    assert (record.name, record.aliases, record.summary) == ("good", ("well",), "Do good.")
    assert record.role is ToolRole.STEP
    assert record.ref.load_class(Tool) is Good


def test_a_class_by_its_text_alone_is_imported_for_its_name() -> None:
    (record,) = read_mapping(PROVIDER, {"tools": ["toyplug_tools:Find"]}).tools
    assert (record.name, record.role, record.aliases) == ("find", ToolRole.FIRST, ("seek",))


def test_a_reference_with_name_and_summary_is_not_imported() -> None:
    (record,) = read_mapping(PROVIDER, tool(summary="Text.", role="management")).tools
    assert (record.name, record.summary, record.role) == ("good", "Text.", ToolRole.MANAGEMENT)


@pytest.mark.parametrize(
    ("given", "understood"),
    [
        (["a", "b"], {"a": {}, "b": {}}),
        (("a",), {"a": {}}),
        ({"b", "a"}, {"a": {}, "b": {}}),
        ({"a": {"p": ["c1", "c2"]}}, {"a": {"p": ("c1", "c2")}}),
        ({"a": {"p": None, "q": {"c"}}}, {"a": {"p": (), "q": ("c",)}}),
        ({"a": ["p", "q"]}, {"a": {"p": (), "q": ()}}),
        ({"a": None, "b": {}}, {"a": {}, "b": {}}),
    ],
)
@pytest.mark.parametrize("key", ["devices", "supported_devices"])
def test_devices_of_a_runtime_may_be_a_list_a_set_or_nested(key, given, understood) -> None:
    (record,) = read_mapping(
        PROVIDER, {"runtimes": {"rt": {"RuntimeClass": GoodRT, key: given}}}
    ).runtimes
    assert record.devices == understood


def test_a_runtime_takes_onnx_if_a_build_is_required_and_the_live_model_if_not() -> None:
    def consumed(**more: Any) -> str:
        return read_mapping(PROVIDER, runtime(**more)).runtimes[0].consumes

    assert consumed() == "onnx-model"
    assert consumed(build_required=True) == "onnx-model"
    assert consumed(build_required=False) == "pytorch-model"
    assert consumed(build_required=False, consumes="trt-engine") == "trt-engine"


def test_the_mapping_of_the_contributing_guide_is_understood() -> None:
    sequence = Sequence("discover", "export-pytorch")
    contribution = read_mapping(
        PROVIDER,
        {
            "runtimes": {
                "runtime_1_name": {
                    "build_required": True,
                    "docker_required": False,
                    "RuntimeClass": GoodRT,
                    "devices": ["x86"],
                    "default_sequence": sequence,
                    "status_stats": ["custom_stat_1", "custom_stat_2"],
                    "requirement_check": lambda: None,
                },
                "runtime_2_name": {
                    "RuntimeClass": GoodRT,
                    "supported_devices": {"family1": {"part1": ["config1", "config2"]}},
                },
            },
            "tools": [Good],
        },
    )
    first, second = contribution.runtimes
    assert first.default_sequence == (sequence,)
    assert second.default_sequence == ("onnx-fp32", "export-pytorch")
    assert first.status_stats == ("custom_stat_1", "custom_stat_2")
    assert first.requirement_check is not None
    assert second.devices == {"family1": {"part1": ("config1", "config2")}}
    assert [t.name for t in contribution.tools] == ["good"]


@pytest.mark.parametrize("given", ["one", ["one"], Sequence("one"), (Sequence("one"), "two"), None])
def test_a_default_sequence_is_one_or_several_alternatives(given) -> None:
    (record,) = read_mapping(PROVIDER, runtime(default_sequence=given)).runtimes
    expected = (
        () if given is None else tuple(given) if isinstance(given, (list, tuple)) else (given,)
    )
    assert record.default_sequence == expected


def test_a_sequence_may_be_given_itself_or_with_a_summary_or_as_text() -> None:
    itself = Sequence("a", summary="Its own.")
    records = read_mapping(
        PROVIDER,
        {
            "sequences": {
                "one": itself,
                "two": {"sequence": itself, "summary": "Another."},
                "three": {"sequence": "toyplug:implements"},
            }
        },
    ).sequences
    assert [r.summary for r in records] == ["Its own.", "Another.", ""]
    assert records[0].ref.load() is itself


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("no_such_module:Tool", "ModuleNotFoundError"),
        ("toyplug_tools:NoSuchName", "AttributeError"),
        ("toyplug_tools:Find.nothing", "AttributeError"),
        ("math:pi", "a subclass of Tool, got 3.14"),
        ("toyplug_tools:Find", "a subclass of Tool, got <class"),
    ],
)
def test_a_bad_reference_is_reported_when_used_with_its_package(reference: str, said: str) -> None:
    (record,) = read_mapping(PROVIDER, tool(**{"class": reference})).tools
    with pytest.raises(PluginError) as caught:
        record.ref.load_class(Tool)
    assert "acme-tools 3.1" in caught.value.message
    assert "implements['tools'][0]['class']" in caught.value.message
    assert said in caught.value.message


@pytest.mark.parametrize("text", ["import sys; sys.exit(3)", "def (", "raise OSError('disk')"])
def test_a_referenced_module_that_breaks_at_import_is_reported_with_its_package(
    text: str, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brittle_module.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    (record,) = read_mapping(PROVIDER, tool(**{"class": "brittle_module:X"})).tools
    with pytest.raises(PluginError, match=r"acme-tools 3\.1 .*brittle_module:X"):
        record.ref.load_class(Tool)


def test_a_runtime_class_that_is_no_runtime_is_reported_when_used(plugins: FakePlugins) -> None:
    plugins.add(runtime(RuntimeClass=Good), distribution="mixed-up")
    with pytest.raises(PluginError, match=r"mixed-up 1\.2 .*a subclass of BaseRT, got"):
        plugins.registry().runtime("rt").ref.load_class(BaseRT)
