# labels: test_group::popular_on_huggingface name::whisper_large_v3_turbo author::openai task::speech_recognition family::whisper modality::audio
"""https://huggingface.co/openai/whisper-large-v3-turbo

openai/whisper-large-v3-turbo: WhisperForConditionalGeneration with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.WhisperConfig(
    vocab_size=51866,
    num_mel_bins=128,
    d_model=1280,
    encoder_layers=32,
    encoder_attention_heads=20,
    decoder_attention_heads=20,
    encoder_ffn_dim=5120,
    decoder_ffn_dim=5120,
    decoder_start_token_id=50258,
)
if pretrained:
    model = transformers.WhisperForConditionalGeneration.from_pretrained(
        "openai/whisper-large-v3-turbo"
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
