"""What each kind of transformers model is called with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

ENCODERS = {
    "clip_text_model",
    "clip_vision_model",
    "dinov3_convnext",
    "dinov3_vit",
    "dpr",
    "ijepa",
    "sam_hq_vision_model",
    "sam_vision_model",
    "siglip_vision_model",
    "swin2sr",
    "vitdet",
}
"""Types without a head for a task that are used alone. The others are parts of larger models."""

START = {"decoder_start_token_id": "0"}
ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "t5": START,
    "mt5": START,
    "umt5": START,
    "xmod": {"default_language": '"en_XX"'},
}
"""What a model asks of its configuration that has no default, by type."""


class Described(Protocol):
    """What has to be known of a model."""

    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def task(self) -> str: ...  # noqa: D102
    @property
    def input(self) -> str: ...  # noqa: D102
    @property
    def decoder(self) -> bool: ...  # noqa: D102
    @property
    def mask(self) -> bool: ...  # noqa: D102
    @property
    def pixels(self) -> bool: ...  # noqa: D102
    @property
    def vocabulary(self) -> bool: ...  # noqa: D102
    @property
    def image_size(self) -> object: ...  # noqa: D102


@dataclass(frozen=True)
class Inputs:
    """How a script calls its model.

    Attributes:
        modality: What it is fed with: ``text``, ``image``, ``audio`` and so on.
        parameters: The standard parameters that this needs.
        code: The call.
    """

    modality: str
    parameters: tuple[str, ...]
    code: str


TEXT = ("batch_size", "max_seq_length")
IMAGE = ("batch_size", "num_channels", "height", "width")
AUDIO = ("batch_size", "max_audio_seq_length")
BATCH = ("batch_size",)

LOG_MEL = """\
inputs = {{
    "input_features": torch.rand({shape}),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}}

model(**inputs)
"""

WAVE_TO_TEXT = """\
inputs = {
    "input_values": torch.rand(batch_size, max_audio_seq_length),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}

model(**inputs)
"""

SPECIAL: Mapping[str, Inputs] = {
    "CLIPTextModel": Inputs(
        "text",
        BATCH,
        "shape = (batch_size, config.max_position_embeddings)\n\n"
        "model(input_ids=torch.randint(0, config.vocab_size, shape))",
    ),
    "ASTForAudioClassification": Inputs(
        "audio",
        BATCH,
        "model(input_values=torch.rand(batch_size, config.max_length, config.num_mel_bins))",
    ),
    "WhisperForConditionalGeneration": Inputs(
        "audio",
        BATCH,
        LOG_MEL.format(shape="batch_size, config.num_mel_bins, 2 * config.max_source_positions"),
    ),
    "WhisperForAudioClassification": Inputs(
        "audio",
        BATCH,
        "frames = 2 * config.max_source_positions\n\n"
        "model(input_features=torch.rand(batch_size, config.num_mel_bins, frames))",
    ),
    "Speech2TextForConditionalGeneration": Inputs(
        "audio", BATCH, LOG_MEL.format(shape="batch_size, 584, config.input_feat_per_channel")
    ),
    "Wav2Vec2BertForSequenceClassification": Inputs(
        "audio", BATCH, "model(input_features=torch.rand(batch_size, 160, 160))"
    ),
    "EncodecModel": Inputs(
        "audio",
        AUDIO,
        "model(input_values=torch.rand(batch_size, config.audio_channels, max_audio_seq_length))",
    ),
    "DacModel": Inputs(
        "audio", AUDIO, "model(input_values=torch.rand(batch_size, 1, max_audio_seq_length))"
    ),
    "MimiModel": Inputs(
        "audio", AUDIO, "model(input_values=torch.rand(batch_size, 1, max_audio_seq_length))"
    ),
    "PatchTSTModel": Inputs(
        "series",
        BATCH,
        "shape = (batch_size, config.context_length, config.num_input_channels)\n\n"
        "model(past_values=torch.rand(shape))",
    ),
    "PatchTSMixerModel": Inputs(
        "series",
        BATCH,
        "shape = (batch_size, config.context_length, config.num_input_channels)\n\n"
        "model(past_values=torch.rand(shape))",
    ),
    "PerceiverForMaskedLM": Inputs(
        "text",
        BATCH,
        "length = config.max_position_embeddings\n\n"
        "model(inputs=torch.randint(0, config.vocab_size, (batch_size, length)))",
    ),
    "PerceiverForImageClassificationLearned": Inputs(
        "image",
        BATCH,
        "side = config.image_size\n\nmodel(inputs=torch.rand(batch_size, 3, side, side))",
    ),
    "VJEPA2ForVideoClassification": Inputs(
        "video",
        BATCH,
        "side = config.crop_size\nframes = config.frames_per_clip\n\n"
        "model(pixel_values_videos=torch.rand(batch_size, frames, config.in_chans, side, side))",
    ),
    "UnivNetModel": Inputs(
        "audio", BATCH, "model(input_features=torch.rand(batch_size, 100, config.num_mel_bins))"
    ),
}
"""Calls that no rule gives, by the model's class."""

