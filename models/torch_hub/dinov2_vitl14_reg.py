# labels: test_group::torch_hub name::dinov2_vitl14_reg author::facebookresearch task::feature_extraction family::dinov2 modality::image
"""https://github.com/facebookresearch/dinov2/blob/main/hubconf.py

dinov2_vitl14_reg: an image encoder trained without labels. It has the layers of timm's
vit_large_patch14_reg4_dinov2 without the classifier.
Written by models/generate.
"""

import timm
import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

model = timm.create_model("vit_large_patch14_reg4_dinov2", num_classes=0, img_size=224)
model.eval()

model(torch.rand(batch_size, 3, 224, 224))
