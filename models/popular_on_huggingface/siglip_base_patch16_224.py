# labels: test_group::popular_on_huggingface name::siglip_base_patch16_224 author::google task::zero_shot_image_classification family::siglip modality::image_text
"""https://huggingface.co/google/siglip-base-patch16-224

google/siglip-base-patch16-224: SiglipModel with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.SiglipConfig(vision_config={"image_size": 224, "patch_size": 16})
if pretrained:
    model = transformers.SiglipModel.from_pretrained("google/siglip-base-patch16-224")
else:
    model = transformers.SiglipModel(config)
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
