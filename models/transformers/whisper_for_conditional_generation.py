# labels: test_group::transformers name::whisper_for_conditional_generation author::huggingface_pytorch task::speech_recognition family::whisper modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/whisper

WhisperForConditionalGeneration with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.WhisperConfig()
model = transformers.WhisperForConditionalGeneration(config)
model.eval()

inputs = {
    "input_features": torch.rand(batch_size, config.num_mel_bins, 2 * config.max_source_positions),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}

model(**inputs)
