# labels: test_group::torch_hub name::dino_xcit_small_12_p8 author::facebookresearch task::feature_extraction family::dino modality::image
"""https://github.com/facebookresearch/dino/blob/main/hubconf.py

dino_xcit_small_12_p8: an image encoder trained without labels. It has the layers of timm's
xcit_small_12_p8_224 without the classifier.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = timm.create_model("xcit_small_12_p8_224", num_classes=0)
model.eval()

model(torch.rand(batch_size, 3, 224, 224))
