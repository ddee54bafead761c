# labels: test_group::popular_on_huggingface name::whisper_medium author::openai task::speech_recognition family::whisper modality::audio
"""https://huggingface.co/openai/whisper-medium

openai/whisper-medium: WhisperForConditionalGeneration with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.WhisperConfig(
    d_model=1024,
    encoder_layers=24,
    decoder_layers=24,
    encoder_attention_heads=16,
    decoder_attention_heads=16,
    encoder_ffn_dim=4096,
    decoder_ffn_dim=4096,
    decoder_start_token_id=50258,
)
if pretrained:
    model = transformers.WhisperForConditionalGeneration.from_pretrained("openai/whisper-medium")
else:
    model = transformers.WhisperForConditionalGeneration(config)
model.eval()

frames = 2 * config.max_source_positions
inputs = {
    "input_features": torch.rand(batch_size, config.num_mel_bins, frames),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}

model(**inputs)
