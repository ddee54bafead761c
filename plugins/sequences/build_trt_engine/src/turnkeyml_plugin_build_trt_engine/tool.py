"""The tool `build-trt-engine`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from turnkeyml.artifacts import INPUTS, ONNX_MODEL, TRT_ENGINE, Artifact
from turnkeyml.cache.atomic import replaced
from turnkeyml.errors import BuildError, PlanError
from turnkeyml.options import option
from turnkeyml.plugins.registry import Registry
from turnkeyml.state import State
from turnkeyml.tool import Tool
from turnkeyml.worker.process import run_task
from turnkeyml_plugin_build_trt_engine.captured import captured_inputs
from turnkeyml_plugin_build_trt_engine.complaints import explain
from turnkeyml_plugin_build_trt_engine.domains import read_domains
from turnkeyml_plugin_build_trt_engine.libraries import LIBRARIES, Library, choose_library
from turnkeyml_plugin_build_trt_engine.profiles import parse_profiles, words_of

TASK = Path(__file__).with_name("task.py")
GPU_TASK = Path(__file__).with_name("gpu_task.py")
MAX_OPTIMIZATION_LEVEL = 5


@dataclass(frozen=True)
class BuildTrtEngineOptions:
    """The options of `build-trt-engine`."""

    library: str | None = option(
        None,
        choices=tuple(LIBRARIES),
        help="What builds the engine. [default: tensorrt if it is installed, else tensorrt-rtx]",
    )
    profile: tuple[str, ...] = option(
        (),
        metavar="NAME=MIN,OPT,MAX",
        help="Shapes that the engine takes for an input with open dimensions, such as "
        "input_ids=1x8,1x128,4x512, or one shape for all three; a second range for an input makes "
        "a second profile. [default: only the captured shape]",
    )
    compute_capability: tuple[str, ...] = option(
        (),
        metavar="X.Y",
        help="tensorrt-rtx: GPUs that the engine is for, such as 8.6 8.9. [default: the library's]",
    )
    gpu: str | None = option(
        None,
        metavar="NAME",
        help="tensorrt: the GPU that the engine is for; it must be the one that is there. "
        "[default: the one that is there]",
    )
    workspace_mib: int | None = option(
        None,
        metavar="N",
        minimum=1,
        help="Most scratch memory that a layer may use on the GPU, in MiB. [default: the "
        "library's]",
    )
    optimization_level: int | None = option(
        None,
        metavar="N",
        minimum=0,
        help=f"tensorrt: how long to look for a faster engine, 0 to {MAX_OPTIMIZATION_LEVEL}. "
        "[default: the library's]",
    )
    tf32: bool = option(
        True,
        help="Let float32 products be computed in TF32: faster, with 10 bits of mantissa.",
    )


class BuildTrtEngine(Tool):
    """Build a TensorRT engine from an ONNX file.

    The engine is built by tensorrt or tensorrt-rtx, whichever is installed. tensorrt builds on the
    GPU that the engine is for; tensorrt-rtx builds without one, for several kinds of RTX GPUs at
    once. Types are those of the ONNX file: for an fp16 engine put convert-fp16 before this step.

    Inputs whose dimensions the ONNX file leaves open take the captured shape, or what --profile
    says. The file is in the folder engines/ of the build directory.
    """

    name = "build-trt-engine"
    aliases = ("trt-engine",)
    Options = BuildTrtEngineOptions
    consumes = (ONNX_MODEL,)
    produces = TRT_ENGINE
    reads = (INPUTS,)
    libraries = tuple(name for each in LIBRARIES.values() for name in each.distributions)

    @classmethod
    def resolve(cls, options: BuildTrtEngineOptions, registry: Registry) -> BuildTrtEngineOptions:
        """Settle the library and what the engine is for, and check the profiles' form."""
        profiles = parse_profiles(options.profile)
        library = choose_library(options.library)
        _check_options(options, library)
        gpu = options.gpu
        if library.needs_gpu and gpu is None:
            gpu = run_task(GPU_TASK, {}).get("name")
        return replace(
            options,
            library=library.name,
            profile=words_of(profiles),
            compute_capability=_checked_capabilities(options.compute_capability),
            gpu=gpu,
        )

    def run(self, state: State, options: BuildTrtEngineOptions) -> State:
        """Build the engine in a process of its own."""
        library = LIBRARIES[str(options.library)]
        if library.needs_gpu:
            _check_gpu(options.gpu)
        source = state.input
        model = state.file_of(source)
        order = {
            "module": library.module,
            "model": str(model),
            "profiles": [
                {name: found.to_json() for name, found in profile.items()}
                for profile in parse_profiles(options.profile)
            ],
            "captured": captured_inputs(state, source),
            "compute_capabilities": list(options.compute_capability),
            "workspace_mib": options.workspace_mib,
            "optimization_level": options.optimization_level,
            "tf32": options.tf32,
        }
        domains = read_domains(model)
        path = state.folder("engines") / state.file_name(".engine")
        with replaced(path) as temporary:
            made = run_task(TASK, {**order, "engine": str(temporary)})
            if "failure" in made:
                title = f"{library.title} {library.version() or ''}".rstrip()
                raise explain(made["failure"], title, model.name, domains.by_operator)
        made["notes"] += _note_on_mistaken(domains.mistaken)
        for note in made["notes"]:
            state.context.note(f"{state.name}: {note}")
        state.add(TRT_ENGINE, [path], info=_info(made, library, options, source))
        _save_statistics(state, made, library, options, path.stat().st_size)
        return state


