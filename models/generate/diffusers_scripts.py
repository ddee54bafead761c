"""The corpus ``diffusers``: the networks that generating pipelines consist of."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from script import WIDTH, Script

HUB = "https://huggingface.co/{}"


@dataclass(frozen=True)
class Network:
    """One network of a published pipeline.

    Attributes:
        id: Where it was published.
        model: Class of the library, with the library's name.
        part: What it does in its pipeline: ``unet``, ``transformer``, ``vae`` and others.
        inputs: What it is called with, by name; ``batch_size`` stands for itself.
        settings: Its published configuration, where it is not the class's default.
        gigabytes: Size of its weights in float32, where that is more than a small machine has.
        task: What the pipeline does.
    """

    id: str
    model: str
    part: str
    inputs: Mapping[str, str]
    settings: Mapping[str, object] = field(default_factory=dict)
    gigabytes: int = 0
    task: str = "image_generation"


DDPM = {
    "norm_eps": 1e-06,
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "attention_head_dim": None,
}


def _ddpm(side: int) -> dict[str, str]:
    return {
        "sample": f"torch.randn(batch_size, 3, {side}, {side})",
        "timestep": "torch.tensor([10])",
    }


def _conditioned(channels: int, width: int, side: int = 64) -> dict[str, str]:
    return {
        "sample": f"torch.randn(batch_size, {channels}, {side}, {side})",
        "timestep": "torch.tensor([10])",
        "encoder_hidden_states": f"torch.randn(batch_size, 77, {width})",
    }


def _latents(channels: int, side: int, length: int, width: int) -> dict[str, str]:
    return {
        "hidden_states": f"torch.randn(batch_size, {channels}, {side}, {side})",
        "encoder_hidden_states": f"torch.randn(batch_size, {length}, {width})",
        "timestep": "torch.full((batch_size,), 10)",
    }


SD1 = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}
SD2 = {
    "sample_size": 64,
    "cross_attention_dim": 1024,
    "attention_head_dim": [5, 10, 20, 20],
    "use_linear_projection": True,
}
TOKENS = {"input_ids": "torch.randint(0, 49408, (batch_size, 77))"}
KL = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "sample_size": 512,
}

NETWORKS = {
    "ddpm_cifar10_32": Network(
        "google/ddpm-cifar10-32",
        "diffusers.UNet2DModel",
        "unet",
        _ddpm(32),
        {
            "sample_size": 32,
            "block_out_channels": [128, 256, 256, 256],
            "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"],
            "up_block_types": ["UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
            **DDPM,
        },
    ),
    **{
        f"ddpm_{name.replace('-', '_')}": Network(
            f"google/ddpm-{name}",
            "diffusers.UNet2DModel",
            "unet",
            _ddpm(256),
            {
                "sample_size": 256,
                "block_out_channels": [128, 128, 256, 256, 512, 512],
                "down_block_types": [*["DownBlock2D"] * 4, "AttnDownBlock2D", "DownBlock2D"],
                "up_block_types": ["UpBlock2D", "AttnUpBlock2D", *["UpBlock2D"] * 4],
                **DDPM,
            },
        )
        for name in ("celebahq-256", "church-256")
    },
    "ldm_celebahq_256_unet": Network(
        "CompVis/ldm-celebahq-256",
        "diffusers.UNet2DModel",
        "unet",
        _ddpm(64),
        {
            "sample_size": 64,
            "block_out_channels": [224, 448, 672, 896],
            "attention_head_dim": 32,
            "down_block_types": ["DownBlock2D", *["AttnDownBlock2D"] * 3],
            "up_block_types": [*["AttnUpBlock2D"] * 3, "UpBlock2D"],
        },
    ),
    "stable_diffusion_1_5_unet": Network(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "diffusers.UNet2DConditionModel",
        "unet",
        _conditioned(4, 768),
        SD1,
    ),
    "stable_diffusion_inpainting_unet": Network(
        "stable-diffusion-v1-5/stable-diffusion-inpainting",
        "diffusers.UNet2DConditionModel",
        "unet",
        _conditioned(9, 768),
        {"in_channels": 9, **SD1},
    ),
    "instruct_pix2pix_unet": Network(
        "timbrooks/instruct-pix2pix",
        "diffusers.UNet2DConditionModel",
        "unet",
        _conditioned(8, 768),
        {"in_channels": 8, **SD1},
    ),
    "lcm_dreamshaper_v7_unet": Network(
        "SimianLuo/LCM_Dreamshaper_v7",
        "diffusers.UNet2DConditionModel",
        "unet",
        {**_conditioned(4, 768), "timestep_cond": "torch.randn(batch_size, 256)"},
        {"time_cond_proj_dim": 256, **SD1},
    ),
    "stable_diffusion_2_base_unet": Network(
        "stabilityai/stable-diffusion-2-base",
        "diffusers.UNet2DConditionModel",
        "unet",
        _conditioned(4, 1024),
        SD2,
    ),
    "stable_diffusion_xl_unet": Network(
        "stabilityai/stable-diffusion-xl-base-1.0",
        "diffusers.UNet2DConditionModel",
        "unet",
        {
            **_conditioned(4, 2048),
            "added_cond_kwargs": (
                "{\n"
                '    "text_embeds": torch.randn(batch_size, 1280),\n'
                '    "time_ids": torch.ones(batch_size, 6),\n'
                "}"
            ),
        },
        {
            "sample_size": 128,
            "block_out_channels": [320, 640, 1280],
            "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
            "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
            "transformer_layers_per_block": [1, 2, 10],
            "attention_head_dim": [5, 10, 20],
            "cross_attention_dim": 2048,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 2816,
            "use_linear_projection": True,
        },
    ),
    "stable_diffusion_x4_upscaler_unet": Network(
        "stabilityai/stable-diffusion-x4-upscaler",
        "diffusers.UNet2DConditionModel",
        "unet",
        {**_conditioned(7, 1024), "class_labels": "torch.full((batch_size,), 20)"},
        {
            "in_channels": 7,
            "block_out_channels": [256, 512, 512, 1024],
            "down_block_types": ["DownBlock2D", *["CrossAttnDownBlock2D"] * 3],
            "up_block_types": [*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"],
            "only_cross_attention": [True, True, True, False],
            "attention_head_dim": 8,
            "cross_attention_dim": 1024,
            "num_class_embeds": 1000,
            "use_linear_projection": True,
        },
        task="super_resolution",
    ),
    "sd_controlnet_canny": Network(
        "lllyasviel/sd-controlnet-canny",
        "diffusers.ControlNetModel",
        "controlnet",
        {**_conditioned(4, 768), "controlnet_cond": "torch.rand(batch_size, 3, 512, 512)"},
        {"cross_attention_dim": 768, "attention_head_dim": 8},
    ),
    "t2iadapter_canny_sd15": Network(
        "TencentARC/t2iadapter_canny_sd15v2",
        "diffusers.T2IAdapter",
        "adapter",
        {"x": "torch.rand(batch_size, 1, 512, 512)"},
        {"in_channels": 1, "channels": [320, 640, 1280, 1280], "num_res_blocks": 2},
    ),
    "stable_diffusion_1_5_text_encoder": Network(
        "openai/clip-vit-large-patch14",
        "transformers.CLIPTextModel",
        "text_encoder",
        TOKENS,
        {
            "hidden_size": 768,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "intermediate_size": 3072,
        },
    ),
    "stable_diffusion_2_text_encoder": Network(
        "stabilityai/stable-diffusion-2-base",
        "transformers.CLIPTextModel",
        "text_encoder",
        TOKENS,
        {
            "hidden_size": 1024,
            "num_hidden_layers": 23,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
            "hidden_act": "gelu",
        },
    ),
    "stable_diffusion_xl_text_encoder_2": Network(
        "stabilityai/stable-diffusion-xl-base-1.0",
        "transformers.CLIPTextModelWithProjection",
        "text_encoder",
        TOKENS,
        {
            "hidden_size": 1280,
            "num_hidden_layers": 32,
            "num_attention_heads": 20,
            "intermediate_size": 5120,
            "projection_dim": 1280,
            "hidden_act": "gelu",
        },
    ),
    "stable_diffusion_vae": Network(
        "stabilityai/sd-vae-ft-mse",
        "diffusers.AutoencoderKL",
        "vae",
        {"sample": "torch.rand(batch_size, 3, 256, 256)"},
        KL,
    ),
    "taesd": Network(
        "madebyollin/taesd",
        "diffusers.AutoencoderTiny",
        "vae",
        {"sample": "torch.rand(batch_size, 3, 256, 256)"},
    ),
    "autoencoder_oobleck": Network(
        "stabilityai/stable-audio-open-1.0",
        "diffusers.AutoencoderOobleck",
        "vae",
        {"sample": "torch.rand(batch_size, 2, 65536)"},
        task="audio_generation",
    ),
    "stable_audio_dit": Network(
        "stabilityai/stable-audio-open-1.0",
        "diffusers.StableAudioDiTModel",
        "transformer",
        {
            "hidden_states": "torch.randn(batch_size, 64, 1024)",
            "timestep": "torch.full((batch_size,), 0.5)",
            "encoder_hidden_states": "torch.randn(batch_size, 130, 768)",
            "global_hidden_states": "torch.randn(batch_size, 1, 1536)",
        },
        task="audio_generation",
    ),
    "dit_xl_2_256": Network(
        "facebook/DiT-XL-2-256",
        "diffusers.DiTTransformer2DModel",
        "transformer",
        {
            "hidden_states": "torch.randn(batch_size, 4, 32, 32)",
            "timestep": "torch.full((batch_size,), 10)",
            "class_labels": "torch.full((batch_size,), 7)",
        },
        {"num_attention_heads": 16, "attention_head_dim": 72, "out_channels": 8, "num_layers": 28},
    ),
    "pixart_xl_2_512": Network(
        "PixArt-alpha/PixArt-XL-2-512x512",
        "diffusers.PixArtTransformer2DModel",
        "transformer",
        _latents(4, 64, 120, 4096),
        {"sample_size": 64, "caption_channels": 4096, "use_additional_conditions": False},
    ),
    "sana_600m_512": Network(
        "Efficient-Large-Model/Sana_600M_512px_diffusers",
        "diffusers.SanaTransformer2DModel",
        "transformer",
        _latents(32, 16, 77, 2304),
        {
            "num_layers": 28,
            "num_attention_heads": 36,
            "attention_head_dim": 32,
            "num_cross_attention_heads": 16,
            "cross_attention_head_dim": 72,
            "cross_attention_dim": 1152,
            "sample_size": 16,
        },
    ),
    "stable_diffusion_3_medium": Network(
        "stabilityai/stable-diffusion-3-medium-diffusers",
        "diffusers.SD3Transformer2DModel",
        "transformer",
        {**_latents(16, 64, 77, 4096), "pooled_projections": "torch.randn(batch_size, 2048)"},
        {
            "num_layers": 24,
            "num_attention_heads": 24,
            "caption_projection_dim": 1536,
            "pos_embed_max_size": 192,
        },
    ),
    "amused_256": Network(
        "amused/amused-256",
        "diffusers.UVit2DModel",
        "transformer",
        {
            "input_ids": "torch.randint(0, 8192, (batch_size, 16, 16))",
            "encoder_hidden_states": "torch.randn(batch_size, 77, 768)",
            "pooled_text_emb": "torch.randn(batch_size, 768)",
            "micro_conds": "torch.ones(batch_size, 5)",
        },
    ),
    "karlo_prior": Network(
        "kakaobrain/karlo-v1-alpha",
        "diffusers.PriorTransformer",
        "prior",
        {
            "hidden_states": "torch.randn(batch_size, 768)",
            "timestep": "torch.full((batch_size,), 10)",
            "proj_embedding": "torch.randn(batch_size, 768)",
            "encoder_hidden_states": "torch.randn(batch_size, 77, 768)",
        },
    ),
    "text_to_video_ms_unet": Network(
        "ali-vilab/text-to-video-ms-1.7b",
        "diffusers.UNet3DConditionModel",
        "unet",
        {
            "sample": "torch.randn(batch_size, 4, 4, 32, 32)",
            "timestep": "torch.tensor([10])",
            "encoder_hidden_states": "torch.randn(batch_size, 77, 1024)",
        },
        {"sample_size": 32},
        task="video_generation",
    ),
    "flux_1_dev": Network(
        "black-forest-labs/FLUX.1-dev",
        "diffusers.FluxTransformer2DModel",
        "transformer",
        {
            "hidden_states": "torch.randn(batch_size, 1024, 64)",
            "encoder_hidden_states": "torch.randn(batch_size, 512, 4096)",
            "pooled_projections": "torch.randn(batch_size, 768)",
            "timestep": "torch.ones(batch_size)",
            "img_ids": "torch.zeros(1024, 3)",
            "txt_ids": "torch.zeros(512, 3)",
            "guidance": "torch.ones(batch_size)",
        },
        {"guidance_embeds": True},
        gigabytes=48,
    ),
}
"""The networks by the name of their script."""


def _literal(value: object) -> str:
    return repr(value).replace("'", '"')


def _assignment(name: str, call: str, arguments: Mapping[str, object]) -> str:
    items = [f"{key}={_literal(value)}" for key, value in arguments.items()]
    line = f"{name} = {call}({', '.join(items)})"
    if len(line) <= WIDTH:
        return line
    lines = [f"{name} = {call}("]
    for key, value in arguments.items():
        item = f"    {key}={_literal(value)},"
        if len(item) > WIDTH and isinstance(value, list):
            words = [f"        {_literal(word)}," for word in value]
            item = "\n".join([f"    {key}=[", *words, "    ],"])
        lines.append(item)
    return "\n".join([*lines, ")"])


def _construct(network: Network) -> str:
    if not network.model.startswith("transformers."):
        return _assignment("model", network.model, network.settings)
    config = _assignment("config", "transformers.CLIPTextConfig", network.settings)
    return f"{config}\nmodel = {network.model}(config)"


def make_scripts() -> Iterator[Script]:
    """Make the scripts of the corpus."""
    for name, network in NETWORKS.items():
        library = network.model.partition(".")[0]
        labels = {
            "author": network.id.partition("/")[0].lower(),
            "task": network.task,
            "family": network.model.rpartition(".")[2].lower(),
            "part": network.part,
        }
        about = (
            f"{network.model}, the {network.part.replace('_', ' ')} of a pipeline, with its "
            "published sizes and random weights."
        )
        if network.gigabytes:
            labels["memory"] = "over_24gb"
            about += f" Its weights take {network.gigabytes} GB in float32."
        arguments = "\n".join(f"{key}={value}," for key, value in network.inputs.items())
        yield Script(
            corpus="diffusers",
            name=name,
            labels=labels,
            source=HUB.format(network.id),
            about=about,
            imports=(f"import {library}",),
            parameters=("batch_size",),
            body=(
                f"{_construct(network)}\nmodel.eval()\n\n"
                f"model(\n{textwrap.indent(arguments, ' ' * 4)}\n)"
            ),
        )
