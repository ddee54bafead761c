# labels: test_group::transformers name::clip_text_model author::huggingface_pytorch task::feature_extraction family::clip modality::text
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/clip

CLIPTextModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.CLIPTextConfig()
model = transformers.CLIPTextModel(config)
model.eval()

shape = (batch_size, config.max_position_embeddings)

model(input_ids=torch.randint(0, config.vocab_size, shape))
