# labels: test_group::transformers name::speecht5_for_speech_to_text author::huggingface_pytorch task::speech_recognition family::speecht5 modality::audio
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/speecht5

SpeechT5ForSpeechToText with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length = parse(["batch_size", "max_audio_seq_length"])

config = transformers.SpeechT5Config()
model = transformers.SpeechT5ForSpeechToText(config)
model.eval()

inputs = {
    "input_values": torch.rand(batch_size, max_audio_seq_length),
    "decoder_input_ids": torch.full((batch_size, 1), config.decoder_start_token_id),
}

model(**inputs)
