# labels: test_group::popular_on_huggingface name::clip_vit_b_32_laion2b_s34b_b79k author::laion task::zero_shot_image_classification family::clip modality::image_text
"""https://huggingface.co/laion/CLIP-ViT-B-32-laion2B-s34B-b79K

laion/CLIP-ViT-B-32-laion2B-s34B-b79K: CLIPModel with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.CLIPConfig(
    text_config={
        "hidden_size": 512,
        "num_hidden_layers": 12,
        "num_attention_heads": 8,
        "intermediate_size": 2048,
        "hidden_act": "gelu",
        "projection_dim": 512,
    },
    vision_config={
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "patch_size": 32,
        "image_size": 224,
        "hidden_act": "gelu",
        "projection_dim": 512,
    },
)
if pretrained:
    model = transformers.CLIPModel.from_pretrained("laion/CLIP-ViT-B-32-laion2B-s34B-b79K")
else:
    model = transformers.CLIPModel(config)
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
