# labels: test_group::transformers name::pp_doclayout_v3_for_object_detection author::huggingface_pytorch task::object_detection family::pp_doclayout_v3 modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/pp_doclayout_v3

PPDocLayoutV3ForObjectDetection with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.PPDocLayoutV3Config()
model = transformers.PPDocLayoutV3ForObjectDetection(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
