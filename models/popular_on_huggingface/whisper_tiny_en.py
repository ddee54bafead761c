# labels: test_group::popular_on_huggingface name::whisper_tiny_en author::openai task::speech_recognition family::whisper modality::audio
"""https://huggingface.co/openai/whisper-tiny.en

openai/whisper-tiny.en: WhisperForConditionalGeneration with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.WhisperConfig(vocab_size=51864)
if pretrained:
    model = transformers.WhisperForConditionalGeneration.from_pretrained("openai/whisper-tiny.en")
else:
    model = transformers.WhisperForConditionalGeneration(config)
model.eval()

frames = 2 * config.max_source_positions
inputs = {
    "input_features": torch.rand(batch_size, config.num_mel_bins, frames),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}

model(**inputs)