def _check_options(options: BuildTrtEngineOptions, library: Library) -> None:
    """Refuse what the library would ignore.

    Raises:
        PlanError: An option is for the other library, or out of range.
    """
    level = options.optimization_level
    if library.needs_gpu and options.compute_capability:
        raise PlanError(
            f"--compute-capability is for tensorrt-rtx; {library.name} builds for the GPU that "
            "is there.",
            hint="Leave it out, or add --library tensorrt-rtx.",
        )
    if not library.needs_gpu and options.gpu is not None:
        raise PlanError(
            f"--gpu is for tensorrt; {library.name} builds for kinds of GPUs.",
            hint="Leave it out, or name them with --compute-capability.",
        )
    if not library.needs_gpu and level is not None:
        raise PlanError(
            f"--optimization-level is for tensorrt; {library.name} builds the same at every level.",
            hint="Leave it out.",
        )
    if level is not None and level > MAX_OPTIMIZATION_LEVEL:
        raise PlanError(f"--optimization-level takes 0 to {MAX_OPTIMIZATION_LEVEL}, not {level}.")


def _checked_capabilities(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Give compute capabilities in order, each once.

    Raises:
        PlanError: One has another form.
    """
    numbers = set()
    for text in texts:
        major, dot, minor = text.partition(".")
        digits = (major, minor)
        if not dot or not all(d.isascii() and d.isdecimal() and len(d) <= 3 for d in digits):
            raise PlanError(
                f"--compute-capability takes numbers such as 8.6, not {text!r}.",
                hint="nvidia-smi --query-gpu=name,compute_cap --format=csv shows those of a GPU.",
            )
        numbers.add((int(major), int(minor)))
    return tuple(f"{major}.{minor}" for major, minor in sorted(numbers))


def _check_gpu(wanted: str | None) -> None:
    """See that the GPU that the engine is for is the one that is here.

    Raises:
        BuildError: There is none, or another one, or the plan was made without one.
    """
    found = run_task(GPU_TASK, {})
    here = found.get("name")
    if here is None:
        raise BuildError(
            "tensorrt builds engines only on the GPU that they are for, and there is none: "
            f"{found['missing']}.",
            hint="Run it on a machine with one, or use --library tensorrt-rtx, which needs none.",
        )
    if wanted is None:
        raise BuildError(
            f"The chain was planned where no GPU is, and now the engine would be for {here}.",
            hint=f"Add --gpu {here!r} to build-trt-engine.",
        )
    if wanted != here:
        raise BuildError(
            f"The engine is to be for {wanted}, but the GPU here is {here}.",
            hint="tensorrt builds only for the GPU that is there.",
        )


def _note_on_mistaken(operators: tuple[str, ...]) -> list[str]:
    if not operators:
        return []
    return [
        f"TensorRT knows operators by name alone: it took {', '.join(operators)} for the standard "
        "operators of these names, which may compute something else."
    ]


def _info(
    made: dict[str, Any], library: Library, options: BuildTrtEngineOptions, source: Artifact
) -> dict[str, Any]:
    passed_on = {key: source.info[key] for key in ("inputs", "inputs_folder") if key in source.info}
    return {
        **passed_on,
        "outputs": list(made["outputs"]),
        "library": library.name,
        "library_version": made["version"],
        "input_tensors": made["inputs"],
        "output_tensors": made["outputs"],
        "profiles": made["profiles"],
        "compute_capabilities": list(options.compute_capability),
        "gpu": options.gpu,
    }


def _save_statistics(
    state: State,
    made: dict[str, Any],
    library: Library,
    options: BuildTrtEngineOptions,
    size: int,
) -> None:
    target = options.gpu or " ".join(options.compute_capability) or f"default of {library.name}"
    values = {
        "size_bytes": size,
        "library": f"{library.name} {made['version']}",
        "target": target,
        "layers": made["layers"],
        "profile_count": len(made["profiles"]),
        "profiles": made["profiles"],
        "notes": made["notes"],
        "parse_s": made["parse_s"],
        "build_s": made["build_s"],
        "peak_memory_bytes": made["peak_memory_bytes"],
    }
    for key, value in values.items():
        state.stats.save(key, value)
