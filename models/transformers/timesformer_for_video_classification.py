# labels: test_group::transformers name::timesformer_for_video_classification author::huggingface_pytorch task::video_classification family::timesformer modality::video
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/timesformer

TimesformerForVideoClassification with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.TimesformerConfig()
model = transformers.TimesformerForVideoClassification(config)
model.eval()

side = config.image_size

model(pixel_values=torch.rand(batch_size, config.num_frames, config.num_channels, side, side))
