# labels: test_group::popular_on_huggingface name::distil_medium_en author::distil-whisper task::speech_recognition family::whisper modality::audio
"""https://huggingface.co/distil-whisper/distil-medium.en

distil-whisper/distil-medium.en: WhisperForConditionalGeneration with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.WhisperConfig(
    vocab_size=51864,
    d_model=1024,
    encoder_layers=24,
    decoder_layers=2,
    encoder_attention_heads=16,
    decoder_attention_heads=16,
    encoder_ffn_dim=4096,
    decoder_ffn_dim=4096,
)
if pretrained:
    model = transformers.WhisperForConditionalGeneration.from_pretrained(
        "distil-whisper/distil-medium.en"
    )
else:
    model = transformers.WhisperForConditionalGeneration(config)
model.eval()

frames = 2 * config.max_source_positions
inputs = {
    "input_features": torch.rand(batch_size, config.num_mel_bins, frames),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}

model(**inputs)
