# labels: test_group::transformers name::align author::huggingface_pytorch task::zero_shot_image_classification family::align modality::image_text
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/align

AlignModel with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.AlignConfig()
model = transformers.AlignModel(config)
model.eval()

text, vision = config.text_config, config.vision_config
shape = (batch_size, text.max_position_embeddings)
side = vision.image_size
inputs = {
    "input_ids": torch.randint(0, text.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "pixel_values": torch.rand(batch_size, 3, side, side),
}

model(**inputs)