VIDEO = (
    "side = config.image_size\n\n"
    "model(pixel_values=torch.rand(batch_size, config.num_frames, config.num_channels, side, side))"
)

CONTRASTIVE = """\
text, vision = config.text_config, config.vision_config
shape = (batch_size, text.max_position_embeddings)
side = vision.image_size
inputs = {
    "input_ids": torch.randint(0, text.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "pixel_values": torch.rand(batch_size, 3, side, side),
}

model(**inputs)
"""


def inputs_of(entry: Described) -> Inputs | None:
    """Give the call of a model, or nothing if no rule covers it."""
    model = getattr(entry, "model", "")
    if model in SPECIAL:
        return SPECIAL[model]
    if entry.task == "feature_extraction" and entry.type not in ENCODERS:
        return None
    if entry.task == "zero_shot_image_classification":
        return Inputs("image_text", BATCH, CONTRASTIVE)
    if entry.task == "video_classification":
        return Inputs("video", BATCH, VIDEO) if entry.input == "pixel_values" else None
    if entry.input == "pixel_values":
        return _image_inputs(entry)
    if entry.input == "input_ids" and entry.vocabulary and not entry.pixels:
        return _text_inputs(entry)
    if entry.input == "input_values" and entry.decoder:
        return Inputs("audio", AUDIO, WAVE_TO_TEXT)
    if entry.input == "input_values":
        call = "model(input_values=torch.rand(batch_size, max_audio_seq_length))"
        return Inputs("audio", AUDIO, call)
    return None


def _text_inputs(entry: Described) -> Inputs:
    # Some classifiers pool at the token that ends a text, which must then stand there once.
    ends = entry.decoder and entry.task == "text_classification"
    lowest = "config.eos_token_id + 1" if ends else "0"
    lines = [f'    "input_ids": torch.randint({lowest}, config.vocab_size, shape),']
    if entry.mask:
        lines.append('    "attention_mask": torch.ones(shape, dtype=torch.long),')
    if entry.decoder and not ends:
        lines.append('    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),')
    end = '\ninputs["input_ids"][:, -1] = config.eos_token_id' if ends else ""
    dictionary = "\n".join(["inputs = {", *lines, "}"])
    code = f"shape = (batch_size, max_seq_length)\n{dictionary}{end}\n\nmodel(**inputs)"
    return Inputs("text", TEXT, code)


def _image_inputs(entry: Described) -> Inputs:
    if isinstance(entry.image_size, int):
        call = "model(pixel_values=torch.rand(batch_size, config.num_channels, side, side))"
        return Inputs("image", BATCH, f"side = config.image_size\n\n{call}")
    if isinstance(entry.image_size, list):
        shape = "batch_size, config.num_channels, *config.image_size"
        return Inputs("image", BATCH, f"model(pixel_values=torch.rand({shape}))")
    call = "model(pixel_values=torch.rand(batch_size, num_channels, height, width))"
    return Inputs("image", IMAGE, call)
