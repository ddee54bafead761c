# labels: test_group::transformers name::speech_to_text_for_conditional_generation author::huggingface_pytorch task::speech_recognition family::speech_to_text modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/speech_to_text

Speech2TextForConditionalGeneration with the default configuration of its library and random
weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.Speech2TextConfig()
model = transformers.Speech2TextForConditionalGeneration(config)
model.eval()

inputs = {
    "input_features": torch.rand(batch_size, 584, config.input_feat_per_channel),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}

model(**inputs)
