# labels: test_group::popular_on_huggingface name::hubert_base_superb_er author::superb task::audio_classification family::hubert modality::audio
"""https://huggingface.co/superb/hubert-base-superb-er

superb/hubert-base-superb-er: HubertForSequenceClassification with its published sizes, and random
weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_audio_seq_length, pretrained = parse(
    ["batch_size", "max_audio_seq_length", "pretrained"]
)

config = transformers.HubertConfig(num_labels=4)
if pretrained:
    model = transformers.HubertForSequenceClassification.from_pretrained(
        "superb/hubert-base-superb-er"
    )
else:
    model = transformers.HubertForSequenceClassification(config)
model.eval()

model(input_values=torch.rand(batch_size, max_audio_seq_length))
