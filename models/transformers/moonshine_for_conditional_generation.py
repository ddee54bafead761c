# labels: test_group::transformers name::moonshine_for_conditional_generation author::huggingface_pytorch task::speech_recognition family::moonshine modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/moonshine

MoonshineForConditionalGeneration with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length = parse(["batch_size", "max_audio_seq_length"])

config = transformers.MoonshineConfig()
model = transformers.MoonshineForConditionalGeneration(config)
model.eval()

inputs = {
    "input_values": torch.rand(batch_size, max_audio_seq_length),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}

model(**inputs)
