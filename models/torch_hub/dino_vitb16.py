# labels: test_group::torch_hub name::dino_vitb16 author::facebookresearch task::feature_extraction family::dino modality::image
"""https://github.com/facebookresearch/dino/blob/main/hubconf.py

dino_vitb16: an image encoder trained without labels. It has the layers of timm's
vit_base_patch16_224 without the classifier.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = timm.create_model("vit_base_patch16_224", num_classes=0)
model.eval()

model(torch.rand(batch_size, 3, 224, 224))
