# labels: test_group::transformers name::pp_doclayout_v4_for_object_detection author::huggingface_pytorch task::object_detection family::pp_doclayout_v4 modality::image
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/pp_doclayout_v4

PPDocLayoutV4ForObjectDetection with the default configuration of its library and random weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, num_channels, height, width = parse(["batch_size", "num_channels", "height", "width"])

config = transformers.PPDocLayoutV4Config()
model = transformers.PPDocLayoutV4ForObjectDetection(config)
model.eval()

model(pixel_values=torch.rand(batch_size, num_channels, height, width))
