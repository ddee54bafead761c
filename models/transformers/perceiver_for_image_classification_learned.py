# labels: test_group::transformers name::perceiver_for_image_classification_learned author::huggingface_pytorch task::image_classification family::perceiver modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/perceiver

PerceiverForImageClassificationLearned with the default configuration of its library and random
weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

config = transformers.PerceiverConfig()
model = transformers.PerceiverForImageClassificationLearned(config)
model.eval()

side = config.image_size

model(inputs=torch.rand(batch_size, 3, side, side))
