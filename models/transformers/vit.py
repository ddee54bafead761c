# labels: test_group::transformers name::vit author::huggingface_pytorch task::image_classification
"""https://huggingface.co/docs/transformers/model_doc/vit

ViT base: the encoder with its default configuration (12 layers, 768 wide, patches of 16 pixels), a
classifier of 1000 classes and random weights.
"""

import argparse

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height = parse(["batch_size", "num_channels", "height"])
sizes = argparse.ArgumentParser(add_help=False)
sizes.add_argument("--num_hidden_layers", type=int, default=12)
sizes.add_argument("--hidden_size", type=int, default=768)
sizes.add_argument("--num_attention_heads", type=int, default=12)
size = sizes.parse_known_args()[0]

config = transformers.ViTConfig(
    num_hidden_layers=size.num_hidden_layers,
    hidden_size=size.hidden_size,
    intermediate_size=4 * size.hidden_size,
    num_attention_heads=size.num_attention_heads,
    num_channels=num_channels,
    image_size=height,
    num_labels=1000,
)
model = transformers.ViTForImageClassification(config)
model.eval()

# Images of this model are square.
model(pixel_values=torch.rand(batch_size, num_channels, height, height))
